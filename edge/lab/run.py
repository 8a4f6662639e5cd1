"""The whole of `edge lab evaluate` and `compare`: from a plan to the report's files.

What a measurement ran on, for its report: processor, cores, load, versions; no host name, no paths.
"""

from __future__ import annotations

import datetime
import os
import platform
from collections.abc import Iterator, Sequence
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import numpy as np

from edge._version import __version__
from edge.lab.checkpoint import progress_of, results_of
from edge.lab.extract import UNREADABLE, Contender
from edge.lab.measuring import EvaluationPlan, Material, ModelResult, contenders_of, open_material
from edge.lab.pairing import Totals
from edge.lab.pictures import PictureSet, some
from edge.lab.progress import Tells
from edge.lab.report import FILES, EvaluationReport, check_out, write
from edge.lab.summarise import summarise
from edge.lab.tally import WORST

PACKAGES = ("numpy", "opencv-python-headless", "ai-edge-litert", "openvino", "onnxruntime", "torch")


def machine() -> dict[str, Any]:
    """What this machine is."""
    file = Path("/proc/cpuinfo")
    lines = file.read_text().splitlines() if file.exists() else []
    model = next((line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")), "")
    versions = {}
    for name in PACKAGES:
        try:
            versions[name] = version(name)
        except PackageNotFoundError:
            continue
    return {
        "processor": model or platform.processor(),
        "architecture": platform.machine(),
        "cores": os.cpu_count(),
        "load_1min": round(os.getloadavg()[0], 2),
        "python": platform.python_version(),
        "packages": versions,
    }


def measure(plan: EvaluationPlan, steps: Tells, contenders: Sequence[Contender] | None = None) -> EvaluationReport:
    """Measure, and write the report.

    Args:
        plan: what.
        steps: told how far it is.
        contenders: instead of those that ``plan.models`` names.

    Raises:
        UsageError: options that do not go together.
        InputError, ModelError: something named cannot be used, or an earlier report lies in ``plan.out``.
    """
    plan.check()
    material = open_material(plan)
    contenders = contenders_of(plan) if contenders is None else contenders
    check_out(plan.out, FILES, overwrite=plan.overwrite)
    results = results_of(plan, material, contenders, steps)
    totals = material.totals()
    # at most 50 pairs leave with a report, however many models are in it
    models = [summarise(result, material, totals, plan, WORST // len(results)) for result in results]
    report = EvaluationReport(_head(plan, material, results, totals), models)
    write(report, results, material, plan.out)
    # complete: the next run with the same folder measures anew
    progress_of(plan).clear()
    return report


def _unreadable(pictures: PictureSet, results: Sequence[ModelResult]) -> Iterator[str]:
    """A picture that cannot be read counts like one without a face; which they are is told."""
    names = [name for name, why in zip(pictures.names, results[0].looks.reasons, strict=True) if why == UNREADABLE]
    if names:
        yield f"{pictures.title}: not readable, counted as pictures without a face: {some(names)}"


def _head(plan: EvaluationPlan, material: Material, results: Sequence[ModelResult], totals: Totals) -> dict[str, Any]:
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
            "notes": [*pictures.notes, *_unreadable(pictures, results)],
            "scope": "all pairs" if plan.all_pairs else "listed pairs",
            "genuine": int(results[0].counts.genuine.sum()),
            "impostor": int(totals.by_person.sum()) // 2,
            "listed": 0 if listed is None else len(listed),
            "folds": 0 if listed is None else len(np.unique(listed.fold)),
        },
        "gate": plan.gate,
        "fewest": plan.fewest,
        "rounds": plan.rounds,
        "seed": plan.seed,
        "machine": machine(),
    }
