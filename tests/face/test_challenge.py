"""The challenge with the real detector on rendered heads: who turns as told passes, a sheet and a recording do not.

Thousands of such sequences: `python -m tests.benchmarks.challenge`.
"""

from dataclasses import replace

import numpy as np
import pytest

from edge.face.card import Align
from edge.face.chain import Look
from edge.face.challenge import PAUSES_S, Challenge, Failing, Plan
from edge.fictional.actor import Actor
from edge.fictional.mesh import Pose
from edge.fictional.paint import Painter
from edge.fictional.scene import HeadInView, View
from edge.types import Crop, Direction, Face, Frame, Outcome, Reason
from tests.benchmarks.challenge import chain, session

FPS, AHEAD = 15, Pose()


def test_three_of_four_directions_none_twice_each_with_a_pause_of_its_own():
    plans = [Plan.drawn(np.random.default_rng(seed).random) for seed in range(200)]
    assert all(len(set(plan.directions)) == len(plan.directions) == 3 for plan in plans)
    assert len({plan.directions for plan in plans}) == 24
    assert all(PAUSES_S[0] <= pause <= PAUSES_S[1] for plan in plans for pause in plan.pauses_s)


def challenge(*directions: Direction) -> Challenge:
    align = chain().embedder.card.align
    assert isinstance(align, Align)
    return Challenge(Plan(directions, (0.1,) * len(directions)), align, 0, seen(0).face, matched=True)


_PAINTER = Painter((640, 480), 3)


def seen(k: int, pose: Pose = AHEAD, *, flat: bool = False, name: str = "ada", x: float = 0.5) -> Look:
    """What the chain sees of a rendered head (or its photograph) in frame k."""
    head = HeadInView(name, 0, x, 0.48, 0.5, pose.yaw, pose.pitch, pose.roll, flat=flat)
    return chain().look(Frame(_PAINTER.paint(View("challenge", heads=(head,)), k), k, k, "rendered"))


def act(challenge: Challenge, *, frames: int = 90, flat: bool = False, actor: Actor | None = None) -> Challenge:
    """Play until it ends; comparisons match."""
    actor = actor or Actor(np.random.default_rng(1))
    prompt = None
    for k in range(1, frames):
        look = seen(k, actor.pose(k / FPS), flat=flat)
        challenge.see(int(k / FPS * 1e9), look)
        if challenge.wants_comparison:
            challenge.compared(True)
        if challenge.done or challenge.failed:
            break
        if challenge.prompt is not prompt:
            prompt = challenge.prompt
            actor.told(prompt.direction, k / FPS)
    return challenge


@pytest.mark.parametrize("direction", list(Direction))
def test_a_head_that_turns_as_told_passes(direction):
    assert act(challenge(direction)).done


@pytest.mark.parametrize("direction", list(Direction))
def test_its_photograph_moved_the_same_way_does_not(direction):
    played = act(challenge(direction), flat=True)
    assert not played.done
    assert played.failed is Failing.LATE


@pytest.mark.parametrize(
    ("asked", "turned"),
    [(Direction.LEFT, Direction.RIGHT), (Direction.UP, Direction.DOWN), (Direction.LEFT, Direction.UP)],
)
def test_another_turn_than_the_one_asked_for_fails_at_once(asked, turned):
    actor = Actor.recorded(np.random.default_rng(2), (turned,), pause_s=9.0, until_s=5.0)
    assert act(challenge(asked), actor=actor).failed is Failing.WRONG_WAY


def test_a_face_that_jumps_or_is_gone_for_long_is_another_face():
    here, there = seen(1), seen(2, x=0.75)
    jumped = challenge(Direction.LEFT)
    jumped.see(66_000_000, there)
    assert jumped.failed is Failing.LOST
    gone = challenge(Direction.LEFT)
    gone.see(300_000_000, Look.nothing(Reason.NO_FACE))
    assert gone.failed is None
    gone.see(450_000_000, here)
    assert gone.failed is Failing.LOST


def test_whoever_is_lost_on_the_way_is_told_to_look_ahead_again():
    """A head that looks down, as the screen says, may not be found; a screen that goes on saying so keeps it there."""
    gone = challenge(Direction.DOWN)
    for k in range(1, 40):
        gone.see(int(k / FPS * 1e9), Look.nothing(Reason.NO_FACE) if k > 10 else seen(k))
        if gone.failed:
            break
    assert gone.failed is Failing.LOST
    assert gone.prompt.direction is None


def test_each_further_step_wants_the_holder_looking_ahead():
    steps = challenge(Direction.LEFT, Direction.RIGHT)
    actor, asked, prompt = Actor(np.random.default_rng(1)), 0, None
    for k in range(1, 90):
        steps.see(int(k / FPS * 1e9), seen(k, actor.pose(k / FPS)))
        if steps.wants_comparison:
            asked += 1
            steps.compared(False)
        if steps.failed:
            break
        if steps.prompt is not prompt:
            prompt = steps.prompt
            actor.told(prompt.direction, k / FPS)
    assert steps.failed is Failing.OTHER_PERSON
    assert asked == 3


def test_a_whole_session_of_somebody_living_is_accepted_and_a_recording_is_not():
    living, recording = session("live", 1), session("recording", 1)
    assert living.ending is not None
    assert living.ending.outcome is Outcome.ACCEPT
    assert recording.ending is not None
    assert recording.ending.reason is Reason.CHALLENGE_NOT_DONE


def test_a_face_without_a_crop_is_not_followed():
    steps, look = challenge(Direction.UP), seen(1)
    assert isinstance(look.crop, Crop)
    assert isinstance(look.face, Face)
    for k in range(1, 9):
        steps.see(int(k / FPS * 1e9), replace(look, crop=None))
    assert steps.failed is Failing.LOST
