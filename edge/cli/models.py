"""`edge models`: the models of this build and those added to it; bring your own.

    edge models convert mine.onnx --spec mine.spec.yaml --images people --out converted     in a lab; int8 .tflite
    edge models import mine.tflite --spec mine.spec.yaml     examined, described, installed beside the build
    edge lab calibrate --model STATE/models/mine/card.yaml ...
    edge models sign mine --key models.key                   now it may decide: face.embedder: mine

Exit codes: 0 done, 3 refused (with the reason), 4 `verify` found a model that is not what its card says.
"""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import click

from edge.cli._common import PATH, Answer, quiet, shared, table, wrapped
from edge.cli._models import (
    added_models,
    added_row,
    any_card,
    cells,
    differing,
    import_json,
    models_of_build,
    row_of,
    signer_of,
    tell_import,
    today,
    verified,
    verifier,
    write_sheet,
)
from edge.cli._signer import KEY, PASSPHRASE

if TYPE_CHECKING:
    from edge.settings import Settings

_HEAD = ("name", "kind", "from", "calibrated", "sha-256")
_MARK = click.style("!", fg="yellow")
_shared = shared(settings="example", json=True)


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
@click.argument("file", type=PATH)
@click.option("--spec", type=PATH, required=True, help="How pixels go in, and what people must know (YAML).")
@click.option("--key", type=PATH, help="Sign it at once with this signer's private half; else `edge models sign`.")
@PASSPHRASE
@click.option("--slow-ok", is_flag=True, help="Accept a graph that runs mostly outside of XNNPACK.")
@click.option(
    "--replace", is_flag=True, help="Replace an added model of this name; its templates will no longer match."
)
@click.option("--sheet", type=PATH, help="Write a picture of what the model is shown (PNG).")
@_shared
def import_(
    file: Path,
    spec: Path,
    key: Path | None,
    passphrase_file: Path | None,
    slow_ok: bool,
    replace: bool,
    sheet: Path | None,
    settings: Settings,
) -> Answer:
    """Add a model: FILE is a .tflite embedder, or a detector in the encoding of ours; float32, int8 or uint8.

    It is examined in a process of its own: that it loads, what goes in and out, that its answers are numbers and
    depend on the picture, how much of it XNNPACK runs, and that it tells twelve people who do not exist apart. Then its
    card is written and both go to STATE/models/NAME. config/examples/model-spec.yaml shows a spec, key by key.

    \b
    Examples
      edge models import mine.tflite --spec mine.yaml --sheet crops.png
      edge models import mine.tflite --spec mine.yaml --key signer/models.key
    """
    from edge.files import check_writable
    from edge.models.importing import examine_file, install
    from edge.models.spec import load_spec

    if sheet is not None:
        check_writable(sheet, suffix=".png")
    wanted = load_spec(spec)
    sign = None if key is None else signer_of(key, passphrase_file)
    imported = examine_file(file, wanted, slow_ok=slow_ok, date=today())
    if sheet is not None:
        write_sheet(imported.card, sheet)
    folder = install(imported, settings.device.state_dir, sign=sign, replace=replace)
    signed = sign is not None
    return Answer(import_json(imported, folder, signed=signed), partial(tell_import, imported, folder, signed=signed))


@command.command("convert")
@click.argument("file", type=PATH)
@click.option("--spec", type=PATH, required=True, help="How pixels go into the .onnx (YAML), as for `import`.")
@click.option("--images", type=PATH, multiple=True, required=True, help="Folders of people, a folder each; repeat it.")
@click.option("--out", type=PATH, required=True, help="A folder for NAME.tflite and NAME.spec.yaml; made when missing.")
@shared(settings="example")
def convert(file: Path, spec: Path, images: tuple[Path, ...], out: Path, settings: Settings) -> Answer:
    """Make an int8 .tflite of an ONNX embedder: FILE, with one picture in and one vector out.

    It is calibrated with the pictures of two people in three, and compared with the original on those of the others:
    how alike the two embeddings of one picture are, and whether more genuine pairs are missed. What XNNPACK does not
    run is named with its cost. Lab and development builds only, with the extra `convert`.

    \b
    Example
      edge models convert mine.onnx --spec mine.yaml --images people --out converted
      edge models import converted/mine.tflite --spec converted/mine.spec.yaml
    """
    from edge.errors import NotInThisBuild
    from edge.models.spec import load_spec

    try:
        from edge.cli._convert import converted
    except ModuleNotFoundError:
        raise NotInThisBuild(
            "a device build converts no models", where="models convert", remedy="use a lab or development install"
        ) from None
    return Answer({}, converted(file, load_spec(spec), images, out, settings))


@command.command("list")
@_shared
def list_(settings: Settings) -> Answer:
    """List the models of this build and those added to it."""
    rows = [row_of(card, "build") for card in models_of_build()]
    rows += [added_row(one) for one in added_models(settings)]
    lines = []
    for row, line in zip([{"fault": ""}, *rows], table([_HEAD, *map(cells, rows)]), strict=True):
        lines += [line.rstrip(), f"  {_MARK} it does not load: {row['fault']}"] if row["fault"] else [line.rstrip()]
    return Answer({"schema": "edge/models/v1", "models": rows}, lines)


@command.command()
@click.argument("name")
@_shared
def show(name: str, settings: Settings) -> Answer:
    """Show the card of NAME, whole: what it is for and not for, data, terms, figures, groups, known failures."""
    from edge.models.describe import describe_card

    card, origin, fault = any_card(name, settings)

    def told() -> None:
        if fault:
            click.echo(f"{_MARK} it does not load: {fault}", err=True)
        for line in describe_card(card, origin=origin):
            text = line.lstrip(" ")
            indent = line[: len(line) - len(text)]
            click.echo(wrapped(text, indent, indent + "  ") if "  " not in text else line)  # a table's row stays one

    return Answer({"schema": "edge/model/v1", "from": origin, "fault": fault, "card": dict(card.raw)}, told)


@command.command()
@click.argument("name", required=False)
@_shared
def verify(name: str | None, settings: Settings) -> Answer:
    """Verify NAME, or every model: digest, signature, delegation, known answer.

    Each model is loaded in a process of its own. Exit code 4 when one is not what its card says.
    """
    names = [name] if name else [card.name for card in models_of_build()] + [one.name for one in added_models(settings)]
    results = [verified(each, settings) for each in names]
    lines = []
    for result in results:
        mark = click.style("ok  ", fg="green") if result["ok"] else click.style("FAIL", fg="red", bold=True)
        lines.append(f"{mark} {result['name']:<18} {result['what']}")
        lines += [f"     {'':<18} {result['remedy']}"] if result["remedy"] else []
    fine = all(result["ok"] for result in results)
    return Answer({"schema": "edge/model-verify/v1", "models": results}, lines, 0 if fine else 4)


@command.command()
@click.argument("name")
@KEY
@PASSPHRASE
@_shared
def sign(name: str, key: Path, passphrase_file: Path | None, settings: Settings) -> Answer:
    """Sign the card of an added model, after import or calibration; it is verified first.

    Whoever signs vouches for the file, how pixels go in, and the thresholds. What differs from the last signed card is
    shown.
    """
    from edge.face.runner import checked_bytes
    from edge.files import write_atomic
    from edge.models.importing import envelope, read_model
    from edge.models.installed import CARD, FOLDER, SIGNED, last_signed, read_unsigned
    from edge.models.sandbox import run

    folder = settings.device.state_dir / FOLDER / name
    card = read_unsigned(folder)
    read_model(card.path)
    text = (folder / CARD).read_bytes()
    run("verify", checked_bytes(card), text.decode(), where=str(card.path), file=card.path.name)
    before = last_signed(folder, verifier(settings))
    changed = [] if before is None else differing(before.raw, card.raw)
    data = envelope(signer_of(key, passphrase_file), text)
    write_atomic(folder / SIGNED, data, mode=0o600)
    loads = added_row(next(one for one in added_models(settings) if one.name == name))
    if loads["fault"] and not quiet():
        click.echo(f"{_MARK} it does not load here: {loads['fault']}", err=True)
    told = f"signed: {name}" + ("" if before is None else f" (changed: {', '.join(changed) or 'nothing'})")
    answer = {"schema": "edge/model-sign/v1", "name": name, "first": before is None, "changed": changed}
    return Answer({**answer, "fault": loads["fault"]}, told)


@command.command()
@click.argument("name")
@_shared
def remove(name: str, settings: Settings) -> Answer:
    """Remove an added model. Templates made with it no longer match anything: renew them first."""
    import shutil

    from edge.errors import InputError, UsageError
    from edge.models.installed import FOLDER

    face = settings.face
    folder = settings.device.state_dir / FOLDER / name
    if name in (face.embedder, face.detector, face.previous_embedder):
        raise UsageError(f"the settings use {name!r}", where="face", remedy="name another model there first")
    if name not in {one.name for one in added_models(settings)}:
        raise InputError(f"no model named {name!r} was added", where=str(folder), remedy="see `edge models list`")
    shutil.rmtree(folder)
    return Answer({"schema": "edge/model-remove/v1", "name": name}, f"removed: {name}")
