"""From counted scores to figures of merit. Scores: larger means more similar; accepted when score >= threshold.

    threshold = threshold_at(impostor, 1e-3)       # impostor: int64 (BINS,) counts, see `bin_of`
    fmr(impostor, threshold), fnmr(genuine, threshold), equal_error(genuine, impostor)
    spread_of([1e-3, 2e-3, 4e-3])                  # how differently groups are treated

Terms as in ISO/IEC 19795-1: FMR and FNMR, the shares of impostor and genuine comparisons that are decided wrongly. A
histogram of 64,001 bins stands for any number of comparisons; a threshold is the lower edge of a bin, 1/32,000 apart.

Spread between groups of people, all at one threshold, as a door has one; groups of too few people are left out, since
their rates are chance:
- (errors + 0.5) / (pairs + 1), so that a group without an error has a rate above 0 and ratios exist; NIST IR 8429
  (Grother 2022, *FRVT Part 8: Summarizing Demographic Differentials*), which also proposes the largest rate over the
  geometric mean of all groups, because one small denominator moves max/min at will.
- Inequity Rate, IR = (max FMR / min FMR)^a (max FNMR / min FNMR)^(1 - a); Grother 2021, *Demographic differentials in
  face recognition algorithms* (EAB workshop), as given in Howard et al. 2022.
- GARBE = a G(FMR) + (1 - a) G(FNMR) with G(x) = n / (n - 1) sum_ij |x_i - x_j| / (2 n^2 mean(x)), the Gini coefficient
  with the correction for few groups; Howard, Laird, Sirotin, Rubin, Tipton, Vemury 2022, *Evaluating proposed fairness
  models for face recognition algorithms* (arXiv:2203.05051). 0: all the same, 1: one group has all the errors.
"""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

F32 = NDArray[np.float32]
F64 = NDArray[np.float64]
I64 = NDArray[np.int64]
# Bins a unit of score. A multiple of 1,000, so that a card's thresholds (thousandths) are edges of bins, and small
# enough that a bin's number fits into uint16, which OpenCV counts three times as fast as numpy does.
_SCALE = 32_000
#: Bins over -1..1; the last one holds 1.0 alone.
BINS = 2 * _SCALE + 1
#: Score of every pair with a picture that yielded no embedding.
NOT_ACQUIRED = -1.0
#: False match rates that are reported.
FMRS = (1e-2, 1e-3, 1e-4, 1e-5, 1e-6)
#: Weight of the FMR in GARBE and IR: both kinds of error count the same, as in Howard et al. 2022.
ALPHA = 0.5


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


def histogram(scores: F32) -> I64:
    """Counts by bin, int64 (BINS,)."""
    places, counts = np.ascontiguousarray(binned(scores)).reshape(1, -1), np.zeros(BINS, np.int64)
    # OpenCV counts in float32, which is exact below 2^24 scores a call
    step = 1 << 23
    for start in range(0, places.shape[1], step):
        part = cv2.calcHist([places[:, start : start + step]], [0], None, [BINS], [0, BINS])
        counts += part.ravel().astype(np.int64)
    return counts


def above(counts: I64) -> I64:
    """How many comparisons lie at or above each bin, int64 (BINS,)."""
    falling: I64 = counts[::-1].cumsum()[::-1]
    return falling


def threshold_at(impostor: I64, fmr: float) -> float | None:
    """The lowest bin edge at which at most ``fmr`` of the impostor comparisons match.

    Returns:
        None when the rate stands for less than one of them: nothing was measured there.
    """
    total = int(impostor.sum())
    allowed = int(fmr * total * (1 + 1e-12))
    if allowed < 1:
        return None
    matches = above(impostor)
    return edge_of(int(np.argmax(matches <= allowed)) if matches[-1] <= allowed else BINS)


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
    return np.append(above(counts), 0).astype(np.float64) / max(1, int(counts.sum()))


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


def density(counts: I64, parts: int = 200) -> tuple[F64, F64]:
    """(middle of each part of -1..1, share of comparisons a unit of score) of a histogram, for a plot."""
    edges = np.linspace(0, len(counts), parts + 1).astype(int)
    sums = np.add.reduceat(counts, edges[:-1]).astype(np.float64)
    middle = (edges[:-1] + edges[1:]) / (2 * _SCALE) - 1.0
    return middle, sums / max(1.0, sums.sum()) / (np.diff(edges) / _SCALE)


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


def corrected(errors: int, pairs: int) -> float:
    """(errors + 0.5) / (pairs + 1)."""
    return (errors + 0.5) / (pairs + 1)


def spread_of(rates: Sequence[float]) -> dict[str, float]:
    """How positive rates of groups differ: ``groups``, ``max_to_min``, ``max_to_geometric_mean`` (1 or more), ``gini``.

    Returns:
        Nothing for fewer than two rates.
    """
    if len(rates) < 2:
        return {}
    values = np.array(rates, np.float64)
    mean = float(np.exp(np.log(values).mean()))
    ratios = {"max_to_min": float(values.max() / values.min()), "max_to_geometric_mean": float(values.max() / mean)}
    return {"groups": len(rates), **ratios, "gini": gini(rates)}


def gini(rates: Sequence[float]) -> float:
    """Gini coefficient of at least two rates, 0..1, corrected for their number."""
    values = np.array(rates, np.float64)
    n, total = len(values), float(values.sum())
    differences = float(np.abs(values[:, None] - values[None, :]).sum())
    return n / (n - 1) * differences / (2 * n * total) if total else 0.0


def garbe(fmr: Sequence[float], fnmr: Sequence[float], alpha: float = ALPHA) -> float:
    """Gini Aggregation Rate for Biometric Equitability, 0..1."""
    return alpha * gini(fmr) + (1 - alpha) * gini(fnmr)


def inequity_rate(fmr: Sequence[float], fnmr: Sequence[float], alpha: float = ALPHA) -> float:
    """Inequity Rate, 1 or more."""
    return float((max(fmr) / min(fmr)) ** alpha * (max(fnmr) / min(fnmr)) ** (1 - alpha))


def by_limit(sessions: Sequence[tuple[str, float]], limits: Sequence[float]) -> dict[str, list[float]]:
    """How much passes a passive network at each limit of its suspicion: (person, suspicion) of sessions of one kind.

    Returns:
        ``sessions``: the share of sessions below each limit; ``ever``: of people with any such session; ``always``:
        of people with no other.
    """
    below = np.array([[suspicion < limit for limit in limits] for _, suspicion in sessions])
    people = sorted({person for person, _ in sessions})
    of = [np.array([name == person for name, _ in sessions]) for person in people]
    ever = np.array([below[rows].any(axis=0) for rows in of])
    always = np.array([below[rows].all(axis=0) for rows in of])
    shares = {"sessions": below, "ever": ever, "always": always}
    return {name: [round(float(share), 4) for share in passed.mean(axis=0)] for name, passed in shares.items()}
