"""The ledger: one row of the vault that says whose it is, how often it changed, and what its holders' rows sum to."""

from __future__ import annotations

import hashlib
import hmac
import sqlite3
from dataclasses import dataclass, replace

from edge.errors import VaultError


@dataclass(frozen=True, slots=True)
class Ledger:
    """What the row says.

    Attributes:
        device: 16 bytes. counter: changes so far. total: the sum of all holder MACs modulo 2**256 (an additive multiset
            hash).
        bound: whether its counter is kept in `edge.state.binding`; under the MAC by another label.
    """

    device: bytes
    counter: int
    total: int
    bound: bool = True

    @classmethod
    def read(cls, db: sqlite3.Connection, device: bytes, key: bytes, where: str) -> Ledger:
        """The row of this device's vault.

        Raises:
            VaultError: another device's, or altered.
        """
        row = db.execute("SELECT device, counter, total, mac FROM ledger WHERE one = 1").fetchone()
        if row is None or row[0] != device:
            raise VaultError(
                "this vault belongs to another device",
                where=where,
                remedy="restore this device's own vault and key (`edge keys show`), or move the file away and enrol",
            )
        try:
            ledger = cls(row[0], row[1], int.from_bytes(row[2], "big"))
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
        values = (self.device, self.counter, self.total.to_bytes(32, "big"), self.mac(key))
        db.execute("INSERT OR REPLACE INTO ledger VALUES (1, ?, ?, ?, ?)", values)

    def mac(self, key: bytes) -> bytes:
        """32 bytes over all fields."""
        label = b"edge/ledger/v2" if self.bound else b"edge/ledger/v1"
        message = label + self.device + self.counter.to_bytes(8, "big") + self.total.to_bytes(32, "big")
        return hmac.new(key, message, hashlib.sha256).digest()
