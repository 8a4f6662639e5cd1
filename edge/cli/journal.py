"""`edge journal`: verify, show, export, and begin anew."""

from __future__ import annotations

import csv
import io
import time
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from edge.cli._common import PATH, Answer, shared, table, utc

if TYPE_CHECKING:
    from edge.journal import Entry, Selection
    from edge.settings import Settings

_SECONDS = "%Y-%m-%d %H:%M:%S"
_MOMENT = click.DateTime(["%Y-%m-%d", "%Y-%m-%dT%H:%M", "%Y-%m-%dT%H:%M:%S", "%Y-%m-%d %H:%M"])


def _selects(command: Callable[..., Any]) -> Callable[..., Any]:
    """The options that pick entries."""
    for option in (
        click.option("--serial", help="Only entries about this card (the serial printed on it)."),
        click.option("--kind", "kinds", multiple=True, help="Only this kind, such as decision; repeat it."),
        click.option("--before", type=_MOMENT, help="Only entries before this moment (UTC)."),
        click.option("--since", type=_MOMENT, help="Only entries from this moment on (UTC), such as 2026-11-30."),
    ):
        command = option(command)
    return command


@click.group("journal")
def command() -> None:
    """The hash-chained record of what this device decided, and of who changed what."""


@command.command("verify")
@shared(json=True)
def verify(settings: Settings) -> Answer:
    """Check the whole chain: nothing altered, left out, added or cut off. Exit code 0: it holds; 4: it does not."""
    from edge.journal import FILE
    from edge.service.reading import Reading

    with Reading(settings) as reading:
        report, file = reading.journal(), reading.folder / FILE
    told = partial(click.echo, f"{file}: {report}", err=not report.ok)
    return Answer(report.as_json(), told, 0 if report.ok else 4)


@command.command("show")
@click.option("--last", type=click.IntRange(1, 100_000), default=20, show_default=True, help="How many entries.")
@_selects
@shared(json=True)
def show(last: int, settings: Settings, **wanted: Any) -> Answer:
    """Print the newest entries, oldest first. Only a chain that holds is shown.

    \b
    Example
      edge journal show --kind decision --since 2026-11-30
    """
    entries = _entries(settings, wanted)[-last:]
    shown = [{"seq": e.seq, "at": e.at, "kind": e.kind, "fields": dict(e.fields)} for e in entries]
    rows = [
        (str(e.seq), utc(e.at, _SECONDS), e.kind, "  ".join(f"{name}={value}" for name, value in e.fields.items()))
        for e in entries
    ]
    told = table([("entry", "time (UTC)", "kind", "fields"), *rows])
    return Answer({"schema": "edge/journal-entries/v1", "entries": shown}, told)


@command.command("export")
@click.option(
    "--format",
    "form",
    type=click.Choice(["jsonl", "csv"]),
    default="jsonl",
    show_default=True,
    help="jsonl: the lines as they stand in the journal, with their hashes; csv: one column a field.",
)
@click.option("--out", type=PATH, help="A new file (mode 0600); without it: standard output.")
@_selects
@shared()
def export(form: str, out: Path | None, settings: Settings, **wanted: Any) -> None:
    """Write entries out, oldest first, for an auditor or a spreadsheet. Only a chain that holds is exported.

    \b
    Examples
      edge journal export --out journal.jsonl
      edge journal export --format csv --since 2026-11-01 --before 2026-12-01 --out november.csv
    """
    from edge.errors import InputError
    from edge.files import refusal, write_atomic
    from edge.profile import current
    from edge.service.declared import need_export

    need_export(current().statement)
    entries = _entries(settings, wanted)
    text = _csv(entries) if form == "csv" else "".join(entry.line().decode("ascii") for entry in entries)
    if out is None:
        click.echo(text, nl=False)
        return
    try:
        write_atomic(out, text.encode("utf-8"), mode=0o600, new=True, stick=True)
    except OSError as error:
        raise refusal(InputError, error, out, "the journal cannot be written there") from None
    click.echo(f"{out}: {len(entries)} entries", err=True)


@command.command("begin")
@shared(operator=True)
def begin(settings: Settings, operator: str) -> None:
    """Set a broken journal aside and begin a new one. The old files are renamed and kept. Stop the service first."""
    from edge.errors import UsageError
    from edge.journal import FILE, begin_anew
    from edge.service.reading import Reading
    from edge.state.binding import JOURNAL, KEY_LABEL, Binding

    with Reading(settings) as reading:
        folder, at_least, key, keyring = reading.folder, reading.at_least, reading.journal_key, reading._keyring
        now = reading._clock.now().believed_s
        if reading.journal().ok:
            raise UsageError("this journal's chain holds, there is no need", where=str(folder / FILE), remedy="keep it")
    stamp = time.strftime("%Y-%m-%dT%H%M%S", time.gmtime())
    with (
        Binding(folder, keyring.derive(KEY_LABEL), acknowledged=True) as binding,
        binding.turn(),
        begin_anew(folder, key, now=lambda: now, operator=operator, stamp=stamp, at_least=at_least) as journal,
    ):
        binding.note(JOURNAL, journal.sequence)
        click.echo(f"A new journal begins after entry {journal.sequence - 1}; the old files end in .broken-{stamp}.")


def _entries(settings: Settings, wanted: dict[str, Any]) -> list[Entry]:
    from edge.service.reading import Reading

    selection = _selection(**wanted)
    with Reading(settings) as reading:
        return list(reading.entries(selection))


def _selection(
    since: datetime | None, before: datetime | None, kinds: tuple[str, ...], serial: str | None
) -> Selection:
    from edge.errors import UsageError
    from edge.journal import KINDS, Selection
    from edge.vault import parse_serial

    for kind in kinds:
        if kind not in KINDS:
            raise UsageError(
                f"there is no entry of the kind {kind!r}", where="--kind", remedy=f"one of {', '.join(sorted(KINDS))}"
            )
    return Selection(_seconds(since), _seconds(before), kinds, None if serial is None else parse_serial(serial))


def _seconds(moment: datetime | None) -> int | None:
    return None if moment is None else int(moment.replace(tzinfo=UTC).timestamp())


def _csv(entries: Iterable[Entry]) -> str:
    entries = list(entries)
    fields = list(dict.fromkeys(name for entry in entries for name in entry.fields))
    written = io.StringIO()
    rows = csv.writer(written)
    rows.writerow(["entry", "time_utc", "kind", *fields])
    for entry in entries:
        cells = (_cell(entry.fields.get(name, "")) for name in fields)
        rows.writerow([entry.seq, utc(entry.at, _SECONDS), entry.kind, *cells])
    return written.getvalue()


def _cell(value: str | int | bool) -> str | int:
    """A spreadsheet runs a cell that begins with one of these as a formula, and names are typed by people."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return f"'{value}" if isinstance(value, str) and value[:1] in tuple("=+-@") else value
