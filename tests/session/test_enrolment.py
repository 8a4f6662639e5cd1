"""Enrolment's capture: turns that are asked for, what is left out, and references that are refused."""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import pairwise
from types import SimpleNamespace

import numpy as np
import pytest

from edge.camera import Pulled
from edge.errors import InputError
from edge.face import Chain as RealChain
from edge.face import Look, load_card
from edge.face.match import average, cosine
from edge.fictional import FictionalSource, OnePerson
from edge.fictional.actor import Actor
from edge.session import Enrolment
from edge.session.cell import Cell
from edge.session.enrolment import ASK_NS, Progress
from edge.session.turning import ASKED, Turning
from edge.settings.model import FaceSettings
from edge.types import Advice, Crop, Direction, Frame, Reason

THRESHOLD = 0.6
STEP_NS = 200_000_000


def person(seed: int) -> np.ndarray:
    return np.random.default_rng(seed).normal(0, 1, 128)


def seen(who: np.ndarray, noise: float, seed: int) -> np.ndarray:
    """int8 (128,): an embedding of somebody; the more noise, the less it is like them."""
    vector = who / np.linalg.norm(who) + noise * person(1000 + seed) / np.sqrt(128)
    return np.rint(vector * (127 / np.abs(vector).max())).astype(np.int8)


@dataclass
class Stream:
    """Frame k shows what ``script[k]`` says; the last goes on."""

    script: str
    now: int = 0
    count: int = 0

    def now_ns(self) -> int:
        return self.now

    def next(self, after_ns: int, timeout_s: float) -> Frame:
        self.now = max(self.now, after_ns) + STEP_NS
        letter = self.script[min(self.count, len(self.script) - 1)]
        self.count += 1
        return Frame(np.zeros((4, 4, 3), np.uint8), self.now, self.count, "script", meta={"seen": letter})


@dataclass
class Chain:
    """m: the person; b: the person, badly seen; w: less badly, but always; o: somebody else. None ever turns."""

    embedded: list[str] = field(default_factory=list)
    model: str = "m"
    embedder: SimpleNamespace = field(default_factory=lambda: SimpleNamespace(card=load_card("embedder")))

    def threshold(self, fmr: float, looks: int = 1) -> float:
        return 0.2

    def look(self, frame: Frame) -> Look:
        if frame.meta["seen"] == "n":
            return Look.nothing(Reason.NO_FACE, (Advice.NOBODY_SEEN,))
        return Look(crop=Crop(np.zeros((1, 1, 3), np.uint8), frame.meta["seen"]))

    def pixels(self, look: Look) -> np.ndarray:
        return np.array([[[ord(look.crop.card)] * 3]], np.uint8)

    def embed(self, pixels: np.ndarray) -> np.ndarray:
        letter = chr(pixels[0, 0, 0])
        self.embedded.append(letter)
        noise = {"m": 0.3, "w": 1.4, "o": 0.3, "b": 1.6}[letter]
        return seen(person(2 if letter == "o" else 1), noise, len(self.embedded))


def enrolled(script: str, **more) -> tuple[np.ndarray, Chain, list[Progress]]:
    chain, told = Chain(), []
    cell = cell_of(chain)
    Enrolment(chain, THRESHOLD, deadline_s=60.0, **more).from_stream(Stream(script), cell, tell=told.append)
    return average(cell._kept), chain, told


def cell_of(chain: Chain) -> Cell:
    return Cell({b"m": chain.embed}, b"m")


def test_who_never_turns_the_head_is_enrolled_all_the_same():
    reference, chain, told = enrolled("m")
    assert cosine(reference, seen(person(1), 0.0, 0)) > 0.9
    assert len(chain.embedded) == 5
    assert [progress.advice for progress in told if progress.advice] != []
    assert told[-1].have == 5


def test_each_turn_is_asked_for_and_waited_for_no_longer_than_a_moment():
    stream, times = Stream("m"), []
    chain = Chain()
    Enrolment(chain, THRESHOLD).from_stream(stream, cell_of(chain), tell=lambda p: times.append((p.have, stream.now)))
    kept = [next(at for have, at in times if have == count) for count in range(1, 6)]
    assert all(b - a <= ASK_NS + STEP_NS for a, b in pairwise(kept))


def test_a_capture_that_is_unlike_the_others_is_left_out_and_another_one_taken():
    clean, _, _ = enrolled("m")
    times = 11  # one frame in so many is kept: nobody turns
    script = "m" * times * 2 + "b" * times + "m"
    reference, chain, _ = enrolled(script)
    assert "b" in chain.embedded
    assert len(chain.embedded) > 5
    assert cosine(reference, clean) > 0.97


def test_captures_that_do_not_hold_together_make_no_reference():
    with pytest.raises(InputError, match="do not hold together as this door's target asks") as refused:
        enrolled("w")
    assert "light" in refused.value.remedy


def test_two_people_cannot_share_a_card():
    with pytest.raises(InputError, match="do not show the same person"):
        enrolled("m" * 25 + "o")


def test_who_leaves_begins_again_and_the_next_one_is_somebody_else():
    reference, chain, _ = enrolled("o" * 25 + "n" * 8 + "m")
    assert chain.embedded.count("m") == 5
    assert cosine(reference, seen(person(1), 0.0, 0)) > 0.9


def test_one_frame_of_somebody_who_passes_is_left_out():
    once = "m" * 11 + "o" * 11 + "m"
    reference, chain, _ = enrolled(once)
    assert chain.embedded.count("o") == 1
    assert abs(cosine(reference, seen(person(2), 0.0, 0))) < 0.3


def test_who_was_verified_must_stay():
    chain, calls = Chain(), []

    def holder(frame: Frame, look: Look) -> bool:
        calls.append(look)
        return look.crop.card == "m"

    with pytest.raises(InputError, match="do not show the person who was verified"):
        Enrolment(chain, THRESHOLD).from_stream(Stream("m" * 25 + "o"), cell_of(chain), same_as=holder)
    assert "o" not in chain.embedded, "a stranger's frame is not even embedded for the reference"


@pytest.fixture(scope="module")
def real() -> RealChain:
    return RealChain.load(FaceSettings(threads=1))


def test_small_turns_of_a_rendered_head_are_seen_and_told_apart(real: RealChain):
    asked = {Direction.LEFT: Advice.TURN_LEFT, Direction.RIGHT: Advice.TURN_RIGHT}
    asked |= {Direction.UP: Advice.CHIN_UP, Direction.DOWN: Advice.CHIN_DOWN}
    for direction, wanted in asked.items():
        actor = Actor.living(np.random.default_rng(3), left_right=0.0)
        actor.reach = 0.5  # half of what a challenge makes people do
        source = FictionalSource((OnePerson("dara", 60.0, walk_up=False),), fps=10.0, actor=actor)
        source.open()
        turning, reached = Turning(real.embedder.card.align), set()
        for number in range(16):
            if number == 4:
                actor.told(direction, 0.4)
            turning.see(real.look(source.read(1.0)))
            if number < 4:
                assert not any(turning.reached(other) for other in asked.values())
            reached |= {other for other in asked.values() if turning.reached(other)}
        assert wanted in reached
        assert not reached - {wanted}, (direction, reached)


def test_a_person_who_follows_the_advice_is_enrolled_in_a_few_seconds(real: RealChain):
    actor, told = Actor.living(np.random.default_rng(4), left_right=0.0), list[Progress]()
    ways = {Advice.TURN_LEFT: Direction.LEFT, Advice.TURN_RIGHT: Direction.RIGHT, None: None}
    ways |= {Advice.CHIN_UP: Direction.UP, Advice.CHIN_DOWN: Direction.DOWN}
    actor.reach = 0.45
    stream = Pulled(FictionalSource((OnePerson("dara", 60.0, walk_up=False),), fps=10.0, actor=actor)).__enter__()

    def tell(progress: Progress) -> None:
        told.append(progress)
        if progress.advice and progress.advice[0] in ways:
            actor.told(ways[progress.advice[0]], stream.now_ns() / 1e9)

    start = stream.now_ns()
    cell = Cell({b"m": lambda pixels: real.embedder.runner.embed(pixels)}, b"m")
    Enrolment(real, real.threshold(1e-4, 3)).from_stream(stream, cell, tell=tell)
    assert len(cell._kept) == 5
    assert (stream.now_ns() - start) / 1e9 < 12.0
    assert {progress.advice for progress in told} >= {(wanted,) for wanted in ASKED if wanted is not None}
