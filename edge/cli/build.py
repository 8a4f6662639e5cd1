"""`edge build`: sign a wheel, verify one, and say in plain words what a build can and cannot do."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from edge.cli._common import PATH, Answer, quiet, settings_or_example, shared, wrapped
from edge.cli._signer import KEY, PASSPHRASE, open_signer

if TYPE_CHECKING:
    from collections.abc import Mapping

    from edge.build.added import Addition
    from edge.build.attest import Examination
    from edge.trust.envelopes import PublicKey

_TRUST = click.option(
    "--trust", type=PATH, help="Folder with builders/*.pem: whose signatures count (default: the settings' trust_dir)."
)
#: The word that stands for the running installation in the place of a wheel.
INSTALLED = "installed"
#: What stands before a line of a section of `edge build show`; two spaces before others.
_MARKS = {"title": "", "notes": "", "can": "  + ", "cannot": "  - "}


@click.group("build")
def command() -> None:
    """What this build may do, and who vouches for it.

    A wheel is made by `pip wheel .` or `python -m build`, which read config/build.yaml and refuse what must not be
    built. It is a device, or a lab; no setting changes that afterwards. Until a builder has signed it, it drives the
    log door only: it writes down what a door would do.

    \b
    Examples
      edge keys signer --role builder --out keys          a builder's key, once
      edge build sign edge_verifier-*.whl --key keys/builder.key
      sudo cp keys/builder.pem /etc/edge/trust/builders   on each device: whose builds open its door
      edge build show                                     what is installed here, in plain words
      edge build show --lang fr edge_verifier-*.whl       the same of a wheel, in French
      edge build show --files edge_verifier-*.whl         its files, as sha256sum lists them
      edge build verify installed                         every file against the signature; exit code 0 or 1
    """


@command.command("sign")
@click.argument("wheel", type=PATH)
@KEY
@click.option("--out", type=PATH, help="Folder or file of the signed wheel; without it WHEEL is replaced.")
@PASSPHRASE
@shared(settings="", json=True)
def sign(wheel: Path, key: Path, out: Path | None, passphrase_file: Path | None) -> Answer:
    """Sign WHEEL: put a signed list of all its files into it.

    The wheel is looked at first: it must hold what its profile allows and nothing else, and its build statement must
    be valid. The signature is an in-toto statement in a DSSE envelope (edge/_build/statement.dsse.json) over the
    SHA-256 of every file but itself and RECORD. Signing the same wheel with the same key gives the same bytes; an
    earlier signature is replaced.
    """
    from edge.build.attest import sign_wheel, unfit
    from edge.build.files import WheelFiles
    from edge.errors import SignatureError

    reasons, dirty = unfit(WheelFiles.of(wheel))
    if reasons:
        raise SignatureError(
            "this wheel cannot be signed: " + "; ".join(reasons), where=str(wheel), remedy="build it anew from source"
        )
    signer = open_signer(key, passphrase_file)
    target = out / wheel.name if out is not None and out.is_dir() else out
    done = sign_wheel(wheel, signer, target)
    if dirty is not False and not quiet():
        click.echo("warning: it was not built from an unchanged commit, so no one else can reproduce it", err=True)
    answer = {"schema": "edge/build-sign/v1", "wheel": str(done), "key_id": signer.public.key_id, "dirty": dirty}
    return Answer(answer, f"{done}: signed with key {signer.public.key_id}")


@command.command("verify")
@click.argument("what", metavar="WHEEL|installed", default=INSTALLED)
@_TRUST
@shared(settings="file", json=True)
def verify(what: str, trust: Path | None, config: Path | None) -> Answer:
    """Check every file of a wheel, or of this installation.

    A builder that this device trusts must have signed it; every file must be as it was signed, none may be missing and
    none may have been added, compiled files included. Exit code 0: so it is. 1: it is not, for every reason shown. A
    program that checks itself shows accidents; to find out whether a device was altered on purpose, run your own
    copy from outside: `edge prove`.
    """
    found = _examine(what, _builders(trust, config))
    if found.ok and found.signer is not None:
        return Answer(_as_json(found), f"{found.where}: {found.files} files, each as {found.signer.name} signed it")
    problems = "\n".join(f"{found.where}: {problem}" for problem in found.problems)
    return Answer(_as_json(found), partial(click.echo, problems, err=True), 1)


@command.command("show")
@click.argument("what", metavar="[WHEEL]", default=INSTALLED)
@click.option("--lang", type=click.Choice(["en", "fr"]), default="en", show_default=True, help="Language of the page.")
@click.option("--files", "files_wanted", is_flag=True, help="List the files instead, each with its SHA-256.")
@_TRUST
@shared(settings="file", json=True)
def show(what: str, lang: str, files_wanted: bool, trust: Path | None, config: Path | None) -> Answer:
    """Say in plain words what a build can and cannot do.

    Without WHEEL: what is installed here, and what was added to this device since. It says who signed it and whether
    every file still is as it was signed, how that is known, from which source it was made and when, and what its
    operator declared.
    """
    from edge.build.explain import explain

    if files_wanted:
        digests = _files(what)
        lines = [f"{digest}  {name}" for name, digest in digests.items()]
        return Answer({"schema": "edge/build-files/v1", "files": digests}, lines)
    found = _examine(what, _builders(trust, config))
    added = _added(config, trust) if what == INSTALLED else None
    since = [{"kind": one.kind, "name": one.name, "signer": one.signer} for one in added or ()]

    def told() -> None:
        for section in explain(found, lang, added=added):
            if section.kind != "title":
                click.echo()
            if section.title:
                click.echo(click.style(section.title, bold=True))
            for line in section.lines:
                click.echo(wrapped(line, _MARKS.get(section.kind, "  ")))

    return Answer({**_as_json(found), "added": since}, told)


def _files(what: str) -> dict[str, str]:
    """Every file that a signature over a build names, as `sha256sum` lists them; of a checkout, those of a device."""
    import hashlib

    from edge.build.contents import contents
    from edge.build.files import InstalledFiles, WheelFiles
    from edge.profile import current, of, package_folder

    package = package_folder()
    if what != INSTALLED or current().profile != "development":
        files = WheelFiles.of(Path(what)) if what != INSTALLED else InstalledFiles.of(package)
        return {name: files.digest(name) for name in sorted(files.names())}
    held = contents(package.parent, "device", of("device")).files
    return {name: hashlib.sha256(path.read_bytes()).hexdigest() for name, path in sorted(held.items())}


def _examine(what: str, builders: Mapping[str, PublicKey]) -> Examination:
    from edge.build.attest import examine, examine_installed
    from edge.build.files import WheelFiles

    if what == INSTALLED:
        return examine_installed(builders)
    return examine(WheelFiles.of(Path(what)), builders)


def _builders(trust: Path | None, config: Path | None) -> Mapping[str, PublicKey]:
    """Whose builds count here. A folder that others could write is refused, unless it was named on the command line."""
    from edge.trust.envelopes import trusted

    return trusted(trust or settings_or_example(config).device.trust_dir, "builder", strict=trust is None)


def _added(config: Path | None, trust: Path | None) -> tuple[Addition, ...]:
    from edge.build.added import added

    device = settings_or_example(config).device
    return added(device.state_dir, trust or device.trust_dir, strict=trust is None)


def _as_json(found: Examination) -> dict[str, Any]:
    build = found.build
    return {
        "schema": "edge/build-show/v1",
        "where": found.where,
        "ok": found.ok,
        "drives_doors": found.ok and build.is_device and build.declared,
        "profile": build.profile,
        "version": build.version,
        "capabilities": dict(build.capabilities),
        "built": build.built,
        "commit": build.commit,
        "dirty": build.dirty,
        "fault": build.fault,
        "signer": None if found.signer is None else {"name": found.signer.name, "key_id": found.signer.key_id},
        "files": found.files,
        "problems": [{"kind": p.kind, "name": p.name, "what": str(p)} for p in found.problems],
        "declared": build.statement.get("deployment"),
    }
