"""One device: the only place that wires rooms together.

    settings = load_settings()
    with Device.open(settings) as device:
        with device.stream() as stream:
            decision = device.decide(token_text, lambda: stream)
            device.act(decision)

`decide` answers and journals; `act` drives the door. `Loop` (`edge.service.loop`) calls both for every claim that a
reader delivers; `edge verify` only decides.
"""

from __future__ import annotations

import math
import os
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import TracebackType

from edge.build.attest import verified
from edge.camera import Capture, Pulled, open_source
from edge.camera.health import Health
from edge.door import open_door
from edge.errors import ClaimError
from edge.face import Chain
from edge.journal import KEY_LABEL, Journal
from edge.profile import BuildInfo, current
from edge.service.housekeeping import Housekeeping
from edge.service.ledger import JOURNAL_COUNTER, Ledger
from edge.service.models import Overlap, model_finder
from edge.service.policy import PolicyWatch, need_as_declared
from edge.service.retention import Retention, retention
from edge.session import Admission, Enrolment, Glimpse, Verifier
from edge.settings.model import CameraSettings, Settings
from edge.state import BUDGET_S, PLAUSIBLE_S, ClockGuard, Counters, Limits, SqliteFile, state_database
from edge.trust import Keyring
from edge.types import Decision, Door, Outcome, Source, Stream
from edge.vault import Vault

#: No time before this is believed: Unix seconds of 2026-11-01, a date before which nothing here was built.
BUILD_DATE = 1_793_491_200


@dataclass(frozen=True, slots=True)
class Parts:
    """What a caller may put in the place of the configured parts: the demo, tests, integrators with other hardware.

    Attributes:
        source: makes the source of frames, instead of ``settings.camera``.
        door: instead of ``settings.door``.
        keyring: instead of the key files.
        build: instead of what this build says of itself (tests of device builds).
        system_clock: Unix seconds.
        acknowledged_by: the operator who accepts that vault and state do not fit together (`edge confirm vault`).
        fast: pull frames as fast as they come, without a capture thread.
    """

    source: Callable[[], Source] | None = None
    door: Door | None = None
    keyring: Keyring | None = None
    build: BuildInfo = field(default_factory=current)
    system_clock: Callable[[], float] = time.time
    random_bytes: Callable[[int], bytes] = os.urandom
    acknowledged_by: str = ""
    fast: bool = False


class Device:
    """The opened parts of one device. Use `open`, in a ``with`` block.

    Attributes:
        settings, build: what it was told, what it is.
        chain, vault, limits, clock, ledger (the journal), door: its rooms. admission, verifier: its session.
        housekeeping: what goes by itself. policy: the rules that it is judged by, every day.
        overlap: the previous embedder, if the settings declare one.
    """

    def __init__(self, settings: Settings, parts: Parts, keyring: Keyring, state: SqliteFile) -> None:
        self.settings, self.build, self.keyring, self._parts = settings, parts.build, keyring, parts
        self.clock = clock_of(state, parts.build, parts.system_clock)
        self.limits = Limits(state, self.clock, settings.limits, keyring.derive("edge/limits/v1"))
        folder = settings.device.state_dir
        self.vault = Vault.at(
            folder,
            keyring,
            state,
            acknowledged_by=parts.acknowledged_by,
            keep_days=self.retention.template_days,
        )
        counters = Counters(state)
        written = counters.value(JOURNAL_COUNTER)
        journal = Journal(folder, keyring.derive(KEY_LABEL), now=lambda: self.clock.now().believed_s, at_least=written)
        self.ledger = Ledger(journal, settings, parts.build, counters)
        find = model_finder(settings)
        self.chain = Chain.load(settings.face, find)
        self.overlap = Overlap.load(settings.face, self.chain, find)
        self.housekeeping = Housekeeping(self.vault, self.limits, self.ledger, self.clock, lambda: self.retention)
        self.admission = Admission(
            keyring.trust, keyring.site_id, settings.claim, self.clock.now, lambda: self.vault.keep_days
        )
        self.verifier = Verifier(
            self.chain,
            self.vault,
            self.limits,
            settings.decision,
            health=lambda: Health(settings.camera),
            new_session=self._new_session,
            reveal_scores=not self.build.is_device,
            source_timeout_s=settings.camera.timeout_s,
            previous=lambda: self.overlap.now(self.clock.now().utc_s),
        )
        self.policy = PolicyWatch(
            settings.device, parts.build, self.chain.embedder.card.raw, self.ledger, lambda: self.clock.now().utc_s
        )
        self._state = state
        self._door = parts.door
        self._examined: BuildInfo | None = None
        self._closed = False

    @classmethod
    def open(cls, settings: Settings, parts: Parts | None = None) -> Device:
        """Open keys, state, vault, journal and models. Neither camera nor door is touched yet.

        Raises:
            KeyringError, StateError, VaultError, JournalBroken, ModelError: a part cannot be used.
        """
        parts = parts or Parts()
        device = settings.device
        keyring = parts.keyring or Keyring.load(
            device.state_dir, device.trust_dir, strict=settings.door.driver != "log"
        )
        state = state_database(device.state_dir)
        try:
            return cls(settings, parts, keyring, state)
        except BaseException:
            state.close()
            raise

    def __enter__(self) -> Device:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Lock the door and close everything. Harmless when repeated."""
        if self._closed:
            return
        self._closed = True
        try:
            if self._door is not None:
                self._door.close()
        finally:
            self.vault.close()
            self.ledger.close()
            self._state.close()

    def stream(self) -> Capture | Pulled:
        """A fresh stream of the configured source; enter it to open the source."""
        return stream_of(self.settings.camera, self._parts)

    def decide(
        self,
        text: str,
        stream: Callable[[], Stream],
        *,
        watch: Callable[[Glimpse], None] | None = None,
        cancelled: Callable[[], bool] = lambda: False,
    ) -> Decision:
        """Decide about the claim that a token makes, and journal the decision.

        Args:
            text: as a reader delivered it.
            stream: asked for only when the claim itself holds, so that a camera need not be opened for a refusal.
            watch, cancelled: see `Verifier.verify`.

        Returns:
            A decision, always; refusals and faults of the source are decisions.

        Raises:
            CameraError: the source could not be opened.
            StateError, VaultError, JournalBroken: the device must not go on.
        """
        try:
            claim = self.admission.receive(text, 0)
        except ClaimError as error:
            decision = self.verifier.refuse(error)
        else:
            received = stream()
            # The claim is as old as this moment on the stream's clock: only younger frames count.
            claim = replace(claim, received_ns=received.now_ns())
            decision = self.verifier.verify(claim, received, watch=watch, cancelled=cancelled)
        self.ledger.journal.decided(decision)
        if decision.outcome is not Outcome.ACCEPT:
            self._watch_guard()
        return decision

    def _watch_guard(self) -> None:
        """A trip of the fan-out guard is journalled once; asked again later when the plug was pulled in between."""
        guard = self.limits.guard()
        if guard.news:
            self.ledger.journal.write("fan_out", level=guard.level, cards=guard.cards, wait=math.ceil(guard.wait_s))
            self.limits.told()

    def decide_once(self, text: str) -> Decision:
        """Decide about one claim on a stream of its own, opened only once the claim itself holds; see `decide`."""
        stream = self.stream()
        try:
            return self.decide(text, stream.start)
        finally:
            stream.stop()

    def act(self, decision: Decision) -> None:
        """Let the door act on a decision: the lock is released on an accept only.

        Raises:
            DoorError: the hardware failed; the door is locked.
        """
        self.door.act(decision)

    @property
    def door(self) -> Door:
        """The door, opened when it is first needed."""
        if self._door is None:
            self._door = door_of(self.settings, self.examined)
            self._door.open()
        return self._door

    def examined(self) -> BuildInfo:
        """This build, and whether a trusted signature covers it. Reads every installed file, once.

        It is asked before a door other than log is opened, by the self-test and when the loop starts.
        """
        if self._examined is None:
            self._examined = examined(self.build, self.settings.device.trust_dir)
        return self._examined

    @property
    def retention(self) -> Retention:
        """How long what is kept here: the strictest of settings, declaration and policy."""
        policy = getattr(self, "policy", None)  # the vault is opened before it
        return retention(self.settings, self.build.statement, policy.maxima if policy else None)

    def enrolment(self, *, want: int = 5, deadline_s: float = 60.0) -> Enrolment:
        """The capture side of an enrolment on this device.

        Raises:
            PolicyStops: a rule stops new enrolments, or the settings are not what the build declares.
            StateError: the clock is not confirmed.
        """
        self.clock.now().need_confirmed()
        self.policy.need_enrolments()
        need_as_declared(self.settings, self.build.statement)
        return Enrolment(
            self.chain,
            self._new_session,
            want=want,
            deadline_s=deadline_s,
            source_timeout_s=self.settings.camera.timeout_s,
        )

    def _new_session(self) -> str:
        return self._parts.random_bytes(8).hex()


def stream_of(camera: CameraSettings, parts: Parts) -> Capture | Pulled:
    """A fresh stream of the configured source; enter it to open the source."""
    source = parts.source() if parts.source else open_source(camera)
    fast = parts.fast or (camera.driver in ("replay", "fictional") and camera.pace == "fast")
    return Pulled(source) if fast else Capture(source)


def examined(build: BuildInfo, trust_dir: Path) -> BuildInfo:
    """A build with what a look at every installed file says about its signature."""
    looked = build if build.signed else verified(trust_dir)
    # what was handed in by `Parts` stays what it is: only the signature is added
    return replace(
        build, signed=looked.signed, signer=looked.signer, signer_id=looked.signer_id, unsigned=looked.unsigned
    )


def clock_of(state: SqliteFile, build: BuildInfo, system_clock: Callable[[], float] = time.time) -> ClockGuard:
    """The clock of a device of this build."""
    return ClockGuard(
        state,
        system_clock=system_clock,
        build_date=max(BUILD_DATE, build.built_s),
        first_budget_s=BUDGET_S if build.built_s else PLAUSIBLE_S,
    )


def door_of(settings: Settings, examined: Callable[[], BuildInfo]) -> Door:
    """The door that the settings name, not yet opened.

    Raises:
        DoorError: this build may not drive it.
    """
    allow, why = False, ""
    if settings.door.driver != "log":
        build = examined()
        allow, why = build.drives_doors, build.log_only
    return open_door(settings.door, allow_hardware=allow, why=why, write=_to_stderr)


def _to_stderr(line: str) -> None:
    """The log door's lines; standard output belongs to the answers."""
    sys.stderr.write(line + "\n")
