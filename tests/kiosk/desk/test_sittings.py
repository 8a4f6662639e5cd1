"""One sitting at a time, bound to a browser, over when nobody is there; wrong tokens wait longer and longer."""

from __future__ import annotations

import itertools

import pytest

from edge.kiosk.desk.sittings import FREE, IDLE_S, LONGEST_S, MOST_S, WAIT_S, Lockout, Sittings


class Hand:
    """A clock that stands until it is moved, and what was kept and told."""

    def __init__(self) -> None:
        self.now, self.kept, self.ended = 1000.0, [], []

    def clock(self) -> float:
        return self.now

    def sittings(self) -> Sittings:
        words = (f"secret {number}" for number in itertools.count())
        return Sittings(lambda: next(words), self.clock, lambda who, why: self.ended.append((who, why)))

    def lockout(self, failures: int = 0) -> Lockout:
        return Lockout(failures, self.kept.append, self.clock)


@pytest.fixture
def hand() -> Hand:
    return Hand()


def test_a_browser_without_the_cookie_has_no_sitting(hand: Hand):
    sittings = hand.sittings()
    assert sittings.of("") is None
    sitting = sittings.open("kim")
    assert sittings.of(sitting.cookie) is sitting
    for other in ("", sitting.page, sitting.cookie + "x", "secret", "\xe9\xe9", "\udce9"):
        assert sittings.of(other) is None
    assert sitting.cookie not in repr(sitting)


def test_it_ends_when_nobody_does_anything(hand: Hand):
    sittings = hand.sittings()
    sitting = sittings.open("kim")
    hand.now += IDLE_S - 1
    sittings.touch(sitting)
    hand.now += IDLE_S - 1
    assert sittings.of(sitting.cookie) is sitting
    hand.now += 2
    assert sittings.of(sitting.cookie) is None
    assert hand.ended == [("kim", "idle")]


def test_it_ends_after_an_hour_though_somebody_is_there(hand: Hand):
    sittings = hand.sittings()
    sitting = sittings.open("kim")
    while hand.now < 1000 + LONGEST_S:
        assert sittings.of(sitting.cookie) is sitting
        sittings.touch(sitting)
        hand.now += 100
    assert sittings.of(sitting.cookie) is None


def test_the_same_person_at_another_browser_takes_it_over(hand: Hand):
    sittings = hand.sittings()
    first = sittings.open("kim")
    assert sittings.taken == "kim"
    second = sittings.open("kim")
    assert sittings.of(first.cookie) is None
    assert sittings.of(second.cookie) is second
    sittings.close()
    assert (sittings.taken, hand.ended) == ("", [("kim", "closed"), ("kim", "closed")])


def test_wrong_tokens_wait_twice_as_long_each_time_up_to_an_hour(hand: Hand):
    lockout = hand.lockout()
    for number in range(1, FREE):
        lockout.failing()
        assert lockout.wait_s == 0, f"number {number} costs nothing"
    waits = []
    for _ in range(10):
        lockout.failing()
        waits.append(lockout.wait_s)
        hand.now += lockout.wait_s
        assert lockout.wait_s == 0
    assert waits[:3] == [WAIT_S, 2 * WAIT_S, 4 * WAIT_S]
    assert waits[-1] == MOST_S
    assert hand.kept == list(range(1, FREE + 10)), "each is kept before the token is compared"
    lockout.clear()
    assert (lockout.wait_s, hand.kept[-1]) == (0, 0)


def test_what_was_compared_with_nothing_is_no_wrong_token_and_shortens_no_wait(hand: Hand):
    lockout = hand.lockout(failures=FREE)
    hand.now += WAIT_S
    lockout.failing()
    lockout.not_compared()
    assert (lockout.failures, lockout.wait_s, hand.kept) == (FREE, 0, [FREE + 1, FREE])
    lockout.failing()
    assert lockout.wait_s == 2 * WAIT_S


def test_a_restart_does_not_shorten_a_wait(hand: Hand):
    assert hand.lockout(failures=FREE + 2).wait_s == 4 * WAIT_S


def test_what_cannot_be_kept_is_not_compared(hand: Hand):
    def full(_: int) -> None:
        raise OSError("no room")

    lockout = Lockout(0, full, hand.clock)
    with pytest.raises(OSError, match="no room"):
        lockout.failing()
