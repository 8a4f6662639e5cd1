"""Bounds on error rates: exact where they can be, honest about people who appear in many comparisons."""

from __future__ import annotations

import numpy as np
import pytest

from edge.lab.figures import BINS
from edge.lab.intervals import fmr_upper, poisson_upper, share_interval
from edge.lab.pairing import Scored, Tail, Trials, compare_all


@pytest.mark.parametrize(("count", "upper"), [(0, 2.9957), (1, 4.7439), (10, 16.9622), (100, 118.08)])
def test_the_exact_bound_of_a_count_is_the_tables(count, upper):
    # Garwood's limits, as half the chi-square quantile 0.95 with 2 (count + 1) degrees of freedom
    assert poisson_upper(count) == pytest.approx(upper, rel=2e-4)


def test_the_exact_bound_of_many_events_nears_the_normal_one():
    assert poisson_upper(100_000) == pytest.approx(100_000 + 1.645 * np.sqrt(100_000), rel=5e-4)


def random_unit(rows: int, seed: int) -> np.ndarray:
    z = np.random.default_rng(seed).standard_normal((rows, 16)).astype(np.float32)
    return z / np.linalg.norm(z, axis=1, keepdims=True)


def everybody(vectors: np.ndarray) -> Trials:
    people = np.arange(len(vectors))
    return Trials(vectors, vectors, people, people)


def test_bounds_lie_above_what_was_measured_and_fall_with_the_threshold():
    tail = compare_all(everybody(random_unit(400, 2)), 0.4)
    measured, upper = fmr_upper(tail, np.arange(0.4, 0.9, 0.02), rounds=60)
    assert (upper >= measured).all()
    assert (np.diff(upper) <= 0).all()
    assert upper[-1] >= 2.99 / (tail.total / 2)


def _tail(template, probe, people):
    score, own = np.full(len(template), 0.6, np.float32), np.arange(people)
    vectors = np.zeros((people, 1), np.float32)
    pairs = Scored(np.array(template), np.array(probe), score)
    return Tail(Trials(vectors, vectors, own, own), np.zeros(BINS, np.int64), pairs, 0.5, people * (people - 1))


def test_one_person_who_matches_many_widens_the_bound():
    rng = np.random.default_rng(3)
    people, matches = 400, 200
    pairs = rng.integers(0, people, (matches, 2))
    spread = _tail(pairs[:, 0], (pairs[:, 0] + 1 + pairs[:, 1] % (people - 1)) % people, people)
    wolf = _tail(np.zeros(matches, int), 1 + np.arange(matches), people)
    grid = np.array([0.5])
    assert fmr_upper(wolf, grid, 300)[1][0] > 1.5 * fmr_upper(spread, grid, 300)[1][0]


def test_both_directions_of_one_pair_of_people_are_one_event_to_the_exact_bound():
    once, twice = _tail([0], [1], 500), _tail([0, 1], [1, 0], 500)
    grid = np.array([0.5])
    bounds = [fmr_upper(tail, grid, 50)[1][0] for tail in (once, twice)]
    assert bounds[1] == pytest.approx(2 * bounds[0])
    assert bounds[0] >= poisson_upper(1) / (500 * 499)


def test_the_bound_holds_about_as_often_as_it_promises():
    """Of 100 sets of 150 people from one population, 90 or more have a 95 % bound above the population's rate."""
    # shared traits make some people alike, so comparisons hang together as real ones do
    rng, threshold = np.random.default_rng(5), 0.6
    groups = rng.standard_normal((12, 16)).astype(np.float32)

    def people(count: int) -> np.ndarray:
        z = rng.standard_normal((count, 16)).astype(np.float32) + 0.8 * groups[rng.integers(0, 12, count)]
        return z / np.linalg.norm(z, axis=1, keepdims=True)

    true = compare_all(everybody(people(4000)), threshold).rate(threshold)
    covered = 0
    for seed in range(100):
        tail = compare_all(everybody(people(150)), threshold - 0.01)
        covered += fmr_upper(tail, np.array([threshold]), 100, seed)[1][0] >= true
    assert covered >= 90


def test_a_share_has_an_interval_around_it_that_narrows_with_more_people():
    rng = np.random.default_rng(6)
    wide, narrow = (
        share_interval((rng.random(people) < 0.1).astype(int), np.ones(people, int), 200) for people in (100, 10_000)
    )
    assert wide.low < wide.rate < wide.high
    assert narrow.high - narrow.low < 0.3 * (wide.high - wide.low)


def test_nobody_failing_does_not_mean_that_nobody_ever_will():
    bounds = share_interval(np.zeros(50, int), np.full(50, 8))
    assert bounds.rate == 0
    assert bounds.high == pytest.approx(poisson_upper(0, 0.975) / 50)
    assert np.isnan(share_interval(np.zeros(3, int), np.zeros(3, int)).rate)
