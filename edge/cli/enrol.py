"""`edge enrol`: capture a person who consents, seal the template, hand out the card."""

from __future__ import annotations

import json
import signal
import sys
import textwrap
import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from edge.cli._common import LANGUAGE, PATH, operator_on, quiet, shared
from edge.cli._signer import PASSPHRASE

if TYPE_CHECKING:
    from edge.cli._common import Acts
    from edge.settings import Settings
    from edge.types import Frame
    from edge.types.events import Event
    from edge.vault import ConsentReceipt, Issued


@click.command("enrol")
@click.option(
    "--image", "images", type=PATH, multiple=True, help="Pictures in place of a camera (development); repeat it."
)
@click.option("--consent", type=PATH, help="The consent record (YAML or JSON); without it the person is asked.")
@click.option("--lang", type=LANGUAGE, default="en", help="Language of the person who is asked (default en).")
@click.option("--operator", help="Who enrols; asked for when missing.")
@click.option("--issuer", type=PATH, help="The issuer key (default: issuer.key in the state folder).")
@PASSPHRASE
@click.option("--group", "groups", multiple=True, help="Door group the card opens; repeat it (default: this door's).")
@click.option("--credential", type=click.IntRange(0, 2**64 - 1), default=0, help="Number handed to an access panel.")
@click.option("--days", type=click.IntRange(1, 3650), help="Validity in days (default: vault.days).")
@click.option("--card", type=PATH, help="Write the card to a new file (0600): .png, .pdf or .token. It IS the card.")
@click.option("--print-name", metavar="TEXT", help="A name or number printed on the card, only if the person wants it.")
@click.option("--opt-out", is_flag=True, help="A card without a face: no camera, no template; the other way in.")
@click.option("--renew", metavar="FILE|-", help="The old token: replace its template after it was verified.")
@click.option("--reissue", metavar="FILE|-", help="The old token: hand out a new card for the same template.")
@click.option("--add-reference", metavar="FILE|-", help="The token: one more reference beside those in its template.")
@click.option("--set-pin", metavar="FILE|-", help="A token: set its PIN at this door (claim.pin), and nothing else.")
@click.option(
    "--draw-pin", metavar="FILE|-", help="A token: put it under a new PIN (claim.pin: alone; weaker than it)."
)
@click.option("--pin", "pin_file", type=PATH, help="File with the PIN, for a door that asks for one; else it is typed.")
@click.option(
    "--override", is_flag=True, help="With --renew: skip the verification, on the operator's word (journalled)."
)
@shared(json="Print one JSON object; the token is in it unless --card is given.")
def command(
    settings: Settings,
    images: tuple[Path, ...],
    consent: Path | None,
    lang: str,
    operator: str | None,
    issuer: Path | None,
    passphrase_file: Path | None,
    card: Path | None,
    print_name: str | None,
    pin_file: Path | None,
    **given: Any,
) -> None:
    """Enrol one person: consent, capture, seal, hand out the card.

    The product keeps nothing of the card: whoever holds it can make the claim, and a lost one is revoked by its printed
    serial and enrolled again. Without --card the code is shown in the terminal, once. Nothing is kept of a card that
    could not be handed over. On a running door its own process captures and keeps; the key stays in this one.

    \b
    Examples
      edge enrol --operator kim --card ada.pdf
      edge enrol --image a.jpg --image b.jpg --consent ada.yaml --operator kim --card ada.png
      edge enrol --renew old.token --operator kim
      edge enrol --add-reference ada.token --operator kim   on another day, or with other spectacles
      edge enrol --opt-out --operator kim --card ben.pdf
      edge enrol --reissue old.token --operator kim --card ada-new.pdf
      edge enrol --set-pin ada.token --operator kim
    """
    from edge.cli.keys import open_issuer
    from edge.cli.verify import read_token
    from edge.messages import text

    act = _act(given)
    asks = _ASKS[act]
    _check_card(card, settings)
    name = operator or str(click.prompt("Operator", err=True))
    given["token"] = old = read_token(given[act]) if "token" in asks else None
    pin = "" if act == "opt_out" else _pin(settings, pin_file, needed=act not in _MAY_LACK_PIN)
    given["pictures"] = frames = _pictures(images)
    hints, stop = _Hints(quiet(), lang), threading.Event()
    with operator_on(settings, name, observe=hints.tell, cancelled=_stopped_by_signal(stop)) as acts:
        if act == "set_pin":
            done = acts.do("set_pin", token=old, pin=pin)
            click.echo(json.dumps(done) if quiet() else f"The PIN of the card {done['serial']} is set at this door.")
            return
        if act == "draw_pin":
            done = acts.do("draw_pin", token=old)
            said = f"The PIN {done['pin']} stands for the card {done['serial']} at this door; it is shown once."
            click.echo(json.dumps(done) if quiet() else said)
            return
        key = open_issuer(settings.device.state_dir, issuer, passphrase_file)
        delivery = _Delivery(settings, card, quiet(), print_name)
        if "consent" in asks:
            given["consent"] = _consent(settings, acts, consent, lang, needed=act == "enrol")
        if not frames and (act == "add_reference" or (act == "renew" and not given["override"])):
            click.echo(text("enrol.verify_first", lang), err=True)
        try:
            answer = acts.do(act, issuer=key, hand_over=delivery, **{ask: given[ask] for ask in asks})
        finally:
            hints.end()
        if pin:
            acts.do("set_pin", token=delivery.token or old, pin=pin)
    delivery.close(answer)


#: Act -> what it takes of the command line, beside the issuer's key and how the card is handed over.
_ASKS = {
    "enrol": ("consent", "pictures", "groups", "credential", "days"),
    "renew": ("consent", "pictures", "token", "override", "days"),
    "add_reference": ("pictures", "token"),
    "reissue": ("token", "groups", "days"),
    "opt_out": ("groups", "credential", "days"),
    "set_pin": ("token",),
    "draw_pin": ("token",),
}
#: Acts after which the card may have the PIN that it had before.
_MAY_LACK_PIN = ("renew", "add_reference", "draw_pin")


def _act(given: Mapping[str, Any]) -> str:
    """What is done, by the options that say so. Raises `UsageError`: two at once."""
    from edge.errors import UsageError

    wanted = [name for name in _ASKS if given.get(name)]
    if len(wanted) > 1:
        said = "--renew, --reissue, --add-reference, --set-pin, --draw-pin and --opt-out exclude each other"
        raise UsageError(said, where="enrol", remedy="use one of them")
    return wanted[0] if wanted else "enrol"


def _pin(settings: Settings, file: Path | None, *, needed: bool) -> str:
    """The PIN that a card gets at a door that asks for one; empty: none. Refused before the capture begins."""
    from edge.errors import InputError, UsageError
    from edge.state.pins import check

    if not settings.claim.asks_pin:
        if file is not None:
            raise UsageError("this door asks for no PIN", where="--pin", remedy="set claim.pin, or leave it out")
        return ""
    if file is None and not needed:
        return ""  # the card stays, and so does its PIN
    if file is not None:
        pin = file.read_text(encoding="ascii", errors="replace").strip()
    elif sys.stdin.isatty():
        pin = str(click.prompt("PIN", hide_input=True, confirmation_prompt=True, err=True))
    else:
        raise InputError(
            "this door asks for a PIN, and none was given", where="--pin", remedy="give it with --pin FILE"
        )
    check(pin)
    return pin


def _check_card(card: Path | None, settings: Settings) -> None:
    """A wrong --card is refused before the capture begins."""
    if card is not None:
        from edge.papers.card import CARD_KINDS
        from edge.papers.files import check_new

        check_new(card, CARD_KINDS, state_dir=settings.device.state_dir)


def _stopped_by_signal(stop: threading.Event) -> Callable[[], bool]:
    """SIGTERM and Ctrl-C end a capture cleanly; nothing is kept then."""
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    return stop.is_set


def _pictures(images: tuple[Path, ...]) -> tuple[Frame, ...]:
    if not images:
        return ()
    from edge.cli.verify import pictures_or_refuse

    pictures_or_refuse()
    from edge.cli._pictures import as_frame

    return tuple(as_frame(path, k) for k, path in enumerate(images))


def _consent(settings: Settings, acts: Acts, file: Path | None, lang: str, *, needed: bool) -> ConsentReceipt | None:
    from edge.errors import ConsentMissing
    from edge.messages import text
    from edge.vault import ConsentReceipt, zone_of

    zone = zone_of(settings.claim.schedule)
    if file is not None:
        return ConsentReceipt.read(file, zone)
    if not needed:
        return None
    if not sys.stdin.isatty():
        raise ConsentMissing(
            "no consent was given: there is no terminal to ask at, and no consent record",
            where="--consent",
            remedy="give a consent record with --consent FILE",
        )
    about = acts.do("about")
    click.echo(text("ask.opening", lang) + "\n", err=True)
    for name in (f"reference.{settings.vault.custody}", "use", "refuse", "withdraw"):
        said = text(f"ask.{name}", lang, dimension=about["dimension"], alternative=settings.alternative)
        click.echo(textwrap.indent(textwrap.fill(said, 76), "  "), err=True)
    if not _agrees(lang):
        raise ConsentMissing("the person did not agree", where="consent", remedy=settings.alternative or "")
    from datetime import UTC, datetime

    return ConsentReceipt.from_mapping(
        {
            "subject": click.prompt(text("ask.subject", lang), err=True),
            "text_version": "edge/consent/v1",
            "language": lang,
            "given": datetime.fromtimestamp(about["now"], UTC).isoformat(),
            "withdrawal": click.prompt(text("ask.withdrawal", lang), err=True),
        },
        zone=zone,
    )


def _agrees(lang: str) -> bool:
    """Whether the person says yes, in their language; whatever else is typed is a no."""
    from edge.messages import text

    yes, no = text("ask.yes", lang), text("ask.no", lang)
    answer = click.prompt(f"{text('ask.agree', lang)} [{yes}/{no.upper()}]", default=no, show_default=False, err=True)
    return str(answer).strip().casefold()[:1] in (yes, "y")


class _Hints:
    """One line that follows the person: how many good frames there are, and what to do."""

    def __init__(self, quiet: bool, language: str) -> None:
        self._quiet, self._language, self._last = quiet, language, ""

    def tell(self, event: Event) -> None:
        from edge.messages import text
        from edge.types.acts import EnrolmentProgress

        if self._quiet or not isinstance(event, EnrolmentProgress):
            return
        done = "#" * event.have + "." * (event.want - event.have)
        hint = f"advice.{event.advice[0].value}" if event.advice else "enrol.good"
        self._last = f"[{done}] {text(hint, self._language)}"
        at_terminal = sys.stderr.isatty()
        click.echo(f"\r\x1b[K{self._last}" if at_terminal else self._last, err=True, nl=not at_terminal)

    def end(self) -> None:
        if self._last and sys.stderr.isatty():
            click.echo("", err=True)


class _Delivery:
    """Hands the card over as a file, in the terminal, or in the JSON. Called before anything is kept of it."""

    def __init__(self, settings: Settings, card: Path | None, json_wanted: bool, name: str | None) -> None:
        self._settings, self._card, self._json, self._name = settings, card, json_wanted, name
        self.token: str | None = None
        self._consent: Mapping[str, Any] = {}

    def __call__(self, issued: Issued, consent: Mapping[str, Any]) -> Callable[[], None]:
        """Raises OSError, UnicodeError: it could not be handed over. Returns how to take it back."""
        from edge.vault import issued_json

        self.token, self._consent = issued.text, consent
        if self._card is not None:
            return self._write(self._card, issued, consent)
        if not self._json:
            from edge.papers.card import terminal

            _write_out(terminal(issued.text or ""), or_else="")
            _write_out(f"{issued.text}\n")
            return lambda: click.echo("edge: the code above is not valid: nothing was kept of it", err=True)
        # The answer itself is the card: it is written here, whole, and `close` has nothing more to say.
        early = {**issued_json(issued.card, consent), "card": None, "token": issued.text}
        _write_out(json.dumps(early) + "\n")
        return lambda: click.echo("edge: the card above is not valid: nothing was kept of it", err=True)

    def close(self, answer: Mapping[str, Any]) -> None:
        """Say what was done, after it was."""
        if self._json:
            if self.token is None or self._card is not None:
                click.echo(json.dumps({**answer, "card": str(self._card) if self._card else None}))
            return
        serial = answer["serial"]
        if self.token is None:
            click.echo(f"Done. The card {serial} stays as it is.")
        elif self._card is not None:
            click.echo(f"Enrolled. Serial {serial}")
            click.echo(
                f"{self._card}: this file IS the card. Give it to the person and delete it; nothing here keeps a copy."
            )
        else:
            click.echo(f"Enrolled. Serial {serial}. The code above IS the card; it is shown once.")
        kept = answer["consent"]
        if kept and (self._card is None or self._card.suffix.lower() != ".pdf"):  # a .pdf has the receipt on its page
            from edge.messages import text

            words = {"version": kept["text_version"], "language": kept["language"], "withdrawal": kept["withdrawal"]}
            click.echo(text("enrol.consent", kept["language"], **words))

    def _write(self, path: Path, issued: Issued, consent: Mapping[str, Any]) -> Callable[[], None]:
        from edge.papers.card import CARD_KINDS, CardConsent, CardText
        from edge.papers.files import check_new, write_new

        card, folder, other = issued.card, self._settings.device.state_dir, self._settings.alternative or ""
        # What is printed of the consent is what the vault will keep.
        kept = {name: value for name, value in consent.items() if name != "recorded"}
        text = CardText(
            issued.text or "",
            serial=card.serial_text,
            not_before=card.not_before,
            expires=card.expires,
            issued_by=self._settings.device.name,
            holder=self._name,
            custody=card.custody,
            consent=CardConsent(**kept, alternative=other) if kept else None,
            contact=other,
        )
        write_new(path, check_new(path, CARD_KINDS, state_dir=folder)(text), state_dir=folder)
        return lambda: path.unlink(missing_ok=True)


def _write_out(text: str, *, or_else: str | None = None) -> None:
    """Write to standard output and be sure that it left. Raises OSError, UnicodeError.

    Args:
        or_else: for a terminal that cannot show ``text``, such as a code in half blocks in Latin-1.
    """
    if or_else is not None:
        try:
            text.encode(sys.stdout.encoding or "ascii")
        except UnicodeError:
            text = or_else
    sys.stdout.write(text)
    sys.stdout.flush()
