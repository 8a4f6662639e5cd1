"""A fictional head turned far: what a camera sees of it, nearer skin in front of farther, and where its landmarks are.

    seen = turn(load_figure("ada"), yaw=45.0)
    scene = stand(frame, figure, seen, at=(320, 220), height=192)

The camera's own warp (`edge.fictional.mesh`) holds to about 25 degrees, since it cannot hide one part of a head behind
another. Here every pixel of the cut-out head is moved by the same depth and drawn back to front. What one portrait
does not show is missing or made up: the far cheek is stretched, the back of the head is an oval in the hair's colour.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from edge.fictional.figure import BODY_LEFT, BODY_SCALE, BODY_TOP, Figure
from edge.fictional.mesh import Pose, rotation
from models.training.recall_scenes import Scene

U8 = NDArray[np.uint8]
F32 = NDArray[np.float32]
#: Room beside the portrait for what turns out of it, in its pixels.
MARGIN = 100
#: Points of MediaPipe's mesh whose means are the five landmarks: left eye, right eye, nose, mouth corners (image left
#: first).
LANDMARKS = ((33, 133), (263, 362), (4,), (61,), (291,))
#: Samples across one pixel: skin that turns towards the camera is stretched up to twice, and no hole may open.
_ACROSS, _WIDER = 5, 2
_GRID = 8  # pixels between the points of `Relief`
#: A landmark lies so many pixels deep behind what is seen there, or more: it is hidden.
_HIDDEN = 9.0
#: The back of the head, in the portrait's pixels: its middle behind the neck's axis, half its depth and width.
_BACK, _DEEP, _WIDE = 12.0, 78.0, 80.0


@dataclass(frozen=True, slots=True)
class Turned:
    """A head under one yaw; coordinates in pixels of the portrait.

    Attributes:
        layer: premultiplied BGRA uint8 (S, S + 2 MARGIN, 4); its column 0 is the portrait's x = -MARGIN.
        mesh: float32 (468, 2), every point of the mesh.
        landmarks: float32 (5, 2); visible: bool (5,), not hidden by the face itself.
        eyes: distance between the eyes in space, which no turn makes shorter.
    """

    layer: U8
    mesh: F32
    landmarks: F32
    visible: NDArray[np.bool_]
    eyes: float


def turn(figure: Figure, mesh: F32, yaw: float) -> Turned:
    """Turn a head about its neck.

    Args:
        figure: a person of `edge.fictional.figure`.
        mesh: float32 (468, 3), theirs.
        yaw: degrees, positive to image right.
    """
    head = figure.head[0]
    side = head.shape[0]
    x, y = np.meshgrid(np.arange(side * _ACROSS, dtype=np.float32) / _ACROSS, np.arange(side, dtype=np.float32))
    depth = _depth(figure, x, y)
    colours = cv2.resize(head, (side * _ACROSS, side), interpolation=cv2.INTER_LINEAR)
    solid = colours[..., 3] > 127
    # frayed edges become opaque: what shows through them would be the wall behind, in the middle of the head
    colours = np.clip(colours * (255 / np.maximum(colours[..., 3:], 1)), 0, 255).astype(np.uint8)
    column, behind = _turned(figure, x[solid], depth[solid], yaw)
    column = np.round((column + MARGIN) * _WIDER).astype(np.int64)
    order = np.argsort(np.round(-16 * behind).astype(np.int16), kind="stable")  # of one place the last one stays
    place = (y[solid].astype(np.int64)[order], np.clip(column, 0, _WIDER * (side + 2 * MARGIN) - 1)[order])
    wide = _skull(figure, yaw, _WIDER)
    nearest = np.full(wide.shape[:2], np.inf, np.float32)
    wide[place], nearest[place] = colours[solid][order], behind[order]
    layer = cv2.resize(wide, (side + 2 * MARGIN, side), interpolation=cv2.INTER_AREA)
    points = np.array([mesh[list(group), :2].mean(0) for group in LANDMARKS], np.float32)
    own = _depth(figure, points[:, :1], points[:, 1:])[:, 0]
    at, far = _turned(figure, points[:, 0], own, yaw)
    columns, rows = np.round((at + MARGIN) * _WIDER).astype(int), np.round(points[:, 1]).astype(int)
    visible = far - nearest[rows, np.clip(columns, 0, wide.shape[1] - 1)] < _HIDDEN
    moved = _turned(figure, mesh[:, 0], _depth(figure, mesh[:, :1], mesh[:, 1:2])[:, 0], yaw)[0]
    eyes = float(np.linalg.norm(np.append(points[1] - points[0], own[1] - own[0])))
    both = np.stack([moved, mesh[:, 1]], 1).astype(np.float32)
    return Turned(layer, both, np.stack([at, points[:, 1]], 1).astype(np.float32), visible, eyes)


def _depth(figure: Figure, x: F32, y: F32) -> F32:
    """How far behind the neck's axis points of the portrait lie (negative: before it), (h, w): a quarter turn shows."""
    quarter = figure.relief.displacement(Pose(yaw=-90))[..., 0]
    grid = np.arange(quarter.shape[1], dtype=np.float32) * _GRID - figure.relief.pivot[0]
    depth = (quarter + grid[None]).astype(np.float32)
    found = cv2.remap(depth, x / _GRID, y / _GRID, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(found, np.float32)


def _turned(figure: Figure, x: F32, depth: F32, yaw: float) -> tuple[F32, F32]:
    """New x and distance of points at x and depth."""
    matrix, off = rotation(Pose(yaw=yaw)), x - figure.relief.pivot[0]
    across = matrix[0, 0] * off + matrix[0, 2] * depth + figure.relief.pivot[0]
    return across, matrix[2, 0] * off + matrix[2, 2] * depth


def _skull(figure: Figure, yaw: float, wider: int) -> U8:
    """An empty layer with the back of the head in it: an ellipsoid's outline in the hair's colour."""
    head = figure.head[0]
    side = head.shape[0]
    layer = np.zeros((side, wider * (side + 2 * MARGIN), 4), np.uint8)
    top = int(np.flatnonzero((head[..., 3] > 127).any(1))[0])
    crown = head[top : top + 40].reshape(-1, 4)
    colour = np.median(crown[crown[:, 3] > 250], axis=0)
    angle = np.deg2rad(yaw)
    middle = _turned(figure, figure.relief.pivot[:1], np.array([_BACK], np.float32), yaw)[0][0]
    half = float(np.hypot(_WIDE * np.cos(angle), _DEEP * np.sin(angle)))
    bottom = figure.centre[1] + 0.25 * figure.height
    centre = (round((middle + MARGIN) * wider), round((top + 14 + bottom) / 2))
    axes = (round(half * wider), round((bottom - top - 14) / 2))
    cv2.ellipse(layer, centre, axes, 0, 0, 360, [float(value) for value in colour], -1, cv2.LINE_AA)
    return layer


def stand(frame: U8, figure: Figure, seen: Turned, at: tuple[float, float], height: float) -> Scene:
    """Put a turned head on its body into a copy of a frame.

    Args:
        frame: BGR uint8 (H, W, 3).
        at: where the middle of the face lies, pixels.
        height: of the face, hairline to chin, pixels.
    """
    image, scale = frame.copy(), height / figure.height
    low, high = seen.mesh.min(0), seen.mesh.max(0)
    origin = np.array(at) - scale * (low + high) / 2
    body = origin + scale * np.array([BODY_LEFT, BODY_TOP])
    _lay(image, figure.body[0], scale / BODY_SCALE, body)
    _lay(image, seen.layer, scale, origin - [scale * MARGIN, 0])
    box = np.concatenate([origin + scale * low, scale * (high - low)])
    landmarks = (origin + scale * seen.landmarks).astype(np.float32)
    return Scene(image, box.astype(np.float32), landmarks, scale * seen.eyes, seen.visible)


def _lay(image: U8, layer: U8, scale: float, origin: NDArray[np.float64]) -> None:
    """A premultiplied layer over an image, in place."""
    matrix = np.array([[scale, 0, origin[0]], [0, scale, origin[1]]])
    over = cv2.warpAffine(layer, matrix, (image.shape[1], image.shape[0]), flags=cv2.INTER_LINEAR)
    rest = cv2.cvtColor(cv2.bitwise_not(over[..., 3]), cv2.COLOR_GRAY2BGR)
    image[:] = cv2.add(cv2.multiply(image, rest, scale=1 / 255), over[..., :3])
