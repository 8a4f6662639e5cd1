"""The store: ``vault.sqlite3``, opened for one device, changed only through its ledger.

    with store.change() as change:          # one transaction: rows and ledger, announced in `edge.state.binding`
        change.put(holder, record)
    store.holder(serial)                    # by serial: dates, status, consent; checked against its MAC
    store.template(record_id)               # by record id, and in no other way

The ledger's counter is also kept outside of the vault (`edge.state.binding`), so a vault that was put back shows.
"""

from __future__ import annotations

import hashlib
import hmac
import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import astuple, replace
from pathlib import Path
from types import MappingProxyType
from typing import Any

from edge.errors import ConsentMissing, VaultError
from edge.state import Binding, Counters, Numbers, SqliteFile
from edge.state import binding as bindings
from edge.vault.holder import NEVER, Holder, Status, serial_text
from edge.vault.ledger import READ_NOTES, Ledger, Note, device_of, drop_note, put_note
from edge.vault.schema import DELETE_TEMPLATE, FILE, READ_TEMPLATE, VAULT, WRITE_TEMPLATE

_PIECE = 32  # bytes of a deleted template that are searched for: long enough to occur nowhere else
COUNTER = "vault"
"""Name of the vault's counter in the state of versions before `edge.state.binding`."""

_COLUMNS = (
    "card_serial, record_id, enrolled, not_before, expires, changed, status, receipt, subject, record_digest, model"
)
_PUT = f"INSERT INTO holder ({_COLUMNS}, mac) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"  # noqa: S608
_BY_SERIAL = f"SELECT {_COLUMNS}, mac FROM holder WHERE card_serial = ?"  # noqa: S608
_BY_SUBJECT = f"SELECT {_COLUMNS}, mac FROM holder WHERE subject = ? ORDER BY enrolled"  # noqa: S608
_BY_EXPIRY = f"SELECT {_COLUMNS}, mac FROM holder WHERE expires <= ? OR (enrolled <= ? AND receipt <> '')"  # noqa: S608
_SHARED = "SELECT count(*) FROM holder WHERE subject = ? OR receipt = ?"
_ALL = f"SELECT {_COLUMNS}, mac FROM holder"  # noqa: S608


class Change:
    """The rows of one transaction."""

    def __init__(self, db: sqlite3.Connection, key: bytes, journal: int = 0) -> None:
        self._db, self._key, self._journal = db, key, journal
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
        self._db.execute(_PUT, (*astuple(holder), mac))

    def drop(self, serial: bytes, record_id: bytes | None) -> None:
        """Delete a card's row and record."""
        self.drop_record(record_id)
        self._forget(serial)

    def drop_record(self, record_id: bytes | None) -> None:
        """Delete a record."""
        if record_id is not None:
            self._db.execute(DELETE_TEMPLATE, (record_id,))

    def note(self, text: str) -> None:
        """Say what this change is, for the journal to be told even after a crash; empty: nothing is told."""
        if text:
            self.delta += put_note(self._db, Note(text, self._journal), self._key)

    def drop_note(self, text: str) -> None:
        """Delete what was noted, for the journal knows it."""
        self.delta += drop_note(self._db, text)

    def _forget(self, serial: bytes) -> None:
        row = self._db.execute("SELECT mac FROM holder WHERE card_serial = ?", (serial,)).fetchone()
        if row is not None:
            self.delta -= int.from_bytes(row[0], "big")
            self._db.execute("DELETE FROM holder WHERE card_serial = ?", (serial,))


class Store:
    """The vault's database.

    Args:
        folder: the state directory. key: 32 bytes, derived from the device key, for the ledger and the rows.
        binding: its number is kept there; or, when the vault is only read, what was there before it is read.
        counters: of the state, for a vault of a version before the binding.
        gone: cards that the journal says are gone; where an operator has acknowledged a restored vault they are
            refused in it, too. since: the entry after which the journal is whole; a vault that is older, or that
            nothing vouches for, has every card refused.
        expected: there must be a vault already, since the device has a journal.

    Raises:
        VaultError: damaged, another device's, altered, put back, or missing.
    """

    def __init__(
        self,
        folder: Path,
        key: bytes,
        binding: Binding | Numbers,
        counters: Counters,
        *,
        gone: Mapping[bytes, Status] = MappingProxyType({}),
        since: int = 0,
        expected: bool = False,
    ) -> None:
        self._file = SqliteFile(folder / FILE, VAULT, read_only=isinstance(binding, Numbers))
        self._key, self._counters, self._binding = key, counters, binding
        self._device = device_of(key)
        try:
            if isinstance(binding, Numbers):
                self._compare(binding)
            else:
                self._settle(binding, gone, since, expected=expected)
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
        if isinstance(self._binding, Numbers):
            raise VaultError("it is only read here", where=str(self.path), remedy="use `edge`'s own commands")
        with self._binding.turn() as announce, self._file.write() as db:
            ledger = self._ledger(db)
            announce(bindings.VAULT, ledger.counter)
            change = Change(db, self._key, seen := self._binding.known(bindings.JOURNAL))
            yield change
            total = (ledger.total + change.delta) % 2**256
            Ledger(self._device, ledger.counter + 1, total, journal=seen).write(db, self._key)

    def unjournalled(self) -> list[Note]:
        """The changes that the journal may not know of, in their order. Raises `VaultError`: one was altered."""
        return [Note.of_row(row, self._key) for row in self._file.read(READ_NOTES)]

    def journalled(self, text: str) -> None:
        """The journal knows a change: its note goes."""
        with self.change() as change:
            change.drop_note(text)

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

    def rewrite(self) -> None:
        """Write the database anew, for whatever was deleted without being searched for afterwards."""
        self._file.rebuild()
        self._file.checkpoint()

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
            notes = db.execute(READ_NOTES).fetchall()
        for row in rows:
            _row(row, self._key)
        for note in notes:
            Note.of_row(note, self._key)
        total = sum(int.from_bytes(row[-1], "big") for row in (*rows, *notes))
        if total % 2**256 != ledger.total:
            raise VaultError(
                "a row was removed or put back behind the ledger's back",
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

    def _settle(self, binding: Binding, gone: Mapping[bytes, Status], since: int, *, expected: bool) -> None:
        """Compare the ledger's counter with the one outside; begin a new vault, or bind one of a version before."""
        with binding.turn() as announce:
            with self._file.snapshot() as db:
                new = db.execute("SELECT count(*) FROM ledger").fetchone()[0] == 0
                ledger = Ledger(self._device, 0, 0, bound=False) if new else self._ledger(db)
            if not binding.acknowledged:
                self._need_known(binding, ledger, new=new, expected=expected)
            wanted = binding.settle(bindings.VAULT, ledger.counter, bound=ledger.bound)
            older = not binding.vouches or (wanted != ledger.counter and ledger.journal < since)
            if ledger.bound and wanted == ledger.counter and not older:
                return
            before = ledger.counter if wanted == ledger.counter else wanted - 1
            binding.note(bindings.VAULT, before)
            announce(bindings.VAULT, before)
            with self._file.write() as db:
                change = Change(db, self._key)
                unknown = {row[0]: Status.REVOKED for row in db.execute(_ALL).fetchall()} if older else {}
                for serial, status in (unknown | dict(gone)).items():
                    self._refuse(change, serial, status)
                total = (ledger.total + change.delta) % 2**256
                Ledger(self._device, before + 1, total, journal=binding.known(bindings.JOURNAL)).write(db, self._key)

    def _refuse(self, change: Change, serial: bytes, status: Status) -> None:
        """A card that was revoked, erased or replaced after a backup was made, is so in the restored vault."""
        holder = self.holder(serial) or Holder(serial, None, 0, 0, NEVER, 0)
        if holder.status is Status.ACTIVE:
            change.drop_record(holder.record_id)
            ended = replace(holder, status=status, record_digest=None)
            erased = status is Status.ERASED
            change.put(replace(ended, record_id=None, receipt="", subject=None) if erased else ended)

    def _need_known(self, binding: Binding, ledger: Ledger, *, new: bool, expected: bool) -> None:
        """Raises VaultError, in the vault's own words, where the binding would only speak of numbers."""
        known = binding.known(bindings.VAULT)
        legacy = 0 if known or ledger.bound else self._counters.value(COUNTER)
        if new and (known or legacy or expected):
            times = f"changed {known or legacy} times" if known or legacy else "in use before"
            raise self._differs(f"the vault is missing, though it was {times}")
        if ledger.counter < max(known, legacy):
            what = f"change {ledger.counter}, this device has seen change {max(known, legacy)}"
            raise self._differs(f"an older vault was put back ({what})")
        # of a version before: one step ahead of the state is a power cut between the two commits
        if not known and not ledger.bound and not new and ledger.counter > legacy + 1:
            what = f"it knows change {legacy}, the vault {ledger.counter}"
            raise self._differs(f"the state of this device was put back or lost ({what})")

    def _compare(self, numbers: Numbers) -> None:
        """The same for a vault that is only read, which may have gone on since the numbers were read."""
        with self._file.snapshot() as db:
            counter = self._ledger(db).counter
        known = numbers.closed.get(bindings.VAULT, 0) or self._counters.value(COUNTER)
        if known and not counter:
            raise self._differs(f"the vault is missing, though it was changed {known} times")
        if counter < known:
            what = f"change {counter}, this device has seen change {known}"
            raise self._differs(f"an older vault was put back ({what})")

    def _differs(self, what: str) -> VaultError:
        return VaultError(what, where=str(self.path), remedy=bindings.REMEDY)

    def _ledger(self, db: sqlite3.Connection) -> Ledger:
        if isinstance(self._binding, Numbers) and not db.execute("SELECT count(*) FROM ledger").fetchone()[0]:
            return Ledger(self._device, 0, 0, bound=False)  # read before anything was kept: see `_compare`
        return Ledger.read(db, self._device, self._key, str(self.path))


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
        card = serial_text(row[0]) if isinstance(row[0], bytes) else "unknown"
        raise VaultError(f"the row of card {card} was altered", where="vault", remedy=VAULT.remedy)
    return holder
