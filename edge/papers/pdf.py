"""A drawing as a PDF: one page, vectors only.

The file needs a page, a content stream of filled polygons, and nothing else; a few lines write it. A library would
bring fonts, images and more packages (fpdf2 pulls in Pillow and fontTools) onto a device for that.
"""

from __future__ import annotations

import zlib
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from edge.papers.drawing import MM_PER_INCH, Colour, Drawing, Shape

F64 = NDArray[np.float64]
_POINTS_PER_MM = 72 / MM_PER_INCH
_GRID = 200  # corners lie on a grid of 5 micrometres, so that the numbers in the file are short


def pdf(drawing: Drawing, title: str) -> bytes:
    """A PDF 1.4 file's content whose only page is the drawing.

    Args:
        drawing: what to draw. title: the document's title, ASCII.
    """
    code, unit = drawing.code, _POINTS_PER_MM / _GRID
    lines = [f"{unit:.8f} 0 0 {-unit:.8f} 0 {_points(drawing.height)} cm", *map(_fill, drawing.shapes)]
    side = code.module * _GRID
    lines.append(f"{side:.4f} 0 0 {side:.4f} {code.x * _GRID:.2f} {code.y * _GRID:.2f} cm")
    lines.append(f"0 g {_path(outlines(code.dark))} f*")
    content = zlib.compress("\n".join(lines).encode("ascii"), 9)
    name = title.encode("ascii", "replace").translate(None, b"()\\")
    return _file(
        [
            b"<< /Type /Catalog /Pages 2 0 R >>",
            b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
            f"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 {_points(drawing.width)} {_points(drawing.height)}] "
            "/Resources << >> /Contents 4 0 R >>".encode("ascii"),
            b"<< /Length %d /Filter /FlateDecode >>\nstream\n%b\nendstream" % (len(content), content),
            b"<< /Title (%b) /Producer (edge-verifier) >>" % name,
        ]
    )


def _file(objects: list[bytes]) -> bytes:
    """Objects 1..n, the cross-reference table and the trailer; the first object is the catalogue, the last the info."""
    out = bytearray(b"%PDF-1.4\n%\xe2\xe3\xcf\xd3\n")
    places = []
    for number, content in enumerate(objects, 1):
        places.append(len(out))
        out += b"%d 0 obj\n%b\nendobj\n" % (number, content)
    start, count = len(out), len(objects)
    out += b"xref\n0 %d\n0000000000 65535 f \n" % (count + 1)
    out += b"".join(b"%010d 00000 n \n" % place for place in places)
    out += b"trailer\n<< /Size %d /Root 1 0 R /Info %d 0 R >>\nstartxref\n%d\n%%%%EOF\n" % (count + 1, count, start)
    return bytes(out)


def outlines(dark: NDArray[np.bool_]) -> list[F64]:
    """The dark area of a code, bool (n, n), as closed polygons; corners in modules.

    Modules drawn one by one leave hairlines between them in viewers that smooth edges; an outline leaves none. Each
    dark module gives four directed sides; sides shared by two modules cancel, and the rest are chained into loops.
    """
    sides: dict[tuple[int, int], list[tuple[int, int]]] = {}
    padded = np.pad(dark, 1)
    corners = ((0, 0), (1, 0), (1, 1), (0, 1))
    for row, column in np.argwhere(dark):
        r, c = int(row), int(column)
        neighbours = (padded[r, c + 1], padded[r + 1, c + 2], padded[r + 2, c + 1], padded[r + 1, c])
        for k, neighbour in enumerate(neighbours):
            if not neighbour:
                (x, y), (to_x, to_y) = corners[k], corners[(k + 1) % 4]
                sides.setdefault((c + x, r + y), []).append((c + to_x, r + to_y))
    loops = []
    while sides:
        first = point = next(iter(sides))
        loop: list[tuple[int, int]] = []
        while not loop or point != first:
            loop.append(point)
            ends = sides[point]
            following = ends.pop()
            if not ends:
                del sides[point]
            point = following
        loops.append(_corners(np.array(loop, np.float64)))
    return loops


def _corners(loop: F64) -> F64:
    """A rectilinear loop without the points on its straight stretches."""
    before, after = loop - np.roll(loop, 1, axis=0), np.roll(loop, -1, axis=0) - loop
    bends: F64 = loop[(before != after).any(axis=1)]
    return bends


def _fill(shape: Shape) -> str:
    path = _path([np.round(contour * _GRID) for contour in shape.contours])
    return f"{_rgb(shape.ink)} rg {path} f*" if path else ""


def _path(contours: Sequence[F64]) -> str:
    """Closed polygons with whole-number corners, relative to the current unit."""
    return " ".join(
        " ".join(f"{x:.0f} {y:.0f} {'l' if k else 'm'}" for k, (x, y) in enumerate(contour)) + " h"
        for contour in contours
    )


def _rgb(ink: Colour) -> str:
    return " ".join(f"{value / 255:.3f}" for value in ink)


def _points(mm: float) -> str:
    return f"{mm * _POINTS_PER_MM:.3f}"
