"""`edge lab attack`: presentation attack detection on whole sessions."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import click

_PATH = click.Path(path_type=Path)


@click.command("attack")
@click.option("--images", type=_PATH, required=True, help="Folder with enrol/, bona_fide/ and one folder a species.")
@click.option("--out", type=_PATH, required=True, help="Folder for attack.html and attack.json.")
@click.option("--fps", type=click.FloatRange(1, 60), default=15.0, show_default=True, help="Of the pictures.")
@click.option("--active", type=click.Choice(["off", "on_doubt", "always"]), default="off", show_default=True)
@click.option("--no-passive", is_flag=True, help="Without the passive network.")
@click.option("--claim", type=click.FloatRange(0.0001, 0.5), help="Show that every species' APCER is below this.")
@click.option("--two-sided", is_flag=True, help="Of the claim's interval.")
@click.option("--overwrite", is_flag=True, help="Replace an earlier report in that folder.")
@click.option("--json", "json_wanted", is_flag=True, help="Print exactly one JSON object.")
def attack(no_passive: bool, overwrite: bool, json_wanted: bool, **options: Any) -> int:
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
    if json_wanted:
        click.echo(json.dumps(report))
        return 0
    for row in report["species"]:
        rate, whole = row["apcer"], row["iapar"]
        click.echo(
            f"{row['name']:<20} APCER {rate['people']} of {row['people']} people, at most {rate['upper']:.1%}; "
            f"accepted {whole['people']}, at most {whole['upper']:.1%}"
        )
    live = report["bona_fide"]
    click.echo(f"bona fide: BPCER {live['bpcer']['people']} of {live['people']} people, sessions {live['sessions']}")
    for column, groups in live["by"].items():
        for value, row in groups.items():
            rate = row["bpcer"]
            click.echo(
                f"  {column} {value:<18} BPCER {rate['people']} of {row['people']} people, at most {rate['upper']:.1%}"
            )
    if report["claim"] is not None:
        shown = "shown" if report["claim"]["shown"] else "NOT shown"
        click.echo(f"claim: every species below {report['claim']['below']:.1%}: {shown}")
    return 0
