"""The clock guard: what time it is, on a device whose clock anybody near it may have set."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edge.errors import StateError, UsageError
from edge.state import ClockGuard, SqliteFile, kernel_synchronised, state_database

NOW = 1_790_000_000  # where the world's clock begins
DAY = 86_400


def test_a_clock_that_is_right_is_used_as_it_is(world, database: SqliteFile):
    clock = world.clock(database)
    assert clock.now().utc_s == NOW
    world.pass_time(3600)
    time = clock.now()
    assert (time.utc_s, time.confirmed, time.behind_s) == (NOW + 3600, True, 0)


def test_time_before_the_build_date_is_never_believed(world, database: SqliteFile):
    world.system = 0.0
    time = world.clock(database).now()
    assert time.utc_s == world.build_date
    assert time.behind_s == world.build_date


def test_a_clock_set_back_goes_on_from_the_latest_time_recorded(world, database: SqliteFile):
    clock = world.clock(database)
    clock.now()
    world.system -= 300 * DAY
    world.pass_time(120)
    time = clock.now()
    assert time.utc_s == NOW + 120
    assert time.behind_s == 300 * DAY


def test_a_clock_set_back_while_the_power_was_off_does_not_give_the_time_back(world):
    with state_database(world.folder) as database:
        world.clock(database).now()
        world.pass_time(7200)
        world.clock(database).now()
    world.reboot(off_s=-30 * DAY)
    with state_database(world.folder) as database:
        assert world.clock(database).now().utc_s >= NOW + 7200


def test_a_jump_of_more_than_a_day_is_unconfirmed_and_not_recorded(world, database: SqliteFile):
    clock = world.clock(database)
    clock.now()
    world.system += 400 * DAY
    assert not clock.now().confirmed
    world.pass_time(500)
    assert not clock.now().confirmed
    world.system -= 400 * DAY
    time = clock.now()
    assert (time.utc_s, time.confirmed) == (NOW + 500, True)


def test_a_jump_of_less_than_a_day_is_an_ordinary_correction(world, database: SqliteFile):
    clock = world.clock(database)
    clock.now()
    world.system += DAY - 10
    assert clock.now().confirmed


def test_many_small_steps_spend_the_budget_that_one_step_would(world, database: SqliteFile):
    clock = world.clock(database)
    clock.now()
    for _ in range(23):
        world.system += 3600
        assert clock.now().confirmed
    assert clock.now().spent_s == 23 * 3600
    world.pass_time(5 * DAY)
    assert clock.now().spent_s == 23 * 3600, "running gives nothing back"
    world.system += 2 * 3600
    time = clock.now()
    assert (time.confirmed, time.utc_s - time.believed_s) == (False, 2 * 3600)
    world.synchronised = True
    assert (clock.now().confirmed, clock.now().spent_s) == (True, 0)


def test_an_hour_off_every_night_is_granted_for_as_long_as_the_budget_lasts(world, database: SqliteFile):
    clock = world.clock(database)
    nights = 0
    while clock.now().confirmed:
        world.pass_time(DAY - 3600)
        clock.now()
        world.reboot(off_s=3600)
        nights += 1
        assert nights < 30
    assert nights == 25


def test_401_steps_of_a_day_less_a_second_each_are_not_believed(world, database: SqliteFile):
    clock = world.clock(database)
    clock.now()
    for _ in range(401):
        world.system += DAY - 1
        clock.now()
    time = clock.now()
    assert not time.may_delete
    assert time.believed_s == NOW + DAY - 1
    assert time.utc_s == NOW + 401 * (DAY - 1), "cards expire by it all the same"


@pytest.mark.parametrize("step", [DAY + 1, 9 * DAY])
def test_a_synchronised_step_deletes_nothing_until_a_further_day_of_running(world, database: SqliteFile, step: int):
    clock = world.clock(database)
    clock.now()
    world.synchronised = True
    world.system += step
    assert clock.now().confirmed
    assert not clock.now().may_delete
    world.pass_time(DAY - 60)
    assert not clock.now().may_delete
    world.reboot(off_s=10)
    assert clock.now().waiting_s == 55, "a restart does not begin it anew; five seconds have passed since"
    world.pass_time(60)
    assert clock.now().may_delete


def test_synchronised_steps_that_come_to_more_than_a_day_hold_deletion_too(world, database: SqliteFile):
    clock = world.clock(database)
    clock.now()
    world.synchronised = True
    for hours in (10, 10):
        world.system += hours * 3600
        assert clock.now().may_delete
    world.system += 10 * 3600
    assert not clock.now().may_delete


def test_the_first_start_is_measured_against_the_build(world):
    world.system = NOW + 9 * 365 * DAY
    with state_database(world.folder) as database:
        clock = world.clock(database)
        time = clock.now()
        assert (time.confirmed, time.believed_s) == (False, world.build_date)
        with pytest.raises(StateError, match="has not been confirmed"):
            time.need_confirmed()
        world.pass_time(3600)
        assert not clock.now().confirmed
        assert clock.confirm("ada").utc_s == world.system
        clock.now().need_confirmed()


def test_an_operator_sets_back_a_clock_that_was_wrong(world, database: SqliteFile):
    clock = world.clock(database)
    clock.now()
    world.synchronised = True
    world.system += 3650 * DAY
    assert clock.now().confirmed
    world.system, world.synchronised = NOW + 60.0, False
    assert clock.now().behind_s == 3650 * DAY - 60
    time = clock.confirm("ada")
    assert (time.utc_s, time.behind_s, time.confirmed, time.may_delete) == (NOW + 60, 0, True, False)
    world.pass_time(DAY + 60)
    assert clock.now().may_delete


def test_nothing_is_set_back_before_the_build(world, database: SqliteFile):
    clock = world.clock(database)
    clock.now()
    world.system = 0.0
    assert clock.confirm("ada").utc_s == world.build_date


def test_two_days_of_running_are_no_jump(world, database: SqliteFile):
    clock = world.clock(database)
    clock.now()
    world.pass_time(2 * DAY)
    assert clock.now().confirmed


def test_weeks_without_power_are_unconfirmed_until_the_clock_is_synchronised(world, database: SqliteFile):
    clock = world.clock(database)
    clock.now()
    world.reboot(off_s=21 * DAY)
    assert not clock.now().confirmed
    world.synchronised = True
    assert clock.now().confirmed
    world.synchronised = False  # it was recorded: the network may go again
    assert clock.now().confirmed
    assert clock.now().utc_s == NOW + 21 * DAY


def test_an_operator_may_confirm_a_jump(world, database: SqliteFile):
    clock = world.clock(database)
    clock.now()
    world.system += 30 * DAY
    with pytest.raises(UsageError):
        clock.confirm(" ")
    assert not clock.now().confirmed
    assert clock.confirm("ada").confirmed
    assert clock.now().utc_s == NOW + 30 * DAY


def test_an_hour_of_idling_costs_about_one_write_a_minute(world, database: SqliteFile):
    clock = world.clock(database)
    before = database.path.with_name("state.sqlite3-wal").stat().st_size
    for _ in range(3600):
        world.pass_time(1)
        clock.now()
    frames = (database.path.with_name("state.sqlite3-wal").stat().st_size - before) / 4120
    assert 1 <= frames <= 65


def test_a_clock_that_gives_no_number_is_a_fault(world, database: SqliteFile):
    world.system = float("nan")
    with pytest.raises(StateError):
        world.clock(database).now()


def test_the_real_clocks_work(database: SqliteFile):
    assert ClockGuard(database).now().utc_s > 1_700_000_000
    assert kernel_synchronised() in (True, False)


@settings(deadline=None, max_examples=50)
@given(st.lists(st.tuples(st.floats(-1e9, 1e9), st.floats(0, 1e6), st.booleans()), max_size=12))
def test_confirmed_time_never_goes_back_whatever_the_clocks_do(tmp_path_factory, new_world, steps):
    world = new_world(tmp_path_factory.mktemp("clock"))
    with state_database(world.folder) as database:
        clock = world.clock(database)
        last = clock.now().utc_s
        for jump, passed, reboot in steps:
            world.pass_time(passed)
            world.system += jump
            if reboot:
                world.reboot()
            time = clock.now()
            # a reboot may lose up to a minute that was not yet recorded
            assert not time.confirmed or time.utc_s >= last - 61
            last = time.utc_s if time.confirmed else last
