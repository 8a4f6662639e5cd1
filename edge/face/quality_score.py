"""One number for how well a face can be compared, from measures that the gate takes anyway.

    predict(features(face, measures))        # 0 (useless) .. 1 (excellent)

The score is what the comparison of this look with the person's own template is expected to reach, on a scale from 0
(no better than a stranger) to 1 (as good as the same clean view again). It is a small net (``quality.json``), fitted
on looks of every quality at pictures whose clean view is known, and so it needs no identities:
`python -m models.training.quality`. A fit is made for one embedder and one detector; others get the same order of
looks, hardly the same numbers.
"""

from __future__ import annotations

import hashlib
import json
import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from edge import _resources
from edge.types import F32, Face

#: What goes in, in this order.
NAMES = (
    "sharpness",
    "height",
    "luminance",
    "contrast",
    "clipped",
    "occlusion",
    "yaw",
    "pitch",
    "roll",
    "detector",
    "noise",
    "motion",
)


@dataclass(frozen=True, slots=True)
class Weights:
    """The net, as `python -m models.training.quality` writes it into ``quality.json``; not by hand.

    Attributes:
        sha256: of the file; the embedder's card names it.
        made_for: SHA-256 of the embedder whose comparison scores it foretells.
        usual_limit: below it fewer than 50 % of a person's own looks match at a false match rate of 1e-4.
        first, first_bias, last, last_bias: float32 (len(NAMES), H), (H,), (H,), and a number.
    """

    sha256: str
    made_for: str
    usual_limit: float
    first: F32
    first_bias: F32
    last: F32
    last_bias: float

    @classmethod
    def shipped(cls) -> Weights:
        """Those that come with the product."""
        raw = _resources.path("quality").read_bytes()
        values: dict[str, Any] = {
            k: np.array(v, np.float32) if isinstance(v, list) else v for k, v in json.loads(raw).items()
        }
        return cls(hashlib.sha256(raw).hexdigest(), **values)


WEIGHTS = Weights.shipped()


@dataclass(frozen=True, slots=True)
class Measures:
    """What the gate measured of one face; see `edge.types.Quality`, and beyond it:

    Attributes:
        noise: variance of the sensor's noise in the half-size crop.
        motion: variance of the second derivative in the stronger direction over that in the weaker one, 1 and more.
    """

    sharpness: float
    luminance: float
    contrast: float
    clipped: float
    occlusion: float
    yaw: float
    pitch: float
    roll: float
    noise: float
    motion: float


def features(face: Face, measures: Measures) -> F32:
    """float32 (len(NAMES),): measures on scales on which a step means about the same everywhere."""
    m = measures
    certain = min(max(face.score, 1e-3), 1 - 1e-3)
    row = (
        math.log(m.sharpness + 0.003),
        math.log(max(face.height, 1.0)),
        math.log(m.luminance + 4.0),
        math.log(max(m.contrast, 1.0)),
        math.sqrt(m.clipped),
        m.occlusion,
        min(abs(m.yaw), 90.0) / 30,
        max(-90.0, min(90.0, m.pitch)) / 30,
        min(abs(m.roll), 90.0) / 30,
        math.log(certain / (1 - certain)),
        math.log(m.noise + 1.0),
        math.log(m.motion),
    )
    return np.array(row, np.float32)


def predict(row: F32) -> float:
    """The score of one row of `features`, 0..1."""
    hidden = np.maximum(row @ WEIGHTS.first + WEIGHTS.first_bias, 0)
    return 1 / (1 + math.exp(-max(-30.0, min(30.0, float(hidden @ WEIGHTS.last) + WEIGHTS.last_bias))))
