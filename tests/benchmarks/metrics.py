"""Figures of merit for one-to-one verification. Scores: larger means more similar; accepted when score >= threshold.

Terms as in ISO/IEC 19795-1: FMR, the share of impostor comparisons that match; TAR = 1 - FNMR.
"""

from __future__ import annotations

import numpy as np

FMRS = (1e-2, 1e-3, 1e-4, 1e-5)
#: Score of every pair with a picture that yielded no embedding.
NOT_ACQUIRED = -1.0


def unit(vectors: np.ndarray, acquired: np.ndarray) -> np.ndarray:
    """float32 (n, D) of length 1; zero rows where nothing was acquired."""
    real = vectors.astype(np.float32)
    norms = np.linalg.norm(real, axis=1, keepdims=True)
    return np.where(acquired[:, None], real / np.maximum(norms, 1e-12), 0).astype(np.float32)


def score_pairs(vectors: np.ndarray, acquired: np.ndarray, rows: np.ndarray, columns: np.ndarray) -> np.ndarray:
    """Cosine of each pair, -1 where either picture was not acquired. float32 (pairs,)."""
    matrix = unit(vectors, acquired)
    scores = (matrix @ matrix.T)[rows, columns]
    scores[~(acquired[rows] & acquired[columns])] = NOT_ACQUIRED
    return scores


def accept_rate(genuine: np.ndarray, impostor: np.ndarray, fmr: float) -> tuple[float, float]:
    """(TAR, threshold) at the lowest threshold at which at most ``fmr`` of the impostor pairs match."""
    allowed = int(fmr * len(impostor))
    next_highest = np.partition(impostor, len(impostor) - 1 - allowed)[len(impostor) - 1 - allowed]
    threshold = float(np.nextafter(np.float32(next_highest), np.float32(2)))
    return float(np.mean(genuine >= threshold)), threshold


def fold_accuracy(scores: np.ndarray, same: np.ndarray, fold: np.ndarray) -> tuple[float, float]:
    """LFW's protocol: (mean, standard error) over folds, each judged at the best threshold of all other folds."""
    rates = []
    for number in np.unique(fold):
        train, test = fold != number, fold == number
        rates.append(float(np.mean((scores[test] >= best_threshold(scores[train], same[train])) == same[test])))
    return float(np.mean(rates)), float(np.std(rates) / np.sqrt(len(rates)))


def best_threshold(scores: np.ndarray, same: np.ndarray) -> float:
    """The threshold with the fewest errors: the middle between two neighbouring scores, exactly."""
    order = np.argsort(scores)
    ranked, right = scores[order], same[order].astype(int)
    # threshold above the first k scores: errors = genuine below it + impostors from k on
    errors = np.concatenate([[0], np.cumsum(right)]) + np.concatenate([np.cumsum((1 - right)[::-1])[::-1], [0]])
    best = int(np.argmin(errors))
    if best == 0:
        return float(ranked[0])
    return float(ranked[-1] + 1e-6) if best == len(ranked) else float((ranked[best - 1] + ranked[best]) / 2)


def overlap(a: np.ndarray, b: np.ndarray) -> float:
    """Intersection over union of two boxes x, y, w, h."""
    width = min(a[0] + a[2], b[0] + b[2]) - max(a[0], b[0])
    height = min(a[1] + a[3], b[1] + b[3]) - max(a[1], b[1])
    shared = max(0.0, float(width)) * max(0.0, float(height))
    return shared / (float(a[2] * a[3] + b[2] * b[3]) - shared)
