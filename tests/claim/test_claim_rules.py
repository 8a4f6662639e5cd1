"""When and where a genuine token counts."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from edge.claim import check_door, check_time
from edge.errors import TokenExpired, TokenNotYetValid, WrongDoor
from edge.settings.model import Schedule
from edge.types import Claim, Custody

CLAIM = Claim(Custody.DEVICE, bytes(16), bytes(16), 1, ("lab", "main"), 1000, 2000, bytes(32))


def at(text: str) -> float:
    """Unix seconds of a UTC moment; 2026-06-01 and 2026-01-05 are Mondays."""
    return datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()


def opens(schedule: Schedule, moment: str) -> bool:
    try:
        check_door(CLAIM, "lab", schedule, at(moment))
    except WrongDoor:
        return False
    return True


@pytest.mark.parametrize("now", [1000, 1000.0, 1500, 1999.9])
def test_a_token_counts_from_its_first_moment_until_before_its_last(now: float):
    check_time(CLAIM, now)


def test_before_and_after_it_does_not_count_and_says_since_when():
    with pytest.raises(TokenNotYetValid, match="1970-01-01 00:16"):
        check_time(CLAIM, 999.9)
    with pytest.raises(TokenExpired, match="1970-01-01 00:33"):
        check_time(CLAIM, 2000)


def test_a_door_opens_for_its_own_group_only():
    check_door(CLAIM, "main", None, 0)
    for group in ("other", "la", "labs", ""):
        with pytest.raises(WrongDoor):
            check_door(CLAIM, group, None, 0)


def test_hours_begin_inclusive_and_end_exclusive():
    schedule = Schedule(mon=("07:00-12:00", "13:00-19:00"))
    moments = {"06:59:59": False, "07:00": True, "11:59:59": True, "12:00": False, "13:00": True, "19:00": False}
    assert {time: opens(schedule, f"2026-06-01T{time}") for time in moments} == moments
    assert not opens(schedule, "2026-06-02T08:00")


def test_the_last_minute_of_a_day_belongs_to_24_00():
    schedule = Schedule(mon=("22:00-24:00",), tue=("00:00-06:00",))
    assert opens(schedule, "2026-06-01T23:59:59")
    assert opens(schedule, "2026-06-02T00:00")
    assert not opens(schedule, "2026-06-02T06:00")
    assert not opens(schedule, "2026-06-01T00:30")


def test_hours_are_the_wall_clock_s_of_the_zone_in_summer_and_in_winter():
    schedule = Schedule(timezone="Europe/Paris", mon=("07:00-08:00",))
    assert [opens(schedule, f"2026-06-01T0{h}:30") for h in (4, 5, 6)] == [False, True, False]
    assert [opens(schedule, f"2026-01-05T0{h}:30") for h in (5, 6, 7)] == [False, True, False]


def test_a_zone_may_be_on_another_day_than_utc():
    schedule = Schedule(timezone="Pacific/Auckland", tue=("08:00-09:00",))
    assert opens(schedule, "2026-06-01T20:30")


def test_a_schedule_without_hours_is_always_closed():
    assert not any(opens(Schedule(), f"2026-06-0{day}T12:00") for day in range(1, 8))


@pytest.mark.parametrize(
    "wrong",
    [
        {"mon": ("22:00-06:00",)},
        {"mon": ("07:00-07:00",)},
        {"mon": ("23:00-24:30",)},
        {"timezone": "Mars/Olympus"},
        {"timezone": "../../etc/passwd"},
    ],
)
def test_hours_that_these_rules_could_misread_are_no_schedule_at_all(wrong: dict[str, object]):
    with pytest.raises(ValueError):
        Schedule(**wrong)


def test_a_card_made_a_moment_ago_counts_at_a_clock_that_is_a_little_behind():
    check_time(CLAIM, 940, skew_s=60)
    with pytest.raises(TokenNotYetValid):
        check_time(CLAIM, 939, skew_s=60)
    with pytest.raises(TokenExpired):
        check_time(CLAIM, 2000, skew_s=60)


def test_the_first_moment_is_measured_by_the_time_believed_and_the_last_by_the_time_used():
    with pytest.raises(TokenNotYetValid):
        check_time(CLAIM, 1500, believed_s=900)
    with pytest.raises(TokenExpired):
        check_time(CLAIM, 2500, believed_s=1500)
