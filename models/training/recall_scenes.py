"""Frames with faces whose place is known, to measure the detector on: 640x480, as a camera would deliver them.

    scene = paste(cover(background), portrait, label, height=60.0, rng=rng)   # a whole portrait, anywhere in the frame
    scene = expose(scene, luminance=25.0, rng=rng)                            # its face so dark, with sensor noise
    scene = cut(frame, portrait, label, 200.0, "left", share=0.2, rng=rng)    # a fifth of its box outside
    one, other = together(one, other)                                         # two people in one frame

Other than the scenes of training (`compose`), which are made at the network's input, these are made at the camera's
size: whoever looks at them a second time, from near, sees what a camera would show.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import cv2
import numpy as np
from numpy.typing import NDArray

from edge.fictional.sensor import READ, SHOT
from models.training.affine import transform
from models.training.compose import shrink

U8 = NDArray[np.uint8]
F32 = NDArray[np.float32]
F64 = NDArray[np.float64]
HEIGHT, WIDTH = 480, 640
EDGES = ("left", "right", "top", "bottom")
ALL = np.ones(5, np.bool_)
#: A camera keeps faces at this mean luminance as long as it can; below it amplifies, and its noise with it.
USUAL, MOST_GAIN = 120.0, 4.0
#: Of a face's pixels so many are enough to find its light: one in five.
_EVERY = 5


@dataclass(frozen=True, slots=True)
class Scene:
    """A frame and the truth about it, in its pixels.

    Attributes:
        image: BGR uint8 (480, 640, 3).
        box: float32 (4,) x, y, width, height. landmarks: float32 (5, 2). visible: bool (5,), which of them are seen.
        eyes: the distance between the eyes, by which errors are divided.
    """

    image: U8
    box: F32
    landmarks: F32
    eyes: float
    visible: NDArray[np.bool_]


def cover(picture: U8, mirrored: bool = False) -> U8:
    """The middle of a picture, enlarged or shrunk until it fills a frame."""
    high, wide = picture.shape[:2]
    scale = max(HEIGHT / high, WIDTH / wide)
    size = (max(WIDTH, round(wide * scale)), max(HEIGHT, round(high * scale)))
    whole = cv2.resize(picture, size, interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR)
    left, top = (size[0] - WIDTH) // 2, (size[1] - HEIGHT) // 2
    frame = whole[top : top + HEIGHT, left : left + WIDTH]
    return np.ascontiguousarray(frame[:, ::-1] if mirrored else frame)


def wall(rng: np.random.Generator) -> U8:
    """A plain wall of some colour, lit from one side."""
    colour, light = rng.uniform(60, 220, 3), rng.uniform(-0.25, 0.25)
    ramp = 1 + light * np.linspace(-1, 1, WIDTH)[None, :, None]
    return np.broadcast_to(np.clip(colour * ramp, 0, 255), (HEIGHT, WIDTH, 3)).astype(np.uint8)


def paste(frame: U8, portrait: U8, row: F32, height: float, rng: np.random.Generator, roll: float = 0.0) -> Scene:
    """Lay a whole portrait over a copy of a frame, its face's box somewhere inside.

    Args:
        frame: BGR uint8 (480, 640, 3).
        portrait: BGR uint8 (h, w, 3).
        row: its label, as `models.training.data` writes it.
        height: of the face's box before it is rolled, pixels, at most 480.
        rng: says where.
        roll: degrees, clockwise in the picture.
    """
    linear, extent = _posed(row, height, roll)
    room = np.array([WIDTH, HEIGHT]) - 1 - extent
    return _laid(frame, portrait, row, linear, extent / 2 + rng.random(2) * np.maximum(room, 0))


def cut(frame: U8, portrait: U8, row: F32, height: float, edge: str, share: float, rng: np.random.Generator) -> Scene:
    """The same with a part of the face outside the frame; the truth is the whole box, as if the frame were larger.

    Args:
        frame, portrait, row, height, rng: as those of `paste`.
        edge: one of `EDGES`; along it the face lies anywhere.
        share: of the box that lies outside, 0..1.
    """
    linear, extent = _posed(row, height, 0.0)
    size = np.array([WIDTH, HEIGHT])
    centre = extent / 2 + rng.random(2) * np.maximum(size - 1 - extent, 0)
    axis, inside = EDGES.index(edge) // 2, 0.5 - share
    centre[axis] = inside * extent[axis] if edge in ("left", "top") else size[axis] - inside * extent[axis]
    scene = _laid(frame, portrait, row, linear, centre)
    seen = ((scene.landmarks >= 0) & (scene.landmarks <= size - 1)).all(1)
    return replace(scene, visible=scene.visible & seen)


def filled(picture: U8, row: F32, height: float, rng: np.random.Generator) -> Scene:
    """A tight crop whose border goes on to the frame's edges, the middle of its face near the frame's.

    Args:
        picture: BGR uint8 (h, w, 3). row: its label. height: of the face's box, pixels. rng: says where.
    """
    linear, _ = _posed(row, height, 0.0)
    centre = np.array([WIDTH, HEIGHT]) * rng.uniform(0.4, 0.6, 2)
    nowhere = np.zeros((HEIGHT, WIDTH, 3), np.uint8)
    return _laid(nowhere, picture, row, linear, centre, cv2.BORDER_REPLICATE)


def _posed(row: F32, height: float, roll: float) -> tuple[F64, F64]:
    """The linear part, 2x2, that makes a face so high and then rolls it, and its box's sides after that."""
    angle, scale = np.deg2rad(roll), height / float(row[3])
    linear = scale * np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    return linear, transform(np.hstack([linear, np.zeros((2, 1))]), row, False)[2:4].astype(np.float64)


def _laid(frame: U8, portrait: U8, row: F32, linear: F64, centre: F64, border: int = cv2.BORDER_TRANSPARENT) -> Scene:
    """A portrait over a copy of a frame, the middle of its face there."""
    matrix = np.hstack([linear, (centre - linear @ (row[0:2] + row[2:4] / 2))[:, None]])
    image = frame.copy()
    small, _, to = shrink(portrait, None, matrix)
    cv2.warpAffine(small, to, (WIDTH, HEIGHT), dst=image, borderMode=border)
    truth = transform(matrix, row, False)
    landmarks = truth[4:].reshape(5, 2)
    eyes = float(np.linalg.norm(landmarks[1] - landmarks[0]))
    return Scene(image, np.concatenate([truth[0:2] - truth[2:4] / 2, truth[2:4]]), landmarks, eyes, ALL)


def together(one: Scene, other: Scene) -> tuple[Scene, Scene]:
    """Two people in one frame: each pixel shows the person whose face is nearer, in heights of that face.

    Args:
        one, other: made of the same frame, their boxes apart.
    """
    nearer = _distance(one.box) <= _distance(other.box)
    image = np.where(nearer[..., None], one.image, other.image)
    return replace(one, image=image), replace(other, image=image)


def _distance(box: F32) -> F32:
    """How far each pixel lies outside a box, in the box's heights, (480, 640); negative inside."""
    x, y, w, h = (float(value) for value in box)
    across = np.abs(np.arange(WIDTH, dtype=np.float32) - x - w / 2) - w / 2
    down = np.abs(np.arange(HEIGHT, dtype=np.float32) - y - h / 2) - h / 2
    return np.maximum(across[None, :], down[:, None]) / np.float32(h)


def expose(scene: Scene, luminance: float, rng: np.random.Generator) -> Scene:
    """The same under other light: the face as it is delivered has this mean luminance.

    The noise is that of `edge.fictional.sensor` (EMVA 1288: variance read^2 + shot * level) times an amplification of
    120 / luminance, at least 1 and at most 4: a camera in the dark runs at the end of its gain.

    Args:
        luminance: mean of the face's box's ellipse after noise and clipping, 0..255.
        rng: of the noise.
    """
    gain = float(np.clip(USUAL / luminance, 1, MOST_GAIN))
    grain = rng.standard_normal(scene.image.shape, np.float32)
    face = ellipse(scene.box)
    pixels, own = scene.image[face][::_EVERY], grain[face][::_EVERY]
    low, high = -5.0, 5.0
    for _ in range(18):  # the mean rises with the light, so halving finds it
        middle = (low + high) / 2
        dark = float(_luma(_taken(pixels, own, np.exp(middle), gain)).mean()) < luminance
        low, high = (middle, high) if dark else (low, middle)
    return replace(scene, image=_taken(scene.image, grain, np.exp((low + high) / 2), gain))


def ellipse(box: F32) -> NDArray[np.bool_]:
    """Which pixels of a frame lie in a box's ellipse, bool (480, 640)."""
    mask = np.zeros((HEIGHT, WIDTH), np.uint8)
    x, y, w, h = (float(value) for value in box)
    cv2.ellipse(mask, ((x + w / 2, y + h / 2), (w, h), 0.0), 1, -1)
    return mask > 0


def luminance_of(image: U8, box: F32) -> float:
    """Mean luminance of a face, 0..255."""
    return float(_luma(image[ellipse(box)]).mean())


def _luma(pixels: U8) -> F32:
    return pixels.astype(np.float32) @ np.array([0.114, 0.587, 0.299], np.float32)


def _taken(pixels: U8, grain: F32, light: float, gain: float) -> U8:
    level = np.minimum(pixels * np.float32(light), 255)
    noise = grain * np.sqrt((READ * gain) ** 2 + SHOT * gain * level)
    return np.clip(level + noise + 0.5, 0, 255).astype(np.uint8)
