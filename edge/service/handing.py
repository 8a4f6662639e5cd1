"""Handing a card over: whatever is prepared is committed only after this."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from edge.errors import NotHandedOver
from edge.state import Limits
from edge.vault import Draft, Issued, Vault

#: Hands a card over (writes its file, shows its code) with the consent as it will be kept; gives how to take it back.
HandOver = Callable[[Issued, Mapping[str, Any]], Callable[[], None]]


def handed_over(hand_over: HandOver, issued: Issued, consent: Mapping[str, Any]) -> Callable[[], None]:
    """Hand a card over.

    Args:
        consent: as it will be kept; empty where there is none.

    Returns:
        How to take it back.

    Raises:
        NotHandedOver: it could not be.
    """
    try:
        return hand_over(issued, consent)
    except (OSError, UnicodeError) as error:
        why = getattr(error, "strerror", None) or type(error).__name__
        raise NotHandedOver(
            f"the card could not be handed over ({why}); nothing was kept",
            where="card",
            remedy="give it a place where it can be written, then do it again",
        ) from error


def commit_handed_over(vault: Vault, limits: Limits, draft: Draft, hand_over: HandOver, note: str) -> None:
    """Hand a card over where there is a new one, then write what was prepared.

    A wait is not got rid of by a new card for the same person: it begins where their other cards stand.

    Args:
        note: of the change; see `edge.service.unfinished`.

    Raises:
        NotHandedOver: nothing was committed. VaultError: nothing was, and the card was taken back.
    """
    take_back: Callable[[], None] = _nothing
    if draft.issued.text is not None:
        take_back = handed_over(hand_over, draft.issued, draft.holder.consent)
    holder, replaced = draft.holder, [draft.replaces] if draft.replaces else []
    theirs = vault.store.of_subject(holder.subject) if holder.subject else []
    try:
        limits.inherit(holder.serial, {other.serial for other in (*theirs, *replaced)} - {holder.serial})
        vault.commit(draft, note)
    except BaseException:
        take_back()
        raise


def _nothing() -> None:
    """There is nothing to take back: the card is the old one."""
