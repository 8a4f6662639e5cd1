"""One claim, one capture, one decision: the state machine of a verification.

    claim --(locked out? template opens?)--> look at frames younger than the claim
      every frame:   source healthy?  one face?  good enough?  ->  else advice, next frame
      a good look:   write the failure, embed, compare at the threshold for sessions of K looks
                     passes -> accept;  K looks failed -> reject;  deadline -> no_decision

Nothing of a frame is kept. A failure is on disk before the first comparison and only an accept clears it: pulling the
plug, walking away or waiting for the deadline after a failed look counts like the reject that it would have become.
"""

from __future__ import annotations

import math
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Protocol

import numpy as np

from edge.camera.health import Health
from edge.errors import CameraError, ClaimError, LockedOut, ModelMismatch, SourceTimeout, SpentError
from edge.face import Chain, Look
from edge.face.match import compare
from edge.session.tally import Tally
from edge.settings.model import DecisionSettings
from edge.types import U8, Advice, Claim, Decision, Fault, Frame, Outcome, Reason, Stream, Template
from edge.types.events import Event, Guidance, LookCompared, SessionOpened

#: Faults that make a stream unfit to decide on: what it shows need not be what is in front of it.
_UNTRUSTED = frozenset({Fault.FROZEN, Fault.WRONG_SIZE, Fault.TIME_BACKWARDS})
#: Frames seen before the first comparison, so that a frozen source is noticed before it can be accepted.
_WARM_FRAMES = 2
#: Audit event of one session (see `edge.face.match`); its argument is the session's identifier.
SESSION = "edge.session"
#: A wait for a frame is cut into slices, so that a cancellation (SIGTERM) is noticed in mid-capture.
_SLICE_S = 0.25
#: Every so many pixels are compared between neighbouring frames.
_SAMPLE = 8


class Vault(Protocol):
    """What a session needs of `edge.vault`."""

    def open(self, claim: Claim, *, model_digest: bytes, session: str) -> Template: ...


class Limits(Protocol):
    """What a session needs of `edge.state`."""

    def check(self, serial: bytes) -> None: ...

    def before_comparison(self, serial: bytes) -> None: ...

    def accepted(self, serial: bytes) -> None: ...

    def rejected(self, serial: bytes) -> None: ...

    def no_decision(self, serial: bytes) -> None: ...


@dataclass(frozen=True, slots=True)
class Glimpse:
    """What a watcher (kiosk, demo) is told about one frame while a session runs. Holds no score."""

    frame: Frame
    look: Look
    looks: int
    passed: bool | None


@dataclass(frozen=True, slots=True)
class Verifier:
    """Decides about one claim at a time.

    Args:
        chain: detector, quality, embedder.
        vault: opens the one template of a claim.
        limits: lockouts, on disk.
        settings: target FMR, looks, spacing, deadline.
        health: makes a fresh frame-health check for a session.
        new_session: makes a fresh session identifier.
        reveal_scores: put score and threshold into the decision; false in device builds.
        source_timeout_s: a source silent for so long is a fault.
        previous: the chain with the embedder before this one, as long as its cards are still verified; else None.
        now_ns: the clock of events, monotonic nanoseconds.
        own: returns when a stream is one of the device's own camera, else raises NotInThisBuild.
    """

    chain: Chain
    vault: Vault
    limits: Limits
    settings: DecisionSettings
    health: Callable[[], Health]
    new_session: Callable[[], str]
    reveal_scores: bool = False
    source_timeout_s: float = 3.0
    previous: Callable[[], Chain | None] = lambda: None
    now_ns: Callable[[], int] = time.monotonic_ns
    own: Callable[[Stream], None] = lambda _: None

    def verify(
        self,
        claim: Claim,
        stream: Stream,
        *,
        tell: Callable[[Event], None] = lambda _: None,
        watch: Callable[[Glimpse], None] | None = None,
        cancelled: Callable[[], bool] = lambda: False,
    ) -> Decision:
        """Look at the stream until there is a decision about this claim.

        Args:
            claim: checked at admission.
            stream: frames; only those younger than ``claim.received_ns`` are used.
            tell: told the session's events: `SessionOpened` once the template is open, `Guidance` when it changes, each
                `LookCompared`. The caller tells the end, which it has to finish first.
            watch: shown every frame, in memory only (a preview, the demo's sheet).
            cancelled: asked before every frame; true ends the session with ``interrupted``.

        Returns:
            A decision, always: refusals and faults of the source are decisions too.
        """
        self.own(stream)
        session = self.new_session()
        sys.audit(SESSION, session)
        started = time.perf_counter()
        tally = Tally()
        try:
            self.limits.check(claim.serial)
            opened = time.perf_counter()
            template, chain = self.open(claim, session)
            tally.spend("open", 1e3 * (time.perf_counter() - opened))
        except (ClaimError, ModelMismatch) as error:
            return self.refuse(error, claim=claim, session=session)
        threshold = self.threshold_of(chain)
        tell(
            SessionOpened(
                at_ns=self.now_ns(), session=session, deadline_s=self.settings.deadline_s, looks=self.settings.looks
            )
        )
        run = _Run(self, chain, threshold, claim, stream, session, tally, tell, watch, cancelled)
        try:
            with template:
                outcome, reason, score = run.decide(template)
        except CameraError:
            outcome, reason, score = Outcome.NO_DECISION, Reason.SOURCE_FAULT, None
        except ClaimError as error:
            return self.refuse(error, claim=claim, session=session)
        self._count(claim, outcome, tally)
        tally.spend("session", 1e3 * (time.perf_counter() - started))
        decision = self._decision(outcome, reason, claim, session, tally)
        return replace(decision, score=score, threshold=threshold) if self.reveal_scores else decision

    def open(self, claim: Claim, session: str) -> tuple[Template, Chain]:
        """The template of a claim, and the chain whose embedder made it: this one, or the previous one.

        A template is never compared across embedders, nor judged at another one's threshold.

        Raises:
            ClaimError: see `edge.vault.Vault.open`. ModelMismatch: made by neither.
        """
        try:
            return self._open(claim, self.chain, session), self.chain
        except ModelMismatch:
            previous = self.previous()
            if previous is None:
                raise
        return self._open(claim, previous, session), previous

    def _open(self, claim: Claim, chain: Chain, session: str) -> Template:
        return self.vault.open(claim, model_digest=bytes.fromhex(chain.model), session=session)

    def same_person(self, template: Template, chain: Chain, session: str) -> Callable[[Frame, Look], bool]:
        """Whether a frame shows the person of an opened template, at the threshold of a session's look.

        Args:
            template: opened for ``session``. chain: whose embedder made it; see `open`. The previous embedder aligns
                faces in its own way, so it looks at the frame itself.
        """
        threshold = self.threshold_of(chain)

        def same(frame: Frame, look: Look) -> bool:
            seen = look if chain is self.chain else chain.look(frame)
            return seen.reason is None and compare(template, chain.embed(seen, session), session) >= threshold

        return same

    def refuse(self, error: ClaimError | ModelMismatch, *, claim: Claim | None = None, session: str = "") -> Decision:
        """The decision about a claim that is refused without looking: no frame is touched, nothing is counted."""
        reason = Reason.MODEL_MISMATCH if isinstance(error, ModelMismatch) else Reason(error.reason)
        return Decision(
            Outcome.REJECT,
            reason,
            self.settings.target_fmr,
            serial=claim.serial.hex() if claim else "",
            credential=claim.credential if claim else None,
            session=session,
            wait_s=math.ceil(error.wait_s) if isinstance(error, LockedOut) else 0,
        )

    @property
    def threshold(self) -> float:
        """The score that one look must reach: as calibrated for sessions of so many looks (`edge.face.calibration`)."""
        return self.threshold_of(self.chain)

    def threshold_of(self, chain: Chain) -> float:
        """The same by the calibration of another embedder.

        Raises:
            ModelError: it has none, or one that does not support the target.
        """
        return chain.threshold(self.settings.target_fmr, self.settings.looks)

    def _count(self, claim: Claim, outcome: Outcome, tally: Tally) -> None:
        if outcome is Outcome.ACCEPT:
            self.limits.accepted(claim.serial)
        elif outcome is Outcome.REJECT:
            self.limits.rejected(claim.serial)
        elif not tally.looks:
            # After a failed look the failure stays written: else covering the camera would make every guess free.
            self.limits.no_decision(claim.serial)

    def _decision(self, outcome: Outcome, reason: Reason, claim: Claim, session: str, tally: Tally) -> Decision:
        advice = tally.ending()[1] if outcome is Outcome.NO_DECISION and reason is not Reason.INTERRUPTED else ()
        return Decision(
            outcome,
            reason,
            self.settings.target_fmr,
            frames_looked_at=tally.frames,
            looks=tally.looks,
            advice=advice,
            timings_ms={name: round(value, 3) for name, value in tally.milliseconds.items()},
            serial=claim.serial.hex(),
            credential=claim.credential,
            session=session,
        )


@dataclass(slots=True)
class _Run:
    """The moving parts of one session."""

    verifier: Verifier
    chain: Chain
    threshold: float
    claim: Claim
    stream: Stream
    session: str
    tally: Tally
    tell: Callable[[Event], None]
    watch: Callable[[Glimpse], None] | None
    cancelled: Callable[[], bool]
    previous: U8 | None = None
    guidance: tuple[tuple[Advice, ...], Reason | None] | None = None

    def decide(self, template: Template) -> tuple[Outcome, Reason, float | None]:
        settings, threshold, health = self.verifier.settings, self.threshold, self.verifier.health()
        deadline = self.claim.received_ns + int(settings.deadline_s * 1e9)
        newest, compared_ns, best = self.claim.received_ns, None, None
        while not self.cancelled():
            remaining = (deadline - max(self.stream.now_ns(), newest)) / 1e9
            if remaining <= 0:
                break
            frame = self._next(newest, remaining)
            if frame is None:
                break
            newest = frame.monotonic_ns
            look = self._look(frame, frozenset(health.check(frame)))
            due = compared_ns is None or newest - compared_ns >= settings.spacing_ms * 1_000_000
            self._guide(look, 1.0 - remaining / settings.deadline_s)
            if look.reason is not None or self.tally.frames <= _WARM_FRAMES or not due:
                self._show(frame, look, None)
                continue
            score = self._compare(template, look)
            compared_ns, best = newest, score if best is None else max(best, score)
            self._show(frame, look, score >= threshold)
            if score >= threshold:
                return Outcome.ACCEPT, Reason.MATCHING, score
            if self.tally.looks >= settings.looks:
                return Outcome.REJECT, Reason.NOT_MATCHING, best
        ending = Reason.INTERRUPTED if self.cancelled() else self.tally.ending()[0]
        return Outcome.NO_DECISION, ending, best

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
        if faults & _UNTRUSTED or not self._moves(frame):
            look = Look.nothing(Reason.SOURCE_FAULT)
        else:
            look = self.chain.look(frame)
            for name, value in look.timings_ms.items():
                self.tally.spend(name, value)
        if look.reason is not None:
            self.tally.unusable(look.reason, look.advice)
        return look

    def _moves(self, frame: Frame) -> bool:
        """A sensor never delivers the same picture twice; a frame equal to the one before shows nobody's presence."""
        sample = np.ascontiguousarray(frame.image[::_SAMPLE, ::_SAMPLE])
        same = self.previous is not None and np.array_equal(sample, self.previous)
        self.previous = sample
        return not same

    def _compare(self, template: Template, look: Look) -> float:
        if self.tally.looks >= self.verifier.settings.looks:
            raise SpentError("comparison limit reached", where="session", remedy="make a new claim")
        if self.tally.looks == 0:
            self.verifier.limits.before_comparison(self.claim.serial)
        self.tally.looks += 1
        started = time.perf_counter()
        probe = self.chain.embed(look, self.session)
        score = compare(template, probe, self.session)
        self.tally.spend("embed_and_compare", 1e3 * (time.perf_counter() - started))
        now, looks = self.verifier.now_ns(), self.verifier.settings.looks
        self.tell(LookCompared(at_ns=now, session=self.session, look=self.tally.looks, looks=looks))
        return score

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
            self.watch(Glimpse(frame, look, self.tally.looks, passed))
