"""What people wear or hold in front of a face: the detector must find them all the same (the gate judges later)."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

U8 = NDArray[np.uint8]
F32 = NDArray[np.float32]
F64 = NDArray[np.float64]


def occlude(canvas: U8, face: F32, rng: np.random.Generator, stuff: U8 | None = None) -> None:
    """Cover up to half of a face, in place: dark glasses, a mask, a hat, a blob, which may have the skin's colour.

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
        at = np.array([x + rng.uniform(-0.5, 0.5) * w, y + rng.uniform(-0.4, 0.5) * h])
        cv2.fillPoly(mask, [_blob(at, np.array([w, h]) * rng.uniform(0.14, 0.34), rng)], 255)
    where = mask > 0
    if stuff is not None and dim == 1:
        canvas[where] = stuff[where]
    elif kind > 0.85:
        canvas[where] = _skin(canvas, face, rng)
    else:
        canvas[where] = (rng.integers(0, 256, 3) * dim).astype(np.uint8)


def _blob(at: F64, half: F64, rng: np.random.Generator) -> NDArray[np.int32]:
    """A round outline with dents and lobes, turned anyhow; corners (n, 2)."""
    angle = np.linspace(0, 2 * np.pi, 48, endpoint=False)
    waves = [rng.normal(0, 0.3 / n) * np.cos(n * angle + rng.uniform(0, 2 * np.pi)) for n in range(2, 7)]
    ring = (1 + sum(waves))[:, None] * np.stack([np.cos(angle), np.sin(angle)], 1) * half * rng.uniform(0.7, 1.3, 2)
    turn = rng.uniform(0, np.pi)
    ring = ring @ np.array([[np.cos(turn), np.sin(turn)], [-np.sin(turn), np.cos(turn)]])
    return np.asarray(np.round(at + ring), np.int32)


def _skin(canvas: U8, face: F32, rng: np.random.Generator) -> U8:
    """The colour of the face's middle in somewhat other light, as a hand of one's own has it."""
    x, y, half = int(face[0]), int(face[1]), max(1, int(0.15 * face[3]))
    height, width = canvas.shape[:2]
    patch = canvas[max(0, y - half) : min(height, y + half + 1), max(0, x - half) : min(width, x + half + 1)]
    colour = patch.reshape(-1, 3).mean(0) if patch.size else rng.uniform(0, 255, 3)
    return np.asarray(np.clip(colour * rng.uniform(0.7, 1.15), 0, 255), np.uint8)
