"""A private half behind a passphrase, in one JSON file: every private signing key, and the recovery key.

    class IssuerKey(PrivateKey): ...                          # says its kind and its public half
    IssuerKey(seed).save(path, "correct horse battery", random_bytes=os.urandom)
    key = IssuerKey.load(path, "correct horse battery")

Argon2id turns the passphrase into a key, ChaCha20-Poly1305 (a Pi 4 has no AES instructions) locks the private bytes;
everything else in the file is authenticated. The cost stands in the file and is bounded when read, so that a forged
file can neither weaken a later key nor exhaust the machine. `cryptography` is imported where it is used: the build hook
reads `edge.trust.envelopes` without it.
"""

from __future__ import annotations

import base64
import binascii
import json
import os
import unicodedata
from abc import ABC, abstractmethod
from collections.abc import Callable
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, NoReturn, Self

from edge.errors import KeyringError
from edge.files import utf8
from edge.trust.keyfile import comment_line, from_base64, read_key, to_base64, write_key

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

#: Characters of a new passphrase: several words. The file may be copied and tried offline, five guesses a second and
#: core at the default cost.
MIN_PASSPHRASE = 12
#: What a new file says of its passphrase: bytes by RFC 8265's profile. A file without it is older, see `older_forms`.
_FORM = "opaque-string"
_NONCE = bytes(12)  # each derived key locks once: the salt is fresh


def opaque(passphrase: str) -> str:
    """The one form of a passphrase: RFC 8265, OpaqueString (section 4.2): every space is a space, then NFC.

    One keyboard writes ü as one sign and another as two, one a no-break space and another a plain one; both must open
    the same file. Neither case nor width is changed.
    """
    spaced = "".join(" " if unicodedata.category(sign) == "Zs" else sign for sign in passphrase)
    return unicodedata.normalize("NFC", spaced)


def check_passphrase(passphrase: str) -> str:
    """The form of a passphrase that a new key takes.

    Raises:
        KeyringError: too short, or with a sign that RFC 8265 (section 4.2.1, FreeformClass) does not allow, since
            another machine may write or compose it in another way: control, format, private, unassigned. The joiners
            that Persian and Indic keyboards write are allowed.
    """
    phrase = opaque(passphrase)
    _check_signs(phrase)
    if len(phrase) < MIN_PASSPHRASE:
        raise KeyringError(
            f"the passphrase is shorter than {MIN_PASSPHRASE} characters",
            where="passphrase",
            remedy="take several words: a thief of the file can try passphrases for as long as they like",
        )
    return phrase


def _check_signs(phrase: str) -> None:
    for place, sign in enumerate(phrase, 1):
        if unicodedata.category(sign)[0] == "C" and sign not in "\u200c\u200d":
            raise KeyringError(
                f"character {place} of the passphrase is one that another machine may not write the same way "
                f"(U+{ord(sign):04X})",
                where="passphrase",
                remedy="type it without that character; editors and copied pages leave some that are invisible",
            )


def older_forms(passphrase: str) -> list[bytes]:
    """What earlier versions, which took a passphrase as its bytes came, may have locked a file with; the first is new.

    Decomposed; with the byte order mark of its file; or from a file in Latin-1, each sign of which they replaced.
    """
    composed, apart = (unicodedata.normalize(form, passphrase) for form in ("NFC", "NFD"))
    forms = [opaque(passphrase), passphrase, composed, apart, "\ufeff" + composed, "\ufeff" + apart]
    with suppress(UnicodeEncodeError):
        forms.append(composed.encode("latin-1").decode("utf-8", "replace"))
    return list(dict.fromkeys(form.encode("utf-8", "surrogateescape") for form in forms))


# -- locked by a passphrase ------------------------------------------------------------------------------------------


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

    def fits(self) -> bool:
        """Whether each parameter is within its range."""
        whole = all(type(n) is int for n in (self.iterations, self.lanes, self.memory_kib))
        return whole and (
            1 <= self.iterations <= 16 and 1 <= self.lanes <= 8 and 8 * self.lanes <= self.memory_kib <= 1_048_576
        )


def unlock(data: bytes, passphrase: str, *, kind: str, where: str) -> tuple[bytes, str]:
    """The private bytes of a locked key file, and its comment.

    Raises:
        KeyringError: not such a file, an unreasonable cost, an altered file, or a wrong passphrase (the last two
            cannot be told apart, but for a passphrase with a sign that no key of today takes).
    """
    from cryptography.exceptions import InvalidTag
    from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305

    head, sealed, cost = _parse(data, kind, where)
    forms = older_forms(passphrase)
    for form in forms[:1] if head.get("passphrase") == _FORM else forms:
        try:
            opened = ChaCha20Poly1305(_stretch(form, head, cost)).decrypt(_NONCE, sealed, _canonical(head))
        except InvalidTag:
            continue
        return opened, str(head["comment"])
    _check_signs(opaque(passphrase))
    raise wrong_passphrase(where)


def wrong_passphrase(where: str) -> KeyringError:
    return KeyringError("wrong passphrase, or the file was altered", where=where, remedy="try again, or restore it")


def _parse(data: bytes, kind: str, where: str) -> tuple[dict[str, Any], bytes, Cost]:
    broken = KeyringError(f"this is not a file of the kind {kind}", where=where, remedy="name the right file")
    try:
        head = json.loads(utf8(data, where=where, kind=KeyringError))
        if not isinstance(head, dict) or head.get("kind") != kind or head.get("kdf") != "argon2id":
            raise broken
        sealed = base64.b64decode(head.pop("sealed"), validate=True)
        cost = Cost(head["iterations"], head["lanes"], head["memory_kib"])
        salt_fits = len(base64.b64decode(head["salt"], validate=True)) == 16
        if not (salt_fits and isinstance(head["comment"], str)):
            raise broken
    except (ValueError, TypeError, KeyError, RecursionError, binascii.Error):
        raise broken from None
    if not cost.fits():
        raise KeyringError(
            "the key file asks for an unreasonable Argon2id cost", where=where, remedy="use the original file"
        )
    return head, sealed, cost


def _stretch(passphrase: bytes, head: dict[str, Any], cost: Cost) -> bytes:
    from cryptography.hazmat.primitives.kdf.argon2 import Argon2id

    return Argon2id(
        salt=base64.b64decode(str(head["salt"])),
        length=32,
        iterations=cost.iterations,
        lanes=cost.lanes,
        memory_cost=cost.memory_kib,
    ).derive(passphrase)


def _canonical(head: dict[str, Any]) -> bytes:
    return json.dumps(head, sort_keys=True, separators=(",", ":")).encode("utf-8")


@dataclass(frozen=True, slots=True)
class PrivateKey(ABC):
    """A private half of 32 bytes that lives in a locked file; ``repr`` shows its comment only.

    A subclass says what it is (`KIND`, in the file) and what its public half is (`public_bytes`).
    """

    seed: bytes = field(repr=False)
    comment: str = ""

    KIND: ClassVar[str]
    MISSING: ClassVar[str] = "check the name"

    @abstractmethod
    def public_bytes(self) -> bytes:
        """The public half, 32 bytes, as it stands in the file."""

    def locked(
        self, passphrase: str, *, random_bytes: Callable[[int], bytes] = os.urandom, cost: Cost | None = None
    ) -> bytes:
        """The content of its file. Kind, public half and comment can be read without the passphrase.

        Args:
            passphrase: see `check_passphrase`. random_bytes: source of randomness. cost: None for the default.

        Raises:
            KeyringError: the passphrase is no good.
        """
        from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305

        phrase, cost = check_passphrase(passphrase).encode("utf-8"), cost or Cost()
        head: dict[str, Any] = {
            "kind": self.KIND,
            "public": to_base64(self.public_bytes()),
            "comment": self.comment,
            "passphrase": _FORM,
            "kdf": "argon2id",
            **asdict(cost),
            "salt": to_base64(random_bytes(16)),
        }
        sealed = ChaCha20Poly1305(_stretch(phrase, head, cost)).encrypt(_NONCE, self.seed, _canonical(head))
        return json.dumps({**head, "sealed": to_base64(sealed)}, indent=1).encode("utf-8") + b"\n"

    def save(
        self, path: Path, passphrase: str, *, random_bytes: Callable[[int], bytes], cost: Cost | None = None
    ) -> None:
        """Write the private half, locked by the passphrase, to a new file of mode 0600.

        Raises:
            KeyringError: the passphrase is no good, the name is taken, or the file cannot be written.
        """
        write_key(path, self.locked(passphrase, random_bytes=random_bytes, cost=cost))

    @classmethod
    def load(cls, path: Path, passphrase: str) -> Self:
        """Read a private half.

        Raises:
            KeyringError: missing, accessible to others, not such a file, altered, or a wrong passphrase.
        """
        return cls(*unlock(read_key(path, missing=cls.MISSING), passphrase, kind=cls.KIND, where=str(path)))

    @classmethod
    def public_bytes_of(cls, path: Path) -> tuple[bytes, str]:
        """The public half that a file names, and its comment. Not authenticated without the passphrase.

        Raises:
            KeyringError: missing, accessible to others, or not such a file.
        """
        head, _, _ = _parse(read_key(path, missing=cls.MISSING), cls.KIND, str(path))
        return from_base64(str(head.get("public")), 32, where=str(path)), comment_line(head["comment"])

    def __reduce__(self) -> NoReturn:
        raise TypeError(f"a {type(self).__name__} is never pickled or copied")


class SigningKey(PrivateKey):
    """An Ed25519 key (RFC 8032); what a signature speaks about, the subclass puts into the message."""

    __slots__ = ()

    def _private(self) -> Ed25519PrivateKey:
        from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

        return Ed25519PrivateKey.from_private_bytes(self.seed)

    def public_bytes(self) -> bytes:
        """The public half, 32 bytes."""
        return self._private().public_key().public_bytes_raw()

    def _signature(self, message: bytes) -> bytes:
        return self._private().sign(message)
