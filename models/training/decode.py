"""From the detector's six maps to faces: the reference that training is validated with.

The device's own decoder lives in `edge/face`; a test in tests/training compares the two on the shipped model.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from models.training.data import iou

F32 = NDArray[np.float32]


def decode(
    maps: dict[str, F32],
    strides: tuple[int, ...] = (8, 16),
    threshold: float = 0.5,
    overlap: float = 0.4,
    merge: bool = True,
) -> F32:
    """Faces of one input, best first.

    Args:
        maps: ``score_S`` (h, w, 1) logits, ``box_S`` (h, w, 4), ``landmarks_S`` (h, w, 10), dequantised.
        strides: S of each level.
        threshold: on the sigmoid of the logit.
        overlap: IoU above which the weaker of two boxes is the same face.
        merge: average box and landmarks over the cells of one face, weighted by score; else take the best cell.

    Returns:
        float32 (n, 15): x, y, w, h, five landmarks, score, in input pixels.
    """
    rows = []
    for s in strides:
        score = 1 / (1 + np.exp(-maps[f"score_{s}"][..., 0]))
        row, col = np.nonzero(score >= threshold)
        at = np.stack([col, row], 1).astype(np.float32) * s + s / 2
        box, marks = maps[f"box_{s}"][row, col], maps[f"landmarks_{s}"][row, col]
        size = np.exp(box[:, 2:]) * s
        points = marks.reshape(-1, 5, 2) * s + at[:, None]
        corner = at + box[:, :2] * s - size / 2
        rows.append(np.concatenate([corner, size, points.reshape(-1, 10), score[row, col, None]], 1))
    found = np.concatenate(rows).astype(np.float32)
    found = found[np.argsort(-found[:, 14], kind="stable")]
    kept = []
    while len(found):
        best = found[0]
        share = np.array([iou(best, other) for other in found])
        same = found[share > max(overlap, 0.5)]
        if merge and len(same) > 1:
            best = best.copy()
            best[:14] = np.average(same[:, :14], 0, same[:, 14])
        kept.append(best)
        found = found[share <= overlap]
    return np.array(kept, np.float32).reshape(-1, 15)
