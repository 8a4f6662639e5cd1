"""The erasure of a person, and its receipt: facts that were looked up, not promises.

    receipt = erase(store, holder, now_s)
    receipt.traces        # 0: what was deleted was searched for in the bytes of the database and its log

What was deleted is searched for afterwards in the very files, so that the receipt says what is so. The sentences for a
person, in their language, and what may remain elsewhere are in `edge.papers.report`.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from edge.types import Custody
from edge.vault.holder import NEVER, Holder, Status
from edge.vault.retention import ended
from edge.vault.store import Store


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
        note: see `edge.vault.unjournalled`.

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
