"""Documents that rules ask for: reviews, laws, assessments, published policies. Recorded, dated, and they may end.

    record: {kind: dpia, fields: [name, date], max_age_days: 1095}
    record: {kind: review, signed: reviewer, expires: true, grace_days: 14}

A record is the deployer's declaration that a document exists. ``signed`` asks for more: the record's ``file`` is a DSSE
envelope by a reviewer named in the trust directory, and what was signed must fit the deployment (same operator,
purpose and use case, no larger a scale). A record ends on its ``expires`` (exclusive) or when it is older than
``max_age_days``, whichever comes first; a device warns for `WARN_DAYS` before, then stops new enrolments at once and
claims after ``grace_days``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from edge.policy.facts import RECORD_KEYS, RECORDS, Facts, as_date
from edge.settings.problems import KeyPath, shown

#: A record that ends is announced so many days before (design: Policy packs).
WARN_DAYS = 30
_KEYS = ("kind", "fields", "max_age_days", "expires", "signed", "grace_days", "section")


@dataclass(frozen=True, slots=True)
class Need:
    """What a rule asks of a record.

    Args:
        kind: one of `edge.policy.facts.RECORDS`.
        fields: keys that it must carry besides kind, name and date.
        section: the section that it must name (exceptions of a law); empty for any.
        max_age_days: how old its date may be; None: any age.
        expires: whether it must carry an end.
        signed: the trust role that must have signed it; empty for none.
        grace_days: after its end claims go on for so many days.
    """

    kind: str
    fields: tuple[str, ...] = ()
    section: str = ""
    max_age_days: int | None = None
    expires: bool = False
    signed: str = ""
    grace_days: int = 0


@dataclass(frozen=True, slots=True)
class Proof:
    """A record that satisfies a need.

    Args:
        kind, name: of the record.
        ends: the first day on which it no longer counts; None: never.
        grace_days: after that day claims go on for so many days.
    """

    kind: str
    name: str
    ends: date | None
    grace_days: int

    def stops(self) -> date | None:
        """The first day on which claims stop."""
        return None if self.ends is None else self.ends + timedelta(days=self.grace_days)


def parse_need(data: Any, path: KeyPath) -> tuple[Need | None, list[tuple[KeyPath, str]]]:
    """A need from a pack's data, and every problem."""
    if not isinstance(data, dict):
        return None, [(path, "this is `kind: ...` and what is asked of the record")]
    wrong = [((*path, key), f"unknown key, known are {', '.join(_KEYS)}") for key in data if key not in _KEYS]
    if data.get("kind") not in RECORDS:
        wrong.append((path, f"kind: {shown(data.get('kind'))} is none of {', '.join(RECORDS)}"))
    fields = data.get("fields", [])
    if not isinstance(fields, list) or any(field not in RECORD_KEYS for field in fields):
        wrong.append(((*path, "fields"), f"this is a list of {', '.join(RECORD_KEYS)}"))
    for key in ("max_age_days", "grace_days"):
        if key in data and (type(data[key]) is not int or data[key] < 0):
            wrong.append(((*path, key), "this is a whole number of days"))
    if "expires" in data and type(data["expires"]) is not bool:
        wrong.append(((*path, "expires"), "this is true or false"))
    for key in ("section", "signed"):
        if key in data and not isinstance(data[key], str):
            wrong.append(((*path, key), "this is a text"))
    if data.get("signed", "reviewer") != "reviewer":
        wrong.append(((*path, "signed"), "the role is reviewer"))
    if wrong:
        return None, wrong
    return Need(**{**data, "fields": tuple(fields)}), []


def prove(need: Need, facts: Facts, on: date) -> tuple[Proof | None, str]:
    """The record that satisfies a need on a day, the one that lasts longest; else None and why there is none."""
    reasons: list[str] = []
    best: Proof | None = None
    for record in facts.records:
        if record["kind"] != need.kind:
            continue
        why = _lacks(need, record, facts, on)
        if why:
            reasons.append(f"{need.kind} {record['name']!r} {why}")
            continue
        proof = Proof(need.kind, record["name"], end_of(need, record, facts), need.grace_days)
        if best is None or (proof.ends or date.max) > (best.ends or date.max):
            best = proof
    if best is None:
        return None, "; ".join(reasons) or f"there is no record of the kind {need.kind}"
    return best, f"{best.kind} {best.name!r} is recorded" + (f" and ends on {best.ends}" if best.ends else "")


def end_of(need: Need, record: Mapping[str, Any], facts: Facts) -> date | None:
    """The first day on which a record no longer counts."""
    ends = [as_date(record.get("expires"))]
    if need.signed and isinstance(review := facts.signed.get(record.get("file", "")), Mapping):
        ends.append(as_date(review.get("expires")))
    if need.max_age_days is not None and (written := as_date(record.get("date"))):
        ends.append(written + timedelta(days=need.max_age_days + 1))
    return min((end for end in ends if end), default=None)


def _lacks(need: Need, record: Mapping[str, Any], facts: Facts, on: date) -> str:
    """What a record lacks for a need on a day; empty when nothing."""
    written, ends = as_date(record.get("date")), end_of(need, record, facts)
    missing = [field for field in need.fields if not record.get(field)]
    if missing:
        return f"does not say {', '.join(missing)}"
    if need.section and need.section not in str(record.get("section", "")):
        return f"does not name {need.section}"
    if written is None or written > on:
        return "is dated in the future"
    if need.expires and ends is None:
        return "has no end"
    if ends is not None and on >= ends + timedelta(days=need.grace_days if facts.in_grace else 0):
        return f"ended on {ends}"
    return _unsigned(record, facts) if need.signed else ""


def _unsigned(record: Mapping[str, Any], facts: Facts) -> str:
    """Why the signed review of a record is not valid here; empty when it is."""
    review = facts.signed.get(record.get("file", ""), "names no signed file")
    if isinstance(review, str):
        return review
    for key, path in (("operator", "operator.name"), ("use_case", "use_case")):
        if review.get(key) != facts.get(path):
            return f"was signed for another {key.replace('_', ' ')}"
    if not set(facts.get("purpose") or ()) <= set(review.get("purpose", ())):
        return "was signed for another purpose"
    for key in ("devices", "people"):
        declared = facts.get(f"scale.{key}")
        if declared is None or declared > review.get(key, 0):
            return f"was signed for at most {review.get(key, 0)} {key}"
    return ""
