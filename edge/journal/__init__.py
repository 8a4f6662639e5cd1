"""What can be shown afterwards: an append-only, hash-chained record of what the device decided and who changed what.

    journal = Journal(folder, keyring.derive(KEY_LABEL), now=lambda: clock.now().utc_s)
    journal.decided(decision)
    journal.write("revoked", serial=claim.serial.hex(), operator="olga")
    report = journal.verify()

One JSON object a line. Each entry names the hash of the one before it and carries a MAC by a key of this device; a head
file says which entry is the last. An entry that was altered, left out, added or cut off shows. The kinds of entries and
their fields are a closed set (`edge.journal.kinds`): there is none that could hold an image, an embedding, a score or a
secret.
"""

from edge.journal.entry import Entry
from edge.journal.journal import FILE, HEAD, KEY_LABEL, Journal, begin_anew
from edge.journal.kinds import KINDS
from edge.journal.verify import ChainReport, Selection, entries, last, verify

__all__ = [
    "FILE",
    "HEAD",
    "KEY_LABEL",
    "KINDS",
    "ChainReport",
    "Entry",
    "Journal",
    "Selection",
    "begin_anew",
    "entries",
    "last",
    "verify",
]
