"""How far vault, state and journal have come, so that an older one of them put back is noticed.

    with binding.turn() as announce:        # one process and thread at a time
        announce("vault", before)           # on the disk: the vault goes from `before` to the next number
        ...the change, which also writes the next number into the vault...
                                            # on the disk: it has gone there

Each of the three counts its own changes. ``device.counters`` holds the numbers once more, under a MAC by a key of the
device, in two slots that are written in turn: a power cut in the middle of one leaves the other. After a crash exactly
the step that was announced is found made or not made; `settle` takes it either way. Any other difference means that a
file was put back, and stops claims until an operator acknowledges it.

A folder that is put back as a whole holds numbers that fit together: only a counter outside of it, such as a TPM's,
would show that.
"""

from __future__ import annotations

import fcntl
import hashlib
import hmac
import json
import os
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

from edge.errors import StateError
from edge.files import refusal, sync_folder
from edge.state.database import SqliteFile

FILE = "device.counters"
KEY_LABEL = "edge/counters/v1"
"""The job of its key: ``keyring.derive(KEY_LABEL)``."""
STATE, VAULT, JOURNAL = "state", "vault", "journal"

_SLOT = 256
REMEDY = "restore the right file; or, if a backup was restored on purpose: edge confirm vault --operator NAME"
#: Says that a file goes from a number to the next one.
Announce = Callable[[str, int], None]


@dataclass(frozen=True, slots=True)
class Numbers:
    """What one slot holds.

    Attributes:
        count: of slots written so far. closed: name -> number. begun: name -> the number that it was about to reach.
    """

    count: int = 0
    closed: Mapping[str, int] = field(default_factory=dict)
    begun: Mapping[str, int] = field(default_factory=dict)

    def fits(self, name: str, actual: int) -> bool:
        """Whether a file may have this number: the closed one, or the one that was announced."""
        return name not in self.closed or actual in (self.closed[name], self.begun.get(name))

    def pack(self, key: bytes) -> bytes:
        """One slot."""
        body = json.dumps([self.count, self.closed, self.begun], separators=(",", ":"), sort_keys=True)
        return json.dumps([body, _mac(key, body)]).encode("ascii").ljust(_SLOT - 1) + b"\n"

    @classmethod
    def parse(cls, slot: bytes, key: bytes) -> Numbers | None:
        """A genuine slot, else None, whatever the bytes."""
        try:
            body, mac = json.loads(slot)
            if not hmac.compare_digest(mac, _mac(key, body)):
                return None
            return cls(*json.loads(body))
        except (ValueError, TypeError, AttributeError, RecursionError):
            return None


class Binding:
    """The numbers of one device.

    Args:
        folder: the state directory. key: 32 bytes, derived from the device key (`KEY_LABEL`).
        acknowledged: an operator accepts whatever does not fit; the caller has journalled it by name.

    Attributes:
        acknowledged: as given. vouches: no file was found to be ahead of these numbers, and none is missing from them.

    Raises:
        StateError: it cannot be opened, or holds nothing genuine though it is not empty.
    """

    def __init__(self, folder: Path, key: bytes, *, acknowledged: bool = False) -> None:
        self.path, self._key, self.acknowledged = folder / FILE, key, acknowledged
        self.vouches = True
        self._lock, self._depth = threading.RLock(), 0
        self._numbers = Numbers()
        try:
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._handle = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
            sync_folder(folder)
        except OSError as error:
            raise self._cannot(error) from error
        try:
            with self.turn():
                pass
        except BaseException:
            self.close()
            raise

    @contextmanager
    def turn(self) -> Iterator[Announce]:
        """Be the only one, of all processes and threads, that changes any of the three.

        What was announced inside is closed at the end. After an error it stays announced, since whether the change
        reached the disk is then unknown.

        Raises:
            StateError: the numbers cannot be read or written.
        """
        mine: dict[str, int] = {}

        def announce(name: str, before: int) -> None:
            if not self._numbers.fits(name, before):
                raise self.mismatch(name, before)
            mine[name] = before + 1
            self._write({**self._numbers.closed, name: before}, {**self._numbers.begun, name: before + 1})

        with self._lock:
            self._enter()
            try:
                yield announce
                if mine:
                    begun = {name: to for name, to in self._numbers.begun.items() if name not in mine}
                    self._write({**self._numbers.closed, **mine}, begun)
            finally:
                self._leave()

    def settle(self, name: str, actual: int, *, bound: bool) -> int:
        """Compare a file's own number with the one kept here, after a start. Call it in a turn.

        Args:
            actual: its number. bound: whether the file itself says that its number is kept here.

        Returns:
            The number that the file must have from now on: its own, or after an acknowledged difference a larger one.

        Raises:
            StateError: it does not fit, and this is not acknowledged.
        """
        numbers = self._numbers
        if numbers.fits(name, actual) and not (bound and name not in numbers.closed):
            if numbers.closed.get(name) != actual or name in numbers.begun:
                self.note(name, actual)
            return actual
        if not self.acknowledged:
            raise self.mismatch(name, actual)
        known = max(numbers.closed.get(name, 0), numbers.begun.get(name, 0))
        if name not in numbers.closed or actual > known:
            self._doubt(name)
        return max(actual, known) + 1

    def note(self, name: str, actual: int) -> None:
        """Write a file's number down as it is."""
        begun = {other: to for other, to in self._numbers.begun.items() if other != name}
        self._write({**self._numbers.closed, name: actual}, begun)

    @property
    def blank(self) -> bool:
        """Whether it holds no number at all."""
        return not self._numbers.closed

    def known(self, name: str) -> int:
        """The number that a file has reached at least; 0 when it was never bound."""
        return self._numbers.closed.get(name, 0)

    def exact(self, name: str) -> bool:
        """Whether a file was bound and nothing is announced for it, so that no crash explains a difference."""
        return name in self._numbers.closed and name not in self._numbers.begun

    def mismatch(self, name: str, actual: int) -> StateError:
        """The error for a file whose number does not fit."""
        known = self._numbers.closed.get(name)
        if known is None:
            what = f"the numbers kept of it are missing or were put back ({name}: change {actual})"
        elif actual < known:
            what = f"an older {name} was put back (change {actual}, this device has seen change {known})"
        else:
            what = f"the numbers of this device were put back (they know change {known} of the {name}, it has {actual})"
        return StateError(what, where=str(self.path), remedy=REMEDY)

    def close(self) -> None:
        """Give the file back. Harmless when repeated."""
        with self._lock:
            if self._handle >= 0:
                os.close(self._handle)
                self._handle = -1

    def __enter__(self) -> Binding:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _doubt(self, name: str) -> None:
        """The numbers are older than a file, and no longer vouch for the others.

        What they say of the vault goes, so that it fits by nothing but its own acknowledgement, even when whoever
        acknowledges this file is killed before the vault is reached.
        """
        self.vouches = False
        if name != VAULT:
            closed, begun = (
                {k: v for k, v in of.items() if k != VAULT} for of in (self._numbers.closed, self._numbers.begun)
            )
            self._write(closed, begun)

    def _enter(self) -> None:
        if not self._depth:
            if self._handle < 0:
                raise StateError("it is closed", where=str(self.path), remedy="open it again")
            fcntl.flock(self._handle, fcntl.LOCK_EX)
            try:
                self._numbers = self._read()
            except BaseException:
                fcntl.flock(self._handle, fcntl.LOCK_UN)
                raise
        self._depth += 1

    def _leave(self) -> None:
        self._depth -= 1
        if not self._depth and self._handle >= 0:
            fcntl.flock(self._handle, fcntl.LOCK_UN)

    def _read(self) -> Numbers:
        try:
            data = os.pread(self._handle, 2 * _SLOT, 0)
        except OSError as error:
            raise self._cannot(error) from error
        found = read(data, self._key)
        if found is None and data.strip(b"\0") and not self.acknowledged:
            raise StateError("it is damaged, or another device's", where=str(self.path), remedy=REMEDY)
        return found or Numbers()

    def _write(self, closed: Mapping[str, int], begun: Mapping[str, int]) -> None:
        numbers = replace(self._numbers, count=self._numbers.count + 1, closed=closed, begun=begun)
        try:
            os.pwrite(self._handle, numbers.pack(self._key), _SLOT * (numbers.count % 2))
            os.fdatasync(self._handle)
        except OSError as error:
            raise self._cannot(error) from error
        self._numbers = numbers

    def _cannot(self, error: OSError) -> StateError:
        return refusal(StateError, error, self.path, "it cannot be used")


def peek(folder: Path, key: bytes) -> Numbers:
    """The numbers as they are at this moment, without a lock; empty when there are none.

    A file that is read afterwards has come at least as far as the closed ones say.
    """
    try:
        data = (folder / FILE).read_bytes()
    except OSError:
        return Numbers()
    return read(data, key) or Numbers()


def read(data: bytes, key: bytes) -> Numbers | None:
    """The newer genuine slot of a file; None: there is none."""
    found = [slot for k in (0, _SLOT) if (slot := Numbers.parse(data[k : k + _SLOT], key)) is not None]
    return max(found, key=lambda slot: slot.count, default=None)


def _mac(key: bytes, body: str) -> str:
    return hmac.new(key, b"edge/counters/v1\n" + body.encode("utf-8"), hashlib.sha256).hexdigest()


class Counters:
    """Named monotonic counters.

    Args:
        database: of `state_database`.
    """

    def __init__(self, database: SqliteFile) -> None:
        self._database = database

    def value(self, name: str) -> int:
        """The counter's value; 0 when it was never raised."""
        rows = self._database.read("SELECT value FROM counter WHERE name = ?", (name,))
        return int(rows[0][0]) if rows else 0

    def raise_to(self, name: str, value: int) -> None:
        """Set the counter, synced; it never goes back, and a smaller value changes nothing."""
        with self._database.write() as db:
            db.execute(
                "INSERT INTO counter VALUES (?, ?) ON CONFLICT DO UPDATE SET value = max(value, excluded.value)",
                (name, value),
            )

    def next(self, name: str) -> int:
        """Raise the counter by one, synced, and return it."""
        with self._database.write() as db:
            db.execute("INSERT INTO counter VALUES (?, 1) ON CONFLICT DO UPDATE SET value = value + 1", (name,))
            value: int = db.execute("SELECT value FROM counter WHERE name = ?", (name,)).fetchone()[0]
        return value
