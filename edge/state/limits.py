"""Retry limits: what a stolen card is worth to a person with another face.

The failure is written, and on the disk, *before* the comparison, and cleared by an accept. Pulling the plug at the
moment of the comparison, or ending the session in any other way than by an answer, therefore counts as failing.

    limits.check(serial)                # before any frame is looked at: LockedOut, or nothing
    limits.before_comparison(serial)    # before the first comparison of the session: the failure, written and synced
    limits.accepted(serial)             # clears the card and the door
    limits.rejected(serial)             # keeps the failure; the wait begins now
    limits.no_decision(serial)          # takes this session's failure back; five in a row delay the card

After 5 rejects in a row a card waits 30 s, and again after every further one. From the 50th on it rests a day after
each, at this door (NIST SP 800-63B-4, 3.2.3 asks for growing delays, or another way in), unless an operator resets it:
whoever has photographed a card can take no more from its holder than that. The door has a limit of its own, which
delays and never disables, so that no one can close a door for all by failing at it; many *different* cards that
fail are a search, and `edge.state.fanout` stops it. A new card takes over the waits of the person's other cards.

Serials are kept as keyed hashes. Waits are measured in the time that the device has been running (`edge.state.clock`):
neither a clock that is set nor a restart shortens them.
"""

from __future__ import annotations

import hashlib
import hmac
import sqlite3
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace

from edge.errors import LockedOut, UsageError
from edge.settings.model import LimitSettings
from edge.state.clock import ClockGuard, Moment
from edge.state.database import SqliteFile
from edge.state.fanout import Before, FanOut, FanOutStanding

#: How long a card rests at this door after each of many rejects in a row.
DISABLED_S = 86_400.0


@dataclass(frozen=True, slots=True)
class _Row:
    rejects: int = 0
    silent: int = 0
    until: float = 0.0


@dataclass(frozen=True, slots=True)
class CardStanding:
    """How a card stands: rejects in a row, seconds to wait, disabled (for a day, or until an operator resets it).

    Attributes:
        silent: sessions in a row that came to nothing. marked: it counts for the fan-out guard of the door.
    """

    rejects: int
    wait_s: float
    disabled: bool
    silent: int = 0
    marked: bool = False

    @property
    def nothing(self) -> bool:
        """Whether nothing is counted about it."""
        return not (self.rejects or self.silent or self.wait_s or self.marked)


class Limits:
    """The retry limits of one door; sessions follow one another.

    Args:
        database: of `state_database`. clock: its running time measures the waits.
        settings: the numbers. key: 32 bytes, derived from the device key; hashes the serials.
    """

    def __init__(self, database: SqliteFile, clock: ClockGuard, settings: LimitSettings, key: bytes) -> None:
        self._database, self._clock, self._settings, self._key = database, clock, settings, key
        self._door = self._hash(b"door")
        # how card and door stood before the comparison under way; lost in a crash, and so the failure stays
        self._before: dict[bytes, _Row] = {}
        self._fan_out = FanOut(settings)
        self._guard_before: Before | None = None

    def check(self, serial: bytes) -> None:
        """Refuse a card that must wait. Begins a session; writes nothing.

        Raises:
            LockedOut: ``wait_s`` seconds from now.
            DoorPaused: the fan-out guard stops every claim at this door for ``wait_s`` seconds.
        """
        self._before, self._guard_before = {}, None
        moment = self._clock.moment()
        with self._database.snapshot() as db:
            self._fan_out.refuse(db, moment)
            self._refuse(_load(db, self._card(serial)), _load(db, self._door), moment)

    def before_comparison(self, serial: bytes) -> None:
        """Write the failure, synced; the comparison may follow.

        Raises:
            LockedOut: as `check`. StateError: it could not be written; no comparison may follow.
        """
        before: dict[bytes, _Row] = {}
        with self._change() as (db, moment):
            self._fan_out.refuse(db, moment)  # undoes the transaction, as does `_refuse`
            for name, wait in self._both(serial):
                before[name] = _load(db, name)
                _save(db, name, _fail(before[name], moment, wait), moment)
            self._refuse(before[self._card(serial)], before[self._door], moment)
            guard_before = self._fan_out.begin(db, self._card(serial), moment)
        self._before, self._guard_before = before, guard_before

    def accepted(self, serial: bytes) -> None:
        """Forget the failures of the card and of the door."""
        with self._change() as (db, _):
            for name, _wait in self._both(serial):
                db.execute("DELETE FROM limits WHERE card = ?", (name,))
            self._fan_out.undo(db, self._card(serial), self._guard_before, accepted=True)
        self._before, self._guard_before = {}, None

    def rejected(self, serial: bytes) -> None:
        """The failure stays, and its wait begins now."""
        with self._change() as (db, moment):
            for name, wait in self._both(serial):
                row = self._taken_back(name, _load(db, name))
                _save(db, name, replace(_fail(row, moment, wait), silent=0), moment)
            if self._guard_before is not None:
                self._fan_out.failed(db, self._guard_before, moment)
        self._before, self._guard_before = {}, None

    def no_decision(self, serial: bytes) -> None:
        """Take this session's failure back, if any was written, and count a session that came to nothing."""
        with self._change() as (db, moment):
            for name, _wait in self._both(serial):
                row = self._taken_back(name, _load(db, name))
                row = replace(row, silent=row.silent + 1)
                if name != self._door and row.silent >= self._settings.no_decisions:
                    row = replace(row, until=max(row.until, moment.running + self._settings.no_decision_wait_s))
                _save(db, name, row, moment)
            self._fan_out.undo(db, self._card(serial), self._guard_before, accepted=False)
        self._before, self._guard_before = {}, None

    def withdraw(self, serial: bytes) -> None:
        """Take this session's failure back: what was compared held (a PIN), more is to come. Clears nothing else."""
        with self._change() as (db, moment):
            for name, _wait in self._both(serial):
                _save(db, name, self._taken_back(name, _load(db, name)), moment)
            self._fan_out.undo(db, self._card(serial), self._guard_before, accepted=False)
        self._before, self._guard_before = {}, None

    def inherit(self, serial: bytes, others: Iterable[bytes]) -> None:
        """A new card begins where the person's other cards stand, so that none is made to get rid of a wait.

        Args:
            serial: of the new one. others: serials of those that the person has, or that it replaces.
        """
        with self._change() as (db, moment):
            rows = [_load(db, self._card(other)) for other in others]
            rejects = max((row.rejects for row in rows), default=0)
            until = max((row.until for row in rows), default=0.0)
            if rejects:
                _save(db, self._card(serial), _Row(rejects, 0, until), moment)

    def reset(self, serial: bytes, operator: str) -> CardStanding:
        """An operator clears a card; the caller journals it by name.

        Returns:
            How the card stood before.

        Raises:
            UsageError: no operator named.
        """
        _named(operator)
        before = self.standing(serial)
        with self._change() as (db, _):
            db.execute("DELETE FROM limits WHERE card = ?", (self._card(serial),))
        return before

    def reset_door(self, operator: str) -> FanOutStanding:
        """An operator clears the door's own delays and the fan-out guard; the caller journals it by name.

        Returns:
            How the guard stood before.

        Raises:
            UsageError: no operator named.
        """
        _named(operator)
        with self._change() as (db, moment):
            before = self._fan_out.standing(db, moment)
            db.execute("DELETE FROM limits WHERE card = ?", (self._door,))
            db.execute("DELETE FROM pin_tries")  # of PINs in the place of cards (`edge.state.pin_alone`)
            self._fan_out.clear(db)
        return before

    def guard(self) -> FanOutStanding:
        """How the fan-out guard of this door stands."""
        moment = self._clock.moment()
        with self._database.snapshot() as db:
            return self._fan_out.standing(db, moment)

    def told(self) -> None:
        """The guard's last trip is in the journal."""
        with self._database.write() as db:
            self._fan_out.told(db)

    def forget(self, serial: bytes) -> bool:
        """Delete everything that is counted about a card (its person is erased, or its row has expired).

        Returns:
            Whether there was anything.
        """
        with self._database.write() as db:
            rows = db.execute("DELETE FROM limits WHERE card = ?", (self._card(serial),)).rowcount
            return self._fan_out.forget(db, self._card(serial)) or rows > 0

    def expire(self, days: int) -> int:
        """Delete the counters of cards that were not presented for so many days of running.

        Returns:
            How many went.
        """
        with self._change() as (db, moment):
            sql = "DELETE FROM limits WHERE touched < ? AND until <= ?"
            values = (moment.running - days * 86_400.0, moment.running)
            return db.execute(sql, values).rowcount

    def standing(self, serial: bytes) -> CardStanding:
        """How a card stands."""
        moment, name = self._clock.moment(), self._card(serial)
        with self._database.snapshot() as db:
            row, marked = _load(db, name), self._fan_out.marked(db, name)
        wait = max(0.0, row.until - moment.running)
        return CardStanding(row.rejects, wait, wait > 0 and self._disables(row), row.silent, marked)

    def wait_s(self, serial: bytes) -> float:
        """Seconds until this card can be tried again at this door; 0 when it may be now, or not before a reset."""
        moment = self._clock.moment()
        with self._database.snapshot() as db:
            card, door = _load(db, self._card(serial)), _load(db, self._door)
            guard = self._fan_out.standing(db, moment)
        return max(0.0, card.until - moment.running, door.until - moment.running, guard.wait_s)

    def _refuse(self, card: _Row, door: _Row, moment: Moment) -> None:
        if (wait := card.until - moment.running) > 0 and self._disables(card):
            raise LockedOut(
                f"this card was refused {card.rejects} times in a row and is disabled at this door for a day",
                where="card",
                remedy="ask an operator to reset it, take the other way in, or another door",
                wait_s=wait,
            )
        for row, where in ((card, "card"), (door, "door")):
            wait = row.until - moment.running
            if wait > 0:
                raise LockedOut(
                    f"too many attempts at this {where}",
                    where=where,
                    remedy=f"wait {int(wait) + 1} s, then present the card again",
                    wait_s=wait,
                )

    def _card_wait(self, rejects: int) -> float:
        if rejects >= self._settings.card_disable:
            return DISABLED_S
        return self._settings.card_wait_s if rejects >= self._settings.card_rejects else 0.0

    def _disables(self, row: _Row) -> bool:
        return row.rejects >= self._settings.card_disable

    def _door_wait(self, rejects: int) -> float:
        return self._settings.door_wait_s if rejects >= self._settings.door_rejects else 0.0

    def _both(self, serial: bytes) -> tuple[tuple[bytes, Callable[[int], float]], ...]:
        return (self._card(serial), self._card_wait), (self._door, self._door_wait)

    def _taken_back(self, name: bytes, row: _Row) -> _Row:
        before = self._before.get(name, row)
        # the smaller one: an operator may have reset the card meanwhile, from another process
        return replace(row, rejects=min(row.rejects, before.rejects), until=min(row.until, before.until))

    def _hash(self, name: bytes) -> bytes:
        return hmac.new(self._key, b"edge/limits/v1/" + name, hashlib.sha256).digest()

    def _card(self, serial: bytes) -> bytes:
        return self._hash(b"card/" + serial)

    @contextmanager
    def _change(self) -> Iterator[tuple[sqlite3.Connection, Moment]]:
        """A transaction that also records the clock, so that one sync does for both."""
        with self._database.write() as db:
            moment = self._clock.moment()
            self._clock.save(db, moment)
            yield db, moment


def _fail(row: _Row, moment: Moment, wait: Callable[[int], float]) -> _Row:
    rejects = row.rejects + 1
    return replace(row, rejects=rejects, until=max(row.until, moment.running + wait(rejects)))


def _load(db: sqlite3.Connection, name: bytes) -> _Row:
    row = db.execute("SELECT rejects, silent, until FROM limits WHERE card = ?", (name,)).fetchone()
    return _Row(*row) if row else _Row()


def _save(db: sqlite3.Connection, name: bytes, row: _Row, moment: Moment) -> None:
    values = (name, row.rejects, row.silent, row.until, moment.running)
    db.execute("INSERT OR REPLACE INTO limits VALUES (?, ?, ?, ?, ?)", values)


def _named(operator: str) -> None:
    if not operator.strip():
        raise UsageError("a reset needs an operator", where="limits", remedy="name the operator")
