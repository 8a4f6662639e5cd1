"""The issuer key: its holder can make cards. It lives where people are enrolled and nowhere else.

    issuer = IssuerKey.generate(os.urandom)
    issuer.save(Path("issuer.key"), "correct horse battery", random_bytes=os.urandom)   # locked, mode 0600, a new file
    issuer.public.save(trust_dir)                                                     # what every door gets

    issuer = IssuerKey.load(Path("issuer.key"), "correct horse battery")
    signature = issuer.sign(message, TOKEN_DOMAIN)

    trust = TrustStore.load(settings.device.trust_dir, strict=True)                   # at a door
    trust.verify(issuer.key_id, message, signature, TOKEN_DOMAIN)                     # returns nothing, or raises

Doors hold public halves only and find them by key id: the first 8 bytes of SHA-256 of the raw public key. Every
signature is made over a domain label and the message, so that no signature means two things.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import ClassVar

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from edge.errors import KeyringError
from edge.files import refusal
from edge.trust.folder import Strict, trusted_files
from edge.trust.keyfile import comment_line, from_base64, read_key, read_line, to_base64, write_key, write_line
from edge.trust.locked import SigningKey

PUBLIC_KIND = "edge-issuer-v1"


def labelled(message: bytes, domain: bytes) -> bytes:
    """What is signed: the label's length (one byte), the label, the message.

    Args:
        message: any bytes. domain: what the signature says, such as ``b"edge/token/v1"``; 1..255 bytes.
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
        from edge.types.wipe import wipe

        signed = labelled(message, domain)
        try:
            Ed25519PublicKey.from_public_bytes(self.raw).verify(signature, signed)
        except (InvalidSignature, ValueError):
            return False
        finally:
            wipe(signed)  # of a token, it holds the card's secret
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
            for place in (trust_dir, folder):
                if not place.is_dir():
                    place.mkdir(parents=True)
                    place.chmod(0o755)  # the service reads it, whatever umask root works with
        except OSError as error:
            raise refusal(KeyringError, error, folder, "the folder of trusted keys cannot be made") from None
        path = folder / f"{self.key_id.hex()}.pub"
        write_key(path, self.line(), mode=0o644)
        return path

    @classmethod
    def load(cls, path: Path) -> IssuerPublic:
        """Read one public file. Raises `KeyringError`: missing or not such a file."""
        return cls.parse(read_key(path, private=False), where=str(path))

    @classmethod
    def parse(cls, data: bytes, *, where: str) -> IssuerPublic:
        """What a public file holds. Raises `KeyringError`: not such a file."""
        raw, comment = read_line(data, PUBLIC_KIND, where=where, fields=2)
        return cls(from_base64(raw, 32, where=where), comment_line(comment))


@dataclass(frozen=True, slots=True, repr=False)
class IssuerKey(SigningKey):
    """An Ed25519 signing key. ``repr`` shows its id only."""

    KIND: ClassVar[str] = "edge-issuer-key-v1"
    MISSING: ClassVar[str] = "`edge keys issuer` makes one on a device that has keys"

    @classmethod
    def generate(cls, random_bytes: Callable[[int], bytes], comment: str = "") -> IssuerKey:
        """A new key from 32 random bytes (`os.urandom` outside tests)."""
        return cls(random_bytes(32), comment_line(comment))

    @property
    def public(self) -> IssuerPublic:
        return IssuerPublic(self.public_bytes(), self.comment)

    @property
    def key_id(self) -> bytes:
        """8 bytes, see `IssuerPublic.key_id`."""
        return self.public.key_id

    def sign(self, message: bytes, domain: bytes) -> bytes:
        """64 bytes: Ed25519 over the labelled message (`labelled`)."""
        return self._signature(labelled(message, domain))

    @staticmethod
    def public_of(path: Path) -> IssuerPublic:
        """The public half that a private file names, without its passphrase. Not authenticated: for display only.

        Raises:
            KeyringError: missing, accessible to others, or not such a file.
        """
        return IssuerPublic(*IssuerKey.public_bytes_of(path))

    def __repr__(self) -> str:
        return f"IssuerKey(key_id={self.key_id.hex()})"


@dataclass(frozen=True, slots=True)
class TrustStore:
    """Whose cards count at this door: the issuers in the trust folder, by key id.

    Attributes:
        issuers: key id (8 bytes) -> public half. warnings: what a stricter load would have refused.
    """

    issuers: Mapping[bytes, IssuerPublic] = field(default_factory=lambda: MappingProxyType({}))
    warnings: tuple[str, ...] = ()

    @classmethod
    def of(cls, *keys: IssuerPublic | IssuerKey) -> TrustStore:
        """A store in memory, for tests and the demo."""
        return cls(_by_id(key.public if isinstance(key, IssuerKey) else key for key in keys))

    @classmethod
    def load(cls, trust_dir: Path, *, strict: Strict) -> TrustStore:
        """Read ``trust_dir/issuers/*.pub``.

        Args:
            trust_dir: the trust folder; one without ``issuers`` trusts none. strict: see `edge.trust.folder.Strict`.

        Raises:
            KeyringError: a file is not a public key, there are too many, or (strict) others could write.
        """
        files, warnings = trusted_files(trust_dir, "issuers", ".pub", strict=strict, kind=KeyringError)
        return cls(_by_id(IssuerPublic.parse(data, where=str(path)) for path, data in files), warnings)

    def verify(self, key_id: bytes, message: bytes, signature: bytes, domain: bytes) -> None:
        """Return when the trusted issuer ``key_id`` signed ``message`` under ``domain``.

        Args:
            key_id: 8 bytes. message: any bytes. signature: 64 bytes. domain: the label it must have been signed under.

        Raises:
            KeyringError: no such issuer is trusted, or the signature is not its own (one message for both).
        """
        issuer = self.issuers.get(key_id)
        if issuer is None or not issuer.is_signed(message, signature, domain):
            raise KeyringError(
                "not signed by an issuer that this device trusts",
                where="signature",
                remedy="add the issuer's public key to the trust folder, or issue it anew",
            )


def _by_id(keys: Iterable[IssuerPublic]) -> Mapping[bytes, IssuerPublic]:
    return MappingProxyType({key.key_id: key for key in keys})
