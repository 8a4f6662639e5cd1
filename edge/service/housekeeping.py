"""Housekeeping: records whose retention has ended go, daily, at start, and as soon as the time is confirmed.

    house = Housekeeping(vault, limits, pins, ledger, clock, kept, tell)
    house.visit()         # cheap; called about once a minute. Keeps house when a day has passed, or never yet

A device that was off for weeks starts with a clock that has jumped. Nothing is deleted until the jump is confirmed (by
time synchronisation or an operator) and the device has run for a further day with it (`TrustedTime.may_delete`); from
then on `visit` notices within a minute. The journal tells when the time became unconfirmed, and that it was confirmed
again.

How long is the smallest number that settings, declaration and policy name:

    kept = retention(settings, build.statement)
    kept.template_days, kept.journal_days        # None: as long as its card is valid; days
    kept.by["journal"]                           # "settings", "declared" or "policy"

The build statement carries what the deployer declared and what the policy packs left of it when the build was made; the
daily evaluation may name less (``verdict``), and nothing can name more.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from edge.service.ledger import Ledger
from edge.service.unfinished import noted
from edge.settings.model import Settings
from edge.state import ClockGuard, Limits, Pins
from edge.types.acts import ClockChanged, Expired
from edge.types.events import Event
from edge.vault import Due, Vault

#: Facts of the policy packs -> what they bound.
TEMPLATES, ACCESS_LOG = "retention_days", "access_log_days"
#: Failures are counted for so long at least after a card was last shown.
_COUNTED_DAYS = 30


@dataclass(frozen=True, slots=True)
class Retention:
    """What is kept how long.

    Attributes:
        template_days: the longest time since a reference was made; None: as long as its card is valid.
        journal_days: entries of the journal.
        by: ``template`` and ``journal`` -> who names the number: settings, declared (by the deployer), policy; card
            when none does.
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


DAY_S = 86_400


class Housekeeping:
    """Keeps the house of one device.

    Args:
        vault, limits, pins, ledger, clock: of the device. kept: how long what is kept, asked each time.
        tell: told each deletion and each change of the clock's standing. now_ns: the clock of events.
    """

    def __init__(
        self,
        vault: Vault,
        limits: Limits,
        pins: Pins,
        ledger: Ledger,
        clock: ClockGuard,
        kept: Callable[[], Retention],
        tell: Callable[[Event], None],
        now_ns: Callable[[], int] = time.monotonic_ns,
    ) -> None:
        self._vault, self._limits, self._pins, self._ledger = vault, limits, pins, ledger
        self._clock, self._kept_for = clock, kept
        self._tell, self._now_ns = tell, now_ns
        self._kept_at: int | None = None
        self._confirmed = True

    def visit(self) -> bool:
        """Keep house when it is time. Records the clock, so that an idle device knows how late it is, too.

        Returns:
            Whether the house was kept.

        Raises:
            StateError, VaultError, JournalBroken: the device must not go on.
        """
        now = self._clock.now()
        if now.confirmed is not self._confirmed:
            self._confirmed = now.confirmed
            self._tell(ClockChanged(at_ns=self._now_ns(), confirmed=now.confirmed, to=now.utc_s))
        if not now.may_delete or (self._kept_at is not None and 0 <= now.utc_s - self._kept_at < DAY_S):
            return False
        self._kept_at = now.utc_s
        self.keep()
        return True

    def keep(self) -> list[Due]:
        """Delete the records whose retention has ended; nothing while `TrustedTime.may_delete` is false.

        Returns:
            The rows and persons that went.

        Raises:
            StateError, VaultError, JournalBroken: as `visit`.
        """
        now = self._clock.now()
        if not now.may_delete:
            return []
        kept = self._kept_for()
        self._vault.keep_days = kept.template_days
        gone = self._vault.expire(now, lambda due: noted(self._event(due)))
        for due in gone:
            serial = due.holder.serial
            self._limits.forget(serial)
            self._pins.forget(serial)
            self._tell(self._event(due))
        # a short journal is no way to forget what a card has failed at: the strictest wait is a day's
        self._limits.expire(max(kept.journal_days, _COUNTED_DAYS))
        self._pins.expire(now.utc_s)
        self._ledger.journal.prune(now.utc_s - kept.journal_days * DAY_S)
        return gone

    def _event(self, due: Due) -> Expired:
        return Expired(at_ns=self._now_ns(), serial=due.holder.serial, what=due.what.value, rule=due.rule.value)
