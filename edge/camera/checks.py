"""The self-test's check of the camera."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import replace

import numpy as np

from edge.camera.health import changing
from edge.errors import CameraError
from edge.selftest import Check
from edge.selftest.report import NOT_RUNNING
from edge.types import Frame, Stream

#: How long the source is watched for real change.
WATCH_S = 2.0


def checks(open_stream: Callable[[], AbstractContextManager[Stream]]) -> list[Check]:
    """What is checked of the configured source. ``open_stream``: gives a fresh stream, or raises."""
    return [
        Check(
            "source",
            "the camera delivers frames that really change: a still with added noise fails",
            lambda: source(open_stream),
            levels=NOT_RUNNING,  # while the device runs, each frame is judged by `Health`
        )
    ]


def source(open_stream: Callable[[], AbstractContextManager[Stream]], *, watch_s: float = WATCH_S) -> str:
    """The source opens and delivers frames that really change.

    Raises:
        CameraError: it does not open, stops, or shows a still.
    """
    frames: list[Frame] = []
    with open_stream() as stream:
        frame = stream.next(stream.now_ns(), 3.0)
        until = frame.monotonic_ns + int(watch_s * 1e9)
        while frame.monotonic_ns < until:
            # A quarter of the size is enough to see change in, and keeps two seconds of frames small.
            frames.append(replace(frame, image=np.ascontiguousarray(frame.image[::2, ::2])))
            frame = stream.next(frame.monotonic_ns, 3.0)
    if not changing(frames):
        raise CameraError(
            f"{len(frames)} frames in {watch_s:.0f} s, and nothing in them really changes",
            where=frames[0].source if frames else "source",
            remedy="move in front of the camera while it is tested; a still picture is no camera",
        )
    return f"{len(frames)} frames in {watch_s:.0f} s, really changing"
