"""One claim, one capture, one decision: the state machine of a verification.

    claim --(locked out? template opens?)--> look at frames younger than the claim
      every frame:   source healthy?  one face?  good enough?  ->  else advice, next frame
      a good look:   passive gate, write the failure, embed, compare at the threshold for sessions of K looks
                     matches and every gate passes -> accept;  K looks failed -> reject;  deadline -> no_decision

What leads to what is `edge.face.rule`, which knows no camera, disk or template; here is what it is played with.

Nothing of a frame is kept. A failure is on disk before the first comparison and only an accept clears it: pulling the
plug, walking away or waiting for the deadline after a failed look counts like the reject that it would have become.
"""

from __future__ import annotations

import math
import secrets
import sys
import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from types import MethodType
from typing import Literal, Protocol

from edge._resources import is_device
from edge.camera.health import Health
from edge.camera.owned import need_own
from edge.errors import CameraError, ClaimError, LockedOut, ModelError, ModelMismatch, SpentError
from edge.face import Chain, Look
from edge.face.rule import Active, Ending, Rule
from edge.session.cell import Keeps, Opens
from edge.session.cells import Cells
from edge.session.pin import PinGate, Typed
from edge.session.run import Glimpse, Run
from edge.session.tally import Tally
from edge.settings.model import DecisionSettings
from edge.state.limits import Limits as DeviceLimits
from edge.types import Claim, Decision, Frame, Outcome, Reason, Stream
from edge.types.events import AttackSuspected, Event, Faulted, SessionOpened
from edge.vault.seal import Header, Lock, made_by_another

#: Audit event of one session (see `edge.face.match`); its argument is the session's identifier.
SESSION = "edge.session"
#: Looks that the captures of one enrolment may have compared with the template that is there: 60 s of them.
MOST_CAPTURES = 400


class Vault(Protocol):
    """What a session needs of `edge.vault`."""

    def made_by(self, claim: Claim) -> bytes: ...

    def lock(self, claim: Claim) -> tuple[Lock, bytes]: ...


class Limits(Protocol):
    """What a session needs of `edge.state`."""

    def check(self, serial: bytes) -> None: ...

    def before_comparison(self, serial: bytes) -> None: ...

    def accepted(self, serial: bytes) -> None: ...

    def rejected(self, serial: bytes) -> None: ...

    def no_decision(self, serial: bytes) -> None: ...


@dataclass(frozen=True, slots=True)
class Liveness:
    """Which lines a door's settings have, resolved (`edge.settings`): nothing is a default any more."""

    passive: bool = True
    active: Literal["off", "on_doubt", "always"] = "off"
    flash: bool = False


@dataclass(frozen=True, slots=True)
class Verifier:
    """Decides about one claim at a time.

    Args:
        chain: detector, quality, embedder.
        vault: gives the one sealed template of a claim, with the key of it.
        cells: where it is opened and compared; a fresh one for each session, which ends with it.
        limits: lockouts, on disk.
        settings: target FMR, looks, spacing, deadline.
        health: makes a fresh frame-health check for a session.
        new_session: makes a fresh session identifier.
        reveal_scores: put score and threshold into the decision; never in a device build.
        source_timeout_s: a source silent for so long is a fault.
        previous: the chain with the embedder before this one, as long as its cards are still verified; else None.
        now_ns: the clock of events, monotonic nanoseconds.
        liveness: which gates a session has. random: uniform in 0..1, unpredictable; the order of a challenge.
        pin: asks for the PIN beside the card; None: none is asked for.
    """

    chain: Chain
    vault: Vault
    cells: Callable[[str], AbstractContextManager[Keeps]]
    limits: Limits
    settings: DecisionSettings
    health: Callable[[], Health]
    new_session: Callable[[], str]
    reveal_scores: bool = False
    source_timeout_s: float = 3.0
    previous: Callable[[], Chain | None] = lambda: None
    now_ns: Callable[[], int] = time.monotonic_ns
    liveness: Liveness = Liveness()
    random: Callable[[], float] = secrets.SystemRandom().random
    pin: PinGate | None = None

    def verify(
        self,
        claim: Claim,
        stream: Stream,
        *,
        tell: Callable[[Event], None] = lambda _: None,
        watch: Callable[[Glimpse], None] | None = None,
        cancelled: Callable[[], bool] = lambda: False,
        typed: Typed = lambda _: None,
        attended: bool = False,
    ) -> Decision:
        """Look at the stream until there is a decision about this claim.

        Args:
            claim: checked at admission.
            stream: frames; only those younger than ``claim.received_ns`` are used.
            tell: told the session's events: `SessionOpened` once the card counts, `Guidance` when it changes, each
                `LookCompared`. The caller tells the end, which it has to finish first.
            watch: shown every frame, in memory only (a preview, the demo's sheet).
            cancelled: asked before every frame; true ends the session with ``interrupted``.
            typed: waits for a PIN. attended: an operator stands beside, for whom no door opens: none is asked for.

        Returns:
            A decision, always: refusals and faults of the source are decisions too.

        Raises:
            NotInThisBuild: a device build, and a stream that is not of its own camera.
        """
        need_own(stream)
        self._need_whole()
        session = self.new_session()
        sys.audit(SESSION, session)
        started = time.perf_counter()
        tally = Tally()
        try:
            self.limits.check(claim.serial)
            chain = self.chain_of(claim)
            if self.pin is not None and not attended:
                self.pin.check(claim, typed, tell, session)
                claim = replace(claim, received_ns=stream.now_ns())  # only what is seen from now on counts
        except (ClaimError, ModelMismatch) as error:
            return self.refuse(error, claim=claim, session=session)
        tell(
            SessionOpened(
                at_ns=self.now_ns(), session=session, deadline_s=self.settings.deadline_s, looks=self.settings.looks
            )
        )
        best = threshold = None
        try:
            with self.cells(session) as cell:
                run = Run(self, chain, cell, claim, stream, session, tally, tell, watch, cancelled)
                ending = run.decide()
                best, threshold = run.best, run.threshold
        except CameraError:
            ending = Ending(Outcome.NO_DECISION, Reason.SOURCE_FAULT, advice=tally.ending()[1])
        except (ClaimError, ModelMismatch) as error:
            return self.refuse(error, claim=claim, session=session)
        except (SpentError, ModelError) as error:  # such as `SessionLost`: what compares has failed, the door goes on
            said = error.as_json()
            kind, what, where, remedy = said["kind"], said["what"], said["where"], said["remedy"]
            now, room = self.now_ns(), "session"
            tell(Faulted(at_ns=now, session=session, room=room, error=kind, what=what, where=where, remedy=remedy))
            ending = Ending(Outcome.NO_DECISION, Reason.ERROR)
        self._count(claim, ending.outcome, tally)
        tally.spend("session", 1e3 * (time.perf_counter() - started))
        if ending.species is not None:
            tell(AttackSuspected(at_ns=self.now_ns(), session=session, species=ending.species))
        decision = self._decision(ending, claim, session, tally)
        shown = self.reveal_scores and not is_device()
        return replace(decision, score=best, threshold=threshold) if shown else decision

    def _need_whole(self) -> None:
        """Return when waits, thresholds and decisions are this build's own.

        Raises:
            SpentError: a device build, and another class, or limits or cells of a caller's own.
        """
        begin = self.cells
        cells = type(begin) is MethodType and type(begin.__self__) is Cells and begin.__func__ is Cells._begin
        if is_device() and not (cells and type(self) is Verifier and type(self.limits) is DeviceLimits):
            raise SpentError("this verifier is not this build's own", where="verifier", remedy="use Device.decide")

    def open(self, cell: Opens, claim: Claim, chain: Chain, *, most: int, looks: int | None = None) -> float:
        """Have a cell open the one template of a claim. Returns the score that a look must reach there.

        A template is never compared across embedders, nor judged at another one's threshold. What the same embedder
        made with the arithmetic before counts as its own (`edge.face.Chain.before`).

        Args:
            chain: whose embedder made it (`chain_of`). most: comparisons that the cell will do.
            looks: of the session; None: as the settings say.

        Raises:
            ClaimError: see `edge.vault.Vault.lock`. ModelMismatch: made by another embedder.
            ModelError: its calibration does not support the target. SessionLost: see `edge.session.cells`.
        """
        lock, ciphertext = self.vault.lock(claim)
        references = self.references_of(chain, Header.parse(lock.header).references(len(ciphertext)))
        threshold, model = self.threshold_of(chain, references, looks), bytes.fromhex(chain.model)
        try:
            cell.open(lock, ciphertext, model=model, references=references, threshold=threshold, most=most)
        finally:
            lock.wipe()
        return threshold

    def chain_of(self, claim: Claim) -> Chain:
        """The chain that a claim is decided with. Nothing is opened: a session does that when somebody is seen.

        Raises:
            ClaimError: the card does not count. ModelMismatch: its template was made by neither embedder.
        """
        model = self.vault.made_by(claim)
        previous = self.previous()
        for chain in (self.chain, self.chain.before(), previous, None if previous is None else previous.before()):
            if chain is not None and bytes.fromhex(chain.model) == model:
                return chain
        raise made_by_another()

    def same_person(self, cell: Opens, claim: Claim) -> Callable[[Frame, Look], bool]:
        """Whether a frame shows the person of a claim, whose template is opened for it, at a session's threshold.

        The previous embedder aligns faces in its own way, so it looks at the frame itself.

        Raises:
            as `open` and `chain_of`.
        """
        chain = self.chain_of(claim)
        self.open(cell, claim, chain, most=MOST_CAPTURES)

        def same(frame: Frame, look: Look) -> bool:
            seen = look if chain is self.chain else chain.look(frame)
            return seen.reason is None and cell.compare(chain.pixels(seen)).passed

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

    def threshold_of(self, chain: Chain, references: int = 1, looks: int | None = None) -> float:
        """The same by the calibration of another embedder, for a template of several references, or other looks.

        A stranger has a chance at each reference, so each gets its share of the target: the union bound, as long as
        no calibration has measured them together.

        Raises:
            ModelError: it has none, or one that does not support the target.
        """
        return chain.threshold(self.settings.target_fmr / references, looks or self.settings.looks)

    def references_of(self, chain: Chain, kept: int) -> int:
        """How many of a template's references are compared: as many as the calibration supports at this target.

        Raises:
            ModelError: as `threshold_of`.
        """
        for references in range(kept, 1, -1):
            try:
                self.threshold_of(chain, references)
                return references
            except ModelError:
                continue
        return 1

    def rule(self, chain: Chain) -> Rule:
        """The rule of a fresh session with this chain."""
        passive = chain.passive if self.liveness.passive else None
        active, when = None, self.liveness.active
        if when != "off":
            align = chain.embedder.card.align
            assert align is not None  # `Chain` refuses a card without it
            active = Active(when, align, self.random)
        limits = None if passive is None else passive.limits
        return Rule(self.settings, limits, active, self.random if self.liveness.flash else None)

    def _count(self, claim: Claim, outcome: Outcome, tally: Tally) -> None:
        if outcome is Outcome.ACCEPT:
            self.limits.accepted(claim.serial)
        elif outcome is Outcome.REJECT:
            self.limits.rejected(claim.serial)
        elif not tally.looks:
            # After a failed look the failure stays written: else covering the camera would make every guess free.
            self.limits.no_decision(claim.serial)

    def _decision(self, ending: Ending, claim: Claim, session: str, tally: Tally) -> Decision:
        return Decision(
            ending.outcome,
            ending.reason,
            self.settings.target_fmr,
            frames_looked_at=tally.frames,
            looks=tally.looks,
            advice=ending.advice,
            timings_ms={name: round(value, 3) for name, value in tally.milliseconds.items()},
            serial=claim.serial.hex(),
            credential=claim.credential,
            session=session,
        )
