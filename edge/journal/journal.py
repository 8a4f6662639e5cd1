"""The journal of a running device: append, recover after a power cut, prune by age.

    journal.write("started", version="0.1.0", profile="device")     # returns when it is on the disk
    journal.decided(decision)
    journal.prune(before_s)                                          # older entries go, a signed checkpoint stays

Every entry is appended and synced, then the head. Threads share one `Journal`; processes (an operator's command beside
the service) share the files through a lock file, and notice each other's entries.
"""

from __future__ import annotations

import fcntl
import os
import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from pathlib import Path

from edge.errors import JournalBroken
from edge.files import sync_folder, write_atomic
from edge.journal import head as heads
from edge.journal.entry import GENESIS, MAX_LINE, Entry
from edge.journal.head import Head
from edge.journal.kinds import Value, check
from edge.journal.verify import Broken, ChainReport, Selection, Walk, check_end, entries, last, read, trace, verify
from edge.types import Decision

FILE, HEAD, LOCK = "journal.jsonl", "journal.head", "journal.lock"
KEY_LABEL = "edge/journal/v1"
"""The job of the journal's key: ``keyring.derive(KEY_LABEL)``."""

_TAIL = 16 * MAX_LINE
"""Bytes at the end of the file that are searched for its last entry first; twice as many each time it is not there."""

_REMEDY = "keep the files for examination, then begin anew with `edge journal begin --operator NAME`"


#: One process at a time changes vault, state and journal; says from which number it goes to the next.
Turn = Callable[[], AbstractContextManager[Callable[[str, int], None]]]


class Journal:
    """One device's journal.

    Args:
        folder: the state directory, made when missing (0700).
        key: 32 bytes, derived from the device key (`KEY_LABEL`).
        now: the trusted time, Unix seconds.
        at_least: entries that this device is known to have written (`edge.state.binding`).
        turn: of the binding; every entry is announced in one. exact: nothing is announced, so no crash explains that
            the head is behind.

    Raises:
        JournalBroken: cut off, put back, missing, or not writable. A line cut off by a power cut is noted instead.
    """

    def __init__(
        self,
        folder: Path,
        key: bytes,
        *,
        now: Callable[[], int],
        at_least: int = 0,
        turn: Turn = lambda: nullcontext(lambda name, before: None),
        exact: bool = False,
    ) -> None:
        self.path, self.head_path = folder / FILE, folder / HEAD
        self._key, self._now, self._lock = key, now, threading.RLock()
        self._head, self._seen = Head(), (0, 0)
        self._lock_file, self._turn = -1, turn
        with self._typed():
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._lock_file = _open(folder / LOCK)
        try:
            with self._turn() as announce, self._exclusive():
                self._resume(at_least, announce, exact=exact)
        except BaseException:
            self.close()
            raise

    @property
    def sequence(self) -> int:
        """Number of the last entry, as far as this process knows."""
        return self._head.seq

    def write(self, kind: str, **fields: Value) -> Entry:
        """Append an entry; on the disk when this returns.

        Args:
            kind, fields: see `edge.journal.kinds`.

        Raises:
            JournalBroken: no such kind or field, the files were tampered with, or the disk is full.
        """
        check(kind, fields)
        with self._turn() as announce, self._exclusive():
            if self._stamp() != self._seen:  # another process wrote, or a write of ours was cut off
                self._resume(self._head.seq, announce)
            return self._append(kind, fields, announce)

    def decided(self, decision: Decision) -> Entry:
        """Append a decision: outcome, reason, card, counts; never a score."""
        fields: dict[str, Value] = {
            "outcome": decision.outcome.value,
            "reason": decision.reason.value,
            "serial": decision.serial,
            "frames": decision.frames_looked_at,
            "looks": decision.looks,
            "session_ms": int(decision.timings_ms.get("session", 0.0)),
        }
        if decision.credential is not None:
            fields["credential"] = decision.credential
        if decision.session:
            fields["session"] = decision.session[:32]
        return self.write("decision", **fields)

    def verify(self, *, at_least: int = 0) -> ChainReport:
        """Check the whole chain; see `edge.journal.verify`."""
        with self._exclusive():
            return verify(self.path, self.head_path, self._key, at_least=max(at_least, self._head.seq))

    def last(self, count: int) -> list[Entry]:
        """The newest entries, oldest first. Raises `JournalBroken`: the chain does not hold."""
        with self._exclusive():
            return last(self.path, self._key, count)

    def about(self, serial: bytes) -> list[Entry]:
        """The entries that name a card, oldest first. Raises `JournalBroken`: the chain does not hold."""
        with self._exclusive():
            return list(entries(self.path, self._key, Selection(serial=serial)))

    def prune(self, before_s: int) -> int:
        """Drop the entries older than a time; a checkpoint in their place lets the rest still verify.

        Args:
            before_s: Unix seconds; call only with confirmed time.

        Returns:
            How many entries went.

        Raises:
            JournalBroken: the chain does not hold; nothing is pruned then, so that pruning never hides it.
        """
        with self._turn() as announce, self._exclusive(), self._typed():
            self._resume(self._head.seq, announce)
            # the walk checks the whole chain before anything is replaced
            walk = Walk(self._key, Head())
            dropped, last, kept = 0, Head(0, GENESIS), b""
            for entry, raw in read(self.path, walk):
                if not kept and entry.at < before_s:
                    dropped += entry.kind != "checkpoint"
                    last = Head(entry.seq, entry.link)
                elif entry.kind != "checkpoint":
                    kept += raw
            if dropped:
                self._replace(last, walk.pruned + dropped, kept)
                self._append("pruned", {"through": last.seq, "entries": dropped}, announce)
            return dropped

    def close(self) -> None:
        """Give the lock file back. Harmless when repeated."""
        with self._lock:
            if self._lock_file >= 0:
                os.close(self._lock_file)
                self._lock_file = -1

    def __enter__(self) -> Journal:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _append(self, kind: str, fields: dict[str, Value], announce: Callable[[str, int], None]) -> Entry:
        entry = Entry.make(self._head.seq + 1, self._now(), kind, fields, self._head.link, self._key)
        announce("journal", self._head.seq)
        self._seen = (0, 0)  # until it is written completely, nothing is known of the file
        with self._typed():
            self._add(entry.line())
            self._point(Head(entry.seq, entry.link))
        return entry

    def _add(self, data: bytes) -> None:
        handle = _open(self.path, os.O_APPEND)
        try:
            written = 0
            while written < len(data):
                written += os.write(handle, data[written:])
            os.fdatasync(handle)
        finally:
            os.close(handle)

    def _point(self, head: Head) -> None:
        handle = _open(self.head_path)
        try:
            heads.write(handle, head, self._key)
        finally:
            os.close(handle)
        self._head, self._seen = head, self._stamp()

    def _replace(self, last: Head, entries: int, kept: bytes) -> None:
        checkpoint = Entry.make(last.seq, self._now(), "checkpoint", {"entries": entries}, last.link, self._key)
        write_atomic(self.path, checkpoint.line() + kept, mode=0o600)

    def _resume(self, at_least: int, announce: Callable[[str, int], None], *, exact: bool = False) -> None:
        """Find the end of the files as they are now; note a line that was cut off."""
        with self._typed():
            head = heads.read(self.head_path, self._key)
            last, torn = self._end()
            check_end(last, head, self.path, self.head_path, at_least)
            if exact and (head or Head()).seq != last.seq:
                raise Broken("the head file was put back: it names an entry before the last one")
            self._head = last
            if torn:
                torn = self._complete(torn)
            if torn:
                if not torn.endswith(b"\n"):
                    self._add(b"\n")
                self._append("recovered", trace(torn), announce)
            elif head != self._head and self._head.seq:
                self._point(self._head)
            if head is None and not self._head.seq:
                os.close(_open(self.path))
                sync_folder(self.path.parent)
            self._seen = self._stamp()

    def _end(self) -> tuple[Head, bytes]:
        """The last genuine entry, and what stands after it."""
        if not self.path.exists():
            return Head(), b""
        with self.path.open("rb") as file:
            size, length = file.seek(0, os.SEEK_END), _TAIL
            while True:
                start = file.seek(max(0, size - length))
                lines = file.readlines()[1 if start else 0 :]  # it may begin in the middle of a line
                for index in reversed(range(len(lines))):
                    entry = _genuine(lines[index], self._key)
                    if entry is not None:
                        return Head(entry.seq, entry.link), b"".join(lines[index + 1 :])
                if not start:
                    return Head(), b"".join(lines)
                # a power cut may leave any number of zeros behind the last entry, as ext4 and f2fs do
                length *= 2

    def _complete(self, torn: bytes) -> bytes:
        """A last line that lacks nothing but its newline is an entry; returns what is torn all the same."""
        try:
            entry = Entry.parse(torn)
        except ValueError:
            return torn
        if entry.genuine(self._key) and entry.seq == self._head.seq + 1 and entry.prev == self._head.link:
            self._add(b"\n")
            self._point(Head(entry.seq, entry.link))
            return b""
        return torn

    def _stamp(self) -> tuple[int, int]:
        try:
            status = self.path.stat()
        except FileNotFoundError:
            return (0, -1)
        return status.st_ino, status.st_size

    @contextmanager
    def _exclusive(self) -> Iterator[None]:
        with self._lock:
            if self._lock_file < 0:
                raise JournalBroken("it is closed", where=str(self.path), remedy="open it again")
            fcntl.flock(self._lock_file, fcntl.LOCK_EX)
            try:
                yield
            finally:
                fcntl.flock(self._lock_file, fcntl.LOCK_UN)

    @contextmanager
    def _typed(self) -> Iterator[None]:
        try:
            yield
        except Broken as broken:
            raise _broken(broken.problem, self.path) from None
        except OSError as error:
            reason = (error.strerror or type(error).__name__).lower()
            raise JournalBroken(
                f"cannot be written: {reason}", where=str(self.path), remedy="check the disk"
            ) from error


def begin_anew(
    folder: Path, key: bytes, *, now: Callable[[], int], operator: str, stamp: str, at_least: int = 0
) -> Journal:
    """Set a broken journal aside and begin a new one, whose numbers go on; nothing is deleted.

    Args:
        operator: who does it; written into the new journal. stamp: appended to the old files' names.

    Raises:
        JournalBroken: no operator, or not writable.
    """
    check("began", {"operator": operator})
    head = heads.read(folder / HEAD, key)
    after = max(at_least, head.seq if head is not None else 0)
    for name in (FILE, HEAD):
        path = folder / name
        if path.exists():
            path.rename(path.with_name(f"{name}.broken-{stamp}"))
    journal = Journal(folder, key, now=now)
    with journal._exclusive(), journal._typed():
        journal._replace(Head(after, GENESIS), 0, b"")
        journal._point(Head(after, GENESIS))
        journal._append("began", {"operator": operator, "after": after}, lambda name, before: None)
    return journal


def _genuine(raw: bytes, key: bytes) -> Entry | None:
    try:
        entry = Entry.parse(raw.removesuffix(b"\n"))
    except ValueError:
        return None
    return entry if raw.endswith(b"\n") and entry.genuine(key) else None


def _broken(problem: str, path: Path) -> JournalBroken:
    return JournalBroken(problem, where=str(path), remedy=_REMEDY)


def _open(path: Path, flags: int = 0) -> int:
    handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW | flags, 0o600)
    if os.fstat(handle).st_mode & 0o077:
        os.fchmod(handle, 0o600)
    return handle
