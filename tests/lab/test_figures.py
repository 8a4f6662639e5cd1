"""The lab's arithmetic, against counting by hand."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edge.lab import figures
from edge.lab.figures import corrected, garbe, gini, histogram, inequity_rate, spread_of

# 53 divides no bin: a score on the border of two may be counted in either, by its last bit
values = st.lists(st.integers(-53, 53).map(lambda n: n / 53), min_size=1, max_size=60)


def array(scores: list[float]) -> np.ndarray:
    return np.array(scores, np.float32)


@given(st.floats(-1, 1, width=32))
def test_a_score_lies_in_its_bin(score: float):
    place = int(figures.binned(np.array([score], np.float32))[0])
    assert figures.edge_of(place) - 1e-6 <= score <= figures.edge_of(place + 1) + 1e-6
    assert figures.bin_of(figures.edge_of(place)) == place


@given(st.lists(st.floats(-1.5, 1.5, width=32), max_size=200))
def test_a_histogram_counts_every_score_once(scores: list[float]):
    assert histogram(array(scores)).sum() == len(scores)


@settings(max_examples=80, deadline=None)
@given(values, values, st.sampled_from([0.01, 0.1, 0.5]))
def test_the_threshold_is_the_lowest_that_keeps_the_rate(genuine, impostor, wanted):
    g, i = array(genuine), array(impostor)
    threshold = figures.threshold_at(histogram(i), wanted)
    if threshold is None:
        assert wanted * len(i) < 1
        return
    assert np.mean(i >= threshold) <= wanted
    assert figures.fmr(histogram(i), threshold) == np.mean(i >= threshold)
    assert figures.fnmr(histogram(g), threshold) == np.mean(g < threshold)
    lower = [value for value in i if value < threshold]
    if lower:
        assert np.mean(i >= max(lower)) > wanted


def test_a_rate_below_one_comparison_is_not_measured():
    impostor = histogram(array([0.1] * 999))
    assert figures.threshold_at(impostor, 1e-3) is None
    assert figures.threshold_at(impostor + histogram(array([0.9])), 1e-3) == pytest.approx(0.1, abs=1e-4)


@pytest.mark.parametrize(
    ("genuine", "impostor", "rate"),
    [([0.9, 0.8], [0.1, 0.2], 0.0), ([0.1, 0.2], [0.8, 0.9], 1.0), ([0.1, 0.5, 0.6, 0.7], [0.0, 0.1, 0.2, 0.3], 0.25)],
)
def test_the_equal_error_rate_is_where_both_errors_meet(genuine, impostor, rate):
    assert figures.equal_error(histogram(array(genuine)), histogram(array(impostor))) == pytest.approx(rate)


@settings(max_examples=80, deadline=None)
@given(st.lists(st.tuples(st.integers(-20, 20), st.booleans()), min_size=2, max_size=40))
def test_no_threshold_makes_fewer_errors_than_the_best_one(pairs):
    scores, same = np.array([score / 20 for score, _ in pairs]), np.array([answer for _, answer in pairs])

    def errors(threshold: float) -> int:
        return int(np.sum((scores >= threshold) != same))

    candidates = np.concatenate([scores, scores + 1e-9, [-2.0]])
    best = figures.best_threshold(scores, same)
    if len(set(scores)) == len(scores):
        assert errors(best) == min(errors(t) for t in candidates)
    assert np.isfinite(best)


def test_five_folds_are_each_judged_by_the_others():
    """A fold whose scores are all shifted is judged at the others' threshold, and fails there."""
    same = np.tile([True, False], 50)
    fold = np.repeat(np.arange(5), 20)
    scores = np.where(same, 0.8, 0.2) + np.where(fold == 4, -0.5, 0.0)
    accuracy, error = figures.fold_accuracy(scores, same, fold)
    assert accuracy == pytest.approx((4 * 1.0 + 0.5) / 5)
    assert error == pytest.approx(np.std([1, 1, 1, 1, 0.5]) / np.sqrt(5))


def test_the_det_curve_runs_from_no_threshold_to_none_that_passes():
    random = np.random.default_rng(1)
    genuine, impostor = random.normal(0.6, 0.1, 4000), random.normal(0.1, 0.1, 4000)
    fmr, fnmr = figures.det(histogram(genuine.astype(np.float32)), histogram(impostor.astype(np.float32)))
    assert (np.diff(fmr) <= 0).all()
    assert (np.diff(fnmr) >= 0).all()
    assert (fmr[0], fnmr[0]) == (1.0, 0.0)
    assert fmr[-1] <= 1 / 4000


rates = st.lists(st.floats(1e-6, 1.0), min_size=2, max_size=12)


def test_a_group_without_an_error_has_a_small_rate_and_no_division_by_zero():
    assert corrected(0, 9_999) == 5e-5
    assert corrected(10, 9_999) == 1.05e-3


def test_max_over_geometric_mean_as_nist_ir_8429_has_it():
    spread = spread_of([1e-4, 1e-3, 1e-2])
    assert spread["max_to_geometric_mean"] == pytest.approx(10)
    assert spread["max_to_min"] == pytest.approx(100)


def test_one_group_is_no_spread():
    assert not spread_of([1e-3])


def test_gini_of_howard_et_al():
    # n / (n - 1) sum |xi - xj| / (2 n^2 mean): two groups, (0, x) -> 2 * 2x / (2 * 4 * x/2) = 1
    assert gini([0.0, 0.4]) == pytest.approx(1)
    assert gini([0.1, 0.3]) == pytest.approx(2 * 2 * 0.2 / (2 * 4 * 0.2))
    assert gini([0.2, 0.2, 0.2]) == 0
    assert garbe([0.1, 0.3], [0.2, 0.2]) == pytest.approx(0.25)


def test_inequity_rate_multiplies_both_ratios():
    assert inequity_rate([1e-4, 4e-4], [0.01, 0.09]) == pytest.approx(4**0.5 * 9**0.5)


@given(rates)
def test_all_measures_keep_their_ranges(values: list[float]):
    spread = spread_of(values)
    assert -1e-9 <= spread["gini"] <= 1 + 1e-9
    assert 1 - 1e-9 <= spread["max_to_geometric_mean"] <= spread["max_to_min"] + 1e-9
    assert inequity_rate(values, values) == pytest.approx(spread["max_to_min"])


@given(rates, st.floats(1e-3, 1e3))
def test_the_unit_of_a_rate_does_not_matter(values: list[float], factor: float):
    one, other = spread_of(values), spread_of([value * factor for value in values])
    assert other["gini"] == pytest.approx(one["gini"], abs=1e-9)
    assert other["max_to_geometric_mean"] == pytest.approx(one["max_to_geometric_mean"])
