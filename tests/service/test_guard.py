"""The fan-out guard on a whole device: one face and stolen cards are stopped, written down and shown."""

from __future__ import annotations

import pytest

from edge.fictional import OnePerson
from edge.selftest import run
from edge.service import Device, device_checks
from edge.settings.model import LimitSettings
from edge.types import Outcome, Reason
from edge.types.acts import GuardTripped
from edge.types.events import ClaimRefused, Decided
from tests.service.test_loop import Bench


@pytest.fixture
def bench(tmp_path) -> Bench:
    """ada stands in front of the camera; three different failing cards pause the door."""
    made = Bench(tmp_path, (OnePerson("ada", 600.0),))
    made.device.close()
    limits = LimitSettings(fan_out_cards=3)
    made.settings = made.settings.model_copy(update={"limits": limits})
    made.device = Device.open(made.settings, made.device._parts)
    return made


def test_one_face_and_many_stolen_cards_are_stopped_journalled_and_shown(bench):
    cards = [bench.token(name) for name in ("chen", "dara", "emil", "goran", "isak")]
    events = bench.run("".join(f"{card}\n" for card in cards).encode())
    assert [reason for _, reason in bench.decisions()] == [Reason.NOT_MATCHING] * 3 + [Reason.DOOR_PAUSED] * 2
    assert all(outcome is Outcome.REJECT for outcome, _ in bench.decisions())
    decided = [e.decision for e in events if isinstance(e, Decided | ClaimRefused)]
    assert [decision.looks for decision in decided][3:] == [0, 0], "no comparison once it has tripped"
    shown = [e for e in events if isinstance(e, GuardTripped)]
    assert [(e.level, e.cards, e.wait_s) for e in shown] == [(1, 3, 60)], "told once, not for every claim"
    assert [e.wait_s > 0 for e in events if isinstance(e, ClaimRefused)] == [True, True]
    with Device.open(bench.settings, bench.device._parts) as again:
        entries = [e for e in again._ledger.journal.last(30) if e.kind == "fan_out"]
        assert [dict(e.fields) for e in entries] == [{"level": 1, "cards": 3, "wait": 60}], "once, not for every claim"


def test_people_who_pass_do_not_trip_it(bench):
    card = bench.token("ada")
    bench.run(f"{card}\n".encode() * 6)
    assert {outcome for outcome, _ in bench.decisions()} == {Outcome.ACCEPT}
    assert not [e for e in bench.events if isinstance(e, GuardTripped)]


def test_the_self_test_shows_a_trip_as_a_warning_with_the_way_to_clear_it(bench):
    for name in ("chen", "dara", "emil"):
        bench.device.verify(bench.token(name))
    with device_checks(None, device=bench.device) as found:
        (check,) = (check for check in found if check.name == "fan-out guard")
        report = run([check])
    assert report.fit, "the door still works, after the wait"
    assert not report.results[0].ok
    assert "3 different cards" in report.results[0].what
    assert "edge reset --door" in report.results[0].remedy
    bench.device._limits.reset_door("kim")
    assert "0 different cards" in check.run()
    bench.device.close()
