"""Frames from files: a video, or a folder of pictures in the order of their names and numbers.

    camera: {driver: replay, path: visit.avi, pace: fast, loop: true}

A replay may drive only the log door (the settings refuse anything else). Every frame has the configured size: a
picture of another size is letterboxed to it, scaled without distortion and centred on black. Pictures go through
`read_image`, so a phone's EXIF orientation is honoured.

- pace ``real``: each frame comes when it is due; who is late gets the frame that is due now, as with a camera.
- pace ``fast``: each frame comes at once, stamped as if it had been on time, starting at ``start_ns``."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path

import cv2
import numpy as np

from edge.errors import CameraError, InputError, SourceEnded, SourceUnavailable
from edge.fictional.pace import Pace
from edge.pictures import pictures_in, read_image
from edge.settings.model import CameraSettings
from edge.types import U8, Frame


class ReplaySource:
    """A video file or a folder of pictures. A `Source`.

    Args:
        settings: ``path``, ``pace``, ``loop``, ``width``, ``height``; ``fps`` where the files have none.
        clock: monotonic nanoseconds.
        sleep: waits so many seconds.
        start_ns: the stream's time before the first frame, pace ``fast`` only.
    """

    name = "replay"

    def __init__(
        self,
        settings: CameraSettings,
        *,
        clock: Callable[[], int] = time.monotonic_ns,
        sleep: Callable[[float], None] = time.sleep,
        start_ns: int = 0,
    ) -> None:
        self._settings, self._clock, self._sleep, self._start_ns = settings, clock, sleep, start_ns
        self._pictures: Iterator[tuple[U8, str]] | None = None
        self._pace: Pace | None = None
        self._position = 0

    def open(self) -> None:
        """Look at the path and get ready.

        Raises:
            SourceUnavailable: nothing there, an empty folder, or a video that OpenCV cannot read.
        """
        path = self._settings.path
        if path is None:
            raise SourceUnavailable("no path is given", where="camera.path", remedy="name a video or a folder")
        if path.is_dir():
            rate, self._pictures = self._settings.fps, _forever(lambda: _folder(path), self._settings.loop)
        elif path.is_file():
            rate = _video_rate(path) or self._settings.fps
            self._pictures = _forever(lambda: _video(path), self._settings.loop)
        else:
            raise SourceUnavailable("there is no such file or folder", where=str(path), remedy="check camera.path")
        if path.is_dir() and not pictures_in(path):
            raise SourceUnavailable("there is no picture in this folder", where=str(path), remedy="check camera.path")
        real = self._settings.pace == "real"
        self._pace = Pace(rate, real=real, clock=self._clock, sleep=self._sleep, start_ns=self._start_ns)
        self._position = 0

    def read(self, timeout_s: float) -> Frame:
        """The next frame.

        Raises:
            SourceTimeout: pace ``real``: none is due within ``timeout_s``.
            SourceEnded: the files are over.
            CameraError: a picture of the folder cannot be read; not open.
        """
        if self._pictures is None or self._pace is None:
            raise CameraError("the replay is not open", where=self.name, remedy="open it first")
        index, stamp = self._pace.next(timeout_s, self.name)
        image, name = self._take(index)
        fitted = letterbox(image, self._settings.width, self._settings.height)
        return Frame(fitted, stamp, index + 1, self.name, meta={"file": name})

    def close(self) -> None:
        """Forget the files. Harmless when repeated."""
        self._pictures = self._pace = None

    def _take(self, index: int) -> tuple[U8, str]:
        assert self._pictures is not None
        try:
            while True:
                image, name = next(self._pictures)
                self._position += 1
                if self._position > index:
                    return image, name
        except StopIteration:
            raise SourceEnded(
                "no more frames", where=str(self._settings.path), remedy="set camera.loop: true"
            ) from None
        except InputError as error:
            raise CameraError(error.what, where=error.where, remedy="take it out of the folder") from error


def letterbox(image: U8, width: int, height: int) -> U8:
    """Scale without distortion and centre on black.

    Args:
        image: BGR uint8 (h, w, 3).
        width, height: pixels of the result.

    Returns:
        BGR uint8 (height, width, 3); the very same array when it has that size already.
    """
    rows, columns = image.shape[:2]
    if (columns, rows) == (width, height):
        return image
    scale = min(width / columns, height / rows)
    size = (max(1, round(columns * scale)), max(1, round(rows * scale)))
    way = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
    canvas = np.zeros((height, width, 3), np.uint8)
    left, top = (width - size[0]) // 2, (height - size[1]) // 2
    canvas[top : top + size[1], left : left + size[0]] = cv2.resize(image, size, interpolation=way)
    return canvas


def _forever(once: Callable[[], Iterator[tuple[U8, str]]], loop: bool) -> Iterator[tuple[U8, str]]:
    while True:
        yield from once()
        if not loop:
            return


def _folder(folder: Path) -> Iterator[tuple[U8, str]]:
    for path in pictures_in(folder):
        yield read_image(path), path.name


def _video_rate(path: Path) -> float | None:
    """Frames per second that a video says of itself; None when it is silent. Raises `SourceUnavailable`."""
    capture = cv2.VideoCapture(str(path))
    try:
        if not capture.isOpened() or not capture.grab():
            raise SourceUnavailable("this is not a video that can be read", where=str(path), remedy="check camera.path")
        rate = float(capture.get(cv2.CAP_PROP_FPS))
    finally:
        capture.release()
    return rate if 0.5 <= rate <= 240 else None


def _video(path: Path) -> Iterator[tuple[U8, str]]:
    capture = cv2.VideoCapture(str(path))
    try:
        while True:
            delivered, image = capture.read()
            if not delivered or image is None:
                return
            yield np.ascontiguousarray(image, dtype=np.uint8), path.name
    finally:
        capture.release()
