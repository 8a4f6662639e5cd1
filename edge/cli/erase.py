"""`edge erase`: delete everything kept here about a person, and say what was done and what may remain."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from edge.service import Device


@click.command("erase")
@click.option("--token", metavar="FILE|-", help="The person's card: the file of its token, or - for standard input.")
@click.option("--serial", help="The serial printed on the card.")
@click.option("--subject", help="The name or number on the consent record: all cards of this person on this device.")
@click.option("--operator", required=True, help="Who erases; journalled by name.")
@click.option(
    "--receipt", type=click.Path(path_type=Path), help="Write the receipt to a new file: .html (print) or .txt."
)
@click.option("--lang", type=click.Choice(["en", "fr", "de"]), help="Language of the receipt (default: the consent's).")
@click.option("--config", type=click.Path(path_type=Path), help="Settings (default /etc/edge/device.yaml).")
@click.option("--json", "json_wanted", is_flag=True, help="One JSON object.")
def command(
    token: str | None,
    serial: str | None,
    subject: str | None,
    operator: str,
    receipt: Path | None,
    lang: str | None,
    config: Path | None,
    json_wanted: bool,
) -> int:
    """Erase a person: the sealed template, the consent receipt, the hash of their name, the counters of their card.

    The card's serial stays, refused, until the card would have expired; the journal keeps its entries until their time
    has come. The receipt says what was done, each point because it was looked up - what was deleted is searched for in
    the bytes of the database - and what may remain, and where. Give it to the person, in their language.

    \b
    Examples
      edge erase --token ada.token --operator kim --receipt ada-erased.html
      edge erase --serial 5f2c-09aa-41d7-7b30-88e1-4c55-d0f2-9b6e --operator kim
      edge erase --subject "Ada Example" --operator kim --lang fr
    """
    from edge.cli._people import check_paper, claim_of, write_paper
    from edge.errors import UsageError
    from edge.service import open_device
    from edge.service.rights import erase, language_of, receipt_document

    if sum(given is not None for given in (token, serial, subject)) != 1:
        raise UsageError("name the person in one way", where="erase", remedy="--token, --serial or --subject")
    with open_device(config) as device:
        check_paper(receipt, device.settings.device.state_dir)
        if token is not None:
            claim = claim_of(device, token)
            done = [erase(device, claim.serial, operator, custody=claim.custody)]
        else:
            done = [erase(device, number, operator) for number in _serials(device, serial, subject)]
    papers = [receipt_document(each, lang or language_of(each.erasure.language)) for each in done]
    if receipt is not None:
        write_paper(receipt, papers)
    if json_wanted:
        answer = {"schema": "edge/erasures/v1", "erased": [each.as_json() for each in done], "error": None}
        click.echo(json.dumps(answer | {"receipt": str(receipt) if receipt else None}))
    else:
        click.echo("\n".join(paper.as_text() for paper in papers), nl=False)
    return 0


def _serials(device: Device, serial: str | None, subject: str | None) -> list[bytes]:
    """The cards that are meant.

    Raises:
        InputError: nobody of this name has a card here.
    """
    from edge.errors import InputError
    from edge.vault import parse_serial

    if serial is not None:
        return [parse_serial(serial)]
    cards = [holder.serial for holder in device.vault.cards_of(subject or "")]
    if not cards:
        raise InputError(
            "no card of a person of this name is kept on this device",
            where="--subject",
            remedy="type it as on the consent record, or use the card's serial; erase where the person was enrolled",
        )
    return cards
