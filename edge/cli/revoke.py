"""`edge revoke`: refuse a lost card by the serial printed on it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from edge.cli._common import Answer, operator_on, shared

if TYPE_CHECKING:
    from edge.settings import Settings


@click.command("revoke")
@click.argument("serial")
@shared(operator=True, json=True)
def command(serial: str, settings: Settings, operator: str) -> Answer:
    """Refuse a card from now on, whether or not it was enrolled here; its template on this device is deleted.

    \b
    Example
      edge revoke 5f2c-09aa-41d7-7b30-88e1-4c55-d0f2-9b6e --operator kim
    """
    with operator_on(settings, operator) as acts:
        answer = acts.do("revoke", serial=serial)
    told = f"Card {answer['serial']} is {answer['status']} on this device."
    return Answer(answer, (told, "In card custody every door of the site must be told: run this there too."))
