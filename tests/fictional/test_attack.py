"""Attack instruments: the same each time, the face where it was put, only what they are made of differs."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

import numpy as np
import pytest

from edge import _resources
from edge.face import Detector, load_card
from edge.fictional import FictionalSource, OnePerson
from edge.fictional.attack import SPECIES, Hold, Instrument
from edge.fictional.mesh import Pose
from edge.fictional.paint import MARGIN, draw_backdrop
from edge.pictures import read_image

SIZE = (640, 480)
ROOM = draw_backdrop(3, SIZE)[MARGIN:-MARGIN, MARGIN:-MARGIN]


@cache
def portrait():
    picture = read_image(_resources.path("people", "ada-0.jpg"))
    return picture, Detector(load_card("detector")).detect(picture)[0].box


def made(species: str, seed: int = 4, height: float = 0.45) -> Instrument:
    picture, face = portrait()
    return Instrument(species, picture, face=face, height=height, room=ROOM, rng=np.random.default_rng(seed))


@pytest.fixture(scope="module")
def detector() -> Detector:
    return Detector(load_card("detector"))


@pytest.mark.parametrize("species", SPECIES)
def test_an_attack_is_the_same_each_time_and_another_with_another_seed(species):
    once = made(species).show(ROOM, (0.5, 0.5))
    assert once.shape == ROOM.shape
    assert once.dtype == np.uint8
    assert np.array_equal(once, made(species).show(ROOM, (0.5, 0.5)))
    assert not np.array_equal(once, made(species, seed=5).show(ROOM, (0.5, 0.5)))


@pytest.mark.parametrize("species", SPECIES)
def test_a_detector_finds_the_shown_face_where_it_was_put(species, detector):
    instrument, found = made(species), []
    for place in ((0.42, 0.5), (0.55, 0.55)):
        faces = detector.detect(instrument.show(ROOM, place, replace(instrument.hold, pose=Pose())))
        assert len(faces) == 1
        x, y, w, h = faces[0].box
        found.append((x + w / 2, y + h / 2))
        assert abs(found[-1][0] - place[0] * SIZE[0]) < 0.06 * SIZE[1]
        assert abs(found[-1][1] - place[1] * SIZE[1]) < 0.08 * SIZE[1]
        assert 0.36 < h / SIZE[1] < 0.54


@pytest.mark.parametrize("species", SPECIES)
def test_what_has_a_border_leaves_the_room_in_view_and_what_has_none_does_not(species):
    shown = made(species, height=0.3).show(ROOM, (0.5, 0.45))
    unchanged = np.mean(np.all(shown[:60, :60] == ROOM[:60, :60], axis=-1))
    assert (unchanged < 0.2) == species.startswith("borderless")


def test_a_print_bends_and_a_hand_turns_it():
    instrument = made("bent_print")
    flat = instrument.show(ROOM, (0.5, 0.5), Hold())
    for hold in (Hold(bend=0.9), Hold(twist=0.3), Hold(Pose(yaw=25)), Hold(Pose(roll=12))):
        moved = instrument.show(ROOM, (0.5, 0.5), hold)
        assert np.mean(np.abs(moved.astype(int) - flat)) > 2


def test_an_unknown_species_says_which_there_are():
    with pytest.raises(ValueError, match="monitor"):
        made("mask")


def test_the_demo_s_camera_shows_attacks(detector):
    scene = OnePerson("ada", 1.0, walk_up=False, attack="tablet", yaw=0, defocus=0)
    source = FictionalSource((scene,), seed=3)
    source.open()
    first, later = source.read(1).image, [source.read(1).image for _ in range(6)][-1]
    assert len(detector.detect(first)) == len(detector.detect(later)) == 1
    live = FictionalSource((replace(scene, attack=""),), seed=3)
    live.open()
    assert np.mean(np.abs(live.read(1).image.astype(int) - first)) > 5
