"""Device, site and issuer keys: made, sealed, loaded, rotated.

key          who has it                          what it can do
issuer key   the place where people are enrolled  make cards; its public half is what doors trust
site key     every door of the site               open the template on a card that is shown, never make a card
device key   this device                          open the templates stored here, with their cards; sign its own records
recovery key a safe                               restore a dead device's key from its escrow

keyring = Keyring.load(state_dir, trust_dir, strict=True)
issuer = IssuerKey.load(path, passphrase)
"""

from edge.keys.derive import derive
from edge.keys.device import RecoveryKey, RecoveryPublic, load_device_key, save_device_key, seal_escrow
from edge.keys.issuer import IssuerKey, IssuerPublic
from edge.keys.locked import MIN_PASSPHRASE, Cost
from edge.keys.ring import DEVICE_FILE, ESCROW_FILE, SITE_FILE, UNRECOVERABLE_FILE, Keyring, init, restore
from edge.keys.site import SiteKey
from edge.keys.trust import TrustStore

#: Where the issuer's locked private half lies by default, below the enrolling machine's state folder.
ISSUER_FILE = "issuer.key"

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
