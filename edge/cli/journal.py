"""`edge journal`: verify, show, and begin anew."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from collections.abc import Callable

    from edge.journal import Entry

_CONFIG = click.option(
    "--config", type=click.Path(path_type=Path), help="Settings (default /etc/edge/device.yaml, else the example)."
)
_JSON = click.option("--json", "json_wanted", is_flag=True, help="One JSON object.")


@click.group("journal")
def command() -> None:
    """The hash-chained record of what this device decided, and of who changed what."""


@command.command("verify")
@_CONFIG
@_JSON
def verify(config: Path | None, json_wanted: bool) -> int:
    """Check the whole chain: nothing altered, left out, added or cut off. Exit code 0: it holds; 4: it does not."""
    from edge.journal import FILE, HEAD
    from edge.journal import verify as check

    folder, key, at_least = _open(config)
    report = check(folder / FILE, folder / HEAD, key, at_least=at_least)
    if json_wanted:
        click.echo(json.dumps(report.as_json()))
    else:
        click.echo(f"{folder / FILE}: {report}", err=not report.ok)
    return 0 if report.ok else 4


@command.command("show")
@click.option("--last", type=click.IntRange(1, 100_000), default=20, show_default=True, help="How many entries.")
@_CONFIG
@_JSON
def show(last: int, config: Path | None, json_wanted: bool) -> int:
    """Print the newest entries, oldest first. Only a chain that holds is shown."""
    from edge.errors import JournalBroken
    from edge.journal import FILE, HEAD
    from edge.journal import last as newest
    from edge.journal import verify as check

    folder, key, at_least = _open(config)
    report = check(folder / FILE, folder / HEAD, key, at_least=at_least)
    if not report.ok:
        raise JournalBroken(str(report), where=str(folder / FILE), remedy="see `edge journal verify`")
    entries = newest(folder / FILE, key, last)
    if json_wanted:
        shown = [{"seq": e.seq, "at": e.at, "kind": e.kind, "fields": dict(e.fields)} for e in entries]
        click.echo(json.dumps({"schema": "edge/journal-entries/v1", "entries": shown}))
    else:
        _table(entries)
    return 0


@command.command("begin")
@click.option("--operator", required=True, help="Who sets the broken journal aside; written into the new one.")
@_CONFIG
def begin(operator: str, config: Path | None) -> int:
    """Set a broken journal aside and begin a new one. The old files are renamed and kept. Stop the service first."""
    from edge.errors import UsageError
    from edge.journal import FILE, HEAD, begin_anew
    from edge.journal import verify as check

    folder, key, at_least = _open(config)
    if check(folder / FILE, folder / HEAD, key, at_least=at_least).ok:
        raise UsageError("this journal's chain holds, there is no need", where=str(folder / FILE), remedy="keep it")
    stamp = time.strftime("%Y-%m-%dT%H%M%S", time.gmtime())
    with begin_anew(folder, key, now=_now(folder), operator=operator, stamp=stamp, at_least=at_least) as journal:
        click.echo(f"A new journal begins after entry {journal.sequence - 1}; the old files end in .broken-{stamp}.")
    return 0


def _open(config: Path | None) -> tuple[Path, bytes, int]:
    """The state directory, the journal's key, and how many entries are known; makes nothing that is not there."""
    from edge.journal import KEY_LABEL
    from edge.settings import load_settings
    from edge.state import FILE, Counters, state_database
    from edge.trust import Keyring

    device = load_settings(config).device
    key = Keyring.load(device.state_dir, device.trust_dir).derive(KEY_LABEL)
    at_least = 0
    if (device.state_dir / FILE).exists():
        with state_database(device.state_dir) as database:
            at_least = Counters(database).value("journal")
    return device.state_dir, key, at_least


def _now(folder: Path) -> Callable[[], int]:
    from edge.state import ClockGuard, state_database

    def now() -> int:
        with state_database(folder) as database:
            return ClockGuard(database).now().utc_s

    return now


def _table(entries: list[Entry]) -> None:
    from rich.console import Console
    from rich.table import Table

    table = Table("entry", "time (UTC)", "kind", "fields", box=None)
    for entry in entries:
        fields = "  ".join(f"{name}={value}" for name, value in entry.fields.items())
        when = time.strftime("%Y-%m-%d %H:%M:%S", time.gmtime(entry.at))
        table.add_row(str(entry.seq), when, entry.kind, fields)
    Console().print(table)
