"""Presentation attack instruments: a person's picture as a print or on a display, held up before a camera.

    sheet = Instrument("bent_print", picture, face=(x, y, w, h), height=0.45, room=room, rng=rng)
    frame = sheet.show(room, (0.5, 0.5))                        # as it was drawn; the same again at every call
    frame = sheet.show(room, (0.5, 0.5), Hold(Pose(yaw=20)))    # moved, bent or twisted by hand

`picture` is what the attacker has, `room` what the camera would see without the attack; what comes back is the light
before the camera, which `sensor.Sensor` then takes like any other. A print is ink on paper (gamut, paper white,
halftone, streaks, gloss), flat, bent or twisted; a display is light behind two pixel grids, its own and the camera's
(sub-pixels, gamma, colour temperature, flicker bands, glare). Hands hold it, unless it has no border. Everything
follows from ``rng``. Replays with depth, masks, and whatever else real ink and glass do are not in it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import cv2
import numpy as np
from numpy.typing import NDArray

from edge.fictional.mesh import Pose, rotation, undone
from edge.fictional.shown import Hand, arm, blend, display, glare, glass, paper, thumb
from edge.types import F32, U8

#: Attack instrument species (ISO/IEC 30107-3, 3.1.4).
SPECIES = ("print", "bent_print", "borderless_print", "phone", "tablet", "monitor", "borderless_screen")
PRINTS = SPECIES[:3]
_GRID = 17  # points across a sheet at which its shape is computed
_FINER = 1.25  # pixels of a sheet, facing the camera, to one of the frame's
_STEP = 8  # pixels of the frame between two points of the warp
_LIT = 112  # steps of a sheet's light from none to as much as in the room
#: Widths in centimetres, smallest and largest; a hand is measured by them.
_WIDTHS = {"print": (9, 24), "bent_print": (12, 24), "phone": (6, 8), "tablet": (13, 20), "monitor": (30, 55)}
Box = tuple[float, float, float, float]


@dataclass(frozen=True, slots=True)
class Hold:
    """How a sheet is held.

    Attributes:
        pose: degrees. bend: radians from its middle to its edge, about an axis that is turned by ``axis`` radians.
        twist: how far its corners are out of its plane, as a share of its half side.
    """

    pose: Pose = field(default_factory=Pose)
    bend: float = 0.0
    axis: float = 0.0
    twist: float = 0.0

    @classmethod
    def drawn(cls, species: str, rng: np.random.Generator) -> Hold:
        """Some way to hold such an instrument; displays and what fills the view bend and turn little."""
        tilt = 0.35 if species in ("monitor", "borderless_screen", "borderless_print") else 1.0
        pose = Pose(*(float(tilt * rng.normal(0, spread)) for spread in (13, 11, 6)))
        if species not in PRINTS:
            return cls(pose)
        much = {"print": 0.12, "bent_print": 0.9, "borderless_print": 0.15}[species]
        bend = float(np.clip(rng.normal(0, much), -1.3, 1.3))
        twist = float(rng.normal(0, 0.12 if species == "bent_print" else 0.02))
        return cls(pose, bend, float(rng.uniform(0, np.pi)), twist)


class Instrument:
    """One print or display with a person's picture on it.

    Args:
        species: one of `SPECIES`.
        picture: BGR uint8, a person's photograph. face: x, y, width, height of the face in it, pixels.
        height: of the face in the frame, as a share of the frame's.
        room: BGR uint8 (H, W, 3), a frame without the attack: its size and light.
        rng: everything random follows from it; nothing is drawn after this.
        hands: whether they are seen, where the species has any.

    Raises:
        ValueError: there is no such species.
    """

    def __init__(
        self,
        species: str,
        picture: U8,
        *,
        face: Box,
        height: float,
        room: U8,
        rng: np.random.Generator,
        hands: bool = True,
    ) -> None:
        if species not in SPECIES:
            raise ValueError(f"no attack instrument {species!r}: one of {', '.join(SPECIES)}")
        self.species, whole = species, species.startswith("borderless")
        picture, face = _cut(picture, face, rng, whole=whole)
        grow = _FINER * height * room.shape[0] / face[3]
        way = cv2.INTER_AREA if grow < 1 else cv2.INTER_CUBIC
        picture = np.asarray(cv2.resize(picture, None, fx=grow, fy=grow, interpolation=way), np.uint8)
        face = (face[0] * grow, face[1] * grow, face[2] * grow, face[3] * grow)
        if whole:
            picture, face = _filling(picture, face, int(_FINER * 0.85 * max(room.shape[:2])))
        make: Callable[..., tuple[U8, tuple[float, float]]] = paper if species in PRINTS else display
        self.sheet, begin = make(species, picture, room, rng)
        self._centre = np.array([begin[0] + face[0] + face[2] / 2, begin[1] + face[1] + face[3] / 2], np.float32)
        self.hold = Hold.drawn(species, rng)
        self._seed, self._hands = int(rng.integers(1 << 31)), hands

    def show(self, room: U8, place: tuple[float, float], hold: Hold | None = None) -> U8:
        """Hold it before the camera.

        Args:
            room: BGR uint8 (H, W, 3). place: where the face's centre comes to lie, shares of the frame's width, height.
            hold: None: as it was drawn.

        Returns:
            BGR uint8 (H, W, 3), noiseless.
        """
        middle = np.array([place[0] * room.shape[1], place[1] * room.shape[0]], np.float32)
        rng = np.random.default_rng(self._seed)
        surface = _surface(self.sheet, self._centre, middle, hold or self.hold, rng)
        canvas, hand = room.copy(), _hand(self.species, surface, self.sheet, rng) if self._hands else None
        if hand is not None:
            arm(canvas, hand)
        _lay(canvas, self.sheet, surface, rng, emits=self.species not in PRINTS)
        if hand is not None:
            thumb(canvas, hand)
        return canvas


@dataclass(frozen=True, slots=True)
class _Surface:
    """A flat, bent or twisted sheet before the camera.

    Attributes:
        size: width and height in its own pixels. corners: the homography (3, 3) from them to the frame's, were it flat.
        moves: (_GRID, _GRID, 2), by how many of its pixels its shape moves each point of the grid; step: between two.
        light: (_GRID, _GRID), how much light each point gets.
    """

    size: tuple[int, int]
    corners: NDArray[np.float64]
    moves: F32
    step: float
    light: F32

    def seen(self, points: F32) -> F32:
        """Where points (n, 2) of the sheet are seen in the frame."""
        x, y = cv2.split((points[:, None] / self.step).astype(np.float32))
        off = cv2.remap(self.moves, x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)[:, 0]
        moved = (points + off).astype(np.float32)[None]
        return np.asarray(cv2.perspectiveTransform(moved, self.corners)[0], np.float32)


def _cut(picture: U8, face: Box, rng: np.random.Generator, *, whole: bool) -> tuple[U8, Box]:
    """As much of the photograph as the attacker shows: from a passport's framing to all of it."""
    x, y, w, h = face
    spread = 9.0 if whole else float(rng.uniform(0.25, 1.6))
    left, right = max(0, int(x - spread * h)), min(picture.shape[1], int(x + w + spread * h))
    top, bottom = max(0, int(y - 0.8 * spread * h)), min(picture.shape[0], int(y + h + spread * h))
    return picture[top:bottom, left:right], (x - left, y - top, w, h)


def _filling(picture: U8, face: Box, reach: int) -> tuple[U8, Box]:
    """Cut or continued to ``reach`` pixels around the face: it fills the view, however little the photograph shows."""
    x, y = int(face[0] + face[2] / 2), int(face[1] + face[3] / 2)
    rows, columns = picture.shape[:2]
    left, top, right, bottom = (max(0, reach - side) for side in (x, y, columns - x, rows - y))
    whole = cv2.copyMakeBorder(picture, top, bottom, left, right, cv2.BORDER_REPLICATE)
    x, y = x + left, y + top
    part = np.ascontiguousarray(whole[y - reach : y + reach, x - reach : x + reach], np.uint8)
    return part, (reach - face[2] / 2, reach - face[3] / 2, face[2], face[3])


def _surface(sheet: U8, centre: F32, middle: F32, hold: Hold, rng: np.random.Generator) -> _Surface:
    """The sheet's shape and pose, its point ``centre`` at the frame's point ``middle``."""
    rows, columns = sheet.shape[:2]
    side, long = float(max(rows, columns)), 0.5 * max(rows, columns)
    step = (side - 1) / (_GRID - 1)
    v, u = np.mgrid[:_GRID, :_GRID].astype(np.float32) * step
    points = np.stack([u, v], -1)
    solid = _bent(np.dstack([points - centre, np.zeros_like(u)]), long, hold)
    turned, distance = rotation(hold.pose), float(rng.uniform(3, 7)) * long

    def seen(places: F32) -> F32:
        there = places @ turned.T
        return np.asarray(there[..., :2] / _FINER / (1 + there[..., 2:] / distance) + middle, np.float32)

    ends = np.array([[0, 0], [side - 1, 0], [side - 1, side - 1], [0, side - 1]], np.float32)
    flat = np.hstack([ends - centre, np.zeros((4, 1), np.float32)])
    corners = cv2.getPerspectiveTransform(ends, seen(flat))
    back = cv2.perspectiveTransform(seen(solid).reshape(1, -1, 2), np.linalg.inv(corners))
    moves = (back.reshape(_GRID, _GRID, 2) - points).astype(np.float32)
    return _Surface((columns, rows), np.asarray(corners, np.float64), moves, step, _lit(solid, turned, rng))


def _bent(flat: F32, long: float, hold: Hold) -> F32:
    """A developable bend about some axis, and a twist, of points (_GRID, _GRID, 3) of a flat sheet."""
    along = np.array([np.cos(hold.axis), np.sin(hold.axis)], np.float32)
    distance = flat[..., :2] @ along
    solid = flat.copy()
    if abs(hold.bend) > 1e-3:
        angle = hold.bend * distance / long
        solid[..., :2] += (long * np.sin(angle) / hold.bend - distance)[..., None] * along
        solid[..., 2] += long * (1 - np.cos(angle)) / hold.bend
    solid[..., 2] += hold.twist * flat[..., 0] * flat[..., 1] / long
    return solid


def _lit(solid: F32, turned: F32, rng: np.random.Generator) -> F32:
    """Lambert's law on the sheet, and a soft highlight where it is glossy; 1 where it faces the light."""
    across, down = np.gradient(solid, axis=1), np.gradient(solid, axis=0)
    normal = np.cross(across, down) @ turned.T
    normal /= np.linalg.norm(normal, axis=-1, keepdims=True) + 1e-6
    light = np.array([rng.normal(0, 0.5), rng.normal(-0.4, 0.4), 1.0])
    light /= np.linalg.norm(light)
    facing = np.clip(normal @ light, 0.1, 1)
    shade = 1 + rng.uniform(0.3, 1.0) * (facing / float(np.median(facing)) - 1)
    gloss = np.clip(facing - 0.94, 0, 1) / 0.06 if rng.random() < 0.35 else np.zeros_like(facing)
    return np.asarray(np.clip(shade + rng.uniform(0.0, 0.6) * gloss**3, 0.2, 2.2), np.float32)


def _lay(canvas: U8, sheet: U8, surface: _Surface, rng: np.random.Generator, *, emits: bool) -> None:
    """Warp the sheet over the canvas, in place: its light, its shadow, and what a display adds."""
    rows, columns = canvas.shape[:2]
    v, u = np.mgrid[: rows // _STEP + 3, : columns // _STEP + 3].astype(np.float32)
    grid = (np.stack([u, v], -1) - 1) * _STEP + (_STEP - 1) / 2
    flat = cv2.perspectiveTransform(grid.reshape(1, -1, 2), np.linalg.inv(surface.corners)).reshape(grid.shape)
    coarse = undone(surface.moves, flat.astype(np.float32), surface.step)
    within = np.all((coarse > -1) & (coarse < surface.size), axis=-1).astype(np.uint8)
    left, top, wide, high = ((value - 2) * _STEP for value in cv2.boundingRect(within))
    right, bottom = min(columns, left + wide + 6 * _STEP), min(rows, top + high + 6 * _STEP)
    # all that it can reach; what glass adds is laid out over the frame
    part = np.s_[:, :] if emits else np.s_[max(0, top) : bottom, max(0, left) : right]
    places = _finer(coarse, rows, columns)[part]
    x, y = cv2.split(places)
    layer = np.zeros((rows, columns, 4), np.uint8)
    seen = layer[part]
    if seen.size == 0:
        return
    seen[:] = cv2.remap(sheet, x, y, cv2.INTER_LINEAR)
    if emits:
        light = seen[..., :3] * glass(places, max(surface.size), rng)
        light = np.minimum(glare(light, rng), 255) * (seen[..., 3:] / np.float32(255))
        seen[..., :3] = light.astype(np.uint8)
    else:
        x, y = cv2.split(coarse / np.float32(surface.step))
        lit = cv2.remap(surface.light, x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
        much = cv2.convertScaleAbs(_finer(np.asarray(lit, np.float32), rows, columns)[part], alpha=_LIT)
        seen[:] = cv2.multiply(seen, cv2.merge([much, much, much, np.full_like(much, _LIT)]), scale=1 / _LIT)
    if not emits or rng.random() < 0.5:
        fall = rng.normal(0, 0.02) * rows, rng.uniform(0, 0.03) * rows
        _shadow(canvas, layer[..., 3], fall, rng.uniform(0.01, 0.04) * rows, rng.uniform(0.1, 0.45))
    blend(canvas[part], seen)


def _finer(coarse: F32, rows: int, columns: int) -> F32:
    """A value for each of the frame's pixels from those at every `_STEP`-th."""
    fine = cv2.resize(coarse, None, fx=_STEP, fy=_STEP, interpolation=cv2.INTER_LINEAR)
    return np.asarray(fine[_STEP : _STEP + rows, _STEP : _STEP + columns], np.float32)


def _shadow(canvas: U8, mask: U8, fall: tuple[float, float], soft: float, much: float) -> None:
    """Darken what is behind a sheet, in place; it is soft, so a quarter of the size is enough."""
    size = (mask.shape[1] // 4, mask.shape[0] // 4)
    small = cv2.resize(mask, size, interpolation=cv2.INTER_AREA)
    move = np.array([[1, 0, fall[0] / 4], [0, 1, fall[1] / 4]], np.float32)
    small = cv2.GaussianBlur(cv2.warpAffine(small, move, size), (0, 0), soft / 4)
    left = cv2.convertScaleAbs(cv2.resize(small, canvas.shape[1::-1]), alpha=much)
    canvas[:] = cv2.multiply(canvas, cv2.cvtColor(cv2.bitwise_not(left), cv2.COLOR_GRAY2BGR), scale=1 / 255)


def _hand(species: str, surface: _Surface, sheet: U8, rng: np.random.Generator) -> Hand | None:
    """Where a hand holds it: one side or below; None for what stands by itself or is held outside of the view."""
    if species not in _WIDTHS or species == "monitor" or rng.random() < 0.15:
        return None
    rows, columns = sheet.shape[:2]
    left, right = surface.seen(np.array([[0, rows / 2], [columns - 1, rows / 2]], np.float32))
    wide = float(np.linalg.norm(right - left))
    unit = wide / float(rng.uniform(*_WIDTHS[species]))  # pixels of the frame to a centimetre
    sides = [(-1, 0), (1, 0), (0, 1)] if rng.random() < 0.5 else [(-1, 0), (1, 0)]
    chosen = sides[int(rng.integers(len(sides)))]
    both = chosen[1] == 0 and rng.random() < 0.5 and species != "phone"
    grips = []
    for side in [chosen, (-chosen[0], 0)] if both else [chosen]:
        along = float(rng.uniform(0.35, 0.95))
        edge = (columns * along, rows) if side[1] else (columns * (side[0] + 1) / 2, rows * along)
        inner = (edge[0] - 0.1 * side[0] * columns, edge[1] - 0.1 * side[1] * rows)
        at, towards = surface.seen(np.array([edge, inner], np.float32))
        grips.append((at, (towards - at) / (np.linalg.norm(towards - at) + 1e-6)))
    return Hand.drawn(grips, unit, rng)
