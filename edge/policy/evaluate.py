"""Rules against facts: why a deployment is refused, what bounds it, and why, rule by rule.

    verdict = evaluate(facts, packs, on)
    verdict.findings                         # why it is refused; empty: it is not
    verdict.limits["retention_days"].most    # 1095: the least maximum of all rules that apply
    for said in verdict.explained: print(said.rule.name, said.state, said.why)

Workflow, for each rule of each pack: is it in force on that day? Does its scope hold (its pack's jurisdictions first)?
False: it is not shown. True or unknown: it applies, unless its exception is *known* to hold. Then its effect counts:
`deny` is a finding; `require` one finding a demand that is not known to hold; `limit` a finding when the declared
number lies outside or is missing, and a bound that is merged with all others. Nothing can permit what another rule
refuses. Pure: the day, the facts and the packs come in as arguments, and nothing is read or written.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date

from edge.policy.conditions import ALWAYS, ConditionAnswer, FactCondition, combined
from edge.policy.facts import FACTS, Facts
from edge.policy.findings import Finding
from edge.policy.records import Proof
from edge.policy.rules import Pack, PolicyRule

APPLIES, MAY, EXEMPT, OUTSIDE, NOT_NOW = "applies", "may apply", "exempt", "does not apply", "not in force"


@dataclass(frozen=True, slots=True)
class Limit:
    """The interval that all applying rules leave to a number.

    Args:
        least: greatest minimum, None without one. most: least maximum, None without one.
        by: the rules that bound it, ``pack/rule``.
    """

    least: float | None = None
    most: float | None = None
    by: tuple[str, ...] = ()

    @property
    def empty(self) -> bool:
        return self.least is not None and self.most is not None and self.least > self.most


@dataclass(frozen=True, slots=True)
class Explained:
    """What one rule says of a deployment.

    Args:
        rule: the rule. state: one of the constants of this module. why: in a few words.
        findings: what it has against the deployment.
        proofs: the records that satisfy it, with their ends.
        undeclared: whether a declaration could take every finding away.
    """

    rule: PolicyRule
    state: str
    why: str
    findings: tuple[Finding, ...] = ()
    proofs: tuple[Proof, ...] = ()
    undeclared: bool = False

    @property
    def applies(self) -> bool:
        return self.state in (APPLIES, MAY)


@dataclass(frozen=True, slots=True)
class Verdict:
    """All of it.

    Args:
        on: the day of the evaluation, UTC.
        explained: every rule, in the order of the packs.
        limits: fact -> what is left of it.
        clashes: findings of limits that leave nothing.
    """

    on: date
    explained: tuple[Explained, ...]
    limits: Mapping[str, Limit] = field(default_factory=dict)
    clashes: tuple[Finding, ...] = ()

    @property
    def findings(self) -> tuple[Finding, ...]:
        """Every reason against the deployment."""
        return (*(finding for said in self.explained for finding in said.findings), *self.clashes)

    @property
    def certain(self) -> tuple[Finding, ...]:
        """Findings that no declaration could take away: those of the build and its model."""
        return tuple(finding for said in self.explained if not said.undeclared for finding in said.findings)


def evaluate(
    facts: Facts,
    packs: Iterable[Pack],
    on: date,
    *,
    taken_on: Iterable[str] = (),
    where: Callable[[str], str] = lambda fact: fact,
) -> Verdict:
    """Judge a deployment.

    Args:
        facts: what is known. packs: every pack, core and local. on: the day, UTC.
        taken_on: local packs that the build takes on wherever it is (`policy_packs` in the build file).
        where: fact -> its place in the build file, for the findings.
    """
    more = frozenset(taken_on)
    explained = tuple(_explain(rule, pack, facts, on, pack.id in more, where) for pack in packs for rule in pack.rules)
    limits = _merged(said.rule for said in explained if said.applies)
    clashes = tuple(_clash(fact, limit, where) for fact, limit in limits.items() if limit.empty)
    return Verdict(on, explained, limits, clashes)


def _explain(
    rule: PolicyRule, pack: Pack, facts: Facts, on: date, taken_on: bool, where: Callable[[str], str]
) -> Explained:
    if not rule.in_force(on):
        return Explained(rule, NOT_NOW, f"from {rule.starts or 'ever'} until {rule.until or 'ever'}")
    scope = _scope(rule, pack, facts, on, taken_on)
    if scope.holds is False:
        return Explained(rule, OUTSIDE, scope.why)
    proofs: tuple[Proof, ...] = ()
    if rule.unless is not None:
        lifted = rule.unless.answer(facts, on)
        if lifted.holds is True:
            return Explained(rule, EXEMPT, lifted.why, proofs=lifted.proofs)
    state = APPLIES if scope.holds else MAY
    found = list(_findings(rule, scope, facts, on, where))
    if rule.effect == "require":
        answers = [demand.answer(facts, on) for demand in rule.demands]
        proofs = tuple(proof for answer in answers if answer.holds for proof in answer.proofs)
    undeclared = scope.holds is None or all(declared for _, declared in found)
    return Explained(rule, state, scope.why, tuple(finding for finding, _ in found), proofs, undeclared)


def _scope(rule: PolicyRule, pack: Pack, facts: Facts, on: date, taken_on: bool) -> ConditionAnswer:
    """Whether a rule concerns a deployment: its pack's places, then its own scope."""
    own = rule.scope.answer(facts, on)
    if not pack.jurisdictions or taken_on:
        return own
    here = FactCondition("jurisdictions", "in", pack.jurisdictions).answer(facts, on)
    return here if rule.scope is ALWAYS else combined([here, own])


def _findings(
    rule: PolicyRule, scope: ConditionAnswer, facts: Facts, on: date, where: Callable[[str], str]
) -> Iterator[tuple[Finding, bool]]:
    """What an applying rule has against a deployment, and whether a declaration could take it away."""
    if rule.effect == "deny":
        yield _finding(rule, scope.why, where(_first(scope))), _is_declared(scope)
        return
    for demand in rule.demands:
        answer = demand.answer(facts, on)
        if answer.holds is not True:
            yield _finding(rule, answer.why, where(_first(answer))), _is_declared(answer)
    for fact, (least, most) in rule.limits.items():
        value = facts.get(fact)
        if value is None:
            yield _finding(rule, f"{fact} is not declared", where(fact)), FACTS[fact].declared
        elif (most is not None and value > most) or (least is not None and value < least):
            bound = f"at most {most:g}" if most is not None and value > most else f"at least {least:g}"
            yield _finding(rule, f"{fact} is {value:g}, and must be {bound}", where(fact)), False


def _first(answer: ConditionAnswer) -> str:
    return answer.facts[0] if answer.facts else ""


def _is_declared(answer: ConditionAnswer) -> bool:
    """Whether a declaration could change it."""
    return any(FACTS[fact].declared for fact in answer.facts)


def _finding(rule: PolicyRule, why: str, where: str) -> Finding:
    citation = f"{rule.citation}, read {rule.read}"
    citation += "" if rule.confirmed else f"; NOT CONFIRMED: {rule.missing}"
    return Finding(where, rule.name, f"{rule.title}: {why}", rule.satisfy, citation)


def _merged(rules: Iterable[PolicyRule]) -> dict[str, Limit]:
    """Least maximum and greatest minimum of every number that is bounded."""
    merged: dict[str, Limit] = {}
    for rule in rules:
        for fact, (least, most) in rule.limits.items():
            old = merged.get(fact, Limit())
            merged[fact] = Limit(
                max((n for n in (old.least, least) if n is not None), default=None),
                min((n for n in (old.most, most) if n is not None), default=None),
                (*old.by, rule.name),
            )
    return merged


def _clash(fact: str, limit: Limit, where: Callable[[str], str]) -> Finding:
    what = f"the rules leave no number for {fact}: at least {limit.least:g} and at most {limit.most:g}"
    return Finding(where(fact), f"limit/{fact}", what, f"these rules contradict each other: {', '.join(limit.by)}")
