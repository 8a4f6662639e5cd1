"""`edge schema`: the published JSON Schemas of what the commands answer and a running device tells."""

from __future__ import annotations

import json
from pathlib import Path

import click

from edge.cli._common import table


@click.command("schema")
@click.argument("name", required=False)
def command(name: str | None) -> int:
    """Print the JSON Schema of an answer or an event; without NAME, list them all.

    Every object that --json prints names its schema. Within a version keys are only ever added, so a reader that
    passes over keys which it does not know goes on working.

    \b
    Examples
      edge schema
      edge schema decision
      edge schema edge/event/v1
    """
    from edge.errors import UsageError

    known = _schemas()
    if name is None:
        click.echo(
            "\n".join(table([(schema, json.loads(file.read_text())["title"]) for schema, file in known.items()]))
        )
        return 0
    wanted = name if name.startswith("edge/") else f"edge/{name}"
    found = [schema for schema in known if wanted in (schema, schema.rpartition("/")[0])]
    if not found:
        raise UsageError(f"there is no schema {name}", where="schema", remedy="`edge schema` lists them")
    click.echo(known[found[-1]].read_text(encoding="utf-8"), nl=False)
    return 0


def _schemas() -> dict[str, Path]:
    """Schema name -> its file."""
    from edge import _resources

    answers = sorted(_resources.path("config", "schemas").glob("*.json"))
    found = {f"edge/{'/'.join(file.stem.rsplit('-', 1))}": file for file in answers}
    return {**found, "edge/settings/v1": _resources.path("config", "device.schema.json")}
