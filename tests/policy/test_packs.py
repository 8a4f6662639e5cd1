"""Reading packs: every mistake at once, each with its line; whatever the bytes are, never an exception."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.policy.packs import NOTICE, load_pack, parse_pack
from tests.policy.rules import packs

GOOD = f"""\
schema: edge/policy-pack/v1
id: example
kind: local
title: An example
summary: What it is about.
notice: {NOTICE}
jurisdictions: [US-IL]
rules:
- id: first
  title: The first rule
  citation: {{title: A law, url: "https://example.org/law", section: "1"}}
  read: 2026-11-22
  confirmed: true
  scope: {{operator.type: [company]}}
  effect: deny
  satisfy: Do something else.
"""


def findings(text: str) -> list[str]:
    pack, found = parse_pack(text, "example.yaml")
    assert (pack is None) == bool(found)
    return [str(finding) for finding in found]


def test_a_pack_is_read():
    pack, found = parse_pack(GOOD, "example.yaml")
    assert not found
    assert pack is not None
    assert [rule.name for rule in pack.rules] == ["example/first"]
    assert pack.jurisdictions == ("US-IL",)


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("effect: deny", "effect: allow", "15:11: policy-pack: rules[0].effect: effect: write deny, require, limit"),
        ("effect: deny", "effect: require", "require: the conditions that must hold are needed"),
        ("effect: deny", "effect: limit", "limit: `fact: {at_most: number}` is needed"),
        ("  effect: deny", "  effect: deny\n  require: {own_claim: true}", "only a rule with `effect: require` has it"),
        ("operator.type: [company]", "operator.type: [companie]", "is none of company, landlord"),
        ("operator.type: [company]", "operator.kind: [company]", 'there is no fact "operator.kind"'),
        ("operator.type: [company]", "scale.people: {over: 3}", "does not fit a fact that is number"),
        ("operator.type: [company]", "safeguards.notice: yes", "only ever asked for with {given: true}"),
        ("operator.type: [company]", "record: {kind: letter}", 'kind: "letter" is none of review'),
        ("operator.type: [company]", "record: {kind: dpia, max_age_days: old}", "a whole number of days"),
        ("confirmed: true", "confirmed: false", "missing: a text is needed here"),
        ("confirmed: true", "confirmed: true\n  missing: much", "a confirmed rule has no `missing:`"),
        ("read: 2026-11-22", "read: yesterday", "is not a date"),
        ("read: 2026-11-22", "from: 2026-01-01\n  until: 2026-01-01\n  read: 2026-11-22", "never be in force"),
        (', section: "1"', "", "names the section, or quotes the words"),
        ("https://example.org", "example.org", "no https address"),
        (NOTICE, "Legal advice.", "write exactly"),
        ("jurisdictions: [US-IL]\n", "", "a local pack says where it applies"),
        ("[US-IL]", "[Illinois]", "is no place"),
        ("kind: local", "kind: core", "a core pack is evaluated everywhere"),
        ("id: example", "id: Example", "the file's name without .yaml"),
        ("Do something else.", "Do as room #5 says.", "satisfy: '#5 says.' is read as a comment"),
        ("satisfy: Do something else.", "", "satisfy: a text is needed here"),
        ("- id: first", "- id: first\n  colour: blue", "unknown key"),
    ],
)
def test_a_mistake_is_told_with_its_place(old: str, new: str, told: str):
    assert old in GOOD
    found = findings(GOOD.replace(old, new, 1))
    assert any(told in line for line in found), found
    assert all(line.startswith("example.yaml") for line in found)


def test_every_mistake_is_told_at_once():
    broken = GOOD.replace("deny", "allow").replace("read: 2026-11-22", "read: never").replace("local", "odd")
    assert len(findings(broken)) >= 3


def test_a_rule_that_is_there_twice_is_told():
    rule = GOOD[GOOD.index("- id") :]
    assert any("twice" in line for line in findings(GOOD + rule))


def test_the_name_of_the_file_is_the_name_of_the_pack(tmp_path: Path):
    file = tmp_path / "other.yaml"
    file.write_text(GOOD)
    assert "the file's name" in str(load_pack(file)[1][0])


@given(st.text())
def test_any_text_is_a_pack_or_a_list_of_findings(text: str):
    assert findings(text), "no text that chance draws is a whole pack"


@given(st.data())
def test_a_pack_with_a_piece_cut_out_or_doubled_never_raises(data: st.DataObject):
    start = data.draw(st.integers(0, len(GOOD)))
    end = data.draw(st.integers(start, min(len(GOOD), start + 60)))
    assert findings(GOOD) == []
    for text in (GOOD[:start] + GOOD[end:], GOOD[:end] + GOOD[start:]):
        assert all(str(finding) for finding in findings(text))


def test_the_shipped_packs_say_what_they_are():
    shipped = {pack.id: pack for pack in packs()}
    core = {"microsoft-2020", "amazon-2020", "ibm-2020", "google-2020", "uber-2020", "nist-8280", "airports-travellers"}
    assert core == {pack.id for pack in shipped.values() if pack.kind == "core"}
    local = {"san-francisco-19b", "portland-bureaus", "portland-34.10", "eu-ai-act", "gdpr-cnil", "illinois-bipa"}
    assert local | {"texas-cubi", "washington-19.375"} == set(shipped) - core
    folder = Path(__file__).resolve().parents[2] / "config" / "policy"
    for file in folder.glob("*.yaml"):
        assert file.read_text(encoding="utf-8").startswith("# Engineering aid, not legal advice.")
