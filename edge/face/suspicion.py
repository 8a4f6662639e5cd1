"""What the passive network says of one session: judgements fused by a pure rule, and latched.

    suspicion = Suspicion(card.passive)         # limits: doubt, attack, judgements
    suspicion.add(0.08)                         # one judgement of a frame, 0 (live) .. 1 (attack)
    suspicion.verdict                           # Pass(), Retry(LIVENESS_UNCLEAR), Attack(INSTRUMENT)

The fused value is the mean of all judgements of the session, and never below the newest one: the frame that is compared
must itself be unsuspicious. Doubt is latched: once the fused value has reached ``doubt``, no later frame takes it back
(a peer let a photograph in on the retry), and only a challenge can settle it. A rejection wants the mean of at least
``judgements`` frames; before there are so many, a session cannot pass either.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from edge.types import Advice, Attack, Pass, Reason, Retry, Species, Verdict

DOUBT = Retry(Reason.LIVENESS_UNCLEAR, (Advice.LOOK_HERE,))
#: Too few judgements so far: nothing that the person could do.
EARLY = Retry(Reason.LIVENESS_UNCLEAR)


@dataclass(frozen=True, slots=True)
class PassiveLimits:
    """From a passive network's card.

    Attributes:
        doubt: fused suspicion from which a session is not accepted without a challenge.
        attack: mean from which it is rejected; above 1: never.
        judgements: so many are needed before anything is said.
    """

    doubt: float
    attack: float
    judgements: int = 2


@dataclass(slots=True)
class Suspicion:
    """The judgements of one session. ``highest``: the largest fused value, once there were enough."""

    limits: PassiveLimits
    values: list[float] = field(default_factory=list)
    highest: float = 0.0

    def add(self, value: float) -> None:
        """One more judgement, 0..1; one that is not a number counts as an attack."""
        self.values.append(value if 0.0 <= value <= 1.0 else 1.0)
        if self._enough:
            self.highest = max(self.highest, self.fused)

    @property
    def fused(self) -> float:
        """Mean of all, or the newest, whichever is larger; 1 when there is none."""
        return max(self._mean, self.values[-1]) if self.values else 1.0

    @property
    def verdict(self) -> Verdict:
        """What the passive gate says of the session so far."""
        if not self._enough:
            return EARLY
        if self._mean >= self.limits.attack:
            return Attack(Species.INSTRUMENT)
        return DOUBT if self.highest >= self.limits.doubt else Pass()

    @property
    def _enough(self) -> bool:
        return len(self.values) >= self.limits.judgements

    @property
    def _mean(self) -> float:
        return sum(self.values) / len(self.values)
