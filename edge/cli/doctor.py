"""`edge doctor`: what is attached, against what the settings expect."""

from __future__ import annotations

import json
from pathlib import Path

import click

SCHEMA = "edge/doctor/v1"


@click.command("doctor")
@click.option("--config", type=click.Path(path_type=Path), help="Settings (default /etc/edge/device.yaml, if there).")
@click.option("--json", "json_wanted", is_flag=True, help="One JSON object instead of lines.")
def command(config: Path | None, json_wanted: bool) -> int:
    """See what is attached: cameras, scanners, GPIO chips, screens, and what the settings name and is not there.

    Nothing is opened, so it may run beside a door. Whether the parts work is asked by `edge selftest`. Without settings
    it says what a machine has, and what to plug in.

    Exit code 0 when everything that the settings name is there, 4 otherwise.
    """
    from edge.service.doctor import fits, look
    from edge.settings import load_settings
    from edge.settings.loader import SYSTEM_FILE

    settings = load_settings(config) if config is not None or SYSTEM_FILE.exists() else None
    lines = look(settings)
    if json_wanted:
        found = [line.as_json() for line in lines]
        click.echo(json.dumps({"schema": SCHEMA, "fits": fits(lines), "found": found, "error": None}))
        return 0 if fits(lines) else 4
    colours = {"used": "green", "missing": "red"}
    for line in lines:
        state = click.style(f"{line.state:<8}", fg=colours.get(line.state))
        click.echo(f"  {state} {line.kind:<9} {line.what}{f'  -> {line.remedy}' if line.remedy else ''}")
    return 0 if fits(lines) else 4
