"""Rules of policy packs: what one is, and how one is read, every mistake with its line. Schema: `edge.policy.packs`."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from edge.policy.conditions import ALWAYS, Condition, parse
from edge.policy.facts import FACTS, as_date
from edge.policy.findings import Finding, from_problem
from edge.settings.problems import KeyPath, shown
from edge.settings.yaml_core import Document

EFFECTS = ("deny", "require", "limit")

_RULE_ID = re.compile(r"[a-z0-9][a-z0-9-]{1,47}")
_RULE_KEYS = (
    *("id", "title", "citation", "read", "confirmed", "missing", "note", "from", "until"),
    *("scope", "unless", "effect", "require", "limit", "satisfy"),
)
_CITATION_KEYS = ("title", "url", "section", "quote")
_BOUNDS = ("at_most", "at_least")


@dataclass(frozen=True, slots=True)
class Citation:
    """Where a rule comes from. ``section`` or ``quote`` is not empty."""

    title: str
    url: str
    section: str = ""
    quote: str = ""

    def __str__(self) -> str:
        return f"{self.title}{', ' + self.section if self.section else ''}, {self.url}"


@dataclass(frozen=True, slots=True)
class PolicyRule:
    """One rule; the module's docstring says what each key means.

    Args:
        pack: id of its pack. starts, until: days, UTC; None: always.
        demands: effect require: what must hold, one condition a demand.
        limits: effect limit: fact -> (least, most); None where there is no such bound.
    """

    pack: str
    id: str
    title: str
    citation: Citation
    read: date
    confirmed: bool
    missing: str
    note: str
    starts: date | None
    until: date | None
    scope: Condition
    unless: Condition | None
    effect: str
    demands: tuple[Condition, ...]
    limits: Mapping[str, tuple[float | None, float | None]]
    satisfy: str

    @property
    def name(self) -> str:
        """``pack/rule``: the id of its findings."""
        return f"{self.pack}/{self.id}"

    def in_force(self, on: date) -> bool:
        return (self.starts is None or self.starts <= on) and (self.until is None or on < self.until)


@dataclass(frozen=True, slots=True)
class Pack:
    """A policy pack.

    Args:
        jurisdictions: empty for core packs.
        added: the signer's name when the pack was added to a device later; empty when it came with the build.
    """

    id: str
    kind: str
    title: str
    summary: str
    jurisdictions: tuple[str, ...]
    rules: tuple[PolicyRule, ...]
    added: str = ""


@dataclass(slots=True)
class PackReader:
    """Collects findings while one document is read."""

    document: Document
    findings: list[Finding] = field(default_factory=list)

    def wrong(self, path: KeyPath, what: str, *, key: bool = False) -> None:
        self.findings.append(from_problem(self.document.problem(path, what, key=key), "policy-pack"))

    def text(self, data: Mapping[str, Any], path: KeyPath, key: str, *, optional: bool = False) -> str:
        value = data.get(key, "" if optional else None)
        if isinstance(value, str) and (value.strip() or optional):
            cut = self.document.cut_short((*path, key))
            self.findings.extend(from_problem(problem, "policy-pack") for problem in cut)
            return value.strip()
        self.wrong((*path, key), f"{key}: a text is needed here")
        return ""

    def day(self, data: Mapping[str, Any], path: KeyPath, key: str) -> date | None:
        value = as_date(data.get(key))
        if value is None and key in data:
            self.wrong((*path, key), f"{shown(data[key])} is not a date such as 2026-11-22")
        return value

    def known(self, data: Mapping[str, Any], path: KeyPath, known: Iterable[str]) -> None:
        for key in data:
            if key not in known:
                self.wrong((*path, key), f"unknown key, known are {', '.join(known)}", key=True)

    def condition(self, data: Any, path: KeyPath) -> Condition:
        condition, problems = parse(data, path)
        for place, what in problems:
            self.wrong(place, what)
        return condition


def read_rule(reader: PackReader, data: Any, number: int, pack: str) -> PolicyRule | None:
    path: KeyPath = ("rules", number)
    if not isinstance(data, dict):
        reader.wrong(path, "a rule is `key: value` lines")
        return None
    before = len(reader.findings)
    reader.known(data, path, _RULE_KEYS)
    if not isinstance(data.get("id"), str) or not _RULE_ID.fullmatch(data["id"]):
        reader.wrong((*path, "id"), "id: a name of a-z, 0-9 and - is needed")
    effect = data.get("effect")
    if effect not in EFFECTS:
        reader.wrong((*path, "effect"), f"effect: write {', '.join(EFFECTS)}")
    starts, until = reader.day(data, path, "from"), reader.day(data, path, "until")
    if starts and until and starts >= until:
        reader.wrong((*path, "until"), "until is not after from: the rule would never be in force")
    rule = PolicyRule(
        pack=pack,
        id=str(data.get("id")),
        title=reader.text(data, path, "title"),
        citation=_citation(reader, data, path),
        read=_read(reader, data, path),
        confirmed=data.get("confirmed") is True,
        missing=_missing(reader, data, path),
        note=reader.text(data, path, "note", optional=True),
        starts=starts,
        until=until,
        scope=reader.condition(data["scope"], (*path, "scope")) if "scope" in data else ALWAYS,
        unless=reader.condition(data["unless"], (*path, "unless")) if "unless" in data else None,
        effect=str(effect),
        demands=_demands(reader, data, path),
        limits=_limits(reader, data, path),
        satisfy=reader.text(data, path, "satisfy"),
    )
    return rule if len(reader.findings) == before else None


def _read(reader: PackReader, data: Mapping[str, Any], path: KeyPath) -> date:
    if "read" not in data:
        reader.wrong((*path, "read"), "read: write the date on which the source was last read")
    return reader.day(data, path, "read") or date.min


def _missing(reader: PackReader, data: Mapping[str, Any], path: KeyPath) -> str:
    confirmed = data.get("confirmed")
    if type(confirmed) is not bool:
        reader.wrong((*path, "confirmed"), "confirmed: write true, or false with `missing:`")
    if confirmed is False:
        return reader.text(data, path, "missing")
    if "missing" in data:
        reader.wrong((*path, "missing"), "a confirmed rule has no `missing:`", key=True)
    return ""


def _citation(reader: PackReader, data: Mapping[str, Any], path: KeyPath) -> Citation:
    given, path = data.get("citation"), (*path, "citation")
    if not isinstance(given, dict):
        reader.wrong(path, "citation: title, url and section or quote are needed")
        return Citation("", "")
    reader.known(given, path, _CITATION_KEYS)
    url = reader.text(given, path, "url")
    if url and not url.startswith("https://") and not url.startswith("http://"):
        reader.wrong((*path, "url"), "this is no https address")
    section, quote = (reader.text(given, path, key, optional=True) for key in ("section", "quote"))
    if not section and not quote:
        reader.wrong(path, "a citation names the section, or quotes the words")
    return Citation(reader.text(given, path, "title"), url, section, quote)


def _demands(reader: PackReader, data: Mapping[str, Any], path: KeyPath) -> tuple[Condition, ...]:
    given = data.get("require")
    if data.get("effect") != "require":
        if "require" in data:
            reader.wrong((*path, "require"), "only a rule with `effect: require` has it", key=True)
        return ()
    if not isinstance(given, dict) or not given:
        reader.wrong((*path, "require"), "require: the conditions that must hold are needed")
        return ()
    return tuple(reader.condition({key: value}, (*path, "require")) for key, value in given.items())


def _limits(reader: PackReader, data: Mapping[str, Any], path: KeyPath) -> dict[str, tuple[float | None, float | None]]:
    given, path = data.get("limit"), (*path, "limit")
    if data.get("effect") != "limit":
        if "limit" in data:
            reader.wrong(path, "only a rule with `effect: limit` has it", key=True)
        return {}
    if not isinstance(given, dict) or not given:
        reader.wrong(path, "limit: `fact: {at_most: number}` is needed")
        return {}
    limits: dict[str, tuple[float | None, float | None]] = {}
    for fact, bounds in given.items():
        if fact not in FACTS or FACTS[fact].kind not in ("number", "ratio"):
            reader.wrong((*path, fact), "this fact is not a number", key=True)
        elif not _are_bounds(bounds):
            reader.wrong((*path, fact), "write {at_most: number}, {at_least: number} or both, in order")
        else:
            limits[fact] = (bounds.get("at_least"), bounds.get("at_most"))
    return limits


def _are_bounds(bounds: Any) -> bool:
    if not isinstance(bounds, dict) or not bounds or any(key not in _BOUNDS for key in bounds):
        return False
    if any(type(value) not in (int, float) or value < 0 for value in bounds.values()):
        return False
    return bool(bounds.get("at_least", 0) <= bounds.get("at_most", float("inf")))
