"""Accuracy of the chain on LFW, from the full 250x250 pictures, beside the weights it was made from and the teacher.

    python -m tests.benchmarks.lfw --data ../shared/data/lfw-dev --teachers ../shared/data/teachers --json OUT

Everything is measured by `edge.lab`, as `edge lab compare` does it: of several faces the most central one; a picture
without a face scores -1 in all its pairs; no pair is ever dropped; all rows in one run. This file says which rows, adds
how our faces lie on YuNet's, and writes the benchmark's JSON. The lab's own report comes into --out.
- Rows: the chain with its gate (quality, one face) off; with it on; our int8 embedder on YuNet's landmarks; the
  same weights before quantisation (models/training/embedder.pt) on YuNet's landmarks; the teacher on YuNet's landmarks.
- found: IoU >= 0.5 with YuNet's face. pairs: LFW's own pairs, five folds, each judged at the best threshold of the
  other four. TAR@FMR: over every genuine and every impostor pair of the set.
Bars: see `bars`; each is printed as met or missed. Exit code 1 when one is missed.
"""

from __future__ import annotations

import argparse
import os
import shlex
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

# the waiting threads of PyTorch, OpenVINO and the model runtime would slow each other threefold
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

import numpy as np

from edge.face import Chain, Detector, Embedder, load_card
from edge.lab import EvaluationPlan, EvaluationReport, measure
from edge.lab.adapters import load_peer
from edge.lab.adapters.peer import Eyes
from edge.lab.extract import Contender, DeviceChain, LookResult
from edge.lab.progress import Steps
from edge.lab.report import summary
from edge.settings.model import FaceSettings
from tests.benchmarks import references, report

CHAIN, GATED = "chain", "chain, gate on"
OURS, FLOAT, TEACHER = (
    "int8 embedder, YuNet landmarks",
    "float weights, YuNet landmarks",
    "teacher 0095, YuNet landmarks",
)
#: The lab's operating points at a card's thresholds are named so, then the target.
AT_CARD = "card, target "
FLOAT_FILE = Path("models/training/embedder.pt")
#: False match rates of the JSON, by their place among the lab's operating points.
FMRS = (1e-2, 1e-3, 1e-4, 1e-5)
#: Shares of the pictures that are left out for their quality.
REJECTED = (0.0, 0.05, 0.1, 0.2)


def overlap(a: np.ndarray, b: np.ndarray) -> float:
    """Intersection over union of two boxes x, y, w, h."""
    width = min(a[0] + a[2], b[0] + b[2]) - max(a[0], b[0])
    height = min(a[1] + a[3], b[1] + b[3]) - max(a[1], b[1])
    shared = max(0.0, float(width)) * max(0.0, float(height))
    return shared / (float(a[2] * a[3] + b[2] * b[3]) - shared)


@dataclass
class Detection:
    """How our faces lie on YuNet's."""

    overlaps: list[float] = field(default_factory=list)
    errors: list[float] = field(default_factory=list)
    shifts: list[np.ndarray] = field(default_factory=list)
    without_reference: int = 0

    def add(self, seen: LookResult, reference: np.ndarray | None) -> None:
        if reference is None:
            self.without_reference += 1
            return
        share = overlap(np.array(seen.box), reference[:4]) if seen.box else 0.0
        self.overlaps.append(share)
        if share >= 0.5:
            points = reference[4:14].reshape(5, 2)
            off = (seen.landmarks - points) / np.linalg.norm(points[1] - points[0])
            self.errors.append(float(np.linalg.norm(off, axis=1).mean()))
            self.shifts.append(off.mean(0))

    def figures(self) -> dict[str, float]:
        shift = np.mean(self.shifts, axis=0) if self.shifts else [0, 0]
        return {
            "found": float(np.mean(np.array(self.overlaps) >= 0.5)),
            "overlap_median": float(np.median(self.overlaps)),
            "landmark_error_median": float(np.median(self.errors)),
            "landmark_error_p95": float(np.percentile(self.errors, 95)),
            "landmark_shift_x": float(shift[0]),
            "landmark_shift_y": float(shift[1]),
            "pictures_without_yunet_face": self.without_reference,
        }


class Observed(DeviceChain):
    """The chain, with every face it takes laid beside YuNet's."""

    def __init__(self, name: str, chain: Chain, eyes: Eyes) -> None:
        super().__init__(name, chain)
        self.eyes, self.detection = eyes, Detection()

    def look(self, index: int, image: np.ndarray) -> LookResult:
        seen = super().look(index, image)
        self.detection.add(seen, self.eyes.face(index, image)[0])
        return seen


def parse(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m tests.benchmarks.lfw", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    shared = Path("../shared")
    parser.add_argument(
        "--data", type=Path, default=shared / "data/lfw-dev", help="images.tar, pairs.txt (%(default)s)"
    )
    parser.add_argument("--teachers", type=Path, default=shared / "data/teachers", help="YuNet, 0095 (%(default)s)")
    parser.add_argument("--float", type=Path, default=FLOAT_FILE, help="weights before int8 (%(default)s)")
    parser.add_argument("--json", type=Path, help="write the figures to this file")
    parser.add_argument("--out", type=Path, default=Path(".cache/lfw"), help="the lab's own report (%(default)s)")
    parser.add_argument("--quality", type=Path, help="other quality scores (models.training.quality lfw), to compare")
    parser.add_argument("--ours-only", action="store_true", help="leave out the float weights and the teacher; no bars")
    parser.add_argument("--detector", default="detector", help="name or path of the detector's card")
    parser.add_argument("--embedder", default="embedder", help="name or path of the embedder's card")
    return parser.parse_args(arguments)


def contenders_of(options: argparse.Namespace) -> list[Contender]:
    """The rows, the observed chain first."""

    def chain() -> Chain:
        detector, embedder = Detector(load_card(options.detector), 1), Embedder(load_card(options.embedder), 1)
        return Chain(FaceSettings(threads=1), detector, embedder)

    file = options.teachers / references.YUNET
    shared = {file: Eyes(references.yunet(options.teachers))}
    rows: list[Contender] = [Observed(CHAIN, chain(), shared[file]), DeviceChain(GATED, chain(), gate=True)]
    if options.embedder == "embedder":
        rows.append(load_peer(references.ON_YUNET, options.teachers, shared))
    if not options.ours_only:
        rows.append(references.before_int8(options.float, shared[file], FLOAT))
        rows.append(load_peer(references.TEACHER, options.teachers, shared))
    return rows


def row_of(model: dict[str, Any]) -> dict[str, float]:
    """One row's figures as the benchmark's JSON has them."""
    figures = {key: model[key] for key in ("pairs_accuracy", "pairs_standard_error")}
    for fmr, point in zip(FMRS, model["operating_points"], strict=False):
        figures[f"tar_at_fmr_{fmr:.0e}"] = 1 - point["fnmr"]
        figures[f"threshold_at_fmr_{fmr:.0e}"] = point["threshold"]
    return figures | {"failure_to_acquire": model["acquisition"]["rate"]}


def main(arguments: list[str] | None = None) -> int:
    options = parse(arguments)
    contenders = contenders_of(options)
    pairs = options.data / "pairs.txt"
    plan = EvaluationPlan(
        options.data / "images.tar", options.out, pairs=pairs, quality=options.quality, all_pairs=True, overwrite=True
    )
    # how faces lie on YuNet's is not kept on disk: an interrupted run starts anew
    for path in (options.out / "progress").glob("*.npz"):
        path.unlink()
    with Steps() as steps:
        found = measure(plan, steps, contenders)
    for line in summary(found):
        print(line)
    observed = contenders[0]
    assert isinstance(observed, Observed)
    seen, results = observed.detection.figures(), {model["name"]: row_of(model) for model in found.models}
    error, tail = 100 * seen["landmark_error_median"], 100 * seen["landmark_error_p95"]
    print(f"found {100 * seen['found']:.2f} % of YuNet's faces")
    print(f"landmarks off by {error:.1f} % of the eye distance (median), {tail:.1f} % (95th percentile)")
    met = {} if options.ours_only else bars(seen, results)
    for text, fine in met.items():
        print(f"{'met' if fine else 'MISSED'}  {text}")
    if options.json:
        save(options, arguments, observed.chain, found, results, seen, met)
    return 0 if all(met.values()) else 1


def discard_of(model: dict[str, Any]) -> list[dict[str, Any]]:
    """FNMR without the pictures of the lowest quality, by quality score and FMR, at the shares of `REJECTED`."""
    rows = []
    for curve in model["error_versus_discard"]:
        if curve["target_fmr"] in FMRS[1:3]:
            fnmr = dict(zip(curve["discarded"], curve["fnmr"], strict=True))
            left = {f"{share:g}": fnmr[share] for share in REJECTED}
            rows.append({"quality": curve["quality"], "target_fmr": curve["target_fmr"], "fnmr": left})
    return rows


def at_card_of(model: dict[str, Any]) -> list[dict[str, float]]:
    """What the thresholds of the embedder's card give on these pictures, by the target that they were made for."""
    return [
        {"target_fmr": float(point["name"].removeprefix(AT_CARD)), **{key: point[key] for key in ("fmr", "fnmr")}}
        for point in model["operating_points"]
        if point["name"].startswith(AT_CARD)
    ]


def bars(seen: dict[str, float], results: dict[str, dict[str, float]]) -> dict[str, bool]:
    """Every bar with what was reached, and whether it is met."""
    chain, gap = results[CHAIN], 100 * (results[FLOAT]["pairs_accuracy"] - results[OURS]["pairs_accuracy"])
    met = {}
    for name, value, bar in (
        ("found", seen["found"], 0.998),
        ("pairs accuracy", chain["pairs_accuracy"], 0.986),
        ("TAR at FMR 1e-3", chain["tar_at_fmr_1e-03"], 0.965),
        ("TAR at FMR 1e-4", chain["tar_at_fmr_1e-04"], 0.91),
    ):
        met[f"{name} {100 * value:.2f} % (at least {100 * bar:.1f} %)"] = value >= bar
    met[f"int8 {gap:+.2f} points below its own float weights (at most 0.2)"] = round(gap, 6) <= 0.2
    error = 100 * seen["landmark_error_median"]
    met[f"landmarks {error:.1f} % of the eye distance from YuNet's (at most 3.5 %)"] = error <= 3.5
    return met


def save(
    options: argparse.Namespace,
    arguments: list[str] | None,
    chain: Chain,
    found: EvaluationReport,
    results: dict[str, dict[str, float]],
    seen: dict[str, float],
    met: dict[str, bool],
) -> None:
    size = found.head["set"]
    figures = {"pairs": size["listed"], "genuine": size["genuine"], "impostor": size["impostor"]} | seen
    figures |= {name: value for name, value in results[CHAIN].items() if not name.startswith("threshold")}
    detector = chain.detector
    assert isinstance(detector, Detector)
    report.write(
        options.json,
        schema="edge/benchmark/lfw/v1",
        command="python -m tests.benchmarks.lfw " + shlex.join(sys.argv[1:] if arguments is None else arguments),
        models={"detector": detector.card.sha256, "embedder": chain.embedder.card.sha256},
        figures={name: round(value, 6) for name, value in figures.items()},
        bars=met,
        set={
            "name": "lfw-dev: LFW deep-funneled, view 2, folds 1-5",
            "pictures": size["pictures"],
            "people": size["people"],
        },
        at_card_thresholds=next(at_card_of(model) for model in found.models if model["name"] == CHAIN),
        error_versus_discard=next(discard_of(model) for model in found.models if model["name"] == CHAIN),
        rows={name: {key: round(value, 6) for key, value in row.items()} for name, row in results.items()},
    )


if __name__ == "__main__":
    sys.exit(main())
