"""The declared deployment, and the build that is refused for it: every finding, each with its line."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from datetime import date
from pathlib import Path

import pytest

from edge.build.buildfile import load_build
from edge.build.judge import judge, of_card, refusals, review_of, reviews
from edge.build.plan import plan
from edge.errors import BuildRefused
from edge.policy.facts import FACTS
from edge.trust.envelopes import REVIEW, Signer, sign
from tests.policy.rules import ROOT, TODAY, packs

EXAMPLES = ROOT / "config" / "examples"
OFFICE = EXAMPLES / "build-office.yaml"


@pytest.fixture
def office(tmp_path: Path) -> Callable[..., Path]:
    """``office((old, new), ...)`` -> the office's build file with pieces of text replaced."""

    def write(*changes: tuple[str, str]) -> Path:
        text = OFFICE.read_text()
        for old, new in changes:
            assert old in text, old
            text = text.replace(old, new, 1)
        file = tmp_path / "build.yaml"
        file.write_text(text)
        return file

    return write


def told(file: Path) -> list[str]:
    build, findings = load_build(file)
    assert (build is None) == bool(findings)
    return [str(finding).removeprefix(str(file)) for finding in findings]


@pytest.mark.parametrize("name", ["office", "residential", "driver-kiosk"])
def test_the_example_deployments_pass_every_pack(name: str):
    build, findings = load_build(EXAMPLES / f"build-{name}.yaml")
    assert build is not None, findings
    verdict = judge(
        build, packs(), TODAY, card={"calibration": {"groups": {"fmr": {"a": 0.001, "b": 0.002}}}}, reviews={}
    )
    assert verdict.findings == ()
    assert any(said.applies for said in verdict.explained)


def test_the_shipped_build_file_names_every_fact_that_can_be_declared():
    text = (ROOT / "config" / "build.yaml").read_text()
    for fact in FACTS.values():
        if fact.declared:
            assert f"{fact.path.rsplit('.', 1)[-1]}:" in text, fact.path
            assert all(word in text for word in fact.allowed[:3]), fact.path


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ("type: company", "type: companie", 'deployment.operator.type: "companie" is none of company, landlord'),
        ("type: company", "typ: company", 'unknown fact "typ", did you mean type?'),
        ("jurisdictions: [FR]", "jurisdictions: [France]", '"France"] is no place'),
        ("jurisdictions: [FR]", "jurisdictions: [fr]", "is no place such as FR"),
        ("purpose: [access-control]", "purpose: [acess-control]", "is none of access-control"),
        ("own_claim: true", "own_claim: yes", "is not true or false"),
        ("people: 240", "people: many", "is not a whole number of 0 or more"),
        ("retention_days: 365", "retention_days: -1", "is not a whole number of 0 or more"),
        ("kind: dpia", "kind: dipa", '"dipa" is no kind of record'),
        ("date: 2026-09-14", "date: 14.9.2026", "is not a date"),
        ("    by: Data protection officer\n", "    file: ../secret.dsse.json\n", "is no signed record"),
        ("    name: Impact assessment of the doors\n", "", "the record has no name"),
        ("  safeguards:\n", "  safeguards: [all]\n  x:\n", "this is not a section"),
        ("profile: device", "profile: lab", "a build of the profile lab has no place of its own"),
        ("deployment:\n", "policy_packs: gdpr-cnil\ndeployment:\n", "this is not a list of packs"),
        ("deployment:\n", "deployments:\n", 'unknown key "deployments", did you mean deployment?'),
        ("name: Exemple SAS", "name: Exemple SAS #5", "deployment.operator.name: '#5' is read as a comment"),
        ("    name: Impact assessment", "    by: Room # 5\n    name: Impact", "'# 5' is read as a comment"),
        ("  custody: card", "  build.profile: device\n  custody: card", "unknown fact"),
        ("  custody: card", "  model: {differential: 1}\n  custody: card", "unknown fact"),
    ],
)
def test_a_mistake_is_told_with_its_place(office: Callable[..., Path], old: str, new: str, expected: str):
    found = told(office((old, new)))
    assert any(expected in line for line in found), found
    assert all(line.startswith(":") and line.split(":")[1].isdigit() for line in found)


def test_the_line_is_the_line(office: Callable[..., Path]):
    file = office(("custody: card", "custody: cloud"))
    line = next(number for number, row in enumerate(file.read_text().splitlines(), 1) if "custody: cloud" in row)
    assert told(file)[0].startswith(f":{line}:12: deployment: deployment.custody:")


def test_a_build_is_refused_with_every_finding_its_line_citation_and_what_would_satisfy_it(
    tree: Path, office: Callable[..., Path]
):
    file = office(
        ("type: company", "type: police"),
        ("jurisdictions: [FR]", "jurisdictions: [US-NV]"),
        ("devices: 6", "devices: 600"),
    )
    with pytest.raises(BuildRefused) as refused:
        plan(tree, "0.1.0", {"EDGE_BUILD_CONFIG": str(file)})
    found = {line.split(": ")[1]: line for line in refused.value.findings}
    assert set(found) == {
        "microsoft-2020/police-without-national-law",
        "microsoft-2020/large-scale",
        "amazon-2020/further-notice",
    }
    line = next(number for number, row in enumerate(file.read_text().splitlines(), 1) if "type: police" in row)
    police = found["microsoft-2020/police-without-national-law"]
    assert police.startswith(f"{file}:{line}:")
    assert "https://www.washingtonpost.com" in police
    assert "read 2026-11-22" in police
    assert "Record the national law" in police
    assert "NOT CONFIRMED: no number of devices" in found["microsoft-2020/large-scale"]


def test_pip_wheel_refuses_a_deployment_that_a_rule_speaks_against(tree: Path, office: Callable[..., Path]):
    file = office(("consent: explicit-written", "consent: implied"))
    command = [sys.executable, "-m", "pip", "wheel", "--no-build-isolation", "--no-deps", "-w", "dist", "."]
    environ = {**os.environ, "EDGE_BUILD_CONFIG": str(file)}
    answer = subprocess.run(command, cwd=tree, capture_output=True, text=True, env=environ, check=False)
    assert answer.returncode != 0
    assert "google-2020/safeguards" in answer.stdout + answer.stderr
    assert "gdpr-cnil/explicit-consent" in answer.stdout + answer.stderr
    assert not list(tree.glob("dist/*.whl"))


def test_the_statement_says_declared_and_what(tree: Path, office: Callable[..., Path]):
    said = plan(tree, "0.1.0", {"EDGE_BUILD_CONFIG": str(office())}).statement
    assert said["policy"]["standing"] == "declared"
    assert said["deployment"]["operator.type"] == "company"
    assert said["policy"]["limits"]["access_log_days"]["at_most"] == 90
    assert "gdpr-cnil/access-log" in said["policy"]["unconfirmed"]
    assert "verified" not in json.dumps(said)


def test_a_build_without_a_deployment_can_be_made_and_says_so(tree: Path):
    said = plan(tree, "0.1.0", {}).statement
    assert (said["policy"]["standing"], said["deployment"]) == ("undeclared", {})
    assert (
        said["policy"]["limits"]["retention_days"]["at_most"] == 365
    )  # nobody says where: the strictest of all places


def test_a_model_whose_groups_differ_too_much_is_in_no_device_wherever_it_stands(tree: Path):
    card = tree / "models" / "embedder.card.yaml"
    card.write_text("calibration: {groups: [{name: a, fmr: 0.05}, {name: b, fmr: 0.001}, {name: c, fmr: 0.001}]}\n")
    with pytest.raises(BuildRefused, match=r"nist-8280/differential: .* model\.differential is 13\.572") as refused:
        plan(tree, "0.1.0", {})
    assert len(refused.value.findings) == 1
    card.write_text("schema: edge/card/v1\n")
    with pytest.raises(BuildRefused, match="nist-8280/groups-reported"):
        plan(tree, "0.1.0", {})


def test_a_pack_that_cannot_be_read_is_a_finding_and_so_is_one_that_nobody_has(tree: Path, office: Callable[..., Path]):
    file = office(("deployment:\n", "policy_packs: [gdpr-cnill]\ndeployment:\n"))
    (tree / "config" / "policy" / "ibm-2020.yaml").write_text("schema: edge/policy-pack/v1\n")
    with pytest.raises(BuildRefused) as refused:
        plan(tree, "0.1.0", {"EDGE_BUILD_CONFIG": str(file)})
    assert any('there is no pack "gdpr-cnill"' in line for line in refused.value.findings)
    assert any("ibm-2020.yaml" in line for line in refused.value.findings)


@pytest.mark.parametrize(
    ("groups", "expected"),
    [
        (
            {"fmr": {"a": 0.001, "b": 0.004}, "max_to_geometric_mean": 1.0},
            {"model.groups": 2, "model.differential": 2.0},
        ),
        ([{"name": "a", "fmr": 0.001}, {"name": "b", "fmr": 0.004}], {"model.groups": 2, "model.differential": 2.0}),
        (
            [{"name": "a", "fmr": 0.001}, {"name": "b", "fmr": "too few"}],
            {"model.groups": 1, "model.differential": 1.0},
        ),
        ({"fmr": {"a": 0.001, "b": 0.004}, "max_to_geometric_mean": 7}, {"model.groups": 2, "model.differential": 7.0}),
        (None, {}),
        ("all equal", {}),
        ([], {}),
    ],
)
def test_the_card_speaks_by_its_rates_and_a_worse_claim_counts(groups: object, expected: dict[str, float]):
    assert of_card({"calibration": {"groups": groups}}) == expected


# The signed review of microsoft-2020


@pytest.fixture
def large(office: Callable[..., Path], tmp_path: Path) -> Path:
    """An office above the scale, that names a signed review."""
    record = "    file: records/review.dsse.json\n    expires: 2027-06-01\n"
    return office(
        ("devices: 6", "devices: 600"),
        ("  records:\n", f"  records:\n  - kind: review\n    name: Review\n    date: 2026-11-01\n{record}"),
    )


def put_review(large: Path, **changes: object) -> Path:
    """A review signed by anna, whom the trust folder names; gives the trust folder."""
    build, _ = load_build(large)
    assert build is not None
    assert build.deployment is not None
    anna = Signer.generate("anna")
    said = {**review_of(build.deployment, "Anna", date(2026, 11, 1), date(2027, 3, 1)), **changes}
    (large.parent / "records").mkdir(exist_ok=True)
    envelope = sign(json.dumps(said).encode(), REVIEW, anna)
    (large.parent / "records" / "review.dsse.json").write_text(json.dumps(envelope))
    trust = large.parent / "trust" / "reviewers"
    trust.mkdir(parents=True, exist_ok=True)
    (trust / "anna.pem").write_bytes(anna.public.pem())
    return trust.parent


def against(large: Path, trust: Path, on: date = TODAY) -> list[str]:
    build, findings = load_build(large)
    assert build is not None, findings
    card = {"calibration": {"groups": {"fmr": {"a": 0.001, "b": 0.002}}}}
    verdict = judge(build, packs(), on, card=card, reviews=reviews(build, trust))
    return [f"{finding.id}: {finding.what}" for finding in refusals(build, verdict)]


def test_a_large_deployment_passes_with_a_review_that_a_trusted_reviewer_signed(large: Path, tree: Path):
    trust = put_review(large)
    assert against(large, trust) == []
    planned = plan(tree, "0.1.0", {"EDGE_BUILD_CONFIG": str(large), "EDGE_TRUST_DIR": str(trust)})
    assert planned.files["edge/_data/config/records/review.dsse.json"].is_file()


def test_the_review_ends_on_the_day_that_was_signed_whatever_the_record_says(large: Path):
    trust = put_review(large)
    assert against(large, trust, date(2027, 2, 28)) == []
    (told,) = against(large, trust, date(2027, 3, 1))
    assert told.startswith("microsoft-2020/large-scale")
    assert "ended on 2027-03-01" in told


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"operator": "Somebody SA"}, "was signed for another operator"),
        ({"purpose": ["device-unlock"]}, "was signed for another purpose"),
        ({"use_case": "tenant"}, "was signed for another use case"),
        ({"devices": 599}, "was signed for at most 599 devices"),
        ({"people": 100}, "was signed for at most 100 people"),
        ({"schema": "edge/review/v9"}, "holds no review"),
        ({"expires": None}, "holds no review"),
    ],
)
def test_a_review_of_something_else_does_not_count(large: Path, changes: dict[str, object], expected: str):
    (told,) = against(large, put_review(large, **changes))
    assert expected in told


def test_where_a_signature_cannot_be_verified_the_review_does_not_count_and_the_way_out_is_told(
    large: Path, monkeypatch: pytest.MonkeyPatch
):
    trust = put_review(large)
    monkeypatch.setitem(sys.modules, "cryptography.exceptions", None)  # as in an isolated build, which has PyYAML only
    (told,) = against(large, trust)
    assert "cannot be verified here" in told
    assert "--no-build-isolation" in told


def test_a_review_that_nobody_trusted_signed_was_altered_or_is_missing_does_not_count(large: Path, tmp_path: Path):
    trust = put_review(large)
    assert "not signed by a key that this device trusts" in against(large, tmp_path / "nowhere")[0]
    file = large.parent / "records" / "review.dsse.json"
    envelope = json.loads(file.read_text())
    envelope["payload"] = envelope["payload"][:-8] + "AAAA" + envelope["payload"][-4:]
    file.write_text(json.dumps(envelope))
    assert "microsoft-2020/large-scale" in against(large, trust)[0]
    file.unlink()
    assert "cannot be read" in against(large, trust)[0]
