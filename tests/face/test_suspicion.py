"""Judgements of the passive network become one answer a session, which is never taken back."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.face.suspicion import DOUBT, EARLY, PassiveLimits, Suspicion
from edge.types import Attack, Pass, Species

LIMITS = PassiveLimits(doubt=0.4, attack=0.8, judgements=2)


def said(*values: float):
    suspicion = Suspicion(LIMITS)
    for value in values:
        suspicion.add(value)
    return suspicion.verdict


def test_too_few_judgements_are_no_pass():
    assert said() == EARLY
    assert said(0.0) == EARLY


@pytest.mark.parametrize(
    ("values", "answer"),
    [
        ((0.1, 0.2), Pass()),
        ((0.5, 0.5), DOUBT),
        ((0.0, 0.5), DOUBT),  # the newest frame is the one that is compared
        ((0.5, 0.5, 0.0, 0.0, 0.0, 0.0), DOUBT),  # latched
        ((0.7, 0.1, 0.1), Pass()),  # one bad frame before the judgement counts is outvoted
        ((0.9, 0.9), Attack(Species.INSTRUMENT)),
        ((math.nan, math.nan), Attack(Species.INSTRUMENT)),
    ],
)
def test_the_mean_and_the_newest_judgement_decide(values, answer):
    assert said(*values) == answer


@given(st.lists(st.floats(0, 1), min_size=2, max_size=12), st.lists(st.floats(0, 1), max_size=12))
def test_what_was_no_pass_never_becomes_one(before, after):
    assert isinstance(said(*before), Pass) or not isinstance(said(*before, *after), Pass)
