"""`edge revoke`: refuse a lost card by the serial printed on it."""

from __future__ import annotations

from pathlib import Path

import click


@click.command("revoke")
@click.argument("serial")
@click.option("--operator", required=True, help="Who revokes; journalled by name.")
@click.option("--config", type=click.Path(path_type=Path), help="Settings (default /etc/edge/device.yaml).")
def command(serial: str, operator: str, config: Path | None) -> int:
    """Refuse a card from now on, whether or not it was enrolled here; its template on this device is deleted.

    \b
    Example
      edge revoke 5f2c-09aa-41d7-7b30-88e1-4c55-d0f2-9b6e --operator kim
    """
    from edge.service import open_device
    from edge.types.events import Revoked
    from edge.vault import parse_serial

    number = parse_serial(serial)
    with open_device(config) as device:
        holder = device.vault.revoke(number, operator, now_s=device.clock.now().utc_s)
        device.tell(Revoked(at_ns=device.now_ns(), serial=number, operator=operator))
    click.echo(f"Card {serial} is {holder.status.value} on this device.")
    click.echo("In card custody every door of the site must be told: run this there too.")
    return 0
