"""`edge config`: check the settings, show what is in force and from where, print the schema for editors.

    edge config check device.yaml      device.yaml:7:8: camera.fps: 200 is too large, allowed: a number from 1 to 60
    edge config show device.yaml       camera.fps   15.0   device.yaml:7

Exit codes: 0 the settings are valid, 3 they are not (one problem a line on stderr).
"""

from __future__ import annotations

import json
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from edge.cli._common import PATH, Answer, shared, table

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from edge.settings import Problem

BAD_SETTINGS = 3

_FILE = click.argument("file", type=PATH, required=False)


@click.group()
def command() -> None:
    """Check and show the settings.

    Without FILE: /etc/edge/device.yaml, else the example that comes with the product (never on a device build).
    """


@command.command()
@_FILE
@shared(settings="", json=True)
def check(file: Path | None) -> Answer:
    """Check FILE: every mistake at once, with line and column, and what is allowed but probably not meant."""
    from edge.settings import check, device_file, warnings

    file = device_file() if file is None else file
    settings, problems = check(file)
    advice = warnings(file) if settings is not None else ()
    answer = {"schema": "edge/config-check/v1", **_verdict(file, problems)}
    answer["warnings"] = [warning.as_json() for warning in advice]
    if problems:
        return Answer(answer, partial(_tell, problems), BAD_SETTINGS)

    def told() -> None:
        _tell(f"warning: {warning}" for warning in advice)
        count = f", {len(advice)} warning{'s' if len(advice) > 1 else ''}" if advice else ""
        click.echo(f"{file}: valid{count}")

    return Answer(answer, told)


@command.command()
@_FILE
@shared(settings="", json=True)
def show(file: Path | None) -> Answer:
    """Show the settings in force, and where each comes from."""
    from edge.settings import check, device_file, origins
    from edge.settings.loader import flat
    from edge.settings.problems import dotted

    file = device_file() if file is None else file
    settings, problems = check(file)
    answer = {"schema": "edge/config-show/v1", **_verdict(file, problems)}
    if settings is None:
        return Answer(answer, partial(_tell, problems), BAD_SETTINGS)
    values, sources = settings.model_dump(mode="json"), origins(file)
    rows = [
        (dotted(key), json.dumps(value, ensure_ascii=False), sources[dotted(key)])
        for key, value in flat(values).items()
    ]
    return Answer({**answer, "settings": values, "origins": sources}, table(rows))


@command.command()
def schema() -> None:
    """Print the JSON Schema of the settings, for editors."""
    from edge.settings.describe import json_schema_text

    click.echo(json_schema_text(), nl=False)


def _verdict(file: Path, problems: Sequence[Problem]) -> dict[str, Any]:
    error = None
    if problems:
        count = f"{len(problems)} problem{'s' if len(problems) > 1 else ''} in the settings"
        remedy = "fix the lines that `problems` names"
        error = {"kind": "SettingsError", "what": count, "where": str(file), "remedy": remedy}
    return {
        "file": str(file),
        "valid": not problems,
        "problems": [problem.as_json() for problem in problems],
        "error": error,
    }


def _tell(lines: Iterable[object]) -> None:
    for line in lines:
        click.echo(str(line), err=True)
