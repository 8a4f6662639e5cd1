"""Aligned pictures of the training crops: what the embedder's calibrations are made of.

    pictures = read_crops(data)                      # decoded once, uint8 (n, 128, 128, 3) BGR
    crop = aligned(picture, POINTS, TEMPLATE)        # RGB uint8 (112, 112, 3)

The crops of `train/` hold the standard 112x112 alignment with a margin of 8 px, so their landmarks are known without a
detector (data README).
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from models.training.affine import similarity
from models.training.data import open_pictures

U8 = NDArray[np.uint8]
F32 = NDArray[np.float32]
#: Left eye, right eye, nose, mouth corners in a 128x128 crop.
POINTS = np.array([[46.29, 59.70], [81.53, 59.50], [64.03, 79.74], [49.55, 100.37], [78.73, 100.20]], np.float32)


@dataclass(frozen=True, slots=True)
class Crops:
    """All training crops: pixels (n, 128, 128, 3) BGR, names, and YuNet's landmarks (n, 5, 2) where it was sure."""

    pixels: U8
    names: list[str]
    landmarks: F32

    def of(self, source: str) -> NDArray[np.int64]:
        """Indices of one source; see `of_source`."""
        return of_source(self.names, source)


def of_source(names: list[str], source: str) -> NDArray[np.int64]:
    """Indices of one source's names, ``aaf`` or ``utk``; utk names hold underscores."""
    return np.array([i for i, name in enumerate(names) if ("_" in name) == (source == "utk")], np.int64)


def open_crops(work: Path) -> Crops:
    """The crops out of the cache that `detector prepare` made."""
    pictures = open_pictures(work / "data", "crops")
    side = int(pictures.shapes[0, 0])
    if not (pictures.shapes == side).all():
        raise ValueError("crops of differing sizes")
    pixels = pictures.pixels.reshape(len(pictures), side, side, 3)
    landmarks = pictures.labels[:, 4:14].reshape(-1, 5, 2).copy()
    unsure = pictures.labels[:, 14] < 0.7
    landmarks[unsure] = POINTS
    return Crops(pixels, pictures.names, landmarks)


def aligned(picture: U8, points: F32, template: F32, size: int = 112) -> U8:
    """One crop, RGB uint8 (size, size, 3), by a least-squares similarity from five points."""
    matrix = similarity(points, template)
    return cv2.cvtColor(
        cv2.warpAffine(picture, matrix, (size, size), borderMode=cv2.BORDER_REPLICATE), cv2.COLOR_BGR2RGB
    )
