"""From a false match rate to a threshold."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from edge.errors import ModelError
from edge.face import parse_card, threshold
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


@given(st.floats(1e-5, 1), st.floats(1e-5, 1))
def test_a_rarer_match_never_has_a_lower_threshold(a: float, b: float):
    low, high = sorted((a, b))
    assert threshold(CARD, low) >= threshold(CARD, high)
