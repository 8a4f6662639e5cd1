"""Text as outlines: Roboto Regular and Bold for Latin, Greek and Cyrillic, as polygons.

    shape = write("Valid until", x=5.0, y=20.0, size=2.4, ink=INK)        # millimetres, baseline at y
    width("Valid until", 2.4)                                              # millimetres

The PNG of a card looks the same on every machine and needs no fonts. A character that the outlines lack is refused: a
PDF, set with the machine's fonts, has any. `edge/papers/fonts` says where the outlines come from.

What a card is drawn of: filled polygons and one QR code, in millimetres from the top left; and its PNG.

A `Drawing` knows no file format; `png` puts it into pixels.
"""

from __future__ import annotations

import itertools
import unicodedata
from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray

from edge import _resources
from edge.errors import InputError
from edge.types import U8

Colour = tuple[int, int, int]  # RGB, 0..255
MM_PER_INCH = 25.4


@dataclass(frozen=True, slots=True)
class Shape:
    """Polygons filled together by the even-odd rule (a contour inside another is a hole).

    Attributes:
        contours: each float64 (n, 2), millimetres. ink: colour.
    """

    contours: tuple[F64, ...]
    ink: Colour


@dataclass(frozen=True, slots=True)
class Code:
    """A QR code: black modules on white.

    Attributes:
        dark: bool (n, n), True where a module is dark, without the quiet zone.
        x, y: top left corner of the first module, millimetres. module: side of a module, millimetres.
    """

    dark: NDArray[np.bool_]
    x: float
    y: float
    module: float


@dataclass(frozen=True, slots=True)
class Drawing:
    """A white area of ``width`` x ``height`` millimetres with shapes in order and a code on top."""

    width: float
    height: float
    shapes: tuple[Shape, ...]
    code: Code


def rectangle(x: float, y: float, width: float, height: float, ink: Colour) -> Shape:
    """A filled rectangle, millimetres."""
    return Shape((np.array([[x, y], [x + width, y], [x + width, y + height], [x, y + height]], np.float64),), ink)


def raster(drawing: Drawing, dpi: int, *, oversample: int = 4) -> U8:
    """The drawing in pixels: BGR uint8 (H, W, 3).

    Args:
        drawing: what to draw; its code is aligned to whole pixels so that every module is equally large.
        dpi: pixels an inch.
        oversample: each pixel is the mean of so many squared.
    """
    import cv2  # the operators' pages set cards without it

    scale = dpi / MM_PER_INCH
    height, width = round(drawing.height * scale), round(drawing.width * scale)
    canvas = np.full((height * oversample, width * oversample, 3), 255, np.uint8)
    for shape in drawing.shapes:
        # fillPoly takes fixed-point corners and paints its outline too: half a fine pixel, an eighth of a pixel
        corners = [np.round((contour * scale * oversample - 0.5) * 16).astype(np.int32) for contour in shape.contours]
        cv2.fillPoly(canvas, corners, shape.ink[::-1], shift=4)
    picture: U8 = np.asarray(cv2.resize(canvas, (width, height), interpolation=cv2.INTER_AREA), np.uint8)
    code, side = drawing.code, round(drawing.code.module * scale)
    left, top = round(code.x * scale), round(code.y * scale)
    modules = np.kron(~code.dark, np.ones((side, side), np.uint8)) * np.uint8(255)
    picture[top : top + len(modules), left : left + len(modules)] = modules[..., None]
    return picture


def png(drawing: Drawing, dpi: int) -> bytes:
    """A PNG file's content whose physical size is the drawing's."""
    import cv2  # the operators' pages set cards without it

    ok, data = cv2.imencode(".png", raster(drawing, dpi), [cv2.IMWRITE_PNG_COMPRESSION, 9])
    if not ok:
        raise RuntimeError("OpenCV could not write a PNG")
    return _with_density(data.tobytes(), dpi)


def _with_density(data: bytes, dpi: int) -> bytes:
    """Add the chunk ``pHYs`` after the header (PNG specification, 11.3.5.3): printing at 100 % gives the true size."""
    import struct
    import zlib

    per_metre = round(dpi / MM_PER_INCH * 1000)
    body = b"pHYs" + struct.pack(">IIB", per_metre, per_metre, 1)
    chunk = struct.pack(">I", 9) + body + struct.pack(">I", zlib.crc32(body))
    end_of_header = 8 + 25
    return data[:end_of_header] + chunk + data[end_of_header:]


F64 = NDArray[np.float64]
_EM = 2048.0


@dataclass(frozen=True, slots=True)
class _Face:
    """One weight: code point -> advance and contours, in 1/2048 em, y up."""

    glyphs: dict[int, tuple[float, tuple[F64, ...]]]

    def glyph(self, character: str) -> tuple[float, tuple[F64, ...]]:
        found = self.glyphs.get(ord(character))
        if found is None:
            name = unicodedata.name(character, "no name")
            raise InputError(
                f"the letters of a PNG card (Roboto) lack {character!r} (U+{ord(character):04X}, {name})",
                where="card",
                remedy="write the card as .pdf, which takes any script",
            )
        return found


@cache
def _face(bold: bool) -> _Face:
    weight = "bold" if bold else "regular"
    with np.load(_resources.path("fonts", "roboto.npz"), allow_pickle=False) as data:
        codes, advance, glyphs, contours, points = (
            data[f"{weight}_{part}"] for part in ("codes", "advance", "glyphs", "contours", "points")
        )
    outlines = [points[a:b].astype(np.float64) for a, b in itertools.pairwise(contours)]
    return _Face(
        {
            int(code): (float(step), tuple(outlines[first:last]))
            for code, step, first, last in zip(codes, advance, glyphs[:-1], glyphs[1:], strict=True)
        }
    )


def width(text: str, size: float, *, bold: bool = False, spacing: float = 0.0) -> float:
    """How wide a line is.

    Args:
        text: the line. size: em in millimetres. bold: the weight. spacing: added after each character, in em.

    Returns:
        Millimetres.
    """
    face = _face(bold)
    return sum(face.glyph(c)[0] / _EM + spacing for c in unicodedata.normalize("NFC", text)) * size


def write(
    text: str, *, x: float, y: float, size: float, ink: Colour, bold: bool = False, spacing: float = 0.0
) -> Shape:
    """One line of text.

    Args:
        text: the line; composed first, so that é is one glyph however it was typed.
        x, y: left end of the baseline, millimetres from the top left. size: em in millimetres.
        ink: colour. bold: the weight. spacing: added after each character, in em.
    """
    face, contours = _face(bold), []
    for character in unicodedata.normalize("NFC", text):
        advance, outlines = face.glyph(character)
        contours += [outline * (size / _EM, -size / _EM) + (x, y) for outline in outlines]
        x += (advance / _EM + spacing) * size
    return Shape(tuple(contours), ink)


def fitted(text: str, size: float, most: float, *, bold: bool = False, spacing: float = 0.0) -> float:
    """The size, at most ``size``, at which a line is at most ``most`` millimetres wide."""
    wide = width(text, size, bold=bold, spacing=spacing)
    return size if wide <= most else size * most / wide


def wrapped(text: str, size: float, most: float, *, bold: bool = False) -> list[str]:
    """The words of ``text`` on lines of at most ``most`` millimetres; a longer word has a line of its own."""
    lines: list[str] = []
    for word in text.split():
        longer = f"{lines[-1]} {word}" if lines else word
        if lines and width(longer, size, bold=bold) <= most:
            lines[-1] = longer
        else:
            lines.append(word)
    return lines
