"""How far a head has turned since a frontal start, by what only a head does: its nose moves over its face.

    turn = Parallax(card.align, crop)            # an aligned crop of the frontal start
    yaw, pitch = turn.follow(crop)               # the next frame's crop; degrees since the start

Points on a grid over the face are followed from crop to crop (pyramidal Lucas-Kanade). Whatever a flat or smoothly bent
sheet does to them - shift, turn, tilt, perspective, bending about any axis - is, to second order, a quadratic function
of the place, and is fitted and set aside. What is left at the nose, a bump of known shape, is parallax: it is there for
a solid head alone, and its two components say how far the head has turned to the side and up or down.

It is needed because the detector's five landmarks follow a turn to the side but not a nod: over rendered heads that nod
by 30 degrees their pitch moves by less than 3 (2026-11-30), as if they lay on a rigid mask.
"""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from edge.face.card import Align
from edge.types import F32, U8, Crop

#: The nose over the smooth rest of a face, in eye distances from the eyes' middle: widths across and down, and how far
#: down its peak is. Least squares over the twelve meshes of `edge.fictional`; the rest is within 0.08 eye distances.
_ACROSS, _DOWN, _PEAK = 0.30, 0.35, 0.65
#: Degrees for a shift of the nose by one eye distance: rendered heads of 5 to 28 degrees, to a side and up or down.
YAW, PITCH = 150.0, 130.0
#: The share of points that the fit uses; the rest (hair, background, a blink) lies off.
_KEPT = 0.8
_ROUNDS = 3
#: So many of the grid's points must still be followed.
_LEAST = 45


class Parallax:
    """The turn of one face since a start.

    Args:
        align: of the card that the crops are laid out for.
        crop: the face as it looks at the camera.
    """

    def __init__(self, align: Align, crop: Crop) -> None:
        left, right = np.asarray(align.template[0]), np.asarray(align.template[1])
        self._unit = float(np.linalg.norm(right - left))
        across, down = np.meshgrid(np.linspace(-0.8, 0.8, 9), np.linspace(-0.35, 1.25, 10))
        x, y = across.ravel(), down.ravel()
        nose = np.exp(-((x / _ACROSS) ** 2) / 2 - ((y - _PEAK) / _DOWN) ** 2 / 2)
        self._terms = np.stack([np.ones_like(x), x, y, x * x, x * y, y * y, nose], axis=1)
        start = np.stack([x, y], axis=1) * self._unit + (left + right) / 2
        self._start: F32 = start.astype(np.float32)
        self._points = self._start.copy()
        self._seen = np.ones(len(x), bool)
        self._grey = _grey(crop)

    def follow(self, crop: Crop) -> tuple[float, float] | None:
        """Yaw and pitch since the start, degrees; signs as in `edge.face.pose`. None once too few points are left.

        Args:
            crop: of the next frame, aligned as the first one.
        """
        grey = _grey(crop)
        points, found, _ = cv2.calcOpticalFlowPyrLK(
            self._grey, grey, self._points, self._points.copy(), winSize=(13, 13), maxLevel=2
        )
        self._grey, self._points = grey, np.asarray(points, np.float32)
        self._seen &= np.asarray(found).ravel() > 0
        if np.count_nonzero(self._seen) < _LEAST:
            return None
        shift = self._nose(((self._points - self._start) / self._unit).astype(np.float64))
        return YAW * shift[0], PITCH * shift[1]

    def _nose(self, moved: NDArray[np.float64]) -> tuple[float, float]:
        """The nose's own shift (x, y), eye distances: least squares, trimmed."""
        kept = self._seen
        fit: NDArray[Any] = np.zeros((self._terms.shape[1], 2))
        for _ in range(_ROUNDS):
            # Seven terms of about one size over 36 points and more: the normal equations are exact enough, in a tenth
            # of the time. So many of a grid of 9 x 10 fill four of its lines, and the terms stay independent.
            terms = self._terms[kept]
            fit = np.linalg.solve(terms.T @ terms, terms.T @ moved[kept])
            off = np.abs(self._terms @ fit - moved).sum(axis=1)
            most = int(_KEPT * (np.count_nonzero(self._seen) - 1))
            kept = self._seen & (off <= np.partition(off[self._seen], most)[most])
        return float(fit[-1, 0]), float(fit[-1, 1])


def _grey(crop: Crop) -> U8:
    return np.asarray(cv2.cvtColor(crop.image, cv2.COLOR_BGR2GRAY), np.uint8)  # of RGB: other weights, the same edges
