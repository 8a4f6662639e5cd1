"""Events of a door in sight: what its contact, a button inside and the housing's switch say. See `edge.types.events`.

door.exit -> door.locked
door.moved -> door.forced, door.held
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from edge.types.events import Event


@dataclass(frozen=True, slots=True, kw_only=True)
class ExitRequested(Event):
    """The button inside was pressed; the guard has released the lock. ``driver``: of the door."""

    kind: ClassVar[str] = "door.exit"
    driver: str


@dataclass(frozen=True, slots=True, kw_only=True)
class DoorMoved(Event):
    """The door itself was opened or closed, as its contact says. ``open``: how it stands now."""

    kind: ClassVar[str] = "door.moved"
    open: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class DoorForced(Event):
    """The door was opened while its lock held."""

    kind: ClassVar[str] = "door.forced"


@dataclass(frozen=True, slots=True, kw_only=True)
class DoorHeld(Event):
    """The door still stands open, ``after_s`` after its lock held again."""

    kind: ClassVar[str] = "door.held"
    after_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Tampered(Event):
    """The device's housing was opened or closed. ``open``: how it is now."""

    kind: ClassVar[str] = "device.tamper"
    open: bool
