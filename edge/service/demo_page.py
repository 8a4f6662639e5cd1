"""The demo on the kiosk's page: people who do not exist present their cards, one after the other, until it is stopped.

    show(folder, KioskSettings(preview=True), tell=print, stop=event)

The claims, and everything that decides about them, are those of `edge.service.demo`; what is added is the page, and
pauses in which it can be read.
"""

from __future__ import annotations

import itertools
import os
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

from edge.errors import NotInThisBuild
from edge.fictional import FictionalSource, Scene
from edge.service.demo import Office, Scenario, scenarios, settings
from edge.service.device import Device
from edge.service.parts import Parts
from edge.settings.model import KioskSettings, LimitSettings
from edge.trust import Keyring
from edge.types.events import Ready

#: Seconds before a card is presented, and after an answer.
BEFORE_S, AFTER_S = 4.0, 8.0


def show(
    folder: Path,
    kiosk: KioskSettings,
    *,
    tell: Callable[[str], None],
    stop: threading.Event,
    pauses_s: tuple[float, float] = (BEFORE_S, AFTER_S),
) -> None:
    """Play claims on the page until ``stop`` is set.

    Args:
        folder: an empty folder for the state. kiosk: of the page. tell: told the page's address, then each claim.
        pauses_s: before a card is presented, and after an answer.

    Raises:
        KioskError: the page cannot be served. NotInThisBuild: the build holds none.
    """
    keyring, issuer = Keyring.ephemeral(os.urandom)
    stage: list[tuple[Scene, ...]] = [()]
    limits = LimitSettings(card_rejects=1)  # so that a wait is seen at once
    wanted = settings(folder).model_copy(
        update={"kiosk": kiosk, "limits": limits, "alternative": "Please ring at the reception."}
    )
    parts = Parts(source=lambda: FictionalSource(stage[0], real=True), keyring=keyring)
    if not parts.build.can("local_page"):
        raise NotInThisBuild("this build serves no page", where="--kiosk", remedy="build with local_page: true")
    from edge.kiosk import Kiosk, page_of

    with Device.open(wanted, parts) as device, Kiosk(kiosk, page_of(wanted)) as page:
        device.observe(page, name="kiosk")
        device.clock.confirm("demo")  # whatever the time: nothing here is kept
        tell(page.url)
        claims = _in_order(scenarios(Office(device, issuer)))
        device.tell(Ready(at_ns=device.now_ns()))
        for scenario in claims:
            if stop.wait(pauses_s[0]):
                return
            tell(scenario.title)
            stage[0] = scenario.script
            stream = device.stream()
            try:
                watch = page.watch if page.preview else None
                device.act(device.decide(scenario.token, stream.start, watch=watch, cancelled=stop.is_set))
            finally:
                stream.stop()
            if stop.wait(pauses_s[1]):
                return


def _in_order(claims: tuple[Scenario, ...]) -> Iterator[Scenario]:
    """For ever; the first card comes once more right after it was rejected, and has to wait."""
    right, other, nobody, two, expired, flipped, second, held, *_ = claims
    return itertools.cycle((right, other, right, nobody, expired, second, flipped, two, held))
