"""The rule of one session: what each frame leads to. Pure: time, looks, judgements and comparisons come from outside.

    rule = Rule(settings.decision, passive=limits, active=Active("on_doubt", align, random))
    for each frame:   ending = rule.see(at_ns, look, eye)       # None: go on; rule.prompt: what the person is told

    a frame:   usable? -> passive gate -> due? -> compare -> flash, where the door has one, and compare again
                                                          -> every gate passes -> accept
                                                          -> else, where there is one: the challenge

A device's session plays it with a camera and a sealed template (`edge.session.verifier`), the lab with recordings
(`edge.lab`): both have exactly this rule. Gates only take away: an accept is a match *and* a pass of every gate, in the
same look. After ``looks`` comparisons of which none matched the answer is a reject; if one matched and a gate held it
back, there is no decision. A challenge begins with a match and has `ATTEMPTS`; passive judgements are not taken in it,
nor while the screen flashes. A flash that could not judge asks for the challenge; without one nobody is accepted.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, Protocol

from edge.face.card import Align
from edge.face.chain import Look
from edge.face.challenge import Challenge, Failing, Plan, Prompt
from edge.face.flash import UNCLEAR, Flash, drawn
from edge.face.suspicion import DOUBT, EARLY, PassiveLimits, Suspicion
from edge.settings.model import DecisionSettings
from edge.types import Advice, Attack, Outcome, Pass, Reason, Retry, Species, Verdict

#: Frames seen before the first comparison: with one a frozen source was accepted in none of the sessions of
#: `tests.benchmarks.door`, as with two; with none it was, where the passive network is off.
WARM_FRAMES = 1
#: A challenge that was not done may be tried once more, in another order.
ATTEMPTS = 2


class Eye(Protocol):
    """What only the owner of template and models can do."""

    def judge(self, look: Look) -> float:
        """The passive network's suspicion of a usable look, 0 (live) .. 1 (attack). Asked only if there is one."""

    def compare(self, look: Look) -> bool:
        """Whether a usable look matches the claim's template; one comparison."""

    def tint(self, look: Look) -> tuple[float, float] | None:
        """`edge.face.flash.tint` of a look with a face. Asked only while the screen flashes."""


@dataclass(frozen=True, slots=True)
class Active:
    """The active line of a door.

    Attributes:
        when: ``on_doubt``: if the passive line doubts, or there is none; ``always``.
        align: of the embedder's card. random: uniform in 0..1, unpredictable.
    """

    when: Literal["on_doubt", "always"]
    align: Align
    random: Callable[[], float]


@dataclass(frozen=True, slots=True)
class Ending:
    """How a session ends. ``species``: of a suspected attack. ``advice``: what the person can do next time."""

    outcome: Outcome
    reason: Reason
    species: Species | None = None
    advice: tuple[Advice, ...] = ()


class Rule:
    """One session.

    Args:
        settings: looks, spacing.
        passive: limits of the passive network; None: there is none.
        active: the challenge; None: there is none.
        flash: uniform in 0..1, unpredictable, for the colours that the screen shows; None: it shows none.

    Attributes:
        frames, looks: so far; ``looks`` counts comparisons outside of a challenge. attempt: of the challenge, 0 before.
        newest: whether the newest frame was compared (not None) and matched.
        flash: while the screen shows its colours, and afterwards; None before.
    """

    def __init__(
        self,
        settings: DecisionSettings,
        passive: PassiveLimits | None = None,
        active: Active | None = None,
        flash: Callable[[], float] | None = None,
    ) -> None:
        self._settings, self._active, self._colours = settings, active, flash
        self.flash: Flash | None = None
        self.suspicion = None if passive is None else Suspicion(passive)
        self.frames = self.looks = self.attempt = 0
        self.matched = False
        self.newest: bool | None = None
        self._compared_ns: int | None = None
        self._challenge: Challenge | None = None

    @property
    def most(self) -> int:
        """Comparisons of one session at most."""
        looks = self._settings.looks
        return looks * (1 + (self._colours is not None) + (0 if self._active is None else 3 * ATTEMPTS))

    @property
    def prompt(self) -> Prompt | None:
        """What the person is told by the challenge; None while there is none."""
        return None if self._challenge is None else self._challenge.prompt

    def see(self, at_ns: int, look: Look, eye: Eye) -> Ending | None:
        """One frame.

        Args:
            at_ns: when it was captured, nanoseconds. look: what it showed; ``look.verdict`` is its gates' answer.

        Returns:
            How the session ends with this frame; None when it goes on.
        """
        self.frames, self.newest = self.frames + 1, None
        due = self._compared_ns is None or at_ns - self._compared_ns >= self._settings.spacing_ms * 1_000_000
        verdict = look.verdict
        if isinstance(verdict, Attack):
            return _attacked(verdict.species)
        if self._challenge is not None:
            return self._challenged(self._challenge, at_ns, look, eye, due=due)
        if self.flash is not None and self.flash.verdict is None:
            self.flash.see(at_ns, look, None if look.face is None else eye.tint(look))
            return _attacked(self.flash.verdict.species) if isinstance(self.flash.verdict, Attack) else None
        if isinstance(verdict, Retry):
            return None
        verdict = self._judged(look, eye, due=due)
        if isinstance(verdict, Attack):
            return _attacked(verdict.species)
        if self.frames <= WARM_FRAMES or not due or verdict == EARLY:
            return None
        self.looks += 1
        matched = self._compare(at_ns, look, eye)
        self.matched = self.matched or matched
        return self._decided(at_ns, look, verdict, matched=matched)

    def _decided(self, at_ns: int, look: Look, verdict: Verdict, *, matched: bool) -> Ending | None:
        """What a comparison leads to, and a gate's word on the same look."""
        last = self.looks >= self._settings.looks
        if matched and self._colours is not None and self.flash is None:
            assert look.face is not None
            self.flash, self.looks = Flash(drawn(self._colours), at_ns, look.face), 0
            return None
        if matched:
            if isinstance(verdict, Pass) and self.flash is not None:
                verdict = self.flash.verdict or verdict
            if self._active is None and isinstance(verdict, Pass):
                return Ending(Outcome.ACCEPT, Reason.MATCHING)
            if self._active is not None:
                always = self._active.when == "always" or self.suspicion is None
                if isinstance(verdict, Pass) and not always:
                    return Ending(Outcome.ACCEPT, Reason.MATCHING)
                if always or last or verdict in (DOUBT, UNCLEAR):
                    self._begin(self._active, at_ns, look)
                    return None
        if not last:
            return None
        return self.held_back or Ending(Outcome.REJECT, Reason.NOT_MATCHING)

    @property
    def held_back(self) -> Ending | None:
        """How a session ends in which a look matched and a gate held the accept back; None when none has."""
        if self.attempt:
            return Ending(Outcome.NO_DECISION, Reason.CHALLENGE_NOT_DONE, advice=(Advice.TURN_AS_SHOWN,))
        return Ending(Outcome.NO_DECISION, Reason.LIVENESS_UNCLEAR, advice=DOUBT.advice) if self.matched else None

    def _judged(self, look: Look, eye: Eye, *, due: bool) -> Verdict:
        """The passive gate: a judgement of each look that is due, and of those before, until there are enough."""
        if self.suspicion is None:
            return Pass()
        if due or self.suspicion.verdict == EARLY:
            self.suspicion.add(eye.judge(look))
        return self.suspicion.verdict

    def _compare(self, at_ns: int, look: Look, eye: Eye) -> bool:
        self._compared_ns = at_ns
        self.newest = eye.compare(look)
        return self.newest

    def _begin(self, active: Active, at_ns: int, look: Look) -> None:
        """One attempt, from a frame that shows a face."""
        assert look.face is not None
        self.attempt += 1
        plan = Plan.drawn(active.random)
        first, tries = self.attempt == 1, self._settings.looks
        self._challenge = Challenge(plan, active.align, at_ns, look.face, matched=first, tries=tries)

    def _challenged(self, challenge: Challenge, at_ns: int, look: Look, eye: Eye, *, due: bool) -> Ending | None:
        challenge.see(at_ns, look)
        if challenge.wants_comparison and due:
            challenge.compared(self._compare(at_ns, look, eye))
        if challenge.done:
            return Ending(Outcome.ACCEPT, Reason.MATCHING)
        if challenge.failed is Failing.OTHER_PERSON:
            return _attacked(Species.EXCHANGED)
        if challenge.failed is None or self._active is None:
            return None
        if self.attempt >= ATTEMPTS:
            return self.held_back
        if look.face is not None and look.crop is not None:  # the next attempt begins with the next face that is seen
            self._begin(self._active, at_ns, look)
        return None


def _attacked(species: Species) -> Ending:
    return Ending(Outcome.REJECT, Reason.PRESENTATION_ATTACK_SUSPECTED, species)
