"""`edge prove`: what an auditor runs to see for themselves."""

from __future__ import annotations

import textwrap
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import click

from edge.cli._common import PATH, Answer, quiet, shared

if TYPE_CHECKING:
    from edge.prove import Evidence, ProofReport, Question, Trial

_SHOWN = 12  # findings of one check on a terminal; --report and --json have them all


@click.command("prove")
@click.option("--root", type=PATH, help="A virtual environment, or the root of a mounted device.")
@click.option("--wheel", type=PATH, help="A wheel.")
@click.option("--trust", type=PATH, help="Whose signature counts: a .pem file or a folder.")
@click.option("--vault", type=PATH, help="A COPY of a device's state folder, to try to open it.")
@click.option("--report", "page", type=PATH, help="Write a page (HTML) for people.")
@shared(settings="", json=True)
def command(root: Path | None, wheel: Path | None, trust: Path | None, vault: Path | None, page: Path | None) -> Answer:
    """Show what a build can and cannot do, to a person who does not trust it.

    Reads files and imports none of them. Run YOUR OWN copy of this program against another party's device: a program
    that examines itself can say anything. Then it tries to open stored templates without their cards.

    \b
    Examples
      edge prove --wheel edge_verifier-0.1.0+device-py3-none-any.whl
      edge prove --root /mnt/door --trust builder.pem --report door.html
      edge prove --root /opt/edge/venv --vault copy-of-var-lib-edge
      edge prove                        a self-check: good against accidents, not against intent

    Exit code 0: nothing was found against it (remarks may be). 1: something was. 3: there is nothing to examine. 4: the
    examination failed its own test, and shows nothing.
    """
    from edge.errors import UsageError
    from edge.files import check_writable
    from edge.prove import prove

    if root is not None and wheel is not None:
        raise UsageError("--root and --wheel are two examinations", where="edge prove", remedy="run it twice")
    if page is not None:
        check_writable(page)
    with _progress() as tell:
        report = prove(root=root, wheel=wheel, trust=trust, vault=vault, tell=tell)
    if page is not None:
        _write(page, report)
    return Answer(report.as_json(), partial(_show, report, page), 4 if report.void else 0 if report.holds else 1)


def _write(page: Path, report: ProofReport) -> None:
    from edge.errors import InputError
    from edge.prove.page import page as render

    try:
        page.write_text(render(report), encoding="utf-8")
    except OSError as error:
        text = f"cannot be written: {(error.strerror or 'error').lower()}"
        raise InputError(text, where=str(page), remedy="name another file") from error


@contextmanager
def _progress() -> Iterator[Callable[[str], None]]:
    """A line on standard error that says what is being read; nothing where no terminal shows it."""
    import sys
    import time

    if quiet() or not sys.stderr.isatty():
        yield lambda _: None
        return
    from rich.console import Console
    from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

    columns = (SpinnerColumn(), TextColumn("{task.description}"), BarColumn(pulse_style="cyan"), TimeElapsedColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task, last = bar.add_task("reading", total=None), [0.0]

        def tell(text: str) -> None:
            if time.monotonic() - last[0] > 0.1:
                last[0] = time.monotonic()
                bar.update(task, description=(text or "trying to open templates")[:60])

        yield tell


def _show(report: ProofReport, page: Path | None) -> None:
    from edge.prove.page import headline, subject_line, summary

    if report.about.self_check:
        click.secho("SELF-CHECK: it examines itself. Use your own copy with --root or --wheel.\n", fg="yellow")
    click.echo(subject_line(report))
    click.echo(f"It says: profile {report.about.profile}, version {report.about.version}, {report.about.signed}\n")
    for check in report.checks:
        _check(check)
    if report.live is not None:
        click.echo(f"\nTried on {report.live.store}:")
        for trial in report.live.trials:
            _trial(trial)
        _findings(report.live.findings)
    click.echo("\nHow this is known")
    for by, text in report.established:
        click.echo(textwrap.fill(f"{by}: {text}", 100, initial_indent="  ", subsequent_indent="    "))
    click.echo("\nWhat this cannot see: " + "; ".join(name for name, _ in report.limits) + ".")
    for note in report.notes:
        click.echo(note)
    colour = "green" if report.holds else "red"
    click.echo("")
    click.secho(headline(report), fg=colour, bold=True)
    click.echo(f"{summary(report)} ({report.seconds:.1f} s)")
    if page is not None:
        click.echo(f"\nReport: {page}")


def _check(check: Question) -> None:
    mark = {
        "ok": click.style("ok  ", fg="green"),
        "warning": click.style("!   ", fg="yellow"),
        "violation": click.style("NO  ", fg="red", bold=True),
        "skipped": "-   ",
    }[check.mark]
    click.echo(f"{mark} {check.title}  ({check.skipped or check.examined})")
    _findings(check.findings)


def _findings(findings: tuple[Evidence, ...]) -> None:
    ordered = sorted(findings, key=lambda finding: finding.level.value != "violation")
    for finding in ordered[:_SHOWN]:
        sign = click.style("x", fg="red") if finding.level.value == "violation" else click.style("!", fg="yellow")
        click.echo(f"       {sign} {finding.where}: {finding.what}")
    if len(ordered) > _SHOWN:
        click.echo(f"         and {len(ordered) - _SHOWN} more: see --report or --json")


def _trial(trial: Trial) -> None:
    mark = click.style("ok  ", fg="green") if trial.holds else click.style("NO  ", fg="red", bold=True)
    click.echo(f"{mark} {trial.title}: {trial.opened:,} of {trial.records:,} opened, {trial.attempts:,} attempts")
