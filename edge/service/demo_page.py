"""The demo on the kiosk's page: people who do not exist present their cards, one after the other, until it is stopped.

    show(KioskSettings(preview=True), tell=print, stop=event)

The claims, and everything that decides about them, are those of `edge.service.demo`; what is added is the page, and
pauses in which it can be read.
"""

from __future__ import annotations

import contextlib
import itertools
import os
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from edge.errors import KioskError, NotInThisBuild
from edge.fictional import FictionalSource, OnePerson, Scene
from edge.profile import current
from edge.service import own
from edge.service.demo import FIRST, PREFIX, Office, Scenario, scenarios, settings
from edge.service.device import Device
from edge.service.operator_socket import OperatorSocket
from edge.settings.model import KioskSettings, LimitSettings, Settings
from edge.trust import ISSUER_FILE, operators
from edge.types import Frame
from edge.types.acts import Sitting
from edge.types.events import Event, Ready

#: Seconds before a card is presented, and after an answer.
BEFORE_S, AFTER_S = 4.0, 8.0
#: The demo's operator, and what opens the issuer's key that exists as long as the demo runs.
OPERATOR, PASSPHRASE = "kim", "people who do not exist"
#: How often it is looked whether an operator wants something.
_VISIT_S = 0.1


def show(
    kiosk: KioskSettings,
    *,
    tell: Callable[[str], None],
    stop: threading.Event,
    pauses_s: tuple[float, float] = (BEFORE_S, AFTER_S),
) -> None:
    """Play claims on the page until ``stop`` is set.

    Args:
        kiosk: of the page, and of the operator's where it names a port for it.
        tell: told the page's address, an operator's with token and passphrase, then each claim.
        pauses_s: before a card is presented, and after an answer.

    Raises:
        KioskError: the page cannot be served. NotInThisBuild: the build holds none.
    """
    stage: list[tuple[Scene, ...]] = [()]
    limits = LimitSettings(card_rejects=1)  # so that a wait is seen at once
    if not current().can("local_page"):
        raise NotInThisBuild("this build serves no page", where="--kiosk", remedy="build with local_page: true")
    from edge.kiosk import Kiosk, page_of

    with contextlib.ExitStack() as opened:
        folder = Path(opened.enter_context(tempfile.TemporaryDirectory(prefix=PREFIX)))
        wanted = settings(folder).model_copy(
            update={"kiosk": kiosk, "limits": limits, "alternative": "Please ring at the reception."}
        )
        parts, issuer = own._stage(lambda: FictionalSource(stage[0], real=True))
        device = opened.enter_context(Device.open(wanted, parts))
        page = opened.enter_context(Kiosk(kiosk, page_of(wanted)))
        device.observe(page, name="kiosk")
        device._clock.confirm("demo")  # whatever the time: nothing here is kept
        tell(page.url)
        played = scenarios(Office(device, issuer))
        staff = _Staff(device, stage, stop, _Presented(played[0].token))
        with contextlib.ExitStack() as pages:
            if kiosk.operator_port is not None:
                issuer.save(folder / ISSUER_FILE, PASSPHRASE, random_bytes=os.urandom)
                token = operators.add(folder, OPERATOR, random_bytes=os.urandom)
                url = pages.enter_context(_operators(wanted, tell))
                tell(f"{url}\n    for staff: token {token}, passphrase of the issuer's key: {PASSPHRASE}")
            device.tell(Ready(at_ns=device.now_ns()))
            for scenario in _in_order(played):
                if staff.pause(pauses_s[0]):
                    return
                tell(scenario.title)
                stage[0] = scenario.script
                stream = device.stream()
                try:
                    watch = page.watch if page.preview else None
                    device.act(device.decide(scenario.token, stream.start, watch=watch, cancelled=stop.is_set))
                finally:
                    stream.stop()
                if staff.pause(pauses_s[1]):
                    return


@contextlib.contextmanager
def _operators(wanted: Settings, tell: Callable[[str], None]) -> Iterator[str]:
    from edge.service.staff_process import operator_pages

    def failed(error: KioskError) -> None:
        tell(str(error))

    with operator_pages(wanted, failed) as url:
        yield url


class _Presented:
    """A reader in front of which somebody holds the first person's card. A `Reader`."""

    name = "demo"

    def __init__(self, token: str) -> None:
        self._token, self._since = token, 0.0

    def poll(self, frame: Frame | None) -> str | None:
        """The card, two seconds after it was asked for."""
        now = time.monotonic()
        if now - self._since > 60.0:
            self._since = now
        if now - self._since < 2.0:
            return None
        self._since = 0.0
        return "".join(self._token)

    def close(self) -> None:
        """Nothing to close."""


class _Staff:
    """The pauses between claims, in which operators' acts are carried out; during a sitting nobody claims anything.

    Args:
        device: opened. stage: what the camera sees next. stop: ends a pause. reader: in front of the operator.
    """

    def __init__(
        self, device: Device, stage: list[tuple[Scene, ...]], stop: threading.Event, reader: _Presented
    ) -> None:
        self._acts, self._stage, self._stop, self._reader = OperatorSocket(device), stage, stop, reader
        self._device, self._seated = device, False
        device.observe(self._follow, name="staff")

    def pause(self, seconds: float) -> bool:
        """Wait, for as long as an operator sits there; true when the demo is stopped."""
        until = time.monotonic() + seconds
        while not self._stop.is_set() and (self._seated or time.monotonic() < until):
            if self._acts.waiting:
                self._stage[0] = (OnePerson(FIRST, 3600.0, walk_up=False),)
                stream = self._device.stream()
                try:
                    self._acts.serve(stream.start(), self._stop.is_set, [self._reader])
                finally:
                    stream.stop()
            else:
                self._stop.wait(_VISIT_S)
        if self._stop.is_set():
            self._acts.close()
        return self._stop.is_set()

    def _follow(self, event: Event) -> None:
        if isinstance(event, Sitting):
            self._seated = event.change in ("opened", "camera", "camera_closed")


def _in_order(claims: tuple[Scenario, ...]) -> Iterator[Scenario]:
    """For ever; the first card comes once more right after it was rejected, and has to wait."""
    right, other, nobody, two, expired, flipped, second, held, *_ = claims
    return itertools.cycle((right, other, right, nobody, expired, second, flipped, two, held))
