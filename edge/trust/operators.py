"""Tokens of operators: who may open a sitting at the device's own pages.

    token = add(state_dir, "kim", random_bytes=os.urandom)     # "4821 0937 5562 7714", told once
    named(state_dir, "4821093755627714")                       # "kim"; None: a wrong one

The first four digits say whose token it is, the other twelve are the secret (40 bits). The file, ``operators.json`` in
the state folder (mode 0600), holds an Argon2id hash of it at the cost of a key file. Whoever guesses at the page meets
a growing wait; whoever can read the file is this service's own user, who can do everything anyway.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import unicodedata
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

from edge.errors import KeyringError
from edge.files import refusal, utf8, write_atomic
from edge.trust.keyfile import comment_line, from_base64, read_key, to_base64
from edge.trust.locked import Cost

FILE = "operators.json"
_KIND = "edge-operators-v1"
_NUMBER, _SECRET = 4, 12
_MOST = 50


def add(state_dir: Path, name: str, *, random_bytes: Callable[[int], bytes], cost: Cost | None = None) -> str:
    """Give an operator a token; one that they had before is replaced.

    Args:
        name: 1 to 32 characters, as journalled. random_bytes: `os.urandom` outside tests. cost: None for the default.

    Returns:
        The token, which is kept nowhere: 16 digits in groups of four.

    Raises:
        KeyringError: no such name, too many operators, or the file cannot be read or written.
    """
    if not name or name != comment_line(name) or len(name) > 32:
        raise KeyringError("a name has 1 to 32 characters", where="operator", remedy="choose another name")
    others = [entry for entry in _read(state_dir) if entry["name"] != name]
    if len(others) >= _MOST:
        raise KeyringError(f"there are {_MOST} operators", where=FILE, remedy="take away those who have left")
    taken = {entry["number"] for entry in others}
    number = _digits(random_bytes, _NUMBER)
    while number in taken:
        number = _digits(random_bytes, _NUMBER)
    secret, salt = _digits(random_bytes, _SECRET), random_bytes(16)
    entry: dict[str, Any] = {"name": name, "number": number, "kdf": "argon2id", **asdict(cost or Cost())}
    entry |= {"salt": to_base64(salt)}
    _write(state_dir, [*others, {**entry, "hash": to_base64(_stretch(secret, entry))}])
    token = number + secret
    return " ".join(token[at : at + 4] for at in range(0, len(token), 4))


def remove(state_dir: Path, name: str) -> None:
    """Take an operator's token away. Raises `KeyringError`: no operator of this name has one."""
    entries = _read(state_dir)
    left = [entry for entry in entries if entry["name"] != name]
    if len(left) == len(entries):
        raise KeyringError("no operator of this name has a token", where=FILE, remedy="see `edge keys operator`")
    _write(state_dir, left)


def names(state_dir: Path) -> list[str]:
    """Who has a token. Raises `KeyringError`: the file cannot be read."""
    return sorted(str(entry["name"]) for entry in _read(state_dir))


def id_of(name: str) -> str:
    """16 hexadecimal digits that name an operator in the journal's entry about their token."""
    return hashlib.sha256(name.encode()).hexdigest()[:16]


def named(state_dir: Path, token: str) -> str | None:
    """Whose token it is, or None. Takes as long for a number that was never given out.

    Args:
        token: as typed; digits of any script, anything between them.

    Raises:
        KeyringError: the file cannot be read.
    """
    digits = "".join(str(unicodedata.digit(sign)) for sign in token if sign.isdigit())
    number, secret = digits[:_NUMBER], digits[_NUMBER:]
    entries = _read(state_dir)
    entry = next((one for one in entries if one["number"] == number), None)
    dummy: dict[str, Any] = {"salt": to_base64(bytes(16)), **asdict(Cost())}
    found = _stretch(secret, entry or (entries[0] if entries else dummy))
    if entry is None or not hmac.compare_digest(found, from_base64(str(entry["hash"]), 32, where=FILE)):
        return None
    return str(entry["name"])


def _digits(random_bytes: Callable[[int], bytes], count: int) -> str:
    return str(int.from_bytes(random_bytes(16), "big") % 10**count).zfill(count)  # a bias of 2^-88


def _stretch(secret: str, entry: dict[str, Any]) -> bytes:
    from cryptography.hazmat.primitives.kdf.argon2 import Argon2id

    cost = Cost(entry["iterations"], entry["lanes"], entry["memory_kib"])
    salt = from_base64(str(entry["salt"]), 16, where=FILE)
    derive = Argon2id(salt=salt, length=32, iterations=cost.iterations, lanes=cost.lanes, memory_cost=cost.memory_kib)
    return bytes(derive.derive(secret.encode("ascii")))


def _read(state_dir: Path) -> list[dict[str, Any]]:
    path = state_dir / FILE
    if not path.exists():
        return []
    broken = KeyringError(f"this is not a file of the kind {_KIND}", where=str(path), remedy="make the tokens anew")
    try:
        head = json.loads(utf8(read_key(path), where=str(path), kind=KeyringError))
        entries = head["operators"]
        fits = head["kind"] == _KIND and all(
            Cost(one["iterations"], one["lanes"], one["memory_kib"]).fits()
            and all(isinstance(one[key], str) for key in ("name", "number", "salt", "hash"))
            for one in entries
        )
    except (ValueError, TypeError, KeyError, RecursionError):
        raise broken from None
    if not fits:
        raise broken
    return list(entries)


def _write(state_dir: Path, entries: list[dict[str, Any]]) -> None:
    path = state_dir / FILE
    data = json.dumps({"kind": _KIND, "operators": entries}, indent=1, ensure_ascii=False).encode() + b"\n"
    try:
        write_atomic(path, data, mode=0o600)
    except OSError as error:
        raise refusal(KeyringError, error, path, "the operators' tokens cannot be written") from None
