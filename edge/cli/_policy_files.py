"""What the commands of `edge policy` read and write: build files, packs, cards, days, signed files."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from collections.abc import Mapping

    from edge.build.buildfile import BuildFile
    from edge.policy.packs import Pack
    from edge.settings import DeviceSettings

PATH = click.Path(path_type=Path)
JSON = click.option("--json", "json_wanted", is_flag=True, help="Print exactly one JSON object.")
CONFIG = click.option("--config", type=PATH, help="Settings (default /etc/edge/device.yaml, else the example).")
ON = click.option("--on", metavar="DATE", help="Day of the evaluation, such as 2027-01-31 (default: today, UTC).")


def the_build(file: Path) -> BuildFile:
    from edge.build.buildfile import load_build
    from edge.errors import BuildRefused

    build, findings = load_build(file)
    if build is None:
        raise BuildRefused(tuple(str(finding) for finding in findings), where=str(file))
    return build


def the_packs() -> tuple[Pack, ...]:
    from edge import _resources
    from edge.build.running import shipped_packs

    return shipped_packs(_resources.path("config", "policy"))


def the_device(config: Path | None) -> DeviceSettings:
    from edge.settings import default_file, load_settings

    return load_settings(default_file() if config is None else config).device


def the_card(file: Path | None) -> Mapping[str, Any]:
    from edge import _resources
    from edge.errors import InputError
    from edge.settings.yaml_core import load

    path = file or _resources.path("models", "embedder.card.yaml")
    document, problems = load(path)
    if document is None:
        raise InputError(problems[0].what, where=str(path), remedy="name the card of an embedder")
    return document.data


def the_day(text: str | None) -> date:
    from edge.errors import UsageError
    from edge.policy.facts import as_date

    if text is None:
        return datetime.now(UTC).date()
    day = as_date(text)
    if day is None:
        raise UsageError(f"{text!r} is no day", where="command line", remedy="write it as 2027-01-31")
    return day


def the_text(file: Path) -> str:
    from edge.build.added_packs import MAX_BYTES
    from edge.errors import InputError

    try:
        with file.open("rb") as stream:
            data = stream.read(MAX_BYTES)
        return data.decode("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        what = getattr(error, "strerror", None) or "this is not UTF-8 text"
        raise InputError(f"cannot be read ({what})", where=str(file), remedy="name the right file") from None


def write_json(target: Path, envelope: Mapping[str, Any]) -> None:
    from edge.errors import InputError

    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(json.dumps(envelope, indent=1) + "\n", encoding="utf-8")
    except OSError as error:
        raise InputError(f"cannot be written ({error.strerror})", where=str(target), remedy="use --out") from None
