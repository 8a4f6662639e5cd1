"""`edge reset`: clear the lockout of a card, or the fan-out guard of the door."""

from __future__ import annotations

import json
from pathlib import Path

import click


@click.command("reset")
@click.argument("serial", required=False)
@click.option("--door", is_flag=True, help="Clear the delays of this door, the fan-out guard's included.")
@click.option("--operator", required=True, help="Who resets; journalled by name.")
@click.option("--config", type=click.Path(path_type=Path), help="Settings (default /etc/edge/device.yaml).")
@click.option("--json", "json_wanted", is_flag=True, help="Print exactly one JSON object.")
def command(serial: str | None, door: bool, operator: str, config: Path | None, json_wanted: bool) -> int:
    """Let a card try again that was refused too often. Ask who holds it first: a lockout may be somebody guessing.

    With --door instead of a serial: this door paused itself because many different cards failed at it (the fan-out
    guard). Look into the journal for the cards and find out who stood there before you clear it.

    \b
    Examples
      edge reset 5f2c-09aa-41d7-7b30-88e1-4c55-d0f2-9b6e --operator kim
      edge reset --door --operator kim
    """
    from edge.cli._act import operator_on
    from edge.errors import UsageError
    from edge.settings import load_settings

    if (serial is None) is not door:
        raise UsageError("give the serial of a card, or --door", where="reset", remedy="one of the two")
    with operator_on(load_settings(config), operator) as acts:
        answer = acts.do("reset", serial=serial) if serial is not None else acts.do("reset_door")
    if json_wanted:
        click.echo(json.dumps(answer))
    elif serial is None:
        level, cards = answer["level"], answer["cards"]
        click.echo(f"The door answers again (guard level {level}, {cards} cards had failed lately).")
    else:
        click.echo(f"Card {answer['serial']}: {answer['rejects']} rejects in a row are forgotten.")
    return 0
