"""What stands in for a camera: files (`replay`) and generated people (`fictional`). In no device build.

A device has no way from a picture to a decision but its camera, so this file, like `edge.camera.replay`, is in no
wheel: these drivers exist in a checkout or a development install, and their door only writes a line.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from edge.camera.replay import ReplaySource
from edge.fictional import FictionalSource, Scene, one_who_stays
from edge.settings.model import CameraSettings
from edge.types import Source


def stand_in(
    settings: CameraSettings,
    script: Sequence[Scene] | None,
    seed: int,
    clock: Callable[[], int],
    sleep: Callable[[float], None],
) -> Source:
    """The source of a driver that needs no camera; the arguments are those of `edge.camera.open_source`."""
    if settings.driver == "replay":
        return ReplaySource(settings, clock=clock, sleep=sleep)
    stays = script is None and settings.person
    return FictionalSource(
        one_who_stays(stays) if stays else script,
        width=settings.width,
        height=settings.height,
        fps=settings.fps,
        seed=seed,
        loop=settings.loop or bool(stays),
        real=settings.pace == "real",
        clock=clock,
        sleep=sleep,
    )
