"""`edge confirm`: an operator takes the responsibility for what the device alone must not decide."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

import click

from edge.cli._common import Answer, operator_on, shared, utc

if TYPE_CHECKING:
    from pathlib import Path

    from edge.settings import Settings


@click.command("confirm")
@click.argument("what", type=click.Choice(["clock", "vault", "state"]))
@shared(operator=True, json=True)
def command(what: str, settings: Settings, operator: str) -> Answer:
    """Confirm what the device noticed and cannot judge by itself.

    \b
    clock   the system clock is right, though it is far ahead of the time that the device believes, or behind it
    vault   vault, state or journal do not fit together any more because a backup was restored on purpose; cards that
            the journal says were revoked, erased or replaced since then stay refused; where it cannot know (it was
            begun anew since, or device.counters is gone) every card enrolled here is refused until a new one is issued
    state   the state database is damaged: put it aside and begin a new one; lockouts are forgotten with it

    After a step of more than a day nothing is deleted until the device has run for a further day. What was deleted by
    a wrong time stays deleted.

    \b
    Example
      date; edge confirm clock --operator kim
    """
    from edge.service import Parts

    if what == "state":
        _new_state(settings.device.state_dir)
    parts = Parts() if what == "clock" else Parts(acknowledged_by=operator)
    with operator_on(settings, operator, parts=parts) as acts:
        answer = acts.do("confirm", what=what)
    if what == "clock":
        before, now = (utc(answer[key], "%Y-%m-%d %H:%M UTC") for key in ("from", "to"))
        return Answer(answer, f"The time used was {before}, and is now {now}.")
    return Answer(answer, f"The {what} is acknowledged by {operator} and journalled.")


def _new_state(folder: Path) -> None:
    """Put a damaged state database aside.

    Raises:
        UsageError: it is not damaged. StateError: it cannot be opened for another reason, such as a full disk.
    """
    from edge.errors import StateError, UsageError
    from edge.state import FILE, STATE, is_damaged, set_aside, state_database

    file = folder / FILE
    try:
        state_database(folder).close()
    except StateError:
        if not is_damaged(file, STATE):
            raise  # its content is whole: putting it aside would forget lockouts and repair nothing
        kept = set_aside(file, f"{datetime.now(UTC):%Y-%m-%dT%H%M%S}")
        click.echo(f"The damaged database is kept as {kept}.", err=True)
        return
    raise UsageError("the state database is not damaged", where=str(file), remedy="nothing needs to be done")
