"""Conditions of policy rules: data, and three answers - it holds, it does not, or it was not declared.

    condition, problems = parse({"operator.type": ["police"], "jurisdictions": ["US"]})
    judge(condition, facts, on)             # Answer(True, "operator.type is police; jurisdictions: US SFO lies in US")

A condition is a mapping whose entries must all hold:

    FACT: word | number | true               the fact is this (a list of words: holds it)
    FACT: [a, b]                             the fact is one of these; `jurisdictions`: a declared place lies in one
    FACT: {at_least: n} {at_most: n} {above: n} {below: n}
    FACT: {given: true}                      the fact is declared
    FACT: {only: [a, b]}                     a list: nothing but these
    record: {kind: dpia, ...}                a document is recorded, see `edge.policy.records`
    any: [condition, ...]    all: [condition, ...]    not: condition

A missing fact makes the entry *unknown*. Unknown is neither true nor false (Kleene): `any` is true when one is, else
unknown when one is; `not` of unknown is unknown.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from edge.policy import places
from edge.policy.facts import FACTS, Facts, PolicyFact, check
from edge.policy.records import Need, Proof, parse_need, prove
from edge.settings.problems import KeyPath, shown

COMPARISONS: Mapping[str, tuple[str, Callable[[float, float], bool]]] = {
    "at_least": ("at least", lambda value, bound: value >= bound),
    "at_most": ("at most", lambda value, bound: value <= bound),
    "above": ("above", lambda value, bound: value > bound),
    "below": ("below", lambda value, bound: value < bound),
}
_GROUPS = ("any", "all", "not")


@dataclass(frozen=True, slots=True)
class ConditionAnswer:
    """What a condition comes to.

    Args:
        holds: True, False, or None when a fact is missing.
        why: in a few words.
        facts: the facts that decided it (``records`` for a record).
        proofs: records that were found and hold, with the day on which they end.
    """

    holds: bool | None
    why: str
    facts: tuple[str, ...] = ()
    proofs: tuple[Proof, ...] = ()


@dataclass(frozen=True, slots=True)
class FactCondition:
    """One fact against one thing."""

    fact: str
    how: str  # in, only, given, at_least, at_most, above, below
    value: Any

    def answer(self, facts: Facts, on: date) -> ConditionAnswer:
        found = facts.get(self.fact)
        if self.how == "given":
            words = "is declared" if found is not None else "is not declared"
            return self._says((found is not None) == self.value, words)
        if found is None:
            return self._says(None, "is not declared")
        if self.how in COMPARISONS:
            words, compare = COMPARISONS[self.how]
            holds = compare(found, self.value)
            return self._says(holds, f"is {found:g}, {'' if holds else 'not '}{words} {self.value:g}")
        if FACTS[self.fact].kind == "places":
            return self._place(found)
        return self._word(found)

    def _says(self, holds: bool | None, words: str) -> ConditionAnswer:
        return ConditionAnswer(holds, f"{self.fact} {words}", (self.fact,))

    def _place(self, found: Sequence[str]) -> ConditionAnswer:
        holds = places.lies_in_any(found, self.value)
        said, wanted = ", ".join(found), ", ".join(self.value)
        words = {True: "lies in", False: "does not lie in", None: "may lie in"}[holds]
        unknown = [one for one in found if " " in one and not places.part(one)] if holds is None else []
        hint = f" (no table says where {unknown[0]} lies; declare its part, as US-CA elsewhere)" if unknown else ""
        return ConditionAnswer(holds, f"{said} {words} {wanted}{hint}", (self.fact,))

    def _word(self, found: Any) -> ConditionAnswer:
        entries = found if isinstance(found, (list, tuple)) else [found]
        said = ", ".join(_said(entry) for entry in entries) or "nothing"
        wanted = ", ".join(_said(entry) for entry in self.value)
        if self.how == "only":
            holds = all(entry in self.value for entry in entries)
            return self._says(holds, f"is {said}{'' if holds else f', not only {wanted}'}")
        holds = any(entry in self.value for entry in entries)
        return self._says(holds, f"is {said}{'' if holds else f', not {wanted}'}")


@dataclass(frozen=True, slots=True)
class RecordCondition:
    """A document must be recorded."""

    need: Need

    def answer(self, facts: Facts, on: date) -> ConditionAnswer:
        proof, why = prove(self.need, facts, on)
        return ConditionAnswer(proof is not None, why, ("records",), (proof,) if proof else ())


@dataclass(frozen=True, slots=True)
class ConditionGroup:
    """Several conditions: ``all``, ``any`` or ``not`` (of one)."""

    how: str
    parts: tuple[Condition, ...]

    def answer(self, facts: Facts, on: date) -> ConditionAnswer:
        answers = [part.answer(facts, on) for part in self.parts]
        if self.how == "not":
            (only,) = answers
            return ConditionAnswer(None if only.holds is None else not only.holds, only.why, only.facts)
        return combined(answers, any_of=self.how == "any")


def combined(answers: Sequence[ConditionAnswer], *, any_of: bool = False) -> ConditionAnswer:
    """All (or any) of several answers: Kleene's, with the words and facts of those that decide."""
    if not answers:
        return ConditionAnswer(not any_of, "always")
    wanted = next(holds for holds in (any_of, None, not any_of) if any(answer.holds is holds for answer in answers))
    chosen = [answer for answer in answers if answer.holds is wanted]
    return ConditionAnswer(
        wanted,
        "; ".join(dict.fromkeys(answer.why for answer in chosen)),
        tuple(dict.fromkeys(fact for answer in chosen for fact in answer.facts)),
        tuple(proof for answer in chosen for proof in answer.proofs),
    )


Condition = FactCondition | RecordCondition | ConditionGroup
ALWAYS = ConditionGroup("all", ())


def parse(data: Any, path: KeyPath = ()) -> tuple[Condition, list[tuple[KeyPath, str]]]:
    """A condition from a pack's data.

    Returns:
        The condition (`ALWAYS` in place of parts that cannot be read) and every problem as (key path, what).
    """
    if not isinstance(data, dict) or not data:
        return ALWAYS, [(path, "a condition is `fact: value` lines")]
    parts: list[Condition] = []
    problems: list[tuple[KeyPath, str]] = []
    for key, value in data.items():
        part, found = _entry(key, value, (*path, key))
        problems += found
        parts += [part] if part is not None else []
    return (parts[0] if len(parts) == 1 else ConditionGroup("all", tuple(parts))), problems


def _entry(key: str, value: Any, path: KeyPath) -> tuple[Condition | None, list[tuple[KeyPath, str]]]:
    if key == "not":
        part, problems = parse(value, path)
        return ConditionGroup("not", (part,)), problems
    if key in _GROUPS:
        if not isinstance(value, list) or not value:
            return None, [(path, "this is a list of conditions")]
        read = [parse(entry, (*path, number)) for number, entry in enumerate(value)]
        return ConditionGroup(key, tuple(part for part, _ in read)), [problem for _, found in read for problem in found]
    if key == "record":
        need, problems = parse_need(value, path)
        return (RecordCondition(need) if need else None), problems
    fact = FACTS.get(key)
    if fact is None or fact.kind == "records":
        return None, [(path, f"there is no fact {shown(key)}; known are {', '.join(FACTS)}")]
    return _test(fact, value, path)


def _test(fact: PolicyFact, value: Any, path: KeyPath) -> tuple[Condition | None, list[tuple[KeyPath, str]]]:
    if isinstance(value, dict):
        if len(value) != 1:
            return None, [(path, "one comparison a line; use `all:` for several")]
        ((how, bound),) = value.items()
        if how == "given" and type(bound) is bool:
            return FactCondition(fact.path, "given", bound), []
        if how == "only" and fact.kind == "words" and isinstance(bound, list):
            return FactCondition(fact.path, "only", tuple(bound)), _values(fact, bound, path)
        if how in COMPARISONS and fact.kind in ("number", "ratio") and type(bound) in (int, float):
            return FactCondition(fact.path, how, bound), []
        return None, [(path, f"{shown(how)} does not fit a fact that is {fact.kind}")]
    values = value if isinstance(value, list) else [value]
    if not values:
        return None, [(path, "an empty list never holds")]
    return FactCondition(fact.path, "in", tuple(values)), _values(fact, values, path)


def _values(fact: PolicyFact, values: Iterable[Any], path: KeyPath) -> list[tuple[KeyPath, str]]:
    if fact.kind == "text":
        return [(path, "a text is only ever asked for with {given: true}")]
    wrong = ((value, check(fact, value)) for value in values)
    return [(path, f"{shown(value)} {text}") for value, text in wrong if text]


def _said(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
