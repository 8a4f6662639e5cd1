"""The receipt of an erasure: what was done, and what may remain, in sentences for the person concerned."""

from __future__ import annotations

from dataclasses import dataclass

from edge.types import Custody
from edge.vault.holder import Holder

_DONE = (
    "the consent receipt and the hash of the person's name were deleted and overwritten (secure_delete)",
    "the write-ahead log was emptied",
    "the card's serial is kept, and refused, until the card would have expired",
)
_TEMPLATE_DONE = "the sealed template was deleted and overwritten (secure_delete)"
_REMAINS = (
    "copies of deleted pages inside the flash memory; they open only with the card and this device's key together"
)
_ON_THE_CARD = "the sealed template on the card itself: destroy the card"


@dataclass(frozen=True, slots=True)
class Erasure:
    """What an erasure did.

    Attributes:
        serial: the card's, 16 bytes. custody: where the template was.
        done, may_remain: one sentence each.
    """

    serial: bytes
    custody: Custody
    done: tuple[str, ...]
    may_remain: tuple[str, ...]

    @classmethod
    def of(cls, holder: Holder) -> Erasure:
        """The receipt for a row that was just erased."""
        if holder.custody is Custody.DEVICE:
            return cls(holder.serial, holder.custody, (_TEMPLATE_DONE, *_DONE), (_REMAINS,))
        return cls(holder.serial, holder.custody, _DONE, (_ON_THE_CARD, _REMAINS))
