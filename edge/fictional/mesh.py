"""Turning a head that exists only as one picture: a depth for every pixel, a rotation, and a smooth warp.

    relief = Relief(mesh, shape=(384, 384))            # once a person
    grid = relief.sources(points, pose)                # where in the picture each point of the turned head comes from

The picture comes with a 3-D mesh of 468 points (MediaPipe's face mesh topology; x right, y down, z away from the
camera, all in pixels). Its z is spread over a coarse grid, smoothly, and continued behind the mesh's edge as a skull
would: so hair and ears turn with the face. A pose moves each grid point by a displacement; the inverse that a warp
needs is found by fixed-point iteration, which converges as long as the displacement's slope stays below one - true up
to about 25 degrees, the generator's limit. Nothing tears, nothing folds; what a turned head would uncover (the far
ear) is stretched instead.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from edge.types import F32

_STEP = 8  # pixels of the picture between two grid points
_SPREAD = 9.0  # pixels, width of the Gaussian that spreads the mesh's depth
_SKULL = 0.55  # depth gained for each pixel beyond the mesh's edge
_DEEPEST = 95.0
_PIVOT_Z = 70.0  # the neck's axis, about where the ears are
_ROUNDS = 6


@dataclass(frozen=True, slots=True)
class Pose:
    """Degrees. Positive yaw: the face turns to image right; positive pitch: it looks down; positive roll: clockwise."""

    yaw: float = 0.0
    pitch: float = 0.0
    roll: float = 0.0


class Relief:
    """The depth of one portrait.

    Args:
        mesh: float32 (N, 3), pixels of the portrait.
        shape: rows and columns of the portrait.

    Attributes:
        points: float32 (rows, columns, 2), a coarse grid over the portrait, `step` pixels apart.
    """

    def __init__(self, mesh: F32, shape: tuple[int, int]) -> None:
        self.hull = np.asarray(cv2.convexHull(mesh[:, :2].astype(np.float32))[:, 0], np.float32)
        self.pivot = np.array([mesh[:, 0].mean(), mesh[:, 1].max() - 0.25 * np.ptp(mesh[:, 1]), _PIVOT_Z], np.float32)
        rows, columns = (side // _STEP + 1 for side in shape)
        y, x = np.mgrid[:rows, :columns].astype(np.float32) * _STEP
        self.points: F32 = np.stack([x, y], axis=-1)
        self.step = _STEP
        self._depth = _spread(mesh, self.points, self.hull)

    def displacement(self, pose: Pose) -> F32:
        """How far each grid point moves under a pose, float32 (rows, columns, 2), pixels of the portrait."""
        solid = np.dstack([self.points, self._depth]) - self.pivot
        moved = solid @ rotation(pose).T
        return np.ascontiguousarray((moved - solid)[..., :2], dtype=np.float32)

    def sources(self, targets: F32, pose: Pose) -> F32:
        """Where the turned head's pixels come from.

        Args:
            targets: float32 (h, w, 2), points of the turned portrait, pixels.
            pose: the turn.

        Returns:
            float32 (h, w, 2): the points of the straight portrait that are seen there.
        """
        return undone(self.displacement(pose), targets, self.step)


def undone(moves: F32, targets: F32, step: float) -> F32:
    """Where points came from that a smooth displacement has moved, by fixed-point iteration.

    Args:
        moves: float32 (rows, columns, 2), how far the points of a grid move, pixels.
        targets: float32 (h, w, 2), points after the move, pixels.
        step: pixels between two points of the grid.

    Returns:
        float32 (h, w, 2).
    """
    targets = np.ascontiguousarray(targets, dtype=np.float32)
    found = targets
    for _ in range(_ROUNDS):
        x, y = cv2.split(found / step)
        there = cv2.remap(moves, x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
        found = targets - np.asarray(there, np.float32)
    return found


def rotation(pose: Pose) -> NDArray[np.float32]:
    """The (3, 3) rotation roll * pitch * yaw in the mesh's axes (x right, y down, z away)."""
    yaw, pitch, roll = np.deg2rad([-pose.yaw, pose.pitch, pose.roll])
    # The face looks towards -z, so turning it to +x (image right) is a negative rotation about y, which points down.
    about_y = [[np.cos(yaw), 0, np.sin(yaw)], [0, 1, 0], [-np.sin(yaw), 0, np.cos(yaw)]]
    about_x = [[1, 0, 0], [0, np.cos(pitch), -np.sin(pitch)], [0, np.sin(pitch), np.cos(pitch)]]
    about_z = [[np.cos(roll), -np.sin(roll), 0], [np.sin(roll), np.cos(roll), 0], [0, 0, 1]]
    return (np.array(about_z) @ np.array(about_x) @ np.array(about_y)).astype(np.float32)


def _spread(mesh: F32, points: F32, hull: F32) -> F32:
    """Depth on the grid: a Gaussian-weighted mean of the mesh's z (Nadaraya-Watson), sloping back outside its hull."""
    flat = points.reshape(-1, 2)
    x, y = flat[:, :1] - mesh[None, :, 0], flat[:, 1:] - mesh[None, :, 1]
    squares = x * x + y * y
    squares -= squares.min(axis=1, keepdims=True)  # the nearest point always weighs 1, however far it is
    weights = np.exp(-squares / (2 * _SPREAD**2))
    depth = (weights @ mesh[:, 2]) / weights.sum(axis=1)
    outside = np.array([-cv2.pointPolygonTest(hull, (float(u), float(v)), True) for u, v in flat], np.float32)
    depth = np.minimum(depth + _SKULL * np.maximum(outside, 0), _DEEPEST)
    return np.asarray(cv2.GaussianBlur(depth.reshape(points.shape[:2]).astype(np.float32), (0, 0), 0.8), np.float32)
