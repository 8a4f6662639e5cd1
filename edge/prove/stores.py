"""The stores that the live part works on: a copy that is handed in, one made on the spot, and a weak one.

    with borrowed(Path("copy-of-var-lib-edge")) as store: ...   # copied once more; the given files are never written
    with made(200, os.urandom) as store: ...                    # 200 made-up people, whose tokens are known
    with weak(20, os.urandom) as store: ...                     # deliberately sealed with the device key alone

Records are read as the product reads them, one by one, by the ids in the readable table. What is left in the table of
templates when all of those are deleted from the copy, has no name: a hidden record.
"""

from __future__ import annotations

import os
import shutil
import sqlite3
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from edge.errors import EdgeError, InputError
from edge.prove.model import counted
from edge.prove.trials import Sealed
from edge.state import Binding, state_database
from edge.trust import Keyring, load_device_key
from edge.types import Claim, Custody
from edge.types.inside import _inside
from edge.vault import FILE, Header, Holder, Record, Vault, record_id, subject_hash
from edge.vault.schema import DELETE_TEMPLATE, READ_TEMPLATE, WRITE_TEMPLATE
from edge.vault.seal import SALT_BYTES, seal

_NOW, _YEAR = 1_793_600_000, 365 * 86_400
_MODEL = bytes(range(32))
_DIMENSION = 128
_BATCH = 5000
_TABLES = frozenset({"template", "holder", "ledger"})
_LATER = frozenset({"unjournalled"})  # since version 4 of the vault


@dataclass(frozen=True, slots=True)
class TrialStore:
    """A database that may be spoiled.

    Attributes:
        file: the copy. said: what it is, in words. device_key: 32 bytes, or None when it is not known.
        secrets: record id -> secret of its card, where they are known. keyring: of a store made here.
    """

    file: Path
    said: str
    device_key: bytes | None = field(repr=False, default=None)
    secrets: dict[bytes, bytes] = field(repr=False, default_factory=dict)

    def pairs(self) -> list[tuple[bytes, bytes]]:
        """(record id, card serial) of every card with a record here."""
        with _database(self.file) as db:
            rows = db.execute("SELECT record_id, card_serial FROM holder WHERE record_id IS NOT NULL").fetchall()
        return [(bytes(name), bytes(serial)) for name, serial in rows]

    def read(self, names: list[bytes]) -> Iterator[bytes | None]:
        """The record under each name, one statement each."""
        with _database(self.file) as db:
            for name in names:
                row = db.execute(READ_TEMPLATE, (name,)).fetchone()
                yield bytes(row[0]) if row else None

    def tables(self) -> frozenset[str]:
        """The tables and views of the database."""
        with _database(self.file) as db:
            rows = db.execute("SELECT name FROM sqlite_schema WHERE type IN ('table', 'view', 'trigger')").fetchall()
        return frozenset(str(row[0]) for row in rows)

    def unknown_tables(self) -> list[str]:
        return sorted(self.tables() - _TABLES - _LATER)

    def add_visitor(self, device_key: bytes) -> tuple[Sealed, bytes]:
        """Put a made-up person's record into this copy, and read it back by the id that their card gives.

        Returns:
            The record, and the secret of the card.
        """
        secret, serial = os.urandom(32), os.urandom(16)
        name = record_id(secret)
        vector = np.frombuffer(os.urandom(_DIMENSION), np.int8)
        header = _header(name)
        with _inside():
            sealed = seal(vector, secret=secret, key=device_key, header=header, random_bytes=os.urandom)
        with _database(self.file) as db:
            db.execute(WRITE_TEMPLATE, (name, Record(sealed, bytes(8), bytes(64)).pack()))
            db.commit()
            data = bytes(db.execute(READ_TEMPLATE, (name,)).fetchone()[0])
            db.execute(DELETE_TEMPLATE, (name,))
            db.commit()
        return Sealed.of(name, serial, data), secret

    def left_over(self, names: list[bytes]) -> bool:
        """Delete every named record from this copy: whether anything is left without a name.

        The table is not read for it: the root page of its tree says whether the tree is empty (SQLite's file format,
        section 1.6: an index leaf, page type 10, without cells).
        """
        with _database(self.file) as db:
            for name in names:
                db.execute(DELETE_TEMPLATE, (name,))
            db.commit()
            db.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
            size = int(db.execute("PRAGMA page_size").fetchone()[0])
            root = int(
                db.execute(
                    "SELECT rootpage FROM sqlite_schema WHERE type = 'table' AND name = ?", ("template",)
                ).fetchone()[0]
            )
        with self.file.open("rb") as file:
            file.seek((root - 1) * size)
            page = file.read(size)
        return not (page[0] == 10 and page[3:5] == b"\0\0")


@contextmanager
def _database(file: Path) -> Iterator[sqlite3.Connection]:
    db = sqlite3.connect(file)
    try:
        yield db
    finally:
        db.close()


@contextmanager
def borrowed(path: Path) -> Iterator[TrialStore]:
    """A copy of a copy of a device's store.

    Args:
        path: a copy of the state folder, or of its database alone (then the device's key is not known).

    Raises:
        InputError: no store is there, or it is not one.
    """
    source = path / FILE if path.is_dir() else path
    if not source.is_file():
        raise InputError("there is no store here", where=str(source), remedy=f"name a copy of the folder with {FILE}")
    with tempfile.TemporaryDirectory(prefix="edge-prove-") as folder:
        for suffix in ("", "-wal", "-shm"):
            beside = source.with_name(source.name + suffix)
            if beside.is_file():
                shutil.copyfile(beside, Path(folder) / (FILE + suffix))
        store = TrialStore(Path(folder) / FILE, f"a copy of {path}", _device_key(source.parent))
        try:
            if not store.tables() >= _TABLES:
                raise InputError("this is not a store of this product", where=str(source), remedy="name a copy of it")
        except sqlite3.DatabaseError as error:
            raise InputError("this is no database", where=str(source), remedy="name a copy of the store") from error
        yield store


def _device_key(folder: Path) -> bytes | None:
    try:
        return load_device_key(folder / "device.key")
    except EdgeError:
        return None


@contextmanager
def made(count: int, random_bytes: Callable[[int], bytes], tell: Callable[[int], None]) -> Iterator[TrialStore]:
    """A store of made-up people, written by the product's own vault, whose tokens are known."""

    def card(_: int, __: bytes) -> tuple[bytes, bytes]:
        secret = random_bytes(32)
        return secret, record_id(secret)

    said = f"a store made here, of {counted(count, 'made-up person', 'made-up people')}"
    with _written(count, random_bytes, card, said, tell) as store:
        yield store


@contextmanager
def weak(count: int, random_bytes: Callable[[int], bytes]) -> Iterator[TrialStore]:
    """The same sealed wrongly on purpose: with the device's key alone, as if a card's secret were nothing."""

    def card(k: int, device_key: bytes) -> tuple[bytes, bytes]:
        name = random_bytes(32)
        # three ways of getting it wrong: no secret, the key twice, a secret that stands in the store
        return (bytes(32), device_key, name)[k % 3], name

    with _written(count, random_bytes, card, "a store sealed wrongly on purpose", lambda _: None) as store:
        yield store


@contextmanager
def _written(
    count: int,
    random_bytes: Callable[[int], bytes],
    card: Callable[[int, bytes], tuple[bytes, bytes]],
    said: str,
    tell: Callable[[int], None],
) -> Iterator[TrialStore]:
    """A store written by the product's own vault.

    Args:
        card: number and device key -> the secret that seals, and the record's id.
    """
    with tempfile.TemporaryDirectory(prefix="edge-prove-") as place:
        folder, secrets = Path(place), dict[bytes, bytes]()
        keyring, issuer = Keyring.ephemeral(random_bytes)
        key = keyring.device_key
        vectors = np.frombuffer(random_bytes(64 * _DIMENSION), np.int8).reshape(64, _DIMENSION)
        with state_database(folder) as state, Binding(folder, key) as binding:
            vault = Vault.at(folder, keyring, state, binding)
            for start in range(0, count, _BATCH):
                with vault.store.change() as change:
                    for k in range(start, min(start + _BATCH, count)):
                        (secret, name), serial = card(k, key), random_bytes(16)
                        vector, head = vectors[k % 64], _header(name)
                        with _inside():
                            sealed = seal(vector, secret=secret, key=key, header=head, random_bytes=random_bytes)
                        secrets[name] = secret
                        change.put(_holder(serial, name), Record.sign(sealed, serial, issuer).pack())
                        tell(1)
            vault.close()
        yield TrialStore(folder / FILE, said, key, secrets)


def plain(count: int, random_bytes: Callable[[int], bytes]) -> list[bytes]:
    """Records that were not sealed at all: embeddings where the ciphertext belongs (for a control)."""
    dice = np.random.default_rng(int.from_bytes(random_bytes(8), "big"))
    found = []
    for _ in range(count):
        vector = dice.normal(0, 1, _DIMENSION)
        bits = np.rint(127 * vector / np.abs(vector).max()).astype(np.int8).tobytes()
        found.append(_header(random_bytes(32)).pack() + random_bytes(32) + bits + random_bytes(16 + 8 + 64))
    return found


def claim_for(record: Record, secret: bytes, serial: bytes) -> Claim:
    """The claim that a card with this secret would make, as favourable to the attacker as it can be."""
    header = Header.parse(record.sealed.header)
    return Claim(
        serial=serial,
        credential=1,
        groups=("default",),
        not_before=header.made,
        expires=header.expires,
        custody=Custody.DEVICE,
        issuer=bytes(8),
        site=bytes(16),
        secret=secret,
        sealed=None,
        received_ns=0,
    )


def model_of(record: Record) -> bytes:
    """Digest of the embedder that a record says it was made by."""
    return Header.parse(record.sealed.header).model


def is_sound(record: Record) -> bool:
    """Whether a record has the form of a sealed template: header, salt, and a ciphertext of a fitting length."""
    try:
        header = Header.parse(record.sealed.header)
    except ValueError:
        return False
    return len(record.sealed.salt) == SALT_BYTES and header.references(len(record.sealed.ciphertext)) > 0


def _header(name: bytes) -> Header:
    return Header(Custody.DEVICE, name, _MODEL, _DIMENSION, _NOW, _NOW + _YEAR)


def _holder(serial: bytes, name: bytes) -> Holder:
    subject = subject_hash(serial.hex(), bytes(32))
    return Holder(serial, name, _NOW, _NOW, _NOW + _YEAR, _NOW, receipt="{}", subject=subject)
