"""`edge keys operator`: tokens for the operator's pages of a kiosk; and who changes keys, for the journal."""

from __future__ import annotations

import os
from collections.abc import Iterable
from typing import TYPE_CHECKING

import click

from edge.cli._common import shared

if TYPE_CHECKING:
    from edge.settings import Settings
    from edge.trust import KeyChange

by_operator = click.option("--operator", default="", help="Who does it, for the journal; default: this login.")


@click.command()
@click.argument("name", required=False)
@click.option("--remove", is_flag=True, help="Take the token away.")
@shared(settings="example")
@by_operator
def operators(name: str | None, remove: bool, settings: Settings, operator: str) -> None:
    """Make a token for the operator's pages of a kiosk; it is shown once. Without NAME: list who has one.

    \b
    Example
      edge keys operator kim
    """
    from edge.errors import UsageError
    from edge.trust import KeyChange, Keyring
    from edge.trust import operators as tokens

    device = settings.device
    if name is None:
        if remove:
            raise UsageError("whose token is it?", where="edge keys operator", remedy="give a name")
        for one in tokens.names(device.state_dir):
            click.echo(one)
        return
    Keyring.load(device.state_dir, device.trust_dir)  # what is missing is told before anything is written
    if remove:
        tokens.remove(device.state_dir, name)
        click.echo(f"{name} has no token any more; a sitting that is open lasts an hour at most")
    else:
        token = tokens.add(device.state_dir, name, random_bytes=os.urandom)
        click.echo(f"{token}\nthis is {name}'s token for the operator's pages; it is kept nowhere and shown once")
    change = "removed" if remove else "made"
    journal(settings, [KeyChange("operator", change, tokens.id_of(name))], operator)


def journal(settings: Settings, changes: Iterable[KeyChange], operator: str) -> None:
    """Write changes of keys into the device's journal, where it has one."""
    from edge.files import user_name
    from edge.service.ledger import journal_keys

    journal_keys(settings, changes, operator or os.environ.get("SUDO_USER") or user_name(os.getuid()))
