"""The parts of a device: those that its settings name, and what a caller puts in their place."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from edge.camera import Capture, Pulled, open_source
from edge.camera.owned import _own
from edge.profile import BuildInfo, current
from edge.settings.model import CameraSettings
from edge.state import BUDGET_S, PLAUSIBLE_S, ClockGuard, SqliteFile
from edge.trust import Keyring
from edge.types import Door, Source

#: No time before this is believed: Unix seconds of 2026-11-01, a date before which nothing here was built.
BUILD_DATE = 1_793_491_200


@dataclass(frozen=True, slots=True)
class Parts:
    """What a caller may put in the place of the configured parts: the demo, tests, integrators with other hardware.

    A device build takes a door and `acknowledged_by`; see `edge.service.own`.

    Attributes:
        source: makes the source of frames, instead of ``settings.camera``.
        door: instead of ``settings.door``.
        keyring: instead of the key files.
        build: instead of what this build says of itself (tests of device builds).
        system_clock: Unix seconds. now_ns: the clock of events, monotonic nanoseconds.
        acknowledged_by: the operator who accepts that vault and state do not fit together (`edge confirm vault`).
        fast: pull frames as fast as they come, without a capture thread.
    """

    source: Callable[[], Source] | None = None
    door: Door | None = None
    keyring: Keyring | None = None
    build: BuildInfo = field(default_factory=current)
    system_clock: Callable[[], float] = time.time
    now_ns: Callable[[], int] = time.monotonic_ns
    random_bytes: Callable[[int], bytes] = os.urandom
    acknowledged_by: str = ""
    fast: bool = False


def stream_of(camera: CameraSettings, parts: Parts) -> Capture | Pulled:
    """A fresh stream of the configured source; enter it to open the source."""
    if parts.source is not None:  # the settings' pace is not that of a camera of one's own
        return Pulled(parts.source()) if parts.fast else Capture(parts.source())
    fast = parts.fast or (camera.driver in ("replay", "fictional") and camera.pace == "fast")
    return _own(Pulled(open_source(camera)) if fast else Capture(open_source(camera)))


def clock_of(state: SqliteFile, build: BuildInfo, system_clock: Callable[[], float] = time.time) -> ClockGuard:
    """The clock of a device of this build."""
    return ClockGuard(
        state,
        system_clock=system_clock,
        build_date=max(BUILD_DATE, build.built_s),
        first_budget_s=BUDGET_S if build.built_s else PLAUSIBLE_S,
    )
