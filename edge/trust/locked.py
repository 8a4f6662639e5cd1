"""A private key behind a passphrase, in one JSON file.

    data = lock(seed, "correct horse battery", kind="edge-issuer-key-v1", public=public, random_bytes=os.urandom)
    seed = unlock(data, "correct horse battery", kind="edge-issuer-key-v1", where="issuer.key")

Argon2id turns the passphrase into a key, ChaCha20-Poly1305 (a Pi 4 has no AES instructions) locks the private bytes;
everything else in the file is authenticated. The cost stands in the file and is bounded when read, so that a forged
file can neither weaken a later key nor exhaust the machine.
"""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Callable
from dataclasses import dataclass

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305
from cryptography.hazmat.primitives.kdf.argon2 import Argon2id

from edge.errors import KeyringError
from edge.trust.lines import from_base64

#: Shorter passphrases are refused when a key is made: the file may be copied and tried offline.
MIN_PASSPHRASE = 12
_NONCE = bytes(12)  # each derived key locks once: the salt is fresh


@dataclass(frozen=True, slots=True)
class Cost:
    """Argon2id parameters.

    The default is RFC 9106's second recommendation (section 4: t=3, p=4, 64 MiB), made for machines with little
    memory: about half a second on a Pi 4, a fifth of a second on a laptop.

    Attributes:
        iterations: passes, 1..16. lanes: parallelism, 1..8. memory_kib: KiB, 8 per lane..1,048,576.
    """

    iterations: int = 3
    lanes: int = 4
    memory_kib: int = 65_536

    def check(self, where: str) -> None:
        """Raises `KeyringError` when a parameter is outside its range."""
        fits = 1 <= self.iterations <= 16 and 1 <= self.lanes <= 8 and 8 * self.lanes <= self.memory_kib <= 1_048_576
        if not fits:
            raise KeyringError(
                "the key file asks for an unreasonable Argon2id cost", where=where, remedy="use the original file"
            )


def lock(
    secret: bytes,
    passphrase: str,
    *,
    kind: str,
    public: bytes,
    random_bytes: Callable[[int], bytes],
    comment: str = "",
    cost: Cost | None = None,
) -> bytes:
    """The content of a locked key file.

    Args:
        secret: the private bytes.
        passphrase: at least `MIN_PASSPHRASE` characters.
        kind: what the key is, with version; authenticated.
        public: the public half, readable in the file; authenticated.
        random_bytes: source of randomness, such as `os.urandom`.
        comment: readable remark; authenticated.
        cost: Argon2id parameters; None for the default.

    Raises:
        KeyringError: the passphrase is too short.
    """
    if len(passphrase) < MIN_PASSPHRASE:
        raise KeyringError(
            f"the passphrase is shorter than {MIN_PASSPHRASE} characters",
            where="passphrase",
            remedy="take several words: whoever copies the file can try passphrases at leisure",
        )
    cost = cost or Cost()
    head: dict[str, str | int] = {
        "kind": kind,
        "public": base64.b64encode(public).decode("ascii"),
        "comment": comment,
        "kdf": "argon2id",
        "iterations": cost.iterations,
        "lanes": cost.lanes,
        "memory_kib": cost.memory_kib,
        "salt": base64.b64encode(random_bytes(16)).decode("ascii"),
    }
    sealed = ChaCha20Poly1305(_stretch(passphrase, head, cost)).encrypt(_NONCE, secret, _canonical(head))
    return json.dumps({**head, "sealed": base64.b64encode(sealed).decode("ascii")}, indent=1).encode("utf-8") + b"\n"


def unlock(data: bytes, passphrase: str, *, kind: str, where: str) -> tuple[bytes, str]:
    """The private bytes of a locked key file, and its comment.

    Raises:
        KeyringError: not such a file, an unreasonable cost, an altered file, or a wrong passphrase (the last two
            cannot be told apart).
    """
    head, sealed, cost = _parse(data, kind, where)
    try:
        return ChaCha20Poly1305(_stretch(passphrase, head, cost)).decrypt(_NONCE, sealed, _canonical(head)), str(
            head["comment"]
        )
    except InvalidTag:
        raise KeyringError(
            "wrong passphrase, or the file was altered", where=where, remedy="try again, or restore the file"
        ) from None


def public_of(data: bytes, *, kind: str, where: str) -> bytes:
    """The public half that a locked key file names. Not authenticated without the passphrase: for display only.

    Raises:
        KeyringError: not such a file.
    """
    head, _, _ = _parse(data, kind, where)
    return from_base64(str(head.get("public")), 32, where=where)


def _parse(data: bytes, kind: str, where: str) -> tuple[dict[str, str | int], bytes, Cost]:
    broken = KeyringError(f"this is not a file of the kind {kind}", where=where, remedy="name the right file")
    try:
        head = json.loads(data)
        if not isinstance(head, dict) or head.get("kind") != kind or head.get("kdf") != "argon2id":
            raise broken
        sealed = base64.b64decode(head.pop("sealed"), validate=True)
        cost = Cost(head["iterations"], head["lanes"], head["memory_kib"])
        whole = all(type(n) is int for n in (cost.iterations, cost.lanes, cost.memory_kib))
        salt_fits = len(base64.b64decode(head["salt"], validate=True)) == 16
        if not (whole and salt_fits and isinstance(head["comment"], str)):
            raise broken
    except (ValueError, TypeError, KeyError, RecursionError, binascii.Error):
        raise broken from None
    cost.check(where)
    return head, sealed, cost


def _stretch(passphrase: str, head: dict[str, str | int], cost: Cost) -> bytes:
    return Argon2id(
        salt=base64.b64decode(str(head["salt"])),
        length=32,
        iterations=cost.iterations,
        lanes=cost.lanes,
        memory_cost=cost.memory_kib,
    ).derive(passphrase.encode("utf-8", "surrogateescape"))


def _canonical(head: dict[str, str | int]) -> bytes:
    return json.dumps(head, sort_keys=True, separators=(",", ":")).encode("utf-8")
