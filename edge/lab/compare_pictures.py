"""Two pictures, one score, by the chain of a door: what `edge compare` does. Development and lab builds only.

    pair = compare_two(chain, Path("ada-0.jpg"), Path("ada-1.jpg"))
    pair.score >= chain.threshold(1e-4)

The lab holds no session, so the score is computed here, from the same two int8 vectors and with the same integers as
`edge.face.match` (a test compares the two).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from edge.errors import InputError
from edge.face import Chain, Look
from edge.pictures import read_image
from edge.types import I8, Frame

_SESSION = "two pictures"


@dataclass(frozen=True, slots=True)
class Pair:
    """One comparison. ``score`` is a cosine in -1..1; larger means more similar."""

    score: float
    looks: tuple[Look, Look]


def look_at(chain: Chain, path: Path) -> Look:
    """Look at the most central face of a picture, without the gate: portraits are not taken at a door.

    Raises:
        InputError: not a picture, or no face in it.
    """
    seen = chain.look(Frame(read_image(path), 0, 0, "picture"), pick="central", gate=False)
    if seen.face is None:
        raise InputError(
            "no face was found", where=str(path), remedy="use a picture that shows one face from the front"
        )
    return seen


def compare_two(chain: Chain, reference: Path, probe: Path) -> Pair:
    """Compare the central faces of two pictures.

    Raises:
        InputError: either is not a picture, or shows no face.
    """
    looks = look_at(chain, reference), look_at(chain, probe)
    first, second = (chain.embed(look, _SESSION).consume(_SESSION) for look in looks)
    return Pair(cosine(first, second), looks)


def cosine(a: I8, b: I8) -> float:
    """Cosine of two int8 vectors (D,) in exact integers; 0.0 when either is all zero."""
    x, y = a.astype(np.int64), b.astype(np.int64)
    norm = math.sqrt(int(x @ x)) * math.sqrt(int(y @ y))
    return int(x @ y) / norm if norm else 0.0
