"""`edge subject report`: show a person everything that is kept about them."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from edge.cli._common import LANGUAGE, PATH, Answer, shared

if TYPE_CHECKING:
    from edge.settings import Settings


@click.group("subject")
def command() -> None:
    """What a person may ask: everything kept about them, in their language."""


@command.command("report")
@click.option("--token", required=True, metavar="FILE|-", help="The person's card: its token's file, or - for stdin.")
@click.option("--lang", type=LANGUAGE, help="Language (default: the consent's, else English).")
@click.option("--out", type=PATH, help="Write it to a new file: .pdf, .html or .txt.")
@shared(json=True)
def report(token: str, lang: str | None, out: Path | None, settings: Settings) -> Answer:
    """Show what this device keeps about the holder of a card: card, consent, counters, journal, and when each goes.

    The card is enough, also an expired one; no operator is needed. The template's numbers are never shown: the report
    says what they are, how large, and where they lie. In card custody the device keeps no template, and says so.

    \b
    Examples
      edge subject report --token ada.token
      edge subject report --token ada.token --lang de --out ada.html
    """
    from edge.cli.verify import read_token
    from edge.messages import language_of
    from edge.papers.files import check_new, write_new
    from edge.papers.paper import PAPER_KINDS, as_text
    from edge.papers.report import consent_of
    from edge.papers.report import report as report_of
    from edge.service import Device
    from edge.service.rights import about, claim_of

    with Device.open(settings) as device:
        folder = device.settings.device.state_dir
        make = check_new(out, PAPER_KINDS, state_dir=folder) if out is not None else None
        found = about(device, claim_of(device, read_token(token))).as_json()
    papers = [report_of(found, lang or language_of(consent_of(found).get("language", "")))]
    if out is not None and make is not None:
        write_new(out, make(papers), state_dir=folder)
    kept = f"{out}: for the person only; nothing here keeps a copy."
    return Answer(found, as_text(papers).removesuffix("\n") if out is None else kept)
