"""From a .tflite and a spec to a model that this device may use beside its build.

    imported = examine_file(Path("mine.tflite"), load_spec(Path("mine.spec.yaml")), slow_ok=False)
    imported.warnings, imported.report                    # what people should know
    install(imported, state_dir, sign=None)               # STATE/models/NAME/; sign: bytes of a card -> envelope

The bytes are read once, examined in a process of their own (`edge.models.sandbox`), and those very bytes are installed.
An imported embedder has no calibration: it loads, and it decides nothing until `edge lab calibrate` has measured it.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import stat
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from edge.errors import InputError, ModelError
from edge.face.card import Card, parse_card
from edge.face.write import card_text
from edge.files import write_atomic
from edge.models.examine import LEAST_FOUND, LEAST_SEPARATION, SWAP_FACTOR
from edge.models.installed import CARD, FOLDER, MODEL, SIGNED, in_build
from edge.models.sandbox import run
from edge.models.spec import ModelSpec

#: A larger file is refused unread.
MAX_MODEL_BYTES = 64 * 2**20
#: More nodes outside of XNNPACK than this are refused without ``slow_ok``: each costs a hand-over in every invocation,
#: and a graph that breaks into 34 pieces was ten times slower.
MOST_OUTSIDE = 8
#: The longest embedding that fits the code of a card (version 16, level M) beside one door group; see `edge.claim`.
MOST_ON_A_CARD = 168

Sign = Callable[[bytes], Mapping[str, Any]]


@dataclass(frozen=True, slots=True)
class Imported:
    """A model that may be installed.

    Attributes:
        data: content of the file. text: its card, YAML. card: the same, read.
        report: what was measured (`edge.models.examine`). warnings: one sentence each.
    """

    data: bytes
    text: str
    card: Card
    report: Mapping[str, Any]
    warnings: tuple[str, ...]


def examine_file(path: Path, spec: ModelSpec, *, slow_ok: bool = False, date: str = "") -> Imported:
    """Look at a model file, and write its card.

    Args:
        path: the .tflite. spec: what its owner says of it. slow_ok: accept a graph that mostly runs outside of XNNPACK.
        date: of today, for the card.

    Raises:
        ModelError: it cannot be used, with the reason.
    """
    if in_build(spec.name):
        raise ModelError(
            f"a model named {spec.name!r} comes with the build", where="name", remedy="give yours another name"
        )
    data = read_model(path)
    report = run("import", data, spec.base_card(), size=spec.input.size, where=path.name)
    _refuse_slow(report, path.name, slow_ok)
    warnings = [*_people(report, spec, path.name), *_notes(report)]
    raw = spec.base_card() | {"file": MODEL, "input": report["input"], "outputs": report["outputs"]}
    raw |= {"sha256": hashlib.sha256(data).hexdigest(), "size_bytes": len(data), "golden": report["golden"]}
    raw |= {"outside_delegate": report["outside"]}
    raw["imported"] = {"from": path.name, "date": date, "people": report["people"], "operators": report["operators"]}
    text = card_text(raw)
    card = parse_card(text.encode(), folder=Path(), where=CARD)
    return Imported(data, text, card, report, tuple(warnings))


def read_model(path: Path) -> bytes:
    """The content of a model file.

    Raises:
        ModelError: missing, not a regular file, or too large.
    """
    try:
        # a pipe without a writer must not block
        with os.fdopen(os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC), "rb") as file:
            status = os.fstat(file.fileno())
            regular = stat.S_ISREG(status.st_mode)
            data = file.read(MAX_MODEL_BYTES + 1) if regular and status.st_size <= MAX_MODEL_BYTES else None
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or "not a file name"
        raise ModelError(f"it cannot be read: {reason}", where=str(path), remedy="give a .tflite file") from None
    if data is None or len(data) > MAX_MODEL_BYTES:
        text = f"it is larger than {MAX_MODEL_BYTES // 2**20} MiB" if regular else "this is not a regular file"
        raise ModelError(text, where=str(path), remedy="give a .tflite file made for small devices")
    return data


def _refuse_slow(report: Mapping[str, Any], where: str, slow_ok: bool) -> None:
    outside = report["outside"]
    if outside > MOST_OUTSIDE and not slow_ok:
        raise ModelError(
            f"{outside} nodes of its graph run outside XNNPACK ({', '.join(report['operators'])}), "
            f"{report['milliseconds']:.1f} ms a picture here",
            where=where,
            remedy="use ReLU6 in place of PReLU and hard-swish, or accept it with --slow-ok",
        )


def _people(report: Mapping[str, Any], spec: ModelSpec, where: str) -> list[str]:
    """Refuse a model that does not see the reference people; say when it would see them better.

    Raises:
        ModelError: it does not tell them apart, or does not find them.
    """
    if report["people"] is None:
        return [
            "not tried on people: a device build compares no faces outside of a claim; a lab build does when it imports"
        ]
    given, swapped = report["people"]["given"], report["people"]["swapped"]
    other = "BGR" if spec.input.channels == "RGB" else "RGB"
    key = "separation" if spec.kind == "embedder" else "found"
    least = LEAST_SEPARATION if spec.kind == "embedder" else LEAST_FOUND * given["of"]
    better = swapped[key] >= SWAP_FACTOR[spec.kind] * given[key]
    if given[key] < least:
        if spec.kind == "embedder":
            text = f"it does not tell people apart (separation {given[key]:.1f}, at least {least:g})"
        else:
            text = f"it finds the face in {given[key]} of {given['of']} reference pictures"
        hint = f": with channels: {other} it does better ({swapped[key]:g})" if better else ""
        raise ModelError(text, where=where, remedy=f"is the preprocessing right? mean, std, template, channels{hint}")
    if better:
        return [f"with channels: {other} it does better ({swapped[key]:g} against {given[key]:g}): is the order right?"]
    return []


def _notes(report: Mapping[str, Any]) -> list[str]:
    notes = []
    if report["outside"]:
        notes.append(f"{report['outside']} nodes run outside XNNPACK: {report['milliseconds']:.1f} ms a picture here")
    dimension = max(report["outputs"][0]["shape"])
    if len(report["outputs"]) == 1 and dimension > MOST_ON_A_CARD:
        notes.append(f"{dimension} numbers do not fit the code of a card: set vault.custody: device")
    if "tolerance" in report["golden"]:
        notes.append("its outputs are not the same bits on every machine: the known answer is held within a tolerance")
    return notes


def install(imported: Imported, state_dir: Path, *, sign: Sign | None, replace: bool = False) -> Path:
    """Put a model beside the build, whole or not at all.

    Args:
        imported: of `examine_file`. state_dir: of the device. sign: None leaves it unsigned, for calibration only.
        replace: an added model of this name goes. Templates made with it then no longer match (`ModelMismatch`).

    Returns:
        Its folder.

    Raises:
        InputError: there is one of this name, or the folder cannot be written.
    """
    root = state_dir / FOLDER
    folder = root / imported.card.name
    if folder.exists() and not replace:
        raise InputError(
            f"a model named {imported.card.name!r} was added before",
            where=str(folder),
            remedy="give this one another name, or --replace it: templates made with the old one will not match",
        )
    text = imported.text.encode()
    try:
        root.mkdir(parents=True, exist_ok=True, mode=0o700)
        made = Path(tempfile.mkdtemp(prefix=".new-", dir=root))
        try:
            write_atomic(made / MODEL, imported.data, mode=0o600)
            write_atomic(made / CARD, text, mode=0o600)
            if sign is not None:
                write_atomic(made / SIGNED, envelope(sign, text), mode=0o600)
            _exchange(made, folder)
        finally:
            shutil.rmtree(made, ignore_errors=True)
    except OSError as error:
        raise InputError(
            f"it cannot be installed: {error.strerror}", where=str(root), remedy="check space and permissions"
        ) from None
    return folder


def envelope(sign: Sign, text: bytes) -> bytes:
    """A signed card as its file holds it."""
    return json.dumps(dict(sign(text)), indent=1).encode() + b"\n"


def _exchange(made: Path, folder: Path) -> None:
    """Move a finished folder into its place; an old one steps aside first."""
    if folder.exists():
        aside = Path(tempfile.mkdtemp(prefix=".old-", dir=folder.parent))
        folder.rename(aside / folder.name)
        made.rename(folder)
        shutil.rmtree(aside, ignore_errors=True)
    else:
        made.rename(folder)
