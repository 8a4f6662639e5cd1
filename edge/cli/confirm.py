"""`edge confirm`: an operator takes the responsibility for what the device alone must not decide."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

import click


@click.command("confirm")
@click.argument("what", type=click.Choice(["clock", "vault", "state"]))
@click.option("--operator", required=True, help="Who confirms; journalled by name.")
@click.option("--config", type=click.Path(path_type=Path), help="Settings (default /etc/edge/device.yaml).")
@click.option("--json", "json_wanted", is_flag=True, help="Print exactly one JSON object.")
def command(what: str, operator: str, config: Path | None, json_wanted: bool) -> int:
    """Confirm what the device noticed and cannot judge by itself.

    \b
    clock   the system clock is right, though it is far ahead of the time that the device believes, or behind it
    vault   vault, state or journal do not fit together any more because a backup was restored on purpose; cards that
            the journal says were revoked, erased or replaced since then stay refused
    state   the state database is damaged: put it aside and begin a new one; lockouts are forgotten with it

    After a step of more than a day nothing is deleted until the device has run for a further day. What was deleted by
    a wrong time stays deleted.

    \b
    Example
      date; edge confirm clock --operator kim
    """
    from edge.cli._act import operator_on
    from edge.service import Parts
    from edge.settings import load_settings

    settings = load_settings(config)
    if what == "state":
        _new_state(settings.device.state_dir)
    parts = Parts() if what == "clock" else Parts(acknowledged_by=operator)
    with operator_on(settings, operator, parts=parts) as acts:
        answer = acts.do("confirm", what=what)
    if json_wanted:
        click.echo(json.dumps(answer))
    elif what == "clock":
        click.echo(f"The time used was {_utc(answer['from'])}, and is now {_utc(answer['to'])}.")
    else:
        click.echo(f"The {what} is acknowledged by {operator} and journalled.")
    return 0


def _utc(seconds: int) -> str:
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%d %H:%M} UTC"


def _new_state(folder: Path) -> None:
    """Put a damaged state database aside.

    Raises:
        UsageError: it is not damaged. StateError: it cannot be opened for another reason, such as a full disk.
    """
    from edge.errors import StateError, UsageError
    from edge.state import FILE, is_damaged, set_aside, state_database

    file = folder / FILE
    try:
        state_database(folder).close()
    except StateError:
        if not is_damaged(file):
            raise  # its content is whole: putting it aside would forget lockouts and repair nothing
        kept = set_aside(file, f"{datetime.now(UTC):%Y-%m-%dT%H%M%S}")
        click.echo(f"The damaged database is kept as {kept}.", err=True)
        return
    raise UsageError("the state database is not damaged", where=str(file), remedy="nothing needs to be done")
