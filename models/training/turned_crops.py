"""A training crop whose head looks aside: a picture and its label for the detector's scenes.

    picture, row = looking(picture, row, mesh, rng)

Portraits are frontal, and so are most crops. The label goes where the skin goes: the teacher is not asked again, since
it is as unsure of profiles as the student that learns from it.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from edge.fictional.mesh import Pose
from models.training.heads import Head

U8 = NDArray[np.uint8]
F32 = NDArray[np.float32]
#: Largest turn (degrees of yaw, of pitch), and how far aside a head may look after it; beyond that skin is smeared.
_YAW, _PITCH, _FARTHEST = 40.0, 20.0, 55.0


def looking(picture: U8, row: F32, mesh: F32, rng: np.random.Generator) -> tuple[U8, F32]:
    """Turn a crop's head.

    Args:
        picture: BGR uint8 (S, S, 3), S even.
        row: float32 (15,), its label: box, five landmarks, score.
        mesh: (468, 3), pixels of the picture. rng: says how far.

    Returns:
        the same of the turned head.
    """
    side, points = picture.shape[0], row[4:14].reshape(5, 2)
    head = Head(mesh, points, side)
    yaw = float(np.clip(rng.uniform(-_YAW, _YAW), min(0.0, -_FARTHEST - head.yaw), max(0.0, _FARTHEST - head.yaw)))
    moves = head.relief.displacement(Pose(yaw=yaw, pitch=float(rng.uniform(-_PITCH, _PITCH))))
    places = head.sources(np.eye(2, 3), side, moves)
    seen = cv2.remap(picture, places[..., 0], places[..., 1], cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    before, after = mesh[:, :2], head.carried(mesh[:, :2], moves)
    low, high = after.min(0) - before.min(0), after.max(0) - before.max(0)
    box = np.concatenate([row[:2] + low, row[2:4] + high - low])
    return seen, np.concatenate([box, head.carried(points, moves).ravel(), row[14:]]).astype(np.float32)
