"""The deployments of ``config/examples/build-*.yaml``: each passes, each is judged by the packs of its place."""

from __future__ import annotations

from pathlib import Path

import pytest

from edge.build.buildfile import load_build
from edge.build.judge import judge
from edge.policy.evaluate import Verdict
from edge.settings.yaml_core import load
from tests.policy.rules import ROOT, TODAY, packs

EXAMPLES = sorted(path for path in (ROOT / "config" / "examples").glob("build-*.yaml") if path.stem != "build-lab")
#: example -> the local packs that speak of it.
LOCAL = {
    "build-eu-office": {"eu-ai-act", "gdpr-cnil"},
    "build-office": {"eu-ai-act", "gdpr-cnil"},
    "build-illinois": {"illinois-bipa"},
    "build-texas": {"texas-cubi"},
}


def verdict(path: Path) -> Verdict:
    """What the shipped packs say of an example with the shipped embedder."""
    build, findings = load_build(path)
    assert build is not None, findings
    card, problems = load(ROOT / "models" / "embedder.card.yaml")
    assert card is not None, problems
    return judge(build, packs(), TODAY, card=card.data, reviews={})


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_every_example_passes(path: Path):
    assert [str(finding) for finding in verdict(path).findings] == []


@pytest.mark.parametrize("name", sorted(LOCAL))
def test_the_packs_of_its_place_have_judged_an_example(name: str):
    kinds = {pack.id: pack.kind for pack in packs()}
    judged = {
        said.rule.pack for said in verdict(ROOT / "config" / "examples" / f"{name}.yaml").explained if said.applies
    }
    assert {pack for pack in judged if kinds[pack] == "local"} == LOCAL[name]


def test_an_example_for_france_is_judged_by_every_rule_of_its_packs():
    said = verdict(ROOT / "config" / "examples" / "build-eu-office.yaml").explained
    assert {one.rule.id for one in said if one.rule.pack == "gdpr-cnil" and one.applies} == {
        *("explicit-consent", "impact-assessment", "custody", "access-log", "no-time-keeping"),
    }
