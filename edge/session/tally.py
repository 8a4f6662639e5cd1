"""What a session has seen so far, and how it ends when it cannot decide.

Pure bookkeeping: frames without a usable face are counted by reason, advice by how often it applied.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

from edge.types import Advice, Reason

#: When two reasons were seen equally often the more specific one is told.
_SPECIFIC = (Reason.SOURCE_FAULT, Reason.SEVERAL_FACES, Reason.QUALITY, Reason.NO_FACE)
_DEFAULT = {Reason.NO_FACE: (Advice.NOBODY_SEEN,), Reason.SEVERAL_FACES: (Advice.ONE_PERSON,)}


@dataclass(slots=True)
class Tally:
    """Counts of one session."""

    frames: int = 0
    looks: int = 0
    reasons: Counter[Reason] = field(default_factory=Counter)
    advice: dict[Reason, Counter[Advice]] = field(default_factory=dict)
    milliseconds: dict[str, float] = field(default_factory=dict)

    def unusable(self, reason: Reason, advice: tuple[Advice, ...]) -> None:
        """A frame that led to no comparison."""
        self.reasons[reason] += 1
        self.advice.setdefault(reason, Counter()).update(advice)

    def spend(self, name: str, milliseconds: float) -> None:
        """Add to a named timing."""
        self.milliseconds[name] = self.milliseconds.get(name, 0.0) + milliseconds

    def ending(self) -> tuple[Reason, tuple[Advice, ...]]:
        """Reason and its advice (at most two, most frequent first) of a session that ends without a decision."""
        if not self.reasons:
            # Usable faces, but fewer than the looks that a reject needs: the person left too soon or moved.
            return Reason.QUALITY if self.looks else Reason.NO_FACE, (Advice.HOLD_STILL,) if self.looks else ()
        most = max(self.reasons.values())
        reason = next(r for r in (*_SPECIFIC, *self.reasons) if self.reasons.get(r) == most)
        if reason in _DEFAULT:
            return reason, _DEFAULT[reason]
        return reason, tuple(item for item, _ in self.advice.get(reason, Counter()).most_common(2))
