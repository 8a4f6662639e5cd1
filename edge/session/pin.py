"""The PIN beside the card: asked for after the card was found good and before anybody is looked at.

    gate = PinGate(pins, limits, within_s=20.0)
    gate.check(claim, typed, tell, session)         # returns, or raises a ClaimError

A wrong PIN counts as a reject of the card: the failure is on the disk before it is compared, it is taken back when the
PIN is right, and the waits of `edge.state.limits` hold for faces and PINs together. Nobody who knows a PIN clears what
faces have failed, and no PIN is in an event, an entry or a message.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from edge.errors import PinMissing, PinWrong
from edge.types import Claim
from edge.types.events import Event, PinWanted
from edge.types.wipe import wipe

#: Waits so many seconds at most for a PIN; None: nobody typed one, or turned to something else.
Typed = Callable[[float], str | None]


class Pins(Protocol):
    """What the gate needs of `edge.state.pins`."""

    def known(self, serial: bytes) -> bool: ...

    def matches(self, serial: bytes, typed: str) -> bool: ...


class Limits(Protocol):
    """What the gate needs of `edge.state.limits`."""

    def before_comparison(self, serial: bytes) -> None: ...

    def rejected(self, serial: bytes) -> None: ...

    def withdraw(self, serial: bytes) -> None: ...


@dataclass(frozen=True, slots=True)
class PinGate:
    """Asks for the PIN of a claim.

    Args:
        pins: of this door. limits: of its cards; a session of theirs has begun (`Limits.check`).
        within_s: how long somebody may take to type it. now_ns: the clock of events.
    """

    pins: Pins
    limits: Limits
    within_s: float
    now_ns: Callable[[], int] = time.monotonic_ns

    def check(self, claim: Claim, typed: Typed, tell: Callable[[Event], None], session: str) -> None:
        """Return when the right PIN was typed.

        Raises:
            PinMissing: the card has none here, or none was typed; nothing is counted.
            PinWrong: counted. LockedOut: this card, or the door, must wait.
            StateError: the attempt could not be written; nothing was compared.
        """
        serial = claim.serial
        if not self.pins.known(serial):
            raise PinMissing(
                "no PIN is set for this card at this door", where="PIN", remedy="ask an operator to set one"
            )
        tell(PinWanted(at_ns=self.now_ns(), session=session, within_s=self.within_s))
        pin = typed(self.within_s)
        if pin is None:
            raise PinMissing("no PIN was typed", where="PIN", remedy="present the card again, then type its PIN")
        try:
            self.limits.before_comparison(serial)
            right = self.pins.matches(serial, pin)
        finally:
            wipe(pin)
        if not right:
            self.limits.rejected(serial)
            raise PinWrong("the PIN is wrong", where="PIN", remedy="present the card again, or take the other way in")
        self.limits.withdraw(serial)
