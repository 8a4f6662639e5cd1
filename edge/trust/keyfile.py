"""Files of keys: read only while no other user can, written once; one line of text for a key without a passphrase.

    edge-issuer-v1 <base64 public key> <comment>
    edge-site-v1   <hex site id> <base64 site key>
    edge-device-v1 <base64 device key>

The kind carries the version. A file with another kind, more lines or a field of another length is refused. A private
half behind a passphrase is a JSON object (`edge.trust.locked`).
"""

from __future__ import annotations

import base64
import binascii
import hmac
import os
from contextlib import suppress
from pathlib import Path

from edge.errors import KeyringError
from edge.files import belongs_to, read_file, refusal, utf8, write_atomic

#: No file of keys is larger; anything beyond it is not one of ours.
MAX_BYTES = 16_384


def derive(key: bytes, info: str | bytes, *, length: int = 32, salt: bytes | None = None) -> bytes:
    """A subkey of ``key`` for one job (HKDF-SHA256, RFC 5869), so that one key never does two.

    Args:
        key: input key material with at least 128 bits of entropy; never a PIN or a passphrase.
        info: the job's label, such as ``edge/state/subject/v1``; two labels give unrelated keys.
        length: bytes wanted, 1..8160. salt: fresh random bytes where the same key and job need many keys.
    """
    from edge.types.wipe import wipe

    label = info.encode("utf-8") if isinstance(info, str) else info
    # in the standard library's own terms, since what it is made of has to be overwritten afterwards
    extracted = hmac.digest(salt or bytes(32), key, "sha256")
    derived, block = bytearray(), b""
    for count in range(1, -(-length // 32) + 1):
        block = hmac.digest(extracted, block + label + bytes([count]), "sha256")
        derived += block
    found = bytes(derived[:length])
    wipe(extracted, derived)
    return found


def write_line(kind: str, *fields: str) -> bytes:
    """The content of a one-line key file, ending in a newline."""
    return (" ".join((kind, *fields)).rstrip() + "\n").encode("utf-8")


def read_line(data: bytes, kind: str, *, where: str, fields: int) -> list[str]:
    """The fields of a one-line key file; the last may hold spaces and may be empty (a comment).

    Args:
        data: content of the file. kind: expected first word. where: named in errors. fields: how many follow the kind.

    Raises:
        KeyringError: not exactly one line of this kind with that many fields. The message never quotes the content.
    """
    lines = utf8(data, where=where, kind=KeyringError).strip().splitlines()
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


def need_own(folder: Path) -> None:
    """Return where a folder of keys is this user's, or not there yet: what root writes into it, its owner cannot read.

    Raises:
        KeyringError: it belongs to another user.
    """
    with suppress(OSError):
        status = folder.stat()
        if status.st_uid != os.geteuid():
            remedy = belongs_to(folder, status)
            raise KeyringError("the state folder belongs to another user", where=str(folder), remedy=remedy)


def read_key(path: Path, *, private: bool = True, missing: str = "check the name") -> bytes:
    """The content of a key file. Raises `KeyringError`; see `edge.files.read_file`."""
    return read_file(path, limit=MAX_BYTES, kind=KeyringError, noun="key file", private=private, missing=missing)


def write_key(path: Path, data: bytes, *, mode: int = 0o600) -> None:
    """Write a new key file, all or nothing. Raises `KeyringError`: the name is taken, or it cannot be written."""
    try:
        write_atomic(path, data, mode=mode, new=True)
    except FileExistsError:
        raise KeyringError(
            "the file is already there, and a key is never overwritten",
            where=str(path),
            remedy="choose another name, or move the old key away yourself",
        ) from None
    except OSError as error:
        raise refusal(KeyringError, error, path, "the key file cannot be written") from None
