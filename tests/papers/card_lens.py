"""How a camera of 66 degrees (Raspberry Pi Camera Module 3) sees a printed card.

A pinhole of 66 degrees across the frame; the card is turned in space, lit unevenly, shows a gloss spot, is out of focus
by a disc given on the card, and the picture has lens blur, motion and sensor noise. Light is summed on a grid at least
twice as fine as the sensor's.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import cv2
import numpy as np

FIELD_OF_VIEW = math.radians(66)
#: People bring the code, not the card, before the lens: its centre is at this fraction of the card's width.
CENTRE = 0.685


@dataclass(frozen=True)
class View:
    """One way of holding a card.

    Attributes:
        distance: camera to card, mm. tilt: pitch, yaw, roll, degrees. offset: from the axis, fractions of the frame.
        gloss: brightness added in the spot's centre, 0..255; spot: its place on the card, -0.5..0.5 of its width.
        defocus: diameter of the blur disc on the card, mm. motion: pixels along the row. noise: grey levels.
        dark, bright: grey levels of ink and paper in this light. seed: of the noise.
    """

    distance: float
    tilt: tuple[float, float, float] = (0.0, 0.0, 0.0)
    offset: tuple[float, float] = (0.0, 0.0)
    gloss: float = 0.0
    spot: tuple[float, float] = (0.0, 0.0)
    defocus: float = 0.0
    motion: float = 0.0
    noise: float = 3.0
    dark: float = 40.0
    bright: float = 200.0
    seed: int = 0


def some_view(dice: np.random.Generator, distance: float) -> View:
    """How people hold cards: tilted up to 20 degrees, turned up to 30, half of them glossy, slightly out of focus."""
    tilt = tuple(float(v) for v in dice.uniform((-20, -20, -30), (20, 20, 30)))
    return View(
        distance=distance,
        tilt=tilt,  # type: ignore[arg-type]
        offset=(float(dice.uniform(-0.04, 0.04)), float(dice.uniform(-0.04, 0.04))),
        gloss=float(dice.choice([0, 60])),
        spot=(float(dice.uniform(-0.3, 0.5)), float(dice.uniform(-0.3, 0.3))),
        defocus=float(dice.uniform(0, 0.25)),
        motion=float(dice.uniform(0, 1.0)),
        noise=float(dice.uniform(1.5, 4)),
        dark=float(dice.uniform(15, 60)),
        bright=float(dice.uniform(120, 225)),
        seed=int(dice.integers(2**31)),
    )


def see(card: np.ndarray, width_mm: float, size: tuple[int, int], view: View) -> np.ndarray:
    """The luma plane that the camera delivers.

    Args:
        card: uint8 (h, w), the card's face. width_mm: how wide it is printed. size: width and height of the frame.
        view: how it is held.

    Returns:
        uint8 (height, width).
    """
    width, height = size
    focal = width / 2 / math.tan(FIELD_OF_VIEW / 2)
    fine = 2
    scale = fine * focal / view.distance * width_mm / card.shape[1]  # fine pixels per card pixel, in the centre
    if scale < 0.7:  # the warp below interpolates: shrink first, so that it does not skip over ink
        card = cv2.resize(card, None, fx=1.4 * scale, fy=1.4 * scale, interpolation=cv2.INTER_AREA)
    h, w = card.shape
    mm = width_mm / w
    plane = np.array([[mm, 0, -mm * w * CENTRE], [0, mm, -mm * h / 2], [0, 0, 0]])
    pose = _rotation(view.tilt) @ plane
    reach = view.distance * width / focal
    pose[:, 2] += (view.offset[0] * reach, view.offset[1] * reach, view.distance)
    camera = np.array([[focal, 0, width / 2], [0, focal, height / 2], [0, 0, 1]])
    home = np.diag([fine, fine, 1.0]) @ camera @ pose
    seen = cv2.warpPerspective(
        card,
        home,
        (fine * width, fine * height),
        flags=cv2.INTER_LINEAR,
        borderMode=cv2.BORDER_CONSTANT,
        borderValue=80,
    ).astype(np.float32)
    light = view.dark + seen / 255 * (view.bright - view.dark)
    light *= np.linspace(0.8, 1.1, fine * width, dtype=np.float32)[None] * _column(0.9, 1.05, fine * height)
    if view.gloss:
        light += view.gloss * _spot(view, fine * focal / view.distance * width_mm, light.shape)
    disc = fine * focal / view.distance * view.defocus
    light = cv2.GaussianBlur(
        light, (0, 0), math.hypot(0.55 * fine, disc / 4)
    )  # a disc's sigma is a quarter of its width
    if view.motion * fine >= 1:
        light = cv2.blur(light, (round(view.motion * fine), 1))
    picture = cv2.resize(light, size, interpolation=cv2.INTER_AREA)
    picture += np.random.default_rng(view.seed).normal(0, view.noise, picture.shape)
    return np.clip(picture, 0, 255).astype(np.uint8)


def _rotation(tilt: tuple[float, float, float]) -> np.ndarray:
    pitch, yaw, roll = (math.radians(angle) for angle in tilt)
    turns = [cv2.Rodrigues(np.array(axis))[0] for axis in ((pitch, 0, 0), (0, yaw, 0), (0, 0, roll))]
    return turns[0] @ turns[1] @ turns[2]


def _column(first: float, last: float, count: int) -> np.ndarray:
    return np.linspace(first, last, count, dtype=np.float32)[:, None]


def _spot(view: View, wide: float, shape: tuple[int, ...]) -> np.ndarray:
    """A soft light reflected by the card, a tenth of its width across."""
    y, x = np.ogrid[: shape[0], : shape[1]]
    cx, cy = shape[1] / 2 + view.spot[0] * wide, shape[0] / 2 + view.spot[1] * wide
    return np.exp(-((x - cx) ** 2 + (y - cy) ** 2) / 2 / (0.1 * wide) ** 2).astype(np.float32)
