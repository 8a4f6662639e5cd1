"""`edge confirm`: an operator takes the responsibility for what the device alone must not decide."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import click


@click.command("confirm")
@click.argument("what", type=click.Choice(["clock", "vault", "state"]))
@click.option("--operator", required=True, help="Who confirms; journalled by name.")
@click.option("--config", type=click.Path(path_type=Path), help="Settings (default /etc/edge/device.yaml).")
def command(what: str, operator: str, config: Path | None) -> int:
    """Confirm what the device noticed and cannot judge by itself.

    \b
    clock   the system clock is right, though it jumped forward by more than a day
    vault   the store does not fit the state any more because a backup was restored on purpose
    state   the state database is damaged: put it aside and begin a new one; lockouts are forgotten with it

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
    if what == "clock":
        click.echo(f"The time used is now {datetime.fromtimestamp(answer['to'], UTC):%Y-%m-%d %H:%M} UTC.")
    else:
        click.echo(f"The {what} is acknowledged by {operator} and journalled.")
    return 0


def _new_state(folder: Path) -> None:
    """Put a damaged state database aside. Raises UsageError when it is not damaged."""
    from edge.errors import StateError, UsageError
    from edge.state import FILE, set_aside, state_database

    try:
        state_database(folder).close()
    except StateError:
        kept = set_aside(folder / FILE, f"{datetime.now(UTC):%Y-%m-%dT%H%M%S}")
        click.echo(f"The damaged database is kept as {kept}.", err=True)
        return
    raise UsageError("the state database is not damaged", where=str(folder / FILE), remedy="nothing needs to be done")
