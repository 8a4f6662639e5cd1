"""`edge vault`: which cards are known, what is deleted when and who is to be renewed, and delete now what is due."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import click

from edge.cli._common import Answer, shared, utc

if TYPE_CHECKING:
    from edge.service.housekeeping import Retention
    from edge.service.reading import Reading
    from edge.settings import Settings
    from edge.vault import Due

_SHOWN = 40


@click.group("vault")
def command() -> None:
    """What is kept here about people, and how long. A running device deletes what is due, once a day."""


@command.command("cards")
@shared(json=True)
def cards(settings: Settings) -> Answer:
    """List the cards that this device knows: serial, custody, status, dates. No name is kept, and nothing of a face.

    \b
    Example
      edge vault cards
    """
    from edge.service import Device
    from edge.service.rights import cards as cards_of

    with Device.open(settings) as device:
        rows = cards_of(device)
    lines = [
        f"{row['serial']}  {row['status']:<8}  {row['custody']:<6}  enrolled {utc(row['enrolled'])}  "
        f"expires {utc(row['expires']) if row['expires'] else 'unknown'}  changed {utc(row['changed'])}"
        for row in rows
    ]
    known = f"Cards known here: {len(rows)}. A card of another door of the site is not, until it is revoked here."
    return Answer({"schema": "edge/vault-cards/v1", "cards": rows}, [*lines, known])


@command.command("due")
@click.option(
    "--days", type=click.IntRange(0, 36_500), default=36_500, help="Only what is deleted within so many days."
)
@shared(json=True)
def due(days: int, settings: Settings) -> Answer:
    """Show what will be deleted, when, and by which rule: card, retention (settings, declaration, policy), journal.

    And who must be renewed: whose template was made with another embedder than the one in the settings.

    \b
    Example
      edge vault due --days 30
    """
    from edge.service.reading import Reading

    with Reading(settings) as device:
        now = device._clock.now()
        until = min(now.utc_s + days * 86_400, 2**32 - 2)
        rows = device._vault.due(until)
        answer: dict[str, Any] = {
            "schema": "edge/vault-due/v1",
            "now": now.utc_s,
            "confirmed": now.confirmed,
            "keep_days": device.retention.template_days,
            "keep_days_by": device.retention.by["template"],
            "rows": [_row(device.retention, each) for each in rows],
            "journal": _journal(device, until),
            "renewals": _renewals(device, now.utc_s),
        }
    return Answer(answer, _told(answer))


@command.command("expire")
@shared(json=True)
def expire(settings: Settings) -> Answer:
    """Delete now what is due; a running device does it by itself. Needs a confirmed clock. Each is journalled.

    \b
    Example
      edge vault expire
    """
    from edge.errors import StateError
    from edge.service import Device

    with Device.open(settings, hold="edge vault expire") as device:
        now = device._clock.now()
        now.need_confirmed()
        if now.waiting_s:
            raise StateError(
                "the clock has moved by more than a day; nothing is deleted until the device has run for a day with it",
                where="clock",
                remedy=f"let it run for {now.waiting_s / 3600:.1f} hours more; it then deletes what is due",
            )
        gone = device._housekeeping.keep()
        rows = [_row(device.retention, each) for each in gone]
    lines = [f"{row['serial']}  {row['goes']}  ({row['rule']})" for row in rows[:_SHOWN]]
    return Answer({"schema": "edge/vault-expired/v1", "rows": rows}, [*lines, f"{len(rows)} deleted."])


def _row(kept: Retention, each: Due) -> dict[str, Any]:
    from edge.vault import RetentionRule, serial_text

    rule = kept.by["template"] if each.rule is RetentionRule.RETENTION else "card"
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


def _renewals(device: Reading, now_s: int) -> dict[str, Any] | None:
    """None: an embedder that the settings name cannot be found; the self-test says more."""
    from edge.errors import ModelError
    from edge.service.models import model_finder
    from edge.service.renewals import Renewals

    try:
        settings = device.settings
        return Renewals.read(device._vault, settings.face, model_finder(settings), now_s).as_json()
    except ModelError as error:
        click.echo(f"Who must be renewed cannot be told: {error}", err=True)
        return None


def _told_renewals(renewals: dict[str, Any]) -> Iterator[str]:
    until, cards = renewals["until"], renewals["cards"]
    refused = "refused" if until is None else f"refused since {until}" if renewals["ended"] else ""
    said = {
        "previous": refused or f"verified with the previous embedder until {until}",
        "other": "made with an embedder that is not used here: refused",
        "unknown": "the card holds the template; an earlier version did not note its embedder",
    }
    for row in cards[:_SHOWN]:
        yield f"renew  {row['serial']}  enrolled {utc(row['enrolled'])}  ({said[row['embedder']]})"
    if len(cards) > _SHOWN:
        yield f"... and {len(cards) - _SHOWN} more; --json has them all"
    if cards:
        yield f"{len(cards)} cards are to be renewed (edge enrol --renew); {renewals['current']} are on this embedder."


def _told(answer: dict[str, Any]) -> Iterator[str]:
    rows = answer["rows"]
    if not answer["confirmed"]:
        click.echo("The clock is not confirmed: until it is, nothing is deleted.", err=True)
    for row in rows[:_SHOWN]:
        yield f"{utc(row['at'])}  {row['serial']}  {row['status']:<8}  {row['goes']}  ({row['rule']})"
    if len(rows) > _SHOWN:
        yield f"... and {len(rows) - _SHOWN} more; --json has them all"
    limit = answer["keep_days"]
    longest = f"at most {limit} days ({answer['keep_days_by']})" if limit else "as long as their cards are valid"
    yield f"{len(rows)} rows go in this time. Templates are kept {longest}."
    if answer["renewals"] is not None:
        yield from _told_renewals(answer["renewals"])
    journal = answer["journal"]
    yield (
        f"{journal['going']} of {journal['entries']} journal entries go in this time; "
        f"each is kept {journal['days']} days ({journal['by']})"
        + (f", the oldest until {utc(journal['oldest_goes'])}." if journal["entries"] else ".")
    )
