"""Impostor comparisons in bulk: histograms of all scores, and the list of the highest with who was compared.

    tail = compare_all(templates, probes, keep_above)
    bounds = upper_bounds(tail, thresholds, people)

Comparisons that share a person are not independent, so the upper bound resamples people (Poisson bootstrap, one weight
a person, the weight of a comparison is the product), never comparisons. Where only few comparisons pass a threshold the
bootstrap is too sure of itself, and the exact Poisson bound of their number is taken if it is larger.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from models.training.progress import track

F32 = NDArray[np.float32]
F64 = NDArray[np.float64]
#: Bins of 1e-4 over -1..1.
BINS = 20_000


def to_int8(raw: NDArray[np.int8], zero_point: int) -> NDArray[np.int8]:
    """The representation of templates and probes: symmetric int8 with a scale of its own for each vector."""
    z = raw.astype(np.float32) - zero_point
    return np.round(127 * z / np.abs(z).max(axis=-1, keepdims=True)).astype(np.int8)


def unit(vectors: NDArray[np.int8]) -> F32:
    """Unit float32 rows, so that products are cosines."""
    z = vectors.astype(np.float32)
    return z / np.linalg.norm(z, axis=1, keepdims=True)


@dataclass(frozen=True, slots=True)
class Tail:
    """All comparisons of template i with probe j, i != j.

    Attributes:
        histogram: counts over `BINS` bins of the score.
        template, probe, score: the comparisons with a score of `floor` or more.
        people: how many; total: comparisons in all.
    """

    histogram: NDArray[np.int64]
    template: NDArray[np.int32]
    probe: NDArray[np.int32]
    score: F32
    floor: float
    people: int
    total: int

    def rate(self, threshold: float) -> float:
        """Share of comparisons with a score of `threshold` or more (threshold >= floor)."""
        return float(np.count_nonzero(self.score >= threshold)) / self.total


def compare_all(templates: F32, probes: F32, floor: float, block: int = 512) -> Tail:
    """Compare everyone's template with everyone else's probe, in blocks.

    Args:
        templates: unit rows (n, d), row i of person i.
        probes: unit rows (n, d), row i of the same person.
        floor: lowest score to keep in the list.
    """
    count = len(templates)
    histogram = np.zeros(BINS, np.int64)
    parts: list[tuple[NDArray[np.int32], NDArray[np.int32], F32]] = []
    starts = range(0, count, block)
    for start in track(starts, len(starts), "templates compared, blocks"):
        scores = templates[start : start + block] @ probes.T
        own = np.arange(len(scores))
        scores[own, start + own] = -2.0
        bins = ((scores + 1.0) * (BINS / 2)).astype(np.int32)
        histogram += np.bincount(bins.ravel()[scores.ravel() > -1.5].clip(0, BINS - 1), minlength=BINS)
        i, j = np.nonzero(scores >= floor)
        parts.append(((i + start).astype(np.int32), j.astype(np.int32), scores[i, j]))
    template, probe, score = (np.concatenate(column) for column in zip(*parts, strict=True))
    return Tail(histogram, template, probe, score, floor, count, count * (count - 1))


def floor_for(histogram: NDArray[np.int64], rate: float) -> float:
    """A score that about this share of comparisons reaches."""
    above = histogram[::-1].cumsum()[::-1] / histogram.sum()
    return float(np.argmax(above <= rate) / (BINS / 2) - 1)


def poisson_upper(count: int, level: float = 0.95) -> float:
    """One-sided exact upper bound of a Poisson mean after `count` events, by bisection (Garwood 1936)."""
    low, high = float(count), count + 10.0 + 6.0 * math.sqrt(count + 1.0)
    for _ in range(80):
        middle = (low + high) / 2
        # P(X <= count | middle), terms in logarithms
        terms = [-middle + k * math.log(middle) - math.lgamma(k + 1) for k in range(max(0, count - 2000), count + 1)]
        peak = max(terms)
        below = math.exp(peak) * sum(math.exp(t - peak) for t in terms)
        low, high = (middle, high) if below > 1 - level else (low, middle)
    return high


def upper_bounds(tail: Tail, grid: F64, rounds: int, seed: int = 0, level: float = 0.95) -> tuple[F64, F64]:
    """(measured FMR, one-sided upper bound) at each threshold of an ascending grid whose first is >= tail.floor."""
    random = np.random.default_rng(seed)
    place = np.searchsorted(grid, tail.score, side="right") - 1  # highest grid threshold that the score reaches
    keep = place >= 0
    template, probe, place = tail.template[keep], tail.probe[keep], place[keep]
    draws = np.zeros((rounds, len(grid)))
    for r in track(range(rounds), rounds, "bootstrap over people"):
        weight = random.poisson(1.0, tail.people).astype(np.float64)
        counts = np.bincount(place, weight[template] * weight[probe], minlength=len(grid))
        draws[r] = counts[::-1].cumsum()[::-1] / (weight.sum() ** 2 - (weight**2).sum())
    measured = np.bincount(place, minlength=len(grid))[::-1].cumsum()[::-1] / tail.total
    bound = np.quantile(draws, level, axis=0)
    for index, rate in enumerate(measured):
        if rate * tail.total > 4000:
            continue
        # both directions of one pair of people are hardly two events: count pairs, scale the rate by their exact bound
        passed = place >= index
        low, high = np.minimum(template[passed], probe[passed]), np.maximum(template[passed], probe[passed])
        distinct = len(np.unique(low.astype(np.int64) * tail.people + high))
        exact = rate * poisson_upper(distinct) / distinct if distinct else poisson_upper(0) / (tail.total / 2)
        bound[index] = max(bound[index], exact)
    return measured, np.maximum.accumulate(bound[::-1])[::-1]
