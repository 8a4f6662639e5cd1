"""`edge vault`: which cards are known, what goes when, and let go now what is due."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from edge.cli._answer import answered

if TYPE_CHECKING:
    from edge.service.reading import Reading
    from edge.service.retention import Retention
    from edge.vault import Due

_CONFIG = click.option(
    "--config", type=click.Path(path_type=Path), help="Settings (default /etc/edge/device.yaml, else the example)."
)
_JSON = click.option("--json", "json_wanted", is_flag=True, help="One JSON object.")
_SHOWN = 40


@click.group("vault")
def command() -> None:
    """What is kept here about people, and how long. A running device lets go by itself what is due, once a day."""


@command.command("cards")
@_CONFIG
@_JSON
def cards(config: Path | None, json_wanted: bool) -> int:
    """List the cards that this device knows: serial, custody, status, dates. No name is kept, and nothing of a face.

    \b
    Example
      edge vault cards
    """
    from edge.service import open_device
    from edge.service.rights import cards as cards_of

    with open_device(config) as device:
        rows = cards_of(device)
    if json_wanted:
        answered("vault-cards", {"cards": rows})
        return 0
    for row in rows:
        expires = _day(row["expires"]) if row["expires"] else "unknown"
        click.echo(
            f"{row['serial']}  {row['status']:<8}  {row['custody']:<6}  enrolled {_day(row['enrolled'])}  "
            f"expires {expires}  changed {_day(row['changed'])}"
        )
    click.echo(f"Cards known here: {len(rows)}. A card of another door of the site is not, until it is revoked here.")
    return 0


@command.command("due")
@click.option("--days", type=click.IntRange(0, 36_500), default=36_500, help="Only what goes within so many days.")
@_CONFIG
@_JSON
def due(days: int, config: Path | None, json_wanted: bool) -> int:
    """Show what will be deleted, when, and by which rule: card, retention (settings, declaration, policy), journal.

    \b
    Example
      edge vault due --days 30
    """
    from edge.service.reading import Reading
    from edge.settings import load_settings

    with Reading(load_settings(config)) as device:
        now = device.clock.now()
        until = min(now.utc_s + days * 86_400, 2**32 - 2)
        rows = device.vault.due(until)
        answer: dict[str, Any] = {
            "schema": "edge/vault-due/v1",
            "now": now.utc_s,
            "confirmed": now.confirmed,
            "keep_days": device.retention.template_days,
            "keep_days_by": device.retention.by["template"],
            "rows": [_row(device.retention, each) for each in rows],
            "journal": _journal(device, until),
            "error": None,
        }
    if json_wanted:
        click.echo(json.dumps(answer))
    else:
        _tell(answer)
    return 0


@command.command("expire")
@_CONFIG
@_JSON
def expire(config: Path | None, json_wanted: bool) -> int:
    """Let go now what is due; a running device does it by itself. Needs a confirmed clock. Each is journalled.

    \b
    Example
      edge vault expire
    """
    from edge.errors import StateError
    from edge.service import open_device

    with open_device(config, hold="edge vault expire") as device:
        now = device.clock.now()
        now.need_confirmed()
        if now.waiting_s:
            raise StateError(
                "the clock has moved by more than a day; nothing is deleted until the device has run for a day with it",
                where="clock",
                remedy=f"let it run for {now.waiting_s / 3600:.1f} hours more; it then deletes by itself what is due",
            )
        gone = device.housekeeping.keep()
        rows = [_row(device.retention, each) for each in gone]
    if json_wanted:
        answered("vault-expired", {"rows": rows})
    else:
        for row in rows[:_SHOWN]:
            click.echo(f"{row['serial']}  {row['goes']}  ({row['rule']})")
        click.echo(f"{len(rows)} gone.")
    return 0


def _row(kept: Retention, each: Due) -> dict[str, Any]:
    from edge.vault import Rule, serial_text

    rule = kept.by["template"] if each.rule is Rule.RETENTION else "card"
    return {
        "serial": serial_text(each.holder.serial),
        "status": each.holder.status.value,
        "custody": each.holder.custody.value,
        "goes": "everything" if each.what == "row" else "consent and hash of the name; the serial stays refused",
        "at": each.at,
        "rule": {"card": "the card ends", "settings": "vault.keep_days"}.get(rule, rule),
    }


def _journal(device: Reading, until: int) -> dict[str, Any]:
    days = device.retention.journal_days
    entries = list(device.entries())
    going = sum(entry.at + days * 86_400 <= until for entry in entries)
    return {
        "entries": len(entries),
        "days": days,
        "by": device.retention.by["journal"],
        "oldest_goes": entries[0].at + days * 86_400 if entries else None,
        "going": going,
    }


def _tell(answer: dict[str, Any]) -> None:
    rows = answer["rows"]
    if not answer["confirmed"]:
        click.echo("The clock is not confirmed: until it is, nothing is deleted.", err=True)
    for row in rows[:_SHOWN]:
        click.echo(f"{_day(row['at'])}  {row['serial']}  {row['status']:<8}  {row['goes']}  ({row['rule']})")
    if len(rows) > _SHOWN:
        click.echo(f"... and {len(rows) - _SHOWN} more; --json has them all")
    limit = answer["keep_days"]
    longest = (
        "as long as their cards are valid" if limit is None else f"at most {limit} days ({answer['keep_days_by']})"
    )
    click.echo(f"{len(rows)} rows go in this time. Templates are kept {longest}.")
    journal = answer["journal"]
    click.echo(
        f"{journal['going']} of {journal['entries']} journal entries go in this time; "
        f"each is kept {journal['days']} days ({journal['by']})"
        + (f", the oldest until {_day(journal['oldest_goes'])}." if journal["entries"] else ".")
    )


def _day(seconds: int) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d")
