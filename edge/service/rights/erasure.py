"""Erasing a person, and the receipt they are given.

    receipt = erase(device, serial, "kim")
    document(receipt, language_of("fr-CA")).as_text()

A receipt says what was done (`Done`), each point because it was looked up, and what may remain (`Remains`), which is
never nothing: an operator who hands out a receipt without the second list promises too much.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any

from edge.claim import decode
from edge.errors import InputError
from edge.service.device import Device
from edge.service.rights.document import Document, Fact, Item, Line, Section
from edge.service.rights.phrases import day, moment, say
from edge.types import Claim, Custody
from edge.types.acts import Erased
from edge.vault import Erasure, serial_text
from edge.vault.holder import named

SCHEMA = "edge/erasure/v1"


class Done(StrEnum):
    """What was done."""

    TEMPLATE = "template_deleted"
    PERSON = "consent_and_name_deleted"
    OVERWRITTEN = "overwritten"
    LOG = "log_emptied"
    SEARCHED = "searched_and_not_found"
    COUNTERS = "counters_deleted"
    NOTHING = "nothing_was_kept"
    REFUSED = "card_refused"


class Remains(StrEnum):
    """What may remain, and where."""

    SERIAL = "serial"
    SERIAL_FOR_EVER = "serial_for_ever"
    CARD = "card"
    WORKING_CARD = "working_card"
    JOURNAL = "journal"
    TRACES = "traces"
    LOG = "log_pending"
    FLASH = "flash"
    BACKUPS = "backups"
    OTHER_DOORS = "other_doors"


@dataclass(frozen=True, slots=True)
class Receipt:
    """What an erasure did on one device.

    Attributes:
        erasure: in the vault. operator: who did it. device: its name.
        counters: whether retry counters were deleted.
        entries: of the journal that name the card's serial; they stay in its chain until ``entries_until``.
    """

    erasure: Erasure
    operator: str
    device: str
    counters: bool
    entries: int
    entries_until: int

    @property
    def done(self) -> tuple[Done, ...]:
        """What was done, each because it was looked up."""
        e = self.erasure
        facts = (
            (Done.NOTHING, not e.known and not self.counters),
            (Done.TEMPLATE, e.template),
            (Done.PERSON, e.known),
            (Done.OVERWRITTEN, e.known and e.overwritten),
            (Done.LOG, e.known and e.log_emptied),
            (Done.SEARCHED, e.traces == 0),
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
            "schema": SCHEMA,
            "serial": serial_text(e.serial),
            "custody": e.custody.value,
            "at": e.at,
            "operator": self.operator,
            "device": self.device,
            "known": e.known,
            "template_deleted": e.template,
            "secure_delete": e.overwritten,
            "log_emptied": e.log_emptied,
            "traces_found": e.traces,
            "refused_until": None if e.refused_for_ever or not e.refused_until else e.refused_until,
            "journal_entries": self.entries,
            "journal_entries_until": self.entries_until,
            "done": [done.value for done in self.done],
            "may_remain": [remains.value for remains in self.remains],
        }


def erase(device: Device, serial: bytes, operator: str, *, custody: Custody = Custody.CARD) -> Receipt:
    """Erase what this device keeps about a card and its person; journalled by name.

    A card that was enrolled elsewhere is not known here: then its counters go, and the receipt says so.

    Args:
        custody: as the card says, when it was presented. For a serial alone nobody knows any more where the template of
            an erased or unknown card is, so the receipt asks for the card's destruction.

    Raises:
        UsageError: no operator. VaultError, StateError, JournalBroken: it could not be done.
    """
    now = device.clock.now().utc_s
    kept = device.vault.store.holder(serial)
    if kept is not None and kept.receipt:
        erasure = device.vault.erase(serial, operator, now_s=now)
    else:
        erasure = _nothing_more(device, serial, operator, now, custody)
    counters = device.limits.forget(serial)
    device.tell(Erased(at_ns=device.now_ns(), serial=serial, operator=operator))
    entries = device.ledger.about(serial)
    until = max((entry.at for entry in entries), default=now) + device.retention.journal_days * 86_400
    return Receipt(erasure, operator, device.settings.device.name, counters, len(entries), until)


def claim_of(device: Device, token: str) -> Claim:
    """The claim of a token: genuine and of this site; it may have expired, since rights do not.

    Raises:
        TokenInvalid: not a token of this site.
    """
    ring = device.keyring
    return decode(token, trust=ring.trust, site_id=ring.site_id, received_ns=0)


def serials_of(device: Device, subject: str) -> list[bytes]:
    """The cards of a person, by the name or number on their consent record.

    Raises:
        InputError: nobody of this name has a card here.
    """
    cards = [holder.serial for holder in device.vault.cards_of(subject)]
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
    holder = device.vault.store.holder(serial)
    erasure = Erasure(serial, custody, now)
    if holder is None:
        return erasure
    return replace(erasure, refused_until=holder.expires)


def document(receipt: Receipt, language: str) -> Document:
    """The receipt for a person.

    Args:
        language: one of `edge.service.rights.phrases.LANGUAGES`.
    """
    e = receipt.erasure
    values = {
        "until": day(e.refused_until) if not e.refused_for_ever else "",
        "journal_until": day(receipt.entries_until),
        "entries": str(receipt.entries),
        "traces": str(e.traces or 0),
        "device": receipt.device,
    }
    head: tuple[Line, ...] = (
        Fact(say("serial", language), serial_text(e.serial)),
        Fact(say("device", language), receipt.device),
        Fact(say("when", language), moment(e.at)),
        Fact(say("operator", language), receipt.operator),
    )
    done = tuple(Item(say(f"done.{item.value}", language, **values)) for item in receipt.done)
    remains = tuple(Item(say(f"remains.{item.value}", language, **values)) for item in receipt.remains)
    return Document(
        say("erasure.title", language),
        language,
        (
            Section("", (say("erasure.opening", language), *head)),
            Section(say("erasure.done", language), done),
            Section(say("erasure.remains", language), remains),
        ),
    )
