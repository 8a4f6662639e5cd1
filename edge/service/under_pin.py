"""A PIN in the place of the card, where settings and build ask for it: from what was typed to a claim.

    claim = claimed(device, text, told.append)      # a token's, or of the card that lies under a PIN

Each use that somebody is looked at for is told, and so in the journal: whoever reads it sees which decisions rest on a
PIN (`edge.state.pin_alone`). One that is refused before is a refusal like any, of which a journal is not filled.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from edge.errors import NotInThisBuild
from edge.types import Claim
from edge.types.events import ClaimUnderPin, Event
from edge.types.wipe import wipe

if TYPE_CHECKING:
    from edge.service.device import Device
    from edge.state.pin_alone import PinAlone


def opened(device: Device) -> PinAlone | None:
    """The cards under PINs of a device; None: its settings want none. Raises `NotInThisBuild`."""
    if device.settings.claim.pin != "alone":
        return None
    try:
        from edge.state.pin_alone import PinAlone
    except ModuleNotFoundError:
        raise NotInThisBuild(
            "this build takes no PIN in the place of a card",
            where="claim.pin: alone",
            remedy="give people cards, or build with pin_alone: true",
        ) from None
    key = device._keyring.derive("edge/pin/v1")
    return PinAlone(device._records.state, key, device._clock, device._parts.random_bytes)


def claimed(device: Device, text: str, later: Callable[[Event], None]) -> Claim:
    """The claim that a text makes.

    Args:
        later: given what is to be told once a session is opened for it.

    Raises:
        ClaimError: as of `Admission.receive` and `PinAlone.card`.
    """
    alone = opened(device)
    card = text if alone is None else alone.card(text)
    if card is text:
        return device._admission.receive(text, 0)
    try:
        claim = device._admission.receive(card, 0)
    finally:
        wipe(card)
    later(ClaimUnderPin(at_ns=device.now_ns(), serial=claim.serial.hex()))
    return claim
