"""The recipe's camera: one model for people and for attacks, so that only the attack differs."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from edge.fictional.paint import MARGIN, draw_backdrop
from models.training.optics import Optics

ROOM = draw_backdrop(3, (640, 480))[MARGIN:-MARGIN, MARGIN:-MARGIN]


def test_a_camera_keeps_size_and_draws_its_noise_from_the_given_source():
    optics = Optics.drawn(np.random.default_rng(2))
    once = optics.take(ROOM, np.random.default_rng(1))
    assert (once.shape, once.dtype) == (ROOM.shape, np.uint8)
    assert np.array_equal(once, optics.take(ROOM, np.random.default_rng(1)))


def test_a_perfect_camera_changes_nothing_but_highlights():
    perfect = Optics(0, (0, 0), 0, 1, 1, (1, 1, 1), 1, 0, 0, 100)
    dark = ROOM // 2
    assert np.array_equal(perfect.take(dark, np.random.default_rng(1)), dark)


@pytest.mark.parametrize(
    ("change", "worse"),
    [({"blur": 3.0}, "soft"), ({"move": (14.0, 0.0)}, "soft"), ({"gain": 0.4}, "dark"), ({"vignette": 0.9}, "dark")],
)
def test_each_fault_of_a_camera_does_what_it_says(change, worse):
    perfect = Optics(0, (0, 0), 0, 1, 1, (1, 1, 1), 1, 0, 0, 100)
    before, after = (o.take(ROOM, np.random.default_rng(1)).astype(int) for o in (perfect, replace(perfect, **change)))
    sharp = [np.abs(np.diff(picture, axis=1)).mean() for picture in (before, after)]
    assert sharp[1] < 0.8 * sharp[0] if worse == "soft" else after.mean() < 0.97 * before.mean()
