"""The same crop as another picture: what changes, and what stays where it was."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from models.training.embedder_faces import crowned, filled, lit, warped

SIDE = 160


def smooth(seed: int) -> np.ndarray:
    cells = np.random.default_rng(seed).integers(0, 255, (8, 8, 3), dtype=np.uint8)
    return cv2.resize(cells, (SIDE, SIDE), interpolation=cv2.INTER_CUBIC)


@pytest.mark.parametrize("seed", range(8))
def test_a_face_stays_and_gets_the_hair_and_the_background_of_another(seed: int):
    face = np.full((SIDE, SIDE, 3), (60, 120, 180), np.uint8)
    other = np.full((SIDE, SIDE, 3), (30, 60, 90), np.uint8)
    other[:40] = (20, 200, 20)
    head = crowned(face, other, np.random.default_rng(seed)).astype(int)
    assert np.abs(head[72:110, 65:95] - (60, 120, 180)).max() <= 2, "eyes, nose and mouth"
    assert head[5, 5, 1] > 2 * head[5, 5, 2], "what was green above the other face is green above this one"
    # skin is drawn to skin: the other's cheek has this one's colour
    assert np.abs(head[150, 5] - (60, 120, 180)).max() <= 25


@pytest.mark.parametrize("seed", range(8))
def test_a_warped_picture_keeps_its_middle_and_its_size(seed: int):
    dot = np.zeros((SIDE, SIDE, 3), np.uint8)
    cv2.circle(dot, (80, 80), 6, (255, 255, 255), -1)
    moved = warped(dot, np.random.default_rng(seed))
    assert moved.shape == dot.shape
    ys, xs = np.nonzero(moved[..., 0] > 128)
    assert np.hypot(xs.mean() - 80, ys.mean() - 80) < 8


def test_turning_makes_the_far_side_smaller():
    """Columns of a grid come nearer to each other on one side and go apart on the other, over many turns."""
    grid = np.zeros((SIDE, SIDE, 3), np.uint8)
    grid[:, 20:141:20] = 255
    ratios = []
    for seed in range(40):
        row = warped(grid, np.random.default_rng(seed))[80, :, 0].astype(float)
        at = np.flatnonzero((row > 80) & (row >= np.roll(row, 1)) & (row > np.roll(row, -1)))
        if len(at) >= 5:
            ratios.append((at[-1] - at[-2]) / (at[1] - at[0]))
    assert min(ratios) < 0.9
    assert max(ratios) > 1.1


@pytest.mark.parametrize("seed", range(8))
def test_other_light_changes_tones_and_leaves_everything_where_it_is(seed: int):
    dot = np.full((SIDE, SIDE, 3), 40, np.uint8)
    cv2.circle(dot, (50, 90), 12, (220, 200, 210), -1)
    shown = lit(dot, np.random.default_rng(seed))
    assert not np.array_equal(shown, dot)
    bright = shown.mean(2)
    # far enough from its outline, which may be soft, the disc is brighter than what is around it
    assert bright[84:97, 44:57].min() > bright[60:120, 70:75].max()
    assert bright[84:97, 44:57].min() > bright[60:120, 25:30].max()


@pytest.mark.parametrize("change", [warped, lit])
def test_the_same_seed_changes_the_same_and_another_seed_something_else(change):
    picture = smooth(3)
    seen = [change(picture, np.random.default_rng(seed)) for seed in (7, 7, 8)]
    assert np.array_equal(seen[0], seen[1])
    assert not np.array_equal(seen[0], seen[2])


@pytest.mark.parametrize("seed", range(12))
def test_the_student_sees_something_outside_the_picture_and_the_picture_as_it_is(seed: int):
    canvas, known = smooth(1), np.full((SIDE, SIDE), 255, np.uint8)
    known[:50] = 0
    canvas[:50] = 0
    seen = filled(canvas, known, smooth(2), np.random.default_rng(seed))
    assert np.array_equal(seen[50:], canvas[50:])
    assert seen[:50].mean() > 5


def test_another_head_shows_through_where_the_picture_ends():
    face, other = np.full((SIDE, SIDE, 3), 120, np.uint8), np.full((SIDE, SIDE, 3), 120, np.uint8)
    known = np.full((SIDE, SIDE), 255, np.uint8)
    face[:, :60] = known[:, :60] = 0
    head = crowned(face, other, np.random.default_rng(0), known)
    assert head.min() > 60, "no black is left of what the picture did not show"
