"""The loop that runs a device: wait for a claim, look, decide, act, journal.

idle      frames go to the code reader and the health check only; neither detector nor embedder runs
claim     one session (`edge.session.Verifier`), then the door, then the journal
fault     the source is closed and opened again, with a pause; the door stays locked
stop      SIGTERM sets the event: a session in progress ends as `interrupted`, the door locks, all within 2 s
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from edge.camera import Capture, Health, Pulled
from edge.errors import CameraError, EdgeError, SourceEnded, SourceTimeout
from edge.service.device import Device
from edge.types import Decision, Fault, Frame, Reader

#: A wait for an idle frame; also how long a stop may go unnoticed while idle.
_IDLE_S = 0.1
#: Pause before a failed source is opened again.
_RETRY_S = 2.0
#: How often it is asked whether the house must be kept; `edge.service.housekeeping` keeps it once a day.
_VISIT_S = 60.0


@dataclass(frozen=True, slots=True)
class Event:
    """What the loop tells: ``notice``, ``ready``, ``decision``, ``guard``, ``fault``, ``recovered``, ``stopped``."""

    kind: str
    text: str = ""
    decision: Decision | None = None


class Loop:
    """Runs one device until it is stopped, its replayed source ends, or nobody can present a claim any more.

    Args:
        device: opened.
        readers: how claims arrive.
        tell: told about every event; must not block.
        clock: seconds, monotonic; when to look after the house again.
    """

    def __init__(
        self,
        device: Device,
        readers: Sequence[Reader],
        tell: Callable[[Event], None],
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._device, self._readers, self._tell = device, readers, tell
        self._faults: frozenset[Fault] = frozenset()
        self._clock, self._visited = clock, float("-inf")

    def run(self, stop: threading.Event) -> None:
        """Serve claims.

        Args:
            stop: set from outside to end the loop.

        Raises:
            CameraError: the source could not even be opened the first time.
            JournalBroken, DoorError, PolicyStops: the device must not go on.
        """
        build = self._device.examined()
        self._device.ledger.started(self._device.chain.model, build)
        if build.is_device and not build.drives_doors:
            self._tell(Event("notice", f"this build drives the log door only: {build.log_only}"))
        _ = self._device.door  # a door that may not be driven is told now, not at the first accept; a relay locks
        first = True
        while not stop.is_set():
            try:
                with self._device.stream() as stream:
                    self._tell(Event("ready" if first else "recovered"))
                    first = False
                    self._serve(stream, stop)
                    break
            except SourceEnded:
                break
            except CameraError as error:
                if first:
                    raise
                self._fault(error)
                stop.wait(_RETRY_S)
        self._device.ledger.stopped("signal" if stop.is_set() else "end-of-input")
        self._tell(Event("stopped"))

    def _serve(self, stream: Capture | Pulled, stop: threading.Event) -> None:
        newest, silent, health = stream.now_ns(), 0.0, Health(self._device.settings.camera)
        while not stop.is_set():
            self._keep_house()
            frame: Frame | None = None
            try:
                frame = stream.next(newest, _IDLE_S)
                newest, silent = frame.monotonic_ns, 0.0
                self._health(frozenset(health.check(frame)))
            except SourceTimeout:
                silent += _IDLE_S
                if silent >= self._device.settings.camera.timeout_s:
                    raise
            text = self._claimed(frame)
            if text is not None:
                self._decide(text, stream, stop)
                newest = stream.now_ns()
            elif self._nobody_can_claim():
                return

    def _claimed(self, frame: Frame | None) -> str | None:
        for reader in self._readers:
            text = reader.poll(frame)
            if text is not None:
                return text
        return None

    def _decide(self, text: str, stream: Capture | Pulled, stop: threading.Event) -> None:
        decision = self._device.decide(text, lambda: stream, cancelled=stop.is_set)
        self._device.act(decision)
        self._tell(Event("decision", decision=decision))
        guard = self._device.limits.guard()
        if guard.wait_s > 0:
            text = f"paused for {int(guard.wait_s) + 1} s: {guard.cards} different cards failed at this door lately"
            self._tell(Event("guard", text))

    def _keep_house(self) -> None:
        if self._clock() - self._visited >= _VISIT_S:
            self._visited = self._clock()
            self._device.policy.visit()
            self._device.housekeeping.visit()

    def _nobody_can_claim(self) -> bool:
        """Standard input has ended and it was the only reader: nothing can happen any more."""
        return all(getattr(reader, "ended", False) for reader in self._readers)

    def _health(self, faults: frozenset[Fault]) -> None:
        new = faults - self._faults
        self._faults = faults
        if new:
            names = ", ".join(sorted(f.value.replace("_", " ") for f in new))
            self._fault(CameraError(f"the pictures are {names}", where="source", remedy="look after the camera"), new)

    def _fault(self, error: EdgeError, faults: frozenset[Fault] = frozenset()) -> None:
        self._device.ledger.fault(error, faults)
        self._tell(Event("fault", str(error)))
