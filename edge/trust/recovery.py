"""The recovery key of a site, and the escrow of a device key, for the day the device dies.

With device custody every template on a device needs its key (design: Sealing), so losing it means enrolling everyone
again. When the keys are made one decision must be taken, in so many words:

    edge keys init --recovery recovery.pub      seals a copy that only the site's recovery key opens
    edge keys init --unrecoverable              there is no copy

    escrow = seal_escrow(device_key, recovery.public, site_id, os.urandom)      # on the device: public half only
    device_key = recovery.open_escrow(escrow, site_id)                          # offline, when replacing the device

The escrow is X25519 with a fresh key, HKDF-SHA256 over both public keys, and ChaCha20-Poly1305 with the site id as
associated data; the zero nonce is used once, as each escrow has its own key. A TPM will hold the key in a later issue.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305

from edge.errors import KeyringError
from edge.trust.keyfile import comment_line, derive, from_base64, read_key, read_line, to_base64, write_key, write_line
from edge.trust.locked import PrivateKey

ESCROW_KIND = "edge-escrow-v1"
PUBLIC_KIND = "edge-recovery-v1"
_NONCE = bytes(12)


@dataclass(frozen=True, slots=True)
class RecoveryPublic:
    """The public half of a site's recovery key (X25519, 32 bytes); a device needs no more to make its escrow."""

    raw: bytes
    comment: str = ""

    def save(self, path: Path) -> None:
        """Write a new public file. Raises `KeyringError`."""
        write_key(path, write_line(PUBLIC_KIND, to_base64(self.raw), self.comment), mode=0o644)

    @classmethod
    def load(cls, path: Path) -> RecoveryPublic:
        """Raises `KeyringError`."""
        data = read_key(path, private=False, missing="`edge keys recovery` makes the site's recovery key")
        raw, comment = read_line(data, PUBLIC_KIND, where=str(path), fields=2)
        return cls(from_base64(raw, 32, where=str(path)), comment_line(comment))


@dataclass(frozen=True, slots=True)
class RecoveryKey(PrivateKey):
    """The private half of a site's recovery key, kept offline behind a passphrase."""

    KIND: ClassVar[str] = "edge-recovery-key-v1"

    @classmethod
    def generate(cls, random_bytes: Callable[[int], bytes], comment: str = "") -> RecoveryKey:
        return cls(random_bytes(32), comment_line(comment))

    def public_bytes(self) -> bytes:
        return X25519PrivateKey.from_private_bytes(self.seed).public_key().public_bytes_raw()

    @property
    def public(self) -> RecoveryPublic:
        return RecoveryPublic(self.public_bytes(), self.comment)

    def open_escrow(self, line: bytes, site_id: bytes, *, where: str = "escrow") -> bytes:
        """The device key inside an escrow file's content.

        Raises:
            KeyringError: not an escrow, made for another recovery key or another site, or altered.
        """
        (text,) = read_line(line, ESCROW_KIND, where=where, fields=1)
        data = from_base64(text, 80, where=where)
        point, sealed = data[:32], data[32:]
        try:
            shared = X25519PrivateKey.from_private_bytes(self.seed).exchange(X25519PublicKey.from_public_bytes(point))
            key = _escrow_key(shared, point, self.public_bytes())
            return ChaCha20Poly1305(key).decrypt(_NONCE, sealed, site_id)
        except (InvalidTag, ValueError):
            raise KeyringError(
                "the escrow does not open: another recovery key's or site's, or altered",
                where=where,
                remedy="use the recovery key and the site file that were given to `edge keys init`",
            ) from None


def seal_escrow(
    device_key: bytes, recovery: RecoveryPublic, site_id: bytes, random_bytes: Callable[[int], bytes]
) -> bytes:
    """The content of an escrow file: a copy of the device key that only the recovery key opens.

    Args:
        device_key: 32 bytes. recovery: public half. site_id: 16 bytes, authenticated. random_bytes: for the fresh key.

    Raises:
        KeyringError: the recovery key is not a usable X25519 point.
    """
    ephemeral = X25519PrivateKey.from_private_bytes(random_bytes(32))
    point = ephemeral.public_key().public_bytes_raw()
    try:
        shared = ephemeral.exchange(X25519PublicKey.from_public_bytes(recovery.raw))
    except ValueError:
        raise KeyringError(
            "this recovery key is not usable", where="recovery", remedy="make one with `edge keys recovery`"
        ) from None
    sealed = ChaCha20Poly1305(_escrow_key(shared, point, recovery.raw)).encrypt(_NONCE, device_key, site_id)
    return write_line(ESCROW_KIND, to_base64(point + sealed))


def _escrow_key(shared: bytes, point: bytes, recovery: bytes) -> bytes:
    return derive(shared, b"edge/escrow/v1" + point + recovery)
