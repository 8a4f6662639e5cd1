"""Every reason and every advice has words."""

from __future__ import annotations

import pytest

from edge.messages import ADVICE, REASONS, waiting
from edge.types import Advice, Reason


def test_every_reason_and_advice_has_words_and_no_other():
    assert set(REASONS) == {reason.value for reason in Reason}
    assert set(ADVICE) == {advice.value for advice in Advice}


@pytest.mark.parametrize(("seconds", "words"), [(0, ""), (1, "wait 1 s"), (119, "wait 119 s"), (121, "wait 3 min")])
def test_a_wait_is_said_with_its_length(seconds: int, words: str):
    assert waiting(seconds) == words
