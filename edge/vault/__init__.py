"""One sealed template a claim: sealed, stored, opened once, revoked, renewed, erased.

    state = state_database(folder)
    vault = Vault.at(folder, keyring, state)
    lock, ciphertext = vault.lock(claim)      # for a session's own process (`edge.session.cells`)

The store is inert without the person's token: a template's name in it comes out of the token's secret, and so does its
key, together with a key of this device or site.

Names are loaded on first use (PEP 562): a session's own process needs few of them.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from edge.vault.consent import ConsentReceipt, subject_hash, zone_of
    from edge.vault.holder import Holder, Status, parse_serial, serial_text
    from edge.vault.issuing import Draft, Issuance, Issued, Terms, issued_json
    from edge.vault.record import Record
    from edge.vault.retention import Due, Erasure, RetentionRule, What
    from edge.vault.schema import FILE
    from edge.vault.seal import Header, Lock, record_id
    from edge.vault.store import Store
    from edge.vault.vault import Vault

_HOMES = {
    "ConsentReceipt": "edge.vault.consent",
    "subject_hash": "edge.vault.consent",
    "zone_of": "edge.vault.consent",
    "Erasure": "edge.vault.retention",
    "Holder": "edge.vault.holder",
    "Status": "edge.vault.holder",
    "parse_serial": "edge.vault.holder",
    "serial_text": "edge.vault.holder",
    "Draft": "edge.vault.issuing",
    "Issuance": "edge.vault.issuing",
    "Issued": "edge.vault.issuing",
    "Lock": "edge.vault.seal",
    "Terms": "edge.vault.issuing",
    "issued_json": "edge.vault.issuing",
    "Record": "edge.vault.record",
    "Due": "edge.vault.retention",
    "RetentionRule": "edge.vault.retention",
    "What": "edge.vault.retention",
    "FILE": "edge.vault.schema",
    "Header": "edge.vault.seal",
    "record_id": "edge.vault.seal",
    "Store": "edge.vault.store",
    "Vault": "edge.vault.vault",
}

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
    "Lock",
    "Record",
    "RetentionRule",
    "Status",
    "Store",
    "Terms",
    "Vault",
    "What",
    "issued_json",
    "parse_serial",
    "record_id",
    "serial_text",
    "subject_hash",
    "zone_of",
]


def __getattr__(name: str) -> Any:
    if name in _HOMES:
        return getattr(import_module(_HOMES[name]), name)
    raise AttributeError(f"module 'edge.vault' has no attribute {name!r}")
