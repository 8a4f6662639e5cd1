"""`edge doctor`: what is attached, against what the settings expect."""

from __future__ import annotations

from pathlib import Path

import click

from edge.cli._common import Answer, shared


@click.command("doctor")
@shared(settings="file", json=True)
def command(config: Path | None) -> Answer:
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
    colours = {"used": "green", "missing": "red", "weak": "yellow"}
    states = [click.style(f"{line.state:<8}", fg=colours.get(line.state)) for line in lines]
    told = [
        f"  {state} {line.kind:<9} {line.what}{f'  -> {line.remedy}' if line.remedy else ''}"
        for state, line in zip(states, lines, strict=True)
    ]
    found = {"schema": "edge/doctor/v1", "fits": fits(lines), "found": [line.as_json() for line in lines]}
    return Answer(found, told, 0 if fits(lines) else 4)
