"""Frames: where they come from, how they reach a session, and whether they are fit to decide on.

    with open_stream(settings.camera) as stream:          # Capture (a thread) or Pulled (as fast as asked)
        frame = stream.next(stream.now_ns(), timeout_s=settings.camera.timeout_s)

A `Source` is a driver - picamera2, v4l2, one of the builder's own - opened once and read by one thread. A stream
(`Capture`, `Pulled`) gives a session the newest frame with a time base. `Health` watches it. Only the chosen driver is
imported. Development installs have two more, replay and fictional (`stand_in`); no wheel holds them.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import cv2
import numpy as np

from edge.camera.capture import Capture, Pulled
from edge.camera.fault_edges import FaultEdges, Told
from edge.camera.granted import Granted
from edge.camera.health import Health, Motion, changing, motion, watch
from edge.errors import SourceUnavailable
from edge.settings.model import CameraSettings
from edge.types import U8, Frame, Source

if TYPE_CHECKING:
    from edge.fictional import Scene

__all__ = [
    "Capture",
    "FaultEdges",
    "Granted",
    "Health",
    "Motion",
    "Pulled",
    "Rotated",
    "Told",
    "changing",
    "motion",
    "open_source",
    "open_stream",
    "watch",
]

_TURNS = {90: cv2.ROTATE_90_CLOCKWISE, 180: cv2.ROTATE_180, 270: cv2.ROTATE_90_COUNTERCLOCKWISE}


def open_source(
    settings: CameraSettings,
    *,
    script: Sequence[Scene] | None = None,
    seed: int = 0,
    clock: Callable[[], int] = time.monotonic_ns,
    sleep: Callable[[float], None] = time.sleep,
) -> Source:
    """Choose and make the configured source. It is not opened yet: a stream does that, in its ``with``.

    Args:
        settings: ``settings.camera``.
        script, seed: fictional only; see `FictionalSource`.
        clock: monotonic nanoseconds; sleep: waits so many seconds.

    Returns:
        A `Source`, turned as ``rotate`` says. `Source.open` raises `SourceUnavailable` when the hardware is not there.
    """
    source = _driver(settings, script, seed, clock, sleep)
    return Rotated(source, settings.rotate) if settings.rotate else source


def open_stream(
    settings: CameraSettings,
    *,
    script: Sequence[Scene] | None = None,
    seed: int = 0,
    clock: Callable[[], int] = time.monotonic_ns,
    sleep: Callable[[float], None] = time.sleep,
) -> Capture | Pulled:
    """The configured source as a stream, not yet started: enter it, or call ``start``.

    Real cameras, and files at real pace, get a thread (`Capture`); ``pace: fast`` is pulled (`Pulled`).
    """
    source = open_source(settings, script=script, seed=seed, clock=clock, sleep=sleep)
    if settings.driver in ("replay", "fictional") and settings.pace == "fast":
        return Pulled(source)
    return Capture(source, clock=clock)


def _driver(
    settings: CameraSettings,
    script: Sequence[Scene] | None,
    seed: int,
    clock: Callable[[], int],
    sleep: Callable[[float], None],
) -> Source:
    match settings.driver:
        case "picamera2":
            from edge.camera.pi import PiSource

            return PiSource(settings, clock=clock)
        case "v4l2":
            from edge.camera.v4l2 import V4L2Source

            return V4L2Source(settings, clock=clock)
        case "own":
            try:
                # a builder's own, in no source tree: see `edge.build.buildfile`
                from edge.camera.own import Camera  # type: ignore[import-untyped]
            except ModuleNotFoundError as error:
                if error.name != "edge.camera.own":
                    raise
                raise SourceUnavailable(
                    "this build has no camera driver of its builder's own",
                    where="camera.driver",
                    remedy="write picamera2 or v4l2, or name its file as camera_driver in build.yaml and build anew",
                ) from None
            driver: Source = Camera(settings)
            return driver
        case "replay" | "fictional":
            try:
                from edge.camera.stand_in import stand_in
            except ModuleNotFoundError:
                raise SourceUnavailable(
                    f"a device build has no {settings.driver}: it reads a camera, never files or generated people",
                    where="camera.driver",
                    remedy="write picamera2 or v4l2; files and generated people need a development install",
                ) from None
            return stand_in(settings, script, seed, clock, sleep)


class Rotated:
    """A source whose frames are turned clockwise: for a camera that is mounted on its side. A `Source`.

    Args:
        source: delivers the frames.
        degrees: 90, 180 or 270.
    """

    def __init__(self, source: Source, degrees: int) -> None:
        self._source, self._turn = source, _TURNS[degrees]
        self.name = source.name
        self.hardware: str = getattr(source, "hardware", "")

    @property
    def granted(self) -> Granted | None:
        """What the camera granted, as it is mounted; see `Capture.granted`."""
        return getattr(self._source, "granted", None)

    def open(self) -> None:
        """See `Source.open`."""
        self._source.open()

    def read(self, timeout_s: float) -> Frame:
        """See `Source.read`."""
        frame = self._source.read(timeout_s)
        luma = None if frame.luma is None else self._rotate(frame.luma)
        return replace(frame, image=self._rotate(frame.image), luma=luma)

    def close(self) -> None:
        """See `Source.close`."""
        self._source.close()

    def _rotate(self, picture: U8) -> U8:
        return np.ascontiguousarray(cv2.rotate(picture, self._turn), dtype=np.uint8)
