"""`edge reset`: clear the lockout of a card, or the fan-out guard of the door."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from edge.cli._common import Answer, operator_on, shared

if TYPE_CHECKING:
    from edge.settings import Settings


@click.command("reset")
@click.argument("serial", required=False)
@click.option("--door", is_flag=True, help="Clear the delays of this door, the fan-out guard's included.")
@shared(operator=True, json=True)
def command(serial: str | None, door: bool, settings: Settings, operator: str) -> Answer:
    """Let a card that was refused too often try again. First ask who used it: someone may be guessing.

    With --door instead of a serial: this door paused itself because many different cards failed at it (the fan-out
    guard). Look into the journal for the cards and find out who stood there before you clear it.

    \b
    Examples
      edge reset 5f2c-09aa-41d7-7b30-88e1-4c55-d0f2-9b6e --operator kim
      edge reset --door --operator kim
    """
    from edge.errors import UsageError

    if (serial is None) is not door:
        raise UsageError("give the serial of a card, or --door", where="reset", remedy="one of the two")
    with operator_on(settings, operator) as acts:
        answer = acts.do("reset", serial=serial) if serial is not None else acts.do("reset_door")
    if serial is not None:
        return Answer(answer, f"Card {answer['serial']}: {answer['rejects']} rejects in a row are forgotten.")
    level, cards = answer["level"], answer["cards"]
    return Answer(answer, f"The door answers again (guard level {level}, {cards} cards had failed lately).")
