"""Spectacles sit before the eyes and leave the rest of a face bare."""

from __future__ import annotations

import numpy as np
import pytest

from models.training.spectacles import put_on

SKIN = (120, 150, 200)
EYES = np.array([[35, 50], [77, 52]], np.float32)


@pytest.mark.parametrize("seed", range(16))
def test_spectacles_change_what_lies_around_the_eyes_and_nothing_below_the_nose(seed: int):
    view = np.full((112, 112, 3), SKIN, np.uint8)
    put_on(view, EYES, np.random.default_rng(seed))
    changed = (np.abs(view.astype(int) - SKIN).max(2) > 8).astype(float)
    assert not changed[78:].any()
    assert not changed[:28].any()
    assert 0.01 < changed[28:78].mean() < 0.75
    for x, y in EYES:
        around = changed[round(y) - 20 : round(y) + 24, round(x) - 22 : round(x) + 23]
        assert around.mean() > 0.03, "a rim around each eye"


def test_most_lenses_are_clear():
    seen = []
    for seed in range(60):
        view = np.full((112, 112, 3), SKIN, np.uint8)
        put_on(view, EYES, np.random.default_rng(seed))
        seen.append(bool(np.abs(view[50:53, 33:37].astype(int) - SKIN).max() < 8))
    assert 0.4 < np.mean(seen) < 0.9
