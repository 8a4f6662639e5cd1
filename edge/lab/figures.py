"""From counted scores to figures of merit. Scores: larger means more similar; accepted when score >= threshold.

    threshold = threshold_at(impostor, 1e-3)       # impostor: int64 (BINS,) counts, see `bin_of`
    fmr(impostor, threshold), fnmr(genuine, threshold), equal_error(genuine, impostor)

Terms as in ISO/IEC 19795-1: FMR and FNMR, the shares of impostor and genuine comparisons that are decided wrongly. A
histogram of 65,536 bins stands for any number of comparisons; a threshold is the lower edge of a bin, 3.1e-5 apart.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

F32 = NDArray[np.float32]
F64 = NDArray[np.float64]
I64 = NDArray[np.int64]
#: Bins over -1..1; the last one holds 1.0, too.
BINS = 65_536
_SCALE = (BINS - 1) / 2
#: Score of every pair with a picture that yielded no embedding.
NOT_ACQUIRED = -1.0
#: False match rates that are reported.
FMRS = (1e-2, 1e-3, 1e-4, 1e-5, 1e-6)


def edge_of(place: int) -> float:
    """The lowest score that falls into a bin."""
    return place / _SCALE - 1.0


def bin_of(threshold: float) -> int:
    """The first bin of which every score reaches a threshold that is an edge (or lies between two: the upper one)."""
    return int(np.clip(np.ceil((threshold + 1.0) * _SCALE - 1e-6), 0, BINS))


def binned(scores: F32) -> NDArray[np.uint16]:
    """The bin of each score, uint16."""
    places: NDArray[np.uint16] = np.clip((scores + np.float32(1)) * np.float32(_SCALE), 0, BINS - 1).astype(np.uint16)
    return places


def threshold_at(impostor: I64, fmr: float) -> float | None:
    """The lowest bin edge at which at most ``fmr`` of the impostor comparisons match.

    Returns:
        None when the rate stands for less than one of them: nothing was measured there.
    """
    total = int(impostor.sum())
    allowed = int(fmr * total * (1 + 1e-12))
    if allowed < 1:
        return None
    above = impostor[::-1].cumsum()[::-1]
    place = int(np.argmax(above <= allowed)) if above[-1] <= allowed else BINS
    return edge_of(place)


def fmr(impostor: I64, threshold: float) -> float:
    """Share of impostor comparisons at or above a threshold; nan without any."""
    total = int(impostor.sum())
    return float(impostor[bin_of(threshold) :].sum() / total) if total else float("nan")


def fnmr(genuine: I64, threshold: float) -> float:
    """Share of genuine comparisons below a threshold; nan without any."""
    total = int(genuine.sum())
    return float(genuine[: bin_of(threshold)].sum() / total) if total else float("nan")


def rates(counts: I64) -> F64:
    """Share of comparisons at or above every edge, float64 (BINS + 1,): from 1 to 0."""
    total = max(1, int(counts.sum()))
    falling: F64 = np.append(counts[::-1].cumsum()[::-1], 0).astype(np.float64) / total
    return falling


def equal_error(genuine: I64, impostor: I64) -> float:
    """EER: the rate at which FMR and FNMR are equal, the mean of both where they cross between two edges."""
    if not genuine.sum() or not impostor.sum():
        return float("nan")
    false_match, false_non_match = rates(impostor), 1 - rates(genuine)
    place = int(np.argmax(false_non_match >= false_match))
    near = min((max(0, place - 1), place), key=lambda k: abs(false_match[k] - false_non_match[k]))
    return float(false_match[near] + false_non_match[near]) / 2


def det(genuine: I64, impostor: I64, points: int = 240) -> tuple[F64, F64]:
    """(FMR, FNMR) along the detection error trade-off, at FMRs spread evenly in their logarithm."""
    false_match, false_non_match = rates(impostor), 1 - rates(genuine)
    total = max(1, int(impostor.sum()))
    wanted = np.logspace(0, -np.log10(total), points)
    # false_match falls: the first edge at which it is no more than wanted
    places = np.unique(np.searchsorted(-false_match, -wanted, side="left").clip(0, BINS))
    return false_match[places], false_non_match[places]


def fold_accuracy(scores: F32, same: NDArray[np.bool_], fold: I64) -> tuple[float, float]:
    """LFW's protocol: (mean, standard error) over folds, each judged at the best threshold of all other folds.

    With one fold only there are no others, and it is judged at its own best threshold, which flatters; error 0.
    """
    folds, shares = np.unique(fold), []
    for number in folds:
        test = fold == number
        train = ~test if len(folds) > 1 else test
        shares.append(float(np.mean((scores[test] >= best_threshold(scores[train], same[train])) == same[test])))
    return float(np.mean(shares)), float(np.std(shares) / np.sqrt(len(shares)))


def best_threshold(scores: F32, same: NDArray[np.bool_]) -> float:
    """The threshold with the fewest errors: the middle between two neighbouring scores, exactly."""
    order = np.argsort(scores, kind="stable")
    ranked, right = scores[order].astype(np.float64), same[order].astype(np.int64)
    # threshold above the first k scores: errors = genuine below it + impostors from k on
    errors = np.concatenate([[0], np.cumsum(right)]) + np.concatenate([np.cumsum((1 - right)[::-1])[::-1], [0]])
    best = int(np.argmin(errors))
    if best == 0:
        return float(ranked[0])
    return float(ranked[-1] + 1e-6) if best == len(ranked) else float((ranked[best - 1] + ranked[best]) / 2)
