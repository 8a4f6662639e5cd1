"""How differently groups of people are treated: error rates by group, and the field's measures of their spread.

    rate = corrected(errors=3, pairs=40_000)              # (errors + 0.5) / (pairs + 1)
    spread = spread_of([1e-3, 2e-3, 4e-3])                # max/min, max/geometric mean, Gini
    garbe(fmr, fnmr), inequity_rate(fmr, fnmr)            # one number from both kinds of errors

Formulae
- (errors + 0.5) / (pairs + 1), so that a group without an error has a rate above 0 and ratios exist; NIST IR 8429
  (Grother 2022, *FRVT Part 8: Summarizing Demographic Differentials*), which also proposes the largest rate over the
  geometric mean of all groups, because one small denominator moves max/min at will.
- Inequity Rate, IR = (max FMR / min FMR)^a (max FNMR / min FNMR)^(1 - a); Grother 2021, *Demographic differentials in
  face recognition algorithms* (EAB workshop), as given in Howard et al. 2022.
- GARBE = a G(FMR) + (1 - a) G(FNMR) with G(x) = n / (n - 1) sum_ij |x_i - x_j| / (2 n^2 mean(x)), the Gini coefficient
  with the correction for few groups; Howard, Laird, Sirotin, Rubin, Tipton, Vemury 2022, *Evaluating proposed fairness
  models for face recognition algorithms* (arXiv:2203.05051). 0: all the same, 1: one group has all the errors.

a = 0.5 here. All are taken at one threshold for everybody, as a door has one. Groups with too few people are in none of
them: their rates are chance.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

ALPHA = 0.5


def corrected(errors: int, pairs: int) -> float:
    """(errors + 0.5) / (pairs + 1)."""
    return (errors + 0.5) / (pairs + 1)


@dataclass(frozen=True, slots=True)
class Spread:
    """How one error rate differs between groups; `gini` 0..1, the ratios 1 and more."""

    groups: int
    max_to_min: float
    max_to_geometric_mean: float
    gini: float


def spread_of(rates: Sequence[float]) -> Spread | None:
    """The spread of at least two positive rates; None of fewer."""
    if len(rates) < 2:
        return None
    values = np.array(rates, np.float64)
    mean = float(np.exp(np.log(values).mean()))
    return Spread(len(rates), float(values.max() / values.min()), float(values.max() / mean), gini(rates))


def gini(rates: Sequence[float]) -> float:
    """Gini coefficient of at least two rates, corrected for their number."""
    values = np.array(rates, np.float64)
    n, total = len(values), float(values.sum())
    if total == 0:
        return 0.0
    differences = float(np.abs(values[:, None] - values[None, :]).sum())
    return n / (n - 1) * differences / (2 * n * total)


def garbe(fmr: Sequence[float], fnmr: Sequence[float], alpha: float = ALPHA) -> float:
    """Gini Aggregation Rate for Biometric Equitability."""
    return alpha * gini(fmr) + (1 - alpha) * gini(fnmr)


def inequity_rate(fmr: Sequence[float], fnmr: Sequence[float], alpha: float = ALPHA) -> float:
    """Inequity Rate."""
    return float((max(fmr) / min(fmr)) ** alpha * (max(fnmr) / min(fnmr)) ** (1 - alpha))
