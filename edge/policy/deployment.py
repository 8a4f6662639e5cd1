"""The deployment that a build is for: facts declared by the deployer, read from ``config/build.yaml``.

    deployment, findings = read_deployment(document)     # None, []: the build file declares none
    deployment.facts["operator.type"]                    # "company"

Facts are nested as their names say (``operator.type`` stands below ``operator:``). They are declared, never verified:
the build statement says so, and the signature over it makes them the deployer's signed declaration. A build without a
deployment drives only the log door.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from edge.policy.facts import FACTS, RECORD_KEYS, RECORDS, PolicyFact, as_date, check
from edge.policy.findings import Finding, from_problem
from edge.settings.problems import KeyPath, shown
from edge.settings.yaml_core import Document

KEY = "deployment"
#: A signed record lies beside the build file, so that it finds its way into the wheel.
_FILE = re.compile(r"records/[A-Za-z0-9][A-Za-z0-9._-]{0,80}\.dsse\.json")
_MAX_RECORDS = 64  # the packs ask for ten kinds; more than some of each is a mistake
_SECTIONS = frozenset(path.rsplit(".", 1)[0] for path, fact in FACTS.items() if "." in path and fact.declared)


@dataclass(frozen=True, slots=True)
class Deployment:
    """What was declared.

    Args:
        facts: dotted path -> value; words and places as tuples.
        records: each with kind, name and date at least.
    """

    facts: Mapping[str, Any]
    records: tuple[Mapping[str, Any], ...]


def read_deployment(document: Document) -> tuple[Deployment | None, list[Finding]]:
    """The section `deployment:` of a build file.

    Returns:
        The deployment, None when there is none or when there are findings; and every finding.
    """
    given = document.data.get(KEY)
    if given is None:
        return None, []
    reader = _Reader(document, {}, [])
    if not isinstance(given, dict) or not given:
        reader.wrong((KEY,), "this is not a section", "indent the facts below it, or leave `deployment:` out")
        return None, reader.findings
    reader.section(given, ())
    records = tuple(reader.records(given.get("records", [])))
    if reader.findings:
        return None, reader.findings
    return Deployment(reader.facts, records), []


@dataclass(frozen=True, slots=True)
class _Reader:
    document: Document
    facts: dict[str, Any]
    findings: list[Finding]

    def wrong(self, path: KeyPath, what: str, allowed: str = "", *, key: bool = False) -> None:
        self.findings.append(from_problem(self.document.problem(path, what, allowed, key=key), "deployment"))

    def section(self, given: Mapping[str, Any], above: tuple[str, ...]) -> None:
        for key, value in given.items():
            path = (*above, key)
            name = ".".join(path)
            fact = FACTS.get(name)
            if fact is not None and fact.declared:
                self.fact(fact, value, path)
            elif name in _SECTIONS and isinstance(value, dict):
                self.section(value, path)
            elif name in _SECTIONS:
                self.wrong((KEY, *path), "this is not a section", "indent its facts below it")
            else:
                self.unknown(path, above)

    def fact(self, fact: PolicyFact, value: Any, path: tuple[str, ...]) -> None:
        if fact.kind == "records":
            return
        if text := check(fact, value):
            self.wrong((KEY, *path), f"{shown(value)} {text}")
        elif fact.kind in ("words", "places"):
            self.facts[fact.path] = tuple(value) if isinstance(value, list) else (value,)
        else:
            self.whole((KEY, *path))
            self.facts[fact.path] = value

    def whole(self, path: KeyPath) -> None:
        """A text that a comment cuts short would be declared, signed and shown so."""
        self.findings.extend(from_problem(problem, "deployment") for problem in self.document.cut_short(path))

    def unknown(self, path: tuple[str, ...], above: tuple[str, ...]) -> None:
        depth = len(above)
        names = [name.split(".") for name, fact in FACTS.items() if fact.declared]
        known = sorted({name[depth] for name in names if tuple(name[:depth]) == above and len(name) > depth})
        close = difflib.get_close_matches(path[-1], known, n=1)
        hint = f", did you mean {close[0]}?" if close else ""
        self.wrong((KEY, *path), f"unknown fact {shown(path[-1])}{hint}", ", ".join(known), key=True)

    def records(self, given: Any) -> Iterator[Mapping[str, Any]]:
        if not isinstance(given, list) or len(given) > _MAX_RECORDS:
            self.wrong(
                (KEY, "records"), f"this is not a list of at most {_MAX_RECORDS} records", "`- kind: ...` entries"
            )
            return
        for number, entry in enumerate(given):
            path = (KEY, "records", number)
            if not isinstance(entry, dict):
                self.wrong(path, "a record is `key: value` lines", ", ".join(RECORD_KEYS))
            elif self._fits(entry, path):
                yield dict(entry)

    def _fits(self, entry: Mapping[str, Any], path: KeyPath) -> bool:
        before = len(self.findings)
        for key, value in entry.items():
            if key not in RECORD_KEYS:
                self.wrong((*path, key), f"unknown key {shown(key)}", ", ".join(RECORD_KEYS), key=True)
            elif key == "kind" and value not in RECORDS:
                self.wrong((*path, key), f"{shown(value)} is no kind of record", ", ".join(RECORDS))
            elif key in ("date", "expires") and as_date(value) is None:
                self.wrong((*path, key), f"{shown(value)} is not a date", "a date such as 2026-11-22")
            elif key == "file" and not (isinstance(value, str) and _FILE.fullmatch(value)):
                allowed = "records/NAME.dsse.json, in a folder beside the build file"
                self.wrong((*path, key), f"{shown(value)} is no signed record", allowed)
            elif not isinstance(value, str) or not 0 < len(value.strip()) <= 400:
                self.wrong((*path, key), "this is not text of 1 to 400 characters")
            else:
                self.whole((*path, key))
        for key in ("kind", "name", "date"):
            if key not in entry:
                self.wrong(path, f"the record has no {key}", f"add `{key}:`")
        return len(self.findings) == before
