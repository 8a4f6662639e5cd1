"""The self-test's checks of the door."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager

from edge.door.relay import RelayDoor
from edge.errors import DoorError, Unfit
from edge.selftest import Check
from edge.selftest.report import NOT_RUNNING
from edge.settings.model import DoorSettings
from edge.types import Door

#: What a switch that is not at rest says, and what to do.
_SAYS = {
    "contact": ("the door stands open, or the wire of its contact is cut", "close the door; if it is closed, mend it"),
    "tamper": ("the housing is open, or the wire of its switch is cut", "close the housing; if it is closed, mend it"),
}


def checks(
    settings: DoorSettings,
    open_door: Callable[[], AbstractContextManager[Door]],
    standing: Callable[[], Mapping[str, bool]],
) -> list[Check]:
    """What is checked of the door that the settings name.

    Args:
        settings: ``door``. open_door: gives the opened door, locked, or raises `DoorError`.
        standing: whether each input is at rest; raises `DoorError` or `OSError`.
    """

    def opened() -> str:
        if settings.driver == "log":
            return "log only: nothing is driven"
        with open_door() as door:
            return _locked(door) + _said(settings)

    found = [
        Check(
            "door",
            "this build may drive the door that the settings name, its driver opens, and the line reads back as locked",
            opened,
            limit="locked" if settings.driver == "relay" else "nothing is driven",
            levels=NOT_RUNNING,
        )
    ]
    if settings.contact is not None or settings.tamper is not None:
        found.append(
            Check(
                "contacts",
                "the door is closed and the housing shut, as their switches say",
                lambda: _at_rest(standing),
                limit="at rest",
                needed=False,
            )
        )
    return found


def _said(settings: DoorSettings) -> str:
    """What the settings say of a lock without power, and of a button inside."""
    kind = "; fail-secure" if settings.without_power == "locked" else "; fail-safe: released without power"
    return kind + ("" if settings.exit is None else f", a button on GPIO {settings.exit.pin} lets people out")


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


def _at_rest(standing: Callable[[], Mapping[str, bool]]) -> str:
    try:
        found = standing()
    except OSError as error:
        raise Unfit(f"a switch cannot be read ({error.strerror})", where="door", remedy="look into `dmesg`") from None
    for name, rests in found.items():
        if not rests:
            what, remedy = _SAYS[name]
            raise Unfit(what, where=f"door.{name}", remedy=remedy)
    return ", ".join(f"{name} at rest" for name in found)
