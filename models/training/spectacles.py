"""Spectacles before a pair of eyes: rims of some shape and colour, clear or tinted lenses, a bridge and temples.

    put_on(view, eyes, rng)       # in place

People put them on and off between enrolment and door; the student must say of both what the teacher says of the bare
face. Those of a person who wears them in the crop are seen by both nets.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

U8 = NDArray[np.uint8]
F32 = NDArray[np.float32]
F64 = NDArray[np.float64]
#: Half a lens's width and height, and how far it hangs below the pupil, as shares of the distance between the eyes.
_WIDE, _HIGH, _DROP = (0.30, 0.44), (0.19, 0.36), (0.0, 0.1)
#: Share of pairs with tinted lenses, and of tinted ones that are dark.
_TINTED, _DARK = 0.35, 0.5
#: Bits of a pixel's fraction that OpenCV takes.
_BITS = 4


def put_on(view: U8, eyes: F32, rng: np.random.Generator) -> None:
    """Draw spectacles, in place.

    Args:
        view: BGR uint8 (S, S, 3).
        eyes: (2, 2), left and right, pixels; image left first.
        rng: says which.
    """
    across = (eyes[1] - eyes[0]).astype(np.float64)
    down, apart = np.array([-across[1], across[0]]), float(np.linalg.norm(across))
    wide, high, drop = rng.uniform(*_WIDE), rng.uniform(*_HIGH), rng.uniform(*_DROP)
    angle, corner = np.linspace(0, 2 * np.pi, 40, endpoint=False), 2 / rng.uniform(2, 5)
    # a superellipse: round at an exponent of 2, nearly a rectangle at 5
    x, y = (np.sign(f) * np.abs(f) ** corner for f in (np.cos(angle), np.sin(angle)))
    lenses = [_fixed(eye + np.outer(wide * x, across) + np.outer(high * y + drop, down)) for eye in eyes]
    if rng.random() < _TINTED:
        _tint(view, lenses, rng)
    top = drop - 0.3 * high
    ends = [[[wide, top], [1 - wide, top]]]  # the bridge; then the temples
    ends += [[[-wide, top], [-wide - 0.35, top - 0.05]], [[1 + wide, top], [1.35 + wide, top - 0.05]]]
    lines = [_fixed(eyes[0] + np.array(line) @ np.stack([across, down])) for line in ends]
    colour = (rng.uniform(0, 70, 3) if rng.random() < 0.6 else rng.uniform(0, 255, 3)).tolist()
    thick = max(1, round(apart * rng.uniform(0.015, 0.07)))
    cv2.polylines(view, lenses, True, colour, thick, cv2.LINE_AA, _BITS)
    cv2.polylines(view, lines, False, colour, thick, cv2.LINE_AA, _BITS)


def _tint(view: U8, lenses: list[NDArray[np.int32]], rng: np.random.Generator) -> None:
    dark = rng.random() < _DARK
    colour, share = rng.uniform(0, 50 if dark else 255, 3), rng.uniform(*(0.6, 0.97) if dark else (0.1, 0.4))
    glass = view.copy()
    for lens in lenses:
        cv2.fillPoly(glass, [lens], colour.tolist(), cv2.LINE_AA, _BITS)
    cv2.addWeighted(glass, share, view, 1 - share, 0.0, dst=view)


def _fixed(points: F64) -> NDArray[np.int32]:
    return np.round(points * 2**_BITS).astype(np.int32)
