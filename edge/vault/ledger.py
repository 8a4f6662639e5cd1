"""The ledger: one row of the vault that says whose it is, how often it changed, and what its holders' rows sum to.

Beside it, notes of changes that the journal may not have yet: written in the change's own transaction, dropped once the
journal has its entry. They are under the store's MAC and counted in the ledger like a card's row.

    vault.erase(serial, "kim", now_s=now, note=text)     # the change and its note: both, or neither
    ...the journal's entry is written...
    store.journalled(text)                               # the note goes
    store.unjournalled()                                 # after a crash: what has to be told, and what may have been
"""

from __future__ import annotations

import hashlib
import hmac
import sqlite3
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from edge.errors import VaultError
from edge.state import SqliteFile
from edge.vault.schema import FILE, VAULT

KEY_LABEL = "edge/vault/ledger/v1"
"""The job of the key of ledger and rows: ``keyring.derive(KEY_LABEL)``."""


@dataclass(frozen=True, slots=True)
class Ledger:
    """What the row says.

    Attributes:
        device: 16 bytes. counter: changes so far. total: the sum of all holder MACs modulo 2**256 (an additive multiset
            hash). journal: the journal's last entry when it was last changed; 0: not known.
        bound: whether its counter is kept in `edge.state.binding`; under the MAC by another label.
    """

    device: bytes
    counter: int
    total: int
    bound: bool = True
    journal: int = 0

    @classmethod
    def read(cls, db: sqlite3.Connection, device: bytes, key: bytes, where: str) -> Ledger:
        """The row of this device's vault.

        Raises:
            VaultError: another device's, or altered.
        """
        row = db.execute("SELECT device, counter, total, mac, journal FROM ledger WHERE one = 1").fetchone()
        if row is None or row[0] != device:
            raise VaultError(
                "this vault belongs to another device",
                where=where,
                remedy="restore this device's own vault and key (`edge keys show`), or move the file away and enrol",
            )
        try:
            ledger = cls(row[0], row[1], int.from_bytes(row[2], "big"), journal=row[4])
            if not (genuine := hmac.compare_digest(row[3], ledger.mac(key))):
                ledger = replace(ledger, bound=False)
                genuine = hmac.compare_digest(row[3], ledger.mac(key))
        except (TypeError, ValueError, AttributeError, OverflowError):  # SQLite keeps any type in any column
            genuine = False
        if not genuine:
            raise VaultError(
                "the ledger of the vault was altered", where=where, remedy="restore the vault from its backup"
            )
        return ledger

    def write(self, db: sqlite3.Connection, key: bytes) -> None:
        """Put the row in its place, in the caller's transaction."""
        values = (self.device, self.counter, self.total.to_bytes(32, "big"), self.mac(key), self.journal)
        db.execute("INSERT OR REPLACE INTO ledger VALUES (1, ?, ?, ?, ?, ?)", values)

    def mac(self, key: bytes) -> bytes:
        """32 bytes over all fields."""
        label = b"edge/ledger/v3" if self.journal else b"edge/ledger/v2" if self.bound else b"edge/ledger/v1"
        message = label + self.device + self.counter.to_bytes(8, "big") + self.total.to_bytes(32, "big")
        if self.journal:
            message += self.journal.to_bytes(8, "big")
        return hmac.new(key, message, hashlib.sha256).digest()


def device_of(key: bytes) -> bytes:
    """16 bytes that say whose vault it is."""
    return hmac.new(key, b"edge/vault/device/v1", hashlib.sha256).digest()[:16]


def journal_seen(folder: Path, key: bytes) -> int:
    """How far the journal had come when the vault in a folder was last changed; 0: nothing there says so."""
    try:
        with SqliteFile(folder / FILE, VAULT, read_only=True) as file, file.snapshot() as db:
            return Ledger.read(db, device_of(key), key, str(file.path)).journal
    except VaultError:
        return 0


READ_NOTES = "SELECT number, text, after, mac FROM unjournalled ORDER BY number"
_PUT = "INSERT INTO unjournalled (text, after, mac) VALUES (?, ?, ?)"
_NAMED = "SELECT mac FROM unjournalled WHERE text = ?"
_DROP = "DELETE FROM unjournalled WHERE text = ?"


@dataclass(frozen=True, slots=True)
class Note:
    """One change that is made.

    Attributes:
        text: what the caller said of it. after: the journal's last entry at that moment; its own can only be later.
    """

    text: str
    after: int

    def mac(self, key: bytes) -> bytes:
        """32 bytes over all fields."""
        message = b"edge/unjournalled/v1" + self.after.to_bytes(8, "big") + self.text.encode()
        return hmac.new(key, message, hashlib.sha256).digest()

    @classmethod
    def of_row(cls, row: tuple[Any, ...], key: bytes) -> Note:
        """A row of `READ_NOTES` whose MAC holds. Raises `VaultError`."""
        try:
            note = cls(row[1], row[2])
            genuine = hmac.compare_digest(row[3], note.mac(key))
        except (TypeError, ValueError, AttributeError, OverflowError):  # SQLite keeps any type in any column
            genuine = False
        if not genuine:
            raise VaultError(
                "a note of a change was altered", where="vault", remedy="restore the vault from its backup"
            )
        return note


def put_note(db: sqlite3.Connection, note: Note, key: bytes) -> int:
    """Write a note, in the caller's transaction; what it adds to the ledger's total."""
    mac = note.mac(key)
    db.execute(_PUT, (note.text, note.after, mac))
    return int.from_bytes(mac, "big")


def drop_note(db: sqlite3.Connection, text: str) -> int:
    """Delete the notes of a text, in the caller's transaction; what it adds to the ledger's total."""
    macs = db.execute(_NAMED, (text,)).fetchall()
    db.execute(_DROP, (text,))
    return -sum(int.from_bytes(row[0], "big") for row in macs)
