"""What `edge models` says: rows, the result of an import, and the small steps that its commands share."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from edge.face import Card
    from edge.models import Added
    from edge.models.importing import Imported, Sign
    from edge.models.installed import Verify
    from edge.settings import Settings


def import_json(imported: Imported, folder: Path, *, signed: bool) -> dict[str, Any]:
    measured = {key: imported.report[key] for key in ("people", "outside", "operators", "milliseconds")}
    named = {"name": imported.card.name, "kind": imported.card.kind, "sha256": imported.card.sha256}
    told = {"folder": str(folder), "signed": signed, "warnings": list(imported.warnings), "error": None}
    return {"schema": "edge/model-import/v1", **named, **measured, **told}


def tell_import(imported: Imported, folder: Path, *, signed: bool) -> None:
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


def row_of(card: Card, origin: str, signed_by: str = "", fault: str = "") -> dict[str, Any]:
    smallest = card.calibration.smallest_fmr if card.calibration is not None else None
    about = {"name": card.name, "kind": card.kind, "from": origin, "signed_by": signed_by, "smallest_fmr": smallest}
    return {**about, "sha256": card.sha256, "size_bytes": card.size_bytes, "fault": fault}


def added_row(one: Added) -> dict[str, Any]:
    fault = "" if one.fault is None else f"{one.fault.what}; {one.fault.remedy}"
    if one.card is None:
        blank = dict.fromkeys(("kind", "signed_by", "sha256"), "") | {"smallest_fmr": None, "size_bytes": 0}
        return {"name": one.name, "from": "added", **blank, "fault": fault}
    return row_of(one.card, "added", one.signed_by, fault)


def cells(row: dict[str, Any]) -> tuple[str, ...]:
    origin = row["from"] + (f", signed by {row['signed_by']}" if row["signed_by"] else "")
    calibrated = "" if row["kind"] != "embedder" else "no"
    if row["smallest_fmr"] is not None:
        calibrated = f"to FMR {row['smallest_fmr']:.2g}"
    return (row["name"], row["kind"], origin, calibrated, row["sha256"][:12])


def verified(name: str, settings: Settings) -> dict[str, Any]:
    from edge.errors import EdgeError
    from edge.face.runner import checked_bytes
    from edge.face.write import card_text
    from edge.models import find_card
    from edge.models.sandbox import run

    try:
        card = find_card(name, settings.device.state_dir, verifier(settings))
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


def differing(before: Mapping[str, Any], now: Mapping[str, Any]) -> list[str]:
    """The keys in which two cards differ."""
    return sorted(key for key in {*before, *now} if before.get(key) != now.get(key))


def verifier(settings: Settings) -> Verify:
    from edge.models.installed import model_verifier
    from edge.trust.folder import strictness

    return model_verifier(settings.device.trust_dir, strict=strictness(settings.door.driver))


def added_models(settings: Settings) -> tuple[Added, ...]:
    from edge.models import added

    return added(settings.device.state_dir, verifier(settings))


def models_of_build() -> list[Card]:
    from edge import _resources
    from edge.face import load_card

    return [load_card(path) for path in sorted(_resources.path("models").glob("*.card.yaml"))]


def any_card(name: str, settings: Settings) -> tuple[Card, str, str]:
    """A card, signed or not, with its origin and what speaks against it.

    Raises:
        ModelError: there is none, or it cannot be read.
    """
    from edge.models import find_card
    from edge.models.installed import in_build

    if not in_build(name):
        for one in added_models(settings):
            if one.name == name and one.card is not None:
                row = added_row(one)
                return one.card, cells(row)[2], row["fault"]
    return find_card(name, settings.device.state_dir, verifier(settings)), "build", ""


def signer_of(key: Path, passphrase_file: Path | None) -> Sign:
    from edge.cli._signer import open_signer
    from edge.trust.envelopes import MODEL
    from edge.trust.envelopes import sign as signed

    signer = open_signer(key, passphrase_file)
    return lambda card: signed(card, MODEL, signer)


def write_sheet(card: Card, path: Path) -> None:
    """The reference people as the model is shown them, the template's points in it."""
    import cv2

    from edge.errors import InputError, NotInThisBuild

    try:
        from edge.models.reference import load_references, sheet
    except ModuleNotFoundError:
        text = "a device build compares no faces outside of a claim"
        raise NotInThisBuild(text, where="--sheet", remedy="use a lab build or a checkout") from None
    if card.align is None:
        raise InputError("a detector is shown whole pictures", where="--sheet", remedy="leave it out")
    seen = load_references()
    if not cv2.imwrite(str(path), sheet(seen, card.align)):
        raise InputError("the picture cannot be written", where=str(path), remedy="name a .png in a folder of yours")


def today() -> str:
    from datetime import UTC, datetime

    return datetime.now(UTC).date().isoformat()
