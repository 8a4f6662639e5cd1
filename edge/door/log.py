"""The log door: writes what a real door would do. The default, and the only one of an unsigned build."""

from __future__ import annotations

import contextlib
import os
import threading
from collections import deque
from collections.abc import Callable

from edge.errors import DoorError
from edge.types import Decision, Outcome

#: Lines that wait for somebody who has stopped reading them; what comes after these is left out, and counted.
_WAITING = 100
#: How long `close` waits for them.
_CLOSE_S = 0.5


def to(descriptor: int) -> Callable[[str], None]:
    """Lines go straight to a descriptor: a buffer of Python's whose reader has stopped would hold up the program's end.

    >>> LogDoor(to(2)).open()
    """

    def write(line: str) -> None:
        os.write(descriptor, f"{line}\n".encode())

    return write


class LogDoor:
    """A door that only tells, on a thread of its own, so that nobody waits for whoever reads the lines.

    >>> door = LogDoor(print)
    >>> door.open()
    >>> door.close()
    door: locked (log only)
    door: locked

    Args:
        write: takes one line, without a newline.
        pulse_s: how long a release lasts.
        locked: called, on a thread of the door, when a release is over; must not block.
    """

    name = "log"

    def __init__(
        self, write: Callable[[str], None], *, pulse_s: float = 3.0, locked: Callable[[], None] | None = None
    ) -> None:
        self._write, self._pulse_s, self._locked = write, pulse_s, locked
        self._change = threading.Condition()
        self._lines: deque[str] = deque()
        self._left_out = 0
        self._open = False
        self._writer: threading.Thread | None = None
        self._pulse: threading.Timer | None = None

    def open(self) -> None:
        """Say that the door is there. Harmless when repeated."""
        with self._change:
            if self._open:
                return
            self._open = True
            if self._writer is None or not self._writer.is_alive():
                self._writer = threading.Thread(target=self._run, name="door", daemon=True)
                self._writer.start()
            self._put("door: locked (log only)")

    def act(self, decision: Decision) -> None:
        """Write a line: released on an accept, stays locked otherwise.

        Raises:
            DoorError: the door is not open.
        """
        with self._change:
            if not self._open:
                raise DoorError("the door was not opened", where="log door", remedy="call open() first")
            released = decision.outcome is Outcome.ACCEPT
            # no serial: whoever keeps these lines would keep who came when for longer than the journal does
            change = "released" if released else "stays locked"
            self._put(f"door: {change} ({decision.outcome.value}: {decision.reason.value})")
            if released:
                if self._pulse is not None:
                    self._pulse.cancel()
                self._pulse = threading.Timer(self._pulse_s, self._over)
                self._pulse.daemon = True
                self._pulse.start()

    def close(self) -> None:
        """Say that the door is locked. Harmless when repeated; waits half a second for the lines at most."""
        with self._change:
            if not self._open:
                return
            self._open = False
            writer, released = self._writer, self._lock()
            if not released:
                self._put("door: locked")
        self._tell(released)
        if writer is not None:
            writer.join(_CLOSE_S)

    def _over(self) -> None:
        with self._change:
            released = self._lock()
        self._tell(released)

    def _lock(self) -> bool:
        """End the release; whether there was one."""
        pulse, self._pulse = self._pulse, None
        if pulse is not None:
            pulse.cancel()
            self._put("door: locked")
        return pulse is not None

    def _tell(self, released: bool) -> None:
        if released and self._locked is not None:
            self._locked()

    def _put(self, line: str) -> None:
        if len(self._lines) < _WAITING:
            self._lines.append(line)
        else:
            self._left_out += 1
        self._change.notify_all()

    def _run(self) -> None:
        """Write what waits, until the door is closed and nothing waits any more."""
        while True:
            with self._change:
                self._change.wait_for(lambda: bool(self._lines) or not self._open)
                if not self._lines:
                    return
                lines, left_out = list(self._lines), self._left_out
                self._lines.clear()
                self._left_out = 0
            with contextlib.suppress(OSError, ValueError):  # nobody reads at all: a closed stream
                for line in lines:
                    self._write(line)
                if left_out:
                    self._write(f"door: {left_out} lines are left out, since nobody read them")
