"""Lays a face into the crop that an embedder expects.

    matrix = similarity(face.landmarks, template)      # rotation, one scale, translation
    crop = aligner(image, face.landmarks)              # uint8 (H, W, 3), in the card's channel order

Template, size and channel order belong to the card. The transform is the least-squares similarity of Umeyama (1991),
which in the plane, without reflection, has a closed form in complex numbers: with both point sets centred,
``a = sum(conj(x) y) / sum(|x|^2)`` and the map is ``y = a x + b``.

*Exact* is the second version of this arithmetic and of that in `edge.face.detect` and `edge.face.second_pass`: the same
bits on every machine. OpenCV's bilinear resize and warp round in one way on arm64, in others on x86-64 with and without
FMA, and so do numpy's float32 `exp` and products. Exact crops come from OpenCV's integer `remap`, with maps made by
single float64 operations, which IEEE 754 defines to the bit. Embeddings of the two versions differ (cosine 0.989 and
more), so a card says which version its model goes with (``arithmetic: 2``), the version belongs to the model's
identity, and a calibration to one version.
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


def across(landmarks: F32) -> tuple[float, float]:
    """The way from image left to image right along eyes and mouth together, pixels; its angle is the head's roll.

    Args:
        landmarks: float32 (5, 2), as `Face.landmarks`.
    """
    (ax, ay), (bx, by), _, (cx, cy), (dx, dy) = landmarks.tolist()
    return bx - ax + dx - cx, by - ay + dy - cy


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
    """Makes crops for one card's ``align:`` part.

    Args:
        align: size, channels, template.
        exact: the same bits on every machine; see the module's docstring.
    """

    def __init__(self, align: Align, *, exact: bool = False) -> None:
        self.align, self._exact = align, exact
        self._to_card = cv2.COLOR_BGRA2RGB if align.channels == "RGB" else cv2.COLOR_BGRA2BGR

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
        crop = lay(image, similarity(landmarks, self.align.template), self.align.size, exact=self._exact)
        return cast(U8, cv2.cvtColor(crop, self._to_card))


def lay(image: U8, transform: tuple[float, float, float, float], size: tuple[int, int], *, exact: bool = False) -> U8:
    """What a similarity brings into a picture of ``size`` (width, height), border pixels repeated.

    Args:
        image: BGR uint8 (H, W, 3).
        transform: p, q, s, t as `similarity` gives them.
        exact: the same bits on every machine.

    Returns:
        BGRA uint8 (height, width, 4).
    """
    p, q, s, t = transform
    x0, y0, x1, y1 = _seen(p, q, s, t, size, image.shape[1], image.shape[0])
    part = image[y0:y1, x0:x1]
    s, t = s + p * x0 - q * y0, t + q * x0 + p * y0
    while p * p + q * q < 1 / _MOST_AT_ONCE**2 and min(part.shape[:2]) > 1:
        # pixel i of the halved picture covers 2i and 2i + 1, so its centre lies at 2i + 1/2
        high, wide = part.shape[0] // 2, part.shape[1] // 2
        part = cast(U8, cv2.resize(part[: 2 * high, : 2 * wide], (wide, high), interpolation=cv2.INTER_AREA))
        s, t = s + 0.5 * (p - q), t + 0.5 * (p + q)
        p, q = 2 * p, 2 * q
    # four channels: OpenCV warps them 2.4 x faster than three, which pays for both conversions
    part = cast(U8, cv2.cvtColor(part, cv2.COLOR_BGR2BGRA))
    if exact:
        whole, parts = _places(p, q, s, t, size)
        return cast(U8, cv2.remap(part, whole, parts, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE))
    matrix: F64 = np.array([[p, -q, s], [q, p, t]])
    crop = cv2.warpAffine(part, matrix, size, flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    return cast(U8, crop)


def _places(
    p: float, q: float, s: float, t: float, size: tuple[int, int]
) -> tuple[NDArray[np.int16], NDArray[np.uint16]]:
    """Where each pixel of a crop lies in the picture: whole pixels, and 32nds of one as `cv2.remap` packs them."""
    u, v = np.arange(size[0]) - s, (np.arange(size[1]) - t)[:, None]
    norm = p * p + q * q
    places = np.stack([(p * u + q * v) / norm, (p * v - q * u) / norm], -1)
    steps = np.floor(places * 32 + 0.5).clip(-32768 * 32, 32767 * 32).astype(np.int32)
    left = steps & 31
    return (steps >> 5).astype(np.int16), (left[..., 1] * 32 + left[..., 0]).astype(np.uint16)


def _seen(
    p: float, q: float, s: float, t: float, size: tuple[int, int], width: int, height: int
) -> tuple[int, int, int, int]:
    """The part of the frame that a crop shows: x0, y0, x1, y1; never empty, even where the crop lies outside."""
    norm = p * p + q * q
    xs, ys = [], []
    for u in (0, size[0] - 1):
        for v in (0, size[1] - 1):
            xs.append((p * (u - s) + q * (v - t)) / norm)
            ys.append((p * (v - t) - q * (u - s)) / norm)
    # two pixels more than the corners: bilinear weights reach one further, halving another
    margin = 2 + int(2 / math.sqrt(norm))
    x0 = min(max(int(min(xs)) - margin, 0), width - 1)
    y0 = min(max(int(min(ys)) - margin, 0), height - 1)
    return (
        x0,
        y0,
        max(min(int(max(xs)) + margin + 1, width), x0 + 1),
        max(min(int(max(ys)) + margin + 1, height), y0 + 1),
    )
