"""`edge lab`: offline accuracy work on picture files. In lab builds and development installs only.

    edge lab evaluate     this product's chain over a labelled set: error rates with bounds, groups, plots, one report
    edge lab compare      the same for several models in one run, peers of other runtimes included
    edge lab attack       presentation attacks: whole sessions, by person and species
    edge lab calibrate    from impostor scores to the thresholds in a model's card

No command ranks one picture against many, and none writes an embedding.
"""

from __future__ import annotations

import os
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from edge.cli._common import PATH, Answer, quiet, shared

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from edge.lab.calibrate import Calibrated
    from edge.lab.calibrate_run import CalibrationDone


@click.group()
def command() -> None:
    """Measure and calibrate models on picture files (lab builds and development installs only).

    Nothing here identifies anyone: sets must come with names, what leaves is aggregates and at most 50 worst
    pairs of the labelled set, and no embedding is written. A lab build can still be misused, since anyone who holds
    pictures can compare them; a device build cannot. That is why a device is built without it.

    \b
    Examples
      edge lab evaluate --images lfw --pairs pairs.txt --all-pairs --out report
      edge lab compare --images lfw --pairs pairs.txt --model embedder --model peer.yaml --out report
    """


def _set_options(function: Callable[..., Any]) -> Callable[..., Any]:
    """The options that `evaluate` and `compare` share."""
    options = (
        click.option("--images", type=PATH, required=True, help="Folder or .tar with Name/Name_0001.jpg."),
        click.option("--pairs", type=PATH, help="Pairs, in LFW's format or CSV (first,second): k-fold accuracy."),
        click.option("--all-pairs", is_flag=True, help="Error rates over every pair of the set, not the listed ones."),
        click.option("--groups", type=PATH, help="CSV: `person` (or `picture`), then one column an attribute."),
        click.option("--quality", type=PATH, help="CSV: `picture`, then one column a quality score."),
        click.option("--detector", default="detector", show_default=True, help="Name or path of the detector's card."),
        click.option("--fewest", default=300, show_default=True, help="Groups of fewer people are shown as 'too few'."),
        click.option("--rounds", default=1000, show_default=True, help="Bootstrap rounds over people."),
        click.option("--seed", default=1, show_default=True, help="Of the bootstrap."),
        click.option("--out", type=PATH, required=True, help="Folder for report.html, report.json and the CSV files."),
        click.option("--overwrite", is_flag=True, help="Replace an earlier report in that folder."),
        shared(settings="", json="Print exactly one JSON object, and no progress."),
    )
    for option in reversed(options):
        function = option(function)
    return function


@command.command()
@_set_options
@click.option("--model", default="embedder", show_default=True, help="Name or path of the embedder's card.")
@click.option("--gate", is_flag=True, help="With the quality gate and the one-face rule of a door.")
def evaluate(model: str, gate: bool, **options: Any) -> Answer:
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
@click.option("--weights", type=PATH, help="Folder of the files that peers' YAMLs name (default: beside each YAML).")
def compare(models: tuple[str, ...], **options: Any) -> Answer:
    """Measure several models on the same pictures, under the same rules, in the same run.

    A model is the card of one of our embedders, or a YAML file that describes a peer: file, runtime (openvino, tflite,
    onnxruntime), input, alignment template, detector, licence. See `edge/lab/adapters/runtimes.py`.

    \b
    Example
      edge lab compare --images lfw --pairs pairs.txt --all-pairs --model embedder --model teacher.yaml --out report
    """
    return _measure(models, gate=False, **options)


def _measure(models: tuple[str, ...], **options: Any) -> Answer:
    """Run, and tell."""
    # the waiting threads of OpenVINO, OpenCV and the model runtime would slow each other threefold
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    from edge.lab import EvaluationPlan, measure
    from edge.lab.progress import Silent, Steps
    from edge.lab.report import summary

    with Silent() if quiet() else Steps() as steps:
        report = measure(EvaluationPlan(models=models, **options), steps)

    def told() -> None:
        for note in report.head["set"]["notes"]:
            click.echo(f"note: {note}", err=True)
        for line in summary(report):
            click.echo(line)

    return Answer(report.as_json(), told)


@command.command()
@click.option("--images", type=PATH, required=True, help="Folder with enrol/, bona_fide/ and one folder a species.")
@click.option("--out", type=PATH, required=True, help="Folder for attack.html and attack.json.")
@click.option("--fps", type=click.FloatRange(1, 60), default=15.0, show_default=True, help="Of the pictures.")
@click.option("--active", type=click.Choice(["off", "on_doubt", "always"]), default="off", show_default=True)
@click.option("--no-passive", is_flag=True, help="Without the passive network.")
@click.option("--claim", type=click.FloatRange(0.0001, 0.5), help="Show that every species' APCER is below this.")
@click.option("--two-sided", is_flag=True, help="Of the claim's interval.")
@click.option("--overwrite", is_flag=True, help="Replace an earlier report in that folder.")
@shared(settings="", json=True)
def attack(no_passive: bool, overwrite: bool, **options: Any) -> Answer:
    """Measure presentation attacks: whole sessions, by person, the worst species first.

    Folders are enrol/PERSON, bona_fide/PERSON/SESSION and SPECIES/PERSON/SESSION, each with pictures in the order of
    their names. Where people.csv labels people (columns person, group, source ...), the BPCER is told for each label. A
    claim that so few people cannot carry is refused: 42 without a success for 7 % (one-sided), 51 (two-sided).

    \b
    Example
      edge lab attack --images pad --out report --claim 0.07
    """
    from edge.lab.attack import FILES, AttackPlan, measure_attacks
    from edge.lab.report import check_out

    check_out(options["out"], FILES, overwrite=overwrite)
    report = measure_attacks(AttackPlan(passive=not no_passive, **options))
    return Answer(report, _attack_lines(report))


def _attack_lines(report: dict[str, Any]) -> Iterator[str]:
    for row in report["species"]:
        rate, whole = row["apcer"], row["iapar"]
        yield (
            f"{row['name']:<20} APCER {rate['people']} of {row['people']} people, at most {rate['upper']:.1%}; "
            f"accepted {whole['people']}, at most {whole['upper']:.1%}"
        )
    live = report["bona_fide"]
    yield f"bona fide: BPCER {live['bpcer']['people']} of {live['people']} people, sessions {live['sessions']}"
    for column, groups in live["by"].items():
        for value, row in groups.items():
            rate, people = row["bpcer"], row["people"]
            yield f"  {column} {value:<18} BPCER {rate['people']} of {people} people, at most {rate['upper']:.1%}"
    if report["claim"] is not None:
        shown = "shown" if report["claim"]["shown"] else "NOT shown"
        yield f"claim: every species below {report['claim']['below']:.1%}: {shown}"


@command.command()
@click.option("--images", type=PATH, multiple=True, required=True, help="Folder or .tar of pictures; may be repeated.")
@click.option("--model", default="embedder", show_default=True, help="Name or path of the embedder's card.")
@click.option("--detector", default="detector", show_default=True, help="Name or path of the detector's card.")
@click.option("--groups", type=PATH, help="CSV: `person` (or `picture`), then one column an attribute.")
@click.option("--same-person", type=PATH, help="CSV: picture,picture of one person under two names; left out.")
@click.option(
    "--decide-by",
    type=click.Choice(["overall", "worst-group"]),
    default="overall",
    show_default=True,
    help="Whose thresholds the card gets.",
)
@click.option("--fewest", default=300, show_default=True, help="Groups of fewer people are shown as 'too few'.")
@click.option("--rounds", default=400, show_default=True, help="Bootstrap rounds over people.")
@click.option("--seed", default=1, show_default=True, help="Of the looks at single pictures, and of the bootstrap.")
@click.option("--out", type=PATH, required=True, help="Folder for calibration.json, .csv, .png and alike.png.")
@click.option("--card-out", type=PATH, help="Write the calibrated card there, and leave the model's card alone.")
@click.option("--dry-run", is_flag=True, help="Write no card.")
@click.option("--overwrite", is_flag=True, help="Replace an earlier report in that folder.")
@shared(settings="", json="Print exactly one JSON object, and no progress.")
def calibrate(**options: Any) -> Answer:
    """Make the table from false match rate to threshold, and write it into the model's card.

    Pictures are laid out one folder a person (staff/ada/1.jpg), or one picture a person (staff/ada.jpg). No person may
    stand there under two names: such pairs look like false matches. The 50 most similar pairs are drawn into
    OUT/alike.png; look at it, list those of one person in a CSV (--same-person), and run again.

    Everybody's template meets everybody else's probes. The threshold for a rate is the lowest one at which the upper
    95 % bound of the measured rate, by resampling people, meets it. The smallest rate the card may claim follows:
    about 1e-4 from 1,000 people, 1e-5 from 3,000. Nothing is said about people or cameras unlike these.

    \b
    Examples
      edge lab calibrate --images staff --out report
      edge lab calibrate --images people.tar --model mine/card.yaml --groups groups.csv --out report
      edge lab calibrate --images staff --decide-by worst-group --groups groups.csv --out report --dry-run
    """
    from edge.lab.calibrate_run import CalibrationJob, run
    from edge.lab.progress import Silent, Steps

    job = CalibrationJob(command=_command(options), **options)
    with Silent() if quiet() else Steps() as steps:
        done = run(job, steps)
    return Answer(done.as_json(), partial(_tell, done, job.out))


def _command(options: dict[str, Any]) -> str:
    """What was run, without folders: a card must not show the layout of a user's disk."""
    parts = ["edge lab calibrate"]
    parts += [f"--images {source.name}" for source in options["images"]]
    for name in ("groups", "same_person"):
        if options[name]:
            parts.append(f"--{name.replace('_', '-')} {options[name].name}")
    parts += [f"--{name.replace('_', '-')} {options[name]}" for name in ("decide_by", "fewest", "rounds", "seed")]
    return " ".join(parts)


def _tell(done: CalibrationDone, out: Path) -> None:
    """Notes, the table, the groups, and what was written."""
    for note in done.notes:
        click.echo(f"note: {note}", err=True)
    _tell_table(done.found)
    click.echo(f"{done.failed} pictures without a face; report in {out}")
    click.echo(f"card: {done.card}" if done.card else "no card was written")
    if done.signature_stale:
        click.echo("the signature beside the card no longer fits: sign the card again")


def _tell_table(found: Calibrated) -> None:
    click.echo(f"{'target FMR':>10s}  {'threshold':>9s}  {'measured':>9s}  {'upper 95 %':>10s}")
    for row in found.thresholds:
        click.echo(f"{row['fmr']:10.3g}  {row['threshold']:9.3f}  {row['measured']:9.3g}  {row['upper']:10.3g}")
    click.echo(f"smallest FMR the card may claim: {found.thresholds[-1]['fmr']:g}")
    if not found.groups:
        return
    click.echo(f"\nFMR within groups at the threshold for {found.worst_group.get('at', 1e-3):g}")
    for group in found.groups:
        fmr = group["fmr"] if isinstance(group["fmr"], str) else f"{group['fmr']:.3g}"
        click.echo(f"  {group['name']:40s} {group['people']:6d} people  {fmr}")
    if "max_to_geometric_mean" in found.worst_group:
        click.echo(f"  largest over geometric mean: {found.worst_group['max_to_geometric_mean']}")
