"""A row about one card: readable, without biometrics, and not to be edited unnoticed.

Revocation, erasure and expiry work on these rows. Each carries a MAC by a key of this device over all of its fields.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import re
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from edge.errors import InputError, TokenRevoked, TokenUnknown, UsageError
from edge.types import Custody

NEVER = 2**32 - 1
"""Expiry of a card about which only its serial is known (revoked at a door where it was not enrolled)."""

_SERIAL = re.compile(r"[0-9a-f]{32}", re.ASCII)


class Status(StrEnum):
    """What became of a card."""

    ACTIVE = "active"
    REVOKED = "revoked"
    REPLACED = "replaced"
    ERASED = "erased"


_GONE = {
    Status.REVOKED: ("the card was revoked", "ask the operator"),
    Status.REPLACED: ("the card was replaced by a newer one", "use the newer card; destroy this one"),
    Status.ERASED: ("the person's data was erased", "ask the operator to enrol again"),
}


@dataclass(frozen=True, slots=True)
class Holder:
    """One card.

    Attributes:
        serial: 16 bytes. record_id: 32 bytes in device custody, else None.
        enrolled: when the reference was made. not_before, expires: the card's. changed: when the status last did.
            Unix seconds, all of them.
        status: what became of it.
        receipt: the consent receipt as JSON, without the subject; empty once the card is gone.
        subject: keyed hash of who it is, 32 bytes, or None.
        record_digest: SHA-256 of the stored record (device custody), so that an older one put back is noticed.
        model: identity of the embedder that made the template, 32 bytes; None: a row of a version before it was kept.
    """

    serial: bytes
    record_id: bytes | None = field(repr=False)
    enrolled: int
    not_before: int
    expires: int
    changed: int
    status: Status = Status.ACTIVE
    receipt: str = ""
    subject: bytes | None = field(default=None, repr=False)
    record_digest: bytes | None = field(default=None, repr=False)
    model: bytes | None = field(default=None, repr=False)

    @property
    def custody(self) -> Custody:
        """Where the template is. A card known by its serial alone counts as in card custody."""
        return Custody.CARD if self.record_id is None else Custody.DEVICE

    @property
    def consent(self) -> dict[str, Any]:
        """The consent receipt as kept; empty when there is none."""
        try:
            data = json.loads(self.receipt or "{}")
        except ValueError:  # rows carry a MAC, so this is an older version's
            data = None
        return data if isinstance(data, dict) else {}

    @property
    def language(self) -> str:
        """The language in which the person read the consent text; empty when it is not kept."""
        return str(self.consent.get("language", ""))

    @property
    def consented_until(self) -> int | None:
        """When the consent ends by itself, Unix seconds; None: with the card."""
        until = self.consent.get("until")
        return until if isinstance(until, int) else None

    def refuse(self) -> None:
        """Return when the card counts.

        Raises:
            TokenRevoked: revoked, replaced or erased.
        """
        if self.status is not Status.ACTIVE:
            what, remedy = _GONE[self.status]
            raise TokenRevoked(what, where="token", remedy=remedy)

    def mac(self, key: bytes) -> bytes:
        """32 bytes over all fields, each with its length, so that no two rows read the same."""
        numbers = (self.enrolled, self.not_before, self.expires, self.changed)
        parts = [
            self.serial,
            self.record_id or b"",
            *(number.to_bytes(8, "big", signed=True) for number in numbers),
            self.status.value.encode(),
            self.receipt.encode(),
            self.subject or b"",
            self.record_digest or b"",
            *([] if self.model is None else [self.model]),
        ]
        message = b"edge/holder/v1" + b"".join(len(part).to_bytes(4, "big") + part for part in parts)
        return hmac.new(key, message, hashlib.sha256).digest()


def serial_text(serial: bytes) -> str:
    """As printed on the card: hex in groups of four."""
    text = serial.hex()
    return "-".join(text[k : k + 4] for k in range(0, len(text), 4))


def parse_serial(text: str) -> bytes:
    """The 16 bytes of a serial as it was typed: with or without dashes and spaces, in any case.

    Raises:
        InputError: not 32 hexadecimal digits.
    """
    digits = re.sub(r"[\s-]", "", text).lower()
    if not _SERIAL.fullmatch(digits):
        raise InputError(
            "this is not a card serial", where="serial", remedy="type the 32 digits 0-9 a-f as printed on the card"
        )
    return bytes.fromhex(digits)


def named(operator: str) -> None:
    """Return when an operator is named. Raises UsageError."""
    if not operator.strip():
        raise UsageError("this needs an operator", where="operator", remedy="name who does it")


def unknown() -> TokenUnknown:
    """The error for a card of device custody whose template is not here."""
    return TokenUnknown(
        "this device holds no template for this card",
        where="vault",
        remedy="use the door where the card was enrolled, or ask the operator to enrol here",
    )
