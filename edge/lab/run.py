"""The whole of `edge lab evaluate` and `compare`: from a plan to the report's files."""

from __future__ import annotations

import datetime
from collections.abc import Sequence
from typing import Any

import numpy as np

from edge._version import __version__
from edge.lab.contender import Contender
from edge.lab.machine import machine
from edge.lab.measuring import Material, Plan, Result, contenders_of, open_material, progress_of, results_of
from edge.lab.pairing import Trials
from edge.lab.progress import Tells
from edge.lab.report import FILES, Report, write
from edge.lab.summarise import judge
from edge.lab.tally import WORST


def measure(plan: Plan, steps: Tells, contenders: Sequence[Contender] | None = None) -> Report:
    """Measure, and write the report.

    Args:
        plan: what.
        steps: told how far it is.
        contenders: instead of those that ``plan.models`` names.

    Raises:
        UsageError: options that do not go together.
        InputError, ModelError: something named cannot be used.
    """
    plan.checked()
    material = open_material(plan)
    contenders = contenders_of(plan) if contenders is None else contenders
    results = results_of(plan, material, contenders, steps)
    report = report_of(plan, material, results)
    write(report, results, material, plan.out)
    # complete: the next run with the same folder measures anew
    progress_of(plan).clear()
    return report


def report_of(plan: Plan, material: Material, results: Sequence[Result]) -> Report:
    """Figures of all contenders."""
    trials = material.trials()
    # at most 50 pairs leave with a report, however many models are in it
    each = WORST // len(results)
    models = [judge(result, material, trials, plan, each) for result in results]
    return Report(_head(plan, material, results, trials), models, FILES)


def _head(plan: Plan, material: Material, results: Sequence[Result], trials: Trials) -> dict[str, Any]:
    listed, pictures = material.listed, material.pictures
    return {
        "date": datetime.datetime.now(datetime.UTC).date().isoformat(),
        "version": __version__,
        "out": str(plan.out),
        "set": {
            "title": pictures.title,
            "pictures": len(pictures),
            "people": pictures.persons,
            "digest": pictures.digest,
            "scope": "all pairs" if plan.all_pairs else "listed pairs",
            "genuine": int(results[0].counts.genuine.sum()),
            "impostor": int(trials.by_person.sum()) // 2,
            "listed": 0 if listed is None else len(listed),
            "folds": 0 if listed is None else len(np.unique(listed.fold)),
        },
        "gate": plan.gate,
        "fewest": plan.fewest,
        "rounds": plan.rounds,
        "seed": plan.seed,
        "machine": machine(),
    }
