"""The desk: from the text that a reader delivered to a claim that may be looked at.

    text -> size and magic, signature, site -> validity in time -> this door, this hour -> Claim

Everything here happens before a frame is looked at. Revocation and the template itself are the vault's.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from edge.claim import check_door, check_time, decode
from edge.errors import ClockUnconfirmed, TokenExpired, TokenNotYetValid
from edge.settings.model import ClaimSettings
from edge.trust import TrustStore
from edge.types import Claim, Decision, Outcome, Reason
from edge.types.wipe import wipe
from edge.vault import Header


class Time(Protocol):
    """The trusted time of `edge.state`: Unix seconds, and whether anybody may rely on a jump of it."""

    @property
    def utc_s(self) -> int: ...

    @property
    def confirmed(self) -> bool: ...

    @property
    def believed_s(self) -> int: ...


def other_way(claim: Claim, target_fmr: float) -> Decision:
    """The answer to a card without a template: nobody is looked at, and nothing is counted."""
    reason = Reason.ALTERNATIVE
    serial, credential = claim.serial.hex(), claim.credential
    return Decision(Outcome.NO_DECISION, reason, target_fmr, serial=serial, credential=credential)


@dataclass(frozen=True, slots=True)
class Admission:
    """Checks claims for one door.

    Args:
        trust: the issuers this site trusts.
        site: the 16-byte site id.
        settings: this door's group and hours.
        now: the trusted clock (`edge.state.ClockGuard.now`).
        keep_days: the longest time that a template may be kept, whatever its card says; None: as long as its card is
            valid. A template on a card cannot be deleted from here, so it is refused.
    """

    trust: TrustStore
    site: bytes
    settings: ClaimSettings
    now: Callable[[], Time]
    keep_days: Callable[[], int | None] = lambda: None

    def receive(self, text: str, received_ns: int) -> Claim:
        """Check a token.

        Args:
            text: what the reader delivered.
            received_ns: when, on the stream's clock.

        Raises:
            TokenInvalid, TokenExpired, TokenNotYetValid, WrongDoor: see `edge.claim`.
            ClockUnconfirmed: the clock jumped, and without a jump the token would be valid, or with it.
        """
        claim = decode(text, trust=self.trust, site_id=self.site, received_ns=received_ns)
        try:
            return self._checked(claim)
        except BaseException:
            wipe(claim.secret)
            raise

    def _checked(self, claim: Claim) -> Claim:
        time = self.now()
        try:
            check_time(claim, time.utc_s, believed_s=time.believed_s, skew_s=self.settings.clock_skew_s)
            self._check_age(claim, time.utc_s)
        except (TokenExpired, TokenNotYetValid) as error:
            if time.confirmed:
                raise
            raise ClockUnconfirmed(
                "the clock jumped and nobody has confirmed it; whether the token is valid depends on it",
                where="clock",
                remedy="wait for time synchronisation or let an operator confirm the time",
            ) from error
        check_door(claim, self.settings.group, self.settings.schedule, time.believed_s)
        return claim

    def _check_age(self, claim: Claim, now_s: int) -> None:
        """Return when the template on a card may still be used. Raises `TokenExpired`."""
        days = self.keep_days()
        if days is None or claim.sealed is None:
            return
        try:
            made = Header.parse(claim.sealed.header).made
        except ValueError:
            return  # the vault refuses it with its own reason
        if now_s >= made + days * 86_400:
            raise TokenExpired(
                f"the template on it is older than the {days} days for which one may be kept here",
                where="token",
                remedy="ask the operator to enrol again",
            )
