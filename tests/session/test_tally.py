"""How a session without a decision ends: the reason seen most, and at most two pieces of advice."""

from __future__ import annotations

from edge.session.tally import Tally
from edge.types import Advice, Reason


def test_a_session_that_saw_nothing_says_nobody_was_seen():
    tally = Tally()
    tally.unusable(Reason.NO_FACE, ())
    assert tally.ending() == (Reason.NO_FACE, (Advice.NOBODY_SEEN,))


def test_the_reason_seen_most_is_told():
    tally = Tally()
    for _ in range(3):
        tally.unusable(Reason.QUALITY, (Advice.STEP_CLOSER,))
    tally.unusable(Reason.SEVERAL_FACES, ())
    assert tally.ending() == (Reason.QUALITY, (Advice.STEP_CLOSER,))


def test_of_two_reasons_seen_equally_often_the_more_specific_one_is_told():
    tally = Tally()
    tally.unusable(Reason.NO_FACE, ())
    tally.unusable(Reason.SEVERAL_FACES, ())
    assert tally.ending() == (Reason.SEVERAL_FACES, (Advice.ONE_PERSON,))


def test_at_most_two_pieces_of_advice_are_given_the_most_frequent_first():
    tally = Tally()
    for advice in ((Advice.MORE_LIGHT,), (Advice.MORE_LIGHT, Advice.STEP_CLOSER), (Advice.LOOK_HERE,)):
        tally.unusable(Reason.QUALITY, advice)
    reason, advice = tally.ending()
    assert reason is Reason.QUALITY
    assert advice[0] is Advice.MORE_LIGHT
    assert len(advice) == 2


def test_somebody_who_leaves_after_a_failed_look_is_asked_to_hold_still():
    assert Tally(frames=4, looks=1).ending() == (Reason.QUALITY, (Advice.HOLD_STILL,))
