"""Acts whose change of the vault the journal may not know of: noted with the change, finished after a crash.

    vault.erase(serial, "kim", now_s=now, note=noted(event))    # the change says, in its own transaction, what it is
    device.tell(event)                                          # the journal's entry; then the note goes
    finish(records, limits, pins)                               # at the next start, what a crash or `kill -9` left

So whatever counts is in the journal: a change that was not made leaves no note, and one that was made is told once.
"""

from __future__ import annotations

import json

from edge.journal import Journal
from edge.service.ledger import entry_of
from edge.service.records import Records
from edge.state import Limits, Pins
from edge.types.acts import Act, Expired
from edge.vault import Store

#: After these a card's counters go, and what lay in the files; after a revocation, or another card, its PIN.
_FORGET, _NO_PIN = ("erased", "expired"), ("erased", "expired", "revoked")


def noted(event: Act | Expired) -> str:
    """The journal's entry of an event, as the note of the change that it tells."""
    return json.dumps(entry_of(event), separators=(",", ":"), sort_keys=True)


def settle(store: Store, event: object) -> None:
    """The journal has an event: whatever was noted of it goes. Raises `VaultError`."""
    if isinstance(event, Act | Expired):
        text = noted(event)
        if any(note.text == text for note in store.unjournalled()):
            store.journalled(text)


def finish(records: Records, limits: Limits, pins: Pins) -> int:
    """Finish what was made and not told. Call it only while no other process has the folder.

    Returns:
        How many acts were finished.

    Raises:
        VaultError, StateError, JournalBroken: the device must not go on.
    """
    assert records.vault is not None
    store = records.vault.store
    notes = store.unjournalled()
    for note in notes:
        kind, fields = json.loads(note.text)
        serial = bytes.fromhex(fields["serial"])
        if kind in _FORGET:
            limits.forget(serial)
        if kind in _NO_PIN:
            pins.forget(serial)
        if (old := fields.get("replaces", fields["serial"])) != fields["serial"]:
            pins.forget(bytes.fromhex(old))
        if not _told(records.journal, note.after, kind, fields):
            records.journal.write(kind, **fields)
        store.journalled(note.text)
        if kind in _FORGET:
            store.rewrite()
    return len(notes)


def _told(journal: Journal, after: int, kind: str, fields: dict[str, object]) -> bool:
    """Whether the journal has such an entry after a number."""
    later = journal.last(journal.sequence - after)
    return any((entry.kind, dict(entry.fields)) == (kind, fields) for entry in later)
