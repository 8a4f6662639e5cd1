"""`edge subject report`: show a person everything that is kept about them."""

from __future__ import annotations

import json
from pathlib import Path

import click


@click.group("subject")
def command() -> None:
    """What a person may ask: everything kept about them, in their language."""


@command.command("report")
@click.option("--token", required=True, metavar="FILE|-", help="The person's card: its token's file, or - for stdin.")
@click.option("--lang", type=click.Choice(["en", "fr", "de"]), help="Language (default: the consent's, else English).")
@click.option("--out", type=click.Path(path_type=Path), help="Write it to a new file: .html (to read, print) or .txt.")
@click.option("--config", type=click.Path(path_type=Path), help="Settings (default /etc/edge/device.yaml).")
@click.option("--json", "json_wanted", is_flag=True, help="One JSON object.")
def report(token: str, lang: str | None, out: Path | None, config: Path | None, json_wanted: bool) -> int:
    """Show what this device keeps about the holder of a card: card, consent, counters, journal, and when each goes.

    The card is enough, also an expired one; no operator is needed. The template's numbers are never shown: the report
    says what they are, how large, and where they lie. In card custody the device keeps no template, and says so.

    \b
    Examples
      edge subject report --token ada.token
      edge subject report --token ada.token --lang de --out ada.html
    """
    from edge.cli._people import check_paper, write_paper
    from edge.cli.verify import read_token
    from edge.service import open_device
    from edge.service.rights import about, claim_of, report_document

    with open_device(config) as device:
        check_paper(out, device.settings.device.state_dir)
        found = about(device, claim_of(device, read_token(token)))
    paper = report_document(found, lang or found.language)
    if out is not None:
        write_paper(out, [paper])
    if json_wanted:
        click.echo(json.dumps(found.as_json()))
    elif out is None:
        click.echo(paper.as_text(), nl=False)
    else:
        click.echo(f"{out}: for the person only; nothing here keeps a copy.")
    return 0
