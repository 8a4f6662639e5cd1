"""The head in a picture, turned and with another mien: what a student sees where its teacher saw the picture as it is.

    head = Head(mesh, landmarks, 160)                     # once a picture; points in its pixels
    places = head.places(matrix, 112, *drawn(head, rng))  # (112, 112, 2): where in the picture each pixel comes from
    view = cv2.remap(picture, places[..., 0], places[..., 1], cv2.INTER_LINEAR)

One picture is all that is known of most people, and nothing in it teaches that a person who looks aside or smiles is
still that person. The mesh gives its head a depth (`edge.fictional.mesh`, which moves the demo's heads the same way),
and the student must say of the turned head what the teacher says of the straight one. The turned head is aligned again
by its own five landmarks, as the device would align it.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from edge.fictional.mesh import Pose, Relief, undone
from models.training.affine import chain, similarity

F32 = NDArray[np.float32]
F64 = NDArray[np.float64]
#: Height of a mesh in the demo's portraits, pixels, for which `Relief` is made.
_HEIGHT = 190.0
#: One in so many of the mesh's points is enough for a depth that is spread over 9 of the portrait's pixels.
_EVERY = 3
#: Spread of a turn (degrees of yaw, of pitch), its limits, and how far from the camera a head may look after it.
_SPREAD, _LIMITS, _FARTHEST = (14.0, 7.0), (25.0, 15.0), 40.0
#: Places of a mien, as multiples of the eye distance right of and below the eyes' middle, in pairs of left and right
#: (mouth corners, brows, eyelids; lower lip and chin stand alone); and how wide each moves the skin around it.
_PLACES = np.array(
    [[-0.42, 0.98], [0.42, 0.98], [-0.5, -0.3], [0.5, -0.3], [-0.5, 0.06], [0.5, 0.06], [0, 1.18], [0, 1.6]], np.float32
)
_WIDTHS = np.array([0.22, 0.22, 0.25, 0.25, 0.08, 0.08, 0.2, 0.4], np.float32)
#: Standard deviation of a movement (x, y) of each, in eye distances; pairs move alike, in a mirror.
_MOVES = np.array([[0.05, 0.05], [0.015, 0.04], [0.0, 0.02], [0.0, 0.04], [0.0, 0.04]], np.float32)


class Head:
    """The depth of one square picture.

    Args:
        mesh: (468, 3), pixels of the picture.
        landmarks: (5, 2), the alignment's: left eye, right eye, nose, mouth corners.
        side: of the picture, pixels.
    """

    def __init__(self, mesh: F32, landmarks: F32, side: int) -> None:
        self.scale = _HEIGHT / float(np.ptp(mesh[:, 1]))
        self.landmarks = landmarks.astype(np.float32)
        self.relief = Relief(self.scale * mesh[::_EVERY], (int(self.scale * side), int(self.scale * side)))
        (wide, both), (_, deep) = np.cov(mesh[:, 0], mesh[:, 2])
        #: Degrees that it looks aside already, positive to image right: where a face's longer axis from side to side
        #: points, seen from above; that side's cheek is the farther one.
        self.yaw = float(np.rad2deg(np.arctan2(2 * both, wide - deep) / 2))

    def places(self, matrix: F32, size: int, pose: Pose, mien: F32) -> F32:
        """Where in the picture the pixels of a view come from.

        Args:
            matrix: (2, 3) from places of the picture, after its landmarks were laid on their old places, to the view's.
            size: side of the view, even.
            pose: the turn. mien: (8, 2) movements of `_PLACES`, eye distances.

        Returns:
            float32 (size, size, 2).
        """
        moves = self.relief.displacement(pose) + self.bent(mien)
        again = similarity(self.carried(self.landmarks, moves), self.landmarks)
        return self.sources(chain(matrix.astype(np.float64), again), size, moves)

    def sources(self, matrix: F64, size: int, moves: F32) -> F32:
        """The same for a displacement of the relief's grid, and a matrix from the moved picture to the view."""
        back = np.linalg.inv(np.vstack([matrix, [0, 0, 1]]))[:2] * self.scale
        # the field is smooth: a quarter of its points say it all
        v, u = (2 * np.mgrid[: size // 2, : size // 2] + 0.5).astype(np.float32)
        targets = np.stack([u, v, np.ones_like(u)], -1) @ back.T
        found = undone(moves, targets.astype(np.float32), self.relief.step) / self.scale
        return np.asarray(cv2.resize(found, (size, size), interpolation=cv2.INTER_LINEAR), np.float32)

    def carried(self, points: F32, moves: F32) -> F32:
        """Points (n, 2) of the picture after a displacement of the relief's grid."""
        x, y = (self.scale / self.relief.step * points.T[..., None]).astype(np.float32)
        off = cv2.remap(moves, x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)[:, 0]
        return np.asarray(points + off / self.scale, np.float32)

    def bent(self, mien: F32) -> F32:
        """Displacement of the relief's grid by a mien, (rows, columns, 2), its pixels."""
        eyes = self.scale * self.landmarks[:2]
        middle, apart = eyes.mean(0), float(np.linalg.norm(eyes[1] - eyes[0]))
        away = self.relief.points[:, :, None] - (middle + apart * _PLACES)
        near = np.exp(-np.square(away).sum(-1) / (2 * np.square(apart * _WIDTHS)))
        return (near @ (apart * mien)).astype(np.float32)


def drawn(head: Head, rng: np.random.Generator) -> tuple[Pose, F32]:
    """A turn, which leaves the head looking ahead at most `_FARTHEST` degrees aside, and a mien."""
    yaw, pitch = (float(np.clip(rng.normal(0, s), -b, b)) for s, b in zip(_SPREAD, _LIMITS, strict=True))
    yaw = float(np.clip(yaw, min(0.0, -_FARTHEST - head.yaw), max(0.0, _FARTHEST - head.yaw)))
    pairs = rng.normal(0, 1, _MOVES.shape) * _MOVES
    mirrored = pairs[:3] * [-1, 1]
    mien = np.concatenate([np.stack([pairs[:3], mirrored], 1).reshape(-1, 2), pairs[3:]])
    return Pose(yaw=yaw, pitch=pitch), mien.astype(np.float32)
