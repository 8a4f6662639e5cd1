"""The fan-out guard: one face and a pile of stolen cards is slow, visible and stopped; a queue of people is not."""

from __future__ import annotations

import random

import pytest

from edge.errors import DoorPaused, LockedOut, UsageError
from edge.state import Limits, state_database

STOLEN = [random.Random(k).randbytes(16) for k in range(50)]
SESSION_S = 5.0  # a fast impostor: present, three looks, next card


def fails(limits: Limits, card: bytes) -> None:
    limits.check(card)
    limits.before_comparison(card)
    limits.rejected(card)


def passes(limits: Limits, card: bytes) -> None:
    limits.check(card)
    limits.before_comparison(card)
    limits.accepted(card)


def loop(world, limits: Limits, cards: list[bytes], for_s: float) -> tuple[int, list[float]]:
    """Somebody presents one card after the other, as fast as the door permits: comparisons, and the waits met."""
    started, waits, compared = world.uptime, [], 0
    for card in cards:
        while world.uptime - started < for_s:
            try:
                fails(limits, card)
            except LockedOut as refused:
                waits.append(refused.wait_s)
                world.pass_time(refused.wait_s + 0.1)
                continue
            compared += 1
            world.pass_time(SESSION_S)
            break
    return compared, waits


def test_fifty_stolen_cards_in_a_loop_are_stopped_after_eight(world, database):
    limits = world.limits(database)
    for card in STOLEN[:8]:
        fails(limits, card)
        world.pass_time(SESSION_S)
    with pytest.raises(DoorPaused) as refused:
        limits.check(STOLEN[8])
    assert refused.value.reason == "door_paused"
    assert refused.value.where == "door"
    assert "edge reset --door" in refused.value.remedy
    assert limits.guard().level == 1
    assert limits.guard().cards == 8


def test_the_delay_doubles_with_every_further_card_up_to_an_hour(world, database):
    _, waits = loop(world, world.limits(database), STOLEN, for_s=12 * 3600)
    assert [round(wait) for wait in waits[:7]] == [55, 115, 235, 475, 955, 1915, 3595]
    assert max(waits) <= 3600


def test_patience_buys_little_fifty_cards_take_more_than_a_day(world, database):
    compared, _ = loop(world, world.limits(database), STOLEN, for_s=86_400)
    assert compared < 40
    unguarded, _ = loop(world, world.limits(state_database(world.folder / "other"), fan_out_cards=1000), STOLEN, 86_400)
    assert unguarded == 50


def test_a_claim_that_is_refused_meanwhile_makes_nothing_longer(world, database):
    limits = world.limits(database)
    for card in STOLEN[:8]:
        fails(limits, card)
    before = limits.guard()
    for _ in range(20):
        with pytest.raises(DoorPaused):
            limits.check(STOLEN[9])
        with pytest.raises(DoorPaused):
            limits.before_comparison(STOLEN[9])
    assert limits.guard() == before


def test_fifty_employees_at_eight_in_the_morning_do_not_trip_it(world, database):
    limits = world.limits(database)
    for card in STOLEN:
        passes(limits, card)
        world.pass_time(4)
    assert limits.guard().level == 0
    assert limits.guard().cards == 0


def test_employees_who_fail_once_and_then_pass_leave_no_mark(world, database):
    limits = world.limits(database)
    for card in STOLEN:
        fails(limits, card)
        world.pass_time(4)
        passes(limits, card)
        world.pass_time(4)
    assert limits.guard().level == 0


def test_the_accept_of_a_card_of_one_s_own_clears_nothing(world, database):
    limits = world.limits(database)
    own = bytes(16)
    for card in STOLEN[:7]:
        fails(limits, card)
        passes(limits, own)
    fails(limits, STOLEN[7])
    with pytest.raises(DoorPaused):
        limits.check(own)


def test_one_forgetful_person_with_one_card_does_not_trip_it(world, database):
    limits = world.limits(database, card_rejects=20)
    for _ in range(15):
        fails(limits, STOLEN[0])
    assert limits.guard().cards == 1
    assert limits.guard().level == 0


def test_an_honest_person_who_passes_after_the_wait_makes_it_no_longer(world, database):
    limits = world.limits(database)
    for card in STOLEN[:8]:
        fails(limits, card)
    world.pass_time(60.1)
    passes(limits, STOLEN[20])
    passes(limits, STOLEN[21])
    assert limits.guard().level == 1
    assert limits.guard().wait_s == 0


def test_failures_spread_over_days_do_not_trip_it(world, database):
    limits = world.limits(database)
    for card in STOLEN:
        fails(limits, card)
        world.pass_time(1200)
    assert limits.guard().level == 0


def test_a_trip_is_forgotten_a_level_a_window(world, database):
    limits = world.limits(database)
    for card in STOLEN[:8]:
        fails(limits, card)
    world.pass_time(61)
    fails(limits, STOLEN[9])
    assert limits.guard().level == 2
    assert limits.guard().wait_s == pytest.approx(120)
    world.pass_time(121 + 3600)
    assert limits.guard().level == 1
    world.pass_time(3600)
    assert limits.guard().level == 0


@pytest.mark.parametrize("moved_s", [-300 * 86_400, 300 * 86_400])
def test_neither_a_clock_that_is_set_nor_a_restart_shortens_it(world, moved_s):
    with state_database(world.folder) as database:
        limits = world.limits(database)
        for card in STOLEN[:8]:
            fails(limits, card)
    world.system += moved_s
    world.reboot(off_s=5)
    with state_database(world.folder) as database, pytest.raises(DoorPaused) as refused:
        world.limits(database).check(STOLEN[9])
    assert refused.value.wait_s > 50


def test_pulling_the_plug_before_the_answer_counts_as_a_failure(world):
    for card in STOLEN[:8]:
        with state_database(world.folder) as database:
            limits = world.limits(database)
            limits.check(card)
            limits.before_comparison(card)
        world.reboot(off_s=1)
    with state_database(world.folder) as database, pytest.raises(DoorPaused):
        world.limits(database).check(STOLEN[9])


def test_a_session_without_a_comparison_takes_no_earlier_mark_away(world, database):
    limits = world.limits(database)
    fails(limits, STOLEN[0])
    limits.check(STOLEN[0])
    limits.no_decision(STOLEN[0])
    assert limits.guard().cards == 1


def test_an_operator_sees_and_clears_it(world, database):
    limits = world.limits(database)
    for card in STOLEN[:8]:
        fails(limits, card)
    assert limits.guard().news
    limits.told()
    assert not limits.guard().news
    with pytest.raises(UsageError):
        limits.reset_door(" ")
    assert limits.reset_door("kim").level == 1
    limits.check(STOLEN[9])
    assert limits.guard().cards == 0


def test_it_remembers_cards_as_keyed_hashes_for_a_window_and_no_face_at_all(world, database):
    limits = world.limits(database)
    fails(limits, STOLEN[0])
    assert STOLEN[0] not in b"".join(row[0] for row in database.read("SELECT card FROM fan_out"))
    (columns,) = database.read("SELECT group_concat(name) FROM pragma_table_info('fan_out')")
    assert columns == ("card,at",)
    world.pass_time(3601)
    fails(limits, STOLEN[1])
    assert database.read("SELECT count(*) FROM fan_out") == [(1,)]


def test_a_person_who_is_erased_is_forgotten_by_the_counters_too(world, database):
    limits = world.limits(database)
    fails(limits, STOLEN[0])
    assert limits.forget(STOLEN[0])
    assert not limits.forget(STOLEN[0])
    assert limits.guard().cards == 0
    assert limits.standing(STOLEN[0]).rejects == 0


def test_counters_that_nobody_touched_for_long_expire(world, database):
    limits = world.limits(database, card_disable=5, fan_out_cards=1000)
    for _ in range(5):
        fails(limits, STOLEN[0])
        world.pass_time(31)
    fails(limits, STOLEN[1])
    world.pass_time(91 * 86_400)
    fails(limits, STOLEN[2])
    assert limits.expire(90) == 2
    assert limits.standing(STOLEN[0]).rejects == 0
    assert limits.standing(STOLEN[1]).rejects == 0
    assert limits.standing(STOLEN[2]).rejects == 1
