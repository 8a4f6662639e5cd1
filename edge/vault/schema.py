"""The tables of ``vault.sqlite3``, and every statement that touches a template: each is keyed by its record id.

``template`` is inert: it is read by record id, and the record id comes out of the secret on a card. It is never
counted, scanned or joined; a test asks SQLite's own query plan. ``holder`` is readable and knows nothing biometric.
``ledger`` is one row: whose vault this is, how often it changed, and a digest of all holder rows, under a MAC by a key
of the device. ``unjournalled`` holds what was changed until the journal says so (`edge.vault.ledger`).
"""

from __future__ import annotations

from edge.errors import VaultError
from edge.state import Kind

FILE = "vault.sqlite3"

READ_TEMPLATE = "SELECT sealed FROM template WHERE record_id = ?"
WRITE_TEMPLATE = "INSERT OR REPLACE INTO template (record_id, sealed) VALUES (?, ?)"
DELETE_TEMPLATE = "DELETE FROM template WHERE record_id = ?"

_FIRST = """
CREATE TABLE template (record_id BLOB PRIMARY KEY, sealed BLOB NOT NULL) WITHOUT ROWID;
CREATE TABLE holder (
  card_serial BLOB PRIMARY KEY,
  record_id BLOB,
  enrolled INTEGER NOT NULL,
  not_before INTEGER NOT NULL,
  expires INTEGER NOT NULL,
  changed INTEGER NOT NULL,
  status TEXT NOT NULL,
  receipt TEXT NOT NULL,
  subject BLOB,
  record_digest BLOB,
  mac BLOB NOT NULL
) WITHOUT ROWID;
CREATE INDEX holder_expires ON holder (expires);
CREATE INDEX holder_subject ON holder (subject);
CREATE TABLE ledger (
  one INTEGER PRIMARY KEY CHECK (one = 1),
  device BLOB NOT NULL,
  counter INTEGER NOT NULL,
  total BLOB NOT NULL,
  mac BLOB NOT NULL
);
"""

_SECOND = "CREATE INDEX holder_enrolled ON holder (enrolled);"

_THIRD = "ALTER TABLE holder ADD COLUMN model BLOB;"

_FOURTH = """
CREATE TABLE unjournalled (
  number INTEGER PRIMARY KEY,
  text TEXT NOT NULL,
  after INTEGER NOT NULL,
  mac BLOB NOT NULL
);
"""

#: How far the journal had come at the last change, so that it shows which entries a vault cannot know.
_FIFTH = "ALTER TABLE ledger ADD COLUMN journal INTEGER NOT NULL DEFAULT 0;"

VAULT = Kind(
    name="the vault of this device",
    application_id=0x45_56_56_31,  # "EVV1"
    migrations=(_FIRST, _SECOND, _THIRD, _FOURTH, _FIFTH),
    error=VaultError,
    remedy="the door stays locked; restore the vault from its backup, or without one move the file away; then "
    "edge confirm vault --operator NAME, and enrol again who is missing",
    secure_delete=True,
)
