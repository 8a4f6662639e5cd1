"""Renders one moment of a generated kiosk sequence: room, people, card, then light, blur and noise.

    painter = Painter((640, 480), seed=0)
    image = painter.paint(view, index=17)         # BGR uint8 (480, 640, 3), about 5 ms

Layers are premultiplied BGRA and are laid over the room back to front. A body is placed by a similarity; a head goes
through its relief's warp first, so that it turns in depth; sheets (a card with a code, a flat photograph) are planes
in perspective.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import cv2
import numpy as np
import zxingcpp

from edge.fictional.attack import Instrument
from edge.fictional.figure import BODY_LEFT, BODY_SCALE, BODY_TOP, Figure, load_figure
from edge.fictional.mesh import Pose, rotation
from edge.fictional.scene import HeadInView, ShownCard, View
from edge.fictional.sensor import Sensor
from edge.fictional.shown import blend
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


_STEP = 8  # the head's warp is computed at every eighth pixel of the frame and interpolated between
_BOX = 1.2  # a detector's box over hairline to chin


class Painter:
    """Renders views.

    Args:
        size: width and height of a frame.
        seed: of the room and of the noise.
        noise: strength of the sensor noise.
    """

    def __init__(self, size: tuple[int, int], seed: int, *, noise: float = 1.0) -> None:
        self._size, self._seed = size, seed
        self._instrument: tuple[tuple[object, ...], Instrument] | None = None
        self._room = draw_backdrop(seed, size)
        self.sensor = Sensor(seed, size, noise=noise)

    def paint(self, view: View, index: int) -> U8:
        """One frame, BGR uint8 (H, W, 3); ``index`` chooses its noise."""
        unit = self._size[1] / 480
        shake = (view.shake[0] * unit, view.shake[1] * unit)
        shift = np.array([[1, 0, shake[0] - MARGIN], [0, 1, shake[1] - MARGIN]], np.float32)
        room = cv2.warpAffine(self._room, shift, self._size, flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
        canvas = np.asarray(room, np.uint8)
        for head in view.heads:
            self._person(canvas, head, shake)
        if view.card is not None:
            _hold(canvas, view.card)
        return self.sensor.expose(canvas, gain=view.gain, side=view.side, blur=view.blur * unit, index=index)

    def _person(self, canvas: U8, head: HeadInView, shake: tuple[float, float]) -> None:
        figure = load_figure(head.name, head.variant)
        scale, origin = placed(figure, head, self._size, shake)
        if head.attack:
            self._attack(canvas, figure, head)
            return
        if head.flat:
            _photograph(canvas, figure, origin, scale, Pose(head.yaw, head.pitch, head.roll))
            return
        draw_body(canvas, figure, origin, scale)
        draw_head(canvas, figure, origin, scale, Pose(head.yaw, head.pitch, head.roll))

    def _attack(self, canvas: U8, figure: Figure, head: HeadInView) -> None:
        """The person's picture on an instrument that turns as the head would; made anew as it comes nearer."""
        key = (head.name, head.variant, head.attack, round(24 * head.height))
        if self._instrument is None or self._instrument[0] != key:
            high, wide = _BOX * figure.height, 0.78 * _BOX * figure.height
            made = Instrument(
                head.attack,
                figure.portrait,
                face=(figure.centre[0] - wide / 2, figure.centre[1] - high / 2, wide, high),
                height=_BOX * head.height,
                room=canvas,
                rng=np.random.default_rng((self._seed, *head.name.encode(), *head.attack.encode())),
            )
            self._instrument = key, made
        hold = self._instrument[1].hold
        turned = Pose(hold.pose.yaw + head.yaw / 2, hold.pose.pitch + head.pitch, hold.pose.roll + head.roll)
        canvas[:] = self._instrument[1].show(canvas, (head.x, head.y), replace(hold, pose=turned))


def _level(scale: float, levels: int) -> int:
    """Which of the halved pictures to sample, so that it is shrunk by less than two."""
    return int(np.clip(np.floor(-np.log2(max(scale, 1e-3)) + 0.25), 0, levels - 1))


def _window(canvas: U8, low: F32, high: F32) -> tuple[int, int, int, int] | None:
    """left, top, right, bottom of a box, inside the canvas; None when nothing of it is."""
    left, top = (max(0, int(np.floor(value))) for value in low)
    right, bottom = min(canvas.shape[1], int(np.ceil(high[0]))), min(canvas.shape[0], int(np.ceil(high[1])))
    return (left, top, right, bottom) if right > left and bottom > top else None


def placed(
    figure: Figure, head: HeadInView, size: tuple[int, int], shake: tuple[float, float] = (0.0, 0.0)
) -> tuple[float, F32]:
    """Scale of a figure in a frame of this size, and where the portrait's pixel (0, 0) comes to lie."""
    scale = head.height * size[1] / figure.height
    x = head.x * size[0] + shake[0] - scale * figure.centre[0]
    y = head.y * size[1] + shake[1] - scale * figure.centre[1]
    return scale, np.array([x, y], np.float32)


def draw_body(canvas: U8, figure: Figure, origin: F32, scale: float) -> None:
    """A person below the head, in place; ``origin`` and ``scale``: `placed`."""
    level = _level(scale / BODY_SCALE, len(figure.body))
    picture = figure.body[level]
    step = scale / BODY_SCALE * 2**level  # frame pixels for one of the picture's
    corner = origin + scale * np.array([BODY_LEFT, BODY_TOP], np.float32)
    size = step * np.array([picture.shape[1], picture.shape[0]], np.float32)
    window = _window(canvas, corner, corner + size)
    if window is None:
        return
    left, top, right, bottom = window
    place = np.array([[step, 0, corner[0] - left], [0, step, corner[1] - top]], np.float32)
    layer = cv2.warpAffine(picture, place, (right - left, bottom - top), flags=cv2.INTER_LINEAR)
    blend(canvas[top:bottom, left:right], np.asarray(layer, np.uint8))


def draw_head(canvas: U8, figure: Figure, origin: F32, scale: float, pose: Pose) -> None:
    """A head that has turned, in place."""
    level = _level(scale, len(figure.head))
    picture = figure.head[level]
    side = figure.head[0].shape[0] * scale
    window = _window(canvas, origin - 0.06 * side, origin + 1.06 * side)
    if window is None:
        return
    left, top, right, bottom = window
    columns, rows = (right - left) // _STEP + 3, (bottom - top) // _STEP + 3
    grid = np.stack(np.meshgrid(np.arange(columns), np.arange(rows)), axis=-1).astype(np.float32) - 1
    points = grid * _STEP + (_STEP - 1) / 2 + (left, top)  # the pixels on which cv2.resize puts the grid's points
    coarse = figure.relief.sources((points - origin) / scale, pose) / 2**level
    fine = cv2.resize(coarse, None, fx=_STEP, fy=_STEP, interpolation=cv2.INTER_LINEAR)
    x, y = cv2.split(fine[_STEP : _STEP + bottom - top, _STEP : _STEP + right - left])
    blend(canvas[top:bottom, left:right], np.asarray(cv2.remap(picture, x, y, cv2.INTER_LINEAR), np.uint8))


def _photograph(canvas: U8, figure: Figure, origin: F32, scale: float, pose: Pose) -> None:
    """The portrait as a sheet of paper that is turned by hand: a plane, whatever the angle."""
    sheet = cv2.copyMakeBorder(figure.portrait, 10, 10, 10, 10, cv2.BORDER_CONSTANT, value=(236, 238, 240))
    half = sheet.shape[0] / 2
    middle = origin + scale * np.float32(figure.portrait.shape[0] / 2)
    _put_sheet(canvas, sheet, middle, scale * half, scale * half, pose)


def _hold(canvas: U8, card: ShownCard) -> None:
    """A card with a code, tilted. Only a text comes from outside, and is drawn here: no picture gets in this way."""
    code = zxingcpp.create_barcode(card.text, zxingcpp.BarcodeFormat.QRCode, ec_level="M")
    grey = np.array(code.to_image(scale=5, add_quiet_zones=True), np.uint8)
    image = cv2.cvtColor(grey, cv2.COLOR_GRAY2BGR)
    margin = max(4, image.shape[1] // 12)
    sheet = cv2.copyMakeBorder(image, margin, margin, margin, margin, cv2.BORDER_CONSTANT, value=(240, 242, 244))
    wide = card.size * canvas.shape[0] / 2
    middle = np.array([card.x * canvas.shape[1], card.y * canvas.shape[0]], np.float32)
    _put_sheet(
        canvas, sheet, middle, wide, wide * sheet.shape[0] / sheet.shape[1], Pose(card.tilt, 0.4 * card.tilt, card.turn)
    )


def _put_sheet(canvas: U8, sheet: Any, middle: F32, wide: float, high: float, pose: Pose) -> None:
    """Warp a plane of half sizes ``wide`` x ``high`` into the canvas, seen in perspective from five sizes away."""
    corners = np.array([[-wide, -high, 0], [wide, -high, 0], [wide, high, 0], [-wide, high, 0]], np.float32)
    turned = corners @ rotation(pose).T
    seen = turned[:, :2] / (1 + turned[:, 2:] / (5 * max(wide, high))) + middle
    window = _window(canvas, seen.min(axis=0) - 1, seen.max(axis=0) + 2)
    if window is None:
        return
    left, top, right, bottom = window
    rows, columns = sheet.shape[:2]
    shrink = min(1.0, 2.2 * wide / columns)
    if shrink < 0.9:
        sheet = cv2.resize(sheet, None, fx=shrink, fy=shrink, interpolation=cv2.INTER_AREA)
        rows, columns = sheet.shape[:2]
    flat = np.array([[0, 0], [columns, 0], [columns, rows], [0, rows]], np.float32) - 0.5
    place = cv2.getPerspectiveTransform(flat, (seen - (left, top)).astype(np.float32))
    layer = cv2.warpPerspective(cv2.cvtColor(sheet, cv2.COLOR_BGR2BGRA), place, (right - left, bottom - top))
    blend(canvas[top:bottom, left:right], np.asarray(layer, np.uint8))
