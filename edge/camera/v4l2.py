"""USB cameras through Video4Linux and OpenCV.

    camera: {driver: v4l2, device: /dev/v4l/by-id/usb-046d_HD_Webcam-video-index0, width: 640, height: 480, fps: 15}

Use the path under ``/dev/v4l/by-id``: it belongs to one camera, however many are plugged in and in whatever order.
``/dev/video0`` is accepted, but it names whichever camera came first, and a swapped camera is an attack that has
happened (CVE-2021-34466).

The driver asks for size, rate, pixel format and a queue of one buffer, and then checks what the camera really gives:
V4L2 silently takes the nearest size that it supports.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from edge.errors import CameraError, SourceTimeout, SourceUnavailable
from edge.settings.model import CameraSettings
from edge.types import Frame

_BY_ID = Path("/dev/v4l/by-id")
_FAILED_READS = 5


class V4L2Source:
    """One USB camera. A `Source`.

    Args:
        settings: ``device``, ``width``, ``height``, ``fps``, ``fourcc``.
        factory: makes the OpenCV capture; tests hand in a stand-in.
        clock: monotonic nanoseconds.
        by_id: where the stable device paths are.
    """

    name = "v4l2"

    def __init__(
        self,
        settings: CameraSettings,
        *,
        factory: Callable[[str, int], Any] = cv2.VideoCapture,
        clock: Callable[[], int] = time.monotonic_ns,
        by_id: Path = _BY_ID,
    ) -> None:
        self._settings, self._factory, self._clock, self._by_id = settings, factory, clock, by_id
        self._capture: Any = None
        self._sequence = 0

    def open(self) -> None:
        """Open the device and check what it delivers.

        Raises:
            SourceUnavailable: no device named, not there, busy, or it does not support the size.
        """
        device = self._settings.device
        if not device:
            raise SourceUnavailable("no device is named", where="camera.device", remedy=self._known())
        if not Path(device).exists():
            raise SourceUnavailable("there is no such device", where=device, remedy=self._known())
        capture = self._factory(device, cv2.CAP_V4L2)
        if not capture.isOpened():
            capture.release()
            raise SourceUnavailable(
                "the camera does not open",
                where=device,
                remedy="is another program using it, and is this user in the group 'video'?",
            )
        try:
            self._configure(capture)
        except SourceUnavailable:
            capture.release()
            raise
        self._capture, self._sequence = capture, 0

    def read(self, timeout_s: float) -> Frame:
        """The next frame. OpenCV's own wait for V4L2 is 10 s and ignores ``timeout_s``; `Capture` bounds it.

        Raises:
            SourceTimeout: the camera was asked several times and took its time to say no.
            CameraError: it said no at once, as an unplugged camera does; not open.
        """
        if self._capture is None:
            raise CameraError("the camera is not open", where=self._settings.device, remedy="open it first")
        began = self._clock()
        for _ in range(_FAILED_READS):
            delivered, image = self._capture.read()
            if delivered and image is not None:
                self._sequence += 1
                return Frame(np.ascontiguousarray(image), self._stamp(), self._sequence, self.name)
        kind = SourceTimeout if self._clock() - began >= timeout_s * 1e9 else CameraError
        raise kind("the camera delivers no picture", where=self._settings.device, remedy="check its cable")

    def close(self) -> None:
        """Free the device. Harmless when repeated."""
        if self._capture is not None:
            self._capture.release()
            self._capture = None

    def _configure(self, capture: Any) -> None:
        wanted = self._settings
        capture.set(cv2.CAP_PROP_FOURCC, cv2.VideoWriter.fourcc(*wanted.fourcc))
        capture.set(cv2.CAP_PROP_FRAME_WIDTH, wanted.width)
        capture.set(cv2.CAP_PROP_FRAME_HEIGHT, wanted.height)
        capture.set(cv2.CAP_PROP_FPS, wanted.fps)
        capture.set(cv2.CAP_PROP_BUFFERSIZE, 1)  # an old frame is worse than a dropped one
        got = (int(capture.get(cv2.CAP_PROP_FRAME_WIDTH)), int(capture.get(cv2.CAP_PROP_FRAME_HEIGHT)))
        if got != (wanted.width, wanted.height):
            raise SourceUnavailable(
                f"asked for {wanted.width} x {wanted.height} pixels, the camera gives {got[0]} x {got[1]}",
                where=wanted.device,
                remedy=f"set camera.width and camera.height to {got[0]} and {got[1]}, or another size that "
                "`v4l2-ctl --list-formats-ext` lists",
            )

    def _stamp(self) -> int:
        """When the driver filled the buffer (CLOCK_MONOTONIC, in CAP_PROP_POS_MSEC), if that is believable."""
        now = self._clock()
        driver = int(float(self._capture.get(cv2.CAP_PROP_POS_MSEC)) * 1e6)
        return driver if 0 <= now - driver < 1_000_000_000 else now

    def _known(self) -> str:
        """A remedy that lists the cameras plugged in."""
        paths = sorted(str(path) for path in self._by_id.glob("*-index0")) if self._by_id.is_dir() else []
        found = "set camera.device to one of: " + ", ".join(paths)
        return found if paths else f"plug in a camera; its path appears under {self._by_id}"
