"""The local packs beyond their cases: where each applies, since when, what lifts it, and what it leaves to a device."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest

from edge.policy.evaluate import APPLIES, EXEMPT, MAY, NOT_NOW, OUTSIDE, evaluate
from edge.policy.packs import NOTICE, Pack
from edge.policy.places import UNIONS, lies_in
from tests.policy.rules import ROOT, TODAY, base, changed, facts, ids, judge, packs

PLACES = {
    "san-francisco-19b": ["US SFO"],
    "portland-bureaus": ["US PDX"],
    "portland-34.10": ["US PDX"],
    "eu-ai-act": ["EU"],
    "gdpr-cnil": ["EEA", "BL", "NC", "PF", "PM", "TF", "WF"],
    "illinois-bipa": ["US-IL"],
    "texas-cubi": ["US-TX"],
    "washington-19.375": ["US-WA"],
}
ADVICE = {"name": "Advice of counsel", "date": "2026-01-15"}
EXCEPTION = {"name": "Exception of the Code", "date": "2026-01-15"}
AUTHORITIES = ("public-body", "city-department", "police", "law-enforcement")


def local() -> list[Pack]:
    return [pack for pack in packs() if pack.kind == "local"]


def states(dotted: dict[str, Any], on: date = TODAY, **more: Any) -> dict[str, str]:
    """Rule -> what it says of a deployment, local packs only."""
    names = {pack.id for pack in local()}
    return {said.rule.name: said.state for said in judge(dotted, on, **more).explained if said.rule.pack in names}


def at(*places: str, **more: Any) -> dict[str, Any]:
    """The deployment of base.yaml somewhere else."""
    return changed(base(), {"jurisdictions": list(places), **more})


def speaking(*places: str) -> set[str]:
    """The local packs with a rule that applies, or may apply, to a private operator's office there."""
    return {name.split("/")[0] for name, state in states(at(*places)).items() if state in (APPLIES, MAY)}


def test_the_local_packs_are_those_of_the_issue_each_with_its_places():
    assert {pack.id: list(pack.jurisdictions) for pack in local()} == PLACES


@pytest.mark.parametrize("name", sorted(PLACES))
def test_a_pack_says_first_that_it_is_no_legal_advice(name: str):
    text = (ROOT / "config" / "policy" / f"{name}.yaml").read_text(encoding="utf-8")
    assert text.startswith(f"# {NOTICE}")


def test_rules_whose_source_was_not_read_say_what_is_missing_and_what_was_read_instead():
    for pack in local():
        for rule in pack.rules:
            assert rule.read <= TODAY
            assert rule.confirmed or "read" in rule.missing.lower(), rule.name
            assert rule.citation.url.startswith("http")


@pytest.mark.parametrize("country", sorted(UNIONS["EU"]))
def test_the_european_packs_apply_by_themselves_in_every_member_state(country: str):
    assert speaking(country) == {"eu-ai-act", "gdpr-cnil"}


@pytest.mark.parametrize("country", ["NO", "IS", "LI", "SJ", "NC", "FR-PF", "PM"])
def test_the_gdpr_holds_beyond_the_union_where_an_agreement_or_the_french_act_carries_it(country: str):
    assert speaking(country) == {"gdpr-cnil"}


@pytest.mark.parametrize("place", ["RE", "GP", "FR-974", "NC"])
def test_the_rules_of_the_cnil_hold_in_every_part_of_france(place: str):
    assert states(at(place))["gdpr-cnil/access-log"] == APPLIES
    assert states(at("NO"))["gdpr-cnil/access-log"] == OUTSIDE


def test_a_locality_that_no_table_knows_may_lie_under_every_law_of_its_country_whatever_stands_beside_it():
    assert {"illinois-bipa", "texas-cubi", "washington-19.375"} <= speaking("US-CA", "US NPV")
    assert speaking("US-CA elsewhere") == set()


@pytest.mark.parametrize(
    "places",
    [["JP"], ["GB"], ["CH"], ["US-NV"], ["US-CA elsewhere"], ["US-OR elsewhere"], ["US-CA", "US-CA elsewhere"]],
    ids=" ".join,
)
def test_elsewhere_no_local_pack_speaks(places: list[str]):
    assert speaking(*places) == set()


@pytest.mark.parametrize(
    ("place", "packs"),
    [
        ("US-IL", {"illinois-bipa"}),
        ("US CHI", {"illinois-bipa"}),
        ("US-TX", {"texas-cubi"}),
        ("US-WA", {"washington-19.375"}),
        ("US SEA", {"washington-19.375"}),
    ],
)
def test_the_packs_of_the_states_apply_in_the_state_and_in_its_cities(place: str, packs: set[str]):
    assert speaking(place) == packs


def test_a_declaration_too_coarse_to_exclude_a_state_is_judged_by_its_rules():
    """Somewhere in the United States: it may be Illinois, Texas or Washington."""
    assert {"illinois-bipa", "texas-cubi", "washington-19.375"} <= speaking("US")


def test_in_a_city_with_a_ban_a_declaration_of_the_state_alone_blocks_its_departments():
    assert "san-francisco-19b/city-departments" in ids(judge(at("US-CA", **{"operator.type": "city-department"})))
    assert "san-francisco-19b/city-departments" not in ids(
        judge(at("US-CA elsewhere", **{"operator.type": "city-department"}))
    )


def test_the_rules_of_the_cnil_are_for_france_and_the_gdpr_for_the_union():
    germany, france = states(at("DE")), states(at("FR"))
    french = {"gdpr-cnil/custody", "gdpr-cnil/access-log", "gdpr-cnil/no-time-keeping"}
    assert {name for name, state in germany.items() if state == OUTSIDE} >= french
    assert {name for name, state in france.items() if state == APPLIES} >= french
    assert germany["gdpr-cnil/impact-assessment"] == germany["gdpr-cnil/explicit-consent"] == APPLIES


def test_who_says_no_more_than_the_union_may_be_in_france():
    assert lies_in(["EU"], "FR") is None
    assert lies_in(["DE"], "FR") is False
    assert lies_in(["EU"], "US") is False
    assert states(at("EU"))["gdpr-cnil/access-log"] == MAY


def test_a_build_can_take_a_pack_on_anywhere():
    tokyo = at("JP", **{"records.dpia": None})
    assert not judge(tokyo).findings
    assert ids(evaluate(facts(tokyo), packs(), TODAY, taken_on=["gdpr-cnil"])) == {"gdpr-cnil/impact-assessment"}


@pytest.mark.parametrize("operator", AUTHORITIES)
@pytest.mark.parametrize("place", ["US CHI", "US-TX", "US SEA", "US PDX"])
def test_laws_for_private_entities_are_silent_about_authorities(operator: str, place: str):
    private = {"illinois-bipa", "texas-cubi", "washington-19.375", "portland-34.10"}
    declared = at(place, **{"operator.type": operator, "premises.public_accommodation": True})
    assert {state for name, state in states(declared).items() if name.split("/")[0] in private} == {OUTSIDE}


@pytest.mark.parametrize("pack", ["san-francisco-19b", "portland-bureaus"])
def test_nothing_that_can_be_recorded_opens_a_citys_own_ban(pack: str):
    declared = changed(base(pack), {"operator.type": "city-department"})
    for kind in ("exception", "counsel-advice", "legal-framework", "review", "legal-basis"):
        declared[f"records.{kind}"] = {"name": "Any", "date": "2026-01-15", "section": "any", "by": "Ada"}
    assert {finding.split("/")[0] for finding in ids(judge(declared))} == {pack}


def test_the_citys_ban_covers_one_to_one():
    """The deployment that is refused compares people with nothing but their own claim."""
    declared = base("san-francisco-19b")
    assert declared["own_claim"] is True
    assert declared["build.one_to_many_search"] is False
    assert "san-francisco-19b/city-departments" in ids(judge(changed(declared, {"operator.type": "city-department"})))


@pytest.mark.parametrize(
    ("record", "counts"),
    [
        ({"records.counsel-advice": {**ADVICE, "section": "34.10.020.A"}}, True),
        ({"records.counsel-advice": {**ADVICE, "section": "34.10.030"}}, False),
        ({"records.counsel-advice": ADVICE}, False),
        ({"records.counsel-advice": {**ADVICE, "section": "34.10.020.A", "date": "2026-11-23"}}, False),
        ({"records.counsel-advice": {**ADVICE, "section": "34.10.020.A", "expires": "2026-11-22"}}, False),
        ({"records.exception": {**EXCEPTION, "section": "34.10.040"}}, True),
        ({"records.exception": EXCEPTION}, False),
        ({"records.review": {**EXCEPTION, "section": "34.10.040", "by": "Ada"}}, False),
    ],
)
def test_in_a_place_of_public_accommodation_the_right_record_counts_and_no_other(record: dict[str, Any], counts: bool):
    cinema = changed(base("portland-34.10"), {"premises.kind": "venue", "premises.public_accommodation": True})
    verdict = judge(changed(cinema, record))
    assert (not verdict.findings) is counts
    assert (states(changed(cinema, record))["portland-34.10/private-operators"] == EXEMPT) is counts


@pytest.mark.parametrize(
    ("pack", "first"), [("portland-34.10", date(2021, 1, 1)), ("portland-bureaus", date(2020, 9, 9))]
)
def test_portlands_rules_begin_on_their_day(pack: str, first: date):
    operator = "company" if pack == "portland-34.10" else "city-department"
    declared = changed(base(pack), {"operator.type": operator, "premises.public_accommodation": True})
    before = states(declared, first - timedelta(days=1))
    assert {state for name, state in before.items() if name.startswith(f"{pack}/")} == {NOT_NOW}
    assert any(finding.startswith(f"{pack}/") for finding in ids(judge(declared, first)))


def test_an_impact_assessment_counts_for_three_years_and_claims_for_thirty_days_more():
    declared = changed(base("gdpr-cnil"), {"records.dpia": {"name": "Assessment", "date": "2024-01-01"}})
    (proof,) = next(
        said.proofs for said in judge(declared).explained if said.rule.name == "gdpr-cnil/impact-assessment"
    )
    assert proof.ends == date(2024, 1, 1) + timedelta(days=1095)
    last = proof.ends - timedelta(days=1)
    assert "gdpr-cnil/impact-assessment" not in ids(judge(declared, last))
    assert "gdpr-cnil/impact-assessment" in ids(judge(declared, proof.ends))
    claims = proof.ends + timedelta(days=29)
    assert "gdpr-cnil/impact-assessment" not in ids(judge(declared, claims, in_grace=True))
    assert "gdpr-cnil/impact-assessment" in ids(judge(declared, claims + timedelta(days=1), in_grace=True))


@pytest.mark.parametrize(
    ("place", "fact", "most", "by"),
    [
        ("FR", "access_log_days", 90, ("gdpr-cnil/access-log",)),
        ("US-IL", "retention_days", 1095, ("illinois-bipa/three-years",)),
        ("US-TX", "retention_days", 365, ("texas-cubi/one-year",)),
    ],
)
def test_limits_reach_the_device(place: str, fact: str, most: int, by: tuple[str, ...]):
    limit = judge(at(place)).limits[fact]
    assert (limit.most, limit.least, limit.by) == (most, None, by)


def test_where_two_laws_bound_the_same_number_the_stricter_counts():
    assert judge(at("US-IL", "US-TX")).limits["retention_days"].most == 365
    assert judge(at("US-IL", "US-TX", retention_days=1000)).findings[0].id == "texas-cubi/one-year"


def test_somebody_at_home_is_asked_for_consent_but_not_for_an_assessment():
    declared = at("FR", **{"operator.type": "private-person", "records.dpia": None, "access_log_days": 400})
    assert "gdpr-cnil/impact-assessment" not in ids(judge(declared))
    assert "gdpr-cnil/explicit-consent" in ids(judge(changed(declared, {"safeguards.consent": "implied"})))
