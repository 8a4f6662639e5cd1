"""One sealed template a claim: sealed, stored, opened once, revoked, renewed, erased.

    state = state_database(folder)
    vault = Vault.at(folder, keyring, state)
    with vault.open(claim, model_digest=chain.embedder.digest, session=session) as template:
        ...

The store is inert without the person's token: a template's name in it comes out of the token's secret, and so does its
key, together with a key of this device or site.
"""

from edge.vault.consent import ConsentReceipt, subject_hash, zone_of
from edge.vault.holder import Holder, Status, parse_serial, serial_text
from edge.vault.issuing import Draft, Issuance, Issued, Terms, issued_json
from edge.vault.record import Record
from edge.vault.retention import Due, Erasure, RetentionRule, What
from edge.vault.schema import FILE
from edge.vault.seal import Header, open_sealed, record_id, seal
from edge.vault.store import Store
from edge.vault.vault import Vault

__all__ = [
    "FILE",
    "ConsentReceipt",
    "Draft",
    "Due",
    "Erasure",
    "Header",
    "Holder",
    "Issuance",
    "Issued",
    "Record",
    "RetentionRule",
    "Status",
    "Store",
    "Terms",
    "Vault",
    "What",
    "issued_json",
    "open_sealed",
    "parse_serial",
    "record_id",
    "seal",
    "serial_text",
    "subject_hash",
    "zone_of",
]
