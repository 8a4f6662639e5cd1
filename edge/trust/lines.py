"""One key, one line of text: ``KIND FIELD FIELD...``, so that a person can tell the files of a keyring apart.

    edge-issuer-v1 <base64 public key> <comment>
    edge-site-v1   <hex site id> <base64 site key>
    edge-device-v1 <base64 device key>

The kind carries the version. A file with another kind, more lines or a field of another length is refused.
"""

from __future__ import annotations

import base64
import binascii

from edge.errors import KeyringError


def write_line(kind: str, *fields: str) -> bytes:
    """The content of a key file: one line, ending in a newline."""
    return (" ".join((kind, *fields)).rstrip() + "\n").encode("utf-8")


def read_line(data: bytes, kind: str, *, where: str, fields: int) -> list[str]:
    """The fields of a one-line key file; the last may hold spaces and may be empty (a comment).

    Args:
        data: content of the file.
        kind: expected first word.
        where: named in errors.
        fields: how many fields follow the kind.

    Raises:
        KeyringError: not exactly one line of this kind with that many fields. The message never quotes the content.
    """
    try:
        lines = data.decode("utf-8").strip().splitlines()
    except UnicodeDecodeError:
        lines = []
    words = lines[0].split(" ", fields) if len(lines) == 1 else []
    if not words or words[0] != kind:
        raise KeyringError(f"this is not a file of the kind {kind}", where=where, remedy="name the right file")
    words = words[1:] + [""] * (fields + 1 - len(words))
    return [word.strip() for word in words]


def to_base64(data: bytes) -> str:
    return base64.b64encode(data).decode("ascii")


def from_base64(text: str, length: int, *, where: str) -> bytes:
    """Strict Base64 of exactly ``length`` bytes.

    Raises:
        KeyringError: other characters, other length.
    """
    try:
        data = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        data = b""
    if len(data) != length:
        raise KeyringError("the key in this file is damaged", where=where, remedy="restore the file from its copy")
    return data


def comment_line(text: str) -> str:
    """A comment made fit for one line: printable, single spaces, at most 64 characters."""
    return " ".join("".join(c if c.isprintable() else " " for c in text).split())[:64]
