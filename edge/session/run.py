"""One session as it runs: frames from a stream, each seen by the rule, until there is an ending.

    with verifier.cells(session) as cell:
        ending = Run(verifier, chain, cell, claim, stream, session, tally, tell, watch, cancelled).decide()

Here is the world that `edge.face.rule` does not know: the stream and its faults, the deadline, the failure that is on
the disk before the first comparison, what is told.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import numpy as np

from edge.errors import SourceTimeout, SpentError
from edge.face import Chain, Look
from edge.face.challenge import STEPS, Prompt
from edge.face.flash import SHOWN, STEP_S, Flash, tint
from edge.face.rule import Ending, Rule
from edge.session.cell import Opens
from edge.session.tally import Tally
from edge.types import Advice, Claim, Fault, Frame, Outcome, Reason, Species, Stream
from edge.types.events import ChallengeStep, Event, FlashColour, Guidance, LookCompared

if TYPE_CHECKING:
    from edge.session.verifier import Verifier

#: Faults that make a stream unfit to decide on: what it shows need not be what is in front of it.
_UNTRUSTED = frozenset({Fault.FROZEN, Fault.WRONG_SIZE, Fault.TIME_BACKWARDS})
#: A wait for a frame is cut into slices, so that a cancellation (SIGTERM) is noticed in mid-capture.
_SLICE_S = 0.25
#: After a challenge that was not done, so long may nobody be seen before the session ends.
_BETWEEN_NS = 2_000_000_000
#: Every so many pixels are compared between frames.
_SAMPLE = 8
#: Frames from longer ago that come again before a session takes the stream for an injected one: a driver may err once.
REPEATS = 2
#: Grey levels: a frame whose pixels deviate less is black, covered or overexposed.
_PLAIN = 4.0


@dataclass(frozen=True, slots=True)
class Glimpse:
    """What a watcher (kiosk, demo) is told about one frame while a session runs. Holds no score.

    Attributes:
        prompt: what the challenge asks for after this frame; None while there is none.
    """

    frame: Frame
    look: Look
    looks: int
    passed: bool | None
    prompt: Prompt | None = None


@dataclass(slots=True)
class Run:
    """The moving parts of one session."""

    verifier: Verifier
    chain: Chain
    cell: Opens
    claim: Claim
    stream: Stream
    session: str
    tally: Tally
    tell: Callable[[Event], None]
    watch: Callable[[Glimpse], None] | None
    cancelled: Callable[[], bool]
    pictures: list[int] = field(default_factory=list)
    repeated: int = 0
    best: float | None = None
    threshold: float | None = None
    """Of the template; None until it is opened."""
    prompt: Prompt | None = None
    shown: int = 0
    rule: Rule = field(init=False)
    guidance: tuple[tuple[Advice, ...], Reason | None] | None = None

    def decide(self) -> Ending:
        settings, health = self.verifier.settings, self.verifier.health()
        rule = self.rule = self.verifier.rule(self.chain)
        deadline = self.claim.received_ns + int(settings.deadline_s * 1e9)
        newest = self.claim.received_ns
        while not self.cancelled():
            remaining = (deadline - max(self.stream.now_ns(), newest)) / 1e9
            if remaining <= 0:
                break
            frame = self._next(newest, remaining)
            if frame is None:
                break
            newest = frame.monotonic_ns
            look = self._look(frame, frozenset(health.check(frame)))
            if self.prompt is None and not (rule.flash and rule.flash.verdict is None):
                self._guide(look, 1.0 - remaining / settings.deadline_s)
            ending = rule.see(newest, look, _Eye(self, frame))
            self._show(frame, look, rule.newest)
            if rule.flash is not None and rule.flash.verdict is None:
                deadline = max(deadline, rule.flash.until_ns + _BETWEEN_NS)
                self._flash(rule.flash)
            if rule.prompt is not None:
                deadline = max(deadline, rule.prompt.until_ns + _BETWEEN_NS)  # a challenge has times of its own
                self._prompt(rule.prompt, newest, done=ending is not None and ending.outcome is Outcome.ACCEPT)
            if ending is not None:
                return ending
        if self.cancelled():
            return Ending(Outcome.NO_DECISION, Reason.INTERRUPTED)
        reason, advice = self.tally.ending()
        return rule.held_back or Ending(Outcome.NO_DECISION, reason, advice=advice)

    def _next(self, newest: int, remaining: float) -> Frame | None:
        """The next frame; None when it is time to look at the deadline or at a cancellation again.

        Raises:
            SourceTimeout: the source itself has stopped.
        """
        waited = 0.0
        while not self.cancelled() and waited < remaining:
            step = min(_SLICE_S, remaining - waited)
            try:
                return self.stream.next(newest, step)
            except SourceTimeout:
                waited += step
                if waited >= self.verifier.source_timeout_s:
                    raise
        return None

    def _look(self, frame: Frame, faults: frozenset[Fault]) -> Look:
        self.tally.frames += 1
        if faults & _UNTRUSTED or self._repeats(frame):
            look = Look.nothing(Reason.SOURCE_FAULT)
            if self.repeated >= REPEATS:
                look = replace(look, attack=Species.INJECTED)
        else:
            look = self.chain.look(frame)
            for name, value in look.timings_ms.items():
                self.tally.spend(name, value)
        if look.reason is not None:
            self.tally.unusable(look.reason, look.advice)
        return look

    def _repeats(self, frame: Frame) -> bool:
        """A sensor never delivers the same picture twice: one that was there before shows nobody's presence.

        The one just before may come again, since cameras stall. One from longer ago comes from something that plays
        pictures in the camera's place; black and overexposed frames are alike and prove nothing.
        """
        sample = np.ascontiguousarray(frame.image[::_SAMPLE, ::_SAMPLE])
        digest = hash(sample.tobytes())
        again, stalled = digest in self.pictures, self.pictures[-1:] == [digest]
        if again and not stalled and sample.std() > _PLAIN:
            self.repeated += 1
        self.pictures.append(digest)
        return again

    def compare(self, look: Look) -> bool:
        """Compare a usable look; the failure is on the disk before, and the template is opened for the first one."""
        if self.tally.looks >= self.rule.most:
            raise SpentError("comparison limit reached", where="session", remedy="make a new claim")
        if self.threshold is None:
            started = time.perf_counter()
            self.threshold = self.verifier.open(self.cell, self.claim, self.chain, most=self.rule.most)
            self.tally.spend("open", 1e3 * (time.perf_counter() - started))
        if self.tally.looks == 0:
            self.verifier.limits.before_comparison(self.claim.serial)
        self.tally.looks += 1
        started = time.perf_counter()
        compared = self.cell.compare(self.chain.pixels(look))
        self.tally.spend("embed_and_compare", 1e3 * (time.perf_counter() - started))
        if not self.rule.attempt:
            now, looks = self.verifier.now_ns(), self.verifier.settings.looks
            self.tell(LookCompared(at_ns=now, session=self.session, look=self.tally.looks, looks=looks))
        if compared.score is not None:
            self.best = compared.score if self.best is None else max(self.best, compared.score)
        return compared.passed

    def _prompt(self, prompt: Prompt, frame_ns: int, *, done: bool) -> None:
        """Tell what the challenge wants, when it is something else than before, and that a step is done."""
        before, self.prompt = self.prompt, prompt
        if prompt is before and not done:
            return
        if before is not None and before.direction is not None and (done or prompt.step > before.step):
            self._step(before, 0.0, done=True)
        if prompt is not before:
            self._step(prompt, max(0.0, (prompt.until_ns - frame_ns) / 1e9))

    def _flash(self, flash: Flash) -> None:
        """Tell which colour the screen shows, when it is another one."""
        if flash.step != self.shown:
            self.shown, now = flash.step, self.verifier.now_ns()
            colour = SHOWN[flash.colour]
            steps = len(flash.colours)
            self.tell(
                FlashColour(
                    at_ns=now, session=self.session, colour=colour, lasts_s=STEP_S, step=self.shown, steps=steps
                )
            )

    def _step(self, prompt: Prompt, within_s: float, *, done: bool = False) -> None:
        self.tell(
            ChallengeStep(
                at_ns=self.verifier.now_ns(),
                session=self.session,
                step=prompt.step,
                steps=STEPS,
                attempt=self.rule.attempt,
                direction=prompt.direction,
                within_s=within_s,
                done=done,
            )
        )

    def _guide(self, look: Look, elapsed_share: float) -> None:
        """Tell what the person can do, when it is something else than before."""
        guidance = look.advice, look.reason
        if guidance != self.guidance:
            self.guidance, now = guidance, self.verifier.now_ns()
            advice, reason = guidance
            share = min(1.0, max(0.0, elapsed_share))
            self.tell(Guidance(at_ns=now, session=self.session, advice=advice, reason=reason, elapsed_share=share))

    def _show(self, frame: Frame, look: Look, passed: bool | None) -> None:
        if self.watch is not None:
            self.watch(Glimpse(frame, look, self.tally.looks, passed, self.rule.prompt))


@dataclass(frozen=True, slots=True)
class _Eye:
    """What the rule asks about one frame."""

    run: Run
    frame: Frame

    def judge(self, look: Look) -> float:
        started = time.perf_counter()
        suspicion = self.run.chain.judge(self.frame, look)
        self.run.tally.spend("passive", 1e3 * (time.perf_counter() - started))
        return suspicion

    def compare(self, look: Look) -> bool:
        return self.run.compare(look)

    def tint(self, look: Look) -> tuple[float, float] | None:
        return None if look.face is None else tint(self.frame.image, look.face)
