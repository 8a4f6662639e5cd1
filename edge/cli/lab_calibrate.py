"""`edge lab calibrate`: from pictures of different people to the thresholds in a model's card."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from edge.lab.calibrate import Calibrated

_PATH = click.Path(path_type=Path)


@click.command()
@click.option("--images", type=_PATH, multiple=True, required=True, help="Folder or .tar of pictures; may be repeated.")
@click.option("--model", default="embedder", show_default=True, help="Name or path of the embedder's card.")
@click.option("--detector", default="detector", show_default=True, help="Name or path of the detector's card.")
@click.option("--groups", type=_PATH, help="CSV: `person` (or `picture`), then one column an attribute.")
@click.option("--same-person", type=_PATH, help="CSV: picture,picture of one person under two names; left out.")
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
@click.option("--out", type=_PATH, required=True, help="Folder for calibration.json, .csv, .png and alike.png.")
@click.option("--card-out", type=_PATH, help="Write the calibrated card there, and leave the model's card alone.")
@click.option("--dry-run", is_flag=True, help="Write no card.")
@click.option("--overwrite", is_flag=True, help="Replace an earlier report in that folder.")
@click.option("--json", "json_wanted", is_flag=True, help="Print exactly one JSON object, and no progress.")
def calibrate(json_wanted: bool, **options: Any) -> int:
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
    with Silent() if json_wanted else Steps() as steps:
        done = run(job, steps)
    if json_wanted:
        click.echo(json.dumps(done.as_json()))
    else:
        for note in done.notes:
            click.echo(f"note: {note}", err=True)
        _tell(done.found)
        click.echo(f"{done.failed} pictures without a face; report in {job.out}")
        click.echo(f"card: {done.card}" if done.card else "no card was written")
        if done.signature_stale:
            click.echo("the signature beside the card no longer fits: sign the card again")
    return 0


def _command(options: dict[str, Any]) -> str:
    """What was run, without folders: a card must not tell how somebody's disk is laid out."""
    parts = ["edge lab calibrate"]
    parts += [f"--images {source.name}" for source in options["images"]]
    for name in ("groups", "same_person"):
        if options[name]:
            parts.append(f"--{name.replace('_', '-')} {options[name].name}")
    parts += [f"--{name.replace('_', '-')} {options[name]}" for name in ("decide_by", "fewest", "rounds", "seed")]
    return " ".join(parts)


def _tell(found: Calibrated) -> None:
    """The table, and the groups."""
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
