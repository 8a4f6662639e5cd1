"""The token: the text on a person's card, made by an issuer and checked by a door.

    text = encode(body, issuer)                                           # where people are enrolled
    claim = decode(text, trust=trust, site_id=site, received_ns=now)      # at a door

On the wire a token is ``EV1:`` and the Base45 of its bytes (`edge.claim.layout`): what a QR code holds most densely,
and what a wedge scanner, a serial line or standard input carry unharmed. A door checks in this order, and stops at the
first that fails: size and magic, signature, then site and structure. No field is believed before the signature holds.
"""

from __future__ import annotations

from dataclasses import fields
from typing import Protocol

from edge.claim import base45
from edge.claim.finding import PREFIX, find_token
from edge.claim.layout import MAGIC, MAX_BYTES, MIN_BYTES, SIGNATURE_BYTES, issuer_of, pack, unpack
from edge.errors import KeyringError, TokenInvalid
from edge.trust import TrustStore
from edge.types import Claim, Token
from edge.types.wipe import wipe

#: The label of an issuer's signature over a token.
TOKEN_DOMAIN = b"edge/token/v1"
#: `PREFIX` and the Base45 of `MAX_BYTES`: 655 of the 656 characters of a QR code of version 16, level M.
MAX_TEXT = len(PREFIX) + MAX_BYTES // 2 * 3 + MAX_BYTES % 2 * 2
#: Longest text that is searched for a token: each of its characters on a line of its own, or in UTF-16 with CR LF.
MAX_READ = 4 * MAX_TEXT
_REMEDY = "present the card again; if this goes on, ask the operator for a new one"


class Issuer(Protocol):
    """Who signs cards: `edge.trust.IssuerKey`, or one whose private half is in an operator's own process."""

    @property
    def key_id(self) -> bytes:
        """8 bytes."""

    def sign(self, message: bytes, domain: bytes) -> bytes:
        """64 bytes, Ed25519 over the domain's label and the message."""


def encode(body: Token, issuer: Issuer) -> str:
    """The text of a card.

    Args:
        body: what the card says.
        issuer: signs it.

    Returns:
        ``EV1:...``, at most `MAX_TEXT` characters of the QR alphanumeric alphabet. It holds the card's secret.

    Raises:
        InputError: a field is outside its range, or the whole would not fit the code.
    """
    data = pack(body, issuer.key_id)
    return PREFIX + base45.encode(data + issuer.sign(data, TOKEN_DOMAIN))


def decode(text: str, *, trust: TrustStore, site_id: bytes, received_ns: int) -> Claim:
    """The claim that a presented text makes, once it is known to be a token of this site.

    Args:
        text: as read; the token is found inside what scanners and editors put around it (`edge.claim.finding`).
        trust: whose signatures count.
        site_id: this device's site, 16 bytes.
        received_ns: when it was presented, on the stream's clock.

    Returns:
        The claim. Its validity in time and for this door are checked by `check_time` and `check_door`.

    Raises:
        TokenInvalid: whatever is wrong. Up to and including the signature the message is always the same.
    """
    data = _signed_bytes(text, trust)
    try:
        body, issuer = unpack(data)
        wipe(data)
    except ValueError:
        raise TokenInvalid(
            "the token is signed but its content is not of this version", where="token", remedy="update this device"
        ) from None
    if body.site != site_id:
        raise TokenInvalid("this card belongs to another site", where="token", remedy="use this site's card")
    said = {field.name: getattr(body, field.name) for field in fields(body)}
    return Claim(**said, issuer=issuer, received_ns=received_ns)


def _signed_bytes(text: str, trust: TrustStore) -> bytes:
    """All bytes before the signature, which holds. Raises `TokenInvalid`, always with the same message."""
    refused = TokenInvalid("this is not a card of this site", where="token", remedy=_REMEDY)
    token = find_token(text) if len(text) <= MAX_READ else None
    if token is None or len(token) > MAX_TEXT:
        raise refused
    spelled = token[len(PREFIX) :]
    try:
        data = base45.decode(spelled)
    except ValueError:
        raise refused from None
    finally:
        wipe(spelled, token)
    if not MIN_BYTES <= len(data) <= MAX_BYTES or data[0] != MAGIC:
        raise refused
    message, signature = data[:-SIGNATURE_BYTES], data[-SIGNATURE_BYTES:]
    try:
        trust.verify(issuer_of(message), message, signature, TOKEN_DOMAIN)
    except KeyringError:
        raise refused from None
    finally:
        wipe(data)
    return message
