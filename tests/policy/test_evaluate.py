"""The semantics: three-valued scope, deny, require, limit, dates, and that more rules only ever forbid more."""

from __future__ import annotations

from datetime import date, timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from edge.policy.evaluate import APPLIES, EXEMPT, MAY, NOT_NOW, OUTSIDE, Verdict, evaluate
from edge.policy.facts import FACTS, Facts
from edge.policy.packs import NOTICE, Pack, parse_pack
from tests.policy.rules import TODAY, base, changed, facts, ids, packs

HEAD = f"schema: edge/policy-pack/v1\ntitle: t\nsummary: s\nnotice: {NOTICE}\n"
RULE = """\
- id: {id}
  title: t
  citation: {{title: c, url: "https://example.org", section: s}}
  read: 2026-11-22
  confirmed: true
  satisfy: s
"""


def pack(*rules: str, head: str = "id: pp\nkind: core\n") -> Pack:
    """A pack of rules, each given by its keys beyond the common ones."""
    text = HEAD + head + "rules:\n"
    for number, more in enumerate(rules):
        text += RULE.format(id=f"r{number}") + "".join(f"  {line}\n" for line in more.splitlines())
    read, findings = parse_pack(text, "p.yaml")
    assert read is not None, findings
    return read


def judge(one: Pack, on: date = TODAY, **values: object) -> Verdict:
    given_facts = {key.replace("__", "."): value for key, value in values.items()}
    return evaluate(Facts(given_facts), [one], on)


def states(verdict: Verdict) -> list[str]:
    return [said.state for said in verdict.explained]


def test_scope_is_true_false_or_unknown_and_unknown_applies():
    rule = pack("effect: deny\nscope: {operator.type: [police]}")
    assert states(judge(rule, operator__type="police")) == [APPLIES]
    assert states(judge(rule, operator__type="company")) == [OUTSIDE]
    unknown = judge(rule)
    assert states(unknown) == [MAY]
    assert unknown.findings[0].what.endswith("operator.type is not declared")


def test_an_exception_lifts_a_rule_only_when_it_is_known_to_hold():
    rule = pack("effect: deny\nunless: {custody: card}")
    assert states(judge(rule, custody="card")) == [EXEMPT]
    assert not judge(rule, custody="card").findings
    assert judge(rule, custody="device").findings
    assert judge(rule).findings


def test_a_requirement_that_nobody_has_declared_is_not_met():
    rule = pack("effect: require\nrequire: {own_claim: true, safeguards.notice: {given: true}}")
    assert len(judge(rule).findings) == 2
    assert len(judge(rule, own_claim=True).findings) == 1
    assert not judge(rule, own_claim=True, safeguards__notice="a sign").findings


def test_from_counts_and_until_does_not():
    rule = pack("effect: deny\nfrom: 2020-06-10\nuntil: 2021-06-10")
    first, last = date(2020, 6, 10), date(2021, 6, 10)
    assert [bool(judge(rule, day).findings) for day in (first - timedelta(1), first, last - timedelta(1), last)] == [
        False,
        True,
        True,
        False,
    ]
    assert states(judge(rule, last)) == [NOT_NOW]


def test_the_least_maximum_and_the_greatest_minimum_are_what_is_left():
    rules = pack(
        "effect: limit\nlimit: {retention_days: {at_most: 1095, at_least: 1}}",
        "effect: limit\nlimit: {retention_days: {at_most: 365, at_least: 7}}",
    )
    verdict = judge(rules, retention_days=365)
    left = verdict.limits["retention_days"]
    assert (left.least, left.most, left.by) == (7, 365, ("pp/r0", "pp/r1"))
    assert not verdict.findings
    assert ids(judge(rules, retention_days=366)) == {"pp/r1"}
    assert ids(judge(rules, retention_days=6)) == {"pp/r1"}
    assert ids(judge(rules)) == {"pp/r0", "pp/r1"}


def test_limits_that_leave_nothing_are_a_finding_that_names_both():
    rules = pack(
        "effect: limit\nlimit: {retention_days: {at_most: 10}}",
        "effect: limit\nlimit: {retention_days: {at_least: 20}}",
    )
    clash = next(
        finding for finding in judge(rules, retention_days=10).findings if finding.id == "limit/retention_days"
    )
    assert "at least 20 and at most 10" in clash.what
    assert "pp/r0, pp/r1" in clash.satisfy


def test_a_local_pack_applies_in_its_place_and_where_a_build_takes_it_on():
    local = pack("effect: deny", head="id: pp\nkind: local\njurisdictions: [US-IL]\n")
    assert judge(local, jurisdictions=("US-IL",)).findings
    assert judge(local, jurisdictions=("US",)).findings  # it may lie there
    assert not judge(local, jurisdictions=("FR",)).findings
    assert evaluate(Facts({"jurisdictions": ("FR",)}), [local], TODAY, taken_on=["pp"]).findings


def test_a_record_counts_until_its_end_and_for_its_grace_where_that_is_asked():
    rule = pack("effect: require\nrequire: {record: {kind: dpia, max_age_days: 100, grace_days: 5}}")
    record = {"kind": "dpia", "name": "d", "date": "2026-01-01"}
    last = date(2026, 1, 1) + timedelta(100)

    def found(day: date, *, in_grace: bool = False) -> bool:
        return bool(evaluate(Facts({}, (record,), {}, in_grace), [rule], day).findings)

    assert [found(last), found(last + timedelta(1))] == [False, True]
    assert [found(last + timedelta(5), in_grace=True), found(last + timedelta(6), in_grace=True)] == [False, True]
    assert found(date(2025, 12, 31))  # dated in the future


def test_the_record_that_lasts_longest_counts():
    rule = pack("effect: require\nrequire: {record: {kind: dpia, max_age_days: 100}}")
    records = tuple({"kind": "dpia", "name": day, "date": day} for day in ("2026-10-01", "2026-11-01", "2026-09-01"))
    (proof,) = evaluate(Facts({}, records), [rule], TODAY).explained[0].proofs
    assert proof.name == "2026-11-01"


def test_nothing_is_declared_and_only_the_build_itself_counts_for_sure():
    rules = pack(
        "effect: deny\nscope: {build.attribute_inference: true}",
        "effect: deny\nscope: {operator.type: [police]}",
        "effect: limit\nlimit: {model.differential: {at_most: 4}}",
    )
    built = {"build__attribute_inference": True, "model__differential": 9.0}
    assert {finding.id for finding in judge(rules, **built).certain} == {"pp/r0", "pp/r2"}


_SUBSETS = st.sets(st.sampled_from([one.id for one in packs()]))
_DECLARED = [fact for fact in base() if not fact.startswith("records.") and FACTS[fact].declared]


@settings(max_examples=60)
@given(
    _SUBSETS,
    _SUBSETS,
    st.sets(st.sampled_from(_DECLARED), max_size=4),
    st.sampled_from(["JP", "US-IL", "FR", "US PDX"]),
)
def test_more_packs_only_ever_forbid_more(some: set[str], more: set[str], silent: set[str], place: str):
    known = facts(changed({**base(), "jurisdictions": [place]}, dict.fromkeys(silent)))
    few = evaluate(known, [one for one in packs() if one.id in some], TODAY)
    many = evaluate(known, [one for one in packs() if one.id in some | more], TODAY)
    assert ids(few) <= ids(many)
    for fact, limit in few.limits.items():
        assert many.limits[fact].most is None or limit.most is None or many.limits[fact].most <= limit.most


@given(_SUBSETS)
def test_taking_a_pack_on_only_ever_forbids_more(taken_on: set[str]):
    known = facts(base())
    assert ids(evaluate(known, packs(), TODAY)) <= ids(evaluate(known, packs(), TODAY, taken_on=taken_on))
