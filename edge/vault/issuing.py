"""Making a card: serial, secret, sealed template, token. Nothing here is written anywhere; the vault does that.

card  = Card.new(...) or Card.like(claim, ...)
draft = draft(card, vector, ...)          # the holder's row, the record for the store, the token for the person
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from edge.claim import TokenBody, encode
from edge.errors import ConsentMissing, InputError
from edge.trust import IssuerKey
from edge.types import I8, Claim, Custody
from edge.vault.holder import Holder, serial_text
from edge.vault.record import Record
from edge.vault.seal import SECRET_BYTES, Header, record_id, seal

SERIAL_BYTES = 16


@dataclass(frozen=True, slots=True)
class Card:
    """What a card will say, but for its sealed template (`edge.claim.TokenBody` has the ranges)."""

    custody: Custody
    site: bytes
    serial: bytes
    credential: int
    groups: tuple[str, ...]
    not_before: int
    expires: int
    secret: bytes = field(repr=False)

    @classmethod
    def new(
        cls,
        site: bytes,
        groups: tuple[str, ...],
        credential: int,
        not_before: int,
        expires: int,
        custody: Custody,
        random_bytes: Callable[[int], bytes],
    ) -> Card:
        """A card with a fresh serial and secret."""
        serial, secret = random_bytes(SERIAL_BYTES), random_bytes(SECRET_BYTES)
        names = tuple(sorted(set(groups)))
        return cls(custody, site, serial, credential, names, not_before, expires, secret)

    @classmethod
    def like(
        cls,
        claim: Claim,
        random_bytes: Callable[[int], bytes],
        *,
        expires: int | None = None,
        groups: tuple[str, ...] | None = None,
    ) -> Card:
        """A new card for the holder of another one."""
        last = claim.expires if expires is None else expires
        names = claim.groups if groups is None else groups
        return cls.new(claim.site, names, claim.credential, claim.not_before, last, claim.custody, random_bytes)

    @classmethod
    def of(cls, claim: Claim) -> Card:
        """The very card of a claim, whose stored template is replaced."""
        return cls(
            claim.custody,
            claim.site,
            claim.serial,
            claim.credential,
            claim.groups,
            claim.not_before,
            claim.expires,
            claim.secret,
        )


@dataclass(frozen=True, slots=True)
class Issued:
    """What an enrolment hands out.

    Attributes:
        token: the text for the card, which *is* the card; None when the old card stays. Never kept by the product.
        serial: 16 bytes, to be printed on the card; the rest: what the card says.
    """

    token: str | None = field(repr=False)
    serial: bytes
    custody: Custody
    credential: int
    groups: tuple[str, ...]
    not_before: int
    expires: int

    @property
    def serial_text(self) -> str:
        """The serial as printed."""
        return serial_text(self.serial)


@dataclass(frozen=True, slots=True)
class Draft:
    """A card that is made but not yet written: its row without consent, its record (device custody), its token."""

    holder: Holder
    record: bytes | None = field(repr=False)
    issued: Issued


def draft(
    card: Card,
    vector: I8,
    model_digest: bytes,
    key: bytes,
    issuer: IssuerKey,
    random_bytes: Callable[[int], bytes],
    made: int,
) -> Draft:
    """Seal a reference for a card.

    Args:
        vector: int8 (D,). model_digest: 32 bytes. key: site or device key, as the card's custody says.
        made: when the reference was made, Unix seconds; retention counts from then.

    Raises:
        InputError: the card cannot say this (dates, groups, length), or the vector is not a template.
    """
    device = card.custody is Custody.DEVICE
    name = record_id(card.secret) if device else None
    header = Header(card.custody, name or card.serial, model_digest, int(vector.shape[0]), made, card.expires)
    try:
        sealed = seal(vector, secret=card.secret, key=key, header=header, random_bytes=random_bytes)
    except ValueError as error:
        raise InputError(f"this cannot be sealed: {error}", where="enrolment") from None
    body = TokenBody(
        custody=card.custody,
        site=card.site,
        serial=card.serial,
        credential=card.credential,
        groups=card.groups,
        not_before=card.not_before,
        expires=card.expires,
        secret=card.secret,
        sealed=None if device else sealed,
    )
    issued = Issued(
        encode(body, issuer), card.serial, card.custody, card.credential, card.groups, card.not_before, card.expires
    )
    record = Record.sign(sealed, card.serial, issuer).pack() if device else None
    holder = Holder(card.serial, name, made, card.not_before, card.expires, made)
    return Draft(holder, record, issued)


def no_consent() -> ConsentMissing:
    """The error for a card whose consent receipt is not on this device."""
    return ConsentMissing(
        "no consent receipt for this card is kept on this device",
        where="vault",
        remedy="give one with --consent, or do this where the card was enrolled",
    )
