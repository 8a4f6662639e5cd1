"""Does the journal's chain hold? Reads the whole file, once, and says where it first does not.

A line that is no entry is the trace of a power cut when the next entry is ``recovered`` and names its length and
digest, or when it stands at the very end; anywhere else it is damage. A ``checkpoint`` may stand first: it is what
pruning left of the entries before it.

Entries picked from a journal's file: the newest, those of a time, of a kind, or about one card.

    for entry in entries(path, key, Selection(serial=serial)): ...     # oldest first; the chain is checked on the way
    last(path, key, 20)

Nothing is written, so that a journal on a read-only medium can be read as well.

The self-test's check of the journal.
"""

from __future__ import annotations

import hashlib
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from edge.errors import JournalBroken
from edge.journal import head as heads
from edge.journal.entry import GENESIS, Entry
from edge.journal.head import Head
from edge.selftest import Check


@dataclass(frozen=True, slots=True)
class ChainReport:
    """What a verification found.

    Attributes:
        problem: the first thing that is wrong; empty when the chain holds. line: where, from 1; 0: the file as a whole.
        entries: that hold, checkpoint included. first, last: their sequence numbers; 0 when there are none.
        pruned: entries that were pruned, as the checkpoint says. recovered: lines cut off by a power cut, and noted.
        torn: the last line is cut off and not yet noted; the next start does it.
    """

    problem: str = ""
    line: int = 0
    entries: int = 0
    first: int = 0
    last: int = 0
    pruned: int = 0
    recovered: int = 0
    torn: bool = False

    @property
    def ok(self) -> bool:
        """Whether the chain holds."""
        return not self.problem

    def as_json(self) -> dict[str, Any]:
        """The answer of ``edge journal verify --json``."""
        return {"schema": "edge/journal-report/v1", "ok": self.ok, **asdict(self)}

    def __str__(self) -> str:
        if self.problem:
            return f"line {self.line}: {self.problem}" if self.line else self.problem
        text = f"the chain holds: {self.entries} entries, {self.first} to {self.last}"
        text += f", {self.pruned} older ones pruned" if self.pruned else ""
        text += f", {self.recovered} cut off by a power cut" if self.recovered else ""
        return text + (", the last line cut off" if self.torn else "")


class Broken(Exception):
    """The chain does not hold at a line."""

    def __init__(self, problem: str, line: int = 0) -> None:
        super().__init__(problem)
        self.problem, self.line = problem, line


@dataclass(slots=True)
class Walk:
    """Checks entries one after the other, and counts them."""

    key: bytes
    expected: Head
    entries: int = 0
    first: int = 0
    pruned: int = 0
    recovered: int = 0
    torn: bytearray = field(default_factory=bytearray)
    number: int = 0

    def line(self, raw: bytes) -> Entry | None:
        """Take the next line, newline included; the entry, or None for a line that was cut off.

        Raises:
            Broken: the chain does not hold here.
        """
        self.number += 1
        entry = self._parse(raw)
        if entry is None:
            self.torn += raw
            return None
        self._place(entry)
        self._close_torn(entry)
        self.entries, self.first = self.entries + 1, self.first or entry.seq
        self.expected = Head(entry.seq, entry.link)
        return entry

    def _parse(self, raw: bytes) -> Entry | None:
        try:
            entry = Entry.parse(raw.removesuffix(b"\n"))
        except ValueError:
            return None
        if not raw.endswith(b"\n"):
            return None
        if not entry.genuine(self.key):
            raise Broken(f"entry {entry.seq} was altered, or not written by this device", self.number)
        return entry

    def _place(self, entry: Entry) -> None:
        if entry.kind == "checkpoint":
            if self.number != 1:
                raise Broken("a checkpoint that does not stand first", self.number)
            self.pruned = int(entry.fields.get("entries", 0))
        elif entry.seq != self.expected.seq + 1:
            raise Broken(f"entry {self.expected.seq + 1} is missing", self.number)
        elif entry.prev != self.expected.link:
            raise Broken(f"entry {entry.seq} does not follow the entry before it", self.number)

    def _close_torn(self, entry: Entry) -> None:
        if not self.torn:
            return
        noted = (entry.fields.get("bytes"), entry.fields.get("digest")) if entry.kind == "recovered" else None
        # the newline after a line that was cut off is written when it is noted
        if noted not in (_trace(self.torn), _trace(self.torn.removesuffix(b"\n"))):
            raise Broken("a line that is not an entry", self.number - 1)
        self.torn, self.recovered = bytearray(), self.recovered + 1


def verify(path: Path, head_path: Path, key: bytes, *, at_least: int = 0) -> ChainReport:
    """Check a journal file against its head.

    Args:
        path, head_path: the two files. key: 32 bytes, derived from the device key.
        at_least: entries that this device is known to have written (the counter in `edge.state`).

    Returns:
        The report; never raises for what is in the files, nor when they are missing.
    """
    walk = Walk(key, Head(0, GENESIS))
    try:
        head = heads.read(head_path, key)
        for _ in read(path, walk):
            pass
        check_end(walk.expected, head, path, head_path, at_least)
    except Broken as broken:
        return _report(walk, broken.problem, broken.line)
    except OSError as error:
        return _report(walk, f"cannot be read: {error.strerror or type(error).__name__}", 0)
    return _report(walk, "", 0)


def read(path: Path, walk: Walk) -> Iterator[tuple[Entry, bytes]]:
    """The entries of a file that hold, with their lines. Raises `Broken`, `OSError`."""
    if not path.exists():
        return
    with path.open("rb") as file:
        for raw in file:
            entry = walk.line(raw)
            if entry is not None:
                yield entry, raw


def check_end(last: Head, head: Head | None, path: Path, head_path: Path, at_least: int) -> None:
    """Return when the last entry is the one that the head names, or the one after it.

    Args:
        last: of the journal file. head: of the head file, None when it names none. at_least: see `verify`.

    Raises:
        Broken: cut off, put back, or not belonging together.
    """
    if head is None:
        if head_path.exists() and head_path.stat().st_size:
            raise Broken("the head file is damaged, or not this device's")
        if last.seq > 1:  # one entry without a head: a power cut right after the very first
            raise Broken("the head file is missing")
    elif not path.exists():
        raise Broken(f"the journal is missing; its last entry was {head.seq}")
    elif last.seq < head.seq:
        raise Broken(f"the end is missing: it ends at entry {last.seq}, the last one was {head.seq}")
    elif last.seq > head.seq + 1 or (last.seq == head.seq and last.link != head.link):
        raise Broken("journal and head file do not belong together")
    if last.seq < at_least:
        raise Broken(f"an older journal was put back: it ends at entry {last.seq}, this device has written {at_least}")


def _report(walk: Walk, problem: str, line: int) -> ChainReport:
    return ChainReport(
        problem,
        line,
        walk.entries,
        walk.first,
        walk.expected.seq if walk.entries else 0,
        walk.pruned,
        walk.recovered,
        bool(walk.torn) and not problem,
    )


def trace(torn: bytes) -> dict[str, str | int]:
    """The fields of a ``recovered`` entry about a line that was cut off."""
    length, digest = _trace(torn)
    return {"bytes": length, "digest": digest}


def _trace(torn: bytes | bytearray) -> tuple[int, str]:
    return len(torn), hashlib.sha256(torn).hexdigest()[:16]


_SERIALS = ("serial", "replaces")  # a renewal names the card that it replaces as well


@dataclass(frozen=True, slots=True)
class Selection:
    """Which entries are wanted; everything unless it says otherwise.

    Attributes:
        since, before: Unix seconds; the first moment that counts, and the first that does not any more.
        kinds: of `edge.journal.kinds`; empty: all. serial: 16 bytes; entries that name this card.
    """

    since: int | None = None
    before: int | None = None
    kinds: tuple[str, ...] = ()
    serial: bytes | None = None

    def holds(self, entry: Entry) -> bool:
        """Whether an entry is wanted."""
        return (
            (self.since is None or entry.at >= self.since)
            and (self.before is None or entry.at < self.before)
            and (not self.kinds or entry.kind in self.kinds)
            and (self.serial is None or any(entry.fields.get(name) == self.serial.hex() for name in _SERIALS))
        )


def entries(path: Path, key: bytes, selection: Selection | None = None) -> Iterator[Entry]:
    """The wanted entries of a journal file, oldest first.

    Args:
        path: the journal's file. key: 32 bytes, derived from the device key (`KEY_LABEL`).

    Raises:
        JournalBroken: while it is read: the chain does not hold, or the file cannot be read.
    """
    wanted = selection or Selection()
    try:
        yield from (entry for entry, _ in read(path, Walk(key, Head())) if wanted.holds(entry))
    except Broken as broken:
        raise JournalBroken(broken.problem, where=str(path), remedy="see `edge journal verify`") from None
    except OSError as error:
        raise JournalBroken(
            f"cannot be read: {error.strerror or type(error).__name__}", where=str(path), remedy="check the disk"
        ) from error


def last(path: Path, key: bytes, count: int, selection: Selection | None = None) -> list[Entry]:
    """The newest wanted entries, oldest first; see `entries`."""
    return list(deque(entries(path, key, selection), maxlen=max(count, 0)))


def checks(verify: Callable[[], ChainReport]) -> list[Check]:
    """What is checked. ``verify``: checks the whole chain, or raises."""
    return [
        Check(
            "journal",
            "no entry was altered, left out, added or cut off",
            lambda: _chain(verify()),
            limit="a whole chain",
        )
    ]


def _chain(report: ChainReport) -> str:
    if not report.ok:
        raise JournalBroken(
            report.problem,
            where="journal",
            remedy="find out who changed it (`edge journal verify` names the line); then a new one begins, and the old "
            "files are kept: edge journal begin --operator NAME",
        )
    return str(report)
