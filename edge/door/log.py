"""The log door: writes what a real door would do. The default, and the only one of an unsigned build."""

from __future__ import annotations

from collections.abc import Callable

from edge.errors import DoorError
from edge.types import Decision, Outcome


class LogDoor:
    """A door that only tells.

    >>> door = LogDoor(print)
    >>> door.open()
    door: locked (log only)

    Args:
        write: takes one line, without a newline.
    """

    name = "log"

    def __init__(self, write: Callable[[str], None]) -> None:
        self._write, self._open = write, False

    def open(self) -> None:
        """Say that the door is there. Harmless when repeated."""
        if not self._open:
            self._open = True
            self._write("door: locked (log only)")

    def act(self, decision: Decision) -> None:
        """Write a line: released on an accept, stays locked otherwise.

        Raises:
            DoorError: the door is not open.
        """
        if not self._open:
            raise DoorError("the door was not opened", where="log door", remedy="call open() first")
        change = "released" if decision.outcome is Outcome.ACCEPT else "stays locked"
        card = f", card {decision.serial}" if decision.serial else ""
        self._write(f"door: {change} ({decision.outcome.value}: {decision.reason.value}{card})")

    def close(self) -> None:
        """Say that the door is locked. Harmless when repeated."""
        if self._open:
            self._open = False
            self._write("door: locked")
