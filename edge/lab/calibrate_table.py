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
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edge.lab.figures import bin_of, corrected, spread_of
from edge.lab.intervals import fmr_upper
from edge.lab.pairing import Tail, Trials, compare_all, floor_for
from edge.lab.progress import Tell, quiet

F64 = NDArray[np.float64]
#: Each decade and a third of it, since a session of three looks compares at a third of its target.
TARGETS = tuple(float(f"{value:.4g}") for power in range(2, 8) for value in (10.0**-power, 10.0**-power / 3))
#: A threshold needs so many comparisons above it: ten events have a relative error of a third.
FEWEST_ABOVE = 10
#: A group of fewer people is "too few": 300 people are 44,850 pairs, 45 of them at a rate of 1e-3; 100 people 5.
FEWEST_PEOPLE = 300
#: Comparisons that are listed at most: 5.8 million of 17,000 people took 360 MB with the bootstrap's copies.
_LISTED = 6_000_000
#: Highest rate that the list must reach, a little over the largest target.
_LARGEST = 0.02
#: Scores are told apart in thousandths.
_STEPS = 1000
#: People whose comparisons show where the tail begins.
_FIRST = 2000


@dataclass(frozen=True, slots=True)
class FmrCurve:
    """FMR by threshold, float64 (thresholds,): ascending thresholds, falling rates, upper bounds.

    ``tails`` are the comparisons behind it, the widest last; ``total`` the comparisons of the whole set.
    """

    grid: F64
    measured: F64
    upper: F64
    total: int
    people: int
    tails: tuple[Tail, ...] = field(repr=False)

    def meets(self, target: float) -> dict[str, float] | None:
        """The lowest threshold whose upper bound meets the target: {threshold, measured, upper}; None without one."""
        places = np.flatnonzero(self.upper <= target)
        if not len(places) or self.measured[places[0]] * self.total < FEWEST_ABOVE:
            return None
        at = places[0]
        rates = {"measured": shortened(self.measured[at]), "upper": shortened(self.upper[at])}
        return {"threshold": round(float(self.grid[at]), 3), **rates}

    def at(self, threshold: float) -> tuple[float, float]:
        """(measured, upper bound) at the highest listed threshold not above the given one; nan below the list."""
        place = int(np.searchsorted(self.grid, threshold + 1e-9, side="right")) - 1
        return (float(self.measured[place]), float(self.upper[place])) if place >= 0 else (math.nan, math.nan)

    def errors(self, threshold: float) -> int:
        """Comparisons of the whole set at or above a threshold, from the histogram of all of them."""
        return int(self.tails[-1].histogram[bin_of(threshold) :].sum())


def curve_of(trials: Trials, rounds: int, seed: int, tell: Tell = quiet) -> FmrCurve:
    """Compare everybody of a set and bound the FMR at every threshold.

    Args:
        trials: of the set; at least two people.
        rounds: of the bootstrap over people.
        seed: of the bootstrap and of the sample that finds the floor.
        tell: called as comparisons and rounds are done.
    """
    first = compare_all(trials.sample(_FIRST, seed), 2.0)
    total = len(trials.templates) * len(trials.probes)
    # so many people that the list of their highest 2 % stays short
    share = min(1.0, (_LISTED / _LARGEST / max(1, total)) ** 0.5)
    some = trials.sample(max(2, int(len(trials.present()) * share)), seed + 1)
    tails = [compare_all(some, floor_for(first.histogram, _LARGEST))]
    parts = [_part(tails[0], rounds, seed, tell)]
    if some is not trials:
        # everybody, but only what lies so high that the list stays short
        tails.append(compare_all(trials, floor_for(tails[0].histogram, _LISTED / total), tell))
        parts.append(_part(tails[1], rounds, seed, tell))
        parts[0] = tuple(column[parts[0][0] < parts[1][0][0]] for column in parts[0])
    grid, measured, upper = (np.concatenate(column) for column in zip(*parts, strict=True))
    upper = np.maximum.accumulate(upper[::-1])[::-1]
    return FmrCurve(grid, measured, upper, tails[-1].total, len(trials.present()), tuple(tails))


def _part(tail: Tail, rounds: int, seed: int, tell: Tell) -> tuple[F64, ...]:
    grid: F64 = np.arange(math.ceil(tail.floor * _STEPS - 1e-6), _STEPS).astype(np.float64) / _STEPS
    return (grid, *fmr_upper(tail, grid, rounds, seed, tell=tell))


def overall(curves: Mapping[str, FmrCurve], targets: Sequence[float] = TARGETS) -> list[dict[str, float]]:
    """Rows {fmr, threshold, measured, upper} that hold in every set by itself, as far down as all of them carry.

    The figures of a row are those of the set that demands the highest threshold.
    """
    rows: list[dict[str, float]] = []
    for target in targets:
        found = [met for curve in curves.values() if (met := curve.meets(target)) is not None]
        if len(found) < len(curves):
            break
        hardest = max(found, key=lambda met: met["threshold"])
        lowest = rows[-1]["threshold"] if rows else -1.0
        rows.append({"fmr": target, **hardest, "threshold": max(hardest["threshold"], lowest)})
    return rows


@dataclass(frozen=True, slots=True)
class GroupCurve:
    """One group of people within a set: its curve (None: too few people), and the scores of what was left out."""

    name: str
    people: int
    curve: FmrCurve | None = None
    left_out: F64 = field(default_factory=lambda: np.zeros(0), repr=False)


def group_rows(groups: Sequence[GroupCurve], threshold: float) -> list[dict[str, Any]]:
    """One row a group at one threshold: FMR as (errors + 0.5) / (comparisons + 1), its bound; or "too few"."""
    rows: list[dict[str, Any]] = []
    for group in groups:
        row: dict[str, Any] = {"name": group.name, "people": group.people, "fmr": "too few"}
        if (curve := group.curve) is not None:
            errors = curve.errors(threshold)
            fmr = corrected(errors, curve.total)
            row |= {"comparisons": curve.total, "fmr": shortened(fmr)}
            if threshold >= curve.grid[0]:
                row["upper"] = shortened(max(curve.at(threshold)[1], fmr))
            if len(group.left_out):
                errors += int((group.left_out >= threshold).sum())
                row["with_left_out"] = shortened(corrected(errors, curve.total + len(group.left_out)))
        rows.append(row)
    return rows


def spread(rows: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """How unequal: the worst group, and the largest FMR over the geometric mean (NIST IR 8429's measure)."""
    judged = {row["name"]: row["fmr"] for row in rows if isinstance(row["fmr"], float)}
    if not judged:
        return {}
    worst = max(judged, key=lambda name: judged[name])
    found = {"name": worst, "fmr": judged[worst]}
    measures = spread_of(list(judged.values()))
    return found | ({"max_to_geometric_mean": round(measures["max_to_geometric_mean"], 2)} if measures else {})


def shortened(value: float) -> float:
    """Three digits: what a rate is worth."""
    return float(f"{value:.3g}")
