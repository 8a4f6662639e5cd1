"""The state: the tables of ``state.sqlite3``, one script a version, and the number of its last change.

Once it is bound (`edge.state.binding`) every change raises that number, in the same transaction, together with a MAC
over the content, so that neither an older state nor an edited row goes unnoticed.
"""

from __future__ import annotations

import hashlib
import hmac
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from edge.errors import StateError
from edge.state import binding as bindings
from edge.state.binding import Binding
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

_FOURTH = """
CREATE TABLE step (
  one INTEGER PRIMARY KEY CHECK (one = 1),
  value INTEGER NOT NULL,   -- number of the last change
  version INTEGER NOT NULL, -- of these tables when it was made
  mac BLOB NOT NULL,        -- over the two
  content BLOB NOT NULL     -- MAC over every other table
);
"""

_FIFTH = """
CREATE TABLE pin (
  card BLOB PRIMARY KEY,    -- keyed hash of the card's serial
  salt BLOB NOT NULL,
  hash BLOB NOT NULL,       -- Argon2id of the PIN, with a pepper of this device
  expires INTEGER NOT NULL  -- with the card, Unix seconds
) WITHOUT ROWID;
"""

_SIXTH = """
CREATE TABLE pin_alone (
  name BLOB PRIMARY KEY,    -- of a PIN, by Argon2id with a key of this device: found by it, never searched
  sealed BLOB NOT NULL,     -- the card, under the PIN and that key
  card BLOB NOT NULL UNIQUE,-- keyed hash of the card's serial
  expires INTEGER NOT NULL  -- with the card, Unix seconds
) WITHOUT ROWID;
CREATE TABLE pin_tries (
  one INTEGER PRIMARY KEY CHECK (one = 1),
  level REAL NOT NULL,      -- wrong PINs that have not been forgotten yet
  running REAL NOT NULL     -- as of this time of running, seconds
);
"""
#: With every change, how far the journal had come, for a day on which the numbers beside it are gone.
_SEEN = "INSERT INTO counter VALUES (?, ?) ON CONFLICT DO UPDATE SET value = max(value, excluded.value)"
_CONTENT = (
    "SELECT * FROM clock",
    "SELECT * FROM limits ORDER BY card",
    "SELECT * FROM counter ORDER BY name",
    "SELECT * FROM fan_out ORDER BY card",
    "SELECT * FROM guard",
    "SELECT * FROM pin ORDER BY card",
    "SELECT * FROM pin_alone ORDER BY name",
    "SELECT * FROM pin_tries",
)

STATE = Kind(
    name="the state of this device (lockouts, clock, counters)",
    application_id=0x45_56_53_31,  # "EVS1"
    migrations=(_FIRST, _SECOND, _THIRD, _FOURTH, _FIFTH, _SIXTH),
    error=StateError,
    remedy=(
        "the door stays locked until an operator begins anew, by name: edge confirm state --operator NAME; the damaged "
        "file is kept, lockouts begin anew, and the vault is acknowledged"
    ),
    check=True,
)


class StateFile(SqliteFile):
    """The state database; see `SqliteFile`."""

    _binding: Binding | None = None
    _key = b""

    def tie(self, binding: Binding, key: bytes) -> None:
        """Check its number and its content, and count every change from now on.

        Args:
            key: 32 bytes, derived from the device key.

        Raises:
            StateError: it was put back or edited, and this is not acknowledged.
        """
        with binding.turn() as announce:
            with self.snapshot() as db:
                value, genuine = self._step(db, key)
            wanted = binding.settle(bindings.STATE, value, bound=bool(value))
            if not genuine and wanted == value and not binding.acknowledged:
                raise StateError("it was edited", where=str(self.path), remedy=bindings.REMEDY)
            self._binding, self._key = binding, key
            if value == 0 or wanted != value or not genuine:
                before = value if wanted == value else wanted - 1
                binding.note(bindings.STATE, before)
                announce(bindings.STATE, before)
                with super().write() as db:
                    self._write_step(db, before + 1)

    @contextmanager
    def write(self) -> Iterator[sqlite3.Connection]:
        """See `SqliteFile.write`; also the next number, once it is bound."""
        if self._binding is None:
            with super().write() as db:
                yield db
            return
        with self._binding.turn() as announce, super().write() as db:
            before = self._value(db)
            announce(bindings.STATE, before)
            yield db
            db.execute(_SEEN, (bindings.JOURNAL, self._binding.known(bindings.JOURNAL)))
            self._write_step(db, before + 1)

    def _step(self, db: sqlite3.Connection, key: bytes) -> tuple[int, bool]:
        """The number of the last change, 0 before the first one; and whether number and content are genuine."""
        row = db.execute("SELECT value, version, mac, content FROM step").fetchone()
        if row is None:
            return 0, True
        value, version, mac, content = row
        if type(value) is not int:
            return -1, False
        try:
            genuine = hmac.compare_digest(mac, _mac(key, value, version))
            # tables that were migrated since look different; their next change writes the MAC anew
            if genuine and version == len(STATE.migrations):
                genuine = hmac.compare_digest(content, _content_mac(db, key, value))
        except (TypeError, ValueError, AttributeError, OverflowError):  # SQLite keeps any type in any column
            genuine = False
        return value, genuine

    @staticmethod
    def _value(db: sqlite3.Connection) -> int:
        row = db.execute("SELECT value FROM step").fetchone()
        return int(row[0]) if row else 0

    def _write_step(self, db: sqlite3.Connection, value: int) -> None:
        version = len(STATE.migrations)
        macs = _mac(self._key, value, version), _content_mac(db, self._key, value)
        db.execute("INSERT OR REPLACE INTO step VALUES (1, ?, ?, ?, ?)", (value, version, *macs))


def _mac(key: bytes, value: int, version: int) -> bytes:
    return hmac.new(key, f"edge/state/step/v1 {value} {version}".encode(), hashlib.sha256).digest()


def _content_mac(db: sqlite3.Connection, key: bytes, value: int) -> bytes:
    """Over every row of every table; those of ``limits`` are the cards that failed and have not passed since."""
    mac = hmac.new(key, f"edge/state/content/v1 {value}\n".encode(), hashlib.sha256)
    for statement in _CONTENT:
        mac.update(f"{statement} {db.execute(statement).fetchall()!r}\n".encode())
    return mac.digest()


def state_database(folder: Path, *, read_only: bool = False) -> StateFile:
    """Open, or make, ``state.sqlite3`` in the state directory.

    Args:
        read_only: see `SqliteFile`.

    Raises:
        StateError: damaged, not ours, not writable, of a newer version.
    """
    return StateFile(folder / FILE, STATE, read_only=read_only)
