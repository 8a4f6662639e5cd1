"""Whole sessions on pictures: the rule of a door, played with a reference that was made from pictures.

    holder = Holder(chain, reference, threshold)
    played = play(rule, holder, frames)            # frames: an iterable; it may react to `told`
    played.ending                                  # accept, reject, no_decision; None: the frames ended before

It is `edge.face.rule` and nothing beside it, so what is measured here is what a door does with the same frames. Frame
health and the camera's own faults are a device's and are not played.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from edge.face import Chain, Look
from edge.face.challenge import Prompt
from edge.face.flash import tint
from edge.face.match import compare
from edge.face.rule import Ending, Rule
from edge.types import I8, Frame, Template

_SESSION = "lab"


@dataclass(frozen=True, slots=True)
class EnrolledPerson:
    """The person whose claim is played.

    Args:
        chain: detector, embedder, passive network if any.
        reference: int8 (D,), as an enrolment makes it (`edge.face.match.average`).
        threshold: that one look must reach.
    """

    chain: Chain
    reference: I8
    threshold: float

    def matches(self, look: Look) -> bool:
        """Whether a usable look matches."""
        template = Template(self.reference.copy(), model=self.chain.model, session=_SESSION)
        with template:
            return compare(template, self.chain.embed(look, _SESSION), _SESSION) >= self.threshold


@dataclass(frozen=True, slots=True)
class SessionPlayed:
    """What came of a session.

    Attributes:
        ending: None when the frames ended first. frames: seen. attempts: of the challenge.
        challenge_s: from its first prompt to the end, on the frames' clock; 0 without one.
    """

    ending: Ending | None
    frames: int
    attempts: int
    challenge_s: float


@dataclass(frozen=True, slots=True)
class _Eye:
    holder: EnrolledPerson
    frame: Frame

    def judge(self, look: Look) -> float:
        return self.holder.chain.judge(self.frame, look)

    def compare(self, look: Look) -> bool:
        return self.holder.matches(look)

    def tint(self, look: Look) -> tuple[float, float] | None:
        return None if look.face is None else tint(self.frame.image, look.face)


def play(
    rule: Rule,
    holder: EnrolledPerson,
    frames: Iterable[Frame],
    *,
    deadline_s: float = 8.0,
    told: Callable[[Prompt, float], None] = lambda prompt, at_s: None,
) -> SessionPlayed:
    """Play one session.

    Args:
        rule: fresh. frames: in order; they are asked for one by one, after what the last one led to was told.
        deadline_s: on the frames' clock; a challenge has times of its own.
        told: called with each new prompt of the challenge and the time of its frame, seconds.
    """
    began: int | None = None
    first: int | None = None
    prompt: Prompt | None = None
    at, ending = 0, None
    for frame in frames:
        at = frame.monotonic_ns
        began = at if began is None else began
        ending = rule.see(at, holder.chain.look(frame), _Eye(holder, frame))
        if rule.prompt is not prompt and rule.prompt is not None:
            prompt, first = rule.prompt, at if first is None else first
            told(prompt, at / 1e9)
        if ending is None and prompt is None and at - began >= deadline_s * 1e9:
            ending = rule.held_back
            break
        if ending is not None:
            break
    return SessionPlayed(ending, rule.frames, rule.attempt, 0.0 if first is None else (at - first) / 1e9)
