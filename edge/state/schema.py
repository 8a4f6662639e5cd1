"""The tables of ``state.sqlite3``, one script a version (``PRAGMA user_version``)."""

from __future__ import annotations

from pathlib import Path

from edge.errors import StateError
from edge.state.database import Kind, SqliteFile

FILE = "state.sqlite3"

_FIRST = """
CREATE TABLE clock (
  one INTEGER PRIMARY KEY CHECK (one = 1),
  latest REAL NOT NULL,     -- latest time ever believed, Unix seconds
  uptime REAL NOT NULL,     -- CLOCK_BOOTTIME when that was written
  running REAL NOT NULL     -- seconds this device has been running in all its life; no clock can be set to change it
);
CREATE TABLE limits (
  card BLOB PRIMARY KEY,    -- keyed hash of the card's serial, or of the door
  rejects INTEGER NOT NULL, -- in a row
  silent INTEGER NOT NULL,  -- no_decision in a row
  until REAL NOT NULL       -- waits until the running time has reached this
) WITHOUT ROWID;
CREATE TABLE counter (name TEXT PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID;
"""

_SECOND = """
ALTER TABLE limits ADD COLUMN touched REAL NOT NULL DEFAULT 0;  -- running time of the last change, for retention
UPDATE limits SET touched = coalesce((SELECT running FROM clock), 0);
CREATE TABLE fan_out (
  card BLOB PRIMARY KEY,    -- keyed hash of the card's serial
  at REAL NOT NULL          -- running time at which a comparison with it began that was not answered by an accept
) WITHOUT ROWID;
CREATE TABLE guard (
  one INTEGER PRIMARY KEY CHECK (one = 1),
  level INTEGER NOT NULL,   -- how often the fan-out guard has tripped; falls with time
  until REAL NOT NULL,      -- every claim waits until the running time has reached this
  since REAL NOT NULL,      -- running time from which the level falls
  told INTEGER NOT NULL     -- the level that is in the journal
);
"""

_THIRD = """
ALTER TABLE clock ADD COLUMN spent REAL NOT NULL DEFAULT 0;   -- unexplained seconds forward taken since a confirmation
ALTER TABLE clock ADD COLUMN hold REAL NOT NULL DEFAULT 0;    -- nothing is deleted until the running time reaches this
ALTER TABLE clock ADD COLUMN mark REAL NOT NULL DEFAULT 0;    -- time believed when the running time was marked_at
ALTER TABLE clock ADD COLUMN marked_at REAL NOT NULL DEFAULT 0;
UPDATE clock SET mark = latest, marked_at = running;
"""

STATE = Kind(
    name="the state of this device (lockouts, clock, counters)",
    application_id=0x45_56_53_31,  # "EVS1"
    migrations=(_FIRST, _SECOND, _THIRD),
    error=StateError,
    remedy=(
        "the door stays locked; an operator moves the file away, keeps it for examination, and starts again: "
        "lockouts begin anew, and the vault asks to be acknowledged"
    ),
    check=True,
)


def state_database(folder: Path, *, read_only: bool = False) -> SqliteFile:
    """Open, or make, ``state.sqlite3`` in the state directory.

    Args:
        read_only: see `SqliteFile`.

    Raises:
        StateError: damaged, not ours, not writable, of a newer version.
    """
    return SqliteFile(folder / FILE, STATE, read_only=read_only)
