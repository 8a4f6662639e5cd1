"""What this device trusts: device, site and issuer keys, signing keys, trust folders and the envelopes they check.

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
    from edge.trust.issuer import IssuerKey, IssuerPublic, TrustStore
    from edge.trust.keyfile import derive
    from edge.trust.locked import MIN_PASSPHRASE, Cost
    from edge.trust.recovery import RecoveryKey, RecoveryPublic, seal_escrow
    from edge.trust.ring import (
        DEVICE_FILE,
        ESCROW_FILE,
        ISSUER_FILE,
        SITE_FILE,
        UNRECOVERABLE_FILE,
        KeyChange,
        Keyring,
        SiteKey,
        init,
        load_device_key,
        restore,
        save_device_key,
    )

#: Module -> what it lends to this one. Loaded when first asked for: the build hook, which has nothing but PyYAML, reads
#: `edge.trust.envelopes` without `cryptography`.
_HOMES = {
    "edge.trust.keyfile": ("derive",),
    "edge.trust.locked": ("MIN_PASSPHRASE", "Cost"),
    "edge.trust.issuer": ("IssuerKey", "IssuerPublic", "TrustStore"),
    "edge.trust.recovery": ("RecoveryKey", "RecoveryPublic", "seal_escrow"),
    "edge.trust.ring": (
        *("DEVICE_FILE", "ESCROW_FILE", "ISSUER_FILE", "SITE_FILE", "UNRECOVERABLE_FILE"),
        *("KeyChange", "Keyring", "SiteKey", "init", "load_device_key", "restore", "save_device_key"),
    ),
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
    "KeyChange",
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
