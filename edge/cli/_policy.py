"""What the commands of `edge policy` read, write and show: build files, packs, cards, days; verdicts rule by rule."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import asdict
from datetime import UTC, date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from edge.cli._common import wrapped

if TYPE_CHECKING:
    from collections.abc import Mapping

    from edge.build.buildfile import BuildFile
    from edge.policy.evaluate import Explained, Verdict
    from edge.policy.findings import Finding
    from edge.policy.rules import Pack, PolicyRule

ON = click.option("--on", metavar="DATE", help="Day of the evaluation, such as 2027-01-31 (default: today, UTC).")


def the_build(file: Path) -> tuple[BuildFile, list[Finding]]:
    """A build file, and findings about capabilities that it does not list; everything else raises."""
    from edge.build.buildfile import load_build
    from edge.errors import BuildRefused

    build, findings = load_build(file, unlisted=True)
    if build is None:
        raise BuildRefused(tuple(str(finding) for finding in findings), where=str(file))
    return build, findings


def the_packs() -> tuple[Pack, ...]:
    from edge import _resources
    from edge.build.today import shipped_packs

    return shipped_packs(_resources.path("config", "policy"))


def the_card(file: Path | None) -> Mapping[str, Any]:
    from edge import _resources
    from edge.errors import InputError
    from edge.settings.yaml_core import load

    path = file or _resources.path("models", "embedder.card.yaml")
    document, problems = load(path)
    if document is None:
        raise InputError(problems[0].what, where=str(path), remedy="name the card of an embedder")
    return document.data


def the_day(text: str | None) -> date:
    from edge.errors import UsageError
    from edge.policy.facts import as_date

    if text is None:
        return datetime.now(UTC).date()
    day = as_date(text)
    if day is None:
        raise UsageError(f"{text!r} is no day", where="command line", remedy="write it as 2027-01-31")
    return day


def the_text(file: Path) -> str:
    from edge.build.added import MAX_BYTES
    from edge.errors import InputError

    try:
        with file.open("rb") as stream:
            data = stream.read(MAX_BYTES)
        return data.decode("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        what = getattr(error, "strerror", None) or "this is not UTF-8 text"
        raise InputError(f"cannot be read ({what})", where=str(file), remedy="name the right file") from None


def write_json(target: Path, envelope: Mapping[str, Any]) -> None:
    from edge.errors import InputError
    from edge.files import refusal, write_atomic

    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        write_atomic(target, json.dumps(envelope, indent=1).encode("utf-8") + b"\n")
    except OSError as error:
        raise refusal(InputError, error, target, "cannot be written") from None


def verdict_lines(packs: Iterable[Pack], verdict: Verdict) -> Iterator[str]:
    """A verdict rule by rule, pack by pack: what applies and why, what it wants, where it comes from."""
    by_rule = {id(said.rule): said for said in verdict.explained}
    for pack in packs:
        mine = [by_rule[id(rule)] for rule in pack.rules]
        added = f", added under the signature of {pack.added}" if pack.added else ""
        yield ""
        yield click.style(f"{pack.id}", bold=True) + f"  {pack.title} ({pack.kind}{added})"
        for said in mine:
            yield from _explained(said)


def _explained(said: Explained) -> Iterator[str]:
    rule = said.rule
    mark = {True: click.style("FAIL", fg="red", bold=True), False: click.style("ok  ", fg="green")}[bool(said.findings)]
    if not said.applies:
        mark = "-   "
    yield f"  {mark} {rule.id}: {rule.title}"
    yield from _indented(f"{said.state} ({rule.effect}): {said.why}")
    if not said.applies:
        return
    for finding in said.findings:
        yield from _indented(f"{finding.where}: {finding.what.removeprefix(rule.title + ': ')}")
    for proof in said.proofs:
        ends = f", ends on {proof.ends}" if proof.ends else ""
        yield from _indented(f"record {proof.kind}: {proof.name}{ends}")
    if said.findings:
        yield from _indented(f"to satisfy: {rule.satisfy}")
    yield from _source(rule)


def _source(rule: PolicyRule) -> Iterator[str]:
    citation = rule.citation
    section = f", {citation.section}" if citation.section else ""
    yield from _indented(f"source: {citation.title}{section}, read {rule.read}")
    yield f"         {citation.url}"
    if not rule.confirmed:
        yield from _indented(f"NOT CONFIRMED: {rule.missing}")


def rule_lines(rule: PolicyRule) -> Iterator[str]:
    """One rule in full, for `edge policy show`."""
    yield f"  {rule.id}: {rule.title}"
    dates = [f"from {rule.starts}"] if rule.starts else []
    dates += [f"until {rule.until}"] if rule.until else []
    yield from _indented(f"effect: {rule.effect}" + (f", in force {' '.join(dates)} (UTC)" if dates else ""))
    yield from _source(rule)
    if rule.citation.quote:
        yield from _indented(f"“{rule.citation.quote}”")
    if rule.note:
        yield from _indented(f"note: {rule.note}")
    yield from _indented(f"to satisfy: {rule.satisfy}")


def _indented(text: str) -> list[str]:
    return wrapped(text, " " * 7, " " * 9).splitlines()


def summary(verdict: Verdict, against: tuple[Finding, ...], declared: bool) -> str:
    """One sentence about a verdict."""
    count = sum(said.applies for said in verdict.explained)
    unconfirmed = sum(said.applies and not said.rule.confirmed for said in verdict.explained)
    rules = f"{count} rules {'apply' if declared else 'apply or may apply'}, {unconfirmed} of them not confirmed"
    if against:
        return f"REFUSED with {len(against)} finding{'s' if len(against) > 1 else ''}; {rules}"
    if declared:
        return f"passes; {rules}"
    return f"declares no deployment, so it can be built and drives only the log door; {rules}"


def verdict_json(verdict: Verdict, against: tuple[Finding, ...], *, declared: bool, file: str) -> dict[str, Any]:
    """A verdict as the JSON object of `edge policy check`."""
    return {
        "schema": "edge/policy-check/v1",
        "file": file,
        "on": verdict.on.isoformat(),
        "declared": declared,
        "passes": not against,
        "findings": [asdict(finding) for finding in against],
        "limits": {
            fact: {"at_least": limit.least, "at_most": limit.most, "by": list(limit.by)}
            for fact, limit in verdict.limits.items()
        },
        "rules": [_explained_json(said) for said in verdict.explained],
    }


def _explained_json(said: Explained) -> dict[str, Any]:
    return {
        **rule_json(said.rule),
        "state": said.state,
        "why": said.why,
        "findings": [asdict(finding) for finding in said.findings],
        "records": [
            {"kind": proof.kind, "name": proof.name, "ends": proof.ends.isoformat() if proof.ends else None}
            for proof in said.proofs
        ],
    }


def rule_json(rule: PolicyRule) -> dict[str, Any]:
    return {
        "rule": rule.name,
        "title": rule.title,
        "effect": rule.effect,
        "from": rule.starts.isoformat() if rule.starts else None,
        "until": rule.until.isoformat() if rule.until else None,
        "citation": asdict(rule.citation),
        "read": rule.read.isoformat(),
        "confirmed": rule.confirmed,
        "missing": rule.missing,
        "satisfy": rule.satisfy,
    }


def pack_json(pack: Pack) -> dict[str, Any]:
    return {
        "id": pack.id,
        "kind": pack.kind,
        "title": pack.title,
        "summary": pack.summary,
        "jurisdictions": list(pack.jurisdictions),
        "added": pack.added,
        "rules": [rule_json(rule) for rule in pack.rules],
    }
