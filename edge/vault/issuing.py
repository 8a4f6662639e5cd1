"""Making a card: a token with its sealed template. Nothing here is written anywhere; the vault does that.

draft = vault.prepare_enrolment(cell, terms, consent, by)     # made, signed; nothing is on the disk
...                                                           # the card is handed over
vault.commit(draft)                                           # from now on it counts
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Protocol

from edge.claim import Issuer, encode
from edge.claim.layout import pack
from edge.errors import ConsentMissing, InputError
from edge.types import Claim, Custody, SealedTemplate, Token
from edge.vault.holder import Holder
from edge.vault.record import Record
from edge.vault.seal import (
    MOST_REFERENCES,
    SECRET_BYTES,
    SEVERAL,
    TAG_BYTES,
    VERSION,
    Header,
    Lock,
    new_lock,
    record_id,
)

SERIAL_BYTES = 16


@dataclass(frozen=True, slots=True)
class Terms:
    """What an operator wants a card to say; see `edge.types.Token` for the ranges."""

    custody: Custody
    groups: tuple[str, ...]
    credential: int
    not_before: int
    expires: int

    def token(self, site: bytes, random_bytes: Callable[[int], bytes]) -> Token:
        """A token of these terms with a fresh serial and secret."""
        serial, secret = random_bytes(SERIAL_BYTES), random_bytes(SECRET_BYTES)
        return Token(self.custody, site, serial, self.credential, self.groups, self.not_before, self.expires, secret)


@dataclass(frozen=True, slots=True)
class Issuance:
    """Who issues a card, when, and for which embedder.

    Attributes:
        issuer: signs. operator: by name. model: the embedder's identity, 32 bytes. dimension: of its embeddings.
        now_s: the trusted time, Unix seconds. random_bytes: `os.urandom` outside tests.
        earlier: the embedder's identity with the arithmetic before, 64 hexadecimal digits; its templates are re-issued.
    """

    issuer: Issuer
    operator: str
    model: bytes
    dimension: int
    now_s: int
    random_bytes: Callable[[int], bytes] = os.urandom
    earlier: str = ""


@dataclass(frozen=True, slots=True)
class Issued:
    """What is handed out.

    Attributes:
        text: of the token, which *is* the card; None when the old card stays. Never kept by the product.
        card: what the card says.
    """

    text: str | None = field(repr=False)
    card: Token


@dataclass(frozen=True, slots=True)
class Draft:
    """A card that is made and not yet written.

    Attributes:
        issued: to be handed over. holder: its row. record: for the store, in device custody.
        replaces: the row of the card that it replaces, as it was. at: when, Unix seconds.
    """

    issued: Issued
    holder: Holder
    record: bytes | None = field(repr=False)
    replaces: Holder | None = None
    at: int = 0


class Keeper(Protocol):
    """Where one person's references are: the opened template's, and those of captures (`edge.session.cell.Cell`)."""

    def open(
        self, lock: Lock, ciphertext: bytes, *, model: bytes, references: int, threshold: float, most: int
    ) -> None: ...

    def seal(self, lock: Lock, *, opened: bool, kept: bool) -> SealedTemplate: ...


def draft(token: Token, cell: Keeper, made: int, key: bytes, by: Issuance, *, opened: int, kept: bool) -> Draft:
    """Have references sealed for a token.

    Args:
        token: without a sealed template. cell: where the references are.
        made: when the reference was made, Unix seconds; retention counts from then.
        key: site or device key, as the token's custody says.
        opened: references of the template that is open there. kept: and one of captures.

    Raises:
        InputError: the card cannot say this (dates, groups, length), or the template would hold too many references.
    """
    if opened + kept > MOST_REFERENCES:
        raise InputError(
            f"the template holds {MOST_REFERENCES} references already",
            where="--add-reference",
            remedy="renew it: edge enrol --renew replaces them by one",
        )
    device = token.custody is Custody.DEVICE
    name = record_id(token.secret) if device else None
    version = VERSION if opened + kept == 1 else SEVERAL
    header = Header(token.custody, name or token.serial, by.model, by.dimension, made, token.expires, version)
    try:
        lock = new_lock(header, secret=token.secret, key=key, random_bytes=by.random_bytes)
    except ValueError as error:
        raise InputError(f"this cannot be sealed: {error}", where="enrolment") from None
    try:
        sealed = cell.seal(lock, opened=bool(opened), kept=kept)
    finally:
        lock.wipe()
    token = replace(token, sealed=None if device else sealed)
    record = Record.sign(sealed, token.serial, by.issuer).pack() if device else None
    holder = Holder(token.serial, name, made, token.not_before, token.expires, made, model=by.model)
    return Draft(Issued(encode(token, by.issuer), token), holder, record)


def need_room(claim: Claim, dimension: int, references: int) -> None:
    """Return when so many references of so many numbers fit the card: always in device custody.

    Raises:
        InputError: the code would be too large to be read.
    """
    if claim.sealed is not None:
        sealed = replace(claim.sealed, ciphertext=bytes(references * dimension + TAG_BYTES))
        try:
            pack(replace(claim, sealed=sealed), bytes(8))
        except InputError as error:
            raise InputError(
                f"{references} references do not fit this card: {error.what}",
                where="--add-reference",
                remedy="keep templates on the device (vault.custody: device), or renew this one: edge enrol --renew",
            ) from None


def without_template(terms: Terms, site: bytes, by: Issuance) -> Issued:
    """A signed card for a person who does not use their face: no template, so nothing to seal and nothing to keep.

    Raises:
        InputError: the card cannot say this (dates, groups, length).
    """
    token = replace(terms, custody=Custody.NONE).token(site, by.random_bytes)
    return Issued(encode(token, by.issuer), token)


def issued_json(card: Token, consent: Mapping[str, Any] | None) -> dict[str, Any]:
    """What `edge enrol --json` says of a card, without the token."""
    return {
        "schema": "edge/enrolment/v1",
        "serial": card.serial_text,
        "custody": card.custody.value,
        "credential": card.credential,
        "groups": list(card.groups),
        "not_before": card.not_before,
        "expires": card.expires,
        "consent": dict(consent) if consent is not None else None,
        "error": None,
    }


def no_consent() -> ConsentMissing:
    """The error for a card whose consent receipt is not on this device."""
    return ConsentMissing(
        "no consent receipt for this card is kept on this device",
        where="vault",
        remedy="give one with --consent, or do this where the card was enrolled",
    )
