"""Finds faces in a frame.

    frame (any size) -> fitted into the input, aspect kept -> int8 net -> candidates -> merged -> `Face`, largest first
          -> where the card says so, every face looked at again from near (`edge.face.second_pass`)

The cells that see the same face are averaged, weighted by their scores (Bazarevsky et al. 2019, BlazeFace, section 5):
one face's landmarks are then steadier than those of its best cell alone, at no cost.
"""

from __future__ import annotations

import math
from typing import cast

import cv2
import numpy as np

from edge.errors import InputError, ModelError
from edge.face.card import Card
from edge.face.heads import COLUMNS, Heads
from edge.face.runner import Runner
from edge.face.second_pass import confirmed
from edge.types import F32, U8, Face

#: Shrinking by more than this in one bilinear step would skip source pixels; such frames are halved first.
_MOST_AT_ONCE = 4.0
#: Cells whose boxes overlap the best one's by more than this are averaged with it.
_SAME = 0.5
#: A box of which so much lies inside a more certain one is a part of that face, not a second person.
_INSIDE = 0.5
#: Eyes nearer to each other than this share of the box's width are no pair of eyes, in profile neither.
_CLOSEST_EYES = 0.02
#: Only so many of the most certain candidates are looked at, so that a strange picture cannot stall a device.
_MOST_CANDIDATES = 100
#: Faces returned at most; a frame holds one claimant.
MOST_FACES = 16


class Detector:
    """The face detector of one card.

    Args:
        card: a detector's card.
        threads: threads of the model runtime.

    Raises:
        ModelError: card or model cannot be used.
    """

    def __init__(self, card: Card, threads: int = 1) -> None:
        if card.kind != "detector" or card.decode is None:
            raise ModelError(f"{card.name} is no detector", where=card.where, remedy="name a detector's card")
        self.card = card
        self.runner = Runner(card, threads)
        self._exact = card.arithmetic == 2
        self._heads = Heads(card, exact=self._exact)
        self._overlap = card.decode.nms_iou
        self._confirm = card.decode.confirm
        self._rgb = card.input.channels == "RGB"
        self._canvas: U8 = np.zeros(card.input.shape[1:], np.uint8)
        self._target: U8 = self._canvas
        self._shift: F32 = np.zeros(COLUMNS, np.float32)
        self._ratio: F32 = np.ones(COLUMNS, np.float32)
        self._shape: tuple[int, ...] = ()

    def detect(self, image: U8) -> list[Face]:
        """Find faces; with ``confirm`` in the card, those that a second look from near confirms.

        Args:
            image: BGR uint8 (H, W, 3).

        Returns:
            Faces in pixels of ``image``, the highest box first, at most 16.
        """
        if self._confirm is None:
            return self.scan(image)
        height, width = self._canvas.shape[:2]
        return confirmed(self.scan, image, self._confirm, (height, width), exact=self._exact)

    def scan(self, image: U8) -> list[Face]:
        """One pass of the net over a picture; arguments and result as those of `detect`."""
        self._fit(image)
        found = merge(self._heads.decode(self.runner.run(self._canvas)), self._overlap, exact=self._exact)
        found *= self._ratio
        found += self._shift
        faces = [face for row in found if (face := _face(row)) is not None]
        faces.sort(key=_height, reverse=True)
        return faces

    def _fit(self, image: U8) -> None:
        """Resize into the canvas with the aspect kept."""
        if image.shape != self._shape:
            self._arrange(image)
        target, small = self._target, image
        height, width = target.shape[:2]
        while small.shape[0] > _MOST_AT_ONCE * height and min(small.shape[:2]) > 1:
            half = (small.shape[1] // 2, small.shape[0] // 2)
            if self._exact:  # pairs of pixels only: what an odd one adds is rounded by each machine in its own way
                small = small[: 2 * half[1], : 2 * half[0]]
            small = cast(U8, cv2.resize(small, half, interpolation=cv2.INTER_AREA))
        way = cv2.INTER_LINEAR_EXACT if self._exact else cv2.INTER_LINEAR
        if self._rgb:
            cv2.cvtColor(cv2.resize(small, (width, height), interpolation=way), cv2.COLOR_BGR2RGB, target)
        else:
            cv2.resize(small, (width, height), dst=target, interpolation=way)

    def _arrange(self, image: U8) -> None:
        """Where frames of this shape lie in the canvas, and the way back from input to frame pixels."""
        if image.ndim != 3 or image.shape[2] != 3 or image.dtype != np.uint8 or min(image.shape) < 1:
            raise InputError(
                f"the detector takes BGR uint8 (H, W, 3), not {image.dtype} {image.shape}", where="frame", remedy=""
            )
        high, wide = image.shape[:2]
        height, width = self._canvas.shape[:2]
        scale = min(height / high, width / wide)
        h, w = max(1, round(high * scale)), max(1, round(wide * scale))
        left, top = (width - w) // 2, (height - h) // 2
        self._canvas[:] = 0
        self._target = self._canvas[top : top + h, left : left + w]
        # coordinates are pixel centres: input pixel i covers ``ratio`` frame pixels around (i - left + .5) ratio - .5
        place = [(0.5 - left) * wide / w - 0.5, (0.5 - top) * high / h - 0.5]
        self._shift[:] = [0, *place, 0, 0, *place * 5]
        self._ratio[:] = [1, *[wide / w, high / h] * 7]
        self._shape = image.shape


def merge(found: F32, overlap: float, *, exact: bool = False) -> F32:
    """One row a face: greedy non-maximum suppression, each survivor averaged with its like.

    Args:
        found: float32 (n, 15) of `Heads.decode`.
        overlap: IoU above which two candidates are the same face.
        exact: the same bits on every machine: float64, one operation after the other.

    Returns:
        float32 (m, 15), the most certain first; column 0 holds the best cell's score, 0..1.
    """
    if not len(found):
        return found
    # a handful of candidates: plain floats are faster than a numpy call on each pair of boxes
    rows = found.tolist()
    left = sorted(range(len(rows)), key=lambda index: -rows[index][0])[:_MOST_CANDIDATES]
    if exact:
        found[:, 0] = [1 / (1 + math.exp(-row[0])) for row in rows]
    else:
        found[:, 0] = 1 / (1 + np.exp(-found[:, 0]))
    faces: list[F32] = []
    while left and len(faces) < MOST_FACES:
        best = left[0]
        same, rest = [best], []
        for index in left[1:]:
            share, inside = _overlap(rows[best], rows[index])
            if share > _SAME:
                same.append(index)
            if share <= overlap and inside <= _INSIDE:
                rest.append(index)
        group = found[same]
        if exact:
            weights, columns = group[:, 0].tolist(), group.T.tolist()
            face = np.array([sum(w * x for w, x in zip(weights, column, strict=True)) for column in columns])
            face /= sum(weights)
        else:
            face = group[:, 0] @ group / group[:, 0].sum()
        face[0] = found[best, 0]
        faces.append(face)
        left = rest
    return np.array(faces, np.float32)


def _overlap(a: list[float], b: list[float]) -> tuple[float, float]:
    """Intersection over union, and intersection over the smaller box; rows as `Heads.decode` gives them."""
    width = min(a[1] + a[3] / 2, b[1] + b[3] / 2) - max(a[1] - a[3] / 2, b[1] - b[3] / 2)
    height = min(a[2] + a[4] / 2, b[2] + b[4] / 2) - max(a[2] - a[4] / 2, b[2] - b[4] / 2)
    if width <= 0 or height <= 0:
        return 0.0, 0.0
    shared, one, two = width * height, a[3] * a[4], b[3] * b[4]
    return shared / (one + two - shared), shared / min(one, two)


def _face(row: F32) -> Face | None:
    """A row as a face; None when its eyes lie on one point or nowhere, which is no face and could not be aligned."""
    if not np.isfinite(row).all():
        return None
    score, x, y, width, height, left_x, left_y, right_x, right_y = row[:9].tolist()
    if abs(right_x - left_x) + abs(right_y - left_y) < _CLOSEST_EYES * width:
        return None
    return Face((x - width / 2, y - height / 2, width, height), row[5:].reshape(5, 2), score)


def _height(face: Face) -> float:
    return face.box[3]
