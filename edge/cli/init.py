"""`edge init`: ten questions, two files, and what is still missing."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import click


@click.command("init")
@click.argument("folder", type=click.Path(path_type=Path), default=".")
@click.option("--answers", type=click.Path(path_type=Path), help="A YAML file with the answers; nothing is asked then.")
def command(folder: Path, answers: Path | None) -> int:
    """Begin a device: asks ten questions and writes FOLDER/device.yaml and FOLDER/build.yaml, commented.

    Then it says what is still missing: what the rules of the place want declared, what is not attached to this machine,
    and what to do next. Files that are there are never overwritten.

    \b
    Examples
      edge init door
      edge init door --answers answers.yaml
    """
    from edge.errors import InputError
    from edge.files import write_atomic
    from edge.service.first import build_yaml, checked, device_yaml

    said = checked(_given(answers) if answers is not None else _asked())
    folder.mkdir(parents=True, exist_ok=True)
    device, build = folder / "device.yaml", folder / "build.yaml"
    for path in (device, build):
        if path.exists():
            raise InputError("it is there already", where=str(path), remedy="name another folder, or move it away")
    write_atomic(device, device_yaml(said).encode())
    write_atomic(build, build_yaml(said).encode())
    click.echo(f"{device}\n{build}\n")
    _missing(device, build)
    return 0


def _asked() -> dict[str, object]:
    from edge.errors import InputError
    from edge.service.first import QUESTIONS, answer

    given: dict[str, object] = {}
    for number, one in enumerate(QUESTIONS, 1):
        choices = f" [{', '.join(one.shown)}]" if one.choices else ""
        while one.name not in given:
            try:
                said = click.prompt(f"{number:>2}. {one.ask}{choices}", default=one.default or None)
                given[one.name] = answer(one, said)
            except InputError as error:
                click.echo(f"    {error}")
    return given


def _given(file: Path) -> Mapping[str, object]:
    from edge.errors import InputError
    from edge.service.first import QUESTIONS
    from edge.settings.yaml_core import load

    document, problems = load(file)
    if document is not None:
        other = [name for name, said in document.data.items() if not isinstance(said, str)]
        problems += [document.problem((name,), "this is not read as it is written", "text in quotes") for name in other]
        problems += document.cut_short(*((one.name,) for one in QUESTIONS))
    if document is None or problems:
        raise InputError("; ".join(map(str, problems)), where=str(file), remedy="write NAME: ANSWER")
    return document.data


def _missing(device: Path, build: Path) -> None:
    """What the rules want, what is not attached, and the next steps."""
    from edge.build.judge import judge, refusals
    from edge.cli._policy import the_build, the_card, the_day, the_packs
    from edge.service.doctor import look
    from edge.settings import load_settings

    settings = load_settings(device)
    built, _ = the_build(build)
    against = refusals(built, judge(built, the_packs(), the_day(None), card=the_card(None), reviews={}))
    if against:
        click.echo("Still missing in build.yaml, by the rules of the place (an engineering aid, not legal advice;")
        click.echo(f"`edge policy check {build}` names the rules and their sources):")
        for said in dict.fromkeys(finding.short for finding in against):
            click.echo(f"  - {said}")
    for line in look(settings):
        if line.remedy:
            click.echo(f"Not attached here: {line.kind} {line.what}: {line.remedy}")
    click.echo(
        "\nNext:\n"
        f"  edge config check {device}\n"
        f"  edge policy check {build}\n"
        "  edge keys recovery recovery.key recovery.pub    once a site, on a machine that stays offline\n"
        "  edge keys init --recovery recovery.pub --issuer    where people are enrolled; --development to try it out\n"
        f"  edge selftest --config {device}\n"
        f"  EDGE_BUILD_CONFIG={build} pip wheel .    then `edge build sign`: deploy/BUILDS.md\n"
        f"  sudo deploy/install --wheel WHEEL --settings {device}    (--kiosk: a screen): deploy/OPERATING.md"
    )
