"""Entries picked from a journal's file: the newest, those of a time, of a kind, or about one card.

    for entry in entries(path, key, Selection(serial=serial)): ...     # oldest first; the chain is checked on the way
    last(path, key, 20)

Nothing is written, so that a journal on a read-only medium can be read as well.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from edge.errors import JournalBroken
from edge.journal.entry import Entry
from edge.journal.head import Head
from edge.journal.verify import Broken, Walk, read

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
