"""Every rule of every pack: from a deployment that passes, one fact is varied, and only that rule speaks."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain

import pytest

from edge.policy.conditions import Condition, FactCondition, RecordCondition
from edge.policy.facts import FACTS
from tests.policy.rules import CASES, Case, base, cases, changed, ids, judge, packs

ALL = tuple(cases())
NAMES = sorted(path.stem for path in CASES.glob("*.yaml") if path.stem != "base")


def test_every_rule_has_a_case_and_every_case_has_a_rule():
    rules = {rule.name for pack in packs() for rule in pack.rules}
    assert {f"{case.pack}/{case.rule}" for case in ALL} == rules


@pytest.mark.parametrize("name", NAMES)
def test_the_deployment_that_cases_start_from_passes(name: str):
    days = {case.on for case in ALL if case.pack == name}
    assert not [ids(judge(base(name), day)) for day in days if ids(judge(base(name), day))]


@pytest.mark.parametrize("case", ALL, ids=str)
def test_one_fact_changes_the_findings_of_that_rule_and_of_no_other(case: Case):
    assert len(case.vary) == 1
    varied = changed(case.base, case.vary)
    assert varied != case.base
    assert ids(judge(varied, case.on)) == case.rules
    if case.lifted_by:
        assert f"{case.pack}/{case.rule}" not in ids(judge(changed(varied, case.lifted_by), case.on))


@pytest.mark.parametrize("case", ALL, ids=str)
def test_every_finding_says_where_it_comes_from_and_what_would_satisfy_it(case: Case):
    by_name = {rule.name: rule for pack in packs() for rule in pack.rules}
    for finding in judge(changed(case.base, case.vary), case.on).findings:
        rule = by_name[finding.id]
        assert rule.citation.url in finding.citation
        assert f"read {rule.read}" in finding.citation
        assert ("NOT CONFIRMED" in finding.citation) == (not rule.confirmed)
        assert rule.missing in finding.citation
        assert finding.satisfy


@pytest.mark.parametrize("name", NAMES)
def test_leaving_a_fact_out_never_helps(name: str):
    """A missing fact blocks with the effect of the rules that need it; no rule's findings ever go away by silence."""
    starts = [base(name), *(changed(case.base, case.vary) for case in ALL if case.pack == name)]
    for start in starts:
        before = ids(judge(start))
        for fact in start:
            after = ids(judge(changed(start, {fact: None})))
            assert before <= after, f"without {fact}: {before - after} went away"


def test_nobody_can_be_silent_about_what_a_core_rule_asks():
    """Nothing declared: every core rule that is in force and not about the build alone has a finding."""
    silent = {key: value for key, value in base().items() if key.startswith(("build.", "model."))}
    verdict = judge(silent)
    about_build = {"nist-8280/groups-reported", "nist-8280/differential"}
    silent_rules = {
        said.rule.name for said in verdict.explained if said.applies and not said.findings and not said.rule.limits
    }
    core = {rule.name for pack in packs() if pack.kind == "core" for rule in pack.rules}
    assert not (silent_rules & core) - about_build
    assert not verdict.certain


def test_no_pack_uses_a_fact_that_nobody_can_declare():
    for pack in packs():
        for rule in pack.rules:
            conditions = [rule.scope, *rule.demands, *([rule.unless] if rule.unless else [])]
            used = set(chain.from_iterable(facts_of(condition) for condition in conditions)) | set(rule.limits)
            assert used <= set(FACTS)


def facts_of(condition: Condition) -> Iterator[str]:
    """Every fact that a condition may look at; ``records`` for a record."""
    if isinstance(condition, FactCondition):
        yield condition.fact
    elif isinstance(condition, RecordCondition):
        yield "records"
    else:
        for part in condition.parts:
            yield from facts_of(part)
