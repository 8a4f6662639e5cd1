"""The second look: where it looks, what it takes over, what it drops; and what the shipped detector gains by it."""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.face import Detector, load_card
from edge.face.second_pass import FILLS, MOST_AGAIN, confirmed, mirrored, overlap, part_around, roll
from edge.types import Face
from tests.face.conftest import PEOPLE
from tests.face.encoder import face_points

INPUT = (144, 192)
FRAME = np.zeros((480, 640, 3), np.uint8)


def face(x: float, y: float, height: float, score: float = 0.9) -> Face:
    points = np.array(face_points(x, y, height, height), np.float32)
    return Face((x - height / 2, y - height / 2, height, height), points, score)


class Eyes:
    """A scan that answers the whole frame with some faces, and every part with what `near` makes of it."""

    def __init__(self, faces, near) -> None:
        self.faces, self.near, self.parts = faces, near, []

    def __call__(self, image):
        if image.shape == FRAME.shape:
            return self.faces
        self.parts.append(image.shape[:2])
        return self.near(image)


def nobody(image):
    return []


def test_a_face_that_is_not_seen_again_is_none():
    eyes = Eyes([face(300, 200, 60)], nobody)
    assert confirmed(eyes, FRAME, 0.5, INPUT) == []
    assert len(eyes.parts) == 1


def test_landmarks_and_score_are_those_of_the_second_look_in_pixels_of_the_frame():
    eyes = Eyes([face(300, 200, 60, 0.4)], lambda part: [face(part.shape[1] / 2 + 2, part.shape[0] / 2 - 1, 62, 0.95)])
    (found,) = confirmed(eyes, FRAME, 0.9, INPUT)
    assert found.score == pytest.approx(0.95 / (0.95 + 0.05 * (0.6 / 0.4) ** 0.5), abs=1e-3)
    x, y, width, height = found.box
    assert (x + width / 2, y + height / 2) == pytest.approx((302, 199), abs=1.0)
    assert found.landmarks == pytest.approx(np.array(face_points(302, 199, 62, 62)), abs=1.0)


@pytest.mark.parametrize(
    ("first", "second", "count"), [(0.5, 0.84, 0), (0.5, 0.86, 1), (0.95, 0.5, 0), (0.95, 0.6, 1), (0.3, 0.88, 0)]
)
def test_both_looks_together_must_reach_the_score_asked_for(first: float, second: float, count: int):
    """Odds of the second look times the root of the first one's: 0.85 are odds of 5.7."""
    eyes = Eyes([face(300, 200, 60, first)], lambda part: [face(part.shape[1] / 2, part.shape[0] / 2, 60, second)])
    assert len(confirmed(eyes, FRAME, 0.85, INPUT)) == count


def test_another_face_in_the_part_confirms_nothing():
    eyes = Eyes([face(300, 200, 60)], lambda part: [face(5, 5, 60, 0.99)])
    assert confirmed(eyes, FRAME, 0.5, INPUT) == []


def test_a_face_that_fills_the_frame_already_is_not_looked_at_twice():
    for score, count in ((0.75, 0), (0.77, 1)):  # odds of 3.1 to the power of 1.5 are 5.5, of 3.3 they are 6.1
        eyes = Eyes([face(320, 240, 400, score)], nobody)
        assert len(confirmed(eyes, FRAME, 0.85, INPUT)) == count
        assert eyes.parts == []


@pytest.mark.parametrize(("height", "score", "looks"), [(260, 0.98, 0), (260, 0.9, 1), (220, 0.98, 1)])
def test_a_near_face_of_which_the_first_look_is_sure_is_not_looked_at_twice(height: float, score: float, looks: int):
    eyes = Eyes([face(320, 240, height, score)], lambda part: [face(part.shape[1] / 2, part.shape[0] / 2, height)])
    assert len(confirmed(eyes, FRAME, 0.9, INPUT)) == 1
    assert len(eyes.parts) == looks


@pytest.mark.parametrize(("in_a_mirror", "count"), [(0.99, 1), (0.8, 0), (None, 0)])
def test_a_doubtful_face_is_looked_at_in_a_mirror_and_all_looks_decide(in_a_mirror: float | None, count: int):
    """The face has a marked eye, so that a part shows whether it is mirrored."""
    frame = FRAME.copy()
    cv2.circle(frame, (290, 190), 4, (255, 255, 255), -1)

    def near(part):
        bright = float(np.argwhere(part[..., 0] > 128)[:, 1].mean())
        straight = bright < part.shape[1] / 2
        score = 0.8 if straight else in_a_mirror
        # a little beside the middle: landmarks must come from the look that is not mirrored
        return [] if score is None else [face(part.shape[1] / 2 + 2, part.shape[0] / 2, 60, score)]

    eyes = Eyes([face(300, 200, 60, 0.5)], near)
    found = confirmed(eyes, frame, 0.9, INPUT)
    assert len(eyes.parts) == 2
    assert len(found) == count
    if found:
        x, _, width, _ = found[0].box
        assert x + width / 2 == pytest.approx(302, abs=1.0)
        assert found[0].landmarks == pytest.approx(np.array(face_points(302, 200, 60, 60)), abs=1.0)


def test_what_a_mirror_shows_comes_back_to_its_place():
    marked = np.zeros((144, 192, 3), np.uint8)

    def scan(picture):
        return [face(50, 70, 40)]

    (found,) = mirrored(scan)(marked)
    points = np.array(face_points(50, 70, 40, 40))
    assert found.box == (191 - 70, 50, 40, 40)
    assert found.landmarks == pytest.approx((points * [-1, 1] + [191, 0])[[1, 0, 2, 4, 3]])
    assert found.landmarks[0, 0] < found.landmarks[1, 0], "the left eye is the left one of the picture"


def test_beside_somebody_who_is_confirmed_nobody_gets_a_third_look():
    def near(part):
        return [face(part.shape[1] / 2, part.shape[0] / 2, 0.75 * part.shape[0], 0.99 if part.shape[0] > 90 else 0.8)]

    eyes = Eyes([face(200, 200, 90, 0.9), face(500, 300, 60, 0.6)], near)
    assert len(confirmed(eyes, FRAME, 0.9, INPUT)) == 1
    assert len(eyes.parts) == 2


@pytest.mark.parametrize("tilt", [-35.0, 25.0])
def test_a_tilted_head_is_turned_upright_and_its_landmarks_come_back_to_their_place(tilt: float):
    c, s = np.cos(np.radians(tilt)), np.sin(np.radians(tilt))
    middle = np.array([300.0, 200.0])
    points = np.array(face_points(0, 0, 60, 60)) @ np.array([[c, s], [-s, c]]) + middle
    tilted = Face((270, 170, 60, 60), points.astype(np.float32), 0.5)
    assert roll(tilted) == pytest.approx(tilt, abs=0.1)
    frame = FRAME.copy()
    for x, y in points:
        cv2.circle(frame, (round(x), round(y)), 2, (255, 255, 255), -1)
    shown = []

    def near(part):
        shown.append(part.copy())
        upright = face(96, 72, FILLS * 144)
        return [replace(upright, landmarks=np.array(face_points(96, 72, FILLS * 144, FILLS * 144), np.float32))]

    (found,) = confirmed(Eyes([tilted], near), frame, 0.5, INPUT)
    assert found.landmarks == pytest.approx(points, abs=0.6)
    assert found.box == pytest.approx((270, 170, 60, 60), abs=0.6)
    for x, y in face_points(
        96, 72, FILLS * 144, FILLS * 144
    ):  # what was shown: the dots where an upright face has them
        assert shown[0][round(y), round(x)].min() > 128


def test_two_candidates_that_turn_out_to_be_one_face_are_one():
    def near(part):
        return [face(part.shape[1] / 2, part.shape[0] / 2, 60, 0.95)]

    eyes = Eyes([face(300, 200, 60, 0.5), face(304, 202, 62, 0.6)], near)
    assert len(confirmed(eyes, FRAME, 0.5, INPUT)) == 1


def test_only_the_most_certain_candidates_are_looked_at_again_and_the_highest_comes_first():
    faces = [face(40 + 60 * n, 100, 30 + n, 0.6 + 0.01 * n) for n in range(MOST_AGAIN + 3)]
    eyes = Eyes(faces, lambda part: [face(part.shape[1] / 2, part.shape[0] / 2, part.shape[0] * FILLS, 0.95)])
    found = confirmed(eyes, FRAME, 0.5, INPUT)
    assert len(eyes.parts) == len(found) == MOST_AGAIN
    assert [f.height for f in found] == sorted((f.height for f in found), reverse=True)


@given(st.floats(-200, 900), st.floats(-200, 700), st.floats(1, 900), st.integers(1, 900), st.integers(1, 700))
def test_the_part_lies_in_the_frame_and_holds_something(x, y, size, width, height):
    left, top, right, bottom = part_around(face(x, y, size), width, height, INPUT)
    assert 0 <= left < right <= width
    assert 0 <= top < bottom <= height


def test_the_part_has_the_input_s_proportions_and_the_face_in_its_middle():
    left, top, right, bottom = part_around(face(300, 200, 60), 640, 480, INPUT)
    assert (right - left) / (bottom - top) == pytest.approx(4 / 3, rel=0.03)
    assert 60 / (bottom - top) == pytest.approx(FILLS, rel=0.03)
    assert ((left + right) / 2, (top + bottom) / 2) == pytest.approx((300, 200), abs=1)


def test_overlap_is_intersection_over_union():
    assert overlap(face(100, 100, 50), face(100, 100, 50)) == 1
    assert overlap(face(100, 100, 50), face(200, 100, 50)) == 0
    assert overlap(face(100, 100, 50), face(125, 100, 50)) == pytest.approx(1 / 3)


@pytest.fixture(scope="module")
def twice() -> Detector:
    return Detector(load_card("detector"))


@pytest.fixture(scope="module")
def once() -> Detector:
    """The shipped model as it was before it looked twice."""
    card = load_card("detector")
    decode = card.decode.model_copy(update={"confirm": None, "score_threshold": 0.5})
    return Detector(replace(card, decode=decode))


def errors(detector: Detector, scene, mesh_landmarks, share: float) -> list[float]:
    """Mean landmark error of each person as a share of the eye distance; the mesh is the truth."""
    out = []
    for name in PEOPLE:
        truth = (mesh_landmarks(name) - (193, 196)) * share * 480 / 212 + (320, 240)
        faces = detector.detect(scene((name, 0, 320, 240, share)).image)
        eyes = np.linalg.norm(truth[1] - truth[0])
        out.append(np.linalg.norm(faces[0].landmarks - truth, axis=1).mean() / eyes if faces else np.inf)
    return out


def test_a_small_face_has_the_landmarks_of_a_large_one(once: Detector, twice: Detector, scene, mesh_landmarks):
    small, before, large = (
        np.median(errors(d, scene, mesh_landmarks, share)) for d, share in ((twice, 0.15), (once, 0.15), (twice, 0.6))
    )
    assert small < 0.75 * before
    assert small < 1.2 * large


def test_the_shipped_detector_looks_twice(twice: Detector):
    assert twice.card.decode.confirm == 0.9
    assert twice.card.decode.score_threshold == 0.3


def test_noise_and_walls_are_nobody_although_the_first_look_is_generous(twice: Detector):
    random = np.random.default_rng(9)
    frames = [random.integers(0, 256, (480, 640, 3), dtype=np.uint8) for _ in range(2)]
    frames += [cv2.GaussianBlur(frame, (0, 0), 9) for frame in frames]
    assert [len(twice.detect(frame)) for frame in frames] == [0, 0, 0, 0]
