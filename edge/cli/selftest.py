"""`edge selftest`: is this device fit to decide?"""

from __future__ import annotations

import json
from pathlib import Path

import click


@click.command("selftest")
@click.option("--config", type=click.Path(path_type=Path), help="Settings (default /etc/edge/device.yaml).")
@click.option("--json", "json_wanted", is_flag=True, help="One JSON object instead of a table.")
def command(config: Path | None, json_wanted: bool) -> int:
    """Check this device: settings, models, clock, keys, sealing, journal, source.

    Every check runs, also when an earlier one fails. Exit code 0 when the device is fit to decide, 4 when it is not; a
    warning (`!`) does not make it unfit. Somebody must move in front of the camera while it is watched: a still picture
    fails.
    """
    from edge.selftest import Result, run
    from edge.service import device_checks

    def tell(result: Result) -> None:
        if json_wanted:
            return
        mark = click.style("ok  ", fg="green") if result.ok else click.style("FAIL", fg="red", bold=True)
        if not result.ok and not result.needed:
            mark = click.style("!   ", fg="yellow")
        click.echo(f"{mark} {result.name:<18} {result.what}  ({result.milliseconds:.0f} ms)")
        if result.remedy:
            click.echo(f"     {'':<18} {result.remedy}")

    with device_checks(config) as checks:
        report = run(checks, tell=tell)
    if json_wanted:
        click.echo(json.dumps(report.as_json()))
    else:
        click.echo("This device is fit to decide." if report.fit else "This device is NOT fit to decide.")
    return 0 if report.fit else 4
