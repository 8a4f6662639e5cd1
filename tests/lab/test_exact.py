"""Exact bounds are those of the tables, and a claim needs the attempts that the standard's arithmetic says."""

import pytest

from edge.lab.intervals import attempts_for, clopper_pearson, upper


def test_attempts_that_a_claim_needs():
    assert attempts_for(0.07) == 42
    assert attempts_for(0.07, two_sided=True) == 51
    assert upper(0, 42) < 0.07 < upper(0, 41)
    assert clopper_pearson(0, 51)[1] < 0.07 < clopper_pearson(0, 50)[1]


@pytest.mark.parametrize(
    ("events", "trials", "low", "high"),  # Newcombe 1998, table II, method 5
    [(81, 263, 0.2527, 0.3676), (15, 148, 0.0578, 0.1617), (0, 20, 0.0, 0.1684), (1, 29, 0.0009, 0.1776)],
)
def test_intervals_are_those_of_the_literature(events, trials, low, high):
    assert clopper_pearson(events, trials) == pytest.approx((low, high), abs=6e-5)


def test_all_or_nothing():
    assert clopper_pearson(5, 5)[1] == 1.0
    assert clopper_pearson(0, 0) == (0.0, 1.0)
