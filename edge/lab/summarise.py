"""From sums to figures: what `report.json` holds about one contender.

    figures = summarise(result, material, totals, plan)

Every error rate stands beside its interval (95 %, people resampled), and beside the same rate with every person
weighing the same: a set in which one person has most of the pairs says little about people (three quarters of LFW's
genuine pairs are one man's). A rate that stands for less than one comparison is "too few" (None), never 0.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edge.lab.figures import FMRS, corrected, equal_error, garbe, inequity_rate, spread_of, threshold_at
from edge.lab.intervals import fmr_intervals, share_interval
from edge.lab.lists import Partition
from edge.lab.measuring import EvaluationPlan, Material, ModelResult
from edge.lab.pairing import Totals
from edge.lab.tally import SHARES

F64 = NDArray[np.float64]
I64 = NDArray[np.int64]
#: Shares of the pictures that the error-versus-discard table rejects, in hundredths.
DISCARDED = (0, 5, 10, 20)


def summarise(
    result: ModelResult, material: Material, totals: Totals, plan: EvaluationPlan, worst_of_a_kind: int = 25
) -> dict[str, Any]:
    """The figures of one contender, plain JSON values; with so many of the worst pairs of either kind."""
    figures: dict[str, Any] = {"name": result.name, "about": result.about, "acquisition": acquisition(result)}
    if result.accuracy is not None:
        figures["pairs_accuracy"], figures["pairs_standard_error"] = result.accuracy
    figures["equal_error_rate"] = clean(equal_error(result.counts.genuine, result.counts.impostor))
    figures["people_with_genuine_pairs"] = int(np.count_nonzero(result.detail.genuine.sum(0)))
    figures["operating_points"] = operating_points(result, totals, plan)
    figures["latency_ms"] = latency(result)
    figures["groups"] = groups(result, material, totals, plan)
    figures["error_versus_discard"] = discard(result)
    figures["worst_pairs"] = worst(result, material, worst_of_a_kind)
    return figures


def clean(value: float) -> float | None:
    """A number that JSON can hold."""
    return None if math.isnan(value) else float(value)


def acquisition(result: ModelResult) -> dict[str, Any]:
    """Failure to acquire: how many, and why."""
    acquired = result.looks.acquired
    reasons = Counter(reason for reason, fine in zip(result.looks.reasons, acquired, strict=True) if not fine)
    failed = int((~acquired).sum())
    return {"pictures": len(acquired), "failed": failed, "rate": failed / len(acquired), "reasons": dict(reasons)}


def _measured(result: ModelResult) -> list[tuple[float, int]]:
    """(FMR, its place in `Detail`) of every rate that was measured."""
    found = [(fmr, threshold_at(result.counts.impostor, fmr)) for fmr in FMRS]
    return [(fmr, _level(result, threshold)) for fmr, threshold in found if threshold is not None]


def _level(result: ModelResult, threshold: float) -> int:
    return int(np.argmin(np.abs(result.detail.thresholds - threshold)))


def operating_points(result: ModelResult, totals: Totals, plan: EvaluationPlan) -> list[dict[str, Any]]:
    """One row a threshold: FMR and FNMR with their intervals, by pairs and by people."""
    intervals = fmr_intervals(result.detail, totals, plan.rounds, plan.seed)
    measured = dict(_measured(result))
    rows: list[dict[str, Any]] = []
    for fmr in FMRS:
        row = {"name": f"FMR {fmr:.0e}", "target_fmr": fmr, "threshold": None}
        rows.append(row | (_point(result, totals, plan, intervals, measured[fmr]) if fmr in measured else {}))
    for name, threshold in result.points.items():
        point = _point(result, totals, plan, intervals, _level(result, threshold))
        rows.append({"name": name, "target_fmr": None} | point)
    return rows


def _point(result: ModelResult, totals: Totals, plan: EvaluationPlan, intervals: F64, k: int) -> dict[str, Any]:
    """Both error rates at one threshold. By people: the mean of each person's own rate, with an equal weight each."""
    detail, trials = result.detail, totals.by_person
    matches, misses, genuine = detail.false_matches()[k], detail.misses()[k], detail.genuine.sum(0)
    own, met = genuine > 0, trials > 0
    missed = share_interval(misses[own], genuine[own], plan.rounds, plan.seed)
    people = share_interval(misses[own] / genuine[own], np.ones(own.sum()), plan.rounds, plan.seed)
    impostors = int(trials.sum()) // 2
    return {
        "threshold": float(detail.thresholds[k]),
        "false_matches": int(matches.sum()) // 2,
        "fmr": clean(int(matches.sum()) // 2 / impostors if impostors else math.nan),
        "fmr_low": clean(float(intervals[k, 0])),
        "fmr_high": clean(float(intervals[k, 1])),
        "fmr_by_people": clean(float((matches[met] / trials[met]).mean()) if met.any() else math.nan),
        "misses": int(misses.sum()),
        "fnmr": clean(missed.rate),
        "fnmr_low": clean(missed.low),
        "fnmr_high": clean(missed.high),
        "fnmr_by_people": clean(people.rate),
        "fnmr_by_people_low": clean(people.low),
        "fnmr_by_people_high": clean(people.high),
    }


def latency(result: ModelResult) -> dict[str, dict[str, float]]:
    """Median and 95th percentile of every step and of their sum, milliseconds, where all steps ran."""
    steps = result.looks.timings
    table = np.stack(list(steps.values())) if steps else np.zeros((0, 0))
    whole = table[:, ~np.isnan(table).any(0)]
    if not whole.size:
        return {}
    named = {**dict(zip(steps, whole, strict=True)), "total": whole.sum(0)}
    return {
        name: {"median": float(np.median(values)), "p95": float(np.percentile(values, 95))}
        for name, values in named.items()
    }


def groups(result: ModelResult, material: Material, totals: Totals, plan: EvaluationPlan) -> list[dict[str, Any]]:
    """For every partition and FMR that was measured: error rates by cell, and how they spread between groups."""
    tables, detail, start = [], result.detail, 0
    matches, misses, genuine = detail.cell_false_matches(), detail.cell_misses(), detail.cell_genuine.sum(0)
    for part, impostors in zip(material.partitions, totals.by_cell, strict=True):
        people, with_pairs = _people(part, material.pictures.people)
        for target, k in _measured(result):
            rows = []
            for g, label in enumerate(part.cells):
                false, missed = int(matches[k, start + g]), int(misses[k, start + g])
                pairs, own = int(impostors[g]), int(genuine[start + g])
                rows.append(
                    {
                        "group": label,
                        "people": int(people[g]),
                        "impostor_pairs": pairs,
                        "false_matches": false,
                        "fmr": corrected(false, pairs) if people[g] >= plan.fewest else None,
                        "people_with_genuine_pairs": int(with_pairs[g]),
                        "genuine_pairs": own,
                        "misses": missed,
                        "fnmr": corrected(missed, own) if with_pairs[g] >= plan.fewest else None,
                    }
                )
            table = {"partition": part.name, "target_fmr": target, "threshold": float(detail.thresholds[k])}
            tables.append(table | {"rows": rows, "spread": spreads(rows[: len(part.labels)])})
        start += len(part.cells)
    return tables


def _people(part: Partition, owners: I64) -> tuple[list[int], list[int]]:
    """By cell: people with a picture in it, and those who have a pair of pictures there."""
    members = part.members(owners)
    within = [(int((members[:, g] > 0).sum()), int((members[:, g] > 1).sum())) for g in range(len(part.labels))]
    has = members > 0
    between = [
        (int((has[:, g] | has[:, h]).sum()), int((has[:, g] & has[:, h]).sum())) for g, h in part.sides if g != h
    ]
    people, with_pairs = zip(*(within + between), strict=True) if within else ((), ())
    return list(people), list(with_pairs)


def spreads(rows: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """The measures of `figures` over the groups that are large enough."""
    kinds = {kind: spread_of([row[kind] for row in rows if row[kind] is not None]) for kind in ("fmr", "fnmr")}
    found: dict[str, Any] = {kind: spread for kind, spread in kinds.items() if spread}
    both = [row for row in rows if row["fmr"] is not None and row["fnmr"] is not None]
    if len(both) > 1:
        pair = [row["fmr"] for row in both], [row["fnmr"] for row in both]
        found |= {"garbe": garbe(*pair), "inequity_rate": inequity_rate(*pair), "groups_in_both": len(both)}
    return found


def discard(result: ModelResult) -> list[dict[str, Any]]:
    """Error versus discard (Grother and Tabassi 2007), by quality score and FMR: FNMR without the worst pictures.

    A genuine pair goes when either of its pictures does.
    """
    curves = []
    for number, name in enumerate(result.quality):
        table = result.detail.discard[number]
        left = table.sum(0)[::-1].cumsum()[::-1]
        for target, k in _measured(result) if table.any() else ():
            missed = table[: k + 1].sum(0)[::-1].cumsum()[::-1]
            fnmr = [m / n if n else None for m, n in zip(missed.tolist(), left.tolist(), strict=True)]
            curves.append(
                {
                    "quality": name,
                    "target_fmr": target,
                    "discarded": [share / SHARES for share in range(SHARES)],
                    "fnmr": fnmr,
                    "pairs_left": left.tolist(),
                }
            )
    return curves


def worst(result: ModelResult, material: Material, most: int) -> dict[str, list[dict[str, Any]]]:
    """Pairs of the labelled set: genuine ones of the lowest scores, impostor ones of the highest."""
    names = material.pictures.names

    def rows(table: F64, sign: float) -> list[dict[str, Any]]:
        return [
            {"first": names[int(a)], "second": names[int(b)], "score": round(float(sign * value), 4)}
            for a, b, value in table[:most]
        ]

    return {"genuine": rows(result.detail.worst_genuine, 1), "impostor": rows(result.detail.worst_impostor, -1)}
