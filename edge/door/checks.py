"""The self-test's check of the door."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager

from edge.door.relay import RelayDoor
from edge.errors import DoorError
from edge.selftest import Check
from edge.selftest.report import NOT_RUNNING
from edge.types import Door


def checks(driver: str, open_door: Callable[[], AbstractContextManager[Door]]) -> list[Check]:
    """What is checked of the door that the settings name.

    Args:
        driver: ``door.driver``. open_door: gives the opened door, locked, or raises `DoorError`.
    """

    def opened() -> str:
        if driver == "log":
            return "log only: nothing is driven"
        with open_door() as door:
            return _locked(door)

    return [
        Check(
            "door",
            "this build may drive the door that the settings name, its driver opens, and the line reads back as locked",
            opened,
            limit="locked" if driver == "relay" else "",
            levels=NOT_RUNNING,
        )
    ]


def _locked(door: Door) -> str:
    if not isinstance(door, RelayDoor):
        return f"{door.name} opened, locked"
    try:
        released = door.released
    except OSError as error:
        raise DoorError(
            f"the line's level cannot be read back ({error.strerror})", where=door.line, remedy="look into `dmesg`"
        ) from error
    if released:
        raise DoorError(
            "the line was set to locked, and reads back as released",
            where=door.line,
            remedy="disconnect the relay's input and look again: something pulls the line, or the pin is dead",
        )
    return f"{door.line} opened; its level reads back as locked"
