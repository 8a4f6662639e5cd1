"""Make `edge/papers/fonts/roboto.npz` from two font files: outlines flattened to polygons, advance widths, no hinting.

    python tests/assets/make_lettering.py Roboto-Regular.ttf Roboto-Bold.ttf edge/papers/fonts/roboto.npz

Needs fonttools, which nothing else here needs. In the file, for each weight w in (regular, bold): ``w_codes`` uint16
(n,) Unicode code points in ascending order; ``w_advance`` uint16 (n,); ``w_glyphs`` uint16 (n + 1,) where each glyph's
contours begin; ``w_contours`` uint32 (m + 1,) where each contour's points begin; ``w_points`` int16 (k, 2). Units:
1/2048 em, y up.
"""

from __future__ import annotations

import sys

import numpy as np
from fontTools.pens.basePen import BasePen
from fontTools.ttLib import TTFont

RANGES = [(0x20, 0x7E), (0xA0, 0x17F), (0x218, 0x21B), (0x386, 0x3CE), (0x400, 0x45F), (0x490, 0x491), (0x1E80, 0x1E85)]
SINGLE = [0x2013, 0x2014, 0x2018, 0x2019, 0x201C, 0x201D, 0x201E, 0x2022, 0x2026, 0x20AC, 0x1E9E]
STEPS = 3


class Flat(BasePen):
    """Collects contours; a quadratic curve becomes `STEPS` lines."""

    def __init__(self, glyphs) -> None:
        super().__init__(glyphs)
        self.contours: list[list[tuple[float, float]]] = []

    def _moveTo(self, point) -> None:  # noqa: N802 (the base class names it)
        self.contours.append([point])

    def _lineTo(self, point) -> None:  # noqa: N802 (the base class names it)
        self.contours[-1].append(point)

    def _qCurveToOne(self, control, end) -> None:  # noqa: N802 (the base class names it)
        start = self._getCurrentPoint()
        for t in np.linspace(0, 1, STEPS + 1)[1:]:
            self.contours[-1].append(
                tuple(
                    (1 - t) ** 2 * s + 2 * t * (1 - t) * c + t * t * e
                    for s, c, e in zip(start, control, end, strict=True)
                )
            )

    def _closePath(self) -> None:  # noqa: N802 (the base class names it)
        if self.contours[-1][0] == self.contours[-1][-1]:
            self.contours[-1].pop()


def arrays(path: str, weight: str) -> dict[str, np.ndarray]:
    font = TTFont(path)
    assert font["head"].unitsPerEm == 2048
    names, glyphs = font.getBestCmap(), font.getGlyphSet()
    codes = [c for a, b in RANGES for c in range(a, b + 1) if c in names] + [c for c in SINGLE if c in names]
    codes = sorted(set(codes))
    advance, glyph_starts, contour_starts, points = [], [0], [0], []
    for code in codes:
        pen = Flat(glyphs)
        glyphs[names[code]].draw(pen)
        for contour in pen.contours:
            points += contour
            contour_starts.append(len(points))
        advance.append(glyphs[names[code]].width)
        glyph_starts.append(len(contour_starts) - 1)
    return {
        f"{weight}_codes": np.array(codes, np.uint16),
        f"{weight}_advance": np.array(advance, np.uint16),
        f"{weight}_glyphs": np.array(glyph_starts, np.uint16),
        f"{weight}_contours": np.array(contour_starts, np.uint32),
        f"{weight}_points": np.round(np.array(points)).astype(np.int16),
    }


if __name__ == "__main__":
    regular, bold, out = sys.argv[1:]
    np.savez_compressed(out, **arrays(regular, "regular"), **arrays(bold, "bold"))
