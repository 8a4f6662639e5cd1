"""One entry: a line of canonical JSON, chained to the one before it.

    {"at":1790000000,"fields":{"operator":"olga","serial":"00.."},"hash":"..","kind":"revoked","mac":"..","prev":"..","seq":7}

    hash = SHA-256("edge/journal/v1\\n" + the line without hash and mac)       anybody can check the chain
    mac  = the first 16 bytes of HMAC-SHA256(device's journal key, hash)      only the device can add to it

There is one spelling of an entry: sorted keys, no spaces, ASCII. Another spelling of the same content is refused.
"""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from edge.journal.kinds import Value

GENESIS = "0" * 64
"""``prev`` of the very first entry."""

MAX_LINE = 4096
_KEYS = {"seq", "at", "kind", "fields", "prev", "hash", "mac"}
_MAC_BYTES = 16


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry of the journal.

    Attributes:
        seq: counts up by one, from 1. at: Unix seconds of the trusted time.
        kind, fields: see `edge.journal.kinds`.
        prev: hash of the entry before, 64 hex digits. hash, mac: see the module docstring.
    """

    seq: int
    at: int
    kind: str
    fields: Mapping[str, Value]
    prev: str
    hash: str
    mac: str

    @classmethod
    def make(cls, seq: int, at: int, kind: str, fields: Mapping[str, Value], prev: str, key: bytes) -> Entry:
        """A new entry with its hash and MAC."""
        digest = _hash(seq, at, kind, fields, prev)
        return cls(seq, at, kind, dict(fields), prev, digest.hex(), _mac(digest, key))

    def line(self) -> bytes:
        """The line, with its newline."""
        return _canonical({name: getattr(self, name) for name in _KEYS}) + b"\n"

    @classmethod
    def parse(cls, line: bytes) -> Entry:
        """Read a line without its newline. Raises `ValueError`, and nothing else, whatever the bytes."""
        if len(line) > MAX_LINE:
            raise ValueError("too long for an entry")
        try:
            data: Any = json.loads(line)
        except RecursionError:
            raise ValueError("nested") from None
        if not isinstance(data, dict) or set(data) != _KEYS:
            raise ValueError("not an entry")
        entry = cls(**data)
        texts = (entry.kind, entry.prev, entry.hash, entry.mac)
        numbers = (entry.seq, entry.at)
        if not all(isinstance(text, str) for text in texts) or not all(type(number) is int for number in numbers):
            raise ValueError("not an entry")
        if not isinstance(entry.fields, dict) or not all(
            type(value) in (str, int, bool) for value in entry.fields.values()
        ):
            raise ValueError("not an entry")
        if entry.line() != line + b"\n":
            raise ValueError("not the one spelling of this entry")
        return entry

    def genuine(self, key: bytes) -> bool:
        """Whether the device wrote it, as it is."""
        digest = _hash(self.seq, self.at, self.kind, self.fields, self.prev)
        return hmac.compare_digest(digest.hex(), self.hash) and hmac.compare_digest(_mac(digest, key), self.mac)

    @property
    def link(self) -> str:
        """What ``prev`` of the next entry is: a checkpoint stands in for the entries that were pruned before it."""
        return self.prev if self.kind == "checkpoint" else self.hash


def _hash(seq: int, at: int, kind: str, fields: Mapping[str, Value], prev: str) -> bytes:
    content = _canonical({"seq": seq, "at": at, "kind": kind, "fields": dict(fields), "prev": prev})
    return hashlib.sha256(b"edge/journal/v1\n" + content).digest()


def _mac(digest: bytes, key: bytes) -> str:
    return hmac.new(key, b"edge/journal/entry/v1" + digest, hashlib.sha256).digest()[:_MAC_BYTES].hex()


def _canonical(data: Mapping[str, Any]) -> bytes:
    return json.dumps(data, sort_keys=True, separators=(",", ":"), ensure_ascii=True).encode("ascii")
