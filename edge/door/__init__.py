"""What a decision does: a line in a log, or a lock released for a moment.

    door = open_door(settings.door, allow_hardware=build.is_device and build.signed)
    door.open()                 # takes the hardware; locked
    door.act(decision)          # an accept releases the lock for one pulse; anything else leaves it locked
    door.close()                # locked, whatever happened before

Fail-secure unless the settings say otherwise: the lock is released only while the relay is energised, and everything
that can go wrong de-energises it.
A guard process owns the end of every release, answers a request to exit by itself, and holds the line when nobody
drives it any more (`edge.door.relay`). `Sight` watches the door's contact and the housing's switch.
Names are loaded on first use (PEP 562).
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from edge.door.choose import open_door
    from edge.door.fake import FakeChip
    from edge.door.log import LogDoor
    from edge.door.relay import RelayDoor
    from edge.door.sight import Sight

__all__ = ["FakeChip", "LogDoor", "RelayDoor", "Sight", "open_door"]

_HOMES = {
    "FakeChip": "edge.door.fake",
    "LogDoor": "edge.door.log",
    "RelayDoor": "edge.door.relay",
    "Sight": "edge.door.sight",
    "open_door": "edge.door.choose",
}


def __getattr__(name: str) -> Any:
    if name in _HOMES:
        return getattr(import_module(_HOMES[name]), name)
    raise AttributeError(f"module 'edge.door' has no attribute {name!r}")
