"""What paper and displays make of a picture before the camera sees them, and the hands that hold them into view.

sheet, begin = paper("print", picture, room, rng)       # BGRA; where the picture begins on it
sheet, begin = display("phone", picture, room, rng)
light *= glass(places, longest, rng)                    # two pixel grids, flicker
light = glare(light, rng)
arm(canvas, hand); ...; thumb(canvas, hand)             # behind the sheet, then over its edge

The hands are drawn: a detector of attacks has to see that something is held, not whose hand it is.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from edge.types import F32, U8


def paper(species: str, picture: U8, room: U8, rng: np.random.Generator) -> tuple[U8, tuple[float, float]]:
    """Ink on paper under the room's light, BGRA, and where the picture begins on it."""
    matt = rng.random() < 0.6
    black = rng.uniform(30, 75) if matt else rng.uniform(12, 35)
    white = np.array([rng.uniform(215, 250), rng.uniform(220, 248), rng.uniform(220, 250)], np.float32)
    grey = cv2.cvtColor(cv2.cvtColor(picture, cv2.COLOR_BGR2GRAY), cv2.COLOR_GRAY2BGR)
    depth = rng.uniform(0.45, 0.9) if matt else rng.uniform(0.75, 1.15)
    if rng.random() < 0.08:
        depth = 0.0
    ink = cv2.addWeighted(picture, depth, grey, 1 - depth, 0).astype(np.float32) / 255
    ink = ink ** np.exp(rng.normal(0, 0.2, 3)).astype(np.float32)
    sheet = np.asarray(black + (white - black) * ink, np.float32)
    if rng.random() < 0.6:
        sheet += _halftone(sheet.shape[:2], rng) * (rng.uniform(2, 14) * ink * (1 - ink) * 4)
    if rng.random() < 0.3:
        sheet *= 1 + rng.uniform(0.01, 0.05) * rng.standard_normal((sheet.shape[0], 1, 1)).astype(np.float32)
    border = 0
    if species != "borderless_print" and rng.random() < 0.6:
        border = int(rng.uniform(0.02, 0.16) * min(sheet.shape[:2]))
        sheet = _framed(sheet, border, white)
    near = np.clip(float(room.mean()) / 118, 0.35, 1.6) * rng.uniform(0.75, 1.2)
    return _opaque(sheet * near), (float(border), float(border))


def _halftone(shape: tuple[int, ...], rng: np.random.Generator) -> F32:
    """A dot screen at an angle, -1..1 (H, W, 3), its colours' angles 30 degrees apart, as in process printing."""
    y, x = np.mgrid[: shape[0], : shape[1]].astype(np.float32)
    period, first = rng.uniform(2.2, 6.0), rng.uniform(0, np.pi)
    plates = []
    for plate in range(3):
        turn = first + plate * np.pi / 6
        u, v = np.cos(turn) * x + np.sin(turn) * y, np.cos(turn) * y - np.sin(turn) * x
        plates.append(np.cos(2 * np.pi / period * u) * np.cos(2 * np.pi / period * v))
    return np.stack(plates, -1).astype(np.float32)


def display(species: str, picture: U8, room: U8, rng: np.random.Generator) -> tuple[U8, tuple[float, float]]:
    """Light of a display in its frame, BGRA with rounded corners, and where the picture begins in it."""
    glow = picture.astype(np.float32) / 255
    glow = np.clip((glow - 0.5) * rng.uniform(0.95, 1.35) + 0.5, 0, 1) ** np.exp(rng.normal(0, 0.22))
    warm = np.exp(rng.normal(0, 0.1)) if rng.random() < 0.8 else np.exp(rng.normal(0, 0.25))
    shown = glow * np.array([warm, 1.0, 1 / warm], np.float32) * rng.uniform(0.6, 1.45)
    shown += rng.uniform(0.0, 0.1) * float(room.mean()) / 118  # what the glass reflects of the room, everywhere
    sheet = np.asarray(np.clip(255 * shown, 0, 255), np.float32)
    if species == "borderless_screen":
        return _opaque(sheet), (0.0, 0.0)
    side = min(sheet.shape[:2])
    bezel = int(side * (rng.uniform(0.015, 0.07) if species == "phone" else rng.uniform(0.02, 0.1)))
    black = rng.random() < 0.8
    frame = np.full(3, rng.uniform(8, 40) if black else rng.uniform(120, 235)) * rng.uniform(0.9, 1.1, 3)
    bar = 0
    if species == "phone" and rng.random() < 0.75:  # what an application leaves empty above and below
        bar = max(0, int((rng.uniform(1.4, 2.1) * sheet.shape[1] - sheet.shape[0]) / 2))
        tone = rng.uniform(0, 40) if rng.random() < 0.7 else rng.uniform(190, 250)
        empty = np.full((bar, sheet.shape[1], 3), tone, np.float32)
        sheet = np.concatenate([empty, sheet, empty])
    sheet = _framed(sheet, bezel, frame)
    rounded = _opaque(sheet)
    radius = int(side * (rng.uniform(0.04, 0.12) if species == "phone" else rng.uniform(0, 0.03)))
    rounded[..., 3] = _corners(sheet.shape[0], sheet.shape[1], radius)
    rounded[rounded[..., 3] == 0] = 0
    return rounded, (float(bezel), float(bezel + bar))


def _framed(sheet: NDArray[np.floating], wide: int, colour: NDArray[np.floating]) -> F32:
    """The sheet with a border all around it."""
    value = [float(part) for part in colour]
    return np.asarray(cv2.copyMakeBorder(sheet, wide, wide, wide, wide, cv2.BORDER_CONSTANT, value=value), np.float32)


def _corners(rows: int, columns: int, radius: int) -> U8:
    mask = np.zeros((rows, columns), np.uint8)
    mask[radius : rows - radius] = 255
    mask[:, radius : columns - radius] = 255
    for x in (radius, columns - 1 - radius):
        for y in (radius, rows - 1 - radius):
            cv2.circle(mask, (x, y), radius, 255, -1)
    return mask


def _opaque(sheet: F32) -> U8:
    return np.dstack([np.clip(sheet, 0, 255), np.full(sheet.shape[:2], 255.0)]).astype(np.uint8)


def glass(places: F32, longest: int, rng: np.random.Generator) -> F32:
    """What two pixel grids and a pulsed backlight do to a display's light, a factor (H, W, 3).

    Each of the frame's pixels samples the display's grid at one phase, so the beat of both comes by itself; the
    sub-pixels are a third of a pixel apart. How much is left of it is the lens's doing.

    Args:
        places: (H, W, 2), where on the sheet each of the frame's pixels looks. longest: the sheet's longer side.
    """
    lines = rng.uniform(300, 2200)
    strength = rng.gamma(1.0, 0.03) if rng.random() < 0.75 else 0.0
    phase = 2 * np.pi * lines / longest * places
    thirds = 2 * np.pi / 3 * np.arange(3, dtype=np.float32)
    grid = 1 + strength * np.cos(phase[..., :1] + thirds) + 0.6 * strength * np.cos(phase[..., 1:])
    if rng.random() < 0.35:
        rows = np.arange(places.shape[0], dtype=np.float32)[:, None, None] / places.shape[0]
        bands = np.cos(2 * np.pi * (rng.uniform(0.7, 9) * rows + rng.random()))
        grid = grid * (1 + rng.uniform(0.02, 0.2) * bands)
    fall = np.linspace(-1, 1, places.shape[1], dtype=np.float32)[None, :, None]
    return np.asarray(grid * (1 + rng.normal(0, 0.06) * fall), np.float32)


def glare(light: F32, rng: np.random.Generator) -> F32:
    """Lamps and windows on glass, added to its light; soft, whatever their shape."""
    rows, columns = light.shape[:2]
    spots = np.zeros((rows // 4 + 1, columns // 4 + 1), np.float32)
    for _ in range(int(rng.poisson(0.7))):
        x, y = rng.uniform(0, columns / 4), rng.uniform(0, rows / 4)
        wide, high = rng.uniform(0.01, 0.16, 2) * rows / 4
        box = cv2.boxPoints(((float(x), float(y)), (float(2 * wide), float(2 * high)), float(rng.uniform(0, 90))))
        cv2.fillConvexPoly(spots, np.round(box).astype(np.int32), float(rng.uniform(30, 260)))
    if not spots.any():
        return light
    spots = cv2.GaussianBlur(spots, (0, 0), float(rng.uniform(0.5, 0.03 * rows)))
    return np.asarray(light + cv2.resize(spots, (columns, rows))[..., None], np.float32)


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
    x = np.arange(left, right, dtype=np.float32)[None] - np.float32(first[0])
    y = np.arange(top, bottom, dtype=np.float32)[:, None] - np.float32(first[1])
    line = np.asarray(last - first, np.float32)
    share = line / (line @ line + np.float32(1e-6))
    along = np.clip(x * share[0] + y * share[1], np.float32(0), np.float32(1))
    away = np.square(x - along * line[0]) + np.square(y - along * line[1])
    away *= np.float32(4 / wide**2)
    alpha = np.clip((1 - np.sqrt(away)) * np.float32(wide / 3) + np.float32(0.5), np.float32(0), np.float32(1))
    shade = alpha * (np.float32(0.55) + np.float32(0.5) * np.sqrt(np.clip(1 - away, np.float32(0), np.float32(1))))
    layer = cv2.merge([*(np.minimum(shade * np.float32(part), 255 * alpha) for part in colour), 255 * alpha])
    blend(canvas[top:bottom, left:right], layer.astype(np.uint8))


def blend(under: U8, layer: U8) -> None:
    """Put a premultiplied BGRA layer over a picture of its size, in place."""
    rest = cv2.cvtColor(cv2.bitwise_not(layer[..., 3]), cv2.COLOR_GRAY2BGR)
    under[:] = cv2.add(cv2.multiply(under, rest, scale=1 / 255), cv2.cvtColor(layer, cv2.COLOR_BGRA2BGR))
