"""Every fact that a policy rule may speak about: one table, read by the build file, by the packs and by the reports.

    FACTS["operator.type"].allowed          # ("company", "landlord", "police", ...)
    check(FACTS["retention_days"], "soon")  # 'is not a whole number of 0 or more'

Facts below `build.` and `model.` come from the build and from the embedder's card, and cannot be declared. All
others are the deployer's own declaration, in ``config/build.yaml`` below `deployment:`; a fact that is not written
there is missing, and a rule that needs it blocks. The vocabulary is closed: a misspelt purpose would otherwise slip by.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from edge import _resources
from edge.policy import places

#: What a fact may be: a word of a list, several of them, free text, a whole number, a number, true or false, places.
KINDS = ("word", "words", "text", "number", "ratio", "flag", "places", "records")


@dataclass(frozen=True, slots=True)
class PolicyFact:
    """One fact.

    Args:
        path: its dotted name, such as ``scale.people``; below `deployment:` unless it begins with build. or model.
        kind: one of `KINDS`.
        meaning: one sentence for the reference.
        allowed: the words of a word or words fact.
    """

    path: str
    kind: str
    meaning: str
    allowed: tuple[str, ...] = ()

    @property
    def declared(self) -> bool:
        """Whether the deployer states it (and not the build or the model's card)."""
        return not self.path.startswith(("build.", "model."))


def _table() -> Iterator[PolicyFact]:
    """The facts of ``facts.txt``, in its order."""
    rows: list[tuple[str, str, str, list[str]]] = []
    for line in _resources.path("tables", "facts.txt").read_text(encoding="utf-8").splitlines():
        said = line.partition("#")[0].rstrip()
        if said.startswith(" "):
            rows[-1][3].extend(said.split())
        elif said:
            path, kind, meaning = said.split(" | ")
            rows.append((path, kind, meaning, []))
    for path, kind, meaning, allowed in rows:
        yield PolicyFact(path, kind, meaning, tuple(allowed))


FACTS: Mapping[str, PolicyFact] = {fact.path: fact for fact in _table()}
#: Kinds of records: documents that exist beside a deployment.
RECORDS = FACTS["records"].allowed


@dataclass(frozen=True, slots=True)
class Facts:
    """What is known of a deployment, its build and its model.

    Args:
        values: dotted path -> value; a missing fact is not in it. Lists for words and places.
        records: as `edge.policy.deployment` has checked them.
        signed: what a trusted reviewer has signed, by record file; an absent file was not verified, a text says why.
        in_grace: let records count for the grace that rules name after their end (claims on a device, nothing else).
    """

    values: Mapping[str, Any]
    records: tuple[Mapping[str, Any], ...] = ()
    signed: Mapping[str, Mapping[str, Any] | str] = field(default_factory=dict)
    in_grace: bool = False

    def get(self, path: str) -> Any:
        return self.values.get(path)


#: Keys of one record. `kind`, `name` and `date` always; the rest as a rule asks.
RECORD_KEYS = ("kind", "name", "date", "expires", "by", "section", "url", "file")

_DATE = re.compile(r"\d{4}-\d{2}-\d{2}")
#: A text of a declaration is a sentence or an address; longer ones belong into a document of their own.
_LONGEST = 400


def check(fact: PolicyFact, value: Any) -> str:
    """What is wrong with a declared value, without a full stop; empty when nothing is.

    Lists are accepted for `words` and `places`, single entries too. Records are checked by `edge.policy.deployment`.
    """
    if fact.kind in ("words", "places"):
        entries = value if isinstance(value, list) else [value]
        return next(filter(None, (_one(fact, entry) for entry in entries)), "")
    return _one(fact, value)


def _one(fact: PolicyFact, value: Any) -> str:
    kind = fact.kind
    if kind in ("word", "words"):
        return "" if value in fact.allowed else f"is none of {', '.join(fact.allowed)}"
    if kind == "places":
        return places.problem(value)
    if kind == "text":
        fits = isinstance(value, str) and 0 < len(value.strip()) <= _LONGEST
        return "" if fits else f"is not a text of 1 to {_LONGEST} characters"
    if kind == "number":
        return "" if type(value) is int and value >= 0 else "is not a whole number of 0 or more"
    if kind == "ratio":
        return "" if type(value) in (int, float) and value >= 0 else "is not a number of 0 or more"
    return "" if type(value) is bool else "is not true or false"


def as_date(value: Any) -> date | None:
    """A date written as YYYY-MM-DD, None when it is none. Years outside 1970-2200 are typing errors."""
    if not isinstance(value, str) or not _DATE.fullmatch(value):
        return None
    try:
        parsed = date.fromisoformat(value)
    except ValueError:
        return None
    return parsed if 1970 <= parsed.year <= 2200 else None


def reference() -> Iterator[tuple[str, str, str]]:
    """Every fact: its name, what it may be, what it means; in the order of the table."""
    kinds = {
        "number": "a whole number",
        "ratio": "a number",
        "flag": "true or false",
        "places": 'places such as FR, US-CA, "US SFO"',
        "text": "a text",
        "records": f"a list; kinds: {', '.join(RECORDS)}; keys: {', '.join(RECORD_KEYS)}",
    }
    for fact in FACTS.values():
        words = ", ".join(fact.allowed)
        known = {"word": words, "words": f"a list of {words}", **kinds}
        yield fact.path, known[fact.kind], fact.meaning
