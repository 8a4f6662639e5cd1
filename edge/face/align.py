"""Lays a face into the crop that an embedder expects.

    matrix = similarity(face.landmarks, template)      # rotation, one scale, translation
    crop = aligner(image, face.landmarks)              # uint8 (H, W, 3), in the card's channel order

Template, size and channel order belong to the card. The transform is the least-squares similarity of Umeyama (1991),
which in the plane, without reflection, has a closed form in complex numbers: with both point sets centred,
``a = sum(conj(x) y) / sum(|x|^2)`` and the map is ``y = a x + b``.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import cast

import cv2
import numpy as np
from numpy.typing import NDArray

from edge.errors import InputError
from edge.face.card import Align
from edge.types import F32, U8

F64 = NDArray[np.float64]
#: Bilinear warping reads 2 x 2 pixels: beyond this many source pixels per crop pixel the source is halved first.
_MOST_AT_ONCE = 3.0


def similarity(points: F32, template: Sequence[tuple[float, float]]) -> tuple[float, float, float, float]:
    """The least-squares similarity that carries ``points`` onto ``template``.

    Args:
        points: float (n, 2), pixels of the frame.
        template: n points, pixels of the crop.

    Returns:
        (p, q, s, t): x' = p x - q y + s, y' = q x + p y + t.

    Raises:
        InputError: all points are the same, or not finite.
    """
    rows = points.tolist()
    n = len(rows)
    # plain floats: for five points every numpy call would cost more than all of this
    mx, my = sum([x for x, _ in rows]) / n, sum([y for _, y in rows]) / n
    mu, mv = sum([u for u, _ in template]) / n, sum([v for _, v in template]) / n
    real = imaginary = norm = 0.0
    for (x, y), (u, v) in zip(rows, template, strict=True):
        x, y = x - mx, y - my
        real += x * (u - mu) + y * (v - mv)
        imaginary += x * (v - mv) - y * (u - mu)
        norm += x * x + y * y
    if not norm > 1e-12 or not math.isfinite(norm):
        raise InputError("the landmarks of this face lie on one point", where="frame", remedy="")
    p, q = real / norm, imaginary / norm
    return p, q, mu - p * mx + q * my, mv - q * mx - p * my


class Aligner:
    """Makes crops for one card's ``align:`` part."""

    def __init__(self, align: Align) -> None:
        self.align = align
        self._rgb = align.channels == "RGB"

    def __call__(self, image: U8, landmarks: F32) -> U8:
        """Align one face.

        Args:
            image: BGR uint8 (H, W, 3).
            landmarks: float (5, 2), pixels of ``image``.

        Returns:
            uint8 (H, W, 3) as the card says; outside of the frame its border pixels are repeated, as in training.

        Raises:
            InputError: the landmarks lie on one point.
        """
        p, q, s, t = similarity(landmarks, self.align.template)
        while p * p + q * q < 1 / _MOST_AT_ONCE**2 and min(image.shape[:2]) > 1:
            # pixel i of the halved picture covers 2i and 2i + 1, so its centre lies at 2i + 1/2
            high, wide = image.shape[0] // 2, image.shape[1] // 2
            even = image[: 2 * high, : 2 * wide]
            image = cast(U8, cv2.resize(even, (wide, high), interpolation=cv2.INTER_AREA))
            s, t = s + 0.5 * (p - q), t + 0.5 * (p + q)
            p, q = 2 * p, 2 * q
        matrix: F64 = np.array([[p, -q, s], [q, p, t]])
        crop = cv2.warpAffine(image, matrix, self.align.size, flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
        return cast(U8, cv2.cvtColor(crop, cv2.COLOR_BGR2RGB) if self._rgb else crop)
