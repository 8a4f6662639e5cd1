"""What a policy pack is once it has been read: rules, each with its source. The schema is in `edge.policy.packs`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from edge.policy.conditions import Condition


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
