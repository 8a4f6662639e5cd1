"""What time it is, on a device whose clock anybody near it may have set.

    time = clock.now()
    time.utc_s          # for expiry: max(system clock, believed time). A clock set back never extends anything
    time.believed_s     # for not-before, schedules, dates of new records and deletion
    time.may_delete     # whether what has expired may go

*Believed* time is the latest time ever believed plus the time the device has run since, and never before the build. A
system clock that is ahead of it is believed while the kernel says that it is synchronised, when an operator confirms
it, and otherwise out of a budget of 24 hours: in one step or in many, an unsynchronised clock moves believed time
forward by no more than that beyond the time the device has run. Past the budget the time is *unconfirmed*: cards expire
by the system clock, nothing is deleted and no one is enrolled, until synchronisation or an operator confirms the time.

Deletion asks for more, since nothing undoes it: a step of more than 24 hours, whoever confirms it, or several that
amount to as much within a day of running, deletes nothing until the device has run for a further day with that time.

Waits of the retry limits do not trust the clock at all: they use `Moment.running`, seconds that this device has been
running in all its life. Setting a clock does not change it, and pulling the plug only stops it.
"""

from __future__ import annotations

import ctypes
import math
import sqlite3
import time
from collections.abc import Callable
from dataclasses import astuple, dataclass, replace

from edge.errors import StateError, UsageError
from edge.state.database import SqliteFile

DAY_S = 24 * 3600
BUDGET_S = DAY_S
"""Unexplained movement forward that an unsynchronised clock is granted (design: Thresholds and time, "Clock")."""

PLAUSIBLE_S = 5 * 365 * DAY_S
"""The same at the first start of a build that does not say when it was built, such as a development install: a service
life, since there is nothing closer to measure against."""

RECORD_EVERY_S = 60.0
"""How often the time is written while nothing else is: often enough, and sparing an SD card."""

_TIME_ERROR = 5  # adjtimex(2): the clock is not synchronised
_CONFIRM = (
    "wait for time synchronisation, or compare the clock and confirm it: date; edge confirm clock --operator NAME"
)


@dataclass(frozen=True, slots=True)
class TrustedTime:
    """The time to use.

    Attributes:
        utc_s: Unix seconds; what expiry is measured by.
        confirmed: False while the system clock is further ahead than the budget allows.
        behind_s: by how much the system clock is behind the time used (a clock set back, or one not yet set).
        believed_s: Unix seconds; never after ``utc_s``, and the same while the time is confirmed.
        waiting_s: after a large step nothing is deleted until the device has run for so many seconds more.
        spent_s: how much of the budget is spent.
        synchronised: whether the kernel says that the system clock is.
    """

    utc_s: int
    confirmed: bool
    behind_s: int = 0
    believed_s: int = 0
    waiting_s: int = 0
    spent_s: int = 0
    synchronised: bool = False

    @property
    def may_delete(self) -> bool:
        """Whether what has expired may be deleted."""
        return self.confirmed and not self.waiting_s

    def need_confirmed(self) -> None:
        """Return when the time is confirmed: what is enrolled now bears its date.

        Raises:
            StateError: it is not.
        """
        if not self.confirmed:
            raise StateError(
                "the clock is ahead of what this device can account for, and has not been confirmed",
                where="clock",
                remedy=_CONFIRM,
            )


@dataclass(frozen=True, slots=True)
class _Record:
    """What is on the disk; see the columns in `edge.state.schema`."""

    latest: float
    uptime: float
    running: float
    spent: float
    hold: float
    mark: float
    marked_at: float


@dataclass(frozen=True, slots=True)
class Moment:
    """One reading of all clocks.

    Attributes:
        record: what is to be written of it. used, system: Unix seconds; what is reported, and the system clock.
        confirmed, synchronised: see `TrustedTime`. due: whether it is time to write.
    """

    record: _Record
    used: float
    system: float
    confirmed: bool
    synchronised: bool
    due: bool

    @property
    def running(self) -> float:
        """Seconds that this device has been running in all its life."""
        return self.record.running


def boottime() -> float:
    """Seconds since the machine started, time asleep included."""
    return time.clock_gettime(time.CLOCK_BOOTTIME)


def kernel_synchronised() -> bool:
    """Whether the kernel's clock is disciplined by NTP or PTP (adjtimex(2); chrony and timesyncd both set it)."""
    buffer = ctypes.create_string_buffer(512)  # struct timex with modes = 0: a question, changes nothing
    try:
        state: int = ctypes.CDLL(None).adjtimex(buffer)
    except (OSError, AttributeError):
        return False
    return 0 <= state < _TIME_ERROR


class ClockGuard:
    """The device's clock.

    Args:
        database: of `state_database`.
        build_date: Unix seconds; no time before it is believed, and the first start is measured against it. 0: unknown.
        first_budget_s: how far from the build date an unsynchronised clock may be at the first start.
        system_clock: Unix seconds.
        uptime: seconds since the machine started.
        synchronised: whether the system clock is synchronised with a time source.
    """

    def __init__(
        self,
        database: SqliteFile,
        *,
        build_date: int = 0,
        first_budget_s: float = BUDGET_S,
        system_clock: Callable[[], float] = time.time,
        uptime: Callable[[], float] = boottime,
        synchronised: Callable[[], bool] = kernel_synchronised,
    ) -> None:
        self._database, self._build_date, self._first_budget_s = database, float(build_date), first_budget_s
        self._system, self._uptime, self._synchronised = system_clock, uptime, synchronised

    def now(self) -> TrustedTime:
        """The time to use; recorded about once a minute.

        Raises:
            StateError: the state cannot be read or written.
        """
        moment = self.moment()
        if moment.due:
            with self._database.write() as db:
                moment = self.moment()  # again, since another process may have recorded meanwhile
                self.save(db, moment)
        return TrustedTime(
            int(moment.used),
            moment.confirmed,
            int(max(0.0, moment.used - moment.system)),
            int(moment.record.latest),
            math.ceil(max(0.0, moment.record.hold - moment.running)),
            int(moment.record.spent),
            moment.synchronised,
        )

    def confirm(self, operator: str) -> TrustedTime:
        """An operator says that the system clock is right now, ahead of the time used or behind it.

        The caller journals it by name. What was deleted by a time that was wrong stays deleted.

        Returns:
            The time used from now on.

        Raises:
            UsageError: no operator named.
        """
        if not operator.strip():
            raise UsageError("confirming the clock needs an operator", where="clock", remedy="name the operator")
        with self._database.write() as db:
            moment = self.moment()
            now, right = moment.record, max(moment.system, self._build_date)
            hold = now.running + DAY_S if abs(right - now.latest) > BUDGET_S else now.hold
            confirmed = replace(now, latest=right, spent=0.0, hold=hold, mark=right, marked_at=now.running)
            self.save(db, replace(moment, record=confirmed))
        return self.now()

    def moment(self) -> Moment:
        """Read all clocks; writes nothing."""
        system, uptime, synchronised = self._system(), self._uptime(), self._synchronised()
        if not (math.isfinite(system) and math.isfinite(uptime)):
            raise StateError("the system clock gives no number", where="clock", remedy="restart the device")
        rows = self._database.read("SELECT latest, uptime, running, spent, hold, mark, marked_at FROM clock")
        if rows:
            last, budget = _Record(*rows[0]), float(BUDGET_S)
        else:  # the first start ever
            last = _Record(self._build_date, uptime, 0.0, 0.0, 0.0, math.inf, 0.0)
            budget = self._first_budget_s if self._build_date else math.inf
        # a smaller uptime than recorded means a restart in between: it has run at least as long as it is up
        progress = uptime - last.uptime if uptime >= last.uptime else uptime
        running, floor = last.running + progress, max(last.latest + progress, self._build_date)
        ahead = max(0.0, system - floor)  # what running does not explain
        confirmed = synchronised or last.spent + ahead <= budget
        believed = floor + ahead if confirmed else floor
        spent = 0.0 if synchronised or not rows else last.spent + (ahead if confirmed else 0.0)
        hold, mark, marked_at = last.hold, last.mark, last.marked_at
        stepped = believed - mark - (running - marked_at) > BUDGET_S  # in one step or several since the mark
        if stepped:
            hold = running + DAY_S
        if stepped or not rows or running - marked_at >= DAY_S:
            mark, marked_at = believed, running
        record = _Record(believed, uptime, running, spent, hold, mark, marked_at)
        due = not rows or max(progress, believed - last.latest) >= RECORD_EVERY_S
        return Moment(record, max(floor, system), system, confirmed, synchronised, due)

    def save(self, db: sqlite3.Connection, moment: Moment) -> None:
        """Write a reading within the caller's transaction, in which it was made."""
        db.execute("INSERT OR REPLACE INTO clock VALUES (1, ?, ?, ?, ?, ?, ?, ?)", astuple(moment.record))
