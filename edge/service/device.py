"""One device: the only place that wires rooms together.

    settings = load_settings()
    with Device.open(settings) as device:
        device.observe(lambda event: print(event.kind), name="console")
        with device.stream() as stream:
            decision = device.decide(token_text, lambda: stream)
            device.act(decision)

`decide` answers, `act` drives the door, and both tell what they do: the journal first and in line, then every other
observer. `Loop` (`edge.service.loop`) calls both for every claim that a reader delivers; `edge verify` only decides.
"""

from __future__ import annotations

import contextlib
import logging
import math
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from edge.camera import Capture, Pulled
from edge.camera.health import Health
from edge.camera.owned import _own, need_own
from edge.errors import ClaimError, JournalBroken, UsageError
from edge.face import Chain
from edge.profile import BuildInfo
from edge.service import own
from edge.service.doorway import Doorway
from edge.service.housekeeping import Housekeeping, Retention, retention
from edge.service.ledger import Ledger
from edge.service.models import Overlap, embedders, model_finder
from edge.service.observers import Observer, Observers
from edge.service.parts import Parts, clock_of, stream_of
from edge.service.policy import PolicyWatch
from edge.service.records import Records
from edge.service.refusals import Refusals
from edge.service.under_pin import claimed
from edge.service.unfinished import finish, settle
from edge.session import Admission, Cells, Glimpse, Liveness, PinGate, Typed, Verifier, other_way
from edge.settings.loader import checked
from edge.settings.model import Settings
from edge.state import Limits, Pins
from edge.state.folder import FolderLock
from edge.trust import Keyring
from edge.trust.folder import strictness
from edge.types import Custody, Decision, Door, Outcome, Stream
from edge.types.acts import GuardTripped
from edge.types.events import AlternativeChosen, ClaimPresented, ClaimRefused, Decided, Event, Faulted, SessionOpened
from edge.types.wipe import wipe

_log = logging.getLogger(__name__)


class Device:
    """The opened parts of one device. Use `open`, in a ``with`` block. Its rooms are the service's own: nothing that is
    public here gives an embedding, a template, a score, a key or a shorter wait.
    """

    def _begin(self, settings: Settings, parts: Parts, keyring: Keyring, cells: Cells) -> None:
        self._settings, self._build, self._keyring, self._parts = settings, parts.build, keyring, parts
        self._cells = cells
        self._accepted: Decision | None = None
        self.now_ns = parts.now_ns
        self._records = records = Records.open(
            settings.device.state_dir,
            keyring,
            clock=lambda state: clock_of(state, parts.build, parts.system_clock),
            keep_days=self.retention.template_days,
            acknowledged_by=parts.acknowledged_by,
        )
        assert records.vault is not None
        self._clock, self._vault, self._ledger = records.clock, records.vault, Ledger(records.journal)
        try:
            self._wire(records)
        except BaseException:
            records.close()
            raise

    def _wire(self, records: Records) -> None:
        settings, parts, keyring = self._settings, self._parts, self._keyring
        self._limits = Limits(records.state, self._clock, settings.limits, keyring.derive("edge/limits/v1"))
        self._pins = Pins(records.state, keyring.derive("edge/pin/v1"), parts.random_bytes)
        self._observers = Observers(self._lost)
        self._refused = Refusals(self.tell, self._observers.tell)
        find = model_finder(settings)
        self._chain = Chain.load(settings.face, find)
        self._overlap = Overlap.load(settings.face, self._chain, find)
        keeps = self._vault, self._limits, self._pins, self._ledger, self._clock
        self._housekeeping = Housekeeping(*keeps, lambda: self.retention, self.tell, self.now_ns)
        self._admission = Admission(
            keyring.trust, keyring.site_id, settings.claim, self._clock.now, lambda: self._vault.keep_days
        )
        self._verifier = Verifier(
            self._chain,
            self._vault,
            self._cells._begin,
            self._limits,
            settings.decision,
            health=lambda: Health(settings.camera),
            new_session=self._new_session,
            reveal_scores=not self._build.is_device,
            source_timeout_s=settings.camera.timeout_s,
            previous=lambda: self._overlap.now(self._clock.now().utc_s),
            now_ns=self.now_ns,
            liveness=Liveness(settings.liveness.passive == "on", settings.challenge, settings.liveness.flash == "on"),
            pin=PinGate(self._pins, self._limits, settings.claim.pin_s, self.now_ns)
            if settings.claim.asks_pin
            else None,
        )
        self.policy = PolicyWatch(
            settings.device,
            parts.build,
            self._chain.embedder.card.raw,
            self.tell,
            lambda: self._clock.now().utc_s,
            now_ns=self.now_ns,
        )
        self._doorway = Doorway(settings, parts.build, self.tell, self.now_ns, door=parts.door)
        self._closed = False
        self._lock: FolderLock | None = None

    @classmethod
    def open(cls, settings: Settings, parts: Parts | None = None, *, hold: str = "") -> Device:
        """Open keys, state, vault, journal and models. Neither camera nor door is touched yet.

        Args:
            hold: the command that decides or changes something, and so holds the state folder for itself (another one
                waits for it `WAIT_S`, unless a running door takes its act); empty: it only reads.

        Raises:
            FolderBusy: another process holds the folder.
            StateError: on a device build, others than this user could change the folder.
            KeyringError, StateError, VaultError, JournalBroken, ModelError: a part cannot be used.
        """
        parts, settings = own.parts_of(parts), checked(settings)  # pydantic's copies are not
        device = settings.device
        if parts.keyring is None:  # the demo's own store lies in a folder for temporary files
            own.need_folder(device.state_dir)
        strict = strictness(settings.door.driver)
        keyring = parts.keyring or Keyring.load(device.state_dir, device.trust_dir, strict=strict)
        with contextlib.ExitStack() as begun:
            lock = begun.enter_context(own.held(device.state_dir, hold)) if hold else None
            cells = begun.enter_context(Cells(embedders(settings.face, model_finder(settings))))
            if lock is not None:
                cells.start()  # beside all that follows
            opened = object.__new__(Device)  # no subclass of a caller, which would be told in its place
            opened._begin(settings, parts, keyring, cells)
            begun.enter_context(opened)
            if lock is not None:  # nobody else is in the middle of an act
                cells.ready()
                finish(opened._records, opened._limits, opened._pins)
            begun.pop_all()
        opened._lock = lock
        return opened

    def __enter__(self) -> Device:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Lock the door and close everything. Harmless when repeated."""
        if self._closed:
            return
        self._closed = True
        try:
            self._doorway.close()
            self._refused.close(self.now_ns())
            self._observers.close()
            self._cells.close()
        finally:
            self._records.close()
            if self._lock is not None:
                self._lock.close()

    def observe(self, observer: Observer, *, name: str = "observer") -> Callable[[], None]:
        """Have an observer told every event from now on; it never delays a claim, a door or a stop.

        Args:
            observer: called with one event at a time, from a thread of its own; see `edge.service.observers`.
            name: 1 to 32 letters, digits and ``_ . + -``, for the journal, should the observer be lost.

        Returns:
            A function that ends it.
        """
        return self._observers.add(observer, name=name)

    def tell(self, event: Event) -> None:
        """Tell an event: to the journal, in line, and then to whoever observes.

        Raises:
            JournalBroken, VaultError: it cannot be written; the device must not go on.
        """
        _log.debug("%s %s", event.kind, event.session)
        self._ledger(event)
        settle(self._vault.store, event)
        self._observers.tell(event)

    def _lost(self, name: str, error: BaseException) -> None:
        """An observer stalled or died. Told from that observer's thread, or from one that is telling."""
        with contextlib.suppress(JournalBroken):  # the next event that must be on the disk says so again
            self.tell(
                Faulted(
                    at_ns=self.now_ns(),
                    room="observer",
                    error=type(error).__name__,
                    what=f"the observer {name} is told nothing more",
                    where=name,
                    remedy="restart what listens, then the service",
                )
            )

    @property
    def settings(self) -> Settings:
        """What it was told."""
        return self._settings

    @property
    def build(self) -> BuildInfo:
        """What it is."""
        return self._build

    def stream(self) -> Capture | Pulled:
        """A fresh stream of the configured source; enter it to open the source. Raises `NotInThisBuild`."""
        stream = stream_of(self._settings.camera, self._parts)
        if self._parts.source is not None:  # on a device build the demo's (`own.parts_of`)
            _own(stream)
        need_own(stream)
        return stream

    def decide(
        self,
        text: str,
        stream: Callable[[], Stream],
        *,
        reader: str = "",
        watch: Callable[[Glimpse], None] | None = None,
        cancelled: Callable[[], bool] = lambda: False,
        typed: Typed = lambda _: None,
        attended: bool = False,
    ) -> Decision:
        """Decide about the claim that a token makes, and tell it, step by step.

        Args:
            text: as a reader delivered it. reader: its name.
            stream: one of this device's own (`stream`), open; not asked for by a refusal, which needs no camera.
            watch, cancelled, typed, attended: see `Verifier.verify`.

        Returns:
            A decision, always; refusals and faults of the source are decisions.

        Raises:
            CameraError: the source could not be opened.
            StateError, VaultError, JournalBroken: the device must not go on.
        """
        self.tell(ClaimPresented(at_ns=self.now_ns(), reader=reader))
        opened, before = False, list[Event]()

        def tell(event: Event) -> None:
            nonlocal opened
            for one in (*before, event) if isinstance(event, SessionOpened) else (event,):
                opened |= isinstance(one, SessionOpened)
                self.tell(one)

        try:
            claim = claimed(self, text, before.append)
            if claim.custody is Custody.NONE:
                self._vault.check(claim)
                decision, other = other_way(claim, self._settings.decision.target_fmr), self._settings.alternative or ""
                self._refused(AlternativeChosen(at_ns=self.now_ns(), decision=decision, alternative=other))
                return decision
        except ClaimError as error:
            decision = self._verifier.refuse(error)
        else:
            try:
                received = stream()
                # The claim is as old as this moment on the stream's clock: only younger frames count.
                claim = replace(claim, received_ns=received.now_ns())
                asked: dict[str, Any] = {"watch": watch, "cancelled": cancelled, "typed": typed, "attended": attended}
                decision = self._verifier.verify(claim, received, tell=tell, **asked)
            finally:
                wipe(claim.secret)
            if decision.outcome is not Outcome.ACCEPT:
                decision = replace(decision, wait_s=math.ceil(self._limits.wait_s(claim.serial)))
        self._tell_end(decision, opened)
        # beside an operator nobody was asked for a PIN, and no door opens
        self._accepted = decision if decision.outcome is Outcome.ACCEPT and not attended else None
        return decision

    def _tell_end(self, decision: Decision, opened: bool) -> None:
        """A session's decision, or the refusal of a claim for which none was opened; then the guard, if it tripped."""
        now, public, why, wait_s = self.now_ns(), decision.public(), decision.reason, decision.wait_s
        other = "" if decision.outcome is Outcome.ACCEPT else self._settings.alternative or ""
        said: dict[str, Any] = {"at_ns": now, "session": decision.session, "decision": public, "alternative": other}
        if opened:
            self.tell(Decided(**said))
        else:
            self._refused(ClaimRefused(**said, reason=why, wait_s=wait_s))
        if decision.outcome is not Outcome.ACCEPT:
            self._watch_guard()

    def _watch_guard(self) -> None:
        """A trip of the fan-out guard is told once; asked again later when the plug was pulled in between."""
        guard = self._limits.guard()
        if guard.news:
            wait_s = math.ceil(guard.wait_s)
            self.tell(GuardTripped(at_ns=self.now_ns(), level=guard.level, cards=guard.cards, wait_s=wait_s))
            self._limits.told()

    def verify(self, token: str) -> Decision:
        """Decide about one claim, the text of a card; the camera is opened only once the claim itself holds."""
        stream = self.stream()
        try:
            return self.decide(token, stream.start)
        finally:
            stream.stop()

    def act(self, decision: Decision) -> None:
        """Let the door act on a decision of this device; see `Doorway.act`.

        Raises:
            DoorError: told, and the door is locked. UsageError: an accept that is not the last one, or is used up.
        """
        mine, self._accepted = decision is self._accepted, None
        if decision.outcome is Outcome.ACCEPT and not mine:
            raise UsageError(
                "this device has not just accepted that", where="decision", remedy="act once on what it says"
            )
        self._doorway.act(decision)

    @property
    def _door(self) -> Door:
        """The door, opened when it is first needed. Raises `DoorError`."""
        return self._doorway.door

    def examined(self) -> BuildInfo:
        """This build, and whether a trusted signature covers it; see `Doorway.examined`."""
        return self._doorway.examined()

    @property
    def retention(self) -> Retention:
        """How long what is kept here: the strictest of settings, declaration and policy."""
        policy = getattr(self, "policy", None)  # the vault is opened before it
        return retention(self._settings, self._build.statement, policy.maxima if policy else None)

    def _new_session(self) -> str:
        return self._parts.random_bytes(8).hex()
