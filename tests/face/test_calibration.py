"""From a false match rate to a threshold."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from edge.errors import ModelError
from edge.face import Card, parse_card, threshold
from tests.face.cards import plain_card

CARD = parse_card(yaml.safe_dump(plain_card()).encode(), folder=Path())


@pytest.mark.parametrize(("fmr", "score"), [(1e-2, 0.3), (1e-3, 0.4), (1e-4, 0.55), (1e-5, 0.7), (10**-2.5, 0.35)])
def test_between_two_rows_the_threshold_is_linear_in_the_logarithm(fmr: float, score: float):
    assert threshold(CARD, fmr) == pytest.approx(score)


@pytest.mark.parametrize("fmr", [0.02, 0.5, 1.0])
def test_above_the_first_row_the_threshold_is_stricter_than_asked(fmr: float):
    assert threshold(CARD, fmr) == 0.3


@pytest.mark.parametrize("fmr", [9.9e-6, 1e-9])
def test_below_what_the_calibration_supports_it_is_refused(fmr: float):
    with pytest.raises(ModelError, match="supports") as caught:
        threshold(CARD, fmr)
    assert "target_fmr" in caught.value.remedy


@pytest.mark.parametrize("fmr", [0.0, -1.0, 1.5, float("nan")])
def test_what_is_no_rate_is_refused(fmr: float):
    with pytest.raises(ModelError, match="between 0 and 1"):
        threshold(CARD, fmr)


def test_a_model_without_calibration_cannot_decide():
    card = parse_card(yaml.safe_dump(plain_card(calibration=None)).encode(), folder=Path())
    with pytest.raises(ModelError, match="never calibrated"):
        threshold(card, 1e-3)


def with_sessions(**changes: Any) -> Card:
    """A card whose sessions of three looks were measured down to a rate of 1e-3."""
    curve = {"looks": 3, "thresholds": [{"fmr": 1e-2, "threshold": 0.33}, {"fmr": 1e-3, "threshold": 0.45}]}
    plain = plain_card()
    calibration = plain["calibration"] | {"sessions": [curve | changes]}
    return parse_card(yaml.safe_dump(plain | {"calibration": calibration}).encode(), folder=Path())


@pytest.mark.parametrize(
    ("fmr", "looks", "score"), [(1e-2, 3, 0.33), (1e-3, 3, 0.45), (1e-3, 2, 0.45), (10**-2.5, 3, 0.39)]
)
def test_a_session_is_judged_as_sessions_of_at_least_so_many_looks_were_measured(fmr: float, looks: int, score: float):
    assert threshold(with_sessions(), fmr, looks) == pytest.approx(score)


@pytest.mark.parametrize(("fmr", "looks"), [(1e-2, 4), (1e-4, 3)])
def test_where_no_session_was_measured_every_look_gets_its_share_of_the_rate(fmr: float, looks: int):
    assert threshold(with_sessions(), fmr, looks) == pytest.approx(threshold(CARD, fmr / looks))
    assert threshold(CARD, fmr, looks) == pytest.approx(threshold(CARD, fmr / looks))


def test_a_share_that_the_calibration_does_not_support_is_refused_with_both_ways_out():
    with pytest.raises(ModelError, match=r"not 6\.7e-06") as caught:
        threshold(CARD, 2e-5, 3)
    assert "target_fmr" in caught.value.remedy
    assert "looks" in caught.value.remedy


@pytest.mark.parametrize("wrong", [{"looks": 0}, {"looks": 11}, {"thresholds": [{"fmr": 1e-2, "threshold": 0.3}]}])
def test_a_curve_of_sessions_is_checked_like_the_rest_of_a_card(wrong: dict[str, Any]):
    with pytest.raises(ModelError, match="sessions"):
        with_sessions(**wrong)


@given(st.floats(3e-5, 1), st.floats(3e-5, 1), st.integers(1, 3))
def test_a_rarer_match_never_has_a_lower_threshold(a: float, b: float, looks: int):
    low, high = sorted((a, b))
    for card in (CARD, with_sessions()):
        assert threshold(card, low, looks) >= threshold(card, high, looks)
