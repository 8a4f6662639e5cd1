"""The store: ``vault.sqlite3``, opened for one device, changed only through its ledger.

    with store.change() as change:          # one transaction: rows, ledger, then the counter in `edge.state`
        change.put(holder, record)
    store.holder(serial)                    # by serial: dates, status, consent; checked against its MAC
    store.template(record_id)               # by record id, and in no other way

The ledger's counter is also kept in the state database, so a vault that was put back shows. The state's counter follows
after the vault's commit: one step behind is a power cut in between, and is healed.
"""

from __future__ import annotations

import hashlib
import hmac
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import astuple, dataclass, replace
from pathlib import Path
from typing import Any

from edge.errors import ConsentMissing, VaultError
from edge.state import Counters, SqliteFile
from edge.vault.holder import Holder, Status
from edge.vault.schema import DELETE_TEMPLATE, FILE, READ_TEMPLATE, VAULT, WRITE_TEMPLATE

_PIECE = 32  # bytes of a deleted template that are searched for: long enough to be nobody else's
COUNTER = "vault"
"""Name of the vault's counter in `edge.state`."""

_COLUMNS = "card_serial, record_id, enrolled, not_before, expires, changed, status, receipt, subject, record_digest"
_BY_SERIAL = f"SELECT {_COLUMNS}, mac FROM holder WHERE card_serial = ?"  # noqa: S608
_BY_SUBJECT = f"SELECT {_COLUMNS}, mac FROM holder WHERE subject = ? ORDER BY enrolled"  # noqa: S608
_BY_EXPIRY = f"SELECT {_COLUMNS}, mac FROM holder WHERE expires <= ? OR (enrolled <= ? AND receipt <> '')"  # noqa: S608
_SHARED = "SELECT count(*) FROM holder WHERE subject = ? OR receipt = ?"
_ALL = f"SELECT {_COLUMNS}, mac FROM holder"  # noqa: S608


@dataclass(frozen=True, slots=True)
class _Ledger:
    """Whose vault, how many changes, and the sum of all holder MACs modulo 2**256 (an additive multiset hash)."""

    device: bytes
    counter: int
    total: int

    def mac(self, key: bytes) -> bytes:
        message = b"edge/ledger/v1" + self.device + self.counter.to_bytes(8, "big") + self.total.to_bytes(32, "big")
        return hmac.new(key, message, hashlib.sha256).digest()


class Change:
    """The rows of one transaction."""

    def __init__(self, db: sqlite3.Connection, key: bytes) -> None:
        self._db, self._key = db, key
        self.delta = 0

    def put(self, holder: Holder, record: bytes | None = None) -> None:
        """Write a card's row, and in device custody its record (None: leave the record as it is).

        Raises:
            ConsentMissing: the card is valid, and there is no consent receipt for it. There is no way around this.
        """
        if holder.status is Status.ACTIVE and not holder.receipt:
            raise ConsentMissing(
                "a valid card needs a consent receipt", where="vault", remedy="enrol with the person's consent"
            )
        if record is not None:
            holder = replace(holder, record_digest=hashlib.sha256(record).digest())
            self._db.execute(WRITE_TEMPLATE, (holder.record_id, record))
        self._forget(holder.serial)
        mac = holder.mac(self._key)
        self.delta += int.from_bytes(mac, "big")
        self._db.execute("INSERT INTO holder VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", (*astuple(holder), mac))

    def drop(self, serial: bytes, record_id: bytes | None) -> None:
        """Delete a card's row and record."""
        self.drop_record(record_id)
        self._forget(serial)

    def drop_record(self, record_id: bytes | None) -> None:
        """Delete a record."""
        if record_id is not None:
            self._db.execute(DELETE_TEMPLATE, (record_id,))

    def _forget(self, serial: bytes) -> None:
        row = self._db.execute("SELECT mac FROM holder WHERE card_serial = ?", (serial,)).fetchone()
        if row is not None:
            self.delta -= int.from_bytes(row[0], "big")
            self._db.execute("DELETE FROM holder WHERE card_serial = ?", (serial,))


class Store:
    """The vault's database.

    Args:
        folder: the state directory. key: 32 bytes, derived from the device key, for the ledger and the rows.
        counters: of `edge.state`, which show a vault that was put back.
        acknowledged_by: an operator who accepts that vault and state do not fit together any more (a backup restored,
            a damaged state set aside); the caller journals it by name.
        read_only: see `SqliteFile`; the counters must be those of a state that is read only as well.

    Raises:
        VaultError: damaged, another device's, altered, put back, or missing.
    """

    def __init__(
        self, folder: Path, key: bytes, counters: Counters, *, acknowledged_by: str = "", read_only: bool = False
    ) -> None:
        self._file = SqliteFile(folder / FILE, VAULT, read_only=read_only)
        self._key, self._counters = key, counters
        self._device = hmac.new(key, b"edge/vault/device/v1", hashlib.sha256).digest()[:16]
        try:
            self._check_counter(acknowledged=bool(acknowledged_by.strip()))
        except BaseException:
            self._file.close()
            raise

    @property
    def path(self) -> Path:
        """The database's file."""
        return self._file.path

    @contextmanager
    def change(self) -> Iterator[Change]:
        """One transaction: on the disk, ledger included, when the block ends; undone when it raises."""
        with self._file.write() as db:
            ledger = self._ledger(db)
            change = Change(db, self._key)
            yield change
            total = (ledger.total + change.delta) % 2**256
            self._write_ledger(db, _Ledger(self._device, ledger.counter + 1, total))
        self._counters.raise_to(COUNTER, ledger.counter + 1)

    def holder(self, serial: bytes) -> Holder | None:
        """The row of a card. Raises `VaultError`: it was altered."""
        found = self._holders(_BY_SERIAL, serial)
        return found[0] if found else None

    def of_subject(self, subject: bytes) -> list[Holder]:
        """The cards of one person, by keyed hash, oldest first."""
        return self._holders(_BY_SUBJECT, subject)

    def expiring(self, until_s: int, made_until_s: int | None = None) -> list[Holder]:
        """The cards that expire at or before a time, or that hold a person enrolled at or before another."""
        return self._holders(_BY_EXPIRY, until_s, -1 if made_until_s is None else made_until_s)

    def template(self, record_id: bytes) -> bytes | None:
        """The record kept under this id, as sealed."""
        rows = self._file.read(READ_TEMPLATE, (record_id,))
        return bytes(rows[0][0]) if rows else None

    def checkpoint(self) -> bool:
        """Empty the write-ahead log, so that nothing deleted stays in it; whether it is empty now."""
        return self._file.checkpoint()

    @property
    def secure_delete(self) -> bool:
        """Whether SQLite overwrites what it deletes, asked of the open database."""
        return bool(self._file.read("PRAGMA secure_delete")[0][0])

    def distinctive(self, holder: Holder) -> list[bytes]:
        """Byte strings of a row and its template that stand nowhere else, to be searched for once they are deleted.

        The row's own MAC is one, whatever the row shares with the person's other cards.
        """
        record = None if holder.record_id is None else self.template(holder.record_id)
        values = [holder.mac(self._key), holder.record_id, record and record[-_PIECE:]]
        if self._file.read(_SHARED, (holder.subject, holder.receipt))[0][0] <= 1:  # people have several cards
            values += [holder.subject, holder.receipt.encode()]
        return [value for value in values if value]

    def scrub(self, values: list[bytes]) -> tuple[bool, int]:
        """Make sure that what was deleted is gone from the files, too.

        ``secure_delete`` overwrites what is deleted, but not the copies of it that SQLite leaves in the free space of a
        page when it moves rows between pages (seen in `tests/vault/test_erasure.py`); rewriting the database does.

        Args:
            values: of `distinctive`, read before the deletion.

        Returns:
            Whether the write-ahead log is empty, and how often any of the values is still found.
        """
        emptied = self._file.checkpoint()
        if self.traces(values):
            with suppress(VaultError):  # another process is in the way; the number that is returned says so
                self._file.rebuild()
            emptied = self._file.checkpoint()
        return emptied, self.traces(values)

    def traces(self, values: list[bytes]) -> int:
        """How often any of some byte strings stands in the database, its free pages included.

        Read through SQLite: opening the file beside it would drop the locks that SQLite holds on it.
        """
        content = self._file.serialized() if values else b""
        return sum(content.count(value) for value in values)

    def check(self) -> None:
        """Read the whole file: pages, ledger, and every holder row (for the self-test, not for every claim).

        Raises:
            VaultError: damage; a row added, removed or edited behind the ledger's back.
        """
        self._file.check()
        with self._file.snapshot() as db:
            ledger = self._ledger(db)
            rows = db.execute(_ALL).fetchall()
        for row in rows:
            _row(row, self._key)
        total = sum(int.from_bytes(row[-1], "big") for row in rows)
        if total % 2**256 != ledger.total:
            raise VaultError(
                "a card's row was removed or put back behind the ledger's back",
                where=str(self.path),
                remedy="restore the vault from its backup, and revoke again what was revoked since",
            )

    def close(self) -> None:
        """Close the file. Harmless when repeated."""
        self._file.close()

    def __enter__(self) -> Store:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _holders(self, sql: str, *values: bytes | int) -> list[Holder]:
        return [_row(row, self._key) for row in self._file.read(sql, values)]

    def _check_counter(self, *, acknowledged: bool) -> None:
        seen = self._counters.value(COUNTER)  # before the ledger: it follows the ledger, never leads
        with self._file.write() as db:
            new = db.execute("SELECT count(*) FROM ledger").fetchone()[0] == 0
            counter = 0 if new else self._ledger(db).counter
            # one step ahead of the state: a power cut between the two commits
            if not acknowledged and not (new and seen == 0) and not 0 <= counter - seen <= 1:
                raise self._mismatch(new, counter, seen)
            if new or counter < seen:
                total = 0 if new else self._ledger(db).total
                counter = max(counter, seen) + 1
                self._write_ledger(db, _Ledger(self._device, counter, total))
        self._counters.raise_to(COUNTER, counter)

    def _mismatch(self, new: bool, counter: int, seen: int) -> VaultError:
        if new:
            what = f"the vault is missing, though it was changed {seen} times"
        elif counter < seen:
            what = f"an older vault was put back (change {counter}, this device has seen change {seen})"
        else:
            what = f"the state of this device was put back or lost (it knows change {seen}, the vault {counter})"
        return VaultError(
            what,
            where=str(self.path),
            remedy="restore the right file; or an operator acknowledges it, and revokes again what was revoked since",
        )

    def _ledger(self, db: sqlite3.Connection) -> _Ledger:
        row = db.execute("SELECT device, counter, total, mac FROM ledger WHERE one = 1").fetchone()
        if row is None or row[0] != self._device:
            raise VaultError(
                "this vault belongs to another device",
                where=str(self.path),
                remedy="restore this device's own vault and key (`edge keys show`), or move the file away and enrol",
            )
        try:
            ledger = _Ledger(row[0], row[1], int.from_bytes(row[2], "big"))
            genuine = hmac.compare_digest(row[3], ledger.mac(self._key))
        except (TypeError, ValueError, AttributeError, OverflowError):  # SQLite keeps any type in any column
            genuine = False
        if not genuine:
            raise VaultError(
                "the ledger of the vault was altered", where=str(self.path), remedy="restore the vault from its backup"
            )
        return ledger

    def _write_ledger(self, db: sqlite3.Connection, ledger: _Ledger) -> None:
        values = (ledger.device, ledger.counter, ledger.total.to_bytes(32, "big"), ledger.mac(self._key))
        db.execute("INSERT OR REPLACE INTO ledger VALUES (1, ?, ?, ?, ?)", values)


def _row(row: tuple[Any, ...], key: bytes) -> Holder:
    """A holder whose MAC holds. Raises `VaultError`."""
    try:
        values: list[Any] = [*row[:-1]]
        values[6] = Status(values[6])
        holder = Holder(*values)
        genuine = hmac.compare_digest(row[-1], holder.mac(key))
    except (TypeError, ValueError, AttributeError, OverflowError):  # SQLite keeps any type in any column
        genuine = False
    if not genuine:
        raise VaultError(
            "a card's row was altered",
            where="vault",
            remedy="restore the vault from its backup, or revoke the card and enrol again",
        )
    return holder
