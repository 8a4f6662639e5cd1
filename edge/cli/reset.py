"""`edge reset`: clear the lockout of a card, or the fan-out guard of the door."""

from __future__ import annotations

from pathlib import Path

import click


@click.command("reset")
@click.argument("serial", required=False)
@click.option("--door", is_flag=True, help="Clear the delays of this door, the fan-out guard's included.")
@click.option("--operator", required=True, help="Who resets; journalled by name.")
@click.option("--config", type=click.Path(path_type=Path), help="Settings (default /etc/edge/device.yaml).")
def command(serial: str | None, door: bool, operator: str, config: Path | None) -> int:
    """Let a card try again that was refused too often. Ask who holds it first: a lockout may be somebody guessing.

    With --door instead of a serial: this door paused itself because many different cards failed at it (the fan-out
    guard). Look into the journal for the cards and find out who stood there before you clear it.

    \b
    Examples
      edge reset 5f2c-09aa-41d7-7b30-88e1-4c55-d0f2-9b6e --operator kim
      edge reset --door --operator kim
    """
    from edge.errors import UsageError
    from edge.service import open_device
    from edge.types.events import DoorReset, Reset
    from edge.vault import parse_serial

    if (serial is None) is not door:
        raise UsageError("give the serial of a card, or --door", where="reset", remedy="one of the two")
    number = parse_serial(serial) if serial is not None else None
    with open_device(config) as device:
        if number is None:
            guard = device.limits.reset_door(operator)
            device.tell(DoorReset(at_ns=device.now_ns(), operator=operator, level=guard.level, cards=guard.cards))
            click.echo(f"The door answers again (guard level {guard.level}, {guard.cards} cards had failed lately).")
            return 0
        before = device.limits.reset(number, operator)
        device.tell(Reset(at_ns=device.now_ns(), serial=number, operator=operator, rejects=before.rejects))
    click.echo(f"Card {serial}: {before.rejects} rejects in a row are forgotten.")
    return 0
