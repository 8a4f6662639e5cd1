"""What time it is, on a device whose clock anybody near it may have set.

Time used = max(system clock, latest time ever recorded + time the device has run since, build date). A clock set back
therefore never extends anything. A clock that jumps forward by more than a day beyond the time the device has run is
*unconfirmed*: nothing is deleted, and the jump is not recorded, until the kernel says that its clock is synchronised or
an operator confirms it.

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

JUMP_S = 24 * 3600
"""A larger jump forward, beyond uptime, needs confirmation (design: Thresholds and time)."""

RECORD_EVERY_S = 60.0
"""How often the time is written while nothing else is: often enough, and sparing an SD card."""

_TIME_ERROR = 5  # adjtimex(2): the clock is not synchronised


@dataclass(frozen=True, slots=True)
class TrustedTime:
    """The time to use.

    Attributes:
        utc_s: Unix seconds. confirmed: False after an unexplained jump forward.
        behind_s: by how much the system clock is behind the time used (a clock set back, or one not yet set).
    """

    utc_s: int
    confirmed: bool
    behind_s: int = 0


@dataclass(frozen=True, slots=True)
class Moment:
    """One reading of all clocks: ``believed`` is what may be recorded, ``used`` what is reported (Unix seconds)."""

    used: float
    believed: float
    system: float
    uptime: float
    running: float
    since_record: float
    confirmed: bool


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
        build_date: Unix seconds; no time before it is believed.
        system_clock: Unix seconds.
        uptime: seconds since the machine started.
        synchronised: whether the system clock is synchronised with a time source.
    """

    def __init__(
        self,
        database: SqliteFile,
        *,
        build_date: int = 0,
        system_clock: Callable[[], float] = time.time,
        uptime: Callable[[], float] = boottime,
        synchronised: Callable[[], bool] = kernel_synchronised,
    ) -> None:
        self._database, self._build_date = database, float(build_date)
        self._system, self._uptime, self._synchronised = system_clock, uptime, synchronised

    def now(self) -> TrustedTime:
        """The time to use; recorded about once a minute.

        Raises:
            StateError: the state cannot be read or written.
        """
        moment = self.moment()
        if moment.since_record >= RECORD_EVERY_S or moment.believed - self._latest() >= RECORD_EVERY_S:
            self.record(moment)
        behind = max(0.0, moment.used - moment.system)
        return TrustedTime(int(moment.used), moment.confirmed, int(behind))

    def confirm(self, operator: str) -> TrustedTime:
        """An operator says that the system clock is right now; the caller journals it by name.

        Raises:
            UsageError: no operator named.
        """
        if not operator.strip():
            raise UsageError("confirming the clock needs an operator", where="clock", remedy="name the operator")
        moment = self.moment()
        self.record(moment, latest=max(moment.system, moment.believed))
        return self.now()

    def moment(self) -> Moment:
        """Read all clocks; writes nothing."""
        system, uptime = self._system(), self._uptime()
        if not (math.isfinite(system) and math.isfinite(uptime)):
            raise StateError("the system clock gives no number", where="clock", remedy="restart the device")
        rows = self._database.read("SELECT latest, uptime, running FROM clock WHERE one = 1")
        if not rows:  # first start ever: no jump can be seen without a record
            used = max(system, self._build_date)
            return Moment(used, used, system, uptime, 0.0, math.inf, True)
        latest, recorded, running = rows[0]
        # a smaller uptime than recorded means a restart in between: it has run at least as long as it is up
        progress = uptime - recorded if uptime >= recorded else uptime
        floor = max(latest + progress, self._build_date)
        confirmed = system - floor <= JUMP_S or self._synchronised()
        believed = max(floor, system) if confirmed else floor
        return Moment(max(floor, system), believed, system, uptime, running + progress, progress, confirmed)

    def record(self, moment: Moment, latest: float | None = None) -> None:
        """Write a reading, synced."""
        with self._database.write() as db:
            self.save(db, moment, latest)

    def save(self, db: sqlite3.Connection, moment: Moment, latest: float | None = None) -> None:
        """Write a reading within the caller's transaction."""
        believed = moment.believed if latest is None else latest
        db.execute(
            "INSERT INTO clock VALUES (1, ?, ?, ?) ON CONFLICT (one) DO UPDATE SET"
            " latest = max(latest, excluded.latest), uptime = excluded.uptime, running = excluded.running",
            (believed, moment.uptime, moment.running),
        )

    def _latest(self) -> float:
        rows = self._database.read("SELECT latest FROM clock WHERE one = 1")
        return float(rows[0][0]) if rows else -math.inf
