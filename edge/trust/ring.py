"""What a running device holds: device key, site, trusted issuers; and how its keys are made and replaced.

    keyring = Keyring.load(settings.device.state_dir, settings.device.trust_dir, strict=True)
    chain = keyring.derive("edge/journal/chain/v1")             # a subkey of the device key for one job
    keyring, issuer = Keyring.ephemeral(os.urandom)               # the demo and tests: nothing touches a disk

`init` makes the files of a new device: ``device.key``, ``site.key`` and, unless declared unrecoverable,
``device.escrow``, all in the state folder. Both keys may be taken out of it, encrypted: then systemd gives them to the
service as credentials (deploy/edge-keys.conf). `add_issuer` makes any device a place of enrolment, at once or years
later; `rotate_issuer` replaces its key. Every act tells what changed, so that it can be journalled.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import NoReturn

from edge.errors import KeyringError
from edge.files import refusal, write_atomic
from edge.trust import first
from edge.trust.folder import Strict
from edge.trust.issuer import IssuerKey, IssuerPublic, TrustStore
from edge.trust.keyfile import derive, from_base64, need_own, read_key, read_line, to_base64, write_key, write_line
from edge.trust.recovery import RecoveryPublic, seal_escrow

DEVICE_FILE = "device.key"
SITE_FILE = "site.key"
ESCROW_FILE = "device.escrow"
UNRECOVERABLE_FILE = "device.unrecoverable"
#: Where the issuer's locked private half lies by default, below the enrolling machine's state folder.
ISSUER_FILE = "issuer.key"
#: Made by ``edge keys init --development`` only: the issuer's passphrase beside the issuer's key.
PASSPHRASE_FILE = "issuer.passphrase"

DEVICE_KIND = "edge-device-v1"
SITE_KIND = "edge-site-v1"
_NO_KEYS = "`edge keys init` makes a device's keys; its --help names the choices"
_NOT_HERE = (
    "it was lost, and `edge keys init` says what to do; or it is a credential, which systemd gives to the service "
    'alone: OPERATING.md, "Keys as credentials", says how a command gets it'
)


def key_file(state_dir: Path, name: str) -> Path:
    """Where the device's or the site's key lies: in the state folder, or else among this service's credentials."""
    place, given = state_dir / name, os.environ.get("CREDENTIALS_DIRECTORY", "")
    credential = Path(given) / name
    return credential if given and credential.exists() and not os.path.lexists(place) else place


def _read(path: Path) -> bytes:
    had = any((path.parent / name).exists() for name in (ESCROW_FILE, UNRECOVERABLE_FILE))
    return read_key(path, missing=_NOT_HERE if had else _NO_KEYS)


@dataclass(frozen=True, slots=True)
class KeyChange:
    """One change of keys, in the journal's words.

    Attributes:
        key: device, site or issuer. change: made, joined, restored, rotated, retired or trusted.
        id: 16 hexadecimal digits that name the key and say nothing about it.
    """

    key: str
    change: str
    id: str


@dataclass(frozen=True, slots=True)
class SiteKey:
    """What every card and door of one site share: an id, and the key that opens templates in card custody.

    The key decrypts and never authorises: its holder still needs the card for the one template on it, and cannot
    make a card. It is copied to each door of the site (`edge keys init --site FILE`), in one file of mode 0600.

    Attributes: site_id: 16 random bytes, public. key: 32 random bytes, secret.
    """

    site_id: bytes
    key: bytes = field(repr=False)

    @classmethod
    def generate(cls, random_bytes: Callable[[int], bytes]) -> SiteKey:
        return cls(random_bytes(16), random_bytes(32))

    def save(self, path: Path) -> None:
        """Write a new file of mode 0600. Raises `KeyringError`."""
        write_key(path, write_line(SITE_KIND, self.site_id.hex(), to_base64(self.key)))

    @classmethod
    def load(cls, path: Path) -> SiteKey:
        """Raises `KeyringError`: missing, accessible to others, or not such a file."""
        where = str(path)
        name, key = read_line(_read(path), SITE_KIND, where=where, fields=2)
        try:
            site_id = bytes.fromhex(name)
        except ValueError:
            site_id = b""
        if len(site_id) != 16:
            raise KeyringError("the site id in this file is damaged", where=where, remedy="restore it from its copy")
        return cls(site_id, from_base64(key, 32, where=where))

    def __reduce__(self) -> NoReturn:
        raise TypeError("a SiteKey is never pickled or copied")


def save_device_key(key: bytes, path: Path) -> None:
    """Write a new file of mode 0600. Raises `KeyringError`."""
    write_key(path, write_line(DEVICE_KIND, to_base64(key)))


def load_device_key(path: Path) -> bytes:
    """32 bytes. Raises `KeyringError`: missing, accessible to others, or not such a file."""
    (text,) = read_line(_read(path), DEVICE_KIND, where=str(path), fields=1)
    return from_base64(text, 32, where=str(path))


def _device_id(device_key: bytes) -> bytes:
    return derive(device_key, "edge/device-id/v1", length=8)


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
        """A subkey of the device key for the job named by ``info`` (see `edge.trust.keyfile.derive`)."""
        return derive(self.device_key, info, length=length)

    @property
    def device_id(self) -> bytes:
        """8 public bytes that name this device key in exports and on screen; they say nothing about it."""
        return _device_id(self.device_key)

    @classmethod
    def load(cls, state_dir: Path, trust_dir: Path, *, strict: Strict = False) -> Keyring:
        """Read the files that `init` made, and the trust folder.

        Args:
            state_dir: the state folder. trust_dir: the trust folder.
            strict: as in `TrustStore.load`; true wherever real hardware is driven, "root" on a device build.

        Raises:
            KeyringError: a file is missing, damaged, or open to others.
        """
        site = SiteKey.load(key_file(state_dir, SITE_FILE))
        return cls(
            device_key=load_device_key(key_file(state_dir, DEVICE_FILE)),
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

    def __reduce__(self) -> NoReturn:
        raise TypeError("a Keyring is never pickled or copied")


def init(
    state_dir: Path,
    *,
    recovery: RecoveryPublic | None,
    site: SiteKey | None,
    random_bytes: Callable[[int], bytes],
) -> tuple[KeyChange, ...]:
    """Make the key files of a new device.

    Args:
        state_dir: created with mode 0700 when missing.
        recovery: seals the escrow; None declares the device unrecoverable, which is written down beside the key.
        site: the existing site that this device joins; None founds a new one.
        random_bytes: source of randomness, such as `os.urandom`.

    Raises:
        KeyringError: keys are already there (nothing is overwritten), or a file cannot be written.
    """
    made = site or SiteKey.generate(random_bytes)
    key = random_bytes(32)
    escrow = seal_escrow(key, recovery, made.site_id, random_bytes) if recovery is not None else None
    _write(state_dir, made, key, escrow)
    return (
        KeyChange("site", "joined" if site else "made", made.site_id.hex()[:16]),
        KeyChange("device", "made", _device_id(key).hex()),
    )


def restore(state_dir: Path, *, site: SiteKey, device_key: bytes, escrow: bytes) -> tuple[KeyChange, ...]:
    """Give a replaced device the key of the one that died.

    Args:
        state_dir: the new device's state folder, without keys.
        site: its site. device_key: what `RecoveryKey.open_escrow` gave. escrow: that escrow's file content, kept on.

    Raises:
        KeyringError: keys are already there, or a file cannot be written.
    """
    _write(state_dir, site, device_key, escrow)
    return (KeyChange("device", "restored", _device_id(device_key).hex()),)


def has_keys(state_dir: Path) -> bool:
    """Whether a device's keys lie there."""
    return all(key_file(state_dir, name).exists() for name in (DEVICE_FILE, SITE_FILE))


def check_no_keys(state_dir: Path) -> None:
    """Raises `KeyringError`: a device's keys, or a part of them, lie there; or it is another user's folder."""
    need_own(state_dir)
    if has_keys(state_dir):
        raise KeyringError(
            "this device has keys already",
            where=str(state_dir),
            remedy="`edge keys show` lists them, `edge keys issuer` adds an issuer; a new device needs an empty folder",
        )
    found = [name for name in (DEVICE_FILE, SITE_FILE, ESCROW_FILE, UNRECOVERABLE_FILE) if (state_dir / name).exists()]
    if not found:
        return
    rest = f"move {' and '.join(found)} to another folder; then `edge keys init` makes new ones"
    if DEVICE_FILE in found:
        lost, remedy = SITE_FILE, f"copy {SITE_FILE} there from another device of the site; where there is none, {rest}"
    else:
        lost, remedy = DEVICE_FILE, f"{rest}, or `edge keys recover` restores the lost one from its escrow"
    raise KeyringError(
        f"the keys here are incomplete: {lost} was lost, or making them was interrupted",
        where=str(state_dir),
        remedy=remedy,
    )


def make_private_folder(folder: Path) -> None:
    """Create ``folder`` with mode 0700 (parents with the usual mode); an existing one is left as it is.

    Raises:
        KeyringError: it cannot be created, or something else has its name.
    """
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        folder.mkdir(mode=0o700, exist_ok=True)
    except OSError as error:
        raise refusal(KeyringError, error, folder, "the folder cannot be created") from None


def _write(state_dir: Path, site: SiteKey, device_key: bytes, escrow: bytes | None) -> None:
    check_no_keys(state_dir)
    make_private_folder(state_dir)
    # The escrow first: a device key must not exist for a moment without the decision about its copy.
    if escrow is not None:
        write_key(state_dir / ESCROW_FILE, escrow)
    else:
        write_key(state_dir / UNRECOVERABLE_FILE, b"No copy of this device's key exists, by decision.\n", mode=0o644)
    site.save(state_dir / SITE_FILE)
    first.mark(state_dir, device_key)
    save_device_key(device_key, state_dir / DEVICE_FILE)


# -- an issuer on this device ----------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class NewIssuer:
    """What `add_issuer` and `rotate_issuer` made.

    Attributes:
        public: the public half. file: where it lies. trusted: whether that is this device's trust folder; if not, root
            has to copy it there. changes: for the journal. retired: where the old key lies now.
    """

    public: IssuerPublic
    file: Path
    trusted: bool
    changes: tuple[KeyChange, ...]
    retired: Path | None = None


def check_no_issuer(state_dir: Path, remedy: str = "`edge keys rotate issuer` replaces it") -> None:
    """Raises `KeyringError`: an issuer key is there, and it is replaced by name only."""
    if (state_dir / ISSUER_FILE).exists():
        raise KeyringError("an issuer key is already there", where=str(state_dir / ISSUER_FILE), remedy=remedy)


def add_issuer(state_dir: Path, trust_dir: Path, passphrase: str, *, name: str = "") -> NewIssuer:
    """Make an issuer key on a device that has keys: from now on people can be enrolled here.

    Raises:
        KeyringError: the device has no keys or has an issuer, the passphrase is no good, or a file cannot be written.
    """
    load_device_key(key_file(state_dir, DEVICE_FILE))  # without keys of its own it is no device
    check_no_issuer(state_dir)
    key = IssuerKey.generate(os.urandom, name)
    locked = key.locked(passphrase)
    file, trusted = _publish(key.public, state_dir, trust_dir)  # first: a public half alone is harmless
    write_key(state_dir / ISSUER_FILE, locked)
    return NewIssuer(key.public, file, trusted, _changes(key.public, "made", trusted))


def rotate_issuer(state_dir: Path, trust_dir: Path, passphrase: str, *, name: str = "") -> NewIssuer:
    """Replace the issuer key by a new one; the old one steps aside, and its cards stay good until root ends that.

    Raises:
        KeyringError: there is no issuer, the passphrase is no good, or a file cannot be written.
    """
    path = state_dir / ISSUER_FILE
    old, data = IssuerKey.public_of(path), read_key(path)
    key = IssuerKey.generate(os.urandom, name)
    locked = key.locked(passphrase)
    file, trusted = _publish(key.public, state_dir, trust_dir)
    retired = path.with_name(f"issuer-{old.key_id.hex()}.retired.key")
    if not retired.exists():  # left by a rotation that a power cut ended
        write_key(retired, data)
    try:
        write_atomic(path, locked, mode=0o600)
    except OSError as error:
        raise refusal(KeyringError, error, path, "the key file cannot be written") from None
    (state_dir / PASSPHRASE_FILE).unlink(missing_ok=True)  # the development passphrase opened the old key
    changes = (*_changes(key.public, "rotated", trusted), KeyChange("issuer", "retired", old.key_id.hex()))
    return NewIssuer(key.public, file, trusted, changes, retired)


def _publish(public: IssuerPublic, state_dir: Path, trust_dir: Path) -> tuple[Path, bool]:
    """Put a public half into the trust folder, or beside the private one where that belongs to root."""
    with suppress(KeyringError):
        return public.save(trust_dir), True
    path = state_dir / f"issuer-{public.key_id.hex()}.pub"
    write_key(path, public.line(), mode=0o644)
    return path, False


def _changes(public: IssuerPublic, change: str, trusted: bool) -> tuple[KeyChange, ...]:
    made = KeyChange("issuer", change, public.key_id.hex())
    return (made, KeyChange("issuer", "trusted", made.id)) if trusted else (made,)
