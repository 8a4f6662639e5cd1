"""`edge enrol`: capture a person who consents, seal the template, hand out the card."""

from __future__ import annotations

import json
import os
import signal
import sys
import threading
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from edge.papers.page import CardConsent
    from edge.service import Device
    from edge.session import Progress
    from edge.trust import IssuerKey
    from edge.types import I8
    from edge.vault import ConsentReceipt, Issued

_PATH = click.Path(path_type=Path)
_CONSENT_TEXT = """\
Before the camera looks, please read this together with the person.

  A reference of your face - {dimension} numbers, no picture - is made and locked. It is kept {where}.
  It is used for one thing: to check, when you present your card, that it is you. Nobody can be searched for with it.
  You may refuse, and use the other way in: {alternative}
  You may withdraw at any time; then the reference is destroyed and the card is refused.
"""


@dataclass(frozen=True, slots=True)
class _Wish:
    """What the command line asked for."""

    groups: tuple[str, ...]
    credential: int
    days: int | None
    operator: str
    renew: str | None


@click.command("enrol")
@click.option("--config", type=_PATH, help="Settings (default /etc/edge/device.yaml).")
@click.option(
    "--image", "images", type=_PATH, multiple=True, help="Enrol from pictures (development builds); repeat it."
)
@click.option(
    "--consent", type=_PATH, help="The consent record (YAML or JSON); without it the text is shown and asked."
)
@click.option("--operator", help="Who enrols; asked for when missing.")
@click.option("--issuer", type=_PATH, help="The issuer key (default: issuer.key in the state folder).")
@click.option(
    "--passphrase-file", type=click.Path(path_type=Path, allow_dash=True), help="The issuer key's passphrase."
)
@click.option("--group", "groups", multiple=True, help="Door group the card opens; repeat it (default: this door's).")
@click.option("--credential", type=click.IntRange(0, 2**64 - 1), default=0, help="Number handed to an access panel.")
@click.option("--days", type=click.IntRange(1, 3650), help="Validity in days (default: vault.days).")
@click.option("--card", type=_PATH, help="Write the card to a new file (0600): .png, .pdf or .token. It IS the card.")
@click.option("--renew", metavar="FILE|-", help="The old token: replace its template after it was verified.")
@click.option(
    "--override", is_flag=True, help="With --renew: skip the verification, on the operator's word (journalled)."
)
@click.option("--json", "json_wanted", is_flag=True, help="One JSON object; the token is in it unless --card is given.")
def command(
    config: Path | None,
    images: tuple[Path, ...],
    consent: Path | None,
    operator: str | None,
    issuer: Path | None,
    passphrase_file: Path | None,
    groups: tuple[str, ...],
    credential: int,
    days: int | None,
    card: Path | None,
    renew: str | None,
    override: bool,
    json_wanted: bool,
) -> int:
    """Enrol one person: consent, capture, seal, hand out the card.

    The product keeps nothing of the card: whoever holds it can make the claim, and a lost one is revoked by its printed
    serial and enrolled again. Without --card the code is shown in the terminal, once.

    \b
    Examples
      edge enrol --operator kim --card ada.pdf
      edge enrol --image a.jpg --image b.jpg --consent ada.yaml --operator kim --card ada.png
    """
    from edge.cli.keys import open_issuer
    from edge.cli.verify import read_token
    from edge.service import open_device
    from edge.settings.checks import need_alternative

    _check_card(card, config)
    name = operator or str(click.prompt("Operator", err=True))
    old = read_token(renew) if renew else None
    with open_device(config) as device:
        need_alternative(device.settings.alternative)  # consent without another way in is none
        key = open_issuer(device.settings.device.state_dir, issuer, passphrase_file)
        receipt = _consent(device, consent, needed=old is None)
        if old is not None and not override:
            _verify_first(device, old)
        vector = _capture(device, images, quiet=json_wanted)
        wish = _Wish(groups or (device.settings.claim.group,), credential, days, name, old)
        issued = _issue(device, vector, receipt, key, wish)
        if old is None:
            device.ledger.enrolled(issued, name, issuer=key.key_id)
        else:
            replaces = device.admission.receive(old, 0).serial
            device.ledger.renewed(issued, name, replaces=replaces, override=override)
        _hand_out(device, issued, card, json_wanted)
    return 0


def _check_card(card: Path | None, config: Path | None) -> None:
    """A wrong --card is refused before anybody stands in front of the camera."""
    if card is not None:
        from edge.papers.card import check_card_path
        from edge.settings import load_settings

        check_card_path(card, state_dir=load_settings(config).device.state_dir)


def _consent(device: Device, file: Path | None, *, needed: bool) -> ConsentReceipt | None:
    from edge.errors import ConsentMissing
    from edge.vault import ConsentReceipt

    if file is not None:
        return ConsentReceipt.read(file)
    if not needed:
        return None
    if not sys.stdin.isatty():
        raise ConsentMissing(
            "nobody was asked: there is no terminal and no consent record",
            where="--consent",
            remedy="give a consent record with --consent FILE",
        )
    where = (
        "on your own card" if device.settings.vault.custody == "card" else "on this device, useless without your card"
    )
    click.echo(
        _CONSENT_TEXT.format(dimension=device.chain.dimension, where=where, alternative=device.settings.alternative),
        err=True,
    )
    if not click.confirm("Does the person agree?", err=True):
        raise ConsentMissing("the person did not agree", where="consent", remedy=device.settings.alternative or "")
    from datetime import UTC, datetime

    now = datetime.fromtimestamp(device.clock.now().utc_s, UTC)
    return ConsentReceipt.from_mapping(
        {
            "subject": click.prompt("Who agrees (name or number)", err=True),
            "text_version": "edge/consent/v1",
            "language": "en",
            "given": now.isoformat(),
            "withdrawal": click.prompt("How they withdraw (address, phone, place)", err=True),
        }
    )


def _verify_first(device: Device, token: str) -> None:
    """A renewal follows an accepted verification of the old card."""
    from edge.cli._answer import REASONS
    from edge.errors import ClaimError
    from edge.types import Outcome, Reason

    click.echo("First the old card is verified: please look at the camera.", err=True)
    decision = device.decide_once(token)
    if decision.outcome is not Outcome.ACCEPT:
        again = "try again"
        if decision.reason is Reason.MODEL_MISMATCH:
            again = "name the embedder that made it in face.previous_embedder"
        raise ClaimError(
            f"the old card was not verified: {REASONS[decision.reason.value]}",
            where="--renew",
            remedy=f"{again}, or let an operator take the responsibility with --override",
        )


def _capture(device: Device, images: tuple[Path, ...], *, quiet: bool) -> I8:
    if images:
        from edge.cli.verify import pictures_or_refuse

        pictures_or_refuse()
        from edge.cli._pictures import as_frame

        frames = [as_frame(path, k) for k, path in enumerate(images)]
        return device.enrolment().from_pictures(frames)
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    hints = _Hints(quiet)
    try:
        with device.stream() as stream:
            return device.enrolment().from_stream(stream, tell=hints.tell, cancelled=stop.is_set)
    finally:
        hints.end()


class _Hints:
    """One line that follows the person: how many good frames there are, and what to do."""

    def __init__(self, quiet: bool) -> None:
        self._quiet, self._last = quiet, ""

    def tell(self, progress: Progress) -> None:
        from edge.cli._answer import ADVICE

        done = "#" * progress.have + "." * (progress.want - progress.have)
        hint = ADVICE[progress.advice[0].value] if progress.advice else "good, keep looking here"
        line = f"[{done}] {hint}"
        if not self._quiet and line != self._last:
            click.echo(f"\r\x1b[K{line}" if sys.stderr.isatty() else line, err=True, nl=not sys.stderr.isatty())
        self._last = line

    def end(self) -> None:
        if not self._quiet and self._last and sys.stderr.isatty():
            click.echo("", err=True)


def _issue(device: Device, vector: I8, receipt: ConsentReceipt | None, key: IssuerKey, wish: _Wish) -> Issued:
    from edge.errors import ConsentMissing
    from edge.types import Custody

    now = device.clock.now().utc_s
    model = bytes.fromhex(device.chain.model)
    if wish.renew is not None:
        claim = device.admission.receive(wish.renew, 0)
        expires = now + wish.days * 86400 if wish.days else None
        return device.vault.renew(
            claim,
            vector,
            model_digest=model,
            operator=wish.operator,
            issuer=key,
            random_bytes=os.urandom,
            now_s=now,
            consent=receipt,
            expires=expires,
        )
    if receipt is None:
        raise ConsentMissing("no consent record", where="--consent", remedy="give one with --consent FILE")
    return device.vault.enrol(
        vector,
        model_digest=model,
        consent=receipt,
        operator=wish.operator,
        groups=wish.groups,
        credential=wish.credential,
        issuer=key,
        not_before=now,
        expires=now + (wish.days or device.settings.vault.days) * 86400,
        custody=Custody(device.settings.vault.custody),
        random_bytes=os.urandom,
        now_s=now,
    )


def _consent_of(device: Device, issued: Issued) -> CardConsent | None:
    """The consent receipt as the vault keeps it, for the person's paper: what is printed is what is kept."""
    from edge.papers.page import CardConsent

    holder = device.vault.store.holder(issued.serial)
    kept = holder.consent if holder is not None else {}
    if not kept:
        return None
    return CardConsent(
        given=kept["given"],
        text_version=kept["text_version"],
        language=kept["language"],
        withdrawal=kept["withdrawal"],
        operator=kept["operator"],
        alternative=device.settings.alternative or "",
        until=kept.get("until"),
    )


def _hand_out(device: Device, issued: Issued, card: Path | None, json_wanted: bool) -> None:
    """The card leaves: as a file, in the terminal, or in the JSON. Nothing of it stays."""
    from edge.papers.card import CardText, check_card_path, terminal, write_card

    answer = {
        "schema": "edge/enrolment/v1",
        "serial": issued.serial_text,
        "custody": issued.custody.value,
        "credential": issued.credential,
        "groups": list(issued.groups),
        "not_before": issued.not_before,
        "expires": issued.expires,
        "consent": holder.consent if (holder := device.vault.store.holder(issued.serial)) else None,
        "card": str(card) if card else None,
        "error": None,
    }
    if issued.token is None:
        if not json_wanted:
            click.echo(f"Renewed. The card {issued.serial_text} stays as it is.")
    elif card is not None:
        text = CardText(
            issued.token,
            serial=issued.serial_text,
            not_before=issued.not_before,
            expires=issued.expires,
            issued_by=device.settings.device.name,
            custody=issued.custody,
            consent=_consent_of(device, issued),
        )
        state_dir = device.settings.device.state_dir
        write_card(card, check_card_path(card, state_dir=state_dir)(text), state_dir=state_dir)
        if not json_wanted:
            click.echo(f"Enrolled. Serial {issued.serial_text}")
            click.echo(
                f"{card}: this file IS the card. Give it to the person and delete it; nothing here keeps a copy."
            )
    elif json_wanted:
        answer["token"] = issued.token
    else:
        click.echo(terminal(issued.token))
        click.echo(issued.token)
        click.echo(f"Enrolled. Serial {issued.serial_text}. The code above IS the card; it is shown once.")
    if json_wanted:
        click.echo(json.dumps(answer))
    elif card is None or card.suffix.lower() != ".pdf":  # the page of a .pdf has the whole receipt on it
        kept = _consent_of(device, issued)
        if kept is not None:
            click.echo(f"Consent to text {kept.text_version} ({kept.language}); withdrawal: {kept.withdrawal}.")
