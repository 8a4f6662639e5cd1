"""The contact sheet: at most 50 worst pairs of the labelled set, as small pictures inside the report.

    tile = thumbnail(pictures.load(7), box)        # "data:image/jpeg;base64,..."

A person has to see why a pair was decided wrongly: a wrong label, a covered face, two people who look alike. The face
that was taken is framed.
"""

from __future__ import annotations

import base64
from collections.abc import Sequence

import cv2
import numpy as np

from edge.types import U8

SIDE = 112
_COLOUR = (178, 114, 0)


def thumbnail(image: U8, box: Sequence[float] | None) -> str:
    """A square part of the picture around the face, as a data URI.

    Args:
        image: BGR uint8 (H, W, 3).
        box: x, y, width, height of the face; None or nan: the whole picture.
    """
    high, wide = image.shape[:2]
    centre, half = (wide / 2, high / 2), max(high, wide) / 2
    framed = box is not None and bool(np.isfinite(box).all())
    if framed and box is not None:
        centre = (box[0] + box[2] / 2, box[1] + box[3] / 2)
        half = min(max(high, wide) / 2, 0.9 * max(box[2], box[3]))
    scale = SIDE / max(2 * half, 1.0)
    matrix = np.array([[scale, 0, SIDE / 2 - scale * centre[0]], [0, scale, SIDE / 2 - scale * centre[1]]])
    flags = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
    tile = cv2.warpAffine(image, matrix, (SIDE, SIDE), flags=flags, borderValue=(235, 235, 235))
    if framed and box is not None:
        x, y = (round(scale * (box[k] - centre[k]) + SIDE / 2) for k in (0, 1))
        cv2.rectangle(tile, (x, y), (x + round(scale * box[2]), y + round(scale * box[3])), _COLOUR, 1, cv2.LINE_AA)
    ok, data = cv2.imencode(".jpg", tile, [cv2.IMWRITE_JPEG_QUALITY, 80])
    return "data:image/jpeg;base64," + base64.b64encode(bytes(data) if ok else b"").decode()
