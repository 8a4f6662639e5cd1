"""How a device stands today: what the rules say on this day, and what they will say within a month.

    today = standing(basis, on)
    today.enrols, today.claims         # (False, True): a record ended; claims go on for a grace
    today.coming                       # (Coming(date(2026, 12, 1), "enrolments", finding), ...)

Workflow: a build was refused unless it passed, so whatever stops it today came with time (a rule that began, a record
that ended) or was added. A record that ends is announced `WARN_DAYS` before; on its last day new enrolments stop
at once, and claims after the grace that the rule names. Everything else stops both at once. The limits of the build
statement stay in force beside today's, so that the result can only tighten. Reading YAML takes some hundred
milliseconds; the build's own files cannot change while it runs and are read once, before a claim is open. `standing`
itself is pure.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from functools import cache
from pathlib import Path
from typing import Any

from edge import _resources
from edge.build.added import RefusedPack, load_added
from edge.build.buildfile import BuildFile, load_build
from edge.build.judge import judge, refusals, reviews
from edge.errors import PackRefused
from edge.policy.evaluate import Limit, Verdict
from edge.policy.findings import Finding
from edge.policy.packs import load_packs
from edge.policy.records import WARN_DAYS
from edge.policy.rules import Pack
from edge.profile import BuildInfo

ENROLMENTS, CLAIMS = "enrolments", "claims"


@dataclass(frozen=True, slots=True)
class Basis:
    """What a device is judged by, every day.

    Args:
        build: the build file that came with the build. packs: the build's and the added ones.
        card: the card of the embedder in use. reviews: see `edge.build.judge.reviews`.
        limits: fact -> least maximum, as the build statement has them.
    """

    build: BuildFile
    packs: tuple[Pack, ...]
    card: Mapping[str, Any] | None
    reviews: Mapping[str, Mapping[str, Any] | str] = field(default_factory=dict)
    limits: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Coming:
    """Something that will stop within `WARN_DAYS`.

    Args:
        day: the first day on which it is stopped. what: ``enrolments`` or ``claims``. finding: why.
    """

    day: date
    what: str
    finding: Finding

    def __str__(self) -> str:
        return f"{self.what} stop on {self.day}: {self.finding.id}: {self.finding.what}"


@dataclass(frozen=True, slots=True)
class PolicyStanding:
    """How a device stands on a day.

    Args:
        on: the day, UTC. declared: whether the build names a deployment.
        against_enrolments, against_claims: what stops them; empty: nothing.
        coming: what will stop, soonest first.
        maxima: number -> its least maximum, of today's rules and of the build statement.
        verdict: today's, rule by rule; None when nothing was evaluated.
    """

    on: date
    declared: bool
    against_enrolments: tuple[Finding, ...] = ()
    against_claims: tuple[Finding, ...] = ()
    coming: tuple[Coming, ...] = ()
    maxima: Mapping[str, float] = field(default_factory=dict)
    verdict: Verdict | None = None

    @property
    def enrols(self) -> bool:
        return not self.against_enrolments

    @property
    def claims(self) -> bool:
        return not self.against_claims

    @property
    def word(self) -> str:
        """For the journal: ``passes``, ``ending``, ``no-enrolments`` or ``no-claims``."""
        if not self.claims:
            return "no-claims"
        if not self.enrols:
            return "no-enrolments"
        return "ending" if self.coming else "passes"


def standing(basis: Basis, on: date) -> PolicyStanding:
    """How a device stands on a day.

    Args:
        basis: what it is judged by. on: the day, UTC.
    """
    strict, graced = _judged(basis, on)
    return PolicyStanding(
        on,
        basis.build.deployment is not None,
        refusals(basis.build, strict),
        refusals(basis.build, graced),
        tuple(_coming(basis, on, strict, graced)),
        _maxima(strict.limits, basis.limits),
        strict,
    )


def _judged(basis: Basis, on: date) -> tuple[Verdict, Verdict]:
    """The verdict that new enrolments need, and the one in grace that claims need."""
    strict, graced = (
        judge(basis.build, basis.packs, on, card=basis.card, reviews=basis.reviews, in_grace=in_grace)
        for in_grace in (False, True)
    )
    return strict, graced


def _coming(basis: Basis, on: date, *today: Verdict) -> Iterator[Coming]:
    """What stops on the days within a month on which something changes; each finding once, on its first day."""
    whats = (ENROLMENTS, CLAIMS)
    told = {(what, finding.id) for what, verdict in zip(whats, today, strict=True) for finding in verdict.findings}
    for day in sorted(day for day in _turns(basis, today) if on < day <= on + timedelta(days=WARN_DAYS)):
        for what, verdict in zip(whats, _judged(basis, day), strict=True):
            for finding in refusals(basis.build, verdict):
                if (what, finding.id) not in told:
                    told.add((what, finding.id))
                    yield Coming(day, what, finding)


def _turns(basis: Basis, verdicts: Iterable[Verdict]) -> set[date]:
    """The days on which the answer can change: rules begin and end, records end, their grace ends."""
    rules = [rule for pack in basis.packs for rule in pack.rules]
    proofs = [proof for verdict in verdicts for said in verdict.explained for proof in said.proofs]
    days = [day for rule in rules for day in (rule.starts, rule.until)]
    days += [day for proof in proofs for day in (proof.ends, proof.stops())]
    return {day for day in days if day is not None}


def _maxima(today: Mapping[str, Limit], built: Mapping[str, float]) -> dict[str, float]:
    """The least maximum of each number, of today's rules and of those of the day of the build."""
    least = {fact: limit.most for fact, limit in today.items() if limit.most is not None}
    for fact, most in built.items():
        least[fact] = min(most, least.get(fact, most))
    return least


@cache
def shipped_packs(folder: Path) -> tuple[Pack, ...]:
    """The packs of a folder.

    Raises:
        PackRefused: one of them is no pack; with every finding.
    """
    packs, findings = load_packs(sorted(folder.glob("*.yaml")))
    if findings:
        raise PackRefused(
            tuple(str(finding) for finding in findings), where=str(folder), remedy="reinstall the product"
        )
    return packs


@cache
def shipped_build(file: Path) -> BuildFile:
    """The build file that came with the product.

    Raises:
        PackRefused: it does not hold together; with every finding.
    """
    build, findings = load_build(file)
    if build is None:
        raise PackRefused(tuple(str(finding) for finding in findings), where=str(file), remedy="reinstall the product")
    return build


def basis_of(
    build: BuildInfo, state_dir: Path, trust_dir: Path, *, card: Mapping[str, Any] | None, strict: bool = True
) -> tuple[Basis, tuple[RefusedPack, ...]]:
    """What this device is judged by, and the added files that are not used.

    Args:
        build: what is running; its statement holds the limits of the day of the build.
        state_dir, trust_dir: of the settings. card: of the embedder in use. strict: as `edge.trust.envelopes.trusted`.

    Raises:
        PackRefused: what came with the build cannot be read.
    """
    own = shipped_build(_resources.path("config", "build.yaml"))
    added, refused = load_added(state_dir, trust_dir, strict=strict)
    packs = (*shipped_packs(_resources.path("config", "policy")), *added)
    return Basis(own, packs, card, reviews(own, trust_dir), _limits(build.statement)), refused


def _limits(statement: Mapping[str, Any]) -> dict[str, float]:
    policy = statement.get("policy")
    limits = policy.get("limits") if isinstance(policy, Mapping) else None
    found = {}
    for fact, limit in (limits if isinstance(limits, Mapping) else {}).items():
        most = limit.get("at_most") if isinstance(limit, Mapping) else None
        if isinstance(most, int | float):
            found[fact] = float(most)
    return found
