"""Changes of the vault that the journal may not know of yet: noted in the change's own transaction, gone once it does.

    vault.erase(serial, "kim", now_s=now, note=text)     # the change and its note: both, or neither
    ...the journal's entry is written...
    store.journalled(text)                               # the note goes
    store.unjournalled()                                 # after a crash: what has to be told, and what may have been

What a note says is the caller's; here it is a text under the store's own MAC, counted in the ledger like a card's row.
"""

from __future__ import annotations

import hashlib
import hmac
import sqlite3
from dataclasses import dataclass
from typing import Any

from edge.errors import VaultError

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
