"""Is a face good enough, and what advice follows: real pictures, landmarks from the meshes, no detector involved."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise

import cv2
import numpy as np
import pytest

from edge.face import Assessor, load_card, pose
from edge.face.align import Aligner
from edge.settings.model import FaceSettings
from edge.types import Advice, Crop, Face, Quality
from tests.face.conftest import PEOPLE

ALIGN = load_card("embedder").align
Assess = Callable[..., Quality]


@pytest.fixture
def assess(picture, mesh_landmarks) -> Assess:
    """``assess("ada", change)``: the quality of a picture after ``change(picture)``."""

    def run(name: str = "ada", change=lambda image: image, share: float = 0.5, **limits) -> Quality:
        image, points = change(picture(name, 0)), mesh_landmarks(name)
        box = (93.0, 90.0, 200.0, share * 384)
        crop = Crop(Aligner(ALIGN)(image, points), "embedder")
        assessor = Assessor(FaceSettings(**limits), ALIGN)
        # as both looks score a face that is there: tests/face/test_chain.py
        return assessor(Face(box, points, 0.99), crop, image.shape[1], image.shape[0])

    return run


def head(yaw: float = 0, pitch: float = 0, roll: float = 0) -> np.ndarray:
    """Five points of a head in 3-D, turned (degrees) and projected along z: eyes, nose tip in front, mouth corners."""
    points = np.array([[-30, -30, 0], [30, -30, 0], [0, 5, -34], [-24, 33, 2], [24, 33, 2]], float)
    a, b, c = np.radians([yaw, pitch, roll])
    # positive yaw: the nose (negative z) moves to image right; positive pitch: down; positive roll: clockwise
    points = points @ np.array([[np.cos(a), 0, np.sin(a)], [0, 1, 0], [-np.sin(a), 0, np.cos(a)]])
    points = points @ np.array([[1, 0, 0], [0, np.cos(b), np.sin(b)], [0, -np.sin(b), np.cos(b)]])
    points = points[:, :2] @ np.array([[np.cos(c), np.sin(c)], [-np.sin(c), np.cos(c)]])
    return np.add(points, 200).astype(np.float32)


@pytest.mark.parametrize("yaw", [-40, -20, -5, 0, 10, 30, 45])
def test_yaw_follows_a_turned_head(yaw: float):
    assert pose(head(yaw=yaw))[0] == pytest.approx(yaw, abs=4)


@pytest.mark.parametrize("roll", [-170, -60, -15, 0, 25, 80, 120])
def test_roll_is_exact_and_does_not_disturb_the_others(roll: float):
    level, turned = pose(head(yaw=15)), pose(head(yaw=15, roll=roll))
    assert turned[2] == pytest.approx(roll, abs=0.5)
    assert turned[:2] == pytest.approx(level[:2], abs=0.5)


def test_pitch_has_the_right_sign_and_grows():
    found = [pose(head(pitch=pitch))[1] for pitch in (-30, -15, 0, 15, 30)]
    assert found == sorted(found)
    assert found[0] < -10 < 10 < found[-1]


def test_a_head_in_profile_or_upside_down_is_no_crash():
    for points in (head(yaw=90), head(roll=180), head(pitch=90), np.zeros((5, 2), np.float32)):
        assert np.isfinite(pose(points)).all()


@pytest.mark.parametrize("name", PEOPLE)
def test_a_good_picture_of_anybody_is_acceptable(assess: Assess, name: str):
    quality = assess(name)
    assert quality.acceptable, quality.advice
    assert quality.score > 0.4


def blur(sigma: float):
    return lambda image: cv2.GaussianBlur(image, (0, 0), sigma)


def exposure(gain: float, lift: float = 0.0):
    return lambda image: np.clip(image.astype(float) * gain + lift, 0, 255).astype(np.uint8)


def noisy(change, sigma: float):
    noise = np.random.default_rng(2).normal(0, sigma, (384, 384, 3))
    return lambda image: np.clip(change(image) + noise, 0, 255).astype(np.uint8)


def motion(length: int, angle: float):
    kernel = np.zeros((length, length), np.float32)
    kernel[length // 2] = 1
    turn = cv2.getRotationMatrix2D((length / 2 - 0.5, length / 2 - 0.5), angle, 1)
    kernel = cv2.warpAffine(kernel, turn, (length, length))
    return lambda image: cv2.filter2D(image, -1, kernel / kernel.sum())


@pytest.mark.parametrize(
    ("change", "advice"),
    [
        (exposure(0.12), Advice.MORE_LIGHT),
        (exposure(0.03), Advice.MORE_LIGHT),
        (exposure(2.6, 60), Advice.LESS_LIGHT),
        (exposure(0.1, 200), Advice.LESS_LIGHT),
        (blur(12), Advice.HOLD_STILL),
        (noisy(blur(12), 8), Advice.HOLD_STILL),
    ],
    ids=["dark", "black", "blown out", "fog", "blurred", "blurred, noisy"],
)
@pytest.mark.parametrize("name", PEOPLE)
def test_a_bad_picture_leads_to_advice(assess: Assess, name: str, change, advice: Advice):
    quality = assess(name, change)
    assert quality.advice == (advice,)


@pytest.mark.parametrize("name", PEOPLE)
def test_a_little_noise_blur_or_shade_is_accepted(assess: Assess, name: str):
    for change in (noisy(lambda image: image, 6), blur(1.0), exposure(0.5), exposure(1.3)):
        assert assess(name, change).acceptable


def test_blur_lowers_the_score_step_by_step(assess: Assess):
    scores = [assess("ada", blur(sigma)).sharpness for sigma in (0.5, 2, 4, 6, 9)]
    # a hundredth up is noise of the fit
    assert all(worse <= better + 0.01 for better, worse in pairwise(scores)), scores
    assert scores[0] > 4 * scores[-1]


@pytest.mark.parametrize("angle", [0, 90, 30])
@pytest.mark.parametrize("name", PEOPLE)
def test_motion_in_any_direction_lowers_sharpness(assess: Assess, name: str, angle: float):
    """A still face that moves sideways keeps every horizontal edge; the weaker direction tells."""
    assert assess(name, motion(45, angle)).sharpness < 0.45 * assess(name).sharpness


def cover(points: list[tuple[float, float]], colour: int):
    """Paint a polygon, in pixels of the 384x384 picture."""

    def change(image: np.ndarray) -> np.ndarray:
        image = image.copy()
        cv2.fillPoly(image, [np.array(points, np.int32)], (colour, colour, colour), cv2.LINE_AA)
        return image

    return change


GLASSES = [(112, 145), (278, 145), (278, 205), (112, 205)]
MASK = [(90, 215), (192, 200), (295, 215), (280, 320), (105, 320)]


@pytest.mark.parametrize("colour", [15, 120, 235])
@pytest.mark.parametrize("shape", [GLASSES, MASK], ids=["glasses", "mask"])
@pytest.mark.parametrize("name", ["ada", "goran", "kenji"])
def test_a_covered_face_is_asked_to_uncover(assess: Assess, name: str, shape, colour: int):
    quality = assess(name, cover(shape, colour))
    assert quality.occlusion > 0.9
    assert quality.advice == (Advice.UNCOVER_FACE,)


SIZES = [(0.1, (Advice.STEP_CLOSER,)), (0.19, (Advice.STEP_CLOSER,)), (1.06, (Advice.STEP_BACK,)), (0.6, ()), (1.0, ())]


@pytest.mark.parametrize(("share", "advice"), SIZES)
def test_size_leads_to_advice(assess: Assess, share: float, advice: tuple[Advice, ...]):
    quality = assess(share=share)
    assert quality.advice == advice
    assert quality.relative_height == pytest.approx(share)
    assert quality.height_px == pytest.approx(share * 384)


def turned(points: np.ndarray) -> tuple[Advice, ...]:
    image = cv2.GaussianBlur(np.random.default_rng(0).integers(0, 256, (480, 640, 3), dtype=np.uint8), (0, 0), 2)
    crop = Crop(Aligner(ALIGN)(image, points), "embedder")
    return Assessor(FaceSettings(), ALIGN)(Face((120, 120, 160, 160), points, 0.99), crop, 640, 480).advice


ANGLES = [("yaw", 45), ("yaw", -45), ("roll", 35), ("roll", -35), ("pitch", 60), ("pitch", -70)]


@pytest.mark.parametrize(("axis", "angle"), ANGLES)
def test_a_head_turned_away_is_asked_to_look_here(axis: str, angle: float):
    assert Advice.LOOK_HERE in turned(head(**{axis: angle}))
    assert Advice.LOOK_HERE not in turned(head(**{axis: angle / 4}))


def test_a_face_partly_outside_the_frame_is_asked_to_the_centre():
    assert Advice.CENTRE_FACE in turned(head() - np.array([190, 0], np.float32))
    assert Advice.CENTRE_FACE not in turned(head())


def test_the_limits_are_the_settings(assess: Assess):
    assert assess(min_luminance=200.0).advice == (Advice.MORE_LIGHT,)
    assert assess(max_luminance=60.0).advice == (Advice.LESS_LIGHT,)
    assert assess(min_height=0.6).advice == (Advice.STEP_CLOSER,)
    assert assess(max_height=0.4).advice == (Advice.STEP_BACK,)


@pytest.mark.parametrize("name", PEOPLE)
@pytest.mark.parametrize(
    "steps",
    [
        [blur(sigma) for sigma in (0.5, 3, 6, 10)],
        [exposure(gain) for gain in (1.0, 0.4, 0.2, 0.1)],
        [noisy(exposure(0.5), sigma) for sigma in (2, 12, 25, 45)],
        [lambda image: image, cover(MASK, 120)],
    ],
    ids=["blur", "dark", "noise", "mask"],
)
def test_the_score_falls_as_a_picture_gets_worse(assess: Assess, name: str, steps):
    scores = [assess(name, change).score for change in steps]
    # a hundredth up is noise of the fit
    assert all(worse <= better + 0.01 for better, worse in pairwise(scores)), scores
    assert scores[0] > scores[-1] + 0.05
    assert all(0 < score < 1 for score in scores)


def test_a_face_that_scores_below_the_limit_is_refused_with_something_to_do(assess: Assess):
    assert assess("ada", share=0.5).acceptable
    assert assess("ada", share=0.5, min_quality=0.99).advice == (Advice.LOOK_HERE,)
    assert assess("ada", share=0.3, min_quality=0.99).advice == (Advice.STEP_CLOSER,)


def test_advice_that_names_a_reason_goes_before_the_score(assess: Assess):
    assert assess("ada", exposure(0.03), min_quality=0.99).advice == (Advice.MORE_LIGHT,)


def test_without_a_limit_in_the_settings_the_one_of_the_fit_holds(assess: Assess):
    from edge.face.quality_score import WEIGHTS

    for sigma in range(1, 9):
        usual, stated = assess("ada", blur(sigma)), assess("ada", blur(sigma), min_quality=WEIGHTS.usual_limit)
        assert usual.advice == stated.advice
        assert assess("ada", blur(sigma), min_quality=0.0).advice in ((), (Advice.HOLD_STILL,))
