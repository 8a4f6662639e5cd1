"""What device custody keeps of one person: the sealed template and the issuer's signature over it.

    bytes  field
    76     header        (edge.vault.seal)
    32     salt
    D+16   ciphertext
    8      issuer key id
    64     Ed25519 signature over serial || all of the above but the key id (label ``edge/record/v1``)

The seal alone would let whoever holds a card and the device key put another face under the card; the signature says
that the place which enrols people put this one there.
"""

from __future__ import annotations

import hashlib
import hmac
from dataclasses import dataclass

from edge.claim import Issuer
from edge.errors import KeyringError, SealBroken
from edge.trust import TrustStore
from edge.types import Claim, Custody, SealedTemplate
from edge.vault.holder import Holder, unknown
from edge.vault.seal import HEADER_BYTES, SALT_BYTES, TAG_BYTES, record_id

RECORD_DOMAIN = b"edge/record/v1"
_HEADER = HEADER_BYTES[Custody.DEVICE]
_SIGNED_BY, _SIGNATURE = 8, 64
_SHORTEST = _HEADER + SALT_BYTES + TAG_BYTES + 1 + _SIGNED_BY + _SIGNATURE


@dataclass(frozen=True, slots=True)
class Record:
    """A signed, sealed template."""

    sealed: SealedTemplate
    issuer: bytes
    signature: bytes

    @classmethod
    def sign(cls, sealed: SealedTemplate, serial: bytes, issuer: Issuer) -> Record:
        """Sign a sealed template for the card ``serial``."""
        return cls(sealed, issuer.key_id, issuer.sign(_message(sealed, serial), RECORD_DOMAIN))

    def verify(self, serial: bytes, trust: TrustStore) -> None:
        """Return when a trusted issuer signed it for the card ``serial``.

        Raises:
            SealBroken: it did not.
        """
        try:
            trust.verify(self.issuer, _message(self.sealed, serial), self.signature, RECORD_DOMAIN)
        except KeyringError:
            raise SealBroken(
                "the record on this device is not signed by a trusted issuer for this card",
                where="template",
                remedy="ask the operator to enrol the person again",
            ) from None

    def pack(self) -> bytes:
        """The bytes that the store keeps."""
        sealed = self.sealed
        return sealed.header + sealed.salt + sealed.ciphertext + self.issuer + self.signature

    @classmethod
    def unpack(cls, data: bytes) -> Record:
        """Read the store's bytes; nothing of them is believed yet.

        Raises:
            SealBroken: too short.
        """
        if len(data) < _SHORTEST:
            raise SealBroken("the record on this device is cut off", where="template", remedy="enrol again")
        end = len(data) - _SIGNATURE
        body, issuer, signature = data[: end - _SIGNED_BY], data[end - _SIGNED_BY : end], data[end:]
        salt_end = _HEADER + SALT_BYTES
        return cls(SealedTemplate(body[:_HEADER], body[_HEADER:salt_end], body[salt_end:]), issuer, signature)


def kept(data: bytes | None, holder: Holder | None, claim: Claim, trust: TrustStore) -> SealedTemplate:
    """The sealed template of device custody, after its digest and the issuer's signature were checked.

    Args:
        data: the record under the claim's record id; None: there is none. holder: the row of the card, if any.

    Raises:
        TokenUnknown: nothing is kept for this card. SealBroken: it was altered, exchanged or put back.
    """
    if holder is None or data is None:
        raise unknown()
    digest = hashlib.sha256(data).digest()
    if holder.record_id != record_id(claim.secret) or not hmac.compare_digest(digest, holder.record_digest or b""):
        raise SealBroken(
            "the record on this device is not the one that was enrolled last for this card",
            where="template",
            remedy="ask the operator to enrol the person again",
        )
    record = Record.unpack(data)
    record.verify(claim.serial, trust)
    return record.sealed


def _message(sealed: SealedTemplate, serial: bytes) -> bytes:
    return serial + sealed.header + sealed.salt + sealed.ciphertext
