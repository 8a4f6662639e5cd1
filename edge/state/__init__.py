"""What must survive a restart: the clock guard, the retry limits, the numbers that bind them.

    database = state_database(folder)                       # state.sqlite3, 0600, every commit on the disk
    clock = ClockGuard(database, build_date=BUILD_DATE)
    limits = Limits(database, clock, settings.limits, key)
    database.tie(Binding(folder, key), key)                # from now on an older one put back is noticed

    limits.before_comparison(claim.serial)                  # LockedOut, or a failure written and synced
    ...compare...
    limits.accepted(claim.serial)                           # or rejected, or no_decision

A damaged file raises `StateError`, and stays where it is: if damage gave a new one, it would also
get rid of the lockouts. `set_aside` is what an operator does about it.
"""

from edge.state.binding import Binding, Counters, Numbers, peek
from edge.state.clock import BUDGET_S, PLAUSIBLE_S, ClockGuard, TrustedTime, kernel_synchronised
from edge.state.database import Kind, SqliteFile, is_damaged, set_aside
from edge.state.fanout import FanOutStanding
from edge.state.limits import CardStanding, Limits
from edge.state.pins import Pins
from edge.state.schema import FILE, STATE, StateFile, state_database

__all__ = [
    "BUDGET_S",
    "FILE",
    "PLAUSIBLE_S",
    "STATE",
    "Binding",
    "CardStanding",
    "ClockGuard",
    "Counters",
    "FanOutStanding",
    "Kind",
    "Limits",
    "Numbers",
    "Pins",
    "SqliteFile",
    "StateFile",
    "TrustedTime",
    "is_damaged",
    "kernel_synchronised",
    "peek",
    "set_aside",
    "state_database",
]
