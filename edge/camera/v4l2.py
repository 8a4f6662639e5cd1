"""USB cameras through Video4Linux.

    camera: {driver: v4l2, device: /dev/v4l/by-id/usb-046d_HD_Webcam-video-index0, width: 640, height: 480, fps: 15}

Use the path under ``/dev/v4l/by-id``: it belongs to one camera, however many are plugged in and in whatever order (two
of one kind without a serial number are told apart by their sockets, ``/dev/v4l/by-path``). ``/dev/video0`` is accepted
and told: it names whichever camera came first, and a swapped camera is an attack that has happened (CVE-2021-34466).

The driver asks for size, rate and pixel format, and then checks what the camera really gives: V4L2 silently takes the
nearest that it has. A picture that arrives damaged is no picture; it is passed over and counted.
"""

from __future__ import annotations

import errno
import re
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

from edge.camera.granted import DriverClock, Granted, rate_notes
from edge.camera.pixels import LAYOUTS, to_bgr
from edge.camera.v4l2_node import NodeFacts, PixelFormat, Taken, VideoNode
from edge.errors import CameraError, InputError, SourceTimeout, SourceUnavailable
from edge.pictures import decode_image
from edge.settings.model import CameraSettings
from edge.types import U8, Frame

_LINKS = (Path("/dev/v4l/by-id"), Path("/dev/v4l/by-path"))
_SYSFS = Path("/sys/class/video4linux")
_JPEGS = frozenset({"MJPG", "JPEG"})
#: Drivers of devices that show whatever a program writes into them.
_VIRTUAL = ("v4l2 loopback", "vivid", "vimc")
_CABLE = "check its cable and its socket"
_FAILED = {
    errno.EACCES: "this user may not use the camera: sudo usermod -aG video $(id -un), then log in again",
    errno.EBUSY: "another program uses the camera: end it (package psmisc: `sudo fuser -v DEVICE`)",
    errno.ENOSPC: "too little USB bandwidth: give the camera a socket of its own, or ask for MJPG or a lower rate",
    errno.ENOMEM: "too little memory for pictures: ask for a smaller camera.width",
}


class V4L2Source:
    """One USB camera. A `Source`.

    Args:
        settings: ``device``, ``width``, ``height``, ``fps``, ``fourcc``.
        factory: opens the device; tests hand in a stand-in.
        clock: monotonic nanoseconds.
        links: folders of the stable device paths; sysfs: what the kernel tells about video devices.

    Attributes:
        granted: what the camera granted, once it is open.
    """

    name = "v4l2"

    def __init__(
        self,
        settings: CameraSettings,
        *,
        factory: Callable[[str], VideoNode] = VideoNode,
        clock: Callable[[], int] = time.monotonic_ns,
        links: tuple[Path, ...] = _LINKS,
        sysfs: Path = _SYSFS,
    ) -> None:
        self._settings, self._factory, self._clock = settings, factory, clock
        self._links, self._sysfs = links, sysfs
        self.hardware = str(Path(settings.device).resolve())
        self.granted: Granted | None = None
        self._node: VideoNode | None = None
        self._format = PixelFormat("", 0, 0, 0)
        self._sequence = self._damaged = 0
        self._stamps = DriverClock()

    def open(self) -> None:
        """Open the device, agree on size, format and rate, and start.

        Raises:
            SourceUnavailable: no device named, not there, no camera, busy, or it has neither the size nor a format.
        """
        device = self._settings.device
        if not device:
            raise SourceUnavailable("no device is named", where="camera.device", remedy=self._known())
        node: VideoNode | None = None
        try:
            node = self._factory(device)
            self.granted = self._agree(node)
            node.start()
        except (OSError, SourceUnavailable) as error:
            if node is not None:
                node.close()
            if isinstance(error, SourceUnavailable):
                raise
            raise self._refused(error) from error
        self._node, self._sequence, self._damaged, self._stamps = node, 0, 0, DriverClock()

    def read(self, timeout_s: float) -> Frame:
        """The newest picture, as soon as there is a whole one.

        Raises:
            SourceTimeout: none came in time, or damaged ones only.
            CameraError: the camera is gone; not open.
        """
        if self._node is None or self.granted is None:
            raise CameraError("the camera is not open", where=self._settings.device, remedy="open it first")
        until, before = self._clock() + int(timeout_s * 1e9), self._damaged
        try:
            while self._node.wait((until - self._clock()) / 1e9):
                frame = self._frame(self._newest(self._node))
                if frame is not None:
                    return frame
                if self._clock() >= until:
                    break
        except OSError as error:
            text = "the camera is gone" if error.errno == errno.ENODEV else f"the camera fails: {error.strerror}"
            raise CameraError(text, where=self.granted.identity, remedy=_CABLE) from error
        if self._damaged > before:
            raise SourceTimeout(
                f"{self._damaged} damaged pictures and no whole one",
                where=self.granted.identity,
                remedy="try another cable, without extension or hub, or a lower rate",
            )
        self._damaged = 0  # what came before a silence is not why nothing comes now
        raise SourceTimeout("the camera is silent", where=self.granted.identity, remedy=_CABLE)

    def close(self) -> None:
        """Free the device. Harmless when repeated."""
        node, self._node = self._node, None
        if node is not None:
            node.close()

    def _agree(self, node: VideoNode) -> Granted:
        """What the camera is and will deliver, or why that cannot be used."""
        wanted, device = self._settings, self._settings.device
        facts = node.asked()
        if not facts.pictures:
            what = "the metadata of a camera" if facts.metadata else f"{facts.card or 'something'} ({facts.driver})"
            raise SourceUnavailable(f"this device is {what} and has no pictures", where=device, remedy=self._known())
        given = node.set_format(wanted.fourcc, wanted.width, wanted.height)
        if given.fourcc not in LAYOUTS | _JPEGS:
            offered = ", ".join(node.formats())
            raise SourceUnavailable(
                f"asked for {wanted.fourcc}, the camera gives {given.fourcc}, which is not read here; it has {offered}",
                where=device,
                remedy=f"set camera.fourcc to one of: {', '.join(sorted(LAYOUTS | _JPEGS))}",
            )
        if (given.width, given.height) != (wanted.width, wanted.height):
            raise SourceUnavailable(
                f"asked for {wanted.width} x {wanted.height} pixels, the camera gives {given.width} x {given.height}",
                where=device,
                remedy=f"set camera.width and camera.height to {given.width} and {given.height}, or another size that "
                f"`v4l2-ctl -d {device} --list-formats-ext` lists",
            )
        fps = node.set_rate(wanted.fps)
        self._format = given
        notes = [*rate_notes(wanted.fps, fps), *self._warnings(facts)]
        if given.fourcc != wanted.fourcc:
            notes.insert(0, f"asked for {wanted.fourcc}, the camera gives {given.fourcc}")
        return Granted(self._identity(facts), given.fourcc, (given.width, given.height), fps, tuple(notes))

    def _newest(self, node: VideoNode) -> Taken | None:
        """Of the waiting buffers the last whole one: an old frame is worse than a dropped one."""
        newest: Taken | None = None
        while (taken := node.take()) is not None:
            if taken.damaged:
                self._damaged += 1
            else:
                newest = taken
        return newest

    def _frame(self, taken: Taken | None) -> Frame | None:
        if taken is None:
            return None
        try:
            image, luma = self._decode(taken.data)
        except (InputError, CameraError):  # a torn JPEG, a buffer that ends early
            self._damaged += 1
            return None
        self._damaged = 0
        self._sequence += 1
        return Frame(image, self._stamps.taken_ns(taken.stamp_ns, self._clock()), self._sequence, self.name, luma=luma)

    def _decode(self, data: bytes) -> tuple[U8, U8 | None]:
        """Raises `InputError` or `CameraError` for a damaged picture; one of another size counts as such."""
        given = self._format
        if given.fourcc not in _JPEGS:
            buffer = np.frombuffer(data, np.uint8)
            return to_bgr(given.fourcc, buffer, width=given.width, height=given.height, stride=given.stride)
        image = decode_image(data, where=self._settings.device)
        if image.shape[:2] != (given.height, given.width):
            raise CameraError("a picture of another size", where=self._settings.device)
        return image, None

    def _identity(self, facts: NodeFacts) -> str:
        """Name, socket, and for a USB camera maker, product and serial number."""
        usb = self._sysfs / Path(self.hardware).name / "device" / ".."
        texts = [_line(usb / name) for name in ("idVendor", "idProduct", "serial")]
        number = ":".join(text for text in texts if text)
        return f"{facts.card} ({facts.bus}{', ' + number if number else ''})"

    def _warnings(self, facts: NodeFacts) -> list[str]:
        notes = []
        if facts.driver in _VIRTUAL:
            notes.append(f"a virtual camera ({facts.driver}): it shows what a program writes into it")
        if re.fullmatch(r"/dev/video\d+", self._settings.device):
            stable = self._stable(self.hardware)
            pin = f"set camera.device to {stable[0]}" if stable else "give it a name of its own with a udev rule"
            notes.append(f"{self._settings.device} names whichever camera comes first: {pin}")
        return notes

    def _refused(self, error: OSError) -> SourceUnavailable:
        device = self._settings.device
        if error.errno in (errno.ENOENT, errno.ENODEV, errno.ENXIO):
            return SourceUnavailable("there is no such device", where=device, remedy=self._known())
        if error.errno in (errno.ENOTTY, errno.EINVAL, errno.EISDIR, errno.ENOTDIR):
            return SourceUnavailable("this is no camera", where=device, remedy=self._known())
        remedy = _FAILED.get(error.errno or 0, _CABLE).replace("DEVICE", device)
        return SourceUnavailable(f"the camera does not start: {error.strerror}", where=device, remedy=remedy)

    def _stable(self, node: str = "") -> list[str]:
        """The stable paths of all cameras' pictures, or of one node; those with a serial number first."""
        found = []
        for folder in self._links:
            paths = sorted(folder.glob("*-index0")) if folder.is_dir() else []
            found += [str(path) for path in paths if not node or str(path.resolve()) == node]
        return found

    def _known(self) -> str:
        """A remedy that lists the cameras plugged in."""
        paths = self._stable()
        found = "set camera.device to one of: " + ", ".join(paths)
        return found if paths else f"plug in a camera; its path appears under {self._links[0]}"


def _line(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8", errors="replace").strip()
    except OSError:
        return ""
