"""The fan-out guard: many different cards that fail at one door in a short time are a search, and it is stopped.

    marks     one a card: when a comparison with it last began at this door and was not answered by an accept
    level     how often the guard has tripped; falls by one for every window without a trip after the wait has ended
    trip      a comparison begins with a card that has no mark, and there are max(1, cards - level) marks with it
    wait      wait_s * 2 ** (level - 1), at most wait_max_s: every claim at this door is refused until then

The guard needs no memory of faces, and must have none: to know that *the same face* was shown with many cards, a device
would have to keep embeddings and compare faces with each other, which is the 1:N search that this product is not able
to do. Whoever loops over stolen cards leaves one thing that needs no face at all: a row of different cards that do not
match. Marks are keyed hashes of serials and go when their window has passed.

A person who fails and then passes with the same card takes the mark away, so that a queue of people leaves none. The
accept of *another* card takes nothing away: whoever holds one card of their own could otherwise clear the guard between
two stolen ones. Like every failure the mark is on the disk before the comparison, and all times are running time
(`edge.state.clock`): neither a clock that is set nor a restart shortens anything.
"""

from __future__ import annotations

import math
import sqlite3
from dataclasses import dataclass

from edge.errors import DoorPaused
from edge.settings.model import LimitSettings
from edge.state.clock import Moment


@dataclass(frozen=True, slots=True)
class FanOutStanding:
    """How the guard of a door stands.

    Attributes:
        level: 0: nothing has happened, or long ago. cards: different cards that failed within the window.
        wait_s: every claim is refused for so long from now.
        told: the level that was last journalled (`Limits.told`).
    """

    level: int = 0
    cards: int = 0
    wait_s: float = 0.0
    told: int = 0

    @property
    def news(self) -> bool:
        """Whether it has tripped since it was last journalled."""
        return self.level > self.told


@dataclass(frozen=True, slots=True)
class _State:
    level: int = 0
    until: float = 0.0
    since: float = 0.0
    told: int = 0


@dataclass(frozen=True, slots=True)
class Before:
    """How mark and guard stood before the comparison under way."""

    mark: float | None
    state: _State


class FanOut:
    """The guard's rules; it works inside the transactions of `edge.state.Limits`.

    Args:
        settings: the numbers.
    """

    def __init__(self, settings: LimitSettings) -> None:
        self._cards, self._window = settings.fan_out_cards, settings.fan_out_window_s
        self._wait, self._most = settings.fan_out_wait_s, settings.fan_out_wait_max_s
        # the level at which the wait is the longest; more would only make the way back longer
        self._top = 1 + math.ceil(math.log2(max(1.0, self._most / self._wait)))

    def refuse(self, db: sqlite3.Connection, moment: Moment) -> None:
        """Return when the door may look.

        Raises:
            DoorPaused: ``wait_s`` seconds from now.
        """
        wait = _load(db).until - moment.running
        if wait > 0:
            raise DoorPaused(
                "this door is paused: too many different cards failed at it",
                where="door",
                remedy=f"wait {int(wait) + 1} s, or take the other way in; an operator clears it: edge reset --door",
                wait_s=wait,
            )

    def begin(self, db: sqlite3.Connection, card: bytes, moment: Moment) -> Before:
        """Mark a card before its comparison; trips the guard when there are too many marks.

        Args:
            card: keyed hash of its serial.
        """
        db.execute("DELETE FROM fan_out WHERE at <= ?", (moment.running - self._window,))
        before = Before(_mark(db, card), self._faded(_load(db), moment))
        db.execute("INSERT OR REPLACE INTO fan_out VALUES (?, ?)", (card, moment.running))
        state = before.state
        if before.mark is None and _count(db) >= max(1, self._cards - state.level):
            # `told` stays below the level, so that a trip at the top is news, too
            state = _State(min(state.level + 1, self._top), 0.0, 0.0, min(state.told, self._top - 1))
            state = self._delayed(state, moment)
        _save(db, state)
        return before

    def failed(self, db: sqlite3.Connection, before: Before, moment: Moment) -> None:
        """The comparison failed: when it tripped the guard, the wait begins now."""
        state = _load(db)
        if state.until > before.state.until:
            _save(db, self._delayed(state, moment))

    def undo(self, db: sqlite3.Connection, card: bytes, before: Before | None, *, accepted: bool) -> None:
        """The card passed, or nothing was compared: its mark goes, and a trip that it caused with it."""
        if accepted or (before is not None and before.mark is None):
            db.execute("DELETE FROM fan_out WHERE card = ?", (card,))
        elif before is not None:
            db.execute("UPDATE fan_out SET at = ? WHERE card = ?", (before.mark, card))
        if before is not None and _load(db).until > before.state.until:
            _save(db, before.state)

    def standing(self, db: sqlite3.Connection, moment: Moment) -> FanOutStanding:
        """How the guard stands."""
        state = self._faded(_load(db), moment)
        cards = db.execute("SELECT count(*) FROM fan_out WHERE at > ?", (moment.running - self._window,)).fetchone()[0]
        return FanOutStanding(state.level, cards, max(0.0, state.until - moment.running), state.told)

    def told(self, db: sqlite3.Connection) -> None:
        """The trip is in the journal."""
        db.execute("UPDATE guard SET told = level")

    def clear(self, db: sqlite3.Connection) -> None:
        """Forget everything (an operator)."""
        db.execute("DELETE FROM fan_out")
        db.execute("DELETE FROM guard")

    def marked(self, db: sqlite3.Connection, card: bytes) -> bool:
        """Whether a card has a mark."""
        return _mark(db, card) is not None

    def forget(self, db: sqlite3.Connection, card: bytes) -> bool:
        """Take away the mark of a card whose person is erased."""
        return db.execute("DELETE FROM fan_out WHERE card = ?", (card,)).rowcount > 0

    def _faded(self, state: _State, moment: Moment) -> _State:
        """The level of now: one less for every whole window since it last rose."""
        windows = int(max(0.0, moment.running - state.since) // self._window)
        if not state.level or not windows:
            return state
        level = max(0, state.level - windows)
        return _State(level, state.until, state.since + windows * self._window, min(state.told, level))

    def _delayed(self, state: _State, moment: Moment) -> _State:
        wait = min(self._wait * 2.0 ** (state.level - 1), self._most)
        return _State(state.level, moment.running + wait, moment.running + wait, state.told)


def _load(db: sqlite3.Connection) -> _State:
    row = db.execute("SELECT level, until, since, told FROM guard WHERE one = 1").fetchone()
    return _State(*row) if row else _State()


def _save(db: sqlite3.Connection, state: _State) -> None:
    values = (state.level, state.until, state.since, state.told)
    db.execute("INSERT OR REPLACE INTO guard VALUES (1, ?, ?, ?, ?)", values)


def _mark(db: sqlite3.Connection, card: bytes) -> float | None:
    row = db.execute("SELECT at FROM fan_out WHERE card = ?", (card,)).fetchone()
    return row[0] if row else None


def _count(db: sqlite3.Connection) -> int:
    count: int = db.execute("SELECT count(*) FROM fan_out").fetchone()[0]
    return count
