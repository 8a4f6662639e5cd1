"""How sure is a measured rate? People are resampled, never pairs, which share people and are not independent.

    poisson_upper(3)                                          # 7.75: three events, the mean may be as large as this
    share_interval(misses, trials, rounds=1000)               # FNMR: one entry a person
    fmr_intervals(detail, totals, rounds=1000, seed=1)        # FMR, any number of pairs: float64 (K, 2)
    fmr_upper(tail, grid, rounds=400, seed=1)                 # FMR, the highest comparisons as a list: one-sided

One bootstrap for all: every round gives each person a Poisson weight of mean 1 (Poisson bootstrap, Hanley and MacGibbon
2006), a genuine comparison the weight of its person, an impostor comparison the product of both people's weights (the
pigeonhole bootstrap of Owen 2007, which errs on the safe side). With weights w = 1 + e the weighted number of false
matches is

    X* = X + sum_p e_p X_p + sum_{p<q} e_p e_q x_pq

with X_p the false matches of person p and x_pq those between two people. `fmr_upper` sums the comparisons one by one.
`fmr_intervals` has no list (100,000 pictures make 5e9 pairs): the last sum has mean 0 and variance sum x_pq^2 and is
uncorrelated with the others, and a normal variable stands for it, so that a few sums by person are enough.

Where few pairs of people match falsely the bootstrap is too sure of itself (of zeros it knows nothing), and an exact
bound over people, or pairs of people, is taken where it is wider: Garwood's (1936) or Wilson's (1927).

People or attempts that are independent of each other have exact binomial bounds (Clopper and Pearson 1934):

    clopper_pearson(0, 42)                 # (0.0, 0.084): two-sided, 95 %
    upper(0, 42)                           # 0.069: one-sided
    attempts_for(0.07)                     # 42 without a success show "below 7 %" one-sided; 51 two-sided
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from functools import lru_cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from edge.lab.pairing import Tail, Totals
from edge.lab.progress import Tell, quiet
from edge.lab.tally import Detail

F64 = NDArray[np.float64]
I64 = NDArray[np.int64]
#: Two-sided intervals and one-sided bounds, everywhere in the lab.
LEVEL = 0.95
#: Standard normal quantile of (1 + LEVEL) / 2.
_Z = 1.959963984540054
#: Weights that are drawn at once: 32 MB.
_AT_ONCE = 4_000_000
#: The exact bound of 4,000 events lies 2.6 % above them, the bootstrap's (variance 3 a pair, not 1) 4.5 % or more: from
#: there on it adds nothing.
_MANY = 4000


class Interval(NamedTuple):
    """A measured rate with its two-sided interval; all nan where nothing was measured."""

    rate: float
    low: float
    high: float


@lru_cache(maxsize=8192)
def poisson_upper(count: int, level: float = LEVEL) -> float:
    """One-sided exact upper bound of a Poisson mean after ``count`` events, by bisection (Garwood 1936).

    Args:
        count: events seen, at least 0.
        level: 0..1, how often the bound holds.
    """
    # the last terms carry all the weight; logarithms keep them finite
    k = np.arange(max(0, count - _MANY), count + 1)
    factorials = math.lgamma(k[0] + 1) + np.append(0.0, np.log(k[1:]).cumsum())
    low, high = float(count), count + 10.0 + 6.0 * math.sqrt(count + 1.0)
    for _ in range(60):
        middle = (low + high) / 2
        below = float(np.exp(k * math.log(middle) - middle - factorials).sum())
        low, high = (middle, high) if below > 1 - level else (low, middle)
    return high


def wilson(errors: float, trials: float) -> tuple[float, float]:
    """Wilson's score interval of a share, 95 %; (0, 1) without a trial."""
    if trials <= 0:
        return 0.0, 1.0
    rate, z2 = errors / trials, _Z * _Z
    middle = (rate + z2 / (2 * trials)) / (1 + z2 / trials)
    half = _Z / (1 + z2 / trials) * math.sqrt(rate * (1 - rate) / trials + z2 / (4 * trials * trials))
    low = 0.0 if errors <= 0 else max(0.0, middle - half)
    return low, 1.0 if errors >= trials else min(1.0, middle + half)


def _weights(random: np.random.Generator, rounds: int, people: int) -> Iterator[tuple[slice, F64]]:
    """(some of the rounds, Poisson weights of all people in them, float64 (n, people))."""
    step = max(1, _AT_ONCE // max(1, people))
    for start in range(0, rounds, step):
        part = slice(start, min(rounds, start + step))
        yield part, random.poisson(1.0, (part.stop - start, people)).astype(np.float64)


def share_interval(
    errors: I64 | F64, trials: I64 | F64, rounds: int = 400, seed: int = 0, level: float = LEVEL
) -> Interval:
    """A share of comparisons, such as FNMR, with its interval.

    Args:
        errors: (people,), each person's comparisons that went wrong.
        trials: (people,), each person's comparisons.
        rounds: of the bootstrap. seed: of its weights. level: two-sided, 0..1.

    Returns:
        The rate over all trials and its interval; all nan without a trial. When none or all fail, the interval
        ends at the exact Poisson bound over people.
    """
    total, people = float(np.sum(trials)), int(np.count_nonzero(trials))
    if total == 0:
        return Interval(math.nan, math.nan, math.nan)
    rate, draws = float(np.sum(errors)) / total, np.empty(rounds)
    for part, weight in _weights(np.random.default_rng(seed), rounds, len(trials)):
        draws[part] = (weight @ errors) / np.maximum(1e-12, weight @ trials)
    low, high = (float(end) for end in np.quantile(draws, [(1 - level) / 2, (1 + level) / 2]))
    few = min(1.0, poisson_upper(0, (1 + level) / 2) / people)
    return Interval(rate, min(low, 1 - few) if rate == 1 else low, min(1.0, max(high, few) if rate == 0 else high))


def fmr_intervals(detail: Detail, totals: Totals, rounds: int, seed: int) -> F64:
    """The interval of the FMR at every threshold of `Detail`.

    Args:
        detail: after `examine`.
        totals: of the same pairs.
        rounds: of the bootstrap. seed: of its weights.

    Returns:
        float64 (K, 2), low and high; nan without an impostor pair.
    """
    matches = detail.false_matches().astype(np.float64)
    by_person = totals.by_person.astype(np.float64)
    total, levels = by_person.sum() / 2, len(matches)
    if total == 0 or not levels:
        return np.full((levels, 2), np.nan)
    errors, random, draws = matches.sum(1) / 2, np.random.default_rng(seed), np.empty((rounds, levels))
    for part, weight in _weights(random, rounds, len(by_person)):
        off = weight - 1
        between = random.standard_normal((len(off), levels)) * np.sqrt(detail.squares)
        # with very few people a round may draw next to none of them
        every = np.maximum(total + off @ by_person, 0.05 * total)
        draws[part] = (errors + off @ matches.T + between) / every[:, None]
    low, high = np.quantile(draws, [(1 - LEVEL) / 2, (1 + LEVEL) / 2], axis=0)
    rows = []
    for k, pairs in enumerate(detail.people_pairs.tolist()):
        few = wilson(pairs, totals.people_pairs)
        scale = errors[k] / total * totals.people_pairs / pairs if pairs else 1.0
        rows.append((max(0.0, min(low[k], few[0] * scale)), min(1.0, max(high[k], few[1] * scale))))
    return np.array(rows)


def fmr_upper(
    tail: Tail, grid: F64, rounds: int, seed: int = 0, level: float = LEVEL, tell: Tell = quiet
) -> tuple[F64, F64]:
    """FMR at each threshold, measured and with its one-sided upper bound.

    Args:
        tail: the highest impostor comparisons of a set.
        grid: ascending thresholds, the first not below ``tail.floor``.
        rounds: of the bootstrap. seed: of its weights. level: one-sided, 0..1.
        tell: called after every round.

    Returns:
        (measured, upper), float64 (thresholds,), upper never rising.
    """
    # the highest grid threshold that each score reaches; small types, since there are millions
    place = np.searchsorted(grid, tail.pairs.score, side="right").astype(np.int16) - 1
    keep = place >= 0
    place, a, b = place[keep], *(people[keep] for people in tail.people_of_pairs())

    def reaching(weights: F64 | None = None) -> F64:
        return np.bincount(place, weights, minlength=len(grid))[::-1].cumsum()[::-1]

    templates, probes = tail.by_person()
    share = tail.total / max(1.0, float(templates.sum()) * probes.sum() - float(templates @ probes))
    draws, random = np.zeros((rounds, len(grid))), np.random.default_rng(seed)
    for part, weights in _weights(random, rounds, len(templates)):
        for number, weight in enumerate(weights, part.start):
            every = (weight @ templates) * (weight @ probes) - (weight**2) @ (templates * probes)
            draws[number] = reaching(weight[a] * weight[b]) / max(1e-12, every * share)
            tell(number + 1, rounds)
    measured = reaching() / tail.total
    # both directions of one pair of people, or several pictures of both, are hardly two events
    key = (np.minimum(a, b).astype(np.int64) * len(templates) + np.maximum(a, b)) * len(grid) + len(grid) - 1 - place
    key.sort()  # by pair of people, the highest place of each first
    pair, back = np.divmod(key, len(grid))
    highest = len(grid) - 1 - back[np.append(True, pair[1:] != pair[:-1])[: len(pair)]]
    pairs = np.bincount(highest, minlength=len(grid))[::-1].cumsum()[::-1]
    bound = np.maximum(np.quantile(draws, level, axis=0), _exact(tail, measured, pairs, level))
    return measured, np.maximum.accumulate(bound[::-1])[::-1]


def _exact(tail: Tail, measured: F64, pairs: I64, level: float) -> F64:
    """The Poisson bound where few comparisons pass, 0 elsewhere; pairs of people are the events, not comparisons."""
    bound = np.zeros(len(measured))
    for index in np.flatnonzero(measured * tail.total <= _MANY):
        events = int(pairs[index])
        # without an event: one pair of people is one trial
        scale = measured[index] / events if events else 1 / tail.pairs_of_people()
        bound[index] = scale * poisson_upper(events, level)
    return bound


def clopper_pearson(events: int, trials: int, level: float = LEVEL) -> tuple[float, float]:
    """Two-sided exact interval of a share; (0, 1) where nothing was tried."""
    tail = (1 - level) / 2
    low = 0.0 if events == 0 else 1 - upper(trials - events, trials, 1 - tail)
    return low, upper(events, trials, 1 - tail)


def upper(events: int, trials: int, level: float = LEVEL) -> float:
    """One-sided exact upper bound of a share: the largest under which ``events`` or fewer happen in 1 - level of cases.

    Args:
        events: 0..trials. level: 0..1, how often the bound holds.
    """
    if trials <= 0 or events >= trials:
        return 1.0
    low, high = events / trials, 1.0
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (middle, high) if _at_most(events, trials, middle) > 1 - level else (low, middle)
    return high


def attempts_for(rate: float, level: float = LEVEL, *, two_sided: bool = False) -> int:
    """Attempts without a success that show a rate to be smaller than ``rate`` (0..1)."""
    tail = (1 - level) / (2 if two_sided else 1)
    return math.ceil(math.log(tail) / math.log1p(-rate))


def _at_most(events: int, trials: int, rate: float) -> float:
    """Probability of at most ``events`` in ``trials``."""
    logs = [
        math.lgamma(trials + 1)
        - math.lgamma(k + 1)
        - math.lgamma(trials - k + 1)
        + k * math.log(rate)
        + (trials - k) * math.log1p(-rate)
        for k in range(events + 1)
    ]
    largest = max(logs)
    return math.exp(largest) * math.fsum(math.exp(value - largest) for value in logs)
