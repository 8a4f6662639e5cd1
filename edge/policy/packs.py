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
      satisfy: Record the exception of ...             what would satisfy the rule, told with a refusal

Conditions are those of `edge.policy.conditions` over the facts of `edge.policy.facts`; records those of
`edge.policy.records`. A fact that an applying rule needs and that was not declared blocks with the rule's own effect.
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
from pathlib import Path
from typing import Any

from edge.policy.facts import FACTS, check
from edge.policy.findings import Finding, from_problem
from edge.policy.rules import Pack, PackReader, read_rule
from edge.settings.problems import shown
from edge.settings.yaml_core import Document, load
from edge.settings.yaml_core import parse as parse_yaml

SCHEMA = "edge/policy-pack/v1"
NOTICE = "Engineering aid, not legal advice."

_ID = re.compile(r"[a-z0-9][a-z0-9.-]{1,47}")
_PACK_KEYS = ("schema", "id", "kind", "title", "summary", "notice", "jurisdictions", "rules")


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
    reader, data = PackReader(document), document.data
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
    rules = [read_rule(reader, entry, number, str(data.get("id"))) for number, entry in enumerate(entries)]
    names = [rule.id for rule in rules if rule]
    for number, rule in enumerate(rules):
        if rule and names.index(rule.id) != number and names.count(rule.id) > 1:
            reader.wrong(("rules", number, "id"), f"the rule {rule.id} is listed twice")
    if reader.findings:
        return None, reader.findings
    kept = tuple(rule for rule in rules if rule)
    return Pack(data["id"], data["kind"], title, summary, jurisdictions, kept), []


def _jurisdictions(reader: PackReader, data: Mapping[str, Any]) -> tuple[str, ...]:
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
