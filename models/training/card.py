"""Model cards: everything in a card that can be computed is computed here, from the .tflite itself.

    python -m models.training.card refresh embedder --reason "first conversion"
    python -m models.training.card accuracy embedder --from lfw.json
    python -m models.training.card words
    python -m models.training.card check embedder

`refresh` writes digest, size, tensors and the golden digest; words written for people stay as they are. The golden
digest is the known answer that a device's self-test demands: it changes only here, and only with a reason.
`accuracy` copies figures from a benchmark's JSON, and refuses when they were measured on another file.
"""

from __future__ import annotations

import argparse
import datetime
import hashlib
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import yaml

from models.training.paths import CHECKOUT, MODELS
from models.training.words import WORDS

GENERATOR = "shake_256(b'edge/golden/v1'), uint8"


def path_of(name: str) -> Path:
    """The card of a shipped model."""
    return MODELS / f"{name}.card.yaml"


def read(name: str) -> dict[str, Any]:
    """The card as a mapping; empty when there is none yet."""
    path = path_of(name)
    return dict(yaml.safe_load(path.read_text())) if path.exists() else {}


def write(card: dict[str, Any]) -> Path:
    """Write a card with its keys in their order; a key that no card has is an error."""
    from edge.face.write import card_text

    path = path_of(card["name"])
    try:
        path.write_text(card_text(card))
    except ValueError as error:
        raise SystemExit(str(error)) from error
    return path


def words(name: str) -> Path:
    """Put the words of `models.training.words` into a card; all that was measured stays."""
    return write(read(name) | WORDS[name])


def tensors(path: Path) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """(input, outputs) of a .tflite: shapes, dtypes and quantisation as the runtime reports them."""
    from edge.face.runtime import open_interpreter
    from edge.face.tensors import describe

    fed, outputs = describe(open_interpreter(path.read_bytes(), threads=1, where=path.name), path.stem)
    return fed[0], outputs


def refresh(base: dict[str, Any], reason: str) -> Path:
    """Compute all that follows from the .tflite and write the card.

    Args:
        base: the card so far; needs name, kind, file, input.channels/mean/std and what only people know. When the
            file's digest or the calibration's arithmetic changed, accuracy and calibration of the old one are dropped.
        reason: why the golden digest changes; required whenever it does.
    """
    from edge.face.card import parse_card
    from edge.face.golden import golden_digest
    from edge.face.runner import Runner, outside_delegate
    from edge.face.write import card_text

    path = MODELS / base["file"]
    data = path.read_bytes()
    digest = hashlib.sha256(data).hexdigest()
    now = base.get("arithmetic", 1)
    measured = base["calibration"].get("arithmetic", 1) if base.get("calibration") else now
    if base.get("sha256") not in (None, digest) or measured != now:
        base = {key: value for key, value in base.items() if key not in ("accuracy", "calibration")}
    fed, outputs = tensors(path)
    pixels = {key: base["input"][key] for key in ("channels", "mean", "std")}
    card = base | {
        "schema": "edge/card/v1",
        "sha256": digest,
        "size_bytes": len(data),
        "input": fed | pixels,
        "outputs": outputs,
    }
    previous = card.pop("golden", None) or {}
    runner = Runner(parse_card(card_text(card).encode(), folder=MODELS), 1)
    outside = outside_delegate(runner._interpreter)
    if outside:
        raise SystemExit(f"{path.name}: {outside} nodes are not run by XNNPACK")
    answer = golden_digest(runner, GENERATOR)
    if answer == previous.get("sha256"):
        card["golden"] = previous
    elif not reason:
        raise SystemExit(f"{path.name}: the golden digest changes; say why with --reason")
    else:
        card["golden"] = {"generator": GENERATOR, "sha256": answer, "commit": commit(), "reason": reason}
    return write(card)


def commit() -> str:
    """The commit that the recipes were run from."""
    run = subprocess.run(
        ["git", "rev-parse", "--short=12", "HEAD"], cwd=CHECKOUT, capture_output=True, text=True, check=False
    )
    return run.stdout.strip() or "unknown"


def accuracy(name: str, source: Path) -> Path:
    """Copy a benchmark's figures into a card.

    The JSON is an object with ``command``, ``date``, ``models`` ({name: sha256}) and ``figures`` (a flat mapping);
    where it has ``bars`` ({what was reached and asked for: met}), the missed ones go into the card with the figures.

    Raises:
        SystemExit: the figures belong to another file.
    """
    result, card = json.loads(source.read_text()), read(name)
    measured = result.get("models", {}).get(name)
    if measured != card["sha256"]:
        raise SystemExit(f"{source}: measured on {str(measured)[:12]}, the card is of {card['sha256'][:12]}")
    rows = [
        row for row in card.get("accuracy", []) if row["command"] != result["command"] and row["sha256"] == measured
    ]
    row = {"command": result["command"], "date": result["date"], "sha256": measured, "figures": result["figures"]}
    if missed := [text for text, met in result.get("bars", {}).items() if not met]:
        row["missed"] = missed
    rows.append(row)
    return write(card | {"accuracy": rows})


def today() -> str:
    """Date of a measurement, UTC."""
    return datetime.datetime.now(datetime.UTC).date().isoformat()


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(
        prog="python -m models.training.card", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    commands = parser.add_subparsers(dest="command", required=True)
    for name, text in (
        ("refresh", "compute what follows from the .tflite"),
        ("accuracy", "copy figures from a benchmark's JSON"),
        ("check", "load the card, run the known-answer test"),
        ("words", "put the words of models/training/words.py into the cards"),
    ):
        sub = commands.add_parser(name, help=text)
        if name == "words":
            continue
        sub.add_argument("model", choices=list(WORDS))
        if name == "refresh":
            sub.add_argument("--reason", default="", help="why the golden digest changes")
        if name == "accuracy":
            sub.add_argument("--from", dest="source", type=Path, required=True, help="JSON written by a benchmark")
    options = parser.parse_args(arguments)
    if options.command == "refresh":
        print(refresh(read(options.model), options.reason))
    elif options.command == "words":
        print(*(words(name) for name in WORDS), sep="\n")
    elif options.command == "accuracy":
        print(accuracy(options.model, options.source))
    else:
        from edge.face.card import load_card
        from edge.face.golden import verify_golden

        verify_golden(load_card(path_of(options.model)))
        print(f"{options.model}: as its card says", file=sys.stderr)


if __name__ == "__main__":
    main()
