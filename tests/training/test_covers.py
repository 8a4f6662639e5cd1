"""What training puts in front of faces: something, and never all of a face."""

from __future__ import annotations

import numpy as np
import pytest

from models.training.covers import occlude

FACE = np.array([96, 72, 60, 80, 82, 58, 110, 58, 96, 76, 85, 92, 107, 92], np.float32)


@pytest.mark.parametrize("seed", range(24))
def test_a_cover_hides_some_of_a_face_and_leaves_most_of_it(seed: int):
    canvas = np.full((144, 192, 3), (90, 130, 190), np.uint8)
    stuff = np.full_like(canvas, 7) if seed % 2 else None
    occlude(canvas, FACE, np.random.default_rng(seed), stuff)
    box = canvas[32:112, 66:126].astype(int)
    hidden = (np.abs(box - (90, 130, 190)).max(2) > 3).mean()
    assert hidden < 0.67
    changed = (np.abs(canvas.astype(int) - (90, 130, 190)).max(2) > 3).sum()
    assert changed > 20


def test_a_face_at_the_edge_of_the_picture_is_covered_without_trouble():
    corner, covered = FACE.copy(), 0
    corner[[0, *range(4, 14, 2)]] -= 96
    corner[[1, *range(5, 14, 2)]] -= 72
    for seed in range(40):
        canvas = np.full((144, 192, 3), 100, np.uint8)
        occlude(canvas, corner, np.random.default_rng(seed))
        covered += bool((canvas[:40, :40] != 100).any())
        assert (canvas[110:, 110:] == 100).all()
    assert covered > 10, "what lies above or left of the picture is not seen, the rest is"
