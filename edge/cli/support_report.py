"""`edge support-report`: what a maintainer needs to help, safe to share."""

from __future__ import annotations

import time
from pathlib import Path

import click

from edge.cli._common import PATH, shared


@click.command("support-report")
@click.argument("file", type=PATH)
@shared(settings="file")
def command(file: Path, config: Path | None) -> None:
    """Write to the new FILE what a maintainer needs to help: versions, settings, self-test, last faults.

    No name, path, address, serial, key, picture or template is in it: settings that are text say `set` or `default`,
    and a fault is told by the line of this product that raised it. Neither camera nor door is opened, and a door that
    runs is not disturbed. It is JSON, for you to read before you send it.

    \b
    Example
      edge support-report door.support.json
    """
    from edge.service.support import write_report

    report = write_report(file, config, now_s=time.time())
    wrong = [check.needed for check in report.checks if not check.ok]
    failed, warned = wrong.count(True), wrong.count(False)
    checks, entries = len(report.checks), len(report.entries)
    click.echo(f"{file}: {checks} checks, {failed} failed, {warned} warned; {entries} entries of the journal")
    click.echo("It holds no names, paths, keys or pictures. Read it before you send it.")
