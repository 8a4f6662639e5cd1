"""Alignment: the least-squares similarity, and that template, size and channels are the card's."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.errors import InputError
from edge.face.align import Aligner, similarity
from edge.face.card import Align

ARCFACE = [(38.29, 51.70), (73.53, 51.50), (56.03, 71.74), (41.55, 92.37), (70.73, 92.20)]
TIGHT = [(35.34, 51.70), (76.45, 51.50), (56.03, 71.74), (39.14, 92.37), (73.18, 92.20)]
COLOURS = [(250, 0, 0), (0, 250, 0), (0, 0, 250), (250, 250, 0), (0, 250, 250)]
SQUAT = [(30.0, 60.0), (66.0, 60.0), (48.0, 70.0), (34.0, 90.0), (62.0, 90.0)]


def align(template, size=(112, 112), channels="BGR") -> Aligner:
    return Aligner(Align.model_validate({"size": size, "channels": channels, "template": template}))


def apply(matrix: tuple[float, float, float, float], points: np.ndarray) -> np.ndarray:
    p, q, s, t = matrix
    return points @ np.array([[p, q], [-q, p]]) + [s, t]


@given(st.floats(0.1, 10), st.floats(-3.1, 3.1), st.floats(-500, 500), st.floats(-500, 500))
def test_a_known_similarity_is_recovered(scale: float, angle: float, x: float, y: float):
    rotation = scale * np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]])
    points = np.array(ARCFACE) @ rotation + [x, y]
    np.testing.assert_allclose(apply(similarity(points, ARCFACE), points), ARCFACE, atol=1e-6)


@given(st.lists(st.floats(-15, 15), min_size=10, max_size=10))
def test_it_is_the_least_squares_solution(jitter: list[float]):
    """Compared with numpy's solver on the linear problem in (p, q, s, t)."""
    points = np.array(ARCFACE) * 2 + np.array(jitter).reshape(5, 2)
    rows, values = [], []
    for (x, y), (u, v) in zip(points, TIGHT, strict=True):
        rows += [[x, -y, 1, 0], [y, x, 0, 1]]
        values += [u, v]
    expected = np.linalg.lstsq(np.array(rows), np.array(values), rcond=None)[0]
    np.testing.assert_allclose(similarity(points, TIGHT), expected, atol=1e-6)


@pytest.mark.parametrize("points", [np.ones((5, 2)), np.full((5, 2), np.nan), np.full((5, 2), np.inf)])
def test_landmarks_on_one_point_are_refused(points: np.ndarray):
    with pytest.raises(InputError):
        similarity(points.astype(np.float32), ARCFACE)


def dotted(points: np.ndarray, size: tuple[int, int] = (640, 480), radius: int = 6) -> np.ndarray:
    """A grey picture with one soft coloured dot at each landmark."""
    image = np.full((size[1], size[0], 3), 60, np.uint8)
    for (x, y), colour in zip(
        points, [(250, 0, 0), (0, 250, 0), (0, 0, 250), (250, 250, 0), (0, 250, 250)], strict=True
    ):
        cv2.circle(image, (round(x * 16), round(y * 16)), radius * 16, colour, -1, cv2.LINE_AA, 4)
    return image


def dots(crop: np.ndarray) -> np.ndarray:
    """Where the five dots lie in a BGR crop (centres of gravity), in the order in which they were drawn."""
    b, g, r = (crop[..., k].astype(float) for k in range(3))
    masks = [
        b - np.maximum(g, r),
        g - np.maximum(b, r),
        r - np.maximum(b, g),
        np.minimum(b, g) - r,
        np.minimum(g, r) - b,
    ]
    found = []
    for mask in masks:
        weight = np.clip(mask - 60, 0, None)
        y, x = np.indices(weight.shape)
        found.append([(x * weight).sum() / weight.sum(), (y * weight).sum() / weight.sum()])
    return np.array(found)


@pytest.mark.parametrize("angle", [0, 25, -60, 170])
@pytest.mark.parametrize("eyes", [60, 110, 200])
def test_one_picture_aligned_for_two_cards_has_the_geometry_of_each_template(angle: float, eyes: float):
    """The landmarks of a turned ArcFace template; a second card with another template and another size."""
    turn = np.radians(angle)
    rotation = eyes / 35.24 * np.array([[np.cos(turn), np.sin(turn)], [-np.sin(turn), np.cos(turn)]])
    points = ((np.array(ARCFACE) - [56, 72]) @ rotation + [320, 240]).astype(np.float32)
    image = dotted(points, radius=max(4, round(eyes / 14)))
    first = align(ARCFACE)(image, points)
    assert first.shape == (112, 112, 3)
    np.testing.assert_allclose(dots(first), ARCFACE, atol=0.6)
    second = align(SQUAT, (96, 128))(image, points)
    assert second.shape == (128, 96, 3)
    # another shape than the template's: no similarity hits all points, the least-squares one is expected
    np.testing.assert_allclose(dots(second), apply(similarity(points, SQUAT), points), atol=0.6)
    assert np.abs(dots(second) - dots(first)).max() > 5


def test_the_channel_order_is_the_card_s():
    points = (np.array(ARCFACE) * 2).astype(np.float32)
    image = np.random.default_rng(0).integers(0, 256, (300, 300, 3), dtype=np.uint8)
    bgr, rgb = align(ARCFACE)(image, points), align(ARCFACE, channels="RGB")(image, points)
    assert np.array_equal(bgr, rgb[..., ::-1])
    assert not np.array_equal(bgr, rgb)


def test_outside_of_the_frame_its_border_is_repeated():
    image = np.full((200, 200, 3), 200, np.uint8)
    points = np.add(ARCFACE, 150).astype(np.float32)
    assert align(ARCFACE)(image, points).min() == 200


@pytest.mark.parametrize("times", [1, 2, 3, 5, 8])
def test_a_very_large_face_is_shrunk_without_skipping_pixels(times: int):
    """Fine stripes must become their mean, not a moire pattern; and nothing may shift."""
    points = (np.array(ARCFACE) * times).astype(np.float32)
    size = (112 * times, 112 * times)
    stripes = np.zeros((size[1], size[0], 3), np.uint8)
    stripes[:, ::2] = 255
    if times > 3:
        assert align(ARCFACE)(stripes, points).std() < 30
    crop = align(ARCFACE)(dotted(points, size, radius=3 * times), points)
    np.testing.assert_allclose(dots(crop), ARCFACE, atol=0.5)


def test_the_frame_is_left_as_it_was():
    points = (np.array(ARCFACE) * 4).astype(np.float32)
    image = np.random.default_rng(0).integers(0, 256, (480, 640, 3), dtype=np.uint8)
    before = image.copy()
    align(ARCFACE, channels="RGB")(image, points)
    assert np.array_equal(image, before)


@pytest.mark.parametrize("angle", [0, 30, -80, 180])
def test_only_the_face_s_part_of_the_frame_is_read_and_that_changes_nothing(angle: float):
    """Against OpenCV warping the whole frame."""
    turn = np.radians(angle)
    rotation = 1.6 * np.array([[np.cos(turn), np.sin(turn)], [-np.sin(turn), np.cos(turn)]])
    image = cv2.GaussianBlur(np.random.default_rng(1).integers(0, 256, (480, 640, 3), dtype=np.uint8), (0, 0), 2)
    for middle in ([320, 240], [60, 50], [620, 470], [320, -30]):
        points = ((np.array(ARCFACE) - [56, 72]) @ rotation + middle).astype(np.float32)
        p, q, s, t = similarity(points, ARCFACE)
        whole = cv2.warpAffine(image, np.array([[p, -q, s], [q, p, t]]), (112, 112), borderMode=cv2.BORDER_REPLICATE)
        crop = align(ARCFACE)(image, points)
        assert np.abs(crop.astype(int) - whole).max() <= 2
