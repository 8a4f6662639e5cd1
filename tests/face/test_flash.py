"""The flash: who reflects the colours that were shown passes; what follows others is a recording; else nobody can say.

Hundreds of rendered sequences, replays among them: `python -m tests.benchmarks.flash`.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass, field

import numpy as np
import pytest

from edge.face.chain import Look
from edge.face.flash import FEWEST, STEP_S, STEPS, UNCLEAR, Flash, drawn, judged, tint
from edge.face.rule import Active, Rule
from edge.face.suspicion import PassiveLimits
from edge.settings.model import DecisionSettings
from edge.types import Attack, Crop, Face, Outcome, Pass, Reason, Species
from tests.benchmarks.challenge import chain
from tests.benchmarks.flash import sequence

FPS = 15
COLOURS = drawn(np.random.default_rng(4).random)
OTHER = tuple({"red": "green", "green": "blue", "blue": "red"}[colour] for colour in COLOURS)
FACE = Face((200, 100, 150, 200), np.zeros((5, 2), np.float32), 0.9)
TOWARDS = {"red": (1.0, 0.0), "green": (-0.7, -0.7), "blue": (0.0, 1.0)}


def looked(x: float = 200.0) -> Look:
    face = Face((x, 100, 150, 200), FACE.landmarks, 0.9)
    return Look(crop=Crop(np.zeros((2, 2, 3), np.uint8), "card"), face=face)


def tints(colours: tuple[str, ...], size: float, noise: float = 0.002) -> list[list[tuple[float, float]]]:
    """What a face shows that gets ``size`` of each colour."""
    rng = np.random.default_rng(1)
    return [[tuple(size * np.array(TOWARDS[c]) + rng.normal(0, noise, 2)) for _ in range(3)] for c in colours]


def test_the_colours_are_in_any_order_and_none_twice_in_a_row():
    orders = {drawn(np.random.default_rng(seed).random) for seed in range(1000)}
    assert all(len(order) == STEPS for order in orders)
    assert all(a != b for order in orders for a, b in itertools.pairwise(order))
    assert len(orders) > 300  # of 3 x 2^7


def test_a_screen_changes_colour_less_often_than_six_times_a_second():
    """Two changes make a flash; WCAG 2.2, 2.3.1 allows three in any second."""
    assert 1 / STEP_S < 6


def test_a_face_that_follows_the_colours_passes():
    assert judged(COLOURS, tints(COLOURS, 0.05)) == Pass()


def test_a_face_that_follows_other_colours_is_a_recording():
    assert judged(COLOURS, tints(OTHER, 0.2)) == Attack(Species.REPLAYED)


@pytest.mark.parametrize("size", [0.0, 0.003])
def test_colours_that_cannot_be_seen_say_nothing(size):
    assert judged(COLOURS, tints(COLOURS, size)) == UNCLEAR


def test_a_step_without_frames_says_nothing():
    seen = tints(COLOURS, 0.05)
    seen[3] = seen[3][: FEWEST - 1]
    assert judged(COLOURS, seen) == UNCLEAR


def test_a_sequence_guessed_at_random_hardly_ever_passes():
    guesses = [drawn(np.random.default_rng(seed).random) for seed in range(2000)]
    right = sum(judged(COLOURS, tints(guess, 0.1)) == Pass() for guess in guesses)
    assert right <= 10


def played(shift_s: float = 0.0, jump: bool = False, gone: int = 0) -> Flash:
    """A face that follows the colours, at 15 frames a second."""
    flash = Flash(COLOURS, 0, FACE)
    for index in range(1, int(STEPS * STEP_S * FPS) + 6):
        at_s = index / FPS
        step = min(STEPS - 1, max(0, int((at_s - shift_s) / STEP_S)))
        look = Look.nothing(Reason.NO_FACE) if 10 < index <= 10 + gone else looked(420 if jump and index > 20 else 200)
        flash.see(int(at_s * 1e9), look, tuple(0.05 * np.array(TOWARDS[COLOURS[step]])))
    return flash


@pytest.mark.parametrize("late_s", [0.0, 0.05, 0.12])
def test_display_and_camera_may_be_late(late_s):
    assert played(late_s).verdict == Pass()


def test_it_says_which_colour_is_on_and_when_it_ends():
    flash = Flash(COLOURS, 0, FACE)
    assert (flash.step, flash.colour) == (1, COLOURS[0])
    flash.see(int(3.5 * STEP_S * 1e9), looked(), None)
    assert (flash.step, flash.colour) == (4, COLOURS[3])
    assert flash.until_ns == int(STEPS * STEP_S * 1e9)


def test_another_face_in_mid_flash_or_none_for_long_says_nothing():
    assert played(jump=True).verdict == UNCLEAR
    assert played(gone=8).verdict == UNCLEAR
    assert played(gone=2).verdict == Pass()


def scene(face: tuple[int, int, int], behind: tuple[int, int, int]) -> np.ndarray:
    image = np.full((480, 640, 3), behind, np.uint8)
    image[100:300, 200:350] = face
    return image


def test_white_balance_moves_face_and_background_alike_and_leaves_no_tint():
    plain = tint(scene((90, 100, 120), (110, 110, 110)), FACE)
    warmer = tint(scene((81, 100, 132), (99, 110, 121)), FACE)
    assert plain == pytest.approx(warmer, abs=0.02)


def test_red_light_on_the_face_alone_is_seen():
    red = tint(scene((90, 100, 126), (110, 110, 110)), FACE)[0] - tint(scene((90, 100, 120), (110, 110, 110)), FACE)[0]
    assert red == pytest.approx(2.2 * np.log(126 / 120), rel=0.01)


@pytest.mark.parametrize(
    "image",
    [
        scene((255, 250, 250), (90, 90, 90)),
        scene((2, 2, 2), (90, 90, 90)),
        np.full((480, 200, 3), 90, np.uint8),  # nothing beside the face
    ],
)
def test_overexposed_dark_or_without_a_background_there_is_no_tint(image):
    box = FACE.box if image.shape[1] == 640 else (20, 100, 150, 200)
    assert tint(image, Face(box, FACE.landmarks, 0.9)) is None


@dataclass
class Eye:
    """Everybody matches; the face follows ``follows``."""

    follows: tuple[str, ...] = COLOURS
    size: float = 0.05
    suspicion: float = 0.0
    rule: Rule | None = None
    asked: list[str] = field(default_factory=list)

    def judge(self, look: Look) -> float:
        self.asked.append("judge")
        return self.suspicion

    def compare(self, look: Look) -> bool:
        self.asked.append("compare")
        return True

    def tint(self, look: Look) -> tuple[float, float]:
        self.asked.append("tint")
        step = self.rule.flash.step - 1
        return tuple(self.size * np.array(TOWARDS[self.follows[step]]))


def end(eye: Eye, *, when: str = "off", passive: bool = True):
    """How a session of ten seconds ends; the flash's colours are `COLOURS`."""
    align = chain().embedder.card.align
    active = None if when == "off" else Active(when, align, np.random.default_rng(1).random)
    limits = PassiveLimits(0.5, 0.9) if passive else None
    eye.rule = rule = Rule(DecisionSettings(), limits, active, np.random.default_rng(4).random)
    for index in range(1, 10 * FPS):
        ending = rule.see(int(index / FPS * 1e9), looked(), eye)
        if ending is not None or rule.attempt:
            return ending, rule
    return rule.held_back, rule


def test_nobody_is_accepted_before_the_flash_was_judged_and_the_face_compared_again():
    eye = Eye()
    ending, rule = end(eye)
    assert ending.outcome is Outcome.ACCEPT
    assert rule.flash.verdict == Pass()
    assert eye.asked.index("tint") > eye.asked.index("compare")
    assert eye.asked[-1] == "compare"
    between = eye.asked[eye.asked.index("tint") : len(eye.asked) - eye.asked[::-1].index("tint")]
    assert set(between) == {"tint"}, "no judgement and no comparison while it flashes"


def test_a_recording_is_rejected():
    ending, _ = end(Eye(follows=OTHER, size=0.2))
    assert (ending.outcome, ending.species) == (Outcome.REJECT, Species.REPLAYED)


def test_in_bright_light_a_door_without_a_challenge_accepts_nobody():
    ending, _ = end(Eye(size=0.0))
    assert (ending.outcome, ending.reason) == (Outcome.NO_DECISION, Reason.LIVENESS_UNCLEAR)


def test_in_bright_light_a_door_with_a_challenge_asks_for_it():
    ending, rule = end(Eye(size=0.0), when="on_doubt")
    assert ending is None
    assert rule.attempt == 1


def test_a_flash_does_not_settle_the_passive_lines_doubt():
    ending, _ = end(Eye(suspicion=0.6))
    assert ending.outcome is Outcome.NO_DECISION


def test_comparisons_stay_bounded():
    eye = Eye(size=0.0)
    _, rule = end(eye)
    assert eye.asked.count("compare") <= rule.most


@pytest.mark.parametrize(("kind", "ends"), [("live", "pass"), ("injected", "attack unclear"), ("bright", "unclear")])
def test_rendered_faces_and_replays(kind, ends):
    assert sequence(kind, 1) in ends.split()
