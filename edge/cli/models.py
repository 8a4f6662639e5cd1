"""`edge models`: the models of this build and those added to it; bring your own.

    edge models import mine.tflite --spec mine.spec.yaml     examined, described, installed beside the build
    edge lab calibrate --model STATE/models/mine/card.yaml ...
    edge models sign mine --key models.key                   now it may decide: face.embedder: mine

Exit codes: 0 done, 3 refused (with the reason), 4 `verify` found a model that is not what its card says.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from edge.cli._signer import KEY, PASSPHRASE

if TYPE_CHECKING:
    from edge.face import Card
    from edge.face.importing import Imported, Sign
    from edge.face.installed import Added, Verify
    from edge.settings import Settings

_PATH = click.Path(path_type=Path)
_CONFIG = click.option("--config", type=_PATH, help="Settings (default /etc/edge/device.yaml).")
_JSON = click.option("--json", "json_wanted", is_flag=True, help="Exactly one JSON object.")


@click.group()
def command() -> None:
    """Show, verify and add models.

    A build holds a detector and an embedder. Others are added beside it: from a .tflite file and a spec that says how
    pixels go in. An added model loads only when its card is signed by a key in TRUST/models, and an embedder decides
    only when it was calibrated.

    \b
    From a file to a door
      edge keys signer --role models --out signer        once; copy the .pem to TRUST/models as root
      edge models import mine.tflite --spec mine.yaml --sheet crops.png
      edge lab calibrate --model STATE/models/mine/card.yaml --images DIR
      edge models sign mine --key signer/models.key
      (face.embedder: mine, in the settings)             then: edge selftest
    """


@command.command("import")
@click.argument("file", type=_PATH)
@click.option("--spec", type=_PATH, required=True, help="How pixels go in, and what people must know (YAML).")
@click.option("--key", type=_PATH, help="Sign it at once with this signer's private half; else `edge models sign`.")
@PASSPHRASE
@click.option("--slow-ok", is_flag=True, help="Accept a graph that runs mostly outside of XNNPACK.")
@click.option("--replace", is_flag=True, help="An added model of this name goes; its templates will no longer match.")
@click.option("--sheet", type=_PATH, help="Write a picture of what the model is shown (PNG).")
@_CONFIG
@_JSON
def import_(
    file: Path,
    spec: Path,
    key: Path | None,
    passphrase_file: Path | None,
    slow_ok: bool,
    replace: bool,
    sheet: Path | None,
    config: Path | None,
    json_wanted: bool,
) -> int:
    """Add a model: FILE is a .tflite embedder, or a detector in the encoding of ours; float32, int8 or uint8.

    It is examined in a process of its own: that it loads, what goes in and out, that its answers are numbers and
    depend on the picture, how much of it XNNPACK runs, and that it tells twelve people who do not exist apart. Then its
    card is written and both go to STATE/models/NAME. config/examples/model-spec.yaml shows a spec, key by key.

    \b
    Examples
      edge models import mine.tflite --spec mine.yaml --sheet crops.png
      edge models import mine.tflite --spec mine.yaml --key signer/models.key
    """
    from edge.face.importing import examine_file, install
    from edge.face.spec import load_spec

    settings, wanted = _settings(config), load_spec(spec)
    sign = None if key is None else _signer(key, passphrase_file)
    imported = examine_file(file, wanted, slow_ok=slow_ok, date=_today())
    if sheet is not None:
        _write_sheet(imported.card, sheet)
    folder = install(imported, settings.device.state_dir, sign=sign, replace=replace)
    if json_wanted:
        click.echo(json.dumps(_import_json(imported, folder, signed=sign is not None)))
    else:
        _tell_import(imported, folder, signed=sign is not None)
    return 0


def _import_json(imported: Imported, folder: Path, *, signed: bool) -> dict[str, Any]:
    measured = {key: imported.report[key] for key in ("people", "outside", "operators", "milliseconds")}
    named = {"name": imported.card.name, "kind": imported.card.kind, "sha256": imported.card.sha256}
    told = {"folder": str(folder), "signed": signed, "warnings": list(imported.warnings), "error": None}
    return {"schema": "edge/model-import/v1", **named, **measured, **told}


def _tell_import(imported: Imported, folder: Path, *, signed: bool) -> None:
    card, report = imported.card, imported.report
    click.echo(f"{card.name}: {card.kind}, {card.size_bytes / 1e3:.0f} kB {card.input.dtype}, {card.sha256[:12]}")
    if report["people"] is not None:
        given = report["people"]["given"]
        if card.kind == "embedder":
            text = f"same person {given['same']:.2f}, others {given['different']:.2f}: separation"
            click.echo(f"reference people: {text} {given['separation']:.1f}")
        else:
            click.echo(f"reference people: found in {given['found']} of {given['of']} pictures")
    for warning in imported.warnings:
        click.echo(f"{click.style('!', fg='yellow')} {warning}", err=True)
    click.echo(f"installed: {folder}")
    steps = []
    if card.kind == "embedder":
        steps.append(f"edge lab calibrate --model {folder / 'card.yaml'} --images DIR    (it decides nothing before)")
    if not signed or steps:
        steps.append(f"edge models sign {card.name} --key FILE")
    steps.append(f"face.{card.kind}: {card.name}    in the settings, then: edge selftest")
    click.echo("next:\n  " + "\n  ".join(steps))


@command.command("list")
@_CONFIG
@_JSON
def list_(config: Path | None, json_wanted: bool) -> int:
    """List the models of this build and those added to it."""
    settings = _settings(config)
    rows = [_row(card, "build") for card in _of_build()]
    rows += [_added_row(one) for one in _added(settings)]
    if json_wanted:
        click.echo(json.dumps({"schema": "edge/models/v1", "models": rows}))
        return 0
    head = ("name", "kind", "from", "calibrated", "sha-256")
    table = [head, *(_cells(row) for row in rows)]
    widths = [max(len(line[k]) for line in table) for k in range(len(head))]
    for number, line in enumerate(table):
        click.echo("  ".join(f"{cell:<{width}}" for cell, width in zip(line, widths, strict=True)).rstrip())
        if number and (fault := rows[number - 1]["fault"]):
            click.echo(f"  {click.style('!', fg='yellow')} it does not load: {fault}")
    return 0


def _row(card: Card, origin: str, signed_by: str = "", fault: str = "") -> dict[str, Any]:
    smallest = card.calibration.smallest_fmr if card.calibration is not None else None
    about = {"name": card.name, "kind": card.kind, "from": origin, "signed_by": signed_by, "smallest_fmr": smallest}
    return {**about, "sha256": card.sha256, "size_bytes": card.size_bytes, "fault": fault}


def _added_row(one: Added) -> dict[str, Any]:
    fault = "" if one.fault is None else f"{one.fault.what}; {one.fault.remedy}"
    if one.card is None:
        blank = dict.fromkeys(("kind", "signed_by", "sha256"), "") | {"smallest_fmr": None, "size_bytes": 0}
        return {"name": one.name, "from": "added", **blank, "fault": fault}
    return _row(one.card, "added", one.signed_by, fault)


def _cells(row: dict[str, Any]) -> tuple[str, ...]:
    origin = row["from"] + (f", signed by {row['signed_by']}" if row["signed_by"] else "")
    calibrated = "" if row["kind"] != "embedder" else "no"
    if row["smallest_fmr"] is not None:
        calibrated = f"to FMR {row['smallest_fmr']:.2g}"
    return (row["name"], row["kind"], origin, calibrated, row["sha256"][:12])


@command.command()
@click.argument("name")
@_CONFIG
@_JSON
def show(name: str, config: Path | None, json_wanted: bool) -> int:
    """Show the card of NAME, whole: what it is for and not for, data, terms, figures, groups, known failures."""
    from edge.face.present import describe_card

    card, origin, fault = _any_card(name, _settings(config))
    if json_wanted:
        click.echo(json.dumps({"schema": "edge/model/v1", "from": origin, "fault": fault, "card": dict(card.raw)}))
        return 0
    if fault:
        click.echo(f"{click.style('!', fg='yellow')} it does not load: {fault}", err=True)
    click.echo("\n".join(describe_card(card, origin=origin)))
    return 0


@command.command()
@click.argument("name", required=False)
@_CONFIG
@_JSON
def verify(name: str | None, config: Path | None, json_wanted: bool) -> int:
    """Verify NAME, or every model: digest, signature, delegation, known answer.

    Each model is loaded in a process of its own. Exit code 4 when one is not what its card says.
    """
    settings = _settings(config)
    names = [name] if name else [card.name for card in _of_build()] + [one.name for one in _added(settings)]
    results = [_verified(each, settings) for each in names]
    if json_wanted:
        click.echo(json.dumps({"schema": "edge/model-verify/v1", "models": results}))
    else:
        for result in results:
            mark = click.style("ok  ", fg="green") if result["ok"] else click.style("FAIL", fg="red", bold=True)
            click.echo(f"{mark} {result['name']:<18} {result['what']}")
            if result["remedy"]:
                click.echo(f"     {'':<18} {result['remedy']}")
    return 0 if all(result["ok"] for result in results) else 4


def _verified(name: str, settings: Settings) -> dict[str, Any]:
    from edge.errors import EdgeError
    from edge.face.installed import find_card
    from edge.face.runner import checked_bytes
    from edge.face.sandbox import run
    from edge.face.write import card_text

    try:
        card = find_card(name, settings.device.state_dir, _verifier(settings))
        data = checked_bytes(card)
        report = run("verify", data, card_text(card.raw), where=card.path.name, file=card.path.name)
    except EdgeError as error:
        return {"name": name, "ok": False, "what": error.what, "remedy": error.remedy}
    answer = "exact" if card.golden is not None and card.golden.sha256 else "within its tolerance"
    outside = report["outside"]
    inside = "whole in XNNPACK" if not outside else f"{outside} nodes outside XNNPACK, as its card says"
    told = f"{card.sha256[:12]}: digest right, known answer {answer}, {inside}"
    if card.kind == "embedder" and card.calibration is None:
        told += "; not calibrated, it decides nothing yet"
    return {"name": name, "ok": True, "what": told, "remedy": ""}


@command.command()
@click.argument("name")
@KEY
@PASSPHRASE
@_CONFIG
@_JSON
def sign(name: str, key: Path, passphrase_file: Path | None, config: Path | None, json_wanted: bool) -> int:
    """Sign the card of an added model, after import or calibration; it is verified first.

    Whoever signs vouches for the file, how pixels go in, and the thresholds. What differs from the last signed card is
    shown.
    """
    from edge.errors import EdgeError
    from edge.face.importing import envelope, read_model, write_file
    from edge.face.installed import CARD, FOLDER, SIGNED, read_unsigned
    from edge.face.runner import checked_bytes
    from edge.face.sandbox import run

    settings = _settings(config)
    folder = settings.device.state_dir / FOLDER / name
    card = read_unsigned(folder)
    read_model(card.path)
    text = (folder / CARD).read_bytes()
    run("verify", checked_bytes(card), text.decode(), where=str(card.path), file=card.path.name)
    before: dict[str, Any] | None = None
    try:
        before = dict(_signed_before(folder, settings).raw)
    except EdgeError:
        before = None  # never signed, or by somebody who is not trusted here
    changed = sorted({*card.raw, *(before or {})} if before is None else _differing(before, card.raw))
    data = envelope(_signer(key, passphrase_file), text)
    write_file(folder / SIGNED, data)
    loads = _added_row(next(one for one in _added(settings) if one.name == name))
    if json_wanted:
        answer = {"schema": "edge/model-sign/v1", "name": name, "first": before is None, "changed": changed}
        click.echo(json.dumps({**answer, "fault": loads["fault"], "error": None}))
        return 0
    click.echo(f"signed: {name}" + ("" if before is None else f" (changed: {', '.join(changed) or 'nothing'})"))
    if loads["fault"]:
        click.echo(f"{click.style('!', fg='yellow')} it does not load here: {loads['fault']}", err=True)
    return 0


def _signed_before(folder: Path, settings: Settings) -> Card:
    from edge.face.card import parse_card
    from edge.face.installed import SIGNED

    return parse_card(_verifier(settings)((folder / SIGNED).read_bytes()).payload, folder=folder)


def _differing(before: dict[str, Any], now: Any) -> set[str]:
    return {key for key in {*before, *now} if before.get(key) != now.get(key)}


@command.command()
@click.argument("name")
@_CONFIG
@_JSON
def remove(name: str, config: Path | None, json_wanted: bool) -> int:
    """Remove an added model. Templates made with it no longer match anything: renew them first."""
    import shutil

    from edge.errors import InputError, UsageError
    from edge.face.installed import FOLDER

    settings = _settings(config)
    face = settings.face
    folder = settings.device.state_dir / FOLDER / name
    if name in (face.embedder, face.detector, face.previous_embedder):
        raise UsageError(f"the settings use {name!r}", where="face", remedy="name another model there first")
    if name not in {one.name for one in _added(settings)}:
        raise InputError(f"no model named {name!r} was added", where=str(folder), remedy="see `edge models list`")
    shutil.rmtree(folder)
    click.echo(json.dumps({"schema": "edge/model-remove/v1", "name": name}) if json_wanted else f"removed: {name}")
    return 0


def _settings(config: Path | None) -> Settings:
    from edge.settings import load_settings

    return load_settings(config)


def _verifier(settings: Settings) -> Verify:
    from edge.policy.models import model_verifier

    return model_verifier(settings.device.trust_dir, strict=settings.door.driver != "log")


def _added(settings: Settings) -> tuple[Added, ...]:
    from edge.face.installed import added

    return added(settings.device.state_dir, _verifier(settings))


def _of_build() -> list[Card]:
    from edge import _resources
    from edge.face import load_card

    return [load_card(path) for path in sorted(_resources.path("models").glob("*.card.yaml"))]


def _any_card(name: str, settings: Settings) -> tuple[Card, str, str]:
    """A card, signed or not, with its origin and what speaks against it.

    Raises:
        ModelError: there is none, or it cannot be read.
    """
    from edge.face.installed import find_card, in_build

    if not in_build(name):
        for one in _added(settings):
            if one.name == name and one.card is not None:
                row = _added_row(one)
                return one.card, _cells(row)[2], row["fault"]
    return find_card(name, settings.device.state_dir, _verifier(settings)), "build", ""


def _signer(key: Path, passphrase_file: Path | None) -> Sign:
    from edge.cli._signer import open_signer
    from edge.policy.signing import MODEL
    from edge.policy.signing import sign as signed

    signer = open_signer(key, passphrase_file)
    return lambda card: signed(card, MODEL, signer)


def _write_sheet(card: Card, path: Path) -> None:
    """The reference people as the model is shown them, the template's points in it."""
    import cv2

    from edge.errors import InputError, NotInThisBuild

    try:
        from edge.face.reference import load_references, sheet
    except ModuleNotFoundError:
        text = "a device build compares no faces outside of a claim"
        raise NotInThisBuild(text, where="--sheet", remedy="use a lab build or a checkout") from None
    if card.align is None:
        raise InputError("a detector is shown whole pictures", where="--sheet", remedy="leave it out")
    seen = load_references()
    if not cv2.imwrite(str(path), sheet(seen, card.align)):
        raise InputError("the picture cannot be written", where=str(path), remedy="name a .png in a folder of yours")


def _today() -> str:
    from datetime import UTC, datetime

    return datetime.now(UTC).date().isoformat()
