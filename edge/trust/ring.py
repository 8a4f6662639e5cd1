"""What a running device holds: its device key, its site, and whom it trusts.

    keyring = Keyring.load(settings.device.state_dir, settings.device.trust_dir, strict=True)
    chain = keyring.derive("edge/journal/chain/v1")             # a subkey of the device key for one job
    keyring, issuer = Keyring.ephemeral(os.urandom)               # the demo and tests: nothing touches a disk

`init` makes the files of a new device: ``device.key``, ``site.key`` and, unless declared unrecoverable,
``device.escrow``, all in the state folder.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from edge.errors import KeyringError
from edge.trust.device import RecoveryPublic, load_device_key, save_device_key, seal_escrow
from edge.trust.files import make_private_folder, write_new
from edge.trust.hkdf import derive
from edge.trust.issuer import IssuerKey
from edge.trust.issuers import TrustStore
from edge.trust.site import SiteKey

DEVICE_FILE = "device.key"
SITE_FILE = "site.key"
ESCROW_FILE = "device.escrow"
UNRECOVERABLE_FILE = "device.unrecoverable"


@dataclass(frozen=True, slots=True)
class Keyring:
    """The keys of one running device. ``repr`` shows no secret.

    Attributes:
        device_key: 32 bytes. site_id: 16 bytes, public. site_key: 32 bytes. trust: issuers that count here.
    """

    device_key: bytes = field(repr=False)
    site_id: bytes
    site_key: bytes = field(repr=False)
    trust: TrustStore = field(repr=False)

    def derive(self, info: str | bytes, length: int = 32) -> bytes:
        """A subkey of the device key for the job named by ``info`` (see `edge.trust.hkdf`)."""
        return derive(self.device_key, info, length=length)

    @property
    def device_id(self) -> bytes:
        """8 public bytes that name this device key in exports and on screen; they say nothing about it."""
        return self.derive("edge/device-id/v1", 8)

    @classmethod
    def load(cls, state_dir: Path, trust_dir: Path, *, strict: bool = False) -> Keyring:
        """Read the files that `init` made, and the trust folder.

        Args:
            state_dir: the state folder. trust_dir: the trust folder.
            strict: as in `TrustStore.load`; true wherever real hardware is driven.

        Raises:
            KeyringError: a file is missing, damaged, or open to others.
        """
        site = SiteKey.load(state_dir / SITE_FILE)
        return cls(
            device_key=load_device_key(state_dir / DEVICE_FILE),
            site_id=site.site_id,
            site_key=site.key,
            trust=TrustStore.load(trust_dir, strict=strict),
        )

    @classmethod
    def ephemeral(cls, random_bytes: Callable[[int], bytes]) -> tuple[Keyring, IssuerKey]:
        """A keyring in memory together with the one issuer that it trusts."""
        issuer = IssuerKey.generate(random_bytes, "ephemeral")
        site = SiteKey.generate(random_bytes)
        return cls(random_bytes(32), site.site_id, site.key, TrustStore.of(issuer)), issuer

    def __reduce__(self) -> str:
        raise TypeError("a Keyring is never pickled or copied")


def init(
    state_dir: Path,
    *,
    recovery: RecoveryPublic | None,
    site: SiteKey | None,
    random_bytes: Callable[[int], bytes],
) -> SiteKey:
    """Make the key files of a new device.

    Args:
        state_dir: created with mode 0700 when missing.
        recovery: seals the escrow; None declares the device unrecoverable, which is written down beside the key.
        site: the existing site that this device joins; None founds a new one.
        random_bytes: source of randomness, such as `os.urandom`.

    Returns:
        The site.

    Raises:
        KeyringError: keys are already there (nothing is overwritten), or a file cannot be written.
    """
    made = site or SiteKey.generate(random_bytes)
    key = random_bytes(32)
    escrow = seal_escrow(key, recovery, made.site_id, random_bytes) if recovery is not None else None
    _write(state_dir, made, key, escrow)
    return made


def restore(state_dir: Path, *, site: SiteKey, device_key: bytes, escrow: bytes) -> None:
    """Give a replaced device the key of the one that died.

    Args:
        state_dir: the new device's state folder, without keys.
        site: its site. device_key: what `RecoveryKey.open_escrow` gave. escrow: that escrow's file content, kept on.

    Raises:
        KeyringError: keys are already there, or a file cannot be written.
    """
    _write(state_dir, site, device_key, escrow)


def _write(state_dir: Path, site: SiteKey, device_key: bytes, escrow: bytes | None) -> None:
    make_private_folder(state_dir)
    for name in (DEVICE_FILE, SITE_FILE, ESCROW_FILE, UNRECOVERABLE_FILE):
        if (state_dir / name).exists():
            raise KeyringError(
                "this device has keys already",
                where=str(state_dir / name),
                remedy="`edge keys show` lists them; a new device needs an empty state folder",
            )
    # The escrow first: a device key must not exist for a moment without the decision about its copy.
    if escrow is not None:
        write_new(state_dir / ESCROW_FILE, escrow)
    else:
        write_new(state_dir / UNRECOVERABLE_FILE, b"No copy of this device's key exists, by decision.\n", mode=0o644)
    site.save(state_dir / SITE_FILE)
    save_device_key(device_key, state_dir / DEVICE_FILE)
