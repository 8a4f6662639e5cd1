"""How sure is a measured rate? Bounds for counts, and for comparisons that share people.

    poisson_upper(3)                                     # 7.75: three events, the mean may be as large as this
    ratio_bounds(errors, trials, rounds=400)             # FNMR: one row a person
    upper_bounds(tail, grid, rounds=400)                 # FMR at every threshold of a grid

Comparisons that share a person are not independent, so people are resampled, never comparisons: every round of the
bootstrap gives each person a Poisson weight of mean 1 (Poisson bootstrap, Hanley and MacGibbon 2006), a genuine
comparison the weight of its person, an impostor comparison the product of both people's weights (the pigeonhole
bootstrap of Owen 2007, which errs on the safe side). Where only few comparisons pass a threshold the bootstrap is too
sure of itself; there the exact Poisson bound of their number is taken if it is larger.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from edge.lab.calibrate_tail import Tail

F64 = NDArray[np.float64]
I64 = NDArray[np.int64]
#: Told how much is done: (done, total).
Tell = Callable[[int, int], None]
#: Above so many events the exact bound adds nothing to the bootstrap.
_MANY = 4000


def _quiet(done: int, total: int) -> None:
    """Nobody is told."""


class Bounds(NamedTuple):
    """A measured rate with a two-sided interval."""

    rate: float
    low: float
    high: float


@lru_cache(maxsize=4)
def _table(size: int) -> F64:
    logarithms: F64 = np.log(np.maximum(np.arange(size, dtype=np.float64), 1.0))
    return logarithms.cumsum()


def _log_factorials(up_to: int) -> F64:
    """log(k!) for k = 0 .. at least ``up_to``; tables of few sizes, since many counts are asked about in a row."""
    return _table(max(8192, 1 << (up_to + 1).bit_length()))


def poisson_upper(count: int, level: float = 0.95) -> float:
    """One-sided exact upper bound of a Poisson mean after ``count`` events, by bisection (Garwood 1936).

    Args:
        count: events seen, at least 0.
        level: 0..1, how often the bound holds.
    """
    # the last terms carry all the weight; logarithms keep them finite
    k = np.arange(max(0, count - _MANY), count + 1)
    factorials = _log_factorials(count)[k]
    low, high = float(count), count + 10.0 + 6.0 * math.sqrt(count + 1.0)
    for _ in range(60):
        middle = (low + high) / 2
        below = float(np.exp(k * math.log(middle) - middle - factorials).sum())
        low, high = (middle, high) if below > 1 - level else (low, middle)
    return high


def ratio_bounds(errors: I64 | F64, trials: I64 | F64, rounds: int = 400, seed: int = 0, level: float = 0.95) -> Bounds:
    """A share of comparisons, such as FNMR, with its interval by resampling people.

    Args:
        errors: (people,), each person's comparisons that went wrong.
        trials: (people,), each person's comparisons.
        rounds: of the bootstrap.
        seed: of the resampling.
        level: two-sided, 0..1.

    Returns:
        The rate over all trials and its interval; all nan without a trial. When nobody or everybody fails the interval
        ends at the exact Poisson bound over people, since a bootstrap of zeros knows nothing.
    """
    total, people = float(np.sum(trials)), int(np.count_nonzero(trials))
    if total == 0:
        return Bounds(math.nan, math.nan, math.nan)
    rate = float(np.sum(errors)) / total
    random = np.random.default_rng(seed)
    draws = np.empty(rounds)
    for r in range(rounds):
        weight = random.poisson(1.0, len(trials))
        draws[r] = (weight @ errors) / max(1e-12, float(weight @ trials))
    low, high = np.quantile(draws, [(1 - level) / 2, (1 + level) / 2])
    few = min(1.0, poisson_upper(0, (1 + level) / 2) / people)
    high = max(float(high), few) if rate == 0 else float(high)
    low = min(float(low), 1 - few) if rate == 1 else float(low)
    return Bounds(rate, low, min(1.0, high))


def upper_bounds(
    tail: Tail, grid: F64, rounds: int, seed: int = 0, level: float = 0.95, tell: Tell = _quiet
) -> tuple[F64, F64]:
    """FMR at each threshold, measured and with its one-sided upper bound.

    Args:
        tail: the highest impostor comparisons of a set.
        grid: ascending thresholds, the first not below ``tail.floor``.
        rounds: of the bootstrap.
        seed: of the resampling.
        level: one-sided, 0..1.
        tell: called after every round.

    Returns:
        (measured, upper), float64 (thresholds,), upper never rising.
    """
    random = np.random.default_rng(seed)
    place = np.searchsorted(grid, tail.score, side="right") - 1  # highest grid threshold that the score reaches
    keep = place >= 0
    place = place[keep]
    a, b = tail.template_person[tail.template[keep]], tail.probe_person[tail.probe[keep]]
    templates, probes = tail.counts()
    share = tail.total / max(1.0, float(templates.sum()) * probes.sum() - float(templates @ probes))
    draws = np.zeros((rounds, len(grid)))
    for r in range(rounds):
        weight = random.poisson(1.0, tail.people).astype(np.float64)
        counts = np.bincount(place, weight[a] * weight[b], minlength=len(grid))
        every = (weight @ templates) * (weight @ probes) - (weight**2) @ (templates * probes)
        draws[r] = counts[::-1].cumsum()[::-1] / max(1e-12, every * share)
        tell(r + 1, rounds)
    measured = np.bincount(place, minlength=len(grid))[::-1].cumsum()[::-1] / tail.total
    bound = np.maximum(np.quantile(draws, level, axis=0), _exact(tail, a, b, place, measured, level))
    return measured, np.maximum.accumulate(bound[::-1])[::-1]


def _exact(tail: Tail, a: I64, b: I64, place: I64, measured: F64, level: float) -> F64:
    """The Poisson bound where few comparisons pass, 0 elsewhere; pairs of people are the events, not comparisons."""
    bound, known = np.zeros(len(measured)), dict[int, float]()
    possible = tail.pairs_of_people
    low, high = np.minimum(a, b).astype(np.int64), np.maximum(a, b)
    # both directions of one pair of people, or several pictures of both, are hardly two events
    order = np.argsort(-place, kind="stable")
    _, first = np.unique((low * tail.people + high)[order], return_index=True)
    pairs_at = np.bincount(place[order][first], minlength=len(measured))[::-1].cumsum()[::-1]
    for index, rate in enumerate(measured):
        pairs = int(pairs_at[index])
        if rate * tail.total > _MANY:
            continue
        if pairs not in known:
            known[pairs] = poisson_upper(pairs, level)
        # without an event: one pair of people is one trial
        bound[index] = rate * known[pairs] / pairs if pairs else known[0] / possible
    return bound
