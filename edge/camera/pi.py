"""The Raspberry Pi's own camera through picamera2 and libcamera.

    camera: {driver: picamera2, width: 640, height: 480, fps: 15}

Two streams of one exposure: *main* in BGR for the face, *lores* in YUV420, whose Y plane is the luma that the code
reader and the difference test want; it costs the processor nothing, the ISP makes it. picamera2 is imported only
here, only when this driver is chosen: it comes from apt together with libcamera, so a virtual environment must see
the system's packages.

A request owns camera buffers for as long as it is held; there are four of them. So: take, copy, release, in one
place.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from concurrent.futures import TimeoutError as FutureTimeout
from importlib import import_module
from typing import Any

import numpy as np

from edge.errors import CameraError, SourceTimeout, SourceUnavailable
from edge.settings.model import CameraSettings
from edge.types import Frame

_INSTALL = (
    "sudo apt install python3-picamera2, and make the virtual environment with --system-site-packages "
    "(python3 -m venv --system-site-packages .venv)"
)
# What of libcamera's metadata travels with a frame; none of it decides anything.
_META = ("ExposureTime", "AnalogueGain", "DigitalGain", "Lux", "ColourTemperature")


class PiSource:
    """The Pi's camera. A `Source`.

    Args:
        settings: ``device`` (the camera's number, empty for the first), ``width``, ``height``, ``fps``.
        clock: monotonic nanoseconds.
    """

    name = "picamera2"

    def __init__(self, settings: CameraSettings, *, clock: Callable[[], int] = time.monotonic_ns) -> None:
        self._settings, self._clock = settings, clock
        self._camera: Any = None
        self._job: Any = None
        self._sequence = 0

    def open(self) -> None:
        """Configure and start the camera.

        Raises:
            SourceUnavailable: picamera2 or libcamera missing, no camera, busy, or the size is not possible.
        """
        module = _picamera2()
        camera: Any = None
        try:
            camera = module.Picamera2(int(self._settings.device or 0))
            camera.configure(self._configuration(camera))
            self._check_size(camera)
            camera.start()
        except Exception as error:  # picamera2 raises RuntimeError, IndexError, ValueError, whatever libcamera says
            if camera is not None:
                camera.close()
            if isinstance(error, SourceUnavailable):
                raise
            raise SourceUnavailable(
                f"the camera does not start: {error}",
                where=f"camera {self._settings.device or 0}",
                remedy="check its ribbon cable: `rpicam-hello --list-cameras` lists it; end other programs",
            ) from error
        self._camera, self._sequence = camera, 0

    def read(self, timeout_s: float) -> Frame:
        """The next completed request as a frame; its buffers go back before this returns.

        Raises:
            SourceTimeout: the camera completed none in time.
            CameraError: not open.
        """
        if self._camera is None:
            raise CameraError("the camera is not open", where=self.name, remedy="open it first")
        try:
            # A job that was not done in time is kept and waited for again: an abandoned one would take the next
            # request, and nobody would ever give its buffers back.
            self._job = self._job or self._camera.capture_request(wait=False)
            request = self._camera.wait(self._job, timeout=timeout_s)
            self._job = None
        except (TimeoutError, FutureTimeout):
            raise SourceTimeout(
                f"the camera delivered nothing for {timeout_s:g} s", where=self.name, remedy="check its ribbon cable"
            ) from None
        try:
            image, planes = request.make_array("main"), request.make_array("lores")
            meta = request.get_metadata()
        finally:
            request.release()
        self._sequence += 1
        return Frame(
            image=np.ascontiguousarray(image[..., :3]),
            monotonic_ns=self._stamp(meta),
            sequence=self._sequence,
            source=self.name,
            # YUV420 in one array: the Y plane is the first two thirds of the rows, padded to the stride on the right.
            luma=np.ascontiguousarray(planes[: self._settings.height, : self._settings.width]),
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
                camera.close()

    def _configuration(self, camera: Any) -> Any:
        size = (self._settings.width, self._settings.height)
        duration = round(1e6 / self._settings.fps)
        controls: dict[str, Any] = {"FrameDurationLimits": (duration, duration)}
        if "AfMode" in getattr(camera, "camera_controls", {}):
            # AfModeContinuous: a face at 60 cm and a card at 15 cm, one after the other.
            controls["AfMode"] = 2
        return camera.create_video_configuration(
            main={"size": size, "format": "RGB888"},  # libcamera names it by bit order: in memory it is B, G, R
            lores={"size": size, "format": "YUV420"},
            controls=controls,
            buffer_count=4,
            queue=False,  # a request completed before it was asked for is an old frame
        )

    def _check_size(self, camera: Any) -> None:
        wanted, got = (
            (self._settings.width, self._settings.height),
            tuple(camera.camera_configuration()["main"]["size"]),
        )
        if got != wanted:
            raise SourceUnavailable(
                f"asked for {wanted[0]} x {wanted[1]} pixels, the camera gives {got[0]} x {got[1]}",
                where=f"camera {self._settings.device or 0}",
                remedy=f"set camera.width and camera.height to {got[0]} and {got[1]}",
            )

    def _stamp(self, meta: Mapping[str, Any]) -> int:
        """Start of the exposure, if believable: picamera2 itself compares SensorTimestamp with time.monotonic_ns."""
        now, sensor = self._clock(), int(meta.get("SensorTimestamp", -1))
        return sensor if 0 <= now - sensor < 1_000_000_000 else now


def _picamera2() -> Any:
    try:
        return import_module("picamera2")
    except ModuleNotFoundError as error:
        raise SourceUnavailable(
            f"the Python module {error.name} is missing", where="camera.driver: picamera2", remedy=_INSTALL
        ) from None
    except Exception as error:  # libcamera's bindings of another Python version raise ImportError and worse
        raise SourceUnavailable(
            f"picamera2 does not import: {error}", where="camera.driver: picamera2", remedy=_INSTALL
        ) from error
