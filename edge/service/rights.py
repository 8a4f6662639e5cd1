"""What a person can ask of a device: what is kept about me, take it away, which cards of mine do you know.

    report = about(device, claim)                  # everything kept here about the card's person
    (receipt,) = erase(device, [serial], "kim")    # what was done, and what may remain

The answers are plain data (`as_json`); `edge.papers` makes papers of them, in the person's language.

A receipt says what was done (`Done`), each point because it was looked up, and what may remain (`Remains`), which is
never nothing: an operator who hands out a receipt without the second list promises too much.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any

from edge.claim import decode
from edge.errors import InputError
from edge.journal import Entry
from edge.service.device import Device
from edge.service.unfinished import noted
from edge.state import CardStanding
from edge.types import Claim, Custody
from edge.types.acts import Erased, Reported
from edge.vault import Due, Erasure, Header, Holder, serial_text
from edge.vault.holder import NEVER, named


class Done(StrEnum):
    """What was done."""

    TEMPLATE = "template_deleted"
    PERSON = "consent_and_name_deleted"
    CONSENT = "consent_of_card_deleted"
    OVERWRITTEN = "overwritten"
    LOG = "log_emptied"
    SEARCHED = "searched_and_not_found"
    SEARCHED_CARD = "card_searched_and_not_found"
    COUNTERS = "counters_deleted"
    NOTHING = "nothing_was_kept"
    REFUSED = "card_refused"


class Remains(StrEnum):
    """What may remain, and where."""

    SERIAL = "serial"
    SERIAL_FOR_EVER = "serial_for_ever"
    OTHER_CARDS = "other_cards"
    CARD = "card"
    WORKING_CARD = "working_card"
    JOURNAL = "journal"
    TRACES = "traces"
    LOG = "log_pending"
    FLASH = "flash"
    BACKUPS = "backups"
    OTHER_DOORS = "other_doors"


@dataclass(frozen=True, slots=True)
class ErasureReceipt:
    """What an erasure did on one device.

    Attributes:
        erasure: in the vault. operator: who did it. device: its name.
        counters: whether retry counters were deleted.
        entries: of the journal that name the card's serial; they stay in its chain until ``entries_until``.
        others: further cards of the same person that are still kept here.
    """

    erasure: Erasure
    operator: str
    device: str
    counters: bool
    entries: int
    entries_until: int
    others: int = 0

    @property
    def done(self) -> tuple[Done, ...]:
        """What was done, each because it was looked up."""
        e = self.erasure
        facts = (
            (Done.NOTHING, not e.known and not self.counters),
            (Done.TEMPLATE, e.template),
            (Done.PERSON, e.known and not self.others),
            (Done.CONSENT, e.known and self.others > 0),
            (Done.OVERWRITTEN, e.known and e.overwritten),
            (Done.LOG, e.known and e.log_emptied),
            (Done.SEARCHED, e.traces == 0 and not self.others),
            (Done.SEARCHED_CARD, e.traces == 0 and self.others > 0),
            (Done.COUNTERS, self.counters),
            (Done.REFUSED, e.refused_until > 0),
        )
        return tuple(done for done, so in facts if so)

    @property
    def remains(self) -> tuple[Remains, ...]:
        """What may remain."""
        e = self.erasure
        on_card = e.custody is Custody.CARD
        facts = (
            (Remains.OTHER_CARDS, self.others > 0),
            (Remains.CARD, on_card and e.refused_until > 0),
            (Remains.WORKING_CARD, on_card and not e.refused_until),
            (Remains.SERIAL, e.refused_until > 0 and not e.refused_for_ever),
            (Remains.SERIAL_FOR_EVER, e.refused_for_ever),
            (Remains.JOURNAL, self.entries > 0),
            (Remains.TRACES, bool(e.traces)),
            (Remains.LOG, e.known and not e.log_emptied),
            (Remains.FLASH, e.known),
            (Remains.BACKUPS, True),
            (Remains.OTHER_DOORS, on_card),
        )
        return tuple(remains for remains, so in facts if so)

    def as_json(self) -> dict[str, Any]:
        """The answer of ``edge erase --json``, one for each card."""
        e = self.erasure
        return {
            "schema": "edge/erasure/v1",
            "serial": serial_text(e.serial),
            "custody": e.custody.value,
            "at": e.at,
            "operator": self.operator,
            "device": self.device,
            "language": e.language,
            "known": e.known,
            "template_deleted": e.template,
            "secure_delete": e.overwritten,
            "log_emptied": e.log_emptied,
            "traces_found": e.traces,
            "refused_until": None if e.refused_for_ever or not e.refused_until else e.refused_until,
            "other_cards": self.others,
            "journal_entries": self.entries,
            "journal_entries_until": self.entries_until,
            "done": [done.value for done in self.done],
            "may_remain": [remains.value for remains in self.remains],
        }


@dataclass(frozen=True, slots=True)
class SubjectReport:
    """What is kept about the holder of a card.

    Attributes:
        device: its name. at: Unix seconds. claim: the card, as checked by signature and site.
        template: header and size in bytes of the sealed template, on the card or here; None: there is none any more.
        row: about the card on this device, None when it was enrolled elsewhere. due: when that goes.
        counters: of failed attempts. pin, pin_alone: whether one is set here, beside the card or in its place.
        entries: of the journal, that name the card; they stay for journal_days. alternative: the way in without a face.
    """

    device: str
    at: int
    claim: Claim
    template: tuple[Header, int] | None
    row: Holder | None
    due: Due | None
    counters: CardStanding
    pin: bool
    pin_alone: bool
    entries: tuple[Entry, ...]
    journal_days: int
    alternative: str

    @property
    def here(self) -> bool:
        """Whether the sealed template is on this device."""
        return self.claim.custody is Custody.DEVICE and self.template is not None

    def as_json(self) -> dict[str, Any]:
        """The answer of ``edge subject report --json``."""
        counted = self.counters
        return {
            "schema": "edge/subject-report/v1",
            "device": self.device,
            "at": self.at,
            "card": _card(self.claim),
            "template": self._template_json(),
            "row": None if self.row is None else _row(self.row),
            "deleted": None if self.due is None else {"at": self.due.at, "by": self.due.rule, "what": self.due.what},
            "counters": {
                **{"rejects_in_a_row": counted.rejects, "without_decision_in_a_row": counted.silent},
                **{"wait_s": round(counted.wait_s), "disabled": counted.disabled},
                **{"counted_by_the_door": counted.marked, "pin": self.pin, "pin_alone": self.pin_alone},
            },
            "journal": [{"at": e.at, "kind": e.kind, "fields": dict(e.fields)} for e in self.entries],
            "journal_days": self.journal_days,
            "alternative": self.alternative,
            "error": None,
        }

    def _template_json(self) -> dict[str, Any] | None:
        if self.template is None:
            return None
        header, size = self.template
        return {
            "where": "device" if self.here else "card",
            "numbers": header.dimension,
            "sealed_bytes": size,
            "made": header.made,
            "embedder": header.model.hex(),
        }


def about(device: Device, claim: Claim) -> SubjectReport:
    """Gather what this device keeps about the holder of a card; the journal notes that it was shown.

    Args:
        claim: a token of this site, checked by signature; it may have expired.

    Raises:
        VaultError, StateError, JournalBroken: something cannot be read.
    """
    row = device._vault.store.holder(claim.serial)
    report = SubjectReport(
        device.settings.device.name,
        device._clock.now().utc_s,
        claim,
        device._vault.size(claim),
        row,
        None if row is None else device._vault.last_moment(row),
        device._limits.standing(claim.serial),
        device._pins.known(claim.serial),
        device._pins.stands_alone(claim.serial),
        tuple(device._ledger.about(claim.serial)),
        device.retention.journal_days,
        device.settings.alternative or "",
    )
    device.tell(Reported(at_ns=device.now_ns(), serial=claim.serial))
    return report


def erase(
    device: Device, serials: Sequence[bytes], operator: str, *, custody: Custody = Custody.CARD
) -> list[ErasureReceipt]:
    """Erase what this device keeps about some cards and their person; journalled by name.

    A card that was enrolled elsewhere is not known here: then its counters go, and the receipt says so.

    Args:
        serials: of one person's cards. custody: as the card says, when it was presented. For a serial alone nobody
            knows any more where the template of an erased or unknown card is, so the receipt asks for the card's
            destruction.

    Raises:
        UsageError: no operator. VaultError, StateError, JournalBroken: it could not be done.
    """
    done = [_erase(device, serial, operator, custody) for serial in serials]
    # Counted at the end: what the person still has here, whichever of their cards went first.
    return [replace(receipt, others=_others(device, receipt.erasure)) for receipt in done]


def _erase(device: Device, serial: bytes, operator: str, custody: Custody) -> ErasureReceipt:
    now, act = device._clock.now().utc_s, Erased(at_ns=device.now_ns(), serial=serial, operator=operator)
    kept = device._vault.store.holder(serial)
    if kept is not None and kept.receipt:
        erasure = device._vault.erase(serial, operator, now_s=now, note=noted(act))
    else:
        erasure = _nothing_more(device, serial, operator, now, custody)
    counters = device._limits.forget(serial) | device._pins.forget(serial)
    device.tell(act)
    entries = device._ledger.about(serial)
    until = max((entry.at for entry in entries), default=now) + device.retention.journal_days * 86_400
    return ErasureReceipt(erasure, operator, device.settings.device.name, counters, len(entries), until)


def _others(device: Device, erasure: Erasure) -> int:
    return len(device._vault.store.of_subject(erasure.subject)) if erasure.subject else 0


def claim_of(device: Device, token: str) -> Claim:
    """The claim of a token: genuine and of this site; it may have expired, since rights do not.

    Raises:
        TokenInvalid: not a token of this site.
    """
    ring = device._keyring
    return decode(token, trust=ring.trust, site_id=ring.site_id, received_ns=0)


def serials_of(device: Device, subject: str) -> list[bytes]:
    """The cards of a person, by the name or number on their consent record.

    Raises:
        InputError: nobody of this name has a card here.
    """
    cards = [holder.serial for holder in device._vault.cards_of(subject)]
    if not cards:
        raise InputError(
            "no card of a person of this name is kept on this device",
            where="--subject",
            remedy="type it as on the consent record, or use the card's serial; erase where the person was enrolled",
        )
    return cards


def _nothing_more(device: Device, serial: bytes, operator: str, now: int, custody: Custody) -> Erasure:
    """A card of which nothing, or no more than a refused serial, is kept here."""
    named(operator)
    holder = device._vault.store.holder(serial)
    erasure = Erasure(serial, custody, now)
    return erasure if holder is None else replace(erasure, refused_until=holder.expires)


def cards(device: Device) -> list[dict[str, Any]]:
    """The cards that this device knows, newest first: serial, custody, status, dates; nothing of a face, no name.

    Raises:
        VaultError: a row was altered, or the store cannot be read.
    """
    rows = sorted(device._vault.store.expiring(NEVER), key=lambda row: row.changed, reverse=True)
    return [
        {
            "serial": serial_text(row.serial),
            "custody": row.custody.value,
            "status": row.status.value,
            "enrolled": row.enrolled,
            "not_before": row.not_before,
            "expires": None if row.expires >= NEVER else row.expires,
            "changed": row.changed,
            "goes": None if (due := device._vault.last_moment(row)).at >= NEVER else due.at,
        }
        for row in rows
    ]


def _card(claim: Claim) -> dict[str, Any]:
    return {
        "serial": claim.serial_text,
        "custody": claim.custody.value,
        "groups": list(claim.groups),
        "credential": claim.credential,
        "not_before": claim.not_before,
        "expires": claim.expires,
        "issuer": claim.issuer.hex(),
    }


def _row(row: Holder) -> dict[str, Any]:
    return {
        "status": row.status.value,
        "enrolled": row.enrolled,
        "changed": row.changed,
        "consent": row.consent or None,
        "hash_of_name": row.subject is not None,
    }
