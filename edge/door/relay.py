"""The relay door: a GPIO line energises a relay for one pulse, and the relay releases the lock.

Fail-secure, the default: energised means released; no current, no power, no program means locked. Wire a lock that is
locked without current (fail-secure strike) to the relay's normally open contact. Fail-safe, for a door that people must
be able to leave by without power: the lock holds only while the relay is energised (a magnet on the same contact), so
`RelayDoor` is made with the level that lets it fall. What follows is the same for both, as long as there is power.

This process asks; a guard process (`edge.door.guard`), started before the first pulse, energises, and ends every pulse
by its own clock. Both hold the same request of the kernel's line, which is made with its level, locked; so each can
lock when the other cannot, and the line is never freed in between:

    a second accept         extends the pulse, never adds to it
    close, `with`, exit     locks; the guard goes on holding the line, locked, until the next owner takes it over
    SIGKILL, a crash        the guard notices the end of its input, locks, and holds
    SIGSTOP, a hang         of this process: the guard hears nothing for a second, and locks
                            of the guard: it does not answer for a second, or the pulse is not over in time; this
                            process locks, kills it, holds the line, and serves no more until it is closed and opened
    both killed             the kernel frees the line. `edge.door.hold` (systemd's ExecStopPost) takes and locks it.
                            With dtparam=strict_gpiod a freed line falls or rises to its pull, which was set towards
                            locked; without it a Pi keeps the level (pinctrl_bcm2835.persist_gpio_outputs)
    a hanging machine       only hardware helps: a timer relay, or the Pi's watchdog
"""

from __future__ import annotations

import atexit
import threading
from collections.abc import Callable

from edge.door.asking import Asking
from edge.door.gpio import Chip, active
from edge.door.hold import note
from edge.door.holders import take_input, take_over
from edge.errors import DoorError
from edge.types import Decision, Outcome


class RelayDoor:
    """A door with a relay.

    >>> from edge.door import FakeChip
    >>> door = RelayDoor(FakeChip.make(folder), pin=17, pulse_s=3.0)
    >>> door.open()
    >>> door.released
    False
    >>> door.close()

    Args:
        chip: where the line is requested when the door opens.
        pin: number of the line; on a Pi's header the BCM number. active_high: whether a high level releases the lock.
        pulse_s: length of a release, seconds, at most 30.
        way_out: the request to exit: number of its line, and whether it is active at a high level. The guard answers
            it by itself, for as long as a release.
        locked: called, on a thread of the door, when a release has ended and the lock holds again; must not block.
        left: called, on that thread, when the guard has let somebody out.
    """

    name = "relay"

    def __init__(
        self,
        chip: Chip,
        *,
        pin: int,
        active_high: bool = True,
        pulse_s: float = 3.0,
        way_out: tuple[int, bool] | None = None,
        locked: Callable[[], None] | None = None,
        left: Callable[[], None] | None = None,
    ) -> None:
        self._chip, self._pin, self._active_high = chip, pin, active_high
        self._pulse_ms, self._locked, self._left = round(pulse_s * 1000), locked, left
        self._way_out = None if way_out is None else (*way_out, self._pulse_ms)
        self._guard: Asking | None = None
        self._turn = threading.RLock()

    @property
    def line(self) -> str:
        """Where the relay is, for people."""
        return f"relay on GPIO {self._pin} of {self._chip.name}"

    @property
    def released(self) -> bool:
        """Whether the lock is released right now, as the line itself says.

        Raises:
            OSError: the chip cannot say.
        """
        with self._turn:
            return self._guard is not None and active(self._guard.line)

    def open(self) -> None:
        """Take the line, locked, and start the guard. Harmless when repeated.

        Raises:
            DoorError: the line cannot be had, or the guard not be started.
        """
        with self._turn:
            if self._guard is None:
                line = take_over(self._chip, self._pin, active_high=self._active_high)
                self._guard = self._guarded(line)
                note(self._chip, self._pin, active_high=self._active_high, way_out=self._way_out)
                atexit.register(self.close)

    def act(self, decision: Decision) -> None:
        """Release the lock for one pulse on an accept; anything else leaves the door as it is.

        Raises:
            DoorError: the door is not open, the line cannot be driven, or the guard is gone; the door is locked.
        """
        with self._turn:
            if self._guard is None:
                raise DoorError("the door was not opened", where=self.line, remedy="call open()")
            self._guard.check()
            if decision.outcome is Outcome.ACCEPT:
                self._guard.release(self._pulse_ms)

    def close(self) -> None:
        """Lock, and leave the line to the guard, which holds it locked. Harmless when repeated; never raises."""
        with self._turn:
            guard, self._guard = self._guard, None
            if guard is not None:
                guard.leave()
        atexit.unregister(self.close)

    def _guarded(self, line: int) -> Asking:
        """A guard for a line that was taken, with the request to exit; without that one, a guard that only holds."""
        if self._way_out is None:
            return Asking(line, self._chip, self._pin, ended=self._locked)
        pressed, high, milliseconds = self._way_out
        try:
            way_out = take_input(self._chip, pressed, active_high=high)
        except DoorError:
            Asking(line, self._chip, self._pin).leave()
            raise
        return Asking(line, self._chip, self._pin, ended=self._locked, way_out=(way_out, milliseconds), left=self._left)

    def __enter__(self) -> RelayDoor:
        self.open()
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
