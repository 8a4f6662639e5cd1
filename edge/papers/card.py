"""The card that a person takes away: on the terminal, as a picture, or on a page to print.

    draw = check_card_path(Path("ada.pdf"), state_dir=state)           # before anybody stands in front of the camera
    text = CardText(token, serial=claim.serial_text, not_before=..., expires=..., issued_by="Meridian Works")
    write_card(Path("ada.pdf"), draw(text), state_dir=state)           # a new file, 0600

The card is of ID-1 size (ISO/IEC 7810: 85.6 x 54 mm) and its code as large as that permits, because a camera sees few
pixels of it: 45.6 mm in card custody (version 15, modules of 0.59 mm); ``tests/claim/test_card_in_view.py`` says where
it is read. No name is on it unless asked for: whoever finds a card should not learn whose it is. The product keeps
nothing of a card.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from types import MappingProxyType

import numpy as np
import segno
from numpy.typing import NDArray

from edge.errors import InputError
from edge.papers.drawing import MM_PER_INCH, Code, Drawing, Shape, png, rectangle
from edge.papers.lettering import fitted, wrapped, write
from edge.papers.page import CardConsent, below
from edge.papers.pdf import pdf
from edge.types import Custody

WIDTH, HEIGHT, DPI = 85.6, 54.0, 300
#: The code with its quiet zone is at most so large, millimetres: the card's height less what a cutter may miss.
_CODE_MM, _QUIET = 52.8, 4
_LEFT, _COLUMN = 5.6, 26.0
_INK, _GREY, _BLUE, _RED = (24, 28, 36), (105, 112, 124), (23, 74, 124), (160, 36, 28)
_WARNING = "Whoever holds this code, or a picture of it, can claim to be you. Lost it? Have its serial revoked."


@dataclass(frozen=True, slots=True)
class CardText:
    """What stands on a card.

    Attributes:
        token: the text of the code; it holds the card's secret.
        serial: as printed, eight groups of four (`Claim.serial_text`).
        not_before, expires: Unix seconds.
        issued_by: who hands the card out.
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


def card_png(text: CardText) -> bytes:
    """The card as a PNG of its true size at 300 dpi."""
    return png(Drawing(WIDTH, HEIGHT, *_card(text)), DPI)


def card_pdf(text: CardText) -> bytes:
    """The card on an A4 page, with a line to cut along, what its holder should know, and the serial to keep apart."""
    left, top = 22.0, 24.0
    shapes, code = _card(text, left, top)
    words = below(
        serial=text.serial,
        first=text.not_before,
        last=text.expires,
        issued_by=text.issued_by,
        custody=text.custody,
        consent=text.consent,
        left=left,
        top=top + HEIGHT + 13,
    )
    page = (*_cut_line(left, top), *shapes, *words)
    return pdf(Drawing(210.0, 297.0, page, code), f"Card {text.serial[:9]}")


def card_text(text: CardText) -> bytes:
    """The token's text in a line: for whoever writes the card another way, and for `edge verify --token`."""
    return text.token.encode("ascii") + b"\n"


#: Suffix of a card's file -> what draws it.
KINDS: Mapping[str, Callable[[CardText], bytes]] = MappingProxyType(
    {".png": card_png, ".pdf": card_pdf, ".token": card_text}
)


def check_card_path(path: Path, *, state_dir: Path) -> Callable[[CardText], bytes]:
    """What draws the kind of card that ``path`` asks for, when it may be written at all; called before a capture.

    Raises:
        InputError: another suffix, a name that is taken, no such folder, or inside the state folder.
    """
    draw = KINDS.get(path.suffix.lower())
    if draw is None:
        raise InputError(
            "a card is a .png, a .pdf or a .token (the text alone)",
            where=str(path),
            remedy="give the file one of these suffixes",
        )
    try:
        folder = path.parent.resolve(strict=True)
        inside = folder.is_relative_to(state_dir.resolve())
        taken = os.path.lexists(path)
    except OSError:
        raise InputError("there is no such folder", where=str(path.parent), remedy="create it first") from None
    if not folder.is_dir():
        raise InputError("this is not a folder", where=str(path.parent), remedy="name a folder")
    if inside:
        raise InputError(
            "a card is never kept with the device's own state: card and device together open a template",
            where=str(path),
            remedy="choose a folder outside device.state_dir",
        )
    if taken:
        raise InputError("the file is already there, and a card never replaces one", where=str(path), remedy="rename")
    return draw


def write_card(path: Path, data: bytes, *, state_dir: Path) -> None:
    """Write a card to a new file of mode 0600.

    Args:
        path: see `check_card_path`. data: from what `check_card_path` gave. state_dir: the device's state folder.

    Raises:
        InputError: as `check_card_path`, or the file cannot be written; then nothing is left of it.
    """
    check_card_path(path, state_dir=state_dir)
    try:
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise InputError(f"the card cannot be written ({error.strerror})", where=str(path)) from None
    try:
        with os.fdopen(handle, "wb") as file:
            with contextlib.suppress(PermissionError):  # a stick formatted with FAT has no modes
                os.fchmod(file.fileno(), 0o600)
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
    except OSError as error:
        path.unlink(missing_ok=True)
        raise InputError(f"the card cannot be written ({error.strerror})", where=str(path)) from None


def _matrix(token: str) -> NDArray[np.bool_]:
    """The code's modules, True where dark. Always level M, and the smallest version that holds the text."""
    code = segno.make(token, error="m", boost_error=False, mode="alphanumeric", micro=False)
    dark: NDArray[np.bool_] = np.array([list(row) for row in code.matrix], np.bool_)
    return dark


def _card(text: CardText, x: float = 0.0, y: float = 0.0) -> tuple[tuple[Shape, ...], Code]:
    """The face of a card whose top left corner is at (x, y)."""
    dark = _matrix(text.token)
    pixels = int(_CODE_MM * DPI / MM_PER_INCH) // (len(dark) + 2 * _QUIET)  # whole pixels: every module equally large
    module = pixels * MM_PER_INCH / DPI
    room = module * (len(dark) + 2 * _QUIET)
    margin = (HEIGHT - room) / 2
    code = Code(dark, x + WIDTH - margin - room + _QUIET * module, y + margin + _QUIET * module, module)
    shapes = [rectangle(x, y, 2.4, HEIGHT, _BLUE)]
    left, line = x + _LEFT, y + 8.2
    title = wrapped(text.issued_by, 3.5, _COLUMN, bold=True)[:2] or [""]
    for part in title:
        shapes.append(write(part, x=left, y=line, size=fitted(part, 3.5, _COLUMN, bold=True), ink=_BLUE, bold=True))
        line += 4.3
    shapes.append(write("ACCESS CARD", x=left, y=line + 0.2, size=1.95, ink=_GREY, spacing=0.12))
    if text.holder:
        shapes.append(write(text.holder, x=left, y=y + 21.8, size=fitted(text.holder, 3.3, _COLUMN), ink=_INK))
    shapes += _fields(text, left, y + 26.6)
    for number, words in enumerate(wrapped(_WARNING, 1.72, _COLUMN)):
        shapes.append(write(words, x=left, y=y + 45.3 + 2.25 * number, size=1.72, ink=_INK))
    shapes.append(write("THIS IS THE CARD.", x=left, y=y + 42.9, size=1.8, ink=_RED, bold=True, spacing=0.04))
    return tuple(shapes), code


def _fields(text: CardText, left: float, line: float) -> list[Shape]:
    """Validity and serial, each under its label."""
    first, second = text.serial[:19], text.serial[20:]
    return [
        write("VALID UNTIL", x=left, y=line, size=1.6, ink=_GREY, spacing=0.1),
        write(_day(text.expires - 1), x=left, y=line + 3.1, size=2.7, ink=_INK, bold=True),
        write("SERIAL", x=left, y=line + 6.5, size=1.6, ink=_GREY, spacing=0.1),
        write(first, x=left, y=line + 8.9, size=fitted(first, 2.15, _COLUMN), ink=_INK),
        write(second, x=left, y=line + 11.3, size=fitted(second, 2.15, _COLUMN), ink=_INK),
    ]


def _cut_line(left: float, top: float) -> list[Shape]:
    """Thin grey dashes around the card."""
    shapes = []
    for k in np.arange(0, WIDTH, 2.0):
        long = min(1.0, WIDTH - k)
        shapes += [rectangle(left + k, y - 0.05, long, 0.1, _GREY) for y in (top, top + HEIGHT)]
    for k in np.arange(0, HEIGHT, 2.0):
        long = min(1.0, HEIGHT - k)
        shapes += [rectangle(x - 0.05, top + k, 0.1, long, _GREY) for x in (left, left + WIDTH)]
    return shapes


def _day(seconds: int) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d")
