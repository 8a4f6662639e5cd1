"""The self-test's check of the camera."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager

from edge.camera.health import Motion, motion, watch
from edge.errors import CameraError
from edge.selftest import Check
from edge.selftest.report import NOT_RUNNING
from edge.types import Stream


def checks(open_stream: Callable[[], AbstractContextManager[Stream]], timeout_s: float = 3.0) -> list[Check]:
    """What is checked of the configured source. ``open_stream``: gives a fresh stream, or raises."""
    return [
        Check(
            "source",
            "the camera delivers frames of the world in front of it: a still with added noise fails",
            lambda: source(open_stream, timeout_s=timeout_s),
            levels=NOT_RUNNING,  # while the device runs, each frame is judged by `Health`
        )
    ]


def source(open_stream: Callable[[], AbstractContextManager[Stream]], *, timeout_s: float = 3.0) -> str:
    """The source opens, delivers frames, and looks at the world; see `edge.camera.health.motion`.

    Args:
        timeout_s: for a frame; the settings' own.

    Raises:
        CameraError: it does not open, stops, or shows a still.
    """
    with open_stream() as stream:
        frames = watch(stream, timeout_s=timeout_s)
    seen, seconds = motion(frames), (frames[-1].monotonic_ns - frames[0].monotonic_ns) / 1e9
    if seen is Motion.STILL:
        raise CameraError(
            f"{len(frames)} frames in {seconds:.0f} s, and nothing in them really changes",
            where=frames[0].source,
            remedy="move in front of the camera while it is tested; a still picture is no camera",
        )
    told = "really changing" if seen is Motion.MOVING else "a camera's own noise, and nobody in view who moves"
    return f"{len(frames)} frames in {seconds:.0f} s, {told}"
