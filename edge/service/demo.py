"""The demo: the whole device, with nothing replaced but the camera, on people who do not exist.

It enrols two of them from their pictures, then presents claims while a generated kiosk sequence runs:

    the right person . the closest other person . nobody . two people . an expired card . a card with one bit flipped
    their picture as a print . on a phone . the right person turning the head as told . a recording of turns

Every claim goes through the very code of a door: desk, vault, capture thread, chain, comparison, limits, journal. The
demo succeeds only if every outcome *and* reason is the expected one. It shows that the chain works, and says nothing
about accuracy.
"""

from __future__ import annotations

import contextlib
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Literal

import numpy as np

from edge.camera import Pulled
from edge.camera.owned import _own
from edge.fictional import FictionalSource, Nobody, OnePerson, Scene, TwoPeople
from edge.fictional.actor import Actor
from edge.service import own
from edge.service.device import Device
from edge.session import Enrolment, Glimpse, Liveness
from edge.session.cells import ClosedCell
from edge.settings.model import CameraSettings, DecisionSettings, DeviceSettings, Settings
from edge.trust import IssuerKey
from edge.types import Custody, Decision, Direction, Outcome, Reason
from edge.vault import ConsentReceipt, Issuance, Terms

NOTE = "fictional faces: shows that the chain works, says nothing about accuracy"

#: Of the folder for a demo's state.
PREFIX = "edge-demo-"
#: The two who are enrolled. Of the twelve fictional people they are the closest pair.
FIRST, SECOND = "hana", "fara"

#: What stops a presentation attack, or holds it back.
_STOPPED = frozenset({Reason.PRESENTATION_ATTACK_SUSPECTED, Reason.LIVENESS_UNCLEAR, Reason.CHALLENGE_NOT_DONE})


@dataclass(frozen=True, slots=True)
class Scenario:
    """One claim of the demo: who stands there, which token is presented, what must come out.

    Attributes:
        attack: a presentation attack: whichever gate stops it, for its reason. actor: turns the head, at a door that
            always asks for a challenge.
    """

    title: str
    script: tuple[Scene, ...]
    token: str
    outcome: Outcome
    reason: Reason
    advice: bool = False
    attack: bool = False
    actor: Actor | None = field(default=None, compare=False)

    def expected(self, decision: Decision) -> bool:
        """Whether the decision is the one that must come out, for the reason it must have."""
        if self.attack:
            return decision.outcome is not Outcome.ACCEPT and decision.reason in _STOPPED
        refused = self.reason in (Reason.TOKEN_EXPIRED, Reason.TOKEN_INVALID)
        return (
            (decision.outcome, decision.reason) == (self.outcome, self.reason)
            and (not refused or decision.frames_looked_at == 0)
            and (not self.advice or bool(decision.advice))
        )


@dataclass(frozen=True, slots=True)
class Played:
    """A scenario and what came of it."""

    scenario: Scenario
    decision: Decision
    glimpses: tuple[Glimpse, ...]
    seconds: float

    @property
    def ok(self) -> bool:
        return self.scenario.expected(self.decision)


def settings(folder: Path) -> Settings:
    """The demo's settings: the product's defaults, a state folder of its own, and a shorter wait for nobody."""
    return Settings(
        device=DeviceSettings(name="demo", state_dir=folder, trust_dir=folder / "trust"),
        camera=CameraSettings(driver="fictional"),
        decision=DecisionSettings(deadline_s=4.0),
        alternative="Close the terminal.",
    )


def play(*, fast: bool = False, seed: int = 1, tell: Callable[[Scenario], None] = lambda _: None) -> Iterator[Played]:
    """Enrol and play every scenario, with keys of its own and in a folder that is gone afterwards.

    Args:
        fast: pull frames as fast as they come, without a capture thread; otherwise at a camera's pace.
        seed: another room, other movements, other noise.
        tell: told about each scenario before it is played.

    Yields:
        What came of each, as it ends.
    """
    stage: list[Scenario] = []
    fast, seed = bool(fast), int(seed)

    def source() -> FictionalSource:
        return FictionalSource(stage[-1].script, seed=seed, real=not fast, actor=stage[-1].actor)

    with tempfile.TemporaryDirectory(prefix=PREFIX) as folder, contextlib.ExitStack() as opened:
        parts, issuer = own._stage(source, fast=fast)
        device = opened.enter_context(Device.open(settings(Path(folder)), parts))
        device._clock.confirm("demo")  # whatever the time: enrolment needs a confirmed clock, and nothing here is kept
        for scenario in scenarios(Office(device, issuer)):
            tell(scenario)
            stage.append(scenario)
            yield _play(device, scenario, seed)


def scenarios(office: Office) -> tuple[Scenario, ...]:
    """The demo's claims; ``office`` enrols."""
    first, second = office.enrol(FIRST), office.enrol(SECOND)
    expired = office.enrol(FIRST, expired=True)
    person = OnePerson(FIRST, 6.0)
    return (
        Scenario(f"{FIRST} with {FIRST}'s card", (person,), first, Outcome.ACCEPT, Reason.MATCHING),
        Scenario(
            f"{SECOND} with {FIRST}'s card", (OnePerson(SECOND, 6.0),), first, Outcome.REJECT, Reason.NOT_MATCHING
        ),
        Scenario(f"nobody, {SECOND}'s card", (Nobody(6.0),), second, Outcome.NO_DECISION, Reason.NO_FACE, advice=True),
        Scenario(
            f"two people, {FIRST}'s card",
            (TwoPeople(FIRST, "goran", 6.0, walk_up=False),),
            first,
            Outcome.NO_DECISION,
            Reason.SEVERAL_FACES,
            advice=True,
        ),
        Scenario(f"{FIRST}'s expired card", (person,), expired, Outcome.REJECT, Reason.TOKEN_EXPIRED),
        Scenario(f"{FIRST}'s card, one bit flipped", (person,), _flip(first), Outcome.REJECT, Reason.TOKEN_INVALID),
        Scenario(f"{SECOND} with {SECOND}'s card", (OnePerson(SECOND, 6.0),), second, Outcome.ACCEPT, Reason.MATCHING),
        *_attacks(second),
    )


def _attacks(token: str) -> Iterator[Scenario]:
    """Presentation attacks with the second person's card, and that person at a door that asks for a challenge."""
    outcome, reason = Outcome.NO_DECISION, Reason.LIVENESS_UNCLEAR
    for species in ("print", "phone"):
        shown = (OnePerson(SECOND, 6.0, attack=species, yaw=8.0),)
        yield Scenario(f"{SECOND}'s picture, {species}", shown, token, outcome, reason, attack=True)
    stays = (OnePerson(SECOND, 60.0, walk_up=False),)
    told = Actor.living(np.random.default_rng(1), left_right=0.0)
    yield Scenario(f"{SECOND} turns as told", stays, token, Outcome.ACCEPT, Reason.MATCHING, actor=told)
    order = (Direction.DOWN, Direction.RIGHT, Direction.UP)
    deaf = Actor.recorded(np.random.default_rng(2), order, pause_s=0.6, until_s=60.0)
    yield Scenario(f"a recording of {SECOND}", stays, token, outcome, reason, attack=True, actor=deaf)


@dataclass(frozen=True, slots=True)
class Office:
    """Where people are enrolled in the demo: as on another day (variant 1), before they come to the kiosk (variant 0).

    It has a camera of its own, which sees people who do not exist and no others.
    """

    device: Device
    issuer: IssuerKey

    def enrol(self, name: str, *, expired: bool = False) -> str:
        device = self.device
        device._clock.now().need_confirmed()
        enrolment = Enrolment(device._chain, device._verifier.threshold, want=3)  # no deployment
        camera = Pulled(FictionalSource((OnePerson(name, 60.0, variant=1, walk_up=False),), fps=3.0))
        if device._parts.source is not None:  # nobody is enrolled this way on a door
            _own(camera)
        cell = device._cells._begin(device._new_session())
        with cell, camera as stream:
            enrolment.from_stream(stream, cell)
            return self._card(cell, name, expired=expired)

    def _card(self, cell: ClosedCell, name: str, *, expired: bool) -> str:
        now = self.device._clock.now().utc_s
        vault, day = self.device._vault, 86_400
        valid = (now - 2 * day, now - day) if expired else (now, now + day)
        draft = vault.prepare_enrolment(
            cell,
            Terms(Custody.CARD, ("default",), 1, *valid),
            ConsentReceipt(f"{name} (does not exist)", "demo", "en", now, "close the terminal"),
            Issuance(self.issuer, "demo", bytes.fromhex(self.device._chain.model), self.device._chain.dimension, now),
        )
        text = vault.commit(draft).text
        assert text is not None
        return text


def _flip(token: str) -> str:
    """The token with one bit of its bytes flipped, as damage or a forger would: still well-formed Base45."""
    from edge.claim import PREFIX, base45

    data = bytearray(base45.decode(token.removeprefix(PREFIX)))
    data[len(data) // 2] ^= 0x10
    return PREFIX + base45.encode(bytes(data))


def _play(device: Device, scenario: Scenario, seed: int) -> Played:
    glimpses: list[Glimpse] = []
    actor, prompt = scenario.actor, None

    def watch(glimpse: Glimpse) -> None:
        nonlocal prompt
        glimpses.append(glimpse)
        if actor is not None and glimpse.prompt is not None and glimpse.prompt is not prompt:
            prompt = glimpse.prompt
            actor.told(prompt.direction, glimpse.frame.sequence / 15.0)

    active: Literal["off", "always"] = "off" if actor is None else "always"
    order = np.random.default_rng((seed, 3)).random  # of this demo: the same each time
    device._verifier = replace(device._verifier, liveness=Liveness(active=active), random=order)
    started = time.perf_counter()
    stream = device.stream()
    try:
        decision = device.decide(scenario.token, stream.start, watch=watch)
    finally:
        stream.stop()
    return Played(scenario, decision, choose(glimpses), time.perf_counter() - started)


def choose(glimpses: Sequence[Glimpse], count: int = 4) -> tuple[Glimpse, ...]:
    """The few frames that tell the story, for the contact sheet: every compared look, and some of the approach."""
    compared = [g for g in glimpses if g.passed is not None][-3:]
    others = [g for g in glimpses if g.passed is None]
    room = count - len(compared)
    step = max(1, len(others) // room)
    return tuple(sorted([*others[step - 1 :: step][:room], *compared], key=lambda g: g.frame.sequence))
