"""The card that a person takes away: on the terminal, as a picture, or on a page to print.

    draw = check_new(Path("ada.pdf"), CARD_KINDS, state_dir=state)     # before anybody stands in front of the camera
    text = CardText(token, serial=claim.serial_text, not_before=..., expires=..., issued_by="Meridian Works")
    write_new(Path("ada.pdf"), draw(text), state_dir=state)            # a new file, 0600

The card is of ID-1 size (ISO/IEC 7810: 85.6 x 54 mm) and its code as large as that permits, because a camera sees few
pixels of it: 45.6 mm in card custody (version 15, modules of 0.59 mm); ``tests/claim/test_card_in_view.py`` says where
it is read. No name is on it unless asked for: a finder should not learn whose card it is. The product keeps
nothing of a card.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from types import MappingProxyType
from typing import Any

import numpy as np
import zxingcpp
from numpy.typing import NDArray

from edge.messages import language_of, text
from edge.papers.files import Kinds
from edge.papers.lettering import MM_PER_INCH, Code, Drawing, Shape, fitted, png, rectangle, wrapped, write
from edge.papers.paper import Paper, PaperLine, PaperSection, Sentences, day
from edge.types import Custody

WIDTH, HEIGHT, DPI = 85.6, 54.0, 300
#: The code with its quiet zone is at most so large, millimetres: the card's height less what a cutter may miss.
_CODE_MM, _QUIET = 52.8, 4
_LEFT, _COLUMN = 5.6, 26.0
_INK, _GREY, _BLUE, _RED = (24, 28, 36), (105, 112, 124), (23, 74, 124), (160, 36, 28)
#: So much of a contact is legible on the card itself; the page has all of it.
_CONTACT = 60


@dataclass(frozen=True, slots=True)
class CardConsent:
    """The consent receipt, as it is kept, for the person's own paper.

    Attributes:
        given, until: Unix seconds; ``until`` None: with the card. text_version, language, withdrawal: as on the consent
            record. operator: who recorded it. alternative: the way in without one's face.
        zone: in which the dates are meant.
    """

    given: int
    text_version: str
    language: str
    withdrawal: str
    operator: str
    alternative: str
    until: int | None = None
    zone: str = "UTC"


@dataclass(frozen=True, slots=True)
class CardText:
    """What stands on a card.

    Attributes:
        token: the text of the code; it holds the card's secret.
        serial: as printed, eight groups of four (`Claim.serial_text`).
        not_before, expires: Unix seconds.
        issued_by: who hands the card out. contact: for questions, and for reporting its loss.
        holder: a name or number for the holder, only when they want it there.
        custody: where the template is; the page says so.
        consent: the consent receipt, printed below the card in its language; None for a card of no person (tests).
    """

    token: str = field(repr=False)
    serial: str
    not_before: int
    expires: int
    issued_by: str
    holder: str | None = None
    custody: Custody = Custody.CARD
    consent: CardConsent | None = None
    contact: str = ""

    @property
    def language(self) -> str:
        """The language of its words."""
        return language_of(self.consent.language if self.consent is not None else "en")

    @property
    def until(self) -> str:
        """Its last day, UTC."""
        return datetime.fromtimestamp(self.expires - 1, UTC).strftime("%Y-%m-%d")

    @property
    def warning(self) -> tuple[str, ...]:
        """That it is a key, and where to report its loss."""
        contact = self.contact if len(self.contact) <= _CONTACT else self.contact[: _CONTACT - 1].rstrip() + "…"
        warning = text("printed.warning", self.language)
        return (warning, text("printed.contact", self.language, contact=contact)) if contact else (warning,)


def terminal(token: str) -> str:
    """The code in half blocks, black on white whatever the terminal's colours.

    Its quiet zone is one module wide, which readers accept, so that the usual card fits 80 columns (79; the largest
    has 83). Ends in a newline.
    """
    dark = np.pad(_matrix(token), 1)
    dark = np.pad(dark, ((0, len(dark) % 2), (0, 0)))
    blocks = {(True, True): "█", (True, False): "▀", (False, True): "▄", (False, False): " "}
    lines = (
        "".join(blocks[bool(a), bool(b)] for a, b in zip(dark[k], dark[k + 1], strict=True))
        for k in range(0, len(dark), 2)
    )
    return "".join(f"\x1b[38;5;16;48;5;231m{line}\x1b[0m\n" for line in lines)


def card_png(card: CardText) -> bytes:
    """The card as a PNG of its true size at 300 dpi.

    Raises:
        InputError: the built-in letters (Latin, Greek, Cyrillic) lack a character; a PDF has any.
    """
    return png(Drawing(WIDTH, HEIGHT, *_face(card)), DPI)


def card_pdf(card: CardText) -> bytes:
    """The card on an A4 page to cut it from, with what its holder should know. Raises as `typesetting.typeset`."""
    from edge.papers.paper import typeset

    return typeset({"papers": [page(card).as_data()], "card": face_data(card)})


def card_token(card: CardText) -> bytes:
    """The token's text in a line: for cards that are written another way, and for `edge verify --token`."""
    return card.token.encode("ascii") + b"\n"


CARD_KINDS: Kinds[CardText] = MappingProxyType({".png": card_png, ".pdf": card_pdf, ".token": card_token})
"""Suffix of a card's file -> what draws it; for `edge.papers.files`."""


def page(card: CardText) -> Paper:
    """What stands below a card on its page, in its holder's language: use, meaning, content, consent, loss."""
    language = card.language

    def section(name: str, *lines: str) -> PaperSection:
        return PaperSection(text(f"page.{name}.heading", language), tuple(Sentences(line) for line in lines))

    sections = [section(name, text(f"page.{name}", language)) for name in ("use", "key")]
    sections.append(section("content", text(f"page.content.{card.custody.value}", language)))
    if card.consent is not None:
        sections.append(section("consent", *_agreed(card.consent, language)))
    last = text("page.valid", language, first=day(card.not_before)[:10], last=card.until)
    lost = text("page.lost", language, issuer=card.issued_by, contact=card.contact)
    lines: tuple[PaperLine, ...] = (Sentences(lost), Sentences(f"{card.serial} – {last}"))
    sections.append(PaperSection(text("page.lost.heading", language), (*lines, Sentences(text("page.keep", language)))))
    return Paper(text("page.title", language), language, tuple(sections))


def _agreed(consent: CardConsent, language: str) -> Iterator[str]:
    yield text(
        "page.consent",
        language,
        given=day(consent.given, consent.zone),
        version=consent.text_version,
        language=consent.language,
        operator=consent.operator,
    )
    if consent.until is not None:
        yield text("page.consent.until", language, until=day(consent.until, consent.zone))
    yield text("page.consent.withdraw", language, withdrawal=consent.withdrawal)
    yield text("page.consent.alternative", language, alternative=consent.alternative)


def _code(token: str) -> Any:
    """The code: level M, and the smallest version that holds the text in the alphanumeric mode."""
    return zxingcpp.create_barcode(token, zxingcpp.BarcodeFormat.QRCode, ec_level="M")


def _matrix(token: str) -> NDArray[np.bool_]:
    """The code's modules, True where dark."""
    dark: NDArray[np.bool_] = np.array(_code(token).to_image(scale=1, add_quiet_zones=False)) == 0
    return dark


def _place(modules: int) -> tuple[float, float, float]:
    """Where the code stands on the card: left and top of its first module, and a module's side, millimetres."""
    pixels = int(_CODE_MM * DPI / MM_PER_INCH) // (modules + 2 * _QUIET)  # whole pixels: every module equally large
    module = pixels * MM_PER_INCH / DPI
    margin = (HEIGHT - module * (modules + 2 * _QUIET)) / 2 + _QUIET * module
    return WIDTH - margin - module * modules, margin, module


def face_data(card: CardText) -> dict[str, Any]:
    """The card's face for pages that set it with fonts of their own: the page's template, a kiosk's screen."""
    code, language = _code(card.token), card.language
    modules = len(_matrix(card.token))
    left, _, module = _place(modules)
    return {
        "issued_by": card.issued_by,
        "holder": card.holder,
        "until": card.until,
        "serial": card.serial,
        "warning": card.warning,
        "title": text("printed.title", language),
        "valid_until": text("printed.valid_until", language),
        "serial_label": text("printed.serial", language),
        "is_card": text("printed.is_card", language),
        "code": code.to_svg(scale=1, add_quiet_zones=False),
        "code_alt": text("printed.code", language),
        "code_at": left,
        "code_side": module * modules,
        "scale": text("page.scale", language),
    }


#: Languages whose letters a PNG has; a PDF, set with the machine's fonts, has any.
_DRAWN = ("en", "fr", "de", "es")


def _face(card: CardText) -> tuple[tuple[Shape, ...], Code]:
    """The face of a card as polygons, for the PNG."""
    if card.consent is not None and card.language not in _DRAWN:
        card = replace(card, consent=replace(card.consent, language="en"))
    dark, language = _matrix(card.token), card.language
    code = Code(dark, *_place(len(dark)))
    shapes = [rectangle(0, 0, 2.4, HEIGHT, _BLUE)]
    line = 8.2
    for part in wrapped(card.issued_by, 3.5, _COLUMN, bold=True)[:2] or [""]:
        shapes.append(_write(part, line, 3.5, _BLUE, bold=True))
        line += 4.3
    shapes.append(_write(text("printed.title", language), line + 0.2, 1.95, _GREY, spacing=0.12))
    if card.holder:
        shapes.append(_write(card.holder, 21.8, 3.3, _INK))
    shapes += [
        _write(text("printed.valid_until", language), 26.2, 1.6, _GREY, spacing=0.1),
        _write(card.until, 29.3, 2.7, _INK, bold=True),
        _write(text("printed.serial", language), 32.5, 1.6, _GREY, spacing=0.1),
        _write(card.serial[:19], 34.9, 2.15, _INK),
        _write(card.serial[20:], 37.3, 2.15, _INK),
        _write(text("printed.is_card", language), 41.1, 1.8, _RED, bold=True, spacing=0.04),
    ]
    words = [line for part in card.warning for line in wrapped(part, 1.62, _COLUMN)]
    shapes += [_write(part, 43.4 + 2.0 * number, 1.62, _INK) for number, part in enumerate(words)]
    return tuple(shapes), code


def _write(line: str, y: float, size: float, ink: tuple[int, int, int], *, bold: bool = False, **more: Any) -> Shape:
    """A line in the card's left column, smaller when it would not fit."""
    spacing = more.get("spacing", 0.0)
    return write(
        line,
        x=_LEFT,
        y=y,
        size=fitted(line, size, _COLUMN, bold=bold, spacing=spacing),
        ink=ink,
        bold=bold,
        spacing=spacing,
    )
