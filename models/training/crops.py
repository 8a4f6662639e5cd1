"""Aligned pictures of the training crops: what the embedder's calibrations are made of.

    pictures = read_crops(data)                      # decoded once, uint8 (n, 128, 128, 3) BGR
    crop = aligned(picture, POINTS, TEMPLATE)        # RGB uint8 (112, 112, 3)

The crops of `train/` hold the standard 112x112 alignment with a margin of 8 px, so their landmarks are known without a
detector (data README).
"""

from __future__ import annotations

import csv
import re
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
    """All training crops.

    pixels (n, 128, 128, 3) BGR; names; YuNet's landmarks (n, 5, 2) where it was sure; frames (n, 2, 3), which carry
    places of the 224x224 picture that a crop was cut from to the crop's, NaN where the picture has no known end.
    """

    pixels: U8
    names: list[str]
    landmarks: F32
    frames: F32

    def of(self, source: str) -> NDArray[np.int64]:
        """Indices of one source; see `source_of`."""
        return of_source(self.names, source)


def source_of(name: str) -> str:
    """Which set a crop is of: ``ff`` (FairFace), ``aaf`` (All-Age-Faces) or ``own`` (anybody's), by the data README's
    names ``ff_NNNNNN.jpg`` and ``NNNNNAyy.jpg``."""
    if name.startswith("ff_"):
        return "ff"
    return "aaf" if re.fullmatch(r"\d+A\d+(\.\w+)?", name) else "own"


def of_source(names: list[str], source: str) -> NDArray[np.int64]:
    """Indices of one source's names; see `source_of`."""
    return np.array([i for i, name in enumerate(names) if source_of(name) == source], np.int64)


def rows_of(table: Path) -> dict[str, dict[str, str]]:
    """A table of the data folder by its column ``file``; empty where there is none."""
    if not table.exists():
        return {}
    with table.open(newline="") as handle:
        return {row["file"]: row for row in csv.DictReader(handle)}


def frames_of(names: list[str], table: Path) -> F32:
    """`Crops.frames`, out of ``measures.csv`` (``x' = a x - b y + tx, y' = b x + a y + ty``)."""
    rows, frames = rows_of(table), np.full((len(names), 2, 3), np.nan, np.float32)
    for place, name in enumerate(names):
        if name in rows:
            a, b, tx, ty = (float(rows[name][key]) for key in ("a", "b", "tx", "ty"))
            frames[place] = [[a, -b, tx], [b, a, ty]]
    return frames


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
    return Crops(pixels, pictures.names, landmarks, frames_of(pictures.names, work / "data" / "measures.csv"))


def aligned(picture: U8, points: F32, template: F32, size: int = 112) -> U8:
    """One crop, RGB uint8 (size, size, 3), by a least-squares similarity from five points."""
    matrix = similarity(points, template)
    return cv2.cvtColor(
        cv2.warpAffine(picture, matrix, (size, size), borderMode=cv2.BORDER_REPLICATE), cv2.COLOR_BGR2RGB
    )
