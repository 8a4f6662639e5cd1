"""Something drawn before a face: dark glasses, a mask, a hat, a hand.

    scene = wear(scene, "mask", rng)     # of `recall_scenes`; the frame is copied, the truth keeps its place

Nothing here is shared with `models.training.covers`, which covers faces in training: a detector is flattered by the
very covers that it learnt to see through. These follow the face's own axes, have smooth outlines and are shaded; those
are plain ellipses and rectangles.

They are drawn in the face's coordinates: the origin lies between the eyes, ``across`` goes from the left eye to the
right one (image left first), ``down`` from between the eyes to between the mouth's corners. The eyes are (-0.5, 0) and
(0.5, 0), the middle of the mouth is (0, 1), the chin of a grown-up about (0, 1.75).
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import cv2
import numpy as np
from numpy.typing import NDArray

from models.training.recall_scenes import Scene, ellipse

U8 = NDArray[np.uint8]
F64 = NDArray[np.float64]
COVERS = ("glasses", "mask", "hat", "hand")
#: A hand hides at most this share of the face (the ellipse in its box).
MOST = 1 / 3
#: Corners of a round outline, and bits of a pixel's fraction that OpenCV takes.
_ROUND, _BITS = 96, 4
#: How much lighter one end of a cover is than its middle, at most.
_SHADE = 0.2


@dataclass(frozen=True, slots=True)
class _Axes:
    """A face's coordinates, and how far its box reaches in them."""

    origin: F64
    across: F64
    down: F64
    left: float
    right: float
    top: float
    chin: float

    def place(self, points: F64) -> F64:
        """Points (n, 2) of the face in pixels."""
        return self.origin + points @ np.stack([self.across, self.down])


def wear(scene: Scene, what: str, rng: np.random.Generator) -> Scene:
    """Cover a face.

    Args:
        scene: with one face.
        what: one of `COVERS`.
        rng: says how large, where, which colour.

    Returns:
        The scene with the cover drawn; landmarks under it are no longer ``visible``.
    """
    axes = _axes(scene)
    if what == "hand":
        outlines, colour = [_hand(scene, axes, rng)], _skin(scene, rng)
    else:
        draw = {"glasses": _glasses, "mask": _mask, "hat": _hat}[what]
        outlines = [axes.place(outline) for outline in draw(axes, rng)]
        colour = _dark(rng) if what == "glasses" else rng.uniform(0, 255, 3)
    over = np.zeros(scene.image.shape[:2], np.uint8)
    for outline in outlines:
        corners = np.round(outline * 2**_BITS).astype(np.int32)
        cv2.fillPoly(over, [corners], 255, cv2.LINE_AA, _BITS)
    return replace(scene, image=_painted(scene, over, colour, rng), visible=scene.visible & ~_under(over, scene))


def _axes(scene: Scene) -> _Axes:
    points = scene.landmarks.astype(np.float64)
    origin, across = points[:2].mean(0), points[1] - points[0]
    down = points[3:].mean(0) - origin
    x, y, w, h = (float(value) for value in scene.box)
    sides = ((at - origin[0]) / max(across[0], 1.0) for at in (x, x + w))
    ends = ((at - origin[1]) / max(down[1], 1.0) for at in (y, y + h))
    return _Axes(origin, across, down, *sides, *ends)


def _round(centre: tuple[float, float], half: tuple[float, float]) -> F64:
    """An ellipse's outline, (n, 2)."""
    angle = np.linspace(0, 2 * np.pi, _ROUND, endpoint=False)
    return np.stack([centre[0] + half[0] * np.cos(angle), centre[1] + half[1] * np.sin(angle)], 1)


def _glasses(axes: _Axes, rng: np.random.Generator) -> list[F64]:
    """Two lenses and a bridge."""
    half = (rng.uniform(0.34, 0.46), rng.uniform(0.24, 0.38))
    drop, thick = rng.uniform(0, 0.08), rng.uniform(0.03, 0.07)  # lenses sit a little below the pupils
    upper, lower = drop - 0.08 - thick, drop - 0.08 + thick
    bridge = np.array([[-0.3, upper], [0.3, upper], [0.3, lower], [-0.3, lower]])
    return [_round((-0.5, drop), half), _round((0.5, drop), half), bridge]


def _mask(axes: _Axes, rng: np.random.Generator) -> list[F64]:
    """From the bridge of the nose to the chin, as wide as the face."""
    top, sides = rng.uniform(0.2, 0.36), rng.uniform(0.3, 0.55)
    left, right = axes.left * rng.uniform(0.86, 1.0), axes.right * rng.uniform(0.86, 1.0)
    jaw, chin = rng.uniform(1.25, 1.45), axes.chin * rng.uniform(0.98, 1.06)
    upper = [[left, sides], [0.45 * left, top + 0.06], [0, top], [0.45 * right, top + 0.06], [right, sides]]
    lower = [[0.92 * right, jaw], [0.4 * right, chin], [0.4 * left, chin], [0.92 * left, jaw]]
    return [np.array(upper + lower)]


def _hat(axes: _Axes, rng: np.random.Generator) -> list[F64]:
    """Down to just above the eyes, over the forehead and what is above it."""
    brim, bend = rng.uniform(-0.42, -0.26), rng.uniform(-0.06, 0.06)
    left, right = axes.left - rng.uniform(0.1, 0.4), axes.right + rng.uniform(0.1, 0.4)
    crown = axes.top - rng.uniform(0.5, 0.9)
    middle, half = (left + right) / 2, (right - left) / 2
    angle = np.linspace(np.pi, 2 * np.pi, _ROUND)
    dome = np.stack([middle + half * np.cos(angle), brim + (brim - crown) * np.sin(angle)], 1)
    return [np.concatenate([dome, [[middle, brim + bend]]])]


def _hand(scene: Scene, axes: _Axes, rng: np.random.Generator) -> F64:
    """A flat hand with its thumb, turned, its middle anywhere in the lower two thirds of the box; corners in pixels."""
    angle = np.linspace(-np.pi, np.pi, 4 * _ROUND, endpoint=False)
    tips = 0.1 * np.abs(np.cos(8 * angle)) * (np.abs(angle) < np.pi / 8)
    thumb = rng.uniform(0.2, 0.8) * np.exp(-(((angle - rng.uniform(1.2, 1.7)) / 0.22) ** 2))
    outline = (1 + tips + thumb)[:, None] * np.stack([rng.uniform(1.3, 2.0) * np.cos(angle), np.sin(angle)], 1)
    x, y, w, h = (float(value) for value in scene.box)
    area = rng.uniform(0.3, 1.0) * MOST * np.pi / 4 * w * h
    outline *= np.sqrt(area / cv2.contourArea(outline.astype(np.float32)))
    turn = rng.uniform(0, 2 * np.pi)
    outline = outline @ np.array([[np.cos(turn), np.sin(turn)], [-np.sin(turn), np.cos(turn)]])
    return outline + np.array([x + rng.uniform(0.1, 0.9) * w, y + rng.uniform(1 / 3, 0.95) * h])


def _dark(rng: np.random.Generator) -> F64:
    return rng.uniform(5, 45) + rng.uniform(0, 25, 3)


def _skin(scene: Scene, rng: np.random.Generator) -> F64:
    """The face's own colour in other light, or as often any colour: a glove."""
    if rng.random() < 0.5:
        return rng.uniform(0, 255, 3)
    return scene.image[ellipse(scene.box)].mean(0) * rng.uniform(0.7, 1.15)


def _painted(scene: Scene, over: U8, colour: F64, rng: np.random.Generator) -> U8:
    """The frame under a cover, which is lit from one side."""
    x, y, w, h = (float(value) for value in scene.box)
    rows, columns = np.nonzero(over)
    angle = rng.uniform(0, 2 * np.pi)
    along = ((columns - x) / w - 0.5) * np.cos(angle) + ((rows - y) / h - 0.5) * np.sin(angle)
    paint = colour * (1 + _SHADE * rng.uniform(0, 1) * np.clip(2 * along, -1, 1))[:, None]
    image, alpha = scene.image.copy(), over[rows, columns, None] / 255
    image[rows, columns] = np.clip(image[rows, columns] * (1 - alpha) + paint * alpha + 0.5, 0, 255).astype(np.uint8)
    return image


def _under(over: U8, scene: Scene) -> NDArray[np.bool_]:
    """Which landmarks a cover hides, (5,)."""
    x, y = np.round(scene.landmarks).astype(int).T
    return over[np.clip(y, 0, over.shape[0] - 1), np.clip(x, 0, over.shape[1] - 1)] > 127
