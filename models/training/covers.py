"""What people wear or hold in front of a face: the detector must find them all the same (the gate judges later)."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

U8 = NDArray[np.uint8]
F32 = NDArray[np.float32]


def occlude(canvas: U8, face: F32, rng: np.random.Generator, stuff: U8 | None = None) -> None:
    """Cover up to half of a face, in place: dark glasses, a mask, a hat, a hand-like blob.

    Args:
        canvas: BGR uint8 (144, 192, 3).
        face: float32 (14,), as `transform` gives it.
        rng: says what and where.
        stuff: a picture like the canvas, what the cover is made of; None makes it of one colour.
    """
    x, y, w, h = (float(v) for v in face[0:4])
    eyes, mouth = face[4:8].reshape(2, 2), face[10:14].reshape(2, 2)
    mask = np.zeros(canvas.shape[:2], np.uint8)
    kind, dim = rng.random(), 1.0
    if kind < 0.25:
        for eye in eyes:
            axes = (max(1, int(w * rng.uniform(0.15, 0.24))), max(1, int(h * rng.uniform(0.08, 0.14))))
            cv2.ellipse(mask, (int(eye[0]), int(eye[1])), axes, 0, 0, 360, 255, -1)
        dim = 0.2
    elif kind < 0.55:
        brow = float(eyes[:, 1].max())
        top = int(brow + rng.uniform(0.25, 0.9) * max(1.0, float(mouth[:, 1].mean()) - brow))
        cv2.rectangle(mask, (int(x - w / 2), top), (int(x + w / 2), int(y + h / 2)), 255, -1)
    elif kind < 0.7:
        bottom = int(float(eyes[:, 1].min()) - rng.uniform(0.08, 0.2) * h)
        cv2.rectangle(mask, (int(x - 0.6 * w), int(y - 0.8 * h)), (int(x + 0.6 * w), bottom), 255, -1)
    else:
        at = (int(x + rng.uniform(-0.5, 0.5) * w), int(y + rng.uniform(-0.4, 0.5) * h))
        axes = (max(1, int(w * rng.uniform(0.15, 0.35))), max(1, int(h * rng.uniform(0.12, 0.3))))
        cv2.ellipse(mask, at, axes, float(rng.uniform(0, 180)), 0, 360, 255, -1)
    where = mask > 0
    canvas[where] = (rng.integers(0, 256, 3) * dim).astype(np.uint8) if stuff is None or dim < 1 else stuff[where]
