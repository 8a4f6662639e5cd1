"""`edge revoke`: refuse a lost card by the serial printed on it."""

from __future__ import annotations

import json
from pathlib import Path

import click


@click.command("revoke")
@click.argument("serial")
@click.option("--operator", required=True, help="Who revokes; journalled by name.")
@click.option("--config", type=click.Path(path_type=Path), help="Settings (default /etc/edge/device.yaml).")
@click.option("--json", "json_wanted", is_flag=True, help="Print exactly one JSON object.")
def command(serial: str, operator: str, config: Path | None, json_wanted: bool) -> int:
    """Refuse a card from now on, whether or not it was enrolled here; its template on this device is deleted.

    \b
    Example
      edge revoke 5f2c-09aa-41d7-7b30-88e1-4c55-d0f2-9b6e --operator kim
    """
    from edge.cli._act import operator_on
    from edge.settings import load_settings

    with operator_on(load_settings(config), operator) as acts:
        answer = acts.do("revoke", serial=serial)
    if json_wanted:
        click.echo(json.dumps(answer))
        return 0
    click.echo(f"Card {answer['serial']} is {answer['status']} on this device.")
    click.echo("In card custody every door of the site must be told: run this there too.")
    return 0
