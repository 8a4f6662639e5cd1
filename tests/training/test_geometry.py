"""Labels follow the pixels: every affine that moves a picture moves its box and landmarks alike."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from models.training.affine import chain, similarity, transform
from models.training.compose import shrink
from models.training.data import iou, mirror_label

ROW = np.array([40, 50, 60, 80, 55, 75, 85, 75, 70, 95, 58, 112, 82, 112, 1.0], np.float32)


def test_a_similarity_is_recovered_from_five_points():
    angle, scale = 0.4, 1.7
    matrix = np.array(
        [[scale * np.cos(angle), -scale * np.sin(angle), 3], [scale * np.sin(angle), scale * np.cos(angle), -9]]
    )
    points = ROW[4:14].reshape(5, 2)
    assert np.allclose(similarity(points, points @ matrix[:, :2].T + matrix[:, 2]), matrix, atol=1e-5)


def test_mirroring_twice_gives_the_label_back():
    assert np.allclose(mirror_label(mirror_label(ROW, 200), 200), ROW)
    assert mirror_label(ROW, 200)[4] < mirror_label(ROW, 200)[6], "the left eye stays left in the image"


def test_a_turn_by_ninety_degrees_swaps_width_and_height():
    turned = transform(np.array([[0.0, -1, 100], [1, 0, 0]]), ROW, mirrored=False)
    assert turned[2:4] == pytest.approx([80, 60])


def test_landmarks_of_a_mirrored_scene_are_named_by_image_side():
    flipped = transform(np.array([[-1.0, 0, 200], [0, 1, 0]]), ROW, mirrored=True)
    assert flipped[4] < flipped[6]
    assert flipped[10] < flipped[12]


@pytest.mark.parametrize("scale", [0.08, 0.21, 0.5, 0.55])
def test_halving_the_source_first_does_not_move_the_picture(scale):
    picture = np.zeros((257, 301), np.uint8)
    cv2.circle(picture, (180, 120), 30, 255, -1)
    matrix = np.array([[scale, 0, 4.3], [0, scale, 2.1]])
    small, _, moved = shrink(picture, None, matrix)
    warped = cv2.warpAffine(small, moved, (140, 120)).astype(np.float64)
    y, x = np.indices(warped.shape)
    centre = [(x * warped).sum() / warped.sum(), (y * warped).sum() / warped.sum()]
    assert centre == pytest.approx([180 * scale + 4.3, 120 * scale + 2.1], abs=0.12)


def test_chaining_is_applying_one_after_the_other():
    a, b = np.array([[2.0, 1, 3], [0, 1, -1]]), np.array([[0.5, 0, 7], [1, 2, 2]])
    point = np.array([3.0, 4.0])
    both = chain(a, b)
    assert np.allclose(both[:, :2] @ point + both[:, 2], a[:, :2] @ (b[:, :2] @ point + b[:, 2]) + a[:, 2])


def test_overlap_of_boxes():
    assert iou(ROW, ROW) == pytest.approx(1)
    assert iou(ROW, ROW + np.array([30] + [0] * 14, np.float32)) == pytest.approx(1 / 3)
    assert iou(ROW, ROW + np.array([600] + [0] * 14, np.float32)) == 0
