"""The passive network: what it sees of a frame, what its classes mean, and what it says of attacks on nobody real."""

from __future__ import annotations

from dataclasses import replace
from statistics import fmean

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edge.errors import ModelError
from edge.face import Detector, load_card
from edge.face.card import Views, parse_card
from edge.face.passive import Passive, attack_share, look
from edge.face.write import card_text
from edge.fictional import FictionalSource, OnePerson

CARD = load_card("passive")
VIEWS = Views(around=(4.0, 3.0), near=1.6, split=112)
#: Fictional people whom the network never saw (`models.training.pad_scenes`).
HELD_OUT = ("ada", "chen", "goran", "lena")


def seen(frame: np.ndarray, box: tuple[float, float, float, float]) -> tuple[np.ndarray, np.ndarray]:
    canvas = np.zeros((80, 192, 3), np.uint8)
    look(frame, box, VIEWS, canvas)
    return canvas[:, :112], canvas[:, 112:]


def test_around_is_the_whole_frame_at_a_doors_distance_and_near_a_part_of_it():
    frame = np.zeros((480, 640, 3), np.uint8)
    frame[:, :320], frame[200:280, 280:360] = 60, 250
    around, near = seen(frame, (220, 140, 160, 200))
    assert (around > 200).mean() == pytest.approx(80 * 80 / (640 * 480) * 107 / 112, rel=0.15)
    assert (near > 200).mean() == pytest.approx(80 * 80 / (320 * 320), rel=0.15)
    assert around[0, 5:10].max() == 60


@pytest.mark.parametrize("share", [0.2, 0.3, 0.45, 0.6])
def test_both_views_differ_at_every_distance_of_a_door(share):
    frame = np.zeros((480, 640, 3), np.uint8)
    high = share * 480
    box = (320 - 0.4 * high, 240 - high / 2, 0.8 * high, high)
    x, y, w, h = map(round, box)
    frame[y : y + h, x : x + w] = 255
    around, near = seen(frame, box)
    assert (near == 255).mean() > 1.3 * (around == 255).mean()


def test_outside_of_the_frame_is_grey_and_the_aspect_is_kept():
    frame = np.full((656, 368, 3), 200, np.uint8)
    around, _ = seen(frame, (100, 200, 160, 200))
    assert set(np.unique(around)) == {128, 200}
    columns = np.flatnonzero((around == 200).all((0, 2)))
    assert abs(len(columns) / 80 - 368 / 600) < 0.02


def test_a_face_at_the_frame_s_edge_moves_the_views_into_it():
    frame = np.full((480, 640, 3), 200, np.uint8)
    _, near = seen(frame, (-40, -30, 160, 200))
    assert (near == 200).all()


@settings(max_examples=100, deadline=None)
@given(
    st.tuples(st.integers(1, 700), st.integers(1, 700)),
    st.tuples(*[st.floats(-900, 900), st.floats(-900, 900), st.floats(0, 900), st.floats(0, 900)]),
)
def test_no_box_and_no_frame_is_too_strange(shape, box):
    around, near = seen(np.full((*shape, 3), 90, np.uint8), box)
    assert set(np.unique(around)) | set(np.unique(near)) <= {90, 128}


@pytest.mark.parametrize(
    ("logits", "share"),
    [([0.0, 0.0, 0.0], 2 / 3), ([900.0, 0.0, 0.0], 0.0), ([0.0, 900.0, 0.0], 1.0), ([0.0, -900.0, 900.0], 1.0)],
)
def test_suspicion_is_the_share_of_the_attacks(logits, share):
    assert attack_share(logits) == pytest.approx(share)


@pytest.mark.parametrize("bad", [float("nan"), float("inf"), float("-inf")])
def test_what_is_no_number_is_an_attack(bad):
    assert attack_share([5.0, bad, 0.0]) == 1.0


def test_a_card_of_another_kind_is_refused():
    with pytest.raises(ModelError, match="passive"):
        Passive(load_card("detector"))


@pytest.mark.parametrize(
    ("change", "word"),
    [
        ({"passive": None}, "passive"),
        ({"passive": {**CARD.raw["passive"], "attack": 0.01}}, "attack"),
        ({"passive": {**CARD.raw["passive"], "views": {"around": [4, 3], "near": 1.6, "split": 192}}}, "split"),
        ({"outputs": [{**CARD.raw["outputs"][0], "shape": [1, 2]}]}, "live, print, display"),
    ],
)
def test_a_card_that_does_not_say_what_it_means_is_refused(change, word):
    with pytest.raises(ModelError, match=word):
        parse_card(card_text(CARD.raw | change).encode(), folder=CARD.path.parent)


def test_it_says_the_same_again_and_takes_no_more_than_it_was_given():
    passive, detector = Passive(CARD), Detector(load_card("detector"))
    frame = FictionalSource((OnePerson("ada", 1.0, walk_up=False),), seed=1)
    frame.open()
    image = frame.read(1.0).image
    before, face = image.copy(), detector.detect(image)[0]
    assert passive.judge(image, face) == passive.judge(image, face)
    assert np.array_equal(image, before)


def suspicions(name: str, attack: str) -> list[float]:
    """Of a few frames of one scene."""
    passive, detector = Passive(CARD), Detector(load_card("detector"))
    scene = OnePerson(name, 3.0, walk_up=False, attack=attack, defocus=0, gain=(1, 1))
    source = FictionalSource((scene,), fps=3, seed=5)
    source.open()
    found = []
    for _ in range(6):
        image = source.read(1.0).image
        faces = detector.detect(image)
        found += [passive.judge(image, replace(faces[0]))] if faces else []
    return found


@pytest.mark.parametrize("name", HELD_OUT)
def test_people_it_never_saw_are_not_taken_for_attacks(name):
    assert fmean(suspicions(name, "")) < CARD.passive.doubt


@pytest.mark.parametrize("attack", ["print", "phone", "tablet"])
def test_attacks_with_people_it_never_saw_are_doubted(attack):
    assert fmean(fmean(suspicions(name, attack)) for name in HELD_OUT) > CARD.passive.doubt
