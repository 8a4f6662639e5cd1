"""Bounds on a false match rate: exact where they can be, honest about people who appear in many comparisons."""

from __future__ import annotations

import numpy as np
import pytest

from models.training.impostors import compare_all, floor_for, poisson_upper, to_int8, unit, upper_bounds


@pytest.mark.parametrize(("count", "upper"), [(0, 2.9957), (1, 4.7439), (10, 16.9622), (100, 118.08)])
def test_the_exact_bound_of_a_count_is_the_tables(count, upper):
    # Garwood's limits, as half the chi-square quantile 0.95 with 2 (count + 1) degrees of freedom
    assert poisson_upper(count) == pytest.approx(upper, rel=2e-4)


def random_unit(people: int, seed: int) -> np.ndarray:
    z = np.random.default_rng(seed).standard_normal((people, 16)).astype(np.float32)
    return z / np.linalg.norm(z, axis=1, keepdims=True)


def test_every_comparison_is_counted_once_and_nobody_is_compared_with_themselves():
    z = random_unit(300, 0)
    tail = compare_all(z, z, 0.5, block=64)
    assert tail.histogram.sum() == tail.total == 300 * 299
    assert not (tail.template == tail.probe).any()
    scores = z @ z.T
    np.fill_diagonal(scores, -2)
    assert len(tail.score) == (scores >= 0.5).sum()
    assert tail.rate(0.6) == pytest.approx((scores >= 0.6).sum() / tail.total)


def test_the_floor_is_where_the_histogram_says():
    z = random_unit(400, 1)
    tail = compare_all(z, z, 2.0)
    floor = floor_for(tail.histogram, 0.05)
    assert compare_all(z, z, floor).rate(floor) == pytest.approx(0.05, rel=0.05)


def test_bounds_lie_above_what_was_measured_and_fall_with_the_threshold():
    z = random_unit(400, 2)
    tail = compare_all(z, z, 0.4)
    measured, upper = upper_bounds(tail, np.arange(0.4, 0.9, 0.02), rounds=60)
    assert (upper >= measured).all()
    assert (np.diff(upper) <= 0).all()
    assert upper[-1] >= 2.99 / (tail.total / 2)


def test_one_person_who_matches_many_widens_the_bound():
    rng = np.random.default_rng(3)
    people, matches = 400, 200
    pairs = rng.integers(0, people, (matches, 2))
    spread = _tail(pairs[:, 0], (pairs[:, 0] + 1 + pairs[:, 1] % (people - 1)) % people, people)
    wolf = _tail(np.zeros(matches, int), 1 + np.arange(matches), people)
    grid = np.array([0.5])
    assert upper_bounds(wolf, grid, 300)[1][0] > 1.5 * upper_bounds(spread, grid, 300)[1][0]


def _tail(template, probe, people):
    from models.training.impostors import BINS, Tail

    score = np.full(len(template), 0.6, np.float32)
    return Tail(
        np.zeros(BINS, np.int64),
        template.astype(np.int32),
        probe.astype(np.int32),
        score,
        0.5,
        people,
        people * (people - 1),
    )


def test_int8_vectors_keep_the_cosine():
    raw = np.random.default_rng(4).integers(-90, 90, (2, 128)).astype(np.int8)
    vectors = unit(to_int8(raw, 5))
    exact = raw.astype(float) - 5
    exact /= np.linalg.norm(exact, axis=1, keepdims=True)
    assert np.abs(to_int8(raw, 5)).max() == 127
    assert vectors[0] @ vectors[1] == pytest.approx(exact[0] @ exact[1], abs=5e-3)
