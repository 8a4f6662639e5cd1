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
from edge.face.card import parse_card
from edge.face.passive import Passive, attack_share, look
from edge.face.write import card_text
from edge.fictional import FictionalSource, OnePerson

CARD = load_card("passive")
#: Fictional people whom the network never saw (`models.training.pad_scenes`).
HELD_OUT = ("ada", "chen", "goran", "lena")


def seen(frame: np.ndarray, box: tuple[float, float, float, float]) -> np.ndarray:
    canvas = np.zeros((80, 80, 3), np.uint8)
    look(frame, box, 2.7, canvas)
    return canvas


def test_a_small_face_is_seen_with_its_surroundings_as_often_as_the_card_says():
    frame = np.zeros((480, 640, 3), np.uint8)
    frame[200:280, 290:350] = 255
    assert (seen(frame, (290, 200, 60, 80)) > 128).mean() == pytest.approx(1 / 2.7**2, rel=0.05)


def test_at_a_doors_distance_the_frames_height_is_seen_and_the_faces_own_proportions():
    frame = np.zeros((480, 640, 3), np.uint8)
    x, y, w, h = 220, 100, 180, 240
    frame[y : y + h, x : x + w] = 255
    rows, columns = (np.flatnonzero((seen(frame, (x, y, w, h)) > 128).any((axis, 2))) for axis in (1, 0))
    assert len(rows) == pytest.approx(80 * h / 480, abs=1)
    assert len(columns) == pytest.approx(80 * w / 360, abs=1)


def test_a_face_at_the_frames_edge_moves_the_view_into_it():
    frame = np.full((480, 640, 3), 200, np.uint8)
    assert (seen(frame, (-40, -30, 160, 200)) == 200).all()


def test_pixels_are_picked_so_that_a_pixel_grid_stays():
    frame = np.zeros((480, 640, 3), np.uint8)
    frame[:, ::2] = 255
    assert seen(frame, (220, 100, 180, 240)).std() > 60


@settings(max_examples=100, deadline=None)
@given(
    st.tuples(st.integers(1, 700), st.integers(1, 700)),
    st.tuples(*[st.floats(-900, 900), st.floats(-900, 900), st.floats(0, 900), st.floats(0, 900)]),
)
def test_no_box_and_no_frame_is_too_strange(shape, box):
    assert set(np.unique(seen(np.full((*shape, 3), 90, np.uint8), box))) == {90}


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
        ({"passive": {**CARD.raw["passive"], "scale": 0.5}}, "scale"),
        ({"outputs": [{**CARD.raw["outputs"][0], "shape": [1, 1]}]}, "first is live"),
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
