"""Intervals of a false match rate, by resampling people: never pairs, which share people and are not independent.

    low_high = fmr_intervals(detail, trials, pictures, rounds=1000, seed=1)     # float64 (K, 2)

The bootstrap gives every person a Poisson weight w = 1 + e and every impostor pair the product of two of them (as
`edge.lab.bounds`). Written out, the weighted number of false matches is

    X* = X + sum_p e_p X_p + sum_{p<q} e_p e_q x_pq

with X_p the false matches of person p and x_pq those between two people. The last sum has mean 0 and variance sum
x_pq^2 and is uncorrelated with the others; a normal variable stands for it. So the bootstrap needs a few sums by
person and no list of pairs, however many there are (5e9 for 100,000 pictures). Where few pairs of people match
falsely, the bootstrap is too sure of itself: the interval is widened to Wilson's (1927) for that many of all pairs of
people, where it is wider.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from edge.lab.pairing import Trials
from edge.lab.tally import Detail

F64 = NDArray[np.float64]
#: Two-sided, everywhere in the lab.
LEVEL = 0.95
_Z = 1.959963984540054
#: People whose weights are drawn at once (memory).
_AT_ONCE = 4_000_000


def wilson(errors: float, trials: float) -> tuple[float, float]:
    """Wilson's score interval of a share, 95 %; (0, 1) without a trial."""
    if trials <= 0:
        return 0.0, 1.0
    rate, z2 = errors / trials, _Z * _Z
    middle = (rate + z2 / (2 * trials)) / (1 + z2 / trials)
    half = _Z / (1 + z2 / trials) * math.sqrt(rate * (1 - rate) / trials + z2 / (4 * trials * trials))
    low = 0.0 if errors <= 0 else max(0.0, middle - half)
    return low, 1.0 if errors >= trials else min(1.0, middle + half)


def fmr_intervals(detail: Detail, trials: Trials, rounds: int, seed: int) -> F64:
    """The interval of the FMR at every threshold of `Detail`.

    Args:
        detail: after `examine`.
        trials: of the same pairs.
        rounds: of the bootstrap. seed: of its weights.

    Returns:
        float64 (K, 2), low and high; nan without an impostor pair.
    """
    matches = detail.false_matches().astype(np.float64)
    by_person = trials.by_person.astype(np.float64)
    total, levels = by_person.sum() / 2, len(matches)
    if total == 0 or not levels:
        return np.full((levels, 2), np.nan)
    errors = matches.sum(1) / 2
    random = np.random.default_rng(seed)
    draws, step = np.empty((rounds, levels)), max(1, _AT_ONCE // len(by_person))
    for start in range(0, rounds, step):
        off = random.poisson(1.0, (min(step, rounds - start), len(by_person))) - 1.0
        between = random.standard_normal((len(off), levels)) * np.sqrt(detail.squares)
        passed = errors + off @ matches.T + between
        every = total + off @ by_person
        # with very few people a round may draw next to none of them
        draws[start : start + len(off)] = passed / np.maximum(every, 0.05 * total)[:, None]
    low, high = np.quantile(draws, [(1 - LEVEL) / 2, (1 + LEVEL) / 2], axis=0)
    rows = []
    for k in range(levels):
        rate, pairs = errors[k] / total, float(detail.people_pairs[k])
        few = wilson(pairs, float(trials.people_pairs))
        share = pairs / trials.people_pairs
        scale = rate / share if pairs else 1.0
        rows.append((max(0.0, min(low[k], few[0] * scale)), min(1.0, max(high[k], few[1] * scale))))
    return np.array(rows)
