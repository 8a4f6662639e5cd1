"""The loop that runs a device: wait for a claim, look, decide, act, journal.

idle      frames go to the code reader and the health check only; neither detector nor embedder runs
claim     one session (`edge.session.Verifier`), the journal, then the door
fault     the source is closed and opened again, with a pause; the door stays locked
stop      SIGTERM sets the event: a session in progress ends as `interrupted`, the door locks, all within 2 s
"""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Callable, Iterable, Sequence

from edge.camera import Capture, Health, Pulled
from edge.camera.fault_edges import FaultEdges, Told
from edge.claim import find_token
from edge.errors import CameraError, JournalBroken, SourceEnded, SourceHung, SourceTimeout
from edge.service.device import Device
from edge.service.operator_socket import OperatorSocket
from edge.session import Glimpse
from edge.state.pins import SHAPE
from edge.types import Frame, Reader
from edge.types.acts import SettingsChanged
from edge.types.events import Faulted, Ready, Recovered, Starting, Stopped
from edge.types.wipe import wipe

#: A wait for an idle frame; also how long a stop may go unnoticed while idle.
_IDLE_S = 0.1
#: Pause before a failed source is opened again; after so many that hang, the service manager starts this process anew.
_RETRY_S, _HUNG = 2.0, 3
#: How often a running device tests itself (design.md: hourly).
_EXAMINE_S = 3600.0
#: How often it is asked whether the house must be kept; `edge.service.housekeeping` keeps it once a day.
_VISIT_S = 60.0


class Loop:
    """Runs one device until it is stopped, its replayed source ends, or nobody can present a claim any more.

    Args:
        device: opened; its observers follow what happens.
        readers: how claims arrive. stream: the self-test's, started, to go on with; else the loop opens one.
        acts: what operators ask of this door, carried out between claims.
        examine: the periodic self-test, between claims; raises `Unfit` when the device must not go on.
        alive: called with each frame that was seen while idle; a service manager's watchdog is fed by it.
        watch: shown every frame of a session, in memory only (a kiosk's preview); it must not block.
        clock: seconds, monotonic; when to look after the house again.
    """

    def __init__(
        self,
        device: Device,
        readers: Sequence[Reader],
        *,
        stream: Capture | Pulled | None = None,
        acts: OperatorSocket | None = None,
        alive: Callable[[], None] = lambda: None,
        examine: Callable[[], None] = lambda: None,
        watch: Callable[[Glimpse], None] | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._device, self._readers, self._acts, self._alive = device, readers, acts, alive
        self._order = list(readers)  # in which they are asked
        self._stream, self._examine, self._examined = stream, examine, clock()
        self._edges, self._watch = FaultEdges(), watch
        self._clock, self._visited = clock, float("-inf")
        self._waiting: tuple[str, str] | None = None  # a card that was shown while a PIN was waited for

    def run(self, stop: threading.Event) -> None:
        """Serve claims.

        Args:
            stop: set from outside to end the loop.

        Raises:
            CameraError: the source could not even be opened the first time.
            JournalBroken, DoorError, PolicyStops: the device must not go on.
        """
        try:
            self._start()
            try:
                self._run(stop)
            finally:
                self._device._doorway.close()  # locked before anybody is told that the loop has ended
        except Exception as error:
            with contextlib.suppress(JournalBroken):  # what ends the loop may be the journal itself
                self._stopped(type(error).__name__)
            raise
        self._stopped("signal" if stop.is_set() else "end-of-input")

    def _stopped(self, cause: str) -> None:
        self._device.tell(Stopped(at_ns=self._device.now_ns(), cause=cause))

    def _start(self) -> None:
        device, settings = self._device, self._device.settings
        build = device.examined()
        digest = settings.digest
        if device._ledger.last_settings() not in ("", digest):
            device.tell(SettingsChanged(at_ns=device.now_ns(), digest=digest))
        device.tell(
            Starting(
                at_ns=device.now_ns(),
                version=build.version,
                profile=build.profile,
                settings=digest,
                model=device._chain.model[:16],
                door=settings.door.driver,
                camera=settings.camera.driver,
                signed=build.signed,
                signer=build.signer_id,
                log_only=build.log_only,
            )
        )
        _ = device._door  # a door that may not be driven is told now, not at the first accept; a relay locks

    def _run(self, stop: threading.Event) -> None:
        first, hung = True, 0
        while not stop.is_set():
            try:
                given, self._stream = self._stream, None
                with given or self._device.stream() as stream:
                    if first:
                        self._device.tell(Ready(at_ns=self._device.now_ns()))
                    first, hung = False, 0
                    self._serve(stream, stop)
                    break
            except SourceEnded:
                break
            except CameraError as error:
                hung = hung + 1 if isinstance(error, SourceHung) else 0
                if first or hung >= _HUNG:  # a driver that holds on to this process lets go when it ends
                    raise
                self._tell_faults(self._edges.failed(error, self._device.now_ns()))
                stop.wait(_RETRY_S)

    def _serve(self, stream: Capture | Pulled, stop: threading.Event) -> None:
        newest, silent, health = stream.now_ns(), 0.0, Health(self._device.settings.camera)
        while not stop.is_set():
            self._keep_house()
            frame: Frame | None = None
            try:
                frame = stream.next(newest, _IDLE_S)
                newest, silent = frame.monotonic_ns, 0.0
                self._alive()
                self._tell_faults(self._edges.frame(frame, health.check(frame)))
            except SourceTimeout:
                silent += _IDLE_S
                if silent >= self._device.settings.camera.timeout_s:
                    raise
            claimed = self._claimed(frame)
            idle = claimed is None
            if claimed is not None:
                reader, text = claimed
                del claimed
                decision = self._device.decide(
                    text,
                    lambda: stream,
                    reader=reader,
                    watch=self._watch,
                    cancelled=stop.is_set,
                    typed=lambda within_s: self._typed(stream, within_s, stop),
                )
                self._device.act(decision)
                wipe(text)
                newest = stream.now_ns()
            # An operator has a turn after each claim: whoever delivers all the time keeps no card from being revoked.
            if self._acts is not None and self._acts.serve(stream, lambda: self._stopping(stop), self._readers):
                newest = stream.now_ns()
            elif idle and self._nobody_can_claim():
                return

    def _stopping(self, stop: threading.Event) -> bool:
        """Asked with each frame of an operator's act, and each second while a card is handed over."""
        self._alive()
        return stop.is_set()

    def _claimed(self, frame: Frame | None) -> tuple[str, str] | None:
        """The name of the next reader that has a text, and the text; a PIN that nobody asked for is none.

        In turn: whoever has delivered is asked last, so that one that floods keeps no other from being read.
        """
        waiting, self._waiting = self._waiting, None
        if waiting is not None:
            return waiting
        asks = self._device.settings.claim.asks_pin
        for place, reader in enumerate(self._order):
            text = reader.poll(frame)
            if text is not None and not (asks and SHAPE.fullmatch(text)):
                self._order = [*self._order[:place], *self._order[place + 1 :], reader]
                return reader.name, text
        return None

    def _typed(self, stream: Capture | Pulled, within_s: float, stop: threading.Event) -> str | None:
        """Wait for a PIN from any reader; None when none came, or another card did, whose turn it is then."""
        until, newest = self._clock() + within_s, stream.now_ns()
        while self._clock() < until and not stop.is_set():
            frame = None
            with contextlib.suppress(SourceTimeout):
                frame = stream.next(newest, _IDLE_S)
                newest = frame.monotonic_ns
                self._alive()
            for reader in self._readers:
                text = reader.poll(frame)
                if text is not None and SHAPE.fullmatch(text):
                    return text
                if text is not None and find_token(text):
                    self._waiting = reader.name, text
                    return None
        return None

    def _keep_house(self) -> None:
        if self._clock() - self._visited >= _VISIT_S:
            self._visited = self._clock()
            self._device.policy.visit()
            self._device._housekeeping.visit()
        if self._clock() - self._examined >= _EXAMINE_S:
            self._examined = self._clock()
            self._examine()

    def _nobody_can_claim(self) -> bool:
        """Standard input has ended and it was the only reader: nothing can happen any more."""
        return all(getattr(reader, "ended", False) for reader in self._readers)

    def _tell_faults(self, edges: Iterable[Told]) -> None:
        """Faults on their edges: when they begin, and when they are over."""
        device = self._device
        for told in edges:
            if told.over:
                device.tell(Recovered(at_ns=device.now_ns(), count=told.count))
                continue
            device.tell(
                Faulted(
                    at_ns=device.now_ns(),
                    room="source",
                    error=type(told.error).__name__,
                    what=told.error.what,
                    where=told.error.where,
                    remedy=told.error.remedy,
                    faults=tuple(sorted(told.faults)),
                    count=told.count,
                )
            )
