"""From sums to figures: what `report.json` holds about one contender.

    figures = judge(result, material, pairs_trials, plan)

Every error rate stands beside its interval (95 %, people resampled). A rate that stands for less than one comparison is
"too few" (None), never 0.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edge.lab.bounds import ratio_bounds
from edge.lab.equity import corrected, garbe, inequity_rate, spread_of
from edge.lab.figures import FMRS, edge_of, equal_error, threshold_at
from edge.lab.intervals import LEVEL, fmr_intervals
from edge.lab.measuring import Material, Plan, Result
from edge.lab.pairing import Trials
from edge.lab.table_file import Partition
from edge.lab.tally import SHARES

F64 = NDArray[np.float64]
I64 = NDArray[np.int64]
#: Shares of the pictures that the error-versus-discard table rejects.
DISCARDED = (0, 5, 10, 20)


def judge(result: Result, material: Material, trials: Trials, plan: Plan, worst_of_a_kind: int = 25) -> dict[str, Any]:
    """The figures of one contender, plain JSON values; with so many of the worst pairs of either kind."""
    figures: dict[str, Any] = {"name": result.name, "about": result.about, "acquisition": acquisition(result)}
    if result.accuracy is not None:
        figures["pairs_accuracy"], figures["pairs_standard_error"] = result.accuracy
    figures["equal_error_rate"] = clean(equal_error(result.counts.genuine, result.counts.impostor))
    points = operating_points(result, trials, plan)
    figures["operating_points"] = points
    figures["latency_ms"] = latency(result)
    figures["groups"] = [
        row for k, part in enumerate(material.partitions) for row in groups(result, material, trials, k, part, plan)
    ]
    figures["error_versus_discard"] = discard(result)
    figures["worst_pairs"] = worst(result, material, worst_of_a_kind)
    return figures


def clean(value: float) -> float | None:
    """A number that JSON can hold."""
    return None if math.isnan(value) else float(value)


def acquisition(result: Result) -> dict[str, Any]:
    """Failure to acquire: how many, and why."""
    acquired = result.looks.acquired
    reasons = Counter(reason for reason, fine in zip(result.looks.reasons, acquired, strict=True) if not fine)
    failed = int((~acquired).sum())
    return {"pictures": len(acquired), "failed": failed, "rate": failed / len(acquired), "reasons": dict(reasons)}


def thresholds(result: Result) -> dict[str, tuple[float | None, float | None]]:
    """Name of each operating point -> (target FMR or None, threshold or None where too few pairs)."""
    named: dict[str, tuple[float | None, float | None]] = {
        f"FMR {target:.0e}": (target, threshold_at(result.counts.impostor, target)) for target in FMRS
    }
    return named | {name: (None, threshold) for name, threshold in result.points.items()}


def level_of(result: Result, threshold: float | None) -> int | None:
    """The place of a threshold in `Detail`, None when it has none."""
    if threshold is None:
        return None
    return int(np.argmin(np.abs(result.detail.thresholds - threshold)))


def operating_points(result: Result, trials: Trials, plan: Plan) -> list[dict[str, Any]]:
    """One row a threshold: FMR and FNMR with their intervals."""
    detail, rows = result.detail, []
    matches, misses, genuine = detail.false_matches(), detail.misses(), detail.genuine.sum(0)
    own = genuine > 0
    intervals = fmr_intervals(detail, trials, plan.rounds, plan.seed)
    impostors = int(trials.by_person.sum()) // 2
    for name, (target, threshold) in thresholds(result).items():
        k = level_of(result, threshold)
        row: dict[str, Any] = {"name": name, "target_fmr": target, "threshold": threshold}
        if k is not None:
            errors = int(matches[k].sum()) // 2
            missed = ratio_bounds(misses[k][own], genuine[own], plan.rounds, plan.seed, LEVEL)
            row |= {
                "false_matches": errors,
                "fmr": clean(errors / impostors if impostors else math.nan),
                "fmr_low": clean(float(intervals[k, 0])),
                "fmr_high": clean(float(intervals[k, 1])),
                "misses": int(misses[k].sum()),
                "fnmr": clean(missed.rate),
                "fnmr_low": clean(missed.low),
                "fnmr_high": clean(missed.high),
            }
        rows.append(row)
    return rows


def latency(result: Result) -> dict[str, dict[str, float]]:
    """Median and 95th percentile of every step and of their sum, milliseconds, where all steps ran."""
    steps = result.looks.timings
    if not steps:
        return {}
    table = np.stack(list(steps.values()))
    whole = table[:, ~np.isnan(table).any(0)]
    if not whole.shape[1]:
        return {}
    named = {**dict(zip(steps, whole, strict=True)), "total": whole.sum(0)}
    return {
        name: {"median": float(np.median(values)), "p95": float(np.percentile(values, 95))}
        for name, values in named.items()
    }


def groups(
    result: Result, material: Material, trials: Trials, number: int, part: Partition, plan: Plan
) -> list[dict[str, Any]]:
    """Error rates within the groups of one partition at every FMR that was measured, and how they spread."""
    start = sum(len(before.labels) for before in material.partitions[:number])
    own = slice(start, start + len(part.labels))
    people, with_pairs = _people(material, part)
    tables = []
    for target in FMRS:
        k = level_of(result, threshold_at(result.counts.impostor, target))
        if k is None:
            continue
        rows = []
        for g, label in enumerate(part.labels):
            pairs, genuine = int(trials.by_group[number][g]), int(result.detail.group_genuine[:, own][:, g].sum())
            false, missed = (
                int(table[k, own][g]) for table in (result.detail.group_false_matches(), result.detail.group_misses())
            )
            rows.append(
                {
                    "group": label,
                    "people": int(people[g]),
                    "impostor_pairs": pairs,
                    "false_matches": false,
                    "fmr": corrected(false, pairs) if people[g] >= plan.fewest else None,
                    "people_with_genuine_pairs": int(with_pairs[g]),
                    "genuine_pairs": genuine,
                    "misses": missed,
                    "fnmr": corrected(missed, genuine) if with_pairs[g] >= plan.fewest else None,
                }
            )
        threshold = float(result.detail.thresholds[k])
        tables.append(
            {
                "partition": part.name,
                "target_fmr": target,
                "threshold": threshold,
                "rows": rows,
                "spread": spreads(rows),
            }
        )
    return tables


def _people(material: Material, part: Partition) -> tuple[I64, I64]:
    """People of each group, and those of them with two pictures in it."""
    known = part.of >= 0
    persons = material.pictures.persons
    keys, times = np.unique(part.of[known] * persons + material.pictures.people[known], return_counts=True)
    size = len(part.labels)
    return np.bincount(keys // persons, minlength=size), np.bincount(keys[times > 1] // persons, minlength=size)


def spreads(rows: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """The measures of `equity` over the groups that are large enough."""
    found: dict[str, Any] = {}
    kinds = {kind: [row[kind] for row in rows if row[kind] is not None] for kind in ("fmr", "fnmr")}
    for kind, values in kinds.items():
        spread = spread_of(values)
        if spread is not None:
            found[kind] = {
                "groups": spread.groups,
                "max_to_min": spread.max_to_min,
                "max_to_geometric_mean": spread.max_to_geometric_mean,
                "gini": spread.gini,
            }
    both = [row for row in rows if row["fmr"] is not None and row["fnmr"] is not None]
    if len(both) > 1:
        pair = [row["fmr"] for row in both], [row["fnmr"] for row in both]
        found["garbe"], found["inequity_rate"] = garbe(*pair), inequity_rate(*pair)
        found["groups_in_both"] = len(both)
    return found


def discard(result: Result) -> list[dict[str, Any]]:
    """Error versus discard (Grother and Tabassi 2007), by quality score and FMR: FNMR without the worst pictures.

    A genuine pair goes when either of its pictures does.
    """
    curves = []
    for number, name in enumerate(result.quality):
        for target in FMRS:
            k = level_of(result, threshold_at(result.counts.impostor, target))
            table = result.detail.discard[number]
            if k is None or not table.any():
                continue
            left = table.sum(0)[::-1].cumsum()[::-1].astype(np.float64)
            missed = table[: k + 1].sum(0)[::-1].cumsum()[::-1]
            with np.errstate(invalid="ignore", divide="ignore"):
                fnmr = missed / left
            curves.append(
                {
                    "quality": name,
                    "target_fmr": target,
                    "discarded": [share / SHARES for share in range(SHARES)],
                    "fnmr": [clean(value) for value in fnmr.tolist()],
                    "pairs_left": [int(value) for value in left],
                }
            )
    return curves


def worst(result: Result, material: Material, most: int) -> dict[str, list[dict[str, Any]]]:
    """Pairs of the labelled set: genuine ones of the lowest scores, impostor ones of the highest."""
    names = material.pictures.names

    def rows(table: F64, sign: float) -> list[dict[str, Any]]:
        return [
            {"first": names[int(a)], "second": names[int(b)], "score": round(float(sign * value), 4)}
            for a, b, value in table[:most]
        ]

    return {"genuine": rows(result.detail.worst_genuine, 1), "impostor": rows(result.detail.worst_impostor, -1)}


def curve_of(counts: I64, bins: int = 200) -> tuple[F64, F64]:
    """(middle of each bin, density) of a histogram, for a plot."""
    edges = np.linspace(0, len(counts), bins + 1).astype(int)
    sums = np.add.reduceat(counts, edges[:-1]).astype(np.float64)
    width = np.diff(edges) * (edge_of(1) - edge_of(0))
    middle = np.array([(edge_of(a) + edge_of(b)) / 2 for a, b in pairwise(edges.tolist())])
    return middle, sums / max(1.0, sums.sum()) / width
