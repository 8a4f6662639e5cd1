"""Policy packs: ``config/policy/ID.yaml``, rules as data. This page is the schema; ``ibm-2020`` is a short example.

    packs, findings = load_packs(sorted(Path("config/policy").glob("*.yaml")))

The whole file::

    # Engineering aid, not legal advice.               every pack's first line says so
    schema: edge/policy-pack/v1
    id: portland-34.10                                 the file's name without .yaml: a-z 0-9 - and .
    kind: local                                        core: evaluated always and everywhere; local: where it applies
    title: Portland City Code 34.10                    one line
    summary: What the pack is about, in one or two sentences for people who did not read the source.
    notice: Engineering aid, not legal advice.         exactly this text; shown wherever the pack speaks
    jurisdictions: ["US PDX"]                          local only: where every rule of the pack applies by itself. A
                                                       build that names the pack in policy_packs takes it on anywhere
    rules:
    - id: private-operators                            unique in the pack: a-z 0-9 and -. Findings are ID/RULE
      title: Private operators may not use it ...      one line, shown with every finding
      citation:
        title: Portland City Code 34.10.030            what was read
        url: https://...                               where
        section: 34.10.030                             section, quote or both. A quote stands in the source, word for
        quote: "..."                                   word; it is never put together or remembered
      read: 2026-11-22                                 when the source was last read
      confirmed: true                                  false: something could not be read in the source itself ...
      missing: ...                                     ... and this says what, and what was read instead (only then)
      note: ...                                        optional: what this project decided where the source is silent
      from: 2021-01-01                                 optional, inclusive, UTC
      until: 2022-01-01                                optional, exclusive, UTC
      scope: {operator.type: [company]}                optional condition; false: not shown; unknown: applies
      unless: {record: {kind: exception}}              optional condition; lifts the rule only when true
      effect: deny                                     deny, require or limit; there is no `allow`
      require: {safeguards.notice: {given: true}}      effect require only: each entry is a demand
      limit: {retention_days: {at_most: 1095}}         effect limit only: fact -> at_most and/or at_least
      satisfy: Record the exception of ...             what would satisfy the rule, told to whoever is refused

Conditions are those of `edge.policy.conditions` over the facts of `edge.policy.facts`; records those of
`edge.policy.records`. A fact that an applying rule needs and nobody has declared blocks with the rule's own effect.
Dates may be written bare or in quotes. Everything is read at once, and every mistake comes with line and column.

Each rule has at least one case in ``tests/policy/packs/ID.yaml``, read by ``tests/policy/test_rules.py``::

    base: {jurisdictions: ["US PDX"], records.dpia: null}   what differs from the passing deployment of base.yaml there;
                                                            dotted facts, records.KIND for a record, null: not declared
    cases:
    - rule: private-operators                        one fact varied: this rule's findings change, and no other's
      vary: {operator.type: company}
      on: 2026-11-22                                 optional day of evaluation
      also: [amazon-2020/further-notice]             optional: rules of other packs that say the same of that fact
      lifted_by: {records.exception: {...}}          optional: what takes this rule's findings away again
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

from edge.policy.conditions import ALWAYS, Condition, parse
from edge.policy.facts import FACTS, as_date, check
from edge.policy.findings import Finding, from_problem
from edge.settings.problems import KeyPath, shown
from edge.settings.yaml_core import Document, load
from edge.settings.yaml_core import parse as parse_yaml

SCHEMA = "edge/policy-pack/v1"
NOTICE = "Engineering aid, not legal advice."
EFFECTS = ("deny", "require", "limit")

_ID = re.compile(r"[a-z0-9][a-z0-9.-]{1,47}")
_RULE_ID = re.compile(r"[a-z0-9][a-z0-9-]{1,47}")
_PACK_KEYS = ("schema", "id", "kind", "title", "summary", "notice", "jurisdictions", "rules")
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
class Rule:
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
    rules: tuple[Rule, ...]
    added: str = ""


@dataclass(slots=True)
class _Reader:
    """Collects findings while one document is read."""

    document: Document
    findings: list[Finding] = field(default_factory=list)

    def wrong(self, path: KeyPath, what: str, *, key: bool = False) -> None:
        self.findings.append(from_problem(self.document.problem(path, what, key=key), "policy-pack"))

    def text(self, data: Mapping[str, Any], path: KeyPath, key: str, *, optional: bool = False) -> str:
        value = data.get(key, "" if optional else None)
        if isinstance(value, str) and (value.strip() or optional):
            return value.strip()
        self.wrong((*path, key), f"{key}: a text is needed here")
        return ""

    def day(self, data: Mapping[str, Any], path: KeyPath, key: str) -> date | None:
        value = as_date(data.get(key))
        if value is None and key in data:
            self.wrong((*path, key), f"{shown(data[key])} is no date such as 2026-11-22")
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


def load_pack(path: Path) -> tuple[Pack | None, list[Finding]]:
    """Read one pack from a file named like it.

    Returns:
        The pack, or None and every finding. Never both, never neither.
    """
    document, problems = load(path)
    if document is None or problems:
        return None, [from_problem(problem, "policy-pack") for problem in problems]
    return _pack(document, path.stem)


def parse_pack(text: str, file: str) -> tuple[Pack | None, list[Finding]]:
    """Read one pack from its text (a signed pack's payload); see `load_pack`."""
    document, problems = parse_yaml(text, file)
    if document is None or problems:
        return None, [from_problem(problem, "policy-pack") for problem in problems]
    return _pack(document, str(document.data.get("id", "")))


def load_packs(paths: Iterable[Path]) -> tuple[tuple[Pack, ...], list[Finding]]:
    """Read several packs. A pack with a finding is left out, so a caller refuses when there is one."""
    read = [load_pack(path) for path in paths]
    return tuple(pack for pack, _ in read if pack), [finding for _, found in read for finding in found]


def _pack(document: Document, name: str) -> tuple[Pack | None, list[Finding]]:
    reader, data = _Reader(document), document.data
    reader.known(data, (), _PACK_KEYS)
    if data.get("schema") != SCHEMA:
        reader.wrong(("schema",), f"schema: write {SCHEMA}")
    if not isinstance(data.get("id"), str) or not _ID.fullmatch(data["id"]) or data["id"] != name:
        reader.wrong(("id",), "id: the file's name without .yaml is needed, of a-z, 0-9, - and .")
    if data.get("kind") not in ("core", "local"):
        reader.wrong(("kind",), "kind: write core or local")
    if data.get("notice") != NOTICE:
        reader.wrong(("notice",), f"notice: write exactly: {NOTICE}")
    title, summary = reader.text(data, (), "title"), reader.text(data, (), "summary")
    jurisdictions = _jurisdictions(reader, data)
    entries = data.get("rules")
    if not isinstance(entries, list) or not entries:
        reader.wrong(("rules",), "rules: a list of rules is needed")
        entries = []
    rules = [_rule(reader, entry, number, str(data.get("id"))) for number, entry in enumerate(entries)]
    names = [rule.id for rule in rules if rule]
    for number, rule in enumerate(rules):
        if rule and names.index(rule.id) != number and names.count(rule.id) > 1:
            reader.wrong(("rules", number, "id"), f"the rule {rule.id} is there twice")
    if reader.findings:
        return None, reader.findings
    kept = tuple(rule for rule in rules if rule)
    return Pack(data["id"], data["kind"], title, summary, jurisdictions, kept), []


def _jurisdictions(reader: _Reader, data: Mapping[str, Any]) -> tuple[str, ...]:
    given = data.get("jurisdictions", [])
    if data.get("kind") != "local":
        if "jurisdictions" in data:
            reader.wrong(("jurisdictions",), "a core pack is evaluated everywhere", key=True)
        return ()
    if not isinstance(given, list) or not given:
        reader.wrong(("jurisdictions",), "a local pack says where it applies, such as [US-IL]")
        return ()
    for number, place in enumerate(given):
        if text := check(FACTS["jurisdictions"], place):
            reader.wrong(("jurisdictions", number), f"{shown(place)} {text}")
    return tuple(str(place) for place in given)


def _rule(reader: _Reader, data: Any, number: int, pack: str) -> Rule | None:
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
    rule = Rule(
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


def _read(reader: _Reader, data: Mapping[str, Any], path: KeyPath) -> date:
    if "read" not in data:
        reader.wrong((*path, "read"), "read: the date is needed on which the source was last read")
    return reader.day(data, path, "read") or date.min


def _missing(reader: _Reader, data: Mapping[str, Any], path: KeyPath) -> str:
    confirmed = data.get("confirmed")
    if type(confirmed) is not bool:
        reader.wrong((*path, "confirmed"), "confirmed: write true, or false with `missing:`")
    if confirmed is False:
        return reader.text(data, path, "missing")
    if "missing" in data:
        reader.wrong((*path, "missing"), "a confirmed rule misses nothing", key=True)
    return ""


def _citation(reader: _Reader, data: Mapping[str, Any], path: KeyPath) -> Citation:
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


def _demands(reader: _Reader, data: Mapping[str, Any], path: KeyPath) -> tuple[Condition, ...]:
    given = data.get("require")
    if data.get("effect") != "require":
        if "require" in data:
            reader.wrong((*path, "require"), "only a rule with `effect: require` has it", key=True)
        return ()
    if not isinstance(given, dict) or not given:
        reader.wrong((*path, "require"), "require: the conditions that must hold are needed")
        return ()
    return tuple(reader.condition({key: value}, (*path, "require")) for key, value in given.items())


def _limits(reader: _Reader, data: Mapping[str, Any], path: KeyPath) -> dict[str, tuple[float | None, float | None]]:
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
            reader.wrong((*path, fact), "this is no fact that is a number", key=True)
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
