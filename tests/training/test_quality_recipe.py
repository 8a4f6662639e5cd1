"""The quality score's recipe: a device computes what was fitted; error versus discard counts what it says."""

from __future__ import annotations

import numpy as np
import pytest

from edge.face import load_card, quality_score
from edge.face.quality_score import WEIGHTS
from models.training.quality import DISCARDED, discard_curve, fit, predict


def test_error_versus_discard_rejects_the_worst_first():
    quality = np.arange(100) / 100
    score = np.where(np.arange(100) < 10, 0.1, 0.9)  # the ten worst fail
    assert DISCARDED == (0.0, 0.05, 0.1, 0.2)
    assert discard_curve(quality, score, 0.5) == pytest.approx([0.1, 5 / 95, 0.0, 0.0])
    assert discard_curve(-quality, score, 0.5) == pytest.approx([0.1, 10 / 95, 10 / 90, 10 / 80])


def test_a_score_that_knows_nothing_changes_nothing():
    random = np.random.default_rng(0)
    curve = discard_curve(random.random(20_000), random.random(20_000), 0.3)
    assert curve == pytest.approx([0.3] * 4, abs=0.015)


def test_the_fit_finds_what_matters():
    pytest.importorskip("torch", reason="the recipes need the `train` extra (torch)")
    random = np.random.default_rng(1)
    rows = random.standard_normal((1500, 5)).astype(np.float32) * [1, 5, 0.1, 1, 1] + [0, 100, 3, 0, 0]
    truth = 1 / (1 + np.exp(-2 * rows[:, 0] + 30 * np.abs(rows[:, 2] - 3)))
    weights = fit(rows.astype(np.float32), truth.astype(np.float32), epochs=40)
    found = predict(weights, rows)
    assert np.corrcoef(found, truth)[0, 1] > 0.95
    assert ((found > 0) & (found < 1)).all()


def test_a_device_computes_what_was_fitted():
    shipped = {name: getattr(WEIGHTS, name) for name in ("first", "first_bias", "last", "last_bias")}
    rows = np.random.default_rng(2).standard_normal((20, len(quality_score.NAMES))).astype(np.float32)
    assert [quality_score.predict(row) for row in rows] == pytest.approx(predict(shipped, rows).tolist(), abs=1e-5)


def test_the_shipped_weights_foretell_the_shipped_embedder():
    """When this fails the embedder has changed: run `python -m models.training.quality`."""
    assert load_card("embedder").sha256 == WEIGHTS.made_for
    assert 0.2 < WEIGHTS.usual_limit < 0.9
