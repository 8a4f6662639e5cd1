"""`edge keys`: make, show and rotate this device's keys and its issuers.

    edge keys recovery recovery.key recovery.pub        once a site, offline: restores devices that died
    edge keys init --recovery recovery.pub --issuer     where people are enrolled: founds the site, makes the issuer
    edge keys init --recovery recovery.pub --site FILE  each door: joins the site with the first device's site.key
    edge keys init --development                        a desk: everything in the state folder, protecting nothing
    edge keys issuer                                    later, on any device with keys: people are enrolled here, too
    edge keys operator kim                              a token for the operator's pages of a kiosk

    edge keys signer --role builder --out keys          where builds, packs, models or reviews are signed

A door trusts an issuer when root copies the issuer's public file into its trust folder; no command does that from afar.
Passphrases are asked for, or read from a file (``--passphrase-file``, ``-`` for standard input). What changes is
written into the device's journal, where it has one.
"""

from __future__ import annotations

import base64
import os
import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from edge.cli._common import PATH, Answer, shared
from edge.cli._operators import by_operator as _operator
from edge.cli._operators import journal as _journal
from edge.cli._operators import operators as _operators
from edge.cli._signer import PASSPHRASE, passphrase

if TYPE_CHECKING:
    from edge.settings import DeviceSettings, Settings
    from edge.trust import IssuerKey
    from edge.trust.ring import NewIssuer

_remark = click.option("--name", default="", help="Remark in the issuer's public file.")
_NEW_ISSUER = "Passphrase for the new issuer key"


@click.group()
def command() -> None:
    """Make, show and rotate this device's keys and its issuers."""


command.add_command(_operators, "operator")


@command.command()
@shared(settings="example")
@click.option("--recovery", type=PATH, help="The site's recovery public key: seals a copy of the device key.")
@click.option("--unrecoverable", is_flag=True, help="No copy: when this device dies its stored templates are lost.")
@click.option("--development", is_flag=True, help="For a developer's desk: all keys here, the passphrase beside them.")
@click.option("--site", type=PATH, help="Join an existing site: another device's site.key.")
@click.option("--issuer", is_flag=True, help="People are enrolled here: make an issuer key too.")
@_remark
@_operator
@PASSPHRASE
def init(
    settings: Settings,
    recovery: Path | None,
    unrecoverable: bool,
    development: bool,
    site: Path | None,
    issuer: bool,
    name: str,
    operator: str,
    passphrase_file: Path | None,
) -> None:
    """Make this device's keys. Nothing that exists is overwritten.

    Exactly one of --recovery, --unrecoverable and --development says what happens when the device dies. A device that
    has its keys already needs --issuer alone to become a place of enrolment, as `edge keys issuer` does.
    """
    from edge.errors import UsageError
    from edge.trust import RecoveryPublic, SiteKey
    from edge.trust import init as make
    from edge.trust.keyfile import write_key
    from edge.trust.locked import check_passphrase
    from edge.trust.ring import PASSPHRASE_FILE, SITE_FILE, add_issuer, check_no_issuer, check_no_keys, has_keys

    device = settings.device
    choices = [recovery is not None, unrecoverable, development].count(True)
    if issuer and not choices and site is None and has_keys(device.state_dir):
        _add_issuer(settings, name, operator, passphrase_file)
        return
    check_no_keys(device.state_dir)
    if choices != 1:
        raise UsageError(
            "say what happens when this device dies: exactly one of --recovery FILE, --unrecoverable, --development",
            where="edge keys init",
            remedy="`edge keys recovery` makes the site's recovery key",
        )
    if issuer or development:
        check_no_issuer(device.state_dir, "leave out --issuer, and it stays; or move it to another folder")
    # Everything that can fail for want of input fails before the first file is written.
    public = RecoveryPublic.load(recovery) if recovery else None
    joined = SiteKey.load(site) if site else None
    phrase = base64.b64encode(os.urandom(18)).decode("ascii") if development else ""
    if issuer and not development:
        phrase = check_passphrase(passphrase(passphrase_file, _NEW_ISSUER, confirm=True))
    changes = make(device.state_dir, recovery=public, site=joined, random_bytes=os.urandom)
    made = SiteKey.load(device.state_dir / SITE_FILE)
    click.echo(f"site {made.site_id.hex()}: {'joined' if joined else 'founded'}, keys in {device.state_dir}")
    if issuer or development:
        if development:
            write_key(device.state_dir / PASSPHRASE_FILE, phrase.encode("ascii") + b"\n")
        new = add_issuer(device.state_dir, device.trust_dir, phrase, name=name or "development" * development)
        changes += new.changes
        _tell(new, device)
    _journal(settings, changes, operator)
    if development:
        click.echo("development keys: anyone who reads this folder can make cards. Never use them at a door.", err=True)


@command.command("issuer")
@shared(settings="example")
@_remark
@_operator
@PASSPHRASE
def issuer_command(settings: Settings, name: str, operator: str, passphrase_file: Path | None) -> None:
    """Make an issuer key on a device that has keys: from now on people can be enrolled here."""
    _add_issuer(settings, name, operator, passphrase_file)


@command.command()
@shared(settings="example", json=True)
def show(settings: Settings) -> Answer:
    """Show which keys are here and which issuers and signers this device trusts. No secret is shown."""
    found = describe(settings.device)
    rows = [(label, found[label]) for label in ("site", "device", "recovery", "issuer")]
    issuers = [f"{entry['key_id']}  {entry['comment']}" for entry in found["trusted"]]
    signers = [f"{entry['key_id']}  {entry['name']}, for {entry['role']}" for entry in found["signers"]]
    rows += [("trusts", text) for text in (*(issuers or ["no issuer: no card is accepted here"]), *signers)]
    rows += [("warning", text) for text in found["warnings"]]
    return Answer({"schema": "edge/keys/v1", **found}, [f"{label:<10}{text}" for label, text in rows])


def describe(device: DeviceSettings) -> dict[str, Any]:
    """What `edge keys show` says, as data.

    Raises:
        KeyringError: the keys of this device cannot be read. SignatureError: those of the signers cannot.
    """
    from edge.trust import ESCROW_FILE, ISSUER_FILE, IssuerKey, Keyring
    from edge.trust.envelopes import ROLES, trusted
    from edge.trust.ring import PASSPHRASE_FILE

    ring = Keyring.load(device.state_dir, device.trust_dir)
    issuer = device.state_dir / ISSUER_FILE
    here = IssuerKey.public_of(issuer).key_id if issuer.exists() else None
    warnings = list(ring.trust.warnings)
    if here is not None and here not in ring.trust.issuers:
        public = device.state_dir / f"issuer-{here.hex()}.pub"
        way = f"; as root: {_install(public, device)}" if public.exists() else ""
        warnings.append(f"the issuer here is not trusted here, so its cards are refused{way}")
    if (device.state_dir / PASSPHRASE_FILE).exists():
        warnings.append("development keys: anyone who can read the state folder can make cards")
    return {
        "site": ring.site_id.hex(),
        "device": ring.device_id.hex(),
        "recovery": "escrow for the site's recovery key" if (device.state_dir / ESCROW_FILE).exists() else "none",
        "issuer": here.hex() if here is not None else "none here",
        "trusted": [
            {"key_id": key_id.hex(), "comment": key.comment} for key_id, key in sorted(ring.trust.issuers.items())
        ],
        "signers": [
            {"key_id": key_id, "name": key.name, "role": folder}
            for folder in ROLES.values()
            for key_id, key in trusted(device.trust_dir, folder, strict=False).items()
        ],
        "warnings": warnings,
    }


@command.command()
@click.argument("which", type=click.Choice(["issuer", "device", "site"]))
@shared(settings="example")
@_remark
@_operator
@PASSPHRASE
def rotate(which: str, settings: Settings, name: str, operator: str, passphrase_file: Path | None) -> None:
    """Replace the issuer key by a new one; the old cards stay good until its public file is removed.

    The passphrase is the new key's. Device and site keys cannot be exchanged under sealed templates: the command says
    why, and what to do instead.
    """
    from edge.errors import UsageError
    from edge.trust import ISSUER_FILE, IssuerKey, Keyring
    from edge.trust.ring import rotate_issuer

    if which != "issuer":
        raise UsageError(
            f"the {which} key cannot be rotated: each template is sealed with its card's secret and this key together, "
            "and this device does not have the secrets",
            where="edge keys rotate",
            remedy="make new keys in an empty state folder with `edge keys init` and enrol people again",
        )
    device = settings.device
    Keyring.load(device.state_dir, device.trust_dir)  # what is missing is told before a passphrase is asked for
    old = IssuerKey.public_of(device.state_dir / ISSUER_FILE)
    phrase = passphrase(passphrase_file, _NEW_ISSUER, confirm=True)
    new = rotate_issuer(device.state_dir, device.trust_dir, phrase, name=name)
    _tell(new, device)
    click.echo(f"the old key is now {new.retired}; destroy it when no card must be made with it any more")
    click.echo(f"its cards stay good at each door until root removes issuers/{old.key_id.hex()}.pub there")
    _journal(settings, new.changes, operator)


@command.command()
@click.argument("private", type=PATH)
@click.argument("public", type=PATH)
@click.option("--name", default="", help="Remark in both files.")
@PASSPHRASE
def recovery(private: Path, public: Path, name: str, passphrase_file: Path | None) -> None:
    """Make the site's recovery key: PRIVATE goes into a safe, PUBLIC to every `edge keys init --recovery`."""
    from edge.trust import RecoveryKey

    phrase = passphrase(passphrase_file, "Passphrase for the recovery key", confirm=True)
    key = RecoveryKey.generate(os.urandom, name)
    key.save(private, phrase, random_bytes=os.urandom)
    key.public.save(public)
    click.echo(f"{private}: keep it offline, with its passphrase elsewhere\n{public}: for `edge keys init --recovery`")


@command.command()
@click.argument("escrow", type=PATH)
@click.option("--recovery-key", type=PATH, required=True, help="The recovery key's private file.")
@click.option("--site", type=PATH, required=True, help="Any other device's site.key.")
@shared(settings="example")
@_operator
@PASSPHRASE
def recover(
    escrow: Path, recovery_key: Path, site: Path, settings: Settings, operator: str, passphrase_file: Path | None
) -> None:
    """Give a replaced device the key of the one that died, from its ESCROW file."""
    from edge.trust import RecoveryKey, SiteKey, restore
    from edge.trust.keyfile import read_key

    line, place = read_key(escrow, private=False), SiteKey.load(site)
    phrase = passphrase(passphrase_file, "Passphrase of the recovery key", confirm=False)
    key = RecoveryKey.load(recovery_key, phrase).open_escrow(line, place.site_id, where=str(escrow))
    changes = restore(settings.device.state_dir, site=place, device_key=key, escrow=line)
    click.echo(f"the device key is restored in {settings.device.state_dir}; now put the old device's database there")
    _journal(settings, changes, operator)


@command.command()
@click.option("--role", type=click.Choice(["builder", "packs", "models", "reviewer"]), required=True, help="For what.")
@click.option("--out", type=PATH, required=True, help="Folder for the two files; made when it is not there.")
@click.option("--name", default="", help="Whose key it is, in a word; people are shown it. Default: the role.")
@PASSPHRASE
def signer(role: str, out: Path, name: str, passphrase_file: Path | None) -> None:
    """Make a key that signs builds, policy packs, models or reviews.

    NAME.key is the private half, locked by a passphrase: it stays where things are signed and belongs on no door.
    NAME.pem is the public half: root copies it into the trust folder of each device that is to believe it, in the
    folder of its role. Removing it there ends the trust. A key counts in its role only.

    
    Example
      edge keys signer --role builder --name acme --out keys
      edge build sign edge_verifier-*.whl --key keys/acme.key
      sudo install -D -m 644 keys/acme.pem /etc/edge/trust/builders/acme.pem
    """
    import re

    from edge.errors import UsageError
    from edge.trust.envelopes import ROLES, Signer
    from edge.trust.keyfile import write_key
    from edge.trust.ring import make_private_folder

    name = name or role
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._-]{0,31}", name):
        raise UsageError("a name is 1 to 32 letters, digits, dots, - or _", where="--name", remedy="choose another")
    phrase = passphrase(passphrase_file, f"Passphrase for the new {role} key", confirm=True)
    key = Signer.generate(name)
    locked = key.locked(phrase)  # a short passphrase is told before any file is written
    make_private_folder(out)
    write_key(out / f"{name}.key", locked)
    write_key(out / f"{name}.pem", key.public.pem(), mode=0o644)
    click.echo(f"{out / name}.key: key {key.public.key_id}; keep it and its passphrase apart, and off every device")
    click.echo(f"{out / name}.pem: for {ROLES[role]}/ in the trust folder of each device that is to believe it")


def open_issuer(state_dir: Path, file: Path | None, passphrase_file: Path | None) -> IssuerKey:
    """The issuer key for a command that makes cards.

    Args:
        state_dir: the state folder. file: the key's private file; None for ``issuer.key`` in the state folder.
        passphrase_file: as on the command line; None asks, except beside development keys, whose passphrase lies there.

    Raises:
        KeyringError: no such key, or a wrong passphrase.
    """
    from edge.trust import ISSUER_FILE, IssuerKey
    from edge.trust.ring import PASSPHRASE_FILE

    path = file or state_dir / ISSUER_FILE
    IssuerKey.public_of(path)  # a missing or foreign file is told before a passphrase is asked for
    beside = path.with_name(PASSPHRASE_FILE)
    if passphrase_file is None and beside.exists():
        passphrase_file = beside
    return IssuerKey.load(path, passphrase(passphrase_file, "Passphrase of the issuer key", confirm=False))


def _add_issuer(settings: Settings, name: str, operator: str, passphrase_file: Path | None) -> None:
    from edge.trust import Keyring
    from edge.trust.ring import add_issuer, check_no_issuer

    device = settings.device
    Keyring.load(device.state_dir, device.trust_dir)  # what is missing is told before a passphrase is asked for
    check_no_issuer(device.state_dir)
    phrase = passphrase(passphrase_file, _NEW_ISSUER, confirm=True)
    new = add_issuer(device.state_dir, device.trust_dir, phrase, name=name)
    _tell(new, device)
    _journal(settings, new.changes, operator)


def _tell(new: NewIssuer, device: DeviceSettings) -> None:
    click.echo(f"issuer {new.public.key_id.hex()}: every door of the site needs {new.file} in its own trust folder")
    if not new.trusted:
        click.echo(f"here too, and only root decides which issuers this device trusts: {_install(new.file, device)}")


def _install(public: Path, device: DeviceSettings) -> str:
    """The command that makes this device trust an issuer."""
    target = device.trust_dir / "issuers" / public.name.removeprefix("issuer-")
    return shlex.join(["sudo", "install", "-D", "-o", "root", "-g", "root", "-m", "644", str(public), str(target)])
