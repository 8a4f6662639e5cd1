"""The Raspberry Pi's own camera through picamera2 and libcamera.

    camera: {driver: picamera2, width: 640, height: 480, fps: 15}

Two streams of one exposure: *main* in BGR for the face, *lores* in YUV420, whose Y plane is the luma that the code
reader and the difference test want; it costs the processor nothing, the ISP makes it. picamera2 is imported only
here, only when this driver is chosen: it comes from apt together with libcamera, so a virtual environment must see
the system's packages.

Nothing is taken for granted: libcamera gives the nearest that it can, which may be another size or format, or a sensor
mode that sees the middle only (`sensor_modes`). A request owns camera buffers for as long as it is held; there are four
of them. So: take, copy, release, in one place.
"""

from __future__ import annotations

import atexit
import gc
import os
import re
import stat
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import TimeoutError as FutureTimeout
from contextlib import suppress
from importlib import import_module
from importlib.machinery import PathFinder
from pathlib import Path
from traceback import clear_frames
from typing import Any

from edge._resources import is_device
from edge.camera.granted import DriverClock, Granted, rate_notes
from edge.camera.pixels import to_bgr
from edge.camera.sensor_modes import full_view
from edge.errors import CameraError, SourceTimeout, SourceUnavailable
from edge.settings.model import CameraSettings
from edge.types import U8, Frame

_INSTALL = (
    "on Raspberry Pi OS: sudo apt install python3-picamera2 && sudo python3 -m venv --system-site-packages "
    f"{sys.prefix}; Debian has no such package: use a USB camera there (camera.driver: v4l2)"
)
#: Debian 12's picamera2 is built against numpy 1.24 and says "numpy.dtype size changed" beside numpy 2. pip changes
#: OpenCV with it, so the product is named too.
_OLDER_NUMPY = (
    "Debian 12's picamera2 needs numpy 1; in the virtual environment: pip install --force-reinstall WHEEL 'numpy<2', "
    "with the product's wheel, or pip install --require-hashes -r deploy/requirements.txt"
)
#: libcamera's names -> V4L2's. RGB888 is named by bit order: in memory it is B, G, R.
_LAYOUTS = {"RGB888": "BGR3", "NV12": "NV12", "YUV420": "YU12"}
#: libcamera's names of USB cameras: a path through a USB controller, or an end of interface, maker and product.
_USB = re.compile(r"/usb|:\d+\.\d+-[0-9a-f]{4}:[0-9a-f]{4}$")
#: What libcamera and picamera2 say of a camera that does not start -> what helps.
_REMEDIES = (
    (
        "busy",
        "another program uses the camera: end it (package psmisc: `sudo fuser -v /dev/media* /dev/video*`)",
    ),
    ("permission", "this user may not use the camera: sudo usermod -aG video $(id -un), then log in again"),
    ("dmaheap", "this user may not allocate pictures: it must be in the group 'video' and see /dev/dma_heap"),
    (
        "cannot allocate",
        "too little memory for pictures: a smaller camera.width, or cma=256M in /boot/firmware/cmdline.txt",
    ),
    ("timed out", "the camera does not answer: seat its ribbon cable at both ends, with the power off"),
    (
        "invalid camera configuration",
        "the camera cannot do this size: set camera.width and camera.height to another one",
    ),
)
_OTHERWISE = "try `rpicam-hello`: if that fails too, it is the camera, its cable or its entry in config.txt"
# What of libcamera's metadata travels with a frame; none of it decides anything.
_META = ("ExposureTime", "AnalogueGain", "DigitalGain", "Lux", "ColourTemperature")
#: Camera -> its sensor's modes. Reading them configures the camera once for each, so a process does it once.
_MODES: dict[str, Sequence[Mapping[str, Any]]] = {}


class PiSource:
    """The Pi's camera. A `Source`.

    Args:
        settings: ``device`` (the camera's number, name or path as `rpicam-hello --list-cameras` shows them, empty for
            the first that is no USB camera), ``width``, ``height``, ``fps``.
        clock: monotonic nanoseconds.

    Attributes:
        granted: what the camera granted, once it is open.
    """

    name = hardware = "picamera2"

    def __init__(self, settings: CameraSettings, *, clock: Callable[[], int] = time.monotonic_ns) -> None:
        self._settings, self._clock = settings, clock
        self._size = (settings.width, settings.height)
        self._camera: Any = None
        self._job: Any = None
        self._sequence = 0
        self._stamps = DriverClock()
        self.granted: Granted | None = None

    def open(self) -> None:
        """Choose, configure and start the camera.

        Raises:
            SourceUnavailable: picamera2 or libcamera missing, no such camera, busy, or the size is not possible.
        """
        maker = _picamera2().Picamera2
        number, listed = _choose(maker.global_camera_info(), self._settings.device)
        identity = f"{listed['Model']} ({listed['Id']})"
        camera = maker.__new__(maker)  # its constructor opens pipes before it fails, and only its object knows them
        try:
            camera.__init__(number)
            # The thread that opened it closes it; at the end of the program a camera that hangs would hang that, too.
            atexit.unregister(camera.close)
            mode = full_view(_modes(camera, listed["Id"]), self._size, self._settings.fps)
            camera.configure(self._configuration(camera, mode))
            self.granted = self._check(camera, identity)
            camera.start()
        except Exception as error:  # picamera2 raises RuntimeError, ValueError, KeyError, whatever libcamera says
            with suppress(Exception):  # a camera half open closes with errors of its own; the first one counts
                _let_go(camera)
            del camera
            _collect(error)
            if isinstance(error, SourceUnavailable):
                raise
            text = _first_cause(error)
            remedy = next((help_ for sign, help_ in _REMEDIES if sign in text.lower()), _OTHERWISE)
            raise SourceUnavailable(f"the camera does not start: {text}", where=identity, remedy=remedy) from error
        self._camera, self._sequence, self._stamps = camera, 0, DriverClock()

    def read(self, timeout_s: float) -> Frame:
        """The next completed request as a frame; its buffers go back before this returns.

        Raises:
            SourceTimeout: the camera completed none in time.
            CameraError: not open, or a buffer that is too small.
        """
        if self._camera is None or self.granted is None:
            raise CameraError("the camera is not open", where=self.name, remedy="open it first")
        try:
            # A job that was not done in time is kept and waited for again: an abandoned one would take the next
            # request, and nobody would ever give its buffers back.
            self._job = self._job or self._camera.capture_request(wait=False)
            request = self._camera.wait(self._job, timeout=timeout_s)
            self._job = None
        except (TimeoutError, FutureTimeout):
            raise SourceTimeout(
                "the camera is silent", where=self.granted.identity, remedy="seat its ribbon cable at both ends"
            ) from None
        try:
            main, lores, meta = request.make_array("main"), request.make_array("lores"), request.get_metadata()
        finally:
            request.release()
        image, luma = self._decode(main, self.granted.format)
        self._sequence += 1
        return Frame(
            image=image,
            monotonic_ns=self._stamp(meta),
            sequence=self._sequence,
            source=self.name,
            luma=luma if luma is not None else self._decode(lores, self._lores)[1],
            meta={key: meta[key] for key in _META if key in meta},
        )

    def close(self) -> None:
        """Stop and free the camera. Harmless when repeated."""
        camera, self._camera = self._camera, None
        if camera is not None:
            if self._job is not None:
                camera.cancel_all_and_flush()
                self._job = None
            try:
                camera.stop()
            finally:
                _let_go(camera)
                del camera
                _collect()

    def _configuration(self, camera: Any, mode: Mapping[str, Any] | None) -> Any:
        duration = round(1e6 / self._settings.fps)
        controls: dict[str, Any] = {"FrameDurationLimits": (duration, duration)}
        if "AfMode" in camera.camera_controls:
            # AfModeContinuous: a face at 60 cm and a card at 15 cm, one after the other.
            controls["AfMode"] = 2
        sensor = {"sensor": {"output_size": mode["size"], "bit_depth": mode["bit_depth"]}} if mode else {}
        return camera.create_video_configuration(
            main={"size": self._size, "format": "RGB888"},
            lores={"size": self._size, "format": "YUV420"},
            controls=controls,
            buffer_count=4,
            queue=False,  # a request completed before it was asked for is an old frame
            **sensor,
        )

    def _check(self, camera: Any, identity: str) -> Granted:
        """What the camera will deliver, or why that cannot be used."""
        given = camera.camera_configuration()
        main, lores = given["main"], given["lores"]
        for stream in (main, lores):
            if stream["format"] not in _LAYOUTS:
                raise SourceUnavailable(
                    f"the camera gives pictures in {stream['format']}; {', '.join(_LAYOUTS)} are read here",
                    where=identity,
                    remedy="a USB camera works with camera.driver: v4l2",
                )
            got = tuple(stream["size"])
            if got != self._size:
                raise SourceUnavailable(
                    f"asked for {self._size[0]} x {self._size[1]} pixels, the camera gives {got[0]} x {got[1]}",
                    where=identity,
                    remedy=f"set camera.width and camera.height to {got[0]} and {got[1]}",
                )
        self._lores = lores["format"]
        # After configure() this control's least value is the shortest frame of the chosen sensor mode, microseconds.
        shortest = camera.camera_controls.get("FrameDurationLimits", (0, 0, 0))[0]
        fps = min(self._settings.fps, 1e6 / shortest) if shortest else self._settings.fps
        return Granted(identity, main["format"], self._size, fps, rate_notes(self._settings.fps, fps))

    def _decode(self, array: U8, name: str) -> tuple[U8, U8 | None]:
        """A stream's array; picamera2 has already reshaped it, with or without the padding of its rows."""
        width, height = self._size
        stride = array.shape[1] * 3 if name == "RGB888" else array.shape[1]
        return to_bgr(_LAYOUTS[name], array, width=width, height=height, stride=stride)

    def _stamp(self, meta: Mapping[str, Any]) -> int:
        """Start of the exposure, if believable: picamera2 itself compares SensorTimestamp with time.monotonic_ns."""
        return self._stamps.taken_ns(meta.get("SensorTimestamp"), self._clock())


def _choose(listed: Sequence[Mapping[str, Any]], device: str) -> tuple[int, Mapping[str, Any]]:
    """The camera that the settings mean: its number for picamera2, and what libcamera says of it.

    A number means whatever is plugged in, so it never stands for a USB camera: somebody brings one, the ribbon cable
    comes loose, and the door looks elsewhere. Whoever wants one names it by its path.
    """
    known = ", ".join(f"{number}: {each['Model']} ({each['Id']})" for number, each in enumerate(listed))
    fixed = [number for number, each in enumerate(listed) if not _USB.search(each["Id"])]
    if not fixed and (not device or device.isdigit()):
        usb = "set camera.driver to v4l2 and camera.device to its path under /dev/v4l/by-id"
        ribbon = "with the power off seat the ribbon cable at both ends; `rpicam-hello --list-cameras` must list it"
        what = f"there is a USB camera only ({known})" if listed else "libcamera finds no camera"
        raise SourceUnavailable(what, where="camera.device", remedy=f"{ribbon}; or {usb}" if listed else ribbon)
    if device.isdigit():
        found = [number for number in fixed if number == int(device)]
    else:
        found = [n for n, each in enumerate(listed) if device in (each["Id"], each["Model"])] if device else fixed[:1]
    if len(found) != 1:
        what = f"{len(found) or 'no'} cameras are called {device!r}" if found else f"there is no camera {device!r}"
        raise SourceUnavailable(
            f"{what}; there are {known or 'none'}",
            where="camera.device",
            remedy="set camera.device to a path of these, or leave it empty for the first that is no USB camera",
        )
    return found[0], listed[found[0]]


def _modes(camera: Any, identifier: str) -> Sequence[Mapping[str, Any]]:
    """The sensor's modes; none of a camera without a Bayer sensor of its own (USB, virtual)."""
    if "ScalerCrop" not in camera.camera_controls:
        return ()
    if identifier not in _MODES:
        _MODES[identifier] = camera.sensor_modes
    return _MODES[identifier]


def _let_go(camera: Any) -> None:
    """Close, and give the two ends of its pipe back: a constructor that failed leaves them open, 34 minutes of retries
    to the limit of a process. A close that worked has closed both."""
    try:
        camera.close()
    finally:
        reading = getattr(camera, "notifymeread", None)
        if reading is not None and not reading.closed:
            reading.close()
            os.close(camera.notifyme_w)


def _collect(error: BaseException | None = None) -> None:
    """Free the buffers of a camera that was let go. Its objects hold each other, an error's frames hold them, and a
    Pi's memory for pictures is too small to wait for the collector: four descriptors an open stayed, on real parts."""
    while error is not None:
        clear_frames(error.__traceback__)
        error = error.__cause__ or error.__context__
    gc.collect()


def _first_cause(error: BaseException) -> str:
    """picamera2 wraps what happened into "did not complete", twice."""
    while error.__cause__ is not None:
        error = error.__cause__
    return f"{type(error).__name__}: {error}" if isinstance(error, LookupError) else str(error)


def _need_root_s(name: str) -> None:
    """Return when nobody but root could have put a module where this Python finds it, or when it finds none.

    On a device build alone: whoever starts a Python of their own on a signed build would bring a picamera2 of their
    own on its path, and with it any picture.

    Raises:
        SourceUnavailable: it lies elsewhere, or was made without a file.
    """
    loaded = sys.modules.get(name)
    spec = PathFinder.find_spec(name) if loaded is None else getattr(loaded, "__spec__", None)
    if spec is None and loaded is None:
        return  # the import says what is missing
    why, place = "it has no file", Path(getattr(spec, "origin", None) or "/")
    if spec is not None and spec.origin and spec.has_location:
        place = Path(spec.origin).resolve()
        others = [part for part in (*reversed(place.parents), place) if not _is_root_s(part)]
        place, why = (others[0], "others than root may change it") if others else (place, "")
    if why:
        raise SourceUnavailable(
            f"the Python module {name} is not the system's: {why}",
            where=str(place),
            remedy="sudo apt install python3-picamera2; a device takes it from folders that belong to root alone",
        )


def _is_root_s(place: Path) -> bool:
    """Whether root alone can put something in this place; names in a folder with the sticky bit (/tmp) stay root's."""
    status = place.stat()
    mode = stat.S_IMODE(status.st_mode)
    return status.st_uid == 0 and not (mode & 0o022 and not mode & stat.S_ISVTX)


def _picamera2() -> Any:
    if is_device():
        for name in ("libcamera", "picamera2"):
            _need_root_s(name)
    try:
        return import_module("picamera2")
    except ModuleNotFoundError as error:
        raise SourceUnavailable(
            f"the Python module {error.name} is missing", where="camera.driver: picamera2", remedy=_INSTALL
        ) from None
    except Exception as error:  # libcamera's bindings of another Python version raise ImportError and worse
        remedy = _OLDER_NUMPY if "numpy" in str(error) else _INSTALL
        raise SourceUnavailable(
            f"picamera2 does not import: {error}", where="camera.driver: picamera2", remedy=remedy
        ) from error
