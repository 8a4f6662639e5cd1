"""Who is still on which embedder: an update renews people one by one, and nobody is forgotten at the end of the time.

    renewals = Renewals.of(device._vault, current, previous, until, now.utc_s)
    renewals.count(Made.PREVIOUS)      # cards that are verified with the embedder before, until the last day
    renewals.ended                     # the last day has passed: those are refused

Templates are not opened for it: a card's row, or the readable header of its record, names the embedder.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime
from enum import StrEnum
from functools import cached_property
from typing import Any

from edge.errors import SealBroken, Unfit
from edge.face import Card
from edge.settings.model import FaceSettings
from edge.vault import Header, Holder, Record, Status, Vault, serial_text
from edge.vault.holder import NEVER

#: The self-test warns so long before the last day: a month of people coming by.
WARN_DAYS = 30


class Made(StrEnum):
    """With which embedder a card's template was made, as far as it matters."""

    CURRENT = "current"
    """This one, or the same file with the arithmetic before: nothing is to be done."""
    PREVIOUS = "previous"
    """The one before, which the settings name."""
    OTHER = "other"
    """Neither: refused."""
    UNKNOWN = "unknown"
    """Not known here: a card in card custody that an earlier version handed out."""


@dataclass(frozen=True)
class Renewals:
    """The cards that count on a device, by embedder.

    Attributes:
        until: the last day (UTC) on which the previous embedder's cards are verified; None without an overlap.
        days_left: of the overlap, today included; 0 when it has ended, or none is declared.
        cards: each card, longest enrolled first.
    """

    until: date | None
    days_left: int
    cards: tuple[tuple[Holder, Made], ...]

    @classmethod
    def of(cls, vault: Vault, current: Card, previous: Card | None, until: date | None, now_s: int) -> Renewals:
        """Read the rows.

        Args:
            current, previous: the embedders' cards. until: see `Renewals`. now_s: the trusted time, Unix seconds.

        Raises:
            VaultError: the store cannot be read, or a row was altered.
        """
        known = dict.fromkeys(_names(previous), Made.PREVIOUS) | dict.fromkeys(_names(current), Made.CURRENT)

        def made(holder: Holder) -> Made:
            model = _model(vault, holder)
            return Made.UNKNOWN if model is None else known.get(model, Made.OTHER)

        rows = [row for row in vault.store.expiring(NEVER) if row.status is Status.ACTIVE]
        cards = tuple((row, made(row)) for row in sorted(rows, key=lambda row: row.enrolled))
        left = 0 if until is None else (until - datetime.fromtimestamp(now_s, UTC).date()).days + 1
        return cls(until, max(0, left), cards)

    @classmethod
    def read(cls, vault: Vault, face: FaceSettings, find: Callable[[str], Card], now_s: int) -> Renewals:
        """The same by the names in the settings. Raises `ModelError`: one of them cannot be found."""
        previous = None if face.previous_embedder is None else find(face.previous_embedder)
        return cls.of(vault, find(face.embedder), previous, face.previous_until, now_s)

    @property
    def ended(self) -> bool:
        """Whether an overlap is declared and its last day has passed."""
        return self.until is not None and self.days_left == 0

    @cached_property
    def _counts(self) -> Counter[Made]:
        return Counter(made for _, made in self.cards)

    def count(self, made: Made) -> int:
        """How many cards were made so."""
        return self._counts[made]

    @property
    def due(self) -> list[tuple[Holder, Made]]:
        """The cards to renew; those of which it is not known, only while an embedder before is declared."""
        wanted = {Made.PREVIOUS, Made.OTHER} | ({Made.UNKNOWN} if self.until is not None else set())
        return [(row, made) for row, made in self.cards if made in wanted]

    def as_json(self) -> dict[str, Any]:
        """For ``edge vault due --json``."""
        return {
            "until": None if self.until is None else self.until.isoformat(),
            "ended": self.ended,
            **{made.value: self.count(made) for made in Made},
            "cards": [
                {
                    "serial": serial_text(row.serial),
                    "custody": row.custody.value,
                    "enrolled": row.enrolled,
                    "embedder": made.value,
                }
                for row, made in self.due
            ],
        }

    def check(self) -> str:
        """In a few words, when nobody needs anybody's attention.

        Raises:
            Unfit: cards are refused for their embedder, or will be within `WARN_DAYS`.
        """
        waiting, other = self.count(Made.PREVIOUS), self.count(Made.OTHER)
        if self.ended and waiting:
            raise Unfit(
                f"the overlap ended on {self.until}: {_cards(waiting)} of the previous embedder are refused",
                where="face.previous_until",
                remedy="`edge vault due` lists them; renew each (edge enrol --renew --override), or extend the overlap",
            )
        if other:
            raise Unfit(
                f"{_cards(other)} were made with an embedder that is not used here, and are refused",
                where="face.embedder",
                remedy="name it in face.previous_embedder for a while, or renew each (edge enrol --renew --override)",
            )
        if waiting and self.days_left <= WARN_DAYS:
            raise Unfit(
                f"{_cards(waiting)} are of the previous embedder, which is used until {self.until} "
                f"({self.days_left} days)",
                where="face.previous_until",
                remedy="`edge vault due` lists them; renew each while its holder can still be verified",
            )
        unknown = self.count(Made.UNKNOWN) if self.until is not None else 0
        beside = f"; of {_cards(unknown)} it is not known here" if unknown else ""
        return f"{_cards(waiting)} of the previous embedder, {self.count(Made.CURRENT)} of this one{beside}"


def _model(vault: Vault, holder: Holder) -> bytes | None:
    """Which embedder made a card's template, 32 bytes, as its row or the readable header of its record says."""
    if holder.model is not None or holder.record_id is None:
        return holder.model
    record = vault.store.template(holder.record_id)
    try:
        return None if record is None else Header.parse(Record.unpack(record).sealed.header).model
    except (SealBroken, ValueError):
        return None


def _names(card: Card | None) -> list[bytes]:
    """The identities under which an embedder's templates count: its own, and that of its arithmetic before."""
    if card is None:
        return []
    return [bytes.fromhex(name) for name in (card.identity, card.earlier) if name is not None]


def _cards(count: int) -> str:
    return f"{count} card{'' if count == 1 else 's'}"
