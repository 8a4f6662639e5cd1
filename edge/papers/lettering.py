"""Text as outlines: Roboto Regular and Bold for Latin, Greek and Cyrillic, as polygons.

    shape = write("Valid until", x=5.0, y=20.0, size=2.4, ink=INK)        # millimetres, baseline at y
    width("Valid until", 2.4)                                              # millimetres

The PNG of a card looks the same on every machine and needs no fonts. A character that the outlines lack is refused: a
PDF, set with the machine's fonts, has any. `edge/papers/fonts` says where the outlines come from.
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
from edge.papers.drawing import Colour, Shape

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
