"""`edge keys`: make, show and rotate this device's keys and its issuers.

    edge keys recovery recovery.key recovery.pub        once a site, offline: restores devices that died
    edge keys init --recovery recovery.pub --issuer     where people are enrolled: founds the site, makes the issuer
    edge keys init --recovery recovery.pub --site FILE  each door: joins the site with the first device's site.key
    edge keys init --development                        a desk: everything in the state folder, protecting nothing

    edge keys signer --role builder --out keys          where builds, packs, models or reviews are signed

A door trusts an issuer when root copies the issuer's public file into its trust folder; no command does that from afar.
Passphrases are asked for, or read from a file (``--passphrase-file``, ``-`` for standard input).
"""

from __future__ import annotations

import base64
import json
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from edge.settings import DeviceSettings
    from edge.trust import IssuerKey, IssuerPublic

#: Made by ``init --development`` only: the issuer's passphrase beside the issuer's key.
PASSPHRASE_FILE = "issuer.passphrase"

_config = click.option(
    "--config", "config", type=click.Path(path_type=Path), help="Settings file; default as in `edge config`."
)
_passphrase = click.option(
    "--passphrase-file", type=click.Path(path_type=Path, allow_dash=True), help="Read the passphrase here; - is stdin."
)
_file = click.Path(path_type=Path)


@click.group()
def command() -> None:
    """Make, show and rotate this device's keys and its issuers."""


@command.command()
@_config
@click.option("--recovery", type=_file, help="The site's recovery public key: seals a copy of the device key.")
@click.option("--unrecoverable", is_flag=True, help="No copy: when this device dies its stored templates are lost.")
@click.option("--development", is_flag=True, help="A desk: all keys here, the passphrase beside them.")
@click.option("--site", type=_file, help="Join an existing site: another device's site.key.")
@click.option("--issuer", is_flag=True, help="People are enrolled here: make an issuer key too.")
@click.option("--name", default="", help="Remark in the issuer's public file.")
@_passphrase
def init(
    config: Path | None,
    recovery: Path | None,
    unrecoverable: bool,
    development: bool,
    site: Path | None,
    issuer: bool,
    name: str,
    passphrase_file: Path | None,
) -> None:
    """Make this device's keys. Nothing that exists is overwritten.

    Exactly one of --recovery, --unrecoverable and --development says what happens when the device dies.
    """
    from edge.errors import KeyringError, UsageError
    from edge.trust import ISSUER_FILE, IssuerKey, RecoveryPublic, SiteKey
    from edge.trust import init as make
    from edge.trust.files import write_new

    if [recovery is not None, unrecoverable, development].count(True) != 1:
        raise UsageError(
            "say what happens when this device dies: exactly one of --recovery FILE, --unrecoverable, --development",
            where="edge keys init",
            remedy="`edge keys recovery` makes the site's recovery key",
        )
    device = _device(config)
    issuer_path = device.state_dir / ISSUER_FILE
    if (issuer or development) and issuer_path.exists():
        raise KeyringError("an issuer key is already there", where=str(issuer_path), remedy="edge keys rotate issuer")
    # Everything that can fail for want of input fails before the first file is written.
    public = RecoveryPublic.load(recovery) if recovery else None
    joined = SiteKey.load(site) if site else None
    phrase = base64.b64encode(os.urandom(18)).decode("ascii") if development else ""
    if issuer and not development:
        phrase = read_passphrase(passphrase_file, "Passphrase for the new issuer key", confirm=True)
        check_length(phrase)
    made = make(device.state_dir, recovery=public, site=joined, random_bytes=os.urandom)
    click.echo(f"site {made.site_id.hex()}: {'joined' if joined else 'founded'}, keys in {device.state_dir}")
    if issuer or development:
        key = IssuerKey.generate(os.urandom, name or ("development" if development else ""))
        key.save(issuer_path, phrase, random_bytes=os.urandom)
        if development:
            write_new(device.state_dir / PASSPHRASE_FILE, phrase.encode("ascii") + b"\n")
        _publish(key.public, device)
    if development:
        click.echo("development keys: whoever can read this folder can make cards. Never use them at a door.", err=True)


@command.command()
@_config
@click.option("--json", "as_json", is_flag=True, help="Print exactly one JSON object.")
def show(config: Path | None, as_json: bool) -> None:
    """Show which keys are here and whom this device trusts. No secret is shown."""
    found = describe(_device(config))
    if as_json:
        click.echo(json.dumps({"schema": "edge/keys/v1", **found, "error": None}))
        return
    for label in ("site", "device", "recovery", "issuer"):
        click.echo(f"{label:<10}{found[label]}")
    for entry in found["trusted"]:
        click.echo(f"{'trusts':<10}{entry['key_id']}  {entry['comment']}")
    if not found["trusted"]:
        click.echo(f"{'trusts':<10}nobody: no card is accepted here")
    for entry in found["signers"]:
        click.echo(f"{'trusts':<10}{entry['key_id']}  {entry['name']}, for {entry['role']}")
    for warning in found["warnings"]:
        click.echo(f"{'warning':<10}{warning}")


def describe(device: DeviceSettings) -> dict[str, Any]:
    """What `edge keys show` says, as data.

    Raises:
        KeyringError: the keys of this device cannot be read. SignatureError: those of the signers cannot.
    """
    from edge.trust import ESCROW_FILE, ISSUER_FILE, IssuerKey, Keyring
    from edge.trust.envelopes import ROLES, trusted

    ring = Keyring.load(device.state_dir, device.trust_dir)
    issuer = device.state_dir / ISSUER_FILE
    warnings = list(ring.trust.warnings)
    if (device.state_dir / PASSPHRASE_FILE).exists():
        warnings.append("development keys: whoever can read the state folder can make cards")
    return {
        "site": ring.site_id.hex(),
        "device": ring.device_id.hex(),
        "recovery": "escrow for the site's recovery key" if (device.state_dir / ESCROW_FILE).exists() else "none",
        "issuer": IssuerKey.public_of(issuer).key_id.hex() if issuer.exists() else "none here",
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
@_config
@click.option("--name", default="", help="Remark in the new issuer's public file.")
@_passphrase
def rotate(which: str, config: Path | None, name: str, passphrase_file: Path | None) -> None:
    """Replace the issuer key by a new one; the old cards stay good until its public file is removed.

    The passphrase is the new key's. Device and site keys cannot be exchanged under sealed templates: the command says
    why, and what to do instead.
    """
    from edge.errors import UsageError
    from edge.trust import ISSUER_FILE, IssuerKey

    if which != "issuer":
        raise UsageError(
            f"the {which} key cannot be rotated: each template is sealed with its card's secret and this key together, "
            "and this device does not have the secrets",
            where="edge keys rotate",
            remedy="make new keys in an empty state folder with `edge keys init` and enrol people again",
        )
    device = _device(config)
    path = device.state_dir / ISSUER_FILE
    old = IssuerKey.public_of(path)
    phrase = read_passphrase(passphrase_file, "Passphrase for the new issuer key", confirm=True)
    check_length(phrase)
    key = IssuerKey.generate(os.urandom, name)
    fresh = path.with_name(f"issuer-{key.key_id.hex()}.key")
    retired = path.with_name(f"issuer-{old.key_id.hex()}.retired.key")
    key.save(fresh, phrase, random_bytes=os.urandom)
    _publish(key.public, device)
    path.rename(retired)
    fresh.rename(path)
    (device.state_dir / PASSPHRASE_FILE).unlink(missing_ok=True)  # the development passphrase opened the old key
    click.echo(f"the old key is now {retired}; destroy it when no card must be made with it any more")
    click.echo(f"its cards stay good at each door until root removes issuers/{old.key_id.hex()}.pub there")


@command.command()
@click.argument("private", type=_file)
@click.argument("public", type=_file)
@click.option("--name", default="", help="Remark in both files.")
@_passphrase
def recovery(private: Path, public: Path, name: str, passphrase_file: Path | None) -> None:
    """Make the site's recovery key: PRIVATE goes into a safe, PUBLIC to every `edge keys init --recovery`."""
    from edge.trust import RecoveryKey

    phrase = read_passphrase(passphrase_file, "Passphrase for the recovery key", confirm=True)
    key = RecoveryKey.generate(os.urandom, name)
    key.save(private, phrase, random_bytes=os.urandom)
    key.public.save(public)
    click.echo(f"{private}: keep it offline, with its passphrase elsewhere\n{public}: for `edge keys init --recovery`")


@command.command()
@click.argument("escrow", type=_file)
@click.option("--recovery-key", type=_file, required=True, help="The recovery key's private file.")
@click.option("--site", type=_file, required=True, help="Any other device's site.key.")
@_config
@_passphrase
def recover(escrow: Path, recovery_key: Path, site: Path, config: Path | None, passphrase_file: Path | None) -> None:
    """Give a replaced device the key of the one that died, from its ESCROW file."""
    from edge.trust import RecoveryKey, SiteKey, restore
    from edge.trust.files import read_public

    line, place = read_public(escrow), SiteKey.load(site)
    phrase = read_passphrase(passphrase_file, "Passphrase of the recovery key", confirm=False)
    key = RecoveryKey.load(recovery_key, phrase).open_escrow(line, place.site_id, where=str(escrow))
    device = _device(config)
    restore(device.state_dir, site=place, device_key=key, escrow=line)
    click.echo(f"the device key is restored in {device.state_dir}; now put the old device's database there")


@command.command()
@click.option("--role", type=click.Choice(["builder", "packs", "models", "reviewer"]), required=True, help="For what.")
@click.option("--out", type=_file, required=True, help="Folder for the two files; made when it is not there.")
@click.option("--name", default="", help="Whose key it is, in a word; people are shown it. Default: the role.")
@_passphrase
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

    from edge.cli._signer import passphrase
    from edge.errors import UsageError
    from edge.trust.envelopes import ROLES, Signer
    from edge.trust.files import make_private_folder, write_new

    name = name or role
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._-]{0,31}", name):
        raise UsageError("a name is 1 to 32 letters, digits, dots, - or _", where="--name", remedy="choose another")
    phrase = passphrase(passphrase_file, f"Passphrase for the new {role} key", confirm=True)
    key = Signer.generate(name)
    locked = key.pem(phrase)  # a short passphrase is told before any file is written
    make_private_folder(out)
    write_new(out / f"{name}.key", locked)
    write_new(out / f"{name}.pem", key.public.pem(), mode=0o644)
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
    from edge.trust.files import read_private

    path = file or state_dir / ISSUER_FILE
    IssuerKey.public_of(path)  # a missing or foreign file is told before a passphrase is asked for
    beside = path.with_name(PASSPHRASE_FILE)
    if passphrase_file is None and beside.exists():
        return IssuerKey.load(path, read_private(beside).decode("utf-8", "replace").rstrip("\r\n"))
    return IssuerKey.load(path, read_passphrase(passphrase_file, "Passphrase of the issuer key", confirm=False))


def read_passphrase(file: Path | None, prompt: str, *, confirm: bool) -> str:
    """A passphrase from a file's first line, from standard input (``-``), or asked for without echo.

    Raises:
        KeyringError: the file cannot be read or is empty. The passphrase itself is in no message.
    """
    from edge.errors import KeyringError
    from edge.trust.files import read_private

    if file is None:
        return str(click.prompt(prompt, hide_input=True, confirmation_prompt=confirm, err=True))
    text = sys.stdin.readline() if str(file) == "-" else read_private(file).decode("utf-8", "replace")
    phrase = text.split("\n", 1)[0].rstrip("\r")
    if not phrase:
        raise KeyringError("there is no passphrase in it", where=str(file), remedy="write it on the first line")
    return phrase


def check_length(passphrase: str) -> None:
    """Raises `KeyringError` when a new key would refuse this passphrase; asked before any file is written."""
    from edge.errors import KeyringError
    from edge.trust import MIN_PASSPHRASE

    if len(passphrase) < MIN_PASSPHRASE:
        raise KeyringError(
            f"the passphrase is shorter than {MIN_PASSPHRASE} characters",
            where="passphrase",
            remedy="take several words",
        )


def _publish(public: IssuerPublic, device: DeviceSettings) -> None:
    path = public.save(device.trust_dir)
    click.echo(f"issuer {public.key_id.hex()}: every door of the site needs {path} in its own trust folder")


def _device(config: Path | None) -> DeviceSettings:
    from edge.settings import default_file, load_settings

    return load_settings(default_file() if config is None else config).device
