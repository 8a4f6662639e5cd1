"""What goes when: every row and template has a last moment, and it is the earliest that any rule names.

    card       the card's last day: row and template go
    retention  the settings' or the policy's longest time since the reference was made: row and template go; of a card
               that was revoked the person goes (consent receipt, hash of the name), and its serial stays, refused
    consent    what the person agreed to, when they set an end: it shortens the card itself when it is made

A serial that must be refused is kept until its card has expired: deleting it earlier would bring the card back.

    due(store, until_s, keep_s)       # what goes until then, earliest first
    expire(store, now, keep_s)        # what goes now goes; nothing while the time is unconfirmed

An erasure is the same at a person's wish, with a receipt of facts that were looked up: what was deleted is searched for
afterwards in the bytes of the very files. The sentences for that person are in `edge.papers.report`.

    receipt = erase(store, holder, now_s)
    receipt.traces                    # 0: nothing that was deleted is left in the database or its log

The time is the trusted one (`edge.state.clock`): a clock that was set back extends nothing, and a device that was off
for weeks catches up at its first start with a confirmed time.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from enum import StrEnum

from edge.errors import InputError
from edge.state import TrustedTime
from edge.types import Custody
from edge.vault.holder import NEVER, Holder, Status
from edge.vault.store import Store

DAY_S = 86_400


class What(StrEnum):
    """What goes: the whole row with its template, or the person in it while the refused serial stays."""

    ROW = "row"
    PERSON = "person"


class RetentionRule(StrEnum):
    """Whose last moment it is."""

    CARD = "card"
    RETENTION = "retention"


@dataclass(frozen=True, slots=True)
class Due:
    """Something that goes.

    Attributes:
        holder: the row. what, rule: see there. at: Unix seconds of its last moment.
    """

    holder: Holder
    what: What
    rule: RetentionRule
    at: int


def last_moment(holder: Holder, keep_s: int | None) -> Due:
    """When a row goes, or the person in it.

    Args:
        keep_s: the longest time since the reference was made, seconds; None: as long as the card is valid.
    """
    kept_until = None if keep_s is None else holder.enrolled + keep_s
    if kept_until is None or not holder.receipt or holder.expires <= kept_until:
        return Due(holder, What.ROW, RetentionRule.CARD, holder.expires)
    what = What.ROW if holder.status is Status.ACTIVE else What.PERSON
    return Due(holder, what, RetentionRule.RETENTION, kept_until)


def due(store: Store, until_s: int, keep_s: int | None) -> list[Due]:
    """What goes at or before a time, earliest first."""
    before = None if keep_s is None else until_s - keep_s
    return sorted((last_moment(holder, keep_s) for holder in store.expiring(until_s, before)), key=lambda d: d.at)


def expire(store: Store, now: TrustedTime, keep_s: int | None, note: Callable[[Due], str] = lambda _: "") -> list[Due]:
    """Let go what has reached its last moment; nothing while the time is unconfirmed.

    Args:
        note: of each; see `edge.vault.ledger`.

    Returns:
        What went.
    """
    if not now.confirmed:
        return []
    gone = due(store, now.utc_s, keep_s)
    if gone:
        values = [value for each in gone for value in store.distinctive(each.holder)]
        with store.change() as change:
            for each in gone:
                change.note(note(each))
                if each.what is What.ROW:
                    change.drop(each.holder.serial, each.holder.record_id)
                else:
                    change.put(ended(each.holder, each.holder.status, each.holder.changed, keep_person=False))
        store.scrub(values)
    return gone


def earliest(expires: int, kept: int | None, ends: int | None, now_s: int) -> int:
    """The last moment of a card that is made now.

    Args:
        expires: as wished. kept: when the template may not be kept any longer. ends: when the consent ends by itself.

    Raises:
        InputError: retention or consent have ended already.
    """
    last = min(moment for moment in (expires, kept, ends) if moment is not None)
    if last < expires and last <= now_s:
        raise InputError(
            "the longest time for which this template may be kept has passed",
            where="vault",
            remedy="capture the person again, with their consent: edge enrol",
        )
    return last


def ended(holder: Holder, status: Status, now_s: int, *, keep_person: bool) -> Holder:
    """A row whose card no longer counts, with or without the person in it; its record is dropped by the caller."""
    row = replace(holder, status=status, changed=now_s, record_digest=None)
    return row if keep_person else replace(row, record_id=None, receipt="", subject=None)


@dataclass(frozen=True, slots=True)
class Erasure:
    """What an erasure did in the vault of one device.

    Attributes:
        serial: the card's, 16 bytes. custody: where the template was.
        at: Unix seconds. language: of the person, from their consent receipt; empty when none was kept.
        known: whether anything was kept here about this card.
        template: whether a sealed template was deleted here.
        overwritten: SQLite overwrites what it deletes (``secure_delete``).
        log_emptied: the write-ahead log is empty; False while another process was reading it, which empties it later.
        traces: how often something that was deleted is still found in the files; None when nothing was deleted.
        subject: the keyed hash of who it was, with which their other cards are counted; None when none was kept.
        refused_until: the serial is kept, and refused, until then; 0 when it is not kept.
    """

    serial: bytes
    custody: Custody
    at: int
    language: str = ""
    known: bool = False
    template: bool = False
    overwritten: bool = False
    log_emptied: bool = False
    traces: int | None = None
    refused_until: int = 0
    subject: bytes | None = field(default=None, repr=False)

    @property
    def refused_for_ever(self) -> bool:
        """Whether the card's last day is not known here, so that its serial stays."""
        return self.refused_until >= NEVER


def erase(store: Store, holder: Holder, now_s: int, note: str = "") -> Erasure:
    """Delete everything about a card's person but the serial, which stays refused until the card expires.

    Args:
        note: see `edge.vault.ledger`.

    Raises:
        VaultError: the store cannot be written or read.
    """
    values = store.distinctive(holder)
    template = holder.record_id is not None and store.template(holder.record_id) is not None
    with store.change() as change:
        change.drop_record(holder.record_id)
        change.put(ended(holder, Status.ERASED, now_s, keep_person=False))
        change.note(note)
    emptied, traces = store.scrub(values)
    return Erasure(
        holder.serial,
        holder.custody,
        now_s,
        holder.language,
        known=True,
        template=template,
        overwritten=store.secure_delete,
        log_emptied=emptied,
        traces=traces,
        refused_until=holder.expires,
        subject=holder.subject,
    )
