"""`edge lab`: offline accuracy work on picture files. In lab builds and development installs only.

    edge lab evaluate     this product's chain over a labelled set: error rates with bounds, groups, plots, one report
    edge lab compare      the same for several models in one run, peers of other runtimes included
    edge lab attack       presentation attacks: whole sessions, by person and species
    edge lab calibrate    from impostor scores to the thresholds in a model's card

No command ranks one picture against many, and none writes an embedding.
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from edge.cli.lab_attack import attack
from edge.cli.lab_calibrate import calibrate

if TYPE_CHECKING:
    from collections.abc import Callable

    from edge.lab import EvaluationReport

_PATH = click.Path(path_type=Path)


@click.group()
def command() -> None:
    """Measure and calibrate models on picture files (lab builds and development installs only).

    Nothing here finds out who somebody is: sets must come with names, what leaves is aggregates and at most 50 worst
    pairs of the labelled set, and no embedding is written. A lab build can still be misused, since whoever holds
    pictures can compare them; a device build cannot. That is why a device is built without it.

    \b
    Examples
      edge lab evaluate --images lfw --pairs pairs.txt --all-pairs --out report
      edge lab compare --images lfw --pairs pairs.txt --model embedder --model peer.yaml --out report
    """


command.add_command(calibrate)
command.add_command(attack)


def _set_options(function: Callable[..., int]) -> Callable[..., int]:
    """The options that `evaluate` and `compare` share."""
    options = (
        click.option("--images", type=_PATH, required=True, help="Folder or .tar with Name/Name_0001.jpg."),
        click.option("--pairs", type=_PATH, help="Pairs, in LFW's format or CSV (first,second): k-fold accuracy."),
        click.option("--all-pairs", is_flag=True, help="Error rates over every pair of the set, not the listed ones."),
        click.option("--groups", type=_PATH, help="CSV: `person` (or `picture`), then one column an attribute."),
        click.option("--quality", type=_PATH, help="CSV: `picture`, then one column a quality score."),
        click.option("--detector", default="detector", show_default=True, help="Name or path of the detector's card."),
        click.option("--fewest", default=300, show_default=True, help="Groups of fewer people are shown as 'too few'."),
        click.option("--rounds", default=1000, show_default=True, help="Bootstrap rounds over people."),
        click.option("--seed", default=1, show_default=True, help="Of the bootstrap."),
        click.option("--out", type=_PATH, required=True, help="Folder for report.html, report.json and the CSV files."),
        click.option("--overwrite", is_flag=True, help="Replace an earlier report in that folder."),
        click.option("--json", "json_wanted", is_flag=True, help="Print exactly one JSON object, and no progress."),
    )
    for option in reversed(options):
        function = option(function)
    return function


@command.command()
@_set_options
@click.option("--model", default="embedder", show_default=True, help="Name or path of the embedder's card.")
@click.option("--gate", is_flag=True, help="With the quality gate and the one-face rule of a door.")
def evaluate(model: str, gate: bool, **options: Any) -> int:
    """Measure this product's chain on a labelled set of pictures.

    Every picture goes through the chain that a door runs. Of several faces the most central one is taken; a picture
    without a face scores -1 in all its pairs, and no pair is ever dropped. Stopped with Ctrl-C, the same command goes
    on where it was: pair counts are kept in OUT/progress, embeddings never are, so pictures are looked at again.

    The folder of a picture is the person, also below other folders (lfw/Ada/Ada_0001.jpg); a name that stands in two
    places is refused. Error rates are given over pairs and by people, every person weighing the same. Groups of
    pictures (`picture,pose`) are also crossed: frontal x profile.

    \b
    Example
      edge lab evaluate --images lfw --pairs pairs.txt --all-pairs --groups groups.csv --out report
    """
    return _measure((model,), gate=gate, **options)


@command.command()
@_set_options
@click.option("--model", "models", multiple=True, required=True, help="A card's name or path, or a peer's YAML.")
@click.option("--weights", type=_PATH, help="Folder of the files that peers' YAMLs name (default: beside each YAML).")
def compare(models: tuple[str, ...], **options: Any) -> int:
    """Measure several models on the same pictures, under the same rules, in the same run.

    A model is the card of one of our embedders, or a YAML file that describes a peer: file, runtime (openvino, tflite,
    onnxruntime), input, alignment template, detector, licence. See `edge/lab/adapters/spec.py`.

    \b
    Example
      edge lab compare --images lfw --pairs pairs.txt --all-pairs --model embedder --model teacher.yaml --out report
    """
    return _measure(models, gate=False, **options)


def _measure(models: tuple[str, ...], *, json_wanted: bool, **options: Any) -> int:
    """Run, and tell."""
    # the waiting threads of OpenVINO, OpenCV and the model runtime would slow each other threefold
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    from edge.lab import EvaluationPlan, measure
    from edge.lab.progress import Silent, Steps

    with Silent() if json_wanted else Steps() as steps:
        report = measure(EvaluationPlan(models=models, **options), steps)
    if json_wanted:
        click.echo(json.dumps(report.as_json()))
    else:
        _tell(report)
    return 0


def _tell(report: EvaluationReport) -> None:
    """The most important figures as a table."""
    from edge.lab.report import summary

    for note in report.head["set"]["notes"]:
        click.echo(f"note: {note}", err=True)
    for line in summary(report):
        click.echo(line)
