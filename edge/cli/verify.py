"""`edge verify`: one claim, one decision."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from edge.cli._common import EXIT, LANGUAGE, PATH, Answer, decision_json, shared

if TYPE_CHECKING:
    from edge.settings import Settings

_LONGEST_LINE = 1024
_PICTURES = (b"\x89PNG", b"\xff\xd8\xff")


def read_token(token: str) -> str:
    """The text of a token from a file, from a picture of a card, or from standard input for ``-``.

    Raises:
        InputError: no such file, or it cannot hold a token. NotInThisBuild: a picture, on a device.
    """
    from edge.claim.token import MAX_READ
    from edge.errors import InputError

    if token == "-":
        # A person types one line; whatever else writes here may wrap the token over several.
        read = sys.stdin.buffer.readline if sys.stdin.isatty() else sys.stdin.buffer.read
        return _text(read(MAX_READ))
    path = Path(token)
    try:
        if path.is_dir():
            raise InputError("a directory, not a token", where=token, remedy="name the file that holds the token")
        with path.open("rb") as file:
            data = file.read(MAX_READ + 1)
    except OSError as error:
        raise InputError(f"cannot be read ({error.strerror})", where=token, remedy="name a readable file") from error
    if data.startswith(_PICTURES):
        pictures_or_refuse("--token")
        from edge.cli._pictures import token_of

        return token_of(path)
    if data.startswith(b"%PDF"):
        raise InputError(
            "a page is not read here",
            where=token,
            remedy="name the card's .png or .token, or show the page to a camera",
        )
    if len(data) > MAX_READ:
        raise InputError("too large for a token", where=token, remedy="name the file that holds the token's text")
    text = _text(data)
    if not text.isprintable() and "EV1:" not in text:
        raise InputError(
            "not the text of a token", where=token, remedy="name the file that holds it; it begins with EV1:"
        )
    return text


def read_line(given: str) -> str:
    """A name from the command line, or for ``-`` the first line of standard input, which no list of processes shows.

    Raises:
        InputError: standard input holds no UTF-8 line.
    """
    from edge.errors import InputError

    if given != "-":
        return given
    try:
        line = sys.stdin.buffer.readline(_LONGEST_LINE).decode("utf-8").strip()
    except UnicodeDecodeError:
        line = ""
    if not line:
        raise InputError("there is no name on standard input", where="-", remedy="write one line of UTF-8 text")
    return line


def _text(data: bytes) -> str:
    """The token in what was read, else the line as it is."""
    from edge.claim import find_token

    text = data.decode("latin-1")  # tokens are ASCII; whatever surrounds them, UTF-16 included, is taken off
    return find_token(text) or text.strip()


@click.command("verify")
@click.option(
    "--token", required=True, metavar="FILE|-", help="The token's text, a card.png (development), or - for stdin."
)
@click.option("--image", type=PATH, help="Decide from a picture (development builds only).")
@click.option("--lang", type=LANGUAGE, default="en", help="Language of the answer; that of --json has none.")
@shared(json=True)
def command(token: str, image: Path | None, lang: str, settings: Settings) -> Answer:
    """Decide about one claim from the configured source, once. The door is not touched; the journal is written.

    \b
    Exit codes
      0 accept     1 reject, or the claim was refused     2 no decision     3 bad input     4 internal or unfit

    \b
    Example
      edge verify --token ada.token --json
    """
    from edge.notify.lines import sentence
    from edge.service import Device

    text = read_token(token)
    if image is not None:
        pictures_or_refuse()
    with Device.open(settings, hold="edge verify") as device:
        if image is not None:
            from edge.cli._pictures import verify_picture

            decision = verify_picture(device, text, image)
        else:
            device.policy.need_claims()
            decision = device.verify(text)
    other = settings.alternative or ""
    return Answer(decision_json(decision, other), sentence(decision, other, lang), EXIT[decision.outcome.value])


def pictures_or_refuse(where: str = "--image") -> None:
    """Raises NotInThisBuild where pictures are not accepted."""
    from importlib.util import find_spec

    from edge.errors import NotInThisBuild
    from edge.profile import current

    if current().is_device or find_spec("edge.cli._pictures") is None:
        raise NotInThisBuild(
            "a device build reads its camera, never a picture file",
            where=where,
            remedy="use a development install (pip install -e .) on a desk, never on a door",
        )
