"""Guards that were left behind: they hold their line, locked, until the next owner takes it over.

    line = take_over(chip, 17, active_high=True)     # requests the line; ends a left guard that stands in the way

A guard stays when its door was closed or its process has ended (`edge.door.guard`). It is found by its command line in
/proc, goes on SIGTERM, and a guard that is itself stopped is killed. Between its end and the new request the line is
free, for milliseconds: it then keeps its level, or goes to the pull towards locked that its request asked for. Only on
a board that does neither, and lacks the resistor that deploy/OPERATING.md asks for, could a relay move then.
"""

from __future__ import annotations

import contextlib
import os
import signal
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from edge.door.gpio import Busy, Chip
from edge.errors import DoorError

#: A guard goes within milliseconds; one that has not gone by then is stopped.
_GOES_S = 0.5
#: Short, since the line is free until it is requested; and no spinning, which on a busy machine takes longer still.
_RETRY_S = 0.0002


@dataclass(frozen=True, slots=True)
class Holder:
    """A guard process that has a line."""

    pid: int
    parent: int
    #: The process that asked it, when it was started.
    asking: int
    stopped: bool

    @property
    def left(self) -> bool:
        """Whether the process that asked it is gone."""
        return self.parent != self.asking


def named(chip: Chip, pin: int) -> str:
    """What a guard's command line calls its line."""
    return f"GPIO {pin} of {chip.name}"


def holders(chip: Chip, pin: int) -> Iterator[Holder]:
    """The guards of a line, as far as this user may see processes."""
    for folder in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError, ValueError, IndexError):
            words = (folder / "cmdline").read_bytes().decode().split("\0")
            if not (words[3].endswith("edge/door/guard.py") and words[5] == named(chip, pin)):
                continue
            # the fields after the name in parentheses: state, parent (proc_pid_stat(5))
            state, parent = (folder / "stat").read_text().rpartition(")")[2].split()[:2]
            yield Holder(int(folder.name), int(parent), int(words[6]), state in "Tt")


def take_over(chip: Chip, pin: int, *, active_high: bool) -> int:
    """Request a line, if need be from a guard that was left with it.

    Raises:
        DoorError: no such line, no permission, or another process drives it.
    """
    try:
        return chip.request(pin, active_high=active_high)
    except Busy as error:
        busy = error
    asked: dict[int, Holder] = {}
    for number in (signal.SIGTERM, signal.SIGKILL):
        asked.clear()
        until = time.monotonic() + _GOES_S
        while time.monotonic() < until:
            for holder in holders(chip, pin):  # each time: one that has just been started has its name a moment later
                if holder.pid not in asked:
                    asked[holder.pid] = holder
                    _end(holder, number if holder.left else signal.SIGTERM)  # which a guard at work ignores
            with contextlib.suppress(Busy):
                return chip.request(pin, active_high=active_high)
            time.sleep(_RETRY_S)
        if not asked:
            raise busy
    asking = next(iter(asked.values())).asking
    remedy = f"stop that process first, or end it: kill {asking}"
    raise DoorError(f"the door is driven by process {asking}", where=busy.where, remedy=remedy) from busy


def take_input(chip: Chip, pin: int, *, active_high: bool) -> int:
    """Request an input that a guard may have had until a moment ago.

    Raises:
        DoorError: as `take_over`.
    """
    until = time.monotonic() + _GOES_S
    while True:
        try:
            return chip.input(pin, active_high=active_high)
        except Busy:
            if time.monotonic() > until:
                raise
            time.sleep(_RETRY_S)


def dismiss(chip: Chip, pin: int) -> None:
    """Let guards that were left go, and their line with them. A guard at work ignores it.

    Raises:
        DoorError: the guard is another user's.
    """
    for found in holders(chip, pin):
        _end(found, signal.SIGTERM)


def _end(found: Holder, number: signal.Signals) -> None:
    try:
        os.kill(found.pid, number)
    except ProcessLookupError:
        pass
    except PermissionError as error:
        raise DoorError(
            f"the line is held by a guard of another user, process {found.pid}",
            where=f"process {found.pid}",
            remedy=f"sudo kill {found.pid}",
        ) from error
