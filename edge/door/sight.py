"""The door in sight: what its contact and the housing's switch say, as events.

    sight = Sight(chip, settings.door, tell=device.tell, now_ns=time.monotonic_ns)
    sight.open()
    sight.released()            # the lock is released: whoever opens the door now may
    sight.locked()

    door.moved      it was opened or closed
    door.forced     it was opened while the lock held; judged half a second late, since a request to exit is told late
    door.held       it still stands open `held_s` after the lock held again
    device.tamper   the housing was opened or closed

Lines that fail are told once, with another try after a pause, and told when they are there again. Nothing here moves
the lock.
"""

from __future__ import annotations

import contextlib
import os
import select
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from edge.door.gpio import Chip, active
from edge.door.guard import edges, is_file
from edge.door.holders import take_input
from edge.errors import DoorError, JournalBroken
from edge.types.events import Event, Faulted, Recovered
from edge.types.sight import DoorForced, DoorHeld, DoorMoved, Tampered

if TYPE_CHECKING:
    from edge.settings.model import DoorSettings, InputSettings

#: A hand that is on the door when the lock holds again.
GRACE_S = 1.0
#: The guard tells of a request to exit after it has answered it.
JUDGE_S = 0.5
_LOOK_MS = 10  # an input of a fake chip is a file, which is looked at
_AGAIN_S = 5.0

Change = Literal["open", "closed", "forced", "held"]


@dataclass(slots=True)
class Leaf:
    """The door itself, as a state machine without a clock: every method is given the time, in seconds.

    Args:
        held_s, alarm: of the settings.
    """

    held_s: float
    alarm: bool = True
    is_open: bool = False
    _free: bool = False
    _locked_at: float = float("-inf")
    _judge_at: float | None = None
    _held_at: float | None = None

    def moved(self, is_open: bool, now: float) -> Iterator[Change]:
        """The contact says so."""
        if is_open == self.is_open:
            return
        if not is_open and self._judge_at is not None:
            yield "forced"  # closed again before it was judged
        self.is_open, self._judge_at = is_open, None
        self._held_at = now + self.held_s if is_open and not self._free else None
        if is_open and self.alarm and not self._free and now > self._locked_at + GRACE_S:
            self._judge_at = now + JUDGE_S
        yield "open" if is_open else "closed"

    def released(self) -> None:
        """The lock is released, for whatever reason."""
        self._free, self._judge_at, self._held_at = True, None, None

    def locked(self, now: float) -> None:
        """The lock holds again."""
        self._free, self._locked_at = False, now
        self._held_at = now + self.held_s if self.is_open else None

    @property
    def due(self) -> float | None:
        """When `tick` has something to say."""
        return min((at for at in (self._judge_at, self._held_at) if at is not None), default=None)

    def tick(self, now: float) -> Iterator[Change]:
        """What is so by now."""
        if self._judge_at is not None and now >= self._judge_at:
            self._judge_at = None
            yield "forced"
        if self._held_at is not None and now >= self._held_at:
            self._held_at = None
            yield "held"


class Sight:
    """Watches the inputs of one door, on a thread of its own.

    Args:
        chip: where the lines are. settings: ``door``; contact and tamper of it, where they are there.
        tell: told what they say; from that thread, or from `open`. now_ns: the clock of events.
    """

    def __init__(
        self, chip: Chip, settings: DoorSettings, *, tell: Callable[[Event], None], now_ns: Callable[[], int]
    ) -> None:
        self._chip, self._tell, self._now_ns = chip, tell, now_ns
        contact = settings.contact
        self._wanted: dict[str, InputSettings] = {
            name: one for name, one in (("contact", contact), ("tamper", settings.tamper)) if one is not None
        }
        self._held_s = contact.held_s if contact is not None else 0.0
        self._leaf = Leaf(self._held_s, contact is not None and contact.forced)
        self._lines: dict[str, int] = {}
        self._tampered = False
        self._turn = threading.RLock()
        self._wake: tuple[int, int] | None = None
        self._thread: threading.Thread | None = None
        self._closing = threading.Event()

    @property
    def standing(self) -> dict[str, bool]:
        """For each input, whether it is at rest now: the door closed, the housing shut.

        Raises:
            OSError: the chip cannot say.
        """
        with self._turn:
            return {name: not active(line) for name, line in self._lines.items()}

    def open(self) -> None:
        """Take the lines, and tell what is not at rest. Harmless when repeated.

        Raises:
            DoorError: a line cannot be had.
        """
        if self._thread is not None or not self._wanted:
            return
        self._take()
        self._wake = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
        self._closing.clear()
        self._thread = threading.Thread(target=self._run, name="door-sight", daemon=True)
        self._thread.start()

    def released(self) -> None:
        """The lock is released."""
        with self._turn:
            self._leaf.released()

    def locked(self) -> None:
        """The lock holds again."""
        with self._turn:
            self._leaf.locked(time.monotonic())
        self._nudge()

    def close(self) -> None:
        """Let the lines go. Harmless when repeated."""
        thread, self._thread = self._thread, None
        if thread is None:
            return
        self._closing.set()
        self._nudge()
        if thread is not threading.current_thread():
            thread.join(timeout=1.0)
        self._drop()
        for end in self._wake or ():
            os.close(end)
        self._wake = None

    def _nudge(self) -> None:
        if self._wake is not None:
            with contextlib.suppress(OSError):  # full: it is awake
                os.write(self._wake[1], b".")

    def _take(self) -> None:
        """Raises `DoorError`; nothing is held then."""
        try:
            for name, one in self._wanted.items():
                self._lines[name] = take_input(self._chip, one.pin, active_high=one.active_high)
            for name, line in self._lines.items():
                self._say(name, active(line))
        except (DoorError, OSError) as error:
            self._drop()
            if isinstance(error, DoorError):
                raise
            text = f"an input cannot be read ({error.strerror})"
            raise DoorError(text, where=self._chip.name, remedy="look into `dmesg`") from error

    def _drop(self) -> None:
        with self._turn:
            lines, self._lines = self._lines, {}
        for line in lines.values():
            with contextlib.suppress(OSError):
                os.close(line)

    def _run(self) -> None:
        while not self._closing.is_set():
            try:
                self._watch()
            except OSError as error:
                self._fell(error)

    def _watch(self) -> None:
        """Raises OSError: a line cannot be read any more."""
        assert self._wake is not None
        poll = select.poll()
        poll.register(self._wake[0], select.POLLIN)
        files = False
        for line in self._lines.values():
            files = files or is_file(line)
            if not is_file(line):
                poll.register(line, select.POLLIN)
        while not self._closing.is_set():
            with self._turn:
                due = self._leaf.due
            waits = [] if due is None else [1000 * max(0.0, due - time.monotonic())]
            poll.poll(min([*waits, *([_LOOK_MS] if files else [])], default=None))
            with contextlib.suppress(BlockingIOError):
                os.read(self._wake[0], 64)
            for name, line in self._lines.items():
                for moved in edges(line):
                    self._say(name, moved)
            with self._turn:
                changes = list(self._leaf.tick(time.monotonic()))
            for change in changes:
                self._told(change)

    def _say(self, name: str, moved: bool) -> None:
        if name == "contact":
            with self._turn:
                changes = list(self._leaf.moved(moved, time.monotonic()))
            for change in changes:
                self._told(change)
        elif moved is not self._tampered:
            self._tampered = moved
            self._send(Tampered(at_ns=self._now_ns(), open=moved))

    def _told(self, change: Change) -> None:
        now = self._now_ns()
        match change:
            case "forced":
                self._send(DoorForced(at_ns=now))
            case "held":
                self._send(DoorHeld(at_ns=now, after_s=self._held_s))
            case _:
                self._send(DoorMoved(at_ns=now, open=change == "open"))

    def _send(self, event: Event) -> None:
        with contextlib.suppress(JournalBroken):  # the next event that must be on the disk says so again
            self._tell(event)

    def _fell(self, error: OSError) -> None:
        """Told once; then tried until the lines are there again."""
        self._drop()
        self._send(
            Faulted(
                at_ns=self._now_ns(),
                room="door",
                error=type(error).__name__,
                what=f"the door's contacts cannot be read ({error.strerror})",
                where=self._chip.name,
                remedy="look into `dmesg`; it is tried again by itself",
            )
        )
        tries = 1
        while not self._closing.wait(_AGAIN_S):
            with contextlib.suppress(DoorError):
                self._take()
                self._send(Recovered(at_ns=self._now_ns(), room="door", count=tries))
                return
            tries += 1
