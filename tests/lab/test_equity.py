"""Measures of spread between groups, against the papers' own properties and worked numbers."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.lab.equity import corrected, garbe, gini, inequity_rate, spread_of

rates = st.lists(st.floats(1e-6, 1.0), min_size=2, max_size=12)


def test_a_group_without_an_error_has_a_small_rate_and_no_division_by_zero():
    assert corrected(0, 9_999) == 5e-5
    assert corrected(10, 9_999) == 1.05e-3


def test_max_over_geometric_mean_as_nist_ir_8429_has_it():
    spread = spread_of([1e-4, 1e-3, 1e-2])
    assert spread is not None
    assert spread.max_to_geometric_mean == pytest.approx(10)
    assert spread.max_to_min == pytest.approx(100)


def test_one_group_is_no_spread():
    assert spread_of([1e-3]) is None


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
    assert spread is not None
    assert -1e-9 <= spread.gini <= 1 + 1e-9
    assert 1 - 1e-9 <= spread.max_to_geometric_mean <= spread.max_to_min + 1e-9
    assert inequity_rate(values, values) == pytest.approx(spread.max_to_min)


@given(rates, st.floats(1e-3, 1e3))
def test_the_unit_of_a_rate_does_not_matter(values: list[float], factor: float):
    one, other = spread_of(values), spread_of([value * factor for value in values])
    assert one is not None
    assert other is not None
    assert other.gini == pytest.approx(one.gini, abs=1e-9)
    assert other.max_to_geometric_mean == pytest.approx(one.max_to_geometric_mean)
