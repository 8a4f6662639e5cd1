"""What stands on the page below a card, in its holder's language: use, meaning, content, consent, loss.

The consent receipt is printed with the card, so that the person has it in their hands: what they agreed to, when, in
which language, recorded by whom, and how they take it back.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

from edge.papers.drawing import Colour, Shape, rectangle
from edge.papers.lettering import wrapped, write
from edge.papers.words import words
from edge.types import Custody

_INK: Colour = (24, 28, 36)
_GREY: Colour = (105, 112, 124)
_BLUE: Colour = (23, 74, 124)
_WIDTH, _SIZE, _LEADING = 166.0, 3.5, 5.1


@dataclass(frozen=True, slots=True)
class CardConsent:
    """The consent receipt, as it is kept, for the person's own paper.

    Attributes:
        given, until: Unix seconds; ``until`` None: with the card. text_version, language, withdrawal: as on the consent
            record. operator: who recorded it. alternative: the way in without one's face.
    """

    given: int
    text_version: str
    language: str
    withdrawal: str
    operator: str
    alternative: str
    until: int | None = None


def below(
    *,
    serial: str,
    first: int,
    last: int,
    issued_by: str,
    custody: Custody,
    consent: CardConsent | None,
    left: float,
    top: float,
) -> list[Shape]:
    """The page's words.

    Args:
        serial: as printed. first, last: the card's dates, Unix seconds. left, top: where it begins, millimetres.
    """
    language = consent.language if consent is not None else "en"

    def say(name: str, /, **values: str) -> str:
        return words(name, language, **values)

    shapes: list[Shape] = []
    line = top
    for heading, bodies in _paragraphs(say, custody, issued_by, consent):
        shapes.append(write(heading, x=left, y=line, size=4.0, ink=_BLUE, bold=True))
        for text in (part for body in bodies for part in wrapped(body, _SIZE, _WIDTH)):
            line += _LEADING
            shapes.append(write(text, x=left, y=line, size=_SIZE, ink=_INK))
        line += 9.2
    valid = say("valid", first=_day(first), last=_day(last - 1))
    shapes.append(write(serial, x=left, y=line - 1.8, size=4.6, ink=_INK, bold=True))
    shapes.append(write(valid, x=left, y=line + 4.0, size=_SIZE, ink=_GREY))
    shapes.append(rectangle(left, 276, 50, 0.25, _GREY))
    shapes.append(write(say("scale"), x=left, y=280, size=2.8, ink=_GREY))
    return shapes


def _paragraphs(
    say: Callable[..., str], custody: Custody, issued_by: str, consent: CardConsent | None
) -> Iterator[tuple[str, list[str]]]:
    yield say("use.heading"), [say("use")]
    yield say("key.heading"), [say("key")]
    yield say("content.heading"), [say(f"content.{custody.value}")]
    if consent is not None:
        yield say("consent.heading"), _agreed(say, consent)
    yield say("lost.heading"), [say("lost", issuer=issued_by)]


def _agreed(say: Callable[..., str], consent: CardConsent) -> list[str]:
    agreed = say(
        "consent",
        given=_day(consent.given),
        version=consent.text_version,
        language=consent.language,
        operator=consent.operator,
    )
    until = [] if consent.until is None else [say("consent.until", until=_day(consent.until))]
    withdraw = say("consent.withdraw", withdrawal=consent.withdrawal)
    return [agreed, *until, withdraw, say("consent.alternative", alternative=consent.alternative)]


def _day(seconds: int) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d")
