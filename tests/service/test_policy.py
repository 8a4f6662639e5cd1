"""The rules on a running device: looked at every day, written down, shown, and never while a claim is open."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from edge.build.added import RefusedPack
from edge.errors import PolicyStops
from edge.fictional import OnePerson
from edge.selftest import run
from edge.service import device_checks
from edge.service.desk import enrolment_on
from edge.service.policy import PolicyWatch
from edge.types import Outcome
from tests.build.test_today import ENDS, GRACE, subject
from tests.policy.rules import TODAY
from tests.service.test_loop import Bench

NOON = 12 * 3600


class Watched(Bench):
    """A device in the example office, on a day of our choice."""

    def __init__(self, folder: Path, script) -> None:
        super().__init__(folder, script)
        self.day, self.reviews = TODAY, 0
        self.faults: tuple[RefusedPack, ...] = ()
        device = self.device
        device.policy = PolicyWatch(
            self.settings.device, device.build, {}, device.tell, self.utc_s, lambda: (self.subject(), self.faults)
        )

    def subject(self):
        self.reviews += 1
        return subject()

    def utc_s(self) -> int:
        return int(datetime(self.day.year, self.day.month, self.day.day, tzinfo=UTC).timestamp()) + NOON

    def journal(self) -> list[dict]:
        return [dict(entry.fields) for entry in self.device._ledger.journal.last(50) if entry.kind == "policy"]

    def checks(self) -> dict[str, tuple[bool, bool, str]]:
        with device_checks(None, device=self.device) as found:
            report = run([check for check in found if check.name.startswith("policy")])
        return {result.name: (result.ok, result.needed, result.what) for result in report.results}


@pytest.fixture
def bench(tmp_path: Path):
    made = Watched(tmp_path, (OnePerson("ada", 600.0),))
    yield made
    made.device.close()


def test_a_device_that_stands_well_says_how_many_rules_apply_and_writes_nothing(bench: Watched):
    assert bench.checks() == {
        "policy": (True, True, f"12 rules apply on {TODAY}"),
        "policy ahead": (True, False, "nothing within 30 days"),
    }
    assert bench.journal() == []


def test_what_ends_within_a_month_is_a_warning_that_leaves_the_device_fit(bench: Watched):
    bench.day = ENDS - timedelta(days=3)
    ok, needed, what = bench.checks()["policy ahead"]
    assert (ok, needed) == (False, False)
    assert f"enrolments stop on {ENDS}: gdpr-cnil/impact-assessment" in what
    assert bench.checks()["policy"][0]
    assert bench.journal() == [{"standing": "ending", "findings": 1, "rule": "gdpr-cnil/impact-assessment"}]


def test_after_its_end_nobody_is_enrolled_and_claims_go_on_for_the_grace(bench: Watched):
    token = bench.token("ada")
    bench.day = ENDS
    with pytest.raises(PolicyStops, match=r"stop new enrolments: gdpr-cnil/impact-assessment.*ended on"):
        enrolment_on(bench.device)
    bench.run((token + "\n").encode())
    assert [outcome for outcome, _ in bench.decisions()] == [Outcome.ACCEPT]


def test_after_the_grace_the_loop_ends_before_a_claim_is_decided_and_the_self_test_fails(bench: Watched):
    token = bench.token("ada")
    bench.day = ENDS + GRACE
    ok, needed, what = bench.checks()["policy"]
    assert (ok, needed) == (False, True)
    assert "stop every claim" in what
    with pytest.raises(PolicyStops, match="stop every claim"):
        bench.run((token + "\n").encode())
    assert bench.decisions() == []


def test_the_standing_is_journalled_when_it_changes_and_only_then(bench: Watched):
    for offset in (-40, -20, -10, 0, 1, 30):
        bench.day = ENDS + timedelta(days=offset)
        bench.device.policy.review()
    assert [entry["standing"] for entry in bench.journal()] == ["ending", "no-enrolments", "no-claims"]


def test_a_better_standing_is_journalled_as_well(bench: Watched):
    bench.day = ENDS
    bench.device.policy.review()
    bench.day = TODAY
    bench.device.policy.review()
    assert [entry["standing"] for entry in bench.journal()] == ["no-enrolments", "passes"]


def test_the_rules_are_looked_at_once_a_day_and_never_for_a_claim(bench: Watched):
    token = bench.token("ada")
    bench.device.policy.visit()
    assert bench.reviews == 1
    for _ in range(5):
        bench.device.policy.visit()
        bench.device.verify(token)
    assert bench.reviews == 1
    bench.day += timedelta(days=1)
    bench.device.policy.visit()
    assert bench.reviews == 2


def test_an_added_file_that_does_not_count_is_a_warning(bench: Watched):
    bench.faults = (RefusedPack("old.dsse.json", "not signed by a key that this device trusts in this role"),)
    ok, needed, what = bench.checks()["policy ahead"]
    assert (ok, needed) == (False, False)
    assert "old.dsse.json is not valid" in what


def test_a_development_install_stands_nowhere_and_reads_no_pack(tmp_path: Path):
    plain = Bench(tmp_path, ())
    with plain.device as device:
        today = device.policy.review()
        assert (today.declared, today.word, today.verdict) == (False, "passes", None)
        device.policy.need_claims()
        device.policy.need_enrolments()


def test_what_the_rules_leave_bounds_how_long_the_device_keeps_things(bench: Watched):
    bench.device.policy.review()
    assert bench.device.retention.journal_days <= 90


def test_templates_lie_where_the_build_declares_or_nobody_is_enrolled(bench: Watched):
    declared = {"deployment": {"custody": "device"}}
    bench.device._build = replace(bench.device.build, statement=declared)
    with pytest.raises(PolicyStops, match="the build declares device custody"):
        enrolment_on(bench.device)
    assert not bench.checks()["policy"][0]
    bench.device._build = replace(bench.device.build, statement={"deployment": {"custody": "card"}})
    enrolment_on(bench.device)
    assert bench.checks()["policy"][0]
