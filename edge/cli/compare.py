"""`edge compare`: two pictures, by the chain of a door. Left out of device builds by the build hook."""

from __future__ import annotations

import json
from pathlib import Path

import click


@click.command("compare")
@click.argument("reference", type=click.Path(path_type=Path))
@click.argument("probe", type=click.Path(path_type=Path))
@click.option("--config", type=click.Path(path_type=Path), help="Settings (default /etc/edge/device.yaml).")
@click.option("--json", "json_wanted", is_flag=True, help="Exactly one JSON object, in every case.")
def command(reference: Path, probe: Path, config: Path | None, json_wanted: bool) -> int:
    """Compare two pictures (development and lab builds only).

    Prints the comparison score, a cosine in -1..1 where LARGER means MORE SIMILAR, and the threshold that the
    configured target FMR leads to. Exit code 0 when it is reached, 1 when it is not.

    \b
    Example
      edge compare ada-0.jpg ada-1.jpg
    """
    from edge.cli._answer import EXIT, as_json
    from edge.cli._pictures import compare_pictures
    from edge.face import Chain
    from edge.settings import load_settings

    settings = load_settings(config)
    decision = compare_pictures(Chain.load(settings.face), reference, probe, settings.decision.target_fmr)
    if json_wanted:
        click.echo(json.dumps(as_json(decision)))
    else:
        relation = ">=" if decision.outcome.value == "accept" else "<"
        click.echo(
            f"{decision.reason.value.upper().replace('_', ' ')}: score {decision.score:.3f} {relation} "
            f"threshold {decision.threshold:.3f} (target FMR {decision.target_fmr:g})"
        )
    return EXIT[decision.outcome.value]
