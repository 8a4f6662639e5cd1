"""Events as lines of text: JSON for machines, words for a terminal.

    device.observe(JsonLines(1), name="json")
    device.observe(Terminal(1, 2), name="terminal")

A reader may stall, or die. `Lines` therefore never blocks in a write: it waits until the descriptor takes PIPE_BUF
bytes, which POSIX then accepts at once, and gives up after a while. Whoever calls it decides what that means.
"""

from __future__ import annotations

import json
import os
import select
import time
from datetime import UTC, datetime

from edge.messages import text, waiting
from edge.types import Decision, Outcome, acts
from edge.types import events as ev
from edge.types.events import Event

#: POSIX: a write of at most PIPE_BUF bytes to a descriptor that poll calls writable does not block (pipe(7)).
_CHUNK = select.PIPE_BUF
#: A reader that takes nothing for so long has stalled.
STALL_S = 5.0


class Lines:
    """Writes whole lines to a descriptor without ever waiting longer than told.

    Args:
        descriptor: of a pipe, terminal or file; it stays open.
        stall_s: how long a write may wait for its reader.
    """

    def __init__(self, descriptor: int, *, stall_s: float = STALL_S) -> None:
        self._fd, self._stall_s = descriptor, stall_s

    def write(self, line: str) -> None:
        """Write one line; what its reader cannot decode is written as UTF-8 all the same.

        Raises:
            TimeoutError: the reader took nothing for ``stall_s``; a part of the line may have been written.
            OSError: the reader is gone, or the file cannot be written.
        """
        data = memoryview((line + "\n").encode("utf-8", "backslashreplace"))
        poll = select.poll()
        poll.register(self._fd, select.POLLOUT)
        until = time.monotonic() + self._stall_s
        while data:
            ready = poll.poll(max(0.0, until - time.monotonic()) * 1e3)
            if not ready:
                raise TimeoutError("the reader of these lines has stalled")
            data = data[os.write(self._fd, data[:_CHUNK]) :]
            until = time.monotonic() + self._stall_s


class JsonLines:
    """One JSON object an event, as `Event.as_json`, with the time of day beside the monotonic one."""

    def __init__(self, descriptor: int, *, stall_s: float = STALL_S) -> None:
        self._lines = Lines(descriptor, stall_s=stall_s)

    def __call__(self, event: Event) -> None:
        now = datetime.now(UTC).isoformat(timespec="milliseconds")
        self._lines.write(json.dumps({**event.as_json(), "time": now}, ensure_ascii=True))


class Terminal:
    """Events in words, a line each, for a device started by hand.

    Args:
        out: descriptor for decisions and states. err: for faults. language: of the decisions.
    """

    def __init__(self, out: int, err: int, *, stall_s: float = STALL_S, language: str = "en") -> None:
        self._language = language
        self._out, self._err = Lines(out, stall_s=stall_s), Lines(err, stall_s=stall_s)

    def __call__(self, event: Event) -> None:
        match event:
            case ev.Starting(log_only=why, profile="device") if why:
                self._out.write(f"notice: this build drives the log door only: {why}")
            case ev.Ready():
                self._out.write("ready")
            case ev.ClaimUnderPin():
                self._out.write("a PIN in the place of a card: weaker than any card")
            case ev.PinWanted():
                self._out.write(text("kiosk.pin.title", self._language))
            case (
                ev.ClaimRefused(decision=decision, alternative=other)
                | ev.AlternativeChosen(decision=decision, alternative=other)
                | ev.Decided(decision=decision, alternative=other)
            ):
                self._out.write(sentence(decision, other, self._language))
            case acts.GuardTripped(cards=cards, wait_s=wait_s):
                self._out.write(f"guard: paused, {waiting(wait_s)}: {cards} different cards failed at this door lately")
            case ev.Faulted() | ev.DoorFault():
                where = f"{event.where}: " if event.where else ""
                remedy = f" ({event.remedy})" if event.remedy else ""
                self._err.write(f"fault: {where}{event.what}{remedy}")
            case ev.Recovered():
                self._out.write("recovered")
            case ev.Stopped():
                self._out.write("stopped")


def sentence(decision: Decision, alternative: str = "", language: str = "en") -> str:
    """``ACCEPT: the face matches the card``; else also what to do, how long to wait, and the other way in."""
    said = f"{text(f'decision.{decision.outcome}', language)}: {text(f'reason.{decision.reason}', language)}"
    if decision.outcome is Outcome.ACCEPT:
        return said
    if decision.advice:
        said += " (" + ", ".join(text(f"advice.{item}", language) for item in decision.advice) + ")"
    other = text("other_way", language, alternative=alternative) if alternative else ""
    more = [waiting(decision.wait_s, language), other]
    return ". ".join([said, *(part[0].upper() + part[1:] for part in more if part)])
