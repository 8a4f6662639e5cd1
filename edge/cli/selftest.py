"""`edge selftest`: is this device fit to decide?"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from edge.cli._common import PATH, Answer, quiet, shared

if TYPE_CHECKING:
    from edge.types import Frame


@click.command("selftest")
@click.option(
    "--level",
    type=click.Choice(["power-on", "periodic", "full"]),
    default="full",
    show_default=True,
    help="power-on: what runs before the first claim; periodic: what runs between claims; full: everything.",
)
@click.option("--sheet", type=PATH, help="Write a page (.html) for the installer's file, too.")
@click.option("--with-view", is_flag=True, help="Show in that page what the camera sees, with the faces covered.")
@shared(settings="file", json=True)
def command(level: str, sheet: Path | None, with_view: bool, config: Path | None) -> Answer:
    """Check this device: settings, build, models, keys, state, store, journal, policy, door, camera.

    Every check of the level runs, also when an earlier one fails. Exit code 0 when the device is fit to decide, 4 when
    it is not; a warning (`!`) does not make it unfit. Move in front of the camera while it is watched: a
    still picture fails.

    \b
    Examples
      edge selftest
      edge selftest --sheet front-door.html
      edge selftest --sheet front-door.html --with-view
    """
    from edge.errors import InputError
    from edge.selftest import Level, Result, run
    from edge.service import device_checks

    if with_view and (sheet is None or level == Level.PERIODIC):
        what = "the camera's view is a part of the page of a self-test that looks through the camera"
        raise InputError(what, where="--with-view", remedy="give --sheet FILE as well, and another --level")
    if sheet is not None:
        from edge.service.sheet import check_sheet

        check_sheet(sheet)

    def tell(result: Result) -> None:
        if quiet():
            return
        colour = {"ok": "green", "FAIL": "red", "!": "yellow"}[result.mark]
        mark = click.style(f"{result.mark:<4}", fg=colour, bold=not result.ok)
        click.echo(f"{mark} {result.name:<18} {result.what}  ({result.milliseconds:.0f} ms)")
        if result.remedy:
            click.echo(f"     {'':<18} {result.remedy}")

    views: list[Frame] = []
    with device_checks(config, view=views.append if with_view else None) as checks:
        report = run(checks, Level(level), tell=tell)
    if sheet is not None:
        from edge.service.sheet import write_sheet

        write_sheet(sheet, report, _name(config), views[-1] if views else None)
    warned = f", with {report.warnings} warning{'s' if report.warnings > 1 else ''}" if report.warnings else ""
    told = f"This device is {'fit' if report.fit else 'NOT fit'} to decide{warned}."
    return Answer(report.as_json(), told, 0 if report.fit else 4)


def _name(config: Path | None) -> str:
    """The device's name, as far as its settings can be read."""
    from edge.errors import SettingsError
    from edge.settings import load_settings

    try:
        return load_settings(config).device.name
    except SettingsError:
        return "a device without valid settings"
