"""The head file: which entry is the last, so that a journal that was cut off shows.

Two slots of fixed size, written in turn and synced; a power cut in the middle of one leaves the other. An entry is
written before its head, so the head is at most one entry behind.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import os
from dataclasses import dataclass
from pathlib import Path

from edge.journal.entry import GENESIS

SLOT = 256


@dataclass(frozen=True, slots=True)
class Head:
    """The last entry: its number, and what the next one's ``prev`` will be."""

    seq: int = 0
    link: str = GENESIS

    def pack(self, key: bytes) -> bytes:
        """One slot."""
        data = json.dumps({"seq": self.seq, "link": self.link, "mac": _mac(self, key)}).encode("ascii")
        return data.ljust(SLOT - 1) + b"\n"


def read(path: Path, key: bytes) -> Head | None:
    """The newest genuine slot, or None.

    Raises:
        OSError: the file is there and cannot be read.
    """
    try:
        data = path.read_bytes()[: 2 * SLOT]
    except FileNotFoundError:
        return None
    found = [head for k in (0, SLOT) if (head := _slot(data[k : k + SLOT], key)) is not None]
    return max(found, key=lambda head: head.seq, default=None)


def write(handle: int, head: Head, key: bytes) -> None:
    """Write the slot that is due to an open file, and sync it. Raises `OSError`."""
    os.pwrite(handle, head.pack(key), SLOT * (head.seq % 2))
    os.fdatasync(handle)


def _slot(data: bytes, key: bytes) -> Head | None:
    try:
        content = json.loads(data)
        head = Head(content["seq"], content["link"])
        genuine = type(head.seq) is int and hmac.compare_digest(content["mac"], _mac(head, key))
    except (ValueError, KeyError, TypeError, RecursionError):
        return None
    return head if genuine else None


def _mac(head: Head, key: bytes) -> str:
    message = f"edge/journal/head/v1\n{head.seq}\n{head.link}".encode()
    return hmac.new(key, message, hashlib.sha256).hexdigest()
