"""Reads the cases of the rules, ``tests/policy/packs/ID.yaml`` (format: docstring of `edge.policy.packs`)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any

from edge.policy.evaluate import Verdict, evaluate
from edge.policy.facts import FACTS, Facts
from edge.policy.packs import Pack, load_packs
from edge.settings.yaml_core import load

ROOT = Path(__file__).resolve().parents[2]
CASES = Path(__file__).resolve().parent / "packs"
TODAY = date(2026, 11, 22)
_KEYS = {"rule", "vary", "on", "also", "lifted_by"}


@dataclass(frozen=True, slots=True)
class Case:
    """One fact varied: from ``base``, ``vary`` gives findings of ``rules`` and of no others; ``lifted_by`` lifts it."""

    pack: str
    rule: str
    base: Mapping[str, Any]
    vary: Mapping[str, Any]
    on: date
    also: frozenset[str]
    lifted_by: Mapping[str, Any]

    @property
    def rules(self) -> frozenset[str]:
        return self.also | {f"{self.pack}/{self.rule}"}

    def __str__(self) -> str:
        return f"{self.pack}/{self.rule}-{'-'.join(self.vary)}"


@cache
def packs() -> tuple[Pack, ...]:
    """Every shipped pack, read once."""
    found, findings = load_packs(sorted((ROOT / "config" / "policy").glob("*.yaml")))
    assert not findings, findings
    return found


@cache
def read(path: Path) -> dict[str, Any]:
    """A YAML file by the product's own reader; nobody alters what comes back."""
    document, problems = load(path)
    assert document is not None, problems
    assert not problems, problems
    return document.data


def base(pack: str = "") -> dict[str, Any]:
    """The passing deployment of a pack's cases; with no name the common one."""
    common = read(CASES / "base.yaml")
    return changed(common, read(CASES / f"{pack}.yaml").get("base", {}) if pack else {})


def changed(facts: Mapping[str, Any], change: Mapping[str, Any]) -> dict[str, Any]:
    """Facts with some replaced; null: not declared."""
    return {key: value for key, value in {**facts, **change}.items() if value is not None}


def facts(dotted: Mapping[str, Any], *, in_grace: bool = False, signed: Mapping[str, Any] | None = None) -> Facts:
    """Dotted facts as the evaluation takes them."""
    values: dict[str, Any] = {}
    for key, value in dotted.items():
        if not key.startswith("records."):
            many = FACTS[key].kind in ("words", "places")
            values[key] = tuple(value if isinstance(value, list) else [value]) if many else value
    records = tuple({"kind": key[8:], **value} for key, value in dotted.items() if key.startswith("records."))
    return Facts(values, records, signed or {}, in_grace)


def judge(dotted: Mapping[str, Any], on: date = TODAY, **more: Any) -> Verdict:
    return evaluate(facts(dotted, **more), packs(), on)


def ids(verdict: Verdict) -> frozenset[str]:
    return frozenset(finding.id for finding in verdict.findings)


def cases() -> Iterator[Case]:
    """Every case of every pack."""
    for path in sorted(CASES.glob("*.yaml")):
        if path.stem == "base":
            continue
        for entry in read(path)["cases"]:
            assert set(entry) <= _KEYS, f"{path.name}: unknown keys {set(entry) - _KEYS}"
            on = date.fromisoformat(entry["on"]) if "on" in entry else TODAY
            also, lifted = frozenset(entry.get("also", ())), entry.get("lifted_by", {})
            yield Case(path.stem, entry["rule"], base(path.stem), entry["vary"], on, also, lifted)
