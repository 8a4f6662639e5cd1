"""The entries about one card, for the person whose card it is, and for the receipt of their erasure."""

from __future__ import annotations

from pathlib import Path

from edge.errors import JournalBroken
from edge.journal.entry import Entry
from edge.journal.head import Head
from edge.journal.verify import Broken, Walk, read

_NAMES = ("serial", "replaces")


def about(path: Path, key: bytes, serial: bytes) -> list[Entry]:
    """The entries of a journal file that name a card, oldest first.

    Args:
        path: the journal's file. key: 32 bytes, derived from the device key (`KEY_LABEL`). serial: 16 bytes.

    Raises:
        JournalBroken: the chain does not hold, or the file cannot be read.
    """
    wanted = serial.hex()
    try:
        entries = [entry for entry, _ in read(path, Walk(key, Head()))]
    except Broken as broken:
        raise JournalBroken(broken.problem, where=str(path), remedy="see `edge journal verify`") from None
    except OSError as error:
        raise JournalBroken(
            f"cannot be read: {error.strerror or type(error).__name__}", where=str(path), remedy="check the disk"
        ) from error
    return [entry for entry in entries if any(entry.fields.get(name) == wanted for name in _NAMES)]
