"""How a device stands as the days go by: a warning, then no enrolments, then no claims; never looser than built."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.build.buildfile import BuildFile, load_build
from edge.build.today import CLAIMS, ENROLMENTS, Basis, standing
from edge.policy.packs import NOTICE, Pack, parse_pack
from edge.policy.records import WARN_DAYS
from tests.policy.rules import ROOT, TODAY, packs

CARD = {"calibration": {"groups": {"fmr": {"a": 0.001, "b": 0.002}}}}
#: The office's assessment of 2026-09-14 is younger than 1095 days until this day; gdpr-cnil names 30 days of grace.
ENDS = date(2026, 9, 14) + timedelta(days=1095)
GRACE = timedelta(days=30)


def build(name: str = "build-office.yaml") -> BuildFile:
    read, findings = load_build(ROOT / "config" / "examples" / name)
    assert read is not None, findings
    return read


def subject(**more: object) -> Basis:
    return replace(Basis(build(), packs(), CARD), **more)


def extra(rule: str) -> Pack:
    """A pack with one rule, as one that is added later."""
    pack, findings = parse_pack(
        f"schema: edge/policy-pack/v1\nid: later\nkind: core\ntitle: t\nsummary: s\nnotice: {NOTICE}\nrules:\n"
        "- id: rule\n  title: t\n  citation: {title: c, url: 'https://example.org', section: s}\n"
        f"  read: 2026-11-22\n  confirmed: true\n  satisfy: do it\n{rule}",
        "later.yaml",
    )
    assert pack is not None, findings
    return pack


@pytest.mark.parametrize(
    ("day", "word"),
    [
        (TODAY, "passes"),
        (ENDS - timedelta(days=WARN_DAYS + 1), "passes"),
        (ENDS - timedelta(days=WARN_DAYS), "ending"),
        (ENDS - timedelta(days=1), "ending"),
        (ENDS, "no-enrolments"),
        (ENDS + GRACE - timedelta(days=1), "no-enrolments"),
        (ENDS + GRACE, "no-claims"),
        (ENDS + timedelta(days=4000), "no-claims"),
    ],
)
def test_a_record_that_ends_warns_for_30_days_then_stops_enrolments_and_after_the_grace_claims(day: date, word: str):
    assert standing(subject(), day).word == word


def test_what_is_coming_is_told_with_its_day_soonest_first():
    told = standing(subject(), ENDS - timedelta(days=3)).coming
    assert [(coming.day, coming.what, coming.finding.id) for coming in told] == [
        (ENDS, ENROLMENTS, "gdpr-cnil/impact-assessment")
    ]
    told = standing(subject(), ENDS).coming
    assert [(coming.day, coming.what) for coming in told] == [(ENDS + GRACE, CLAIMS)]


def test_a_rule_that_begins_is_told_before_and_stops_both_at_once():
    later = extra("  from: 2026-12-01\n  effect: deny\n")
    with_it = subject(packs=(*packs(), later))
    before = standing(with_it, TODAY)
    assert (before.word, [(c.day, c.what) for c in before.coming]) == (
        "ending",
        [(date(2026, 12, 1), ENROLMENTS), (date(2026, 12, 1), CLAIMS)],
    )
    assert standing(with_it, date(2026, 12, 1)).word == "no-claims"


def test_an_added_pack_that_speaks_against_it_stops_it_today():
    assert standing(subject(packs=(*packs(), extra("  effect: deny\n"))), TODAY).word == "no-claims"


def test_the_limits_of_the_day_of_the_build_stay_when_rules_end():
    ending = extra("  until: 2027-01-01\n  effect: limit\n  limit: {retention_days: {at_most: 10}}\n")
    built = subject(packs=(*packs(), ending), limits={"retention_days": 10.0})
    assert standing(built, date(2027, 6, 1)).maxima["retention_days"] == 10
    assert standing(replace(built, limits={}), date(2027, 6, 1)).maxima.get("retention_days") is None


def test_another_embedder_is_judged_like_the_first():
    uneven = {"calibration": {"groups": {"fmr": {"a": 0.05, "b": 0.001, "c": 0.001}}}}
    today = standing(subject(card=uneven), TODAY)
    assert [finding.id for finding in today.against_claims] == ["nist-8280/differential"]
    assert standing(subject(card=None), TODAY).word == "no-claims"


def test_a_build_that_declares_nothing_stands_but_for_what_is_certain():
    bench, _ = load_build(ROOT / "config" / "build.yaml")
    assert bench is not None
    today = standing(Basis(bench, packs(), CARD), TODAY)
    assert (today.declared, today.word) == (False, "passes")
    assert today.maxima["retention_days"] == 365
    assert standing(Basis(bench, packs(), None), TODAY).word == "no-claims"


@given(st.integers(0, 1500), st.integers(0, 400))
def test_time_only_ever_tightens(first: int, then: int):
    one = standing(subject(), TODAY + timedelta(days=first))
    two = standing(subject(), TODAY + timedelta(days=first + then))
    assert {f.id for f in one.against_enrolments} <= {f.id for f in two.against_enrolments}
    assert {f.id for f in one.against_claims} <= {f.id for f in two.against_claims}
    assert {f.id for f in two.against_claims} <= {f.id for f in two.against_enrolments}


def test_examples_do_not_lapse_within_a_month_of_their_writing():
    for file in sorted(Path(ROOT / "config" / "examples").glob("build-*.yaml")):
        assert standing(Basis(build(file.name), packs(), CARD), TODAY).word == "passes", file.name
