"""Every picture is looked at once by every contender, in one run and interleaved, so that their times compare.

    looks = look_at_all(pictures, contenders, tell)       # one `Looks` a contender; vectors live in memory only

A picture without a face (or, at a gate, one that is refused) keeps a zero vector and ``acquired`` False; so does a file
that cannot be decoded: nobody gets a set of their own choosing.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import cv2
import numpy as np
from numpy.typing import NDArray

from edge.errors import InputError
from edge.lab.bounds import Tell, _quiet
from edge.lab.contender import Contender, Seen, unit
from edge.lab.picture_set import PictureSet
from edge.types import F32

UNREADABLE = "not a readable picture"


@dataclass(slots=True)
class Looks:
    """What one contender saw.

    Attributes:
        vectors: float32 (pictures, D), length 1, zero where nothing was acquired. Never written to disk.
        acquired: bool (pictures,).
        reasons: why not, empty where acquired.
        boxes: float32 (pictures, 4), x, y, width, height, nan where no face was found.
        quality: float64 (pictures,), nan where unknown.
        timings: step -> float32 (pictures,), milliseconds, nan where the step did not run.
    """

    vectors: F32 = field(repr=False)
    acquired: NDArray[np.bool_]
    reasons: list[str]
    boxes: F32
    quality: NDArray[np.float64]
    timings: dict[str, F32]

    @classmethod
    def empty(cls, count: int, dimension: int) -> Looks:
        """Nothing seen yet."""
        return cls(
            np.zeros((count, dimension), np.float32),
            np.zeros(count, bool),
            [""] * count,
            np.full((count, 4), np.nan, np.float32),
            np.full(count, np.nan),
            {},
        )

    def put(self, index: int, seen: Seen) -> None:
        """Note one look."""
        self.acquired[index], self.reasons[index] = seen.vector is not None, seen.reason
        if seen.vector is not None:
            self.vectors[index] = unit(seen.vector)
        if seen.box is not None:
            self.boxes[index] = seen.box
        if seen.quality is not None:
            self.quality[index] = seen.quality
        for step, value in seen.timings_ms.items():
            if step not in self.timings:
                self.timings[step] = np.full(len(self.acquired), np.nan, np.float32)
            self.timings[step][index] = value


def look_at_all(pictures: PictureSet, contenders: Sequence[Contender], tell: Tell = _quiet) -> list[Looks]:
    """Look at the whole set.

    Args:
        pictures: the set.
        contenders: who looks.
        tell: called after every picture.
    """
    looks = [Looks.empty(len(pictures), contender.dimension) for contender in contenders]
    threads = cv2.getNumThreads()
    cv2.setNumThreads(1)  # one thread for everybody, or times say nothing about a model
    try:
        for index in range(len(pictures)):
            _look(pictures, index, contenders, looks)
            tell(index + 1, len(pictures))
    finally:
        cv2.setNumThreads(threads)
    return looks


def _look(pictures: PictureSet, index: int, contenders: Sequence[Contender], looks: list[Looks]) -> None:
    try:
        image = pictures.load(index)
    except InputError:
        for row in looks:
            row.put(index, Seen(None, UNREADABLE))
        return
    for contender, row in zip(contenders, looks, strict=True):
        row.put(index, contender.look(index, image))
