"""The issuer key: whoever holds it can make cards. It lives where people are enrolled and nowhere else.

    issuer = IssuerKey.generate(os.urandom)
    issuer.save(Path("issuer.key"), "correct horse battery", random_bytes=os.urandom)   # locked, mode 0600, a new file
    issuer.public.save(trust_dir)                                                     # what every door gets

    issuer = IssuerKey.load(Path("issuer.key"), "correct horse battery")
    signature = issuer.sign(message, TOKEN_DOMAIN)

Doors hold public halves only (`edge.trust.issuers`) and find them by key id: the first 8 bytes of SHA-256 of the raw
public key. Every signature is made over a domain label and the message, so that no signature means two things.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from edge.errors import KeyringError
from edge.trust.files import read_private, read_public, write_new
from edge.trust.lines import comment_line, from_base64, read_line, to_base64, write_line
from edge.trust.locked import Cost, lock, public_of, unlock

PUBLIC_KIND = "edge-issuer-v1"
PRIVATE_KIND = "edge-issuer-key-v1"


def labelled(message: bytes, domain: bytes) -> bytes:
    """What is signed: the label's length (one byte), the label, the message.

    Args:
        message: any bytes.
        domain: what the signature says, such as ``b"edge/token/v1"``; 1..255 bytes.
    """
    if not 1 <= len(domain) <= 255:
        raise ValueError("a domain label has 1 to 255 bytes")
    return bytes([len(domain)]) + domain + message


@dataclass(frozen=True, slots=True)
class IssuerPublic:
    """The public half of an issuer key.

    Attributes:
        raw: Ed25519 public key, 32 bytes. comment: who or what it is, for people.
    """

    raw: bytes
    comment: str = ""

    @property
    def key_id(self) -> bytes:
        """8 bytes: the beginning of SHA-256 of the raw key."""
        return hashlib.sha256(self.raw).digest()[:8]

    def is_signed(self, message: bytes, signature: bytes, domain: bytes) -> bool:
        """Whether this issuer made ``signature`` (64 bytes, RFC 8032) over ``message`` under ``domain``."""
        try:
            Ed25519PublicKey.from_public_bytes(self.raw).verify(signature, labelled(message, domain))
        except (InvalidSignature, ValueError):
            return False
        return True

    def line(self) -> bytes:
        """The public file: ``edge-issuer-v1 <base64> <comment>``."""
        return write_line(PUBLIC_KIND, to_base64(self.raw), self.comment)

    def save(self, trust_dir: Path) -> Path:
        """Write ``trust_dir/issuers/KEYID.pub`` (mode 0644) and return its path.

        Raises:
            KeyringError: it is already there or the folder cannot be written.
        """
        folder = trust_dir / "issuers"
        try:
            folder.mkdir(parents=True, exist_ok=True, mode=0o755)
        except OSError as error:
            raise KeyringError(
                f"the folder of trusted keys cannot be made ({error.strerror})",
                where=str(folder),
                remedy="as root, or set device.trust_dir to a folder of yours on a development machine",
            ) from None
        path = folder / f"{self.key_id.hex()}.pub"
        write_new(path, self.line(), mode=0o644)
        return path

    @classmethod
    def load(cls, path: Path) -> IssuerPublic:
        """Read one public file.

        Raises:
            KeyringError: missing or not such a file.
        """
        where = str(path)
        raw, comment = read_line(read_public(path), PUBLIC_KIND, where=where, fields=2)
        return cls(from_base64(raw, 32, where=where), comment_line(comment))


@dataclass(frozen=True, slots=True)
class IssuerKey:
    """An Ed25519 signing key. ``repr`` shows its id only."""

    seed: bytes = field(repr=False)
    comment: str = ""
    _private: Ed25519PrivateKey = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_private", Ed25519PrivateKey.from_private_bytes(self.seed))

    @classmethod
    def generate(cls, random_bytes: Callable[[int], bytes], comment: str = "") -> IssuerKey:
        """A new key from 32 random bytes (`os.urandom` outside tests)."""
        return cls(random_bytes(32), comment_line(comment))

    @property
    def public(self) -> IssuerPublic:
        return IssuerPublic(self._private.public_key().public_bytes_raw(), self.comment)

    @property
    def key_id(self) -> bytes:
        """8 bytes, see `IssuerPublic.key_id`."""
        return self.public.key_id

    def sign(self, message: bytes, domain: bytes) -> bytes:
        """64 bytes: Ed25519 over the labelled message (`labelled`)."""
        return self._private.sign(labelled(message, domain))

    def save(
        self, path: Path, passphrase: str, *, random_bytes: Callable[[int], bytes], cost: Cost | None = None
    ) -> None:
        """Write the private half, locked by the passphrase, to a new file of mode 0600.

        Raises:
            KeyringError: the passphrase is too short, the name is taken, or the file cannot be written.
        """
        data = lock(
            self.seed,
            passphrase,
            kind=PRIVATE_KIND,
            public=self.public.raw,
            random_bytes=random_bytes,
            comment=self.comment,
            cost=cost,
        )
        write_new(path, data)

    @classmethod
    def load(cls, path: Path, passphrase: str) -> IssuerKey:
        """Read a private half.

        Raises:
            KeyringError: missing, accessible to others, not such a file, altered, or a wrong passphrase.
        """
        seed, comment = unlock(read_private(path), passphrase, kind=PRIVATE_KIND, where=str(path))
        return cls(seed, comment)

    @staticmethod
    def public_of(path: Path) -> IssuerPublic:
        """The public half that a private file names, without its passphrase. Not authenticated: for display only.

        Raises:
            KeyringError: missing, accessible to others, or not such a file.
        """
        return IssuerPublic(public_of(read_private(path), kind=PRIVATE_KIND, where=str(path)))

    def __repr__(self) -> str:
        return f"IssuerKey(key_id={self.key_id.hex()})"

    def __reduce__(self) -> str:
        raise TypeError("an IssuerKey is never pickled or copied")
