"""`edge erase`: delete everything kept here about a person, and say what was done and what may remain."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from edge.cli._common import LANGUAGE, PATH, Answer, operator_on, shared

if TYPE_CHECKING:
    from edge.settings import Settings


@click.command("erase")
@click.option("--token", metavar="FILE|-", help="The person's card: the file of its token, or - for standard input.")
@click.option("--serial", help="The serial printed on the card.")
@click.option("--subject", help="The name or number on the consent record: all their cards here; - for stdin.")
@click.option("--receipt", type=PATH, help="Write the receipt to a new file: .pdf, .html or .txt.")
@click.option("--lang", type=LANGUAGE, help="Language of the receipt (default: the consent's).")
@shared(operator=True, json=True)
def command(
    token: str | None,
    serial: str | None,
    subject: str | None,
    receipt: Path | None,
    lang: str | None,
    settings: Settings,
    operator: str,
) -> Answer:
    """Erase a person: the sealed template, the consent receipt, the hash of their name, the counters of their card.

    The card's serial stays, refused, until the card would have expired; the journal keeps its entries until their time
    has come. The receipt says what was done, each point because it was looked up - what was deleted is searched for in
    the bytes of the database - and what may remain, and where. Give it to the person, in their language.

    \b
    Examples
      edge erase --token ada.token --operator kim --receipt ada-erased.html
      edge erase --serial 5f2c-09aa-41d7-7b30-88e1-4c55-d0f2-9b6e --operator kim
      echo "Ada Example" | edge erase --subject - --operator kim --lang fr     (a name in no list of processes)
    """
    from edge.cli.verify import read_line, read_token
    from edge.errors import UsageError
    from edge.messages import language_of
    from edge.papers.files import check_new, write_new
    from edge.papers.paper import PAPER_KINDS, as_text
    from edge.papers.report import receipt as receipt_of

    if sum(given is not None for given in (token, serial, subject)) != 1:
        raise UsageError("name the person in one way", where="erase", remedy="--token, --serial or --subject")
    subject = read_line(subject) if subject is not None else None
    folder = settings.device.state_dir
    make = check_new(receipt, PAPER_KINDS, state_dir=folder) if receipt is not None else None
    text = read_token(token) if token is not None else None
    with operator_on(settings, operator) as acts:
        answer = acts.do("erase", token=text, serial=serial, subject=subject)
    papers = [receipt_of(each, lang or language_of(each["language"])) for each in answer["erased"]]
    if receipt is not None and make is not None:
        write_new(receipt, make(papers), state_dir=folder)
    return Answer(answer | {"receipt": str(receipt) if receipt else None}, as_text(papers).removesuffix("\n"))
