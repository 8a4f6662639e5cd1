"""From impostor comparisons to the table of a card: the lowest threshold that is sure to meet each false match rate.

    curve = curve_of(trials, rounds=400, seed=1)            # FMR and its upper bound by threshold
    row = curve.meets(1e-4)                                 # the lowest threshold whose bound meets it, or None

A large set is looked at twice: a sample of its people for rates that many comparisons reach, everybody for the tail,
so that the list of comparisons stays short whatever the number of pictures. A rate that fewer than `FEWEST_ABOVE`
comparisons reach is not claimed: the threshold would rest on a guess. The smallest rate that a card may claim is
therefore the last one whose bound the set carries.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edge.lab.bounds import Tell, _quiet, upper_bounds
from edge.lab.calibrate_tail import Tail, Trials, compare_all, floor_for, sample
from edge.lab.equity import corrected, spread_of

F64 = NDArray[np.float64]
I64 = NDArray[np.int64]
#: Each decade and a third of it, since a session of three looks compares at a third of its target.
TARGETS = tuple(float(f"{value:.4g}") for power in range(2, 8) for value in (10.0**-power, 10.0**-power / 3))
#: A threshold needs so many comparisons above it.
FEWEST_ABOVE = 10
#: A group of fewer people is "too few" to be judged.
FEWEST_PEOPLE = 300
#: Comparisons that are listed at most (about 250 MB with the bootstrap's copies).
_LISTED = 6_000_000
#: Highest rate that the list must reach, a little over the largest target.
_LARGEST = 0.02
#: Scores are told apart in thousandths.
_STEPS = 1000


@dataclass(frozen=True, slots=True)
class Met:
    """The lowest threshold that meets a target: its measured FMR and the bound."""

    threshold: float
    measured: float
    upper: float


@dataclass(frozen=True, slots=True)
class Curve:
    """FMR by threshold, float64 (thresholds,): ascending thresholds, falling rates, upper bounds.

    ``tails`` are the comparisons behind it, the widest last; ``total`` the comparisons of the whole set.
    """

    grid: F64
    measured: F64
    upper: F64
    total: int
    people: int
    tails: tuple[Tail, ...] = field(repr=False)

    def meets(self, target: float) -> Met | None:
        """The lowest threshold whose upper bound meets the target; None when the set does not carry it."""
        enough = self.measured * self.total >= FEWEST_ABOVE
        places = np.flatnonzero(self.upper <= target)
        if not len(places) or not enough[places[0]]:
            return None
        at = int(places[0])
        return Met(round(float(self.grid[at]), 3), float(self.measured[at]), float(self.upper[at]))

    def at(self, threshold: float) -> tuple[float, float]:
        """(measured, upper bound) at the highest listed threshold not above the given one; nan below the list."""
        place = int(np.searchsorted(self.grid, threshold + 1e-9, side="right")) - 1
        return (float(self.measured[place]), float(self.upper[place])) if place >= 0 else (float("nan"), float("nan"))


def curve_of(trials: Trials, rounds: int, seed: int, tell: Tell = _quiet) -> Curve:
    """Compare everybody of a set and bound the FMR at every threshold.

    Args:
        trials: of the set; at least two people.
        rounds: of the bootstrap over people.
        seed: of the bootstrap and of the sample that finds the floor.
        tell: called as comparisons and rounds are done.
    """
    first = compare_all(sample(trials, 2000, seed), 2.0)
    some = sample(trials, _sample_size(trials), seed + 1)
    tails = [compare_all(some, floor_for(first.histogram, _LARGEST))]
    parts = [_part(tails[0], rounds, seed, tell)]
    if some is not trials:
        # everybody, but only what lies so high that the list stays short
        tails.append(compare_all(trials, floor_for(tails[0].histogram, _LISTED / _total(trials)), tell))
        parts.append(_part(tails[1], rounds, seed, tell))
        parts[0] = tuple(column[parts[0][0] < parts[1][0][0]] for column in parts[0])
    grid, measured, upper = (np.concatenate(column) for column in zip(*parts, strict=True))
    upper = np.maximum.accumulate(upper[::-1])[::-1]
    people = int(np.count_nonzero(sum(tails[-1].counts())))
    return Curve(grid, measured, upper, tails[-1].total, people, tuple(tails))


def _total(trials: Trials) -> int:
    return len(trials.templates) * len(trials.probes)


def _sample_size(trials: Trials) -> int:
    """So many people that the list of their highest 2 % stays short."""
    present = len(np.unique(trials.template_person))
    return max(2, int(present * min(1.0, (_LISTED / _LARGEST / max(1, _total(trials))) ** 0.5)))


def _part(tail: Tail, rounds: int, seed: int, tell: Tell) -> tuple[F64, ...]:
    grid: F64 = np.arange(math.ceil(tail.floor * _STEPS - 1e-6), _STEPS).astype(np.float64) / _STEPS
    return (grid, *upper_bounds(tail, grid, rounds, seed, tell=tell))


def overall(curves: dict[str, Curve], targets: tuple[float, ...] = TARGETS) -> list[dict[str, float]]:
    """Rows {fmr, threshold, measured, upper} that hold in every set by itself, as far down as all of them carry.

    The figures of a row are those of the set that demands the highest threshold.
    """
    rows: list[dict[str, float]] = []
    for target in targets:
        met = [curve.meets(target) for curve in curves.values()]
        found = [one for one in met if one is not None]
        if len(found) < len(met):
            break
        hardest = max(found, key=lambda one: one.threshold)
        threshold = max([hardest.threshold, *(row["threshold"] for row in rows)])
        rows.append(
            {
                "fmr": target,
                "threshold": threshold,
                "measured": shortened(hardest.measured),
                "upper": shortened(hardest.upper),
            }
        )
    return rows


@dataclass(frozen=True, slots=True)
class Group:
    """One group of people within a set: its curve (None: too few people), and the scores of what was left out."""

    name: str
    people: int
    curve: Curve | None = None
    left_out: F64 = field(default_factory=lambda: np.zeros(0), repr=False)


def group_rows(groups: Sequence[Group], threshold: float) -> list[dict[str, Any]]:
    """One row a group at one threshold: FMR as (errors + 0.5) / (comparisons + 1), its bound; or "too few"."""
    rows: list[dict[str, Any]] = []
    for group in groups:
        row: dict[str, Any] = {"name": group.name, "people": group.people, "fmr": "too few"}
        if (curve := group.curve) is not None:
            errors = sum_above(curve, threshold)
            fmr = corrected(errors, curve.total)
            row |= {"comparisons": curve.total, "fmr": shortened(fmr)}
            if threshold >= curve.grid[0]:
                row["upper"] = shortened(max(curve.at(threshold)[1], fmr))
            if len(group.left_out):
                errors += int((group.left_out >= threshold).sum())
                row["with_left_out"] = shortened(corrected(errors, curve.total + len(group.left_out)))
        rows.append(row)
    return rows


def sum_above(curve: Curve, threshold: float) -> int:
    """Comparisons of the whole set at or above a threshold, from the histogram of all of them (bins of 1e-4)."""
    histogram = curve.tails[-1].histogram
    start = int(np.ceil((threshold + 1.0) * (len(histogram) / 2) - 1e-6))
    return int(histogram[max(0, start) :].sum())


def spread(rows: list[dict[str, Any]]) -> dict[str, Any]:
    """How unequal: the worst group, and the largest FMR over the geometric mean (NIST IR 8429's measure)."""
    judged = {row["name"]: row["fmr"] for row in rows if isinstance(row["fmr"], float)}
    if not judged:
        return {}
    worst = max(judged, key=lambda name: judged[name])
    found = {"name": worst, "fmr": judged[worst]}
    measures = spread_of(list(judged.values()))
    return found if measures is None else {**found, "max_to_geometric_mean": round(measures.max_to_geometric_mean, 2)}


def shortened(value: float) -> float:
    """Three digits: what a rate is worth."""
    return float(f"{value:.3g}")
