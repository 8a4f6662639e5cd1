"""Exact binomial bounds: what so many people or attempts can show at most (Clopper and Pearson 1934).

    clopper_pearson(0, 42)                 # (0.0, 0.084): two-sided, 95 %
    upper(0, 42)                           # 0.069: one-sided
    attempts_for(0.07)                     # 42 without a success show "below 7 %" one-sided; 51 two-sided

Events are people or attempts that are independent of each other; frames of one person are not.
"""

from __future__ import annotations

import math

from edge.lab.intervals import LEVEL


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
