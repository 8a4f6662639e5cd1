"""Whom we believe: device, site and issuer keys, signing keys, trust folders and the envelopes they check.

key          who has it                          what it can do
issuer key   the place where people are enrolled  make cards; its public half is what doors trust
site key     every door of the site               open the template on a card that is shown, never make a card
device key   this device                          open the templates stored here, with their cards; sign its own records
recovery key a safe                               restore a dead device's key from its escrow

keyring = Keyring.load(state_dir, trust_dir, strict=True)
issuer = IssuerKey.load(path, passphrase)
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from edge.trust.device import RecoveryKey, RecoveryPublic, load_device_key, save_device_key, seal_escrow
    from edge.trust.hkdf import derive
    from edge.trust.issuer import IssuerKey, IssuerPublic
    from edge.trust.issuers import TrustStore
    from edge.trust.locked import MIN_PASSPHRASE, Cost
    from edge.trust.ring import DEVICE_FILE, ESCROW_FILE, SITE_FILE, UNRECOVERABLE_FILE, Keyring, init, restore
    from edge.trust.site import SiteKey

#: Where the issuer's locked private half lies by default, below the enrolling machine's state folder.
ISSUER_FILE = "issuer.key"

#: Module -> what it lends to this one. Loaded when first asked for: the build hook, which has nothing but PyYAML, reads
#: `edge.trust.envelopes` without `cryptography`.
_HOMES = {
    "edge.trust.hkdf": ("derive",),
    "edge.trust.device": (
        "RecoveryKey",
        "RecoveryPublic",
        "load_device_key",
        "save_device_key",
        "seal_escrow",
    ),
    "edge.trust.issuer": (
        "IssuerKey",
        "IssuerPublic",
    ),
    "edge.trust.issuers": ("TrustStore",),
    "edge.trust.locked": (
        "MIN_PASSPHRASE",
        "Cost",
    ),
    "edge.trust.ring": (
        "DEVICE_FILE",
        "ESCROW_FILE",
        "SITE_FILE",
        "UNRECOVERABLE_FILE",
        "Keyring",
        "init",
        "restore",
    ),
    "edge.trust.site": ("SiteKey",),
}

__all__ = [
    "DEVICE_FILE",
    "ESCROW_FILE",
    "ISSUER_FILE",
    "MIN_PASSPHRASE",
    "SITE_FILE",
    "UNRECOVERABLE_FILE",
    "Cost",
    "IssuerKey",
    "IssuerPublic",
    "Keyring",
    "RecoveryKey",
    "RecoveryPublic",
    "SiteKey",
    "TrustStore",
    "derive",
    "init",
    "load_device_key",
    "restore",
    "save_device_key",
    "seal_escrow",
]


def __getattr__(name: str) -> Any:
    from importlib import import_module

    for module, names in _HOMES.items():
        if name in names:
            return getattr(import_module(module), name)
    raise AttributeError(f"module 'edge.trust' has no attribute {name!r}")
