"""Labels that follow the pixels: 2x3 affines, and what they do to a face's box and landmarks."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from models.training.data import MIRROR

F32 = NDArray[np.float32]
F64 = NDArray[np.float64]


def transform(matrix: F64, row: F32, mirrored: bool) -> F32:
    """Carry a label row (x, y, w, h, landmarks) through a 2x3 affine; the box is that of its inscribed ellipse.

    Returns:
        float32 (14,): centre x, y, width, height, landmarks.
    """
    linear, shift = matrix[:, :2], matrix[:, 2]
    centre = linear @ (row[0:2] + row[2:4] / 2) + shift
    extent = np.sqrt((linear**2) @ (row[2:4].astype(np.float64) ** 2))
    points = row[4:14].reshape(5, 2) @ linear.T + shift
    points = points[MIRROR] if mirrored else points
    return np.concatenate([centre, extent, points.ravel()]).astype(np.float32)


def similarity(source: F32, target: F32) -> F64:
    """Least-squares similarity (2x3) that carries points (n, 2) onto points; closed form (Umeyama 1991, 2-D)."""
    a, b = source.astype(np.float64), target.astype(np.float64)
    ma, mb = a.mean(0), b.mean(0)
    a, b = a - ma, b - mb
    norm = (a**2).sum()
    re, im = (a * b).sum() / norm, (a[:, 0] * b[:, 1] - a[:, 1] * b[:, 0]).sum() / norm
    linear = np.array([[re, -im], [im, re]])
    return np.hstack([linear, (mb - linear @ ma)[:, None]])


def chain(outer: F64, inner: F64) -> F64:
    """outer after inner, both 2x3."""
    return np.hstack([outer[:, :2] @ inner[:, :2], (outer[:, :2] @ inner[:, 2] + outer[:, 2])[:, None]])
