"""The same crop as another picture: another head around it, turned a little, in other light. Both nets see the change.

    canvas = crowned(canvas, other, rng)    # BGR uint8 (160, 160, 3): the face of one, hair and background of another
    canvas = lit(warped(canvas, rng), rng)  # the face stays where it was, roughly
    seen = filled(canvas, known, other, rng)  # for the student alone: something where the picture has an end

A student that copies its teacher on frontal crops of two sets need not copy it on other pictures. What is changed here
is changed before the teacher looks, so that it says itself what the changed picture means; a warped face may well be
another person. Disturbances that must not change the answer belong to `embedder_inputs`, but for `filled`.

FairFace's pictures end at the forehead and beside the ears, and what lies outside is black, which the teacher bears
better than any other border (data README); a door's camera sees hair and a room there. All-Age-Faces has hair, but one
kind of it.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

U8 = NDArray[np.uint8]
F32 = NDArray[np.float32]
#: Shares of canvases that are warped, and that are lit otherwise.
WARPED, LIT = 0.5, 0.4
#: Largest turn of the picture as if it were a card (degrees about the vertical and the horizontal axis), largest
#: logarithm of the stretch, shear, and standard deviation of the wavy displacement (pixels).
_YAW, _PITCH, _STRETCH, _SHEAR, _WAVES = 35.0, 20.0, 0.12, 0.08, 2.5
#: Distance of the card, in its own pixels: how strong the perspective is.
_DISTANCE = 400.0


def crowned(canvas: U8, other: U8, rng: np.random.Generator, known: U8 | None = None) -> U8:
    """The face of one picture in the hair and before the background of another, whose colours are drawn to its skin.

    Args:
        canvas: BGR uint8 (S, S, 3), the face where `embedder_inputs.TEMPLATE` has it for S = 160.
        other: the same of a picture with a whole head.
        rng: varies the outline.
        known: uint8 (S, S), 0 where the canvas lies outside its picture, which the other's shows through; else 255.
    """
    side = canvas.shape[0] / 160
    y, x = (np.arange(canvas.shape[axis], dtype=np.float32) / side for axis in (0, 1))
    across, down, soft = rng.uniform(44, 56), rng.uniform(42, 48), rng.uniform(0.1, 0.3)
    # its upper end lies on the forehead, just above the brows
    apart = np.sqrt(((x[None] - 79.5) / across) ** 2 + ((y[:, None] - 54 - down) / down) ** 2)
    inside = np.clip((1 - apart) / soft + 0.5, 0, 1)[..., None]
    if known is not None:
        inside = inside * cv2.blur(cv2.erode(known, np.ones((7, 7), np.uint8)), (5, 5))[..., None] / 255
    band = (slice(int(58 * side), int(68 * side)), slice(int(55 * side), int(105 * side)))
    tone = (canvas[band].reshape(-1, 3).mean(0) + 5) / (other[band].reshape(-1, 3).mean(0) + 5)
    head = np.clip(other * np.clip(tone, 0.4, 2.5), 0, 255)
    return (canvas * inside + head * (1 - inside)).astype(np.uint8)


def filled(canvas: U8, known: U8, other: U8, rng: np.random.Generator) -> U8:
    """Something in place of the black outside a picture: its own colours smeared, any colours, or another's picture.

    Args:
        canvas: BGR uint8 (S, S, 3), black outside its picture.
        known: uint8 (S, S), 255 inside the picture and 0 outside.
        other: another canvas. rng: says which.
    """
    side, kind = canvas.shape[0], rng.random()
    if kind < 0.3:
        small = cv2.resize(cv2.merge([canvas, known]), (10, 10), interpolation=cv2.INTER_AREA).astype(np.float32)
        soft = cv2.GaussianBlur(small, (0, 0), 1.5)
        other = np.clip(soft[..., :3] * 255 / (soft[..., 3:] + 8), 0, 255).astype(np.uint8)
    elif kind < 0.65:
        cells = rng.integers(2, 7)
        spread = rng.uniform(0, 80)
        other = np.clip(rng.uniform(0, 255, 3) + rng.normal(0, spread, (cells, cells, 3)), 0, 255).astype(np.uint8)
    other = cv2.resize(other, (side, side), interpolation=cv2.INTER_CUBIC)
    unknown = cv2.merge([255 - known] * 3)
    return cv2.add(canvas, cv2.multiply(other, unknown, scale=1 / 255))


def warped(canvas: U8, rng: np.random.Generator) -> U8:
    """Turned, stretched and bent, with any number of channels; the middle stays in the middle."""
    side = canvas.shape[0]
    y, x = np.mgrid[:side, :side].astype(np.float32)
    bend = cv2.resize(rng.normal(0, _WAVES * rng.random(), (5, 5, 2)).astype(np.float32), (side, side))
    points = np.stack([x + bend[..., 0], y + bend[..., 1], np.ones_like(x)], -1) @ _card(side, rng).T
    places = points[..., :2] / points[..., 2:]
    return cv2.remap(canvas, places[..., 0], places[..., 1], cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)


def _card(side: int, rng: np.random.Generator) -> F32:
    """The homography (3, 3) from places of the changed picture to those of the old one."""
    yaw, pitch = np.deg2rad([rng.uniform(-_YAW, _YAW), rng.uniform(-_PITCH, _PITCH)])
    stretch, shear = np.exp(rng.uniform(-_STRETCH, _STRETCH)), rng.uniform(-_SHEAR, _SHEAR)
    # the far side of the card looks smaller: depth grows along x with the yaw and along y with the pitch
    depth = np.array([np.tan(yaw), np.tan(pitch)]) / _DISTANCE
    about = np.array([[stretch, shear, 0], [0, 1 / stretch, 0], [*depth, 1]])
    move = np.array([[1, 0, side / 2 - 0.5], [0, 1, side / 2 - 0.5], [0, 0, 1]])
    return (move @ about @ np.linalg.inv(move)).astype(np.float32)


def lit(canvas: U8, rng: np.random.Generator) -> U8:
    """Another tone curve and colour, light from one side, sometimes grey, sometimes soft."""
    if rng.random() < 0.2:
        canvas = cv2.cvtColor(cv2.cvtColor(canvas, cv2.COLOR_BGR2GRAY), cv2.COLOR_GRAY2BGR)
    if rng.random() < 0.2:
        canvas = cv2.GaussianBlur(canvas, (0, 0), float(rng.uniform(0.5, 1.5)))
    if rng.random() < 0.5:
        side, angle, strength = canvas.shape[0], rng.uniform(0, 2 * np.pi), rng.uniform(0, 0.6)
        at = np.linspace(-1, 1, side, dtype=np.float32)
        ramp = 1 + strength * (np.cos(angle) * at[None, :] + np.sin(angle) * at[:, None])
        canvas = np.clip(canvas * ramp[..., None], 0, 255).astype(np.uint8)
    gamma, gain, lift = np.exp(rng.uniform(-0.4, 0.4)), rng.uniform(0.75, 1.15), rng.uniform(-15, 25)
    tone = np.linspace(0, 1, 256) ** gamma * 255
    colours = gain * rng.uniform(0.9, 1.1, 3)
    table = np.clip(tone[:, None] * colours + lift, 0, 255).astype(np.uint8)
    return cv2.LUT(canvas, table[None])
