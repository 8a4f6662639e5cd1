"""What time it is, on a device whose clock anybody near it may have set.

    time = clock.now()
    time.utc_s          # for expiry: max(system clock, believed time). A clock set back never extends anything
    time.believed_s     # for not-before, schedules, dates of new records and deletion
    time.may_delete     # whether what has expired may go

*Believed* time is the latest time ever believed plus the time the device has run since, and never before the build. A
system clock that is ahead of it is believed while the kernel says that it is synchronised, when an operator confirms
it, and otherwise out of a budget of 24 hours: in one step or in many, an unsynchronised clock moves believed time
forward by no more than that beyond the time the device has run. Past the budget the time is *unconfirmed*: cards expire
by the system clock, nothing is deleted and nobody is enrolled, until synchronisation or an operator confirms the time.

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
from dataclasses import dataclass

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
                "the clock is ahead of what this device can account for, and nobody has confirmed it",
                where="clock",
                remedy=_CONFIRM,
            )


@dataclass(frozen=True, slots=True)
class Moment:
    """One reading of all clocks, and what is recorded of it.

    Attributes:
        used, believed, system: Unix seconds. uptime: of this start. running: in the device's whole life.
        since_record: seconds since the last record; since_latest: by which believed time has moved on since.
        spent, hold, mark, marked_at: the columns of `edge.state.schema`.
    """

    used: float
    believed: float
    system: float
    uptime: float
    running: float
    since_record: float
    since_latest: float
    confirmed: bool
    synchronised: bool
    spent: float
    hold: float
    mark: float
    marked_at: float


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
        if moment.since_record >= RECORD_EVERY_S or moment.since_latest >= RECORD_EVERY_S:
            with self._database.write() as db:
                moment = self.moment()  # again, since another process may have recorded meanwhile
                self.save(db, moment)
        return TrustedTime(
            int(moment.used),
            moment.confirmed,
            int(max(0.0, moment.used - moment.system)),
            int(moment.believed),
            math.ceil(max(0.0, moment.hold - moment.running)),
            int(moment.spent),
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
            now = self.moment()
            right = max(now.system, self._build_date)
            stepped = abs(right - now.believed) > BUDGET_S
            hold = now.running + DAY_S if stepped else now.hold
            self._write(db, right, now.uptime, now.running, 0.0, hold, right, now.running)
        return self.now()

    def moment(self) -> Moment:
        """Read all clocks; writes nothing."""
        system, uptime = self._system(), self._uptime()
        if not (math.isfinite(system) and math.isfinite(uptime)):
            raise StateError("the system clock gives no number", where="clock", remedy="restart the device")
        rows = self._database.read("SELECT latest, uptime, running, spent, hold, mark, marked_at FROM clock")
        budget: float = BUDGET_S
        synchronised = self._synchronised()
        if rows:
            latest, recorded, running, spent, hold, mark, marked_at = rows[0]
            # a smaller uptime than recorded means a restart in between: it has run at least as long as it is up
            progress = uptime - recorded if uptime >= recorded else uptime
            since_record = progress
        else:
            latest, running, spent, hold, marked_at, progress = self._build_date, 0.0, 0.0, 0.0, 0.0, 0.0
            since_record, mark = math.inf, math.inf  # no step can be seen without a record
            budget = self._first_budget_s if self._build_date else math.inf
        floor = max(latest + progress, self._build_date)
        running += progress
        ahead = max(0.0, system - floor)
        confirmed = synchronised or spent + ahead <= budget
        believed = floor + ahead if confirmed else floor
        if synchronised or not rows:
            spent = 0.0
        elif confirmed:
            spent += ahead
        # the movement since the mark that running does not explain; the mark is moved up once a day of running
        unexplained = believed - mark - (running - marked_at)
        if unexplained > BUDGET_S:
            hold = running + DAY_S
        if unexplained > BUDGET_S or running - marked_at >= DAY_S or math.isinf(mark):
            mark, marked_at = believed, running
        return Moment(
            used=max(floor, system),
            believed=believed,
            system=system,
            uptime=uptime,
            running=running,
            since_record=since_record,
            since_latest=believed - latest,
            confirmed=confirmed,
            synchronised=synchronised,
            spent=spent,
            hold=hold,
            mark=mark,
            marked_at=marked_at,
        )

    def save(self, db: sqlite3.Connection, moment: Moment) -> None:
        """Write a reading within the caller's transaction, in which it was made."""
        self._write(
            db,
            moment.believed,
            moment.uptime,
            moment.running,
            moment.spent,
            moment.hold,
            moment.mark,
            moment.marked_at,
        )

    def _write(self, db: sqlite3.Connection, *values: float) -> None:
        """latest, uptime, running, spent, hold, mark, marked_at."""
        db.execute("INSERT OR REPLACE INTO clock VALUES (1, ?, ?, ?, ?, ?, ?, ?)", values)
