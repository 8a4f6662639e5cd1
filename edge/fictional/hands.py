"""Hands that hold a sheet or a phone into view: forearm and palm behind it, thumbs before it.

Drawn, not photographed: a detector of attacks has to see that something is held, not whose hand it is.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from edge.types import F32, U8

F = NDArray[np.floating]


@dataclass(frozen=True, slots=True)
class Hand:
    """One hand or two, of one person.

    Attributes:
        grips: where each takes the edge, and the direction from there into the sheet, both float32 (2,), pixels.
        unit: pixels to a centimetre. skin, sleeve: BGR.
        seed: of the shading. cuff: where the sleeve begins, centimetres from the grip.
    """

    grips: tuple[tuple[F32, F32], ...]
    unit: float
    skin: F32
    sleeve: F32
    seed: int
    cuff: float

    @classmethod
    def drawn(cls, grips: list[tuple[F32, F32]], unit: float, rng: np.random.Generator) -> Hand:
        """Some skin between pale and dark brown, under some sleeve."""
        pale, dark = np.array([168, 190, 226], np.float32), np.array([38, 54, 84], np.float32)
        skin = dark + (pale - dark) * rng.uniform(0, 1) + rng.normal(0, 6, 3)
        sleeve = rng.uniform(15, 200) * np.exp(rng.normal(0, 0.25, 3))
        cuff = float(rng.uniform(9, 16) if rng.random() < 0.7 else 60)
        return cls(
            tuple(grips), unit, skin.astype(np.float32), sleeve.astype(np.float32), int(rng.integers(1 << 31)), cuff
        )


def arm(canvas: U8, hand: Hand) -> None:
    """Forearms, palms and the fingers behind the edge, in place; before the sheet is laid."""
    rng = np.random.default_rng(hand.seed)
    for at, inward in hand.grips:
        palm = at - 2.2 * hand.unit * inward + [0, 2.0 * hand.unit]
        down = np.array([-0.5 * inward[0] + rng.normal(0, 0.25), 1.0])
        down /= np.linalg.norm(down)
        _limb(canvas, palm, palm + 90 * hand.unit * down, 6.0 * hand.unit, hand.skin)
        _limb(canvas, palm + hand.cuff * hand.unit * down, palm + 90 * hand.unit * down, 8.5 * hand.unit, hand.sleeve)
        _limb(canvas, palm, palm + 3.5 * hand.unit * inward, 7.0 * hand.unit, hand.skin)


def thumb(canvas: U8, hand: Hand) -> None:
    """Thumbs (and at times a finger or two) over the edge, in place; after the sheet is laid."""
    rng = np.random.default_rng((hand.seed, 1))
    for at, inward in hand.grips:
        side = np.array([-inward[1], inward[0]])
        for number in range(1 if rng.random() < 0.75 else 3):
            lean = rng.normal(0, 0.35)
            root = at - 2.4 * hand.unit * inward + (2.1 * number + 0.8) * hand.unit * side
            tip = at + rng.uniform(0.3, 1.6) * hand.unit * inward + (2.1 * number + lean) * hand.unit * side
            _limb(canvas, root, tip, rng.uniform(1.7, 2.2) * hand.unit, hand.skin)


def _limb(canvas: U8, first: F, last: F, wide: float, colour: F32) -> None:
    """A rounded stroke, darker towards its edges, as a cylinder is."""
    reach = wide / 2 + 2
    low, high = np.minimum(first, last) - reach, np.maximum(first, last) + reach
    left, top = max(0, int(low[0])), max(0, int(low[1]))
    right, bottom = min(canvas.shape[1], int(high[0]) + 1), min(canvas.shape[0], int(high[1]) + 1)
    if right <= left or bottom <= top or wide < 1:
        return
    # the stroke's middle line cut to the window; x, y of each of its pixels from it
    y, x = np.mgrid[top:bottom, left:right].astype(np.float32)
    line = np.asarray(last - first, np.float32)
    along = np.clip(((x - first[0]) * line[0] + (y - first[1]) * line[1]) / (float(line @ line) + 1e-6), 0, 1)
    away = np.hypot(x - first[0] - along * line[0], y - first[1] - along * line[1]) / (wide / 2)
    alpha = np.clip((1 - away) * wide / 3 + 0.5, 0, 1)[..., None]
    shade = (0.55 + 0.5 * np.sqrt(np.clip(1 - away * away, 0, 1)))[..., None]
    area = canvas[top:bottom, left:right]
    area[:] = np.clip(area * (1 - alpha) + np.clip(colour * shade, 0, 255) * alpha, 0, 255).astype(np.uint8)
