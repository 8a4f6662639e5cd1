"""`edge reset`: clear the lockout of a card."""

from __future__ import annotations

from pathlib import Path

import click


@click.command("reset")
@click.argument("serial")
@click.option("--operator", required=True, help="Who resets; journalled by name.")
@click.option("--config", type=click.Path(path_type=Path), help="Settings (default /etc/edge/device.yaml).")
def command(serial: str, operator: str, config: Path | None) -> int:
    """Let a card try again that was refused too often. Ask who holds it first: a lockout may be somebody guessing.

    \b
    Example
      edge reset 5f2c-09aa-41d7-7b30-88e1-4c55-d0f2-9b6e --operator kim
    """
    from edge.service import open_device
    from edge.vault import parse_serial

    number = parse_serial(serial)
    with open_device(config) as device:
        before = device.limits.reset(number, operator)
        device.ledger.journal.write("reset", serial=number.hex(), operator=operator, rejects=before.rejects)
    click.echo(f"Card {serial}: {before.rejects} rejects in a row are forgotten.")
    return 0
