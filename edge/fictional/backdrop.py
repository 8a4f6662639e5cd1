"""The room behind the people: a hall seen by a kiosk's camera, drawn from a seed. No face, nothing like one.

    backdrop = draw_backdrop(seed=3, size=(640, 480))      # BGR uint8, a margin of MARGIN pixels all round

Wall, skirting, tiled floor in perspective, a glazed door with its frame and handle, a strip of lights on the ceiling, a
notice board, a plant: enough straight edges that a camera's focus and shake can be seen, out of focus as a far wall is.
"""

from __future__ import annotations

import cv2
import numpy as np

from edge.types import F32, U8

#: The backdrop is larger than a frame by so much on every side, so that the camera may shake.
MARGIN = 8

_WALLS = ((176, 190, 196), (186, 184, 172), (168, 184, 178), (190, 192, 200), (150, 168, 182))
_FLOORS = ((112, 120, 128), (96, 110, 132), (120, 118, 110))
_DOORS = ((70, 92, 118), (112, 96, 78), (88, 90, 94), (64, 78, 70))


def draw_backdrop(seed: int, size: tuple[int, int]) -> U8:
    """Draw the room.

    Args:
        seed: every seed is another room.
        size: width and height of a frame.

    Returns:
        BGR uint8 (height + 2 MARGIN, width + 2 MARGIN, 3).
    """
    rng = np.random.default_rng((seed, 7))
    width, height = size[0] + 2 * MARGIN, size[1] + 2 * MARGIN
    horizon = 0.66 * height
    room = _wall(rng, width, height)
    _floor(room, rng, horizon)
    _door(room, rng, horizon)
    _board(room, rng)
    _ceiling(room, rng)
    _plant(room, rng, horizon)
    room *= _vignette(rng, width, height)[..., None]
    room += cv2.GaussianBlur(rng.standard_normal((height, width, 1)).astype(np.float32), (0, 0), 1.5)[..., None] * 6
    soft = cv2.GaussianBlur(np.clip(room, 0, 255).astype(np.uint8), (0, 0), 1.3 * height / 496)
    return np.ascontiguousarray(soft)


def _wall(rng: np.random.Generator, width: int, height: int) -> F32:
    colour = np.array(_WALLS[rng.integers(len(_WALLS))], np.float32)
    down = np.linspace(1.08, 0.86, height, dtype=np.float32)[:, None, None]
    clouds = cv2.resize(rng.standard_normal((5, 7)).astype(np.float32), (width, height), interpolation=cv2.INTER_CUBIC)
    return np.ascontiguousarray(colour * down * (1 + 0.03 * clouds[..., None]))


def _floor(room: F32, rng: np.random.Generator, horizon: float) -> None:
    """Tiles in perspective below a skirting board."""
    height, width = room.shape[:2]
    colour = np.array(_FLOORS[rng.integers(len(_FLOORS))], np.float32)
    rows = np.arange(int(horizon), height, dtype=np.float32)
    depth = (height * 1.15 - horizon) / (rows - horizon + 0.12 * height)
    across = (np.arange(width, dtype=np.float32)[None] - width * 0.5) / width * depth[:, None] * 5
    lines = (np.abs(across % 1 - 0.5) > 0.47) | (np.abs(depth * 2.2 % 1 - 0.5) > 0.46)[:, None]
    shade = (1.12 - 0.16 * depth)[:, None] * np.where(lines, 0.86, 1.0)
    room[int(horizon) :] = colour * shade[..., None]
    room[int(horizon) - height // 60 : int(horizon)] *= 0.72


def _door(room: F32, rng: np.random.Generator, horizon: float) -> None:
    """A door frame with a glazed leaf on one side of the room."""
    height, width = room.shape[:2]
    left = int(width * (rng.uniform(0.04, 0.12) if rng.random() < 0.5 else rng.uniform(0.66, 0.74)))
    right, top, bottom = left + int(0.22 * width), int(0.14 * height), int(horizon + 0.02 * height)
    colour = np.array(_DOORS[rng.integers(len(_DOORS))], np.float32)
    edge = max(3, width // 70)
    room[top - edge : bottom, left - edge : right + edge] = colour * 0.62
    room[top:bottom, left:right] = colour
    pane = room[top + 3 * edge : int(0.55 * height), left + 3 * edge : right - 3 * edge]
    glow = np.linspace(1.0, 0.72, pane.shape[0], dtype=np.float32)[:, None, None]
    pane[:] = np.array((214, 206, 190), np.float32) * glow
    pane[:, pane.shape[1] // 2 - 1 : pane.shape[1] // 2 + 2] = colour * 0.8
    grip = int(0.46 * height)
    room[grip : grip + height // 30, right - 2 * edge : right - edge] = 210


def _board(room: F32, rng: np.random.Generator) -> None:
    """A notice board with sheets of paper, away from the middle."""
    height, width = room.shape[:2]
    left, top = int(width * rng.uniform(0.40, 0.46)), int(0.20 * height)
    right, bottom = left + int(0.17 * width), top + int(0.19 * height)
    room[top - 3 : bottom + 3, left - 3 : right + 3] = (70, 80, 92)
    room[top:bottom, left:right] = (118, 150, 178)
    for _ in range(5):
        x, y = int(rng.uniform(left, right - 0.05 * width)), int(rng.uniform(top, bottom - 0.08 * height))
        sheet = room[y : y + int(0.07 * height), x : x + int(0.04 * width)]
        sheet[:] = rng.uniform(205, 240)
        sheet[3:-3:4, 3:-3] = 130


def _ceiling(room: F32, rng: np.random.Generator) -> None:
    """Two lamps, nearly clipped, with their glow on the wall."""
    height, width = room.shape[:2]
    glow = np.zeros((height, width), np.float32)
    for place in (rng.uniform(0.12, 0.3), rng.uniform(0.6, 0.85)):
        left = int(place * width)
        cv2.rectangle(glow, (left, int(0.03 * height)), (left + width // 7, int(0.05 * height)), 1.0, -1)
    room += (cv2.GaussianBlur(glow, (0, 0), 0.09 * height) * 150)[..., None]
    room += (glow * 90)[..., None]


def _plant(room: F32, rng: np.random.Generator, horizon: float) -> None:
    """A pot with leaves near one edge."""
    height, width = room.shape[:2]
    foot = int(width * (0.5 + rng.choice((-1, 1)) * rng.uniform(0.12, 0.16)))
    base, pot = int(horizon + 0.05 * height), height // 14
    for _ in range(26):
        angle, length = rng.uniform(-2.5, -0.64), rng.uniform(0.08, 0.2) * height
        tip = (int(foot + np.cos(angle) * length * 0.8), int(base - pot + np.sin(angle) * length))
        green = (int(rng.uniform(40, 60)), int(rng.uniform(74, 120)), int(rng.uniform(50, 78)))
        cv2.line(room, (foot, base - pot), tip, green, max(2, width // 200), cv2.LINE_AA)
    corners = [
        (foot - pot // 2, base - pot),
        (foot + pot // 2, base - pot),
        (foot + pot // 3, base),
        (foot - pot // 3, base),
    ]
    cv2.fillPoly(room, [np.array(corners, np.int32)], (78, 92, 150), cv2.LINE_AA)


def _vignette(rng: np.random.Generator, width: int, height: int) -> F32:
    """Darker corners, and one side of the room a little brighter."""
    x, y = np.linspace(-1, 1, width, dtype=np.float32)[None], np.linspace(-1, 1, height, dtype=np.float32)[:, None]
    return (1.02 - 0.13 * (x * x + y * y) + float(rng.uniform(-0.08, 0.08)) * x).astype(np.float32)
