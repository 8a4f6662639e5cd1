"""How long this device keeps what: the smallest number that settings, declaration and policy name.

    kept = retention(settings, build.statement)
    kept.template_days, kept.journal_days        # None: as long as its card is valid; days
    kept.by["journal"]                           # "settings", "declared" or "policy"

The build statement carries what the deployer declared and what the policy packs left of it when the build was made; the
daily evaluation may name less (``verdict``), and nothing can name more.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from edge.settings.model import Settings

#: Facts of the policy packs -> what they bound.
TEMPLATES, ACCESS_LOG = "retention_days", "access_log_days"


@dataclass(frozen=True, slots=True)
class Retention:
    """What is kept how long.

    Attributes:
        template_days: the longest time since a reference was made; None: as long as its card is valid.
        journal_days: entries of the journal.
        by: ``template`` and ``journal`` -> who names the number: settings, declared (by the deployer), policy; card
            when nobody does.
    """

    template_days: int | None
    journal_days: int
    by: Mapping[str, str]


def retention(
    settings: Settings, statement: Mapping[str, Any], verdict: Mapping[str, float | None] | None = None
) -> Retention:
    """The strictest of everything that bounds a time.

    Args:
        settings: ``vault.keep_days``, ``journal.days``.
        statement: of the build (`edge.profile.BuildInfo.statement`); empty when there is none.
        verdict: fact -> least maximum of today's evaluation, when there is one.
    """
    template_days, template_by = _smallest(settings.vault.keep_days, TEMPLATES, statement, verdict or {})
    journal_days, journal_by = _smallest(settings.journal.days, ACCESS_LOG, statement, verdict or {})
    by = {"template": template_by, "journal": journal_by}
    # 0 days of an access log would be no journal; a declaration may say so, and then everything goes daily
    return Retention(template_days, settings.journal.days if journal_days is None else journal_days, by)


def _smallest(
    own: int | None, fact: str, statement: Mapping[str, Any], verdict: Mapping[str, float | None]
) -> tuple[int | None, str]:
    limits = _mapping(_mapping(statement.get("policy")).get("limits"))
    named = (
        (own, "settings"),
        (_mapping(statement.get("deployment")).get(fact), "declared"),
        (_mapping(limits.get(fact)).get("at_most"), "policy"),
        (verdict.get(fact), "policy"),
    )
    numbers = [(int(days), who) for days, who in named if isinstance(days, int | float) and not isinstance(days, bool)]
    return min(numbers, key=lambda pair: pair[0], default=(None, "card"))


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}
