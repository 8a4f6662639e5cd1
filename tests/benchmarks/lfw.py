"""Accuracy of the chain on LFW, from the full 250x250 pictures, beside the weights it was made from and the teacher.

    python -m tests.benchmarks.lfw --data ../shared/data/lfw-dev --teachers ../shared/data/teachers --json OUT

Rules
- Of several faces the one whose centre is nearest to the picture's centre is taken, by us and by YuNet.
- found: IoU >= 0.5 with YuNet's face. A picture without a face scores -1 in all its pairs; no pair is ever dropped.
- Rows: the chain with its gate (quality, one face) off; with it on; our int8 embedder on YuNet's landmarks; the
  bootstrap weights in float on YuNet's landmarks; the teacher on YuNet's landmarks. All in one run.
- pairs: LFW's own pairs, five folds, each judged at the best threshold of the other four. TAR@FMR: over every genuine
  and every impostor pair of the set.
Bars: found >= 99.5 %; pairs accuracy of the chain within 1 point of the float row. Exit code 1 when one is missed.
"""

from __future__ import annotations

import argparse
import os
import shlex
import sys
from dataclasses import dataclass, field
from pathlib import Path

# the waiting threads of PyTorch, OpenVINO and the model runtime would slow each other threefold
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

import cv2
import numpy as np
from rich.console import Console
from rich.progress import track
from rich.table import Table

from edge.face import Chain
from edge.settings.model import FaceSettings
from edge.types import Frame
from tests.benchmarks import metrics, references, report
from tests.benchmarks.dataset import Lfw

CACHE = Path(".cache/benchmarks")
BAR_FOUND, BAR_POINTS = 0.995, 1.0
CHAIN, GATED, OURS, FLOAT, TEACHER = (
    "chain",
    "chain, gate on",
    "int8 embedder, YuNet landmarks",
    "bootstrap float, YuNet landmarks",
    "teacher 0095, YuNet landmarks",
)


@dataclass
class Row:
    """Embeddings of one way of looking; a picture without one keeps a zero row."""

    vectors: np.ndarray
    acquired: np.ndarray

    @classmethod
    def empty(cls, count: int, dimension: int) -> Row:
        return cls(np.zeros((count, dimension), np.float32), np.zeros(count, bool))

    def put(self, index: int, vector: np.ndarray) -> None:
        self.vectors[index], self.acquired[index] = vector, True


@dataclass
class Detection:
    """How our faces lie on YuNet's."""

    overlaps: list[float] = field(default_factory=list)
    errors: list[float] = field(default_factory=list)
    shifts: list[np.ndarray] = field(default_factory=list)
    without_reference: int = 0

    def add(self, look_face: object, reference: np.ndarray | None) -> None:
        if reference is None:
            self.without_reference += 1
            return
        box = getattr(look_face, "box", None)
        share = metrics.overlap(np.array(box), reference[:4]) if box else 0.0
        self.overlaps.append(share)
        if share >= 0.5:
            points = reference[4:14].reshape(5, 2)
            off = (look_face.landmarks - points) / np.linalg.norm(points[1] - points[0])
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


def yunet_faces(lfw: Lfw, teachers: Path, console: Console) -> list[np.ndarray | None]:
    """YuNet's most central face of every picture; kept in a git-ignored cache."""
    cache = CACHE / f"yunet-{lfw.digest[:16]}-{references.YUNET_SCORE}.npy"
    if cache.exists():
        rows = np.load(cache)
    else:
        net, rows = references.YuNet(teachers), np.zeros((len(lfw), 15), np.float32)
        for index in track(range(len(lfw)), "YuNet", console=console):
            picture = lfw.picture(index)
            face = references.most_central(net.faces(picture), picture.shape[1], picture.shape[0])
            rows[index] = 0 if face is None else face
        cache.parent.mkdir(parents=True, exist_ok=True)
        np.save(cache, rows)
    return [row if row[14] > 0 else None for row in rows]


def look(lfw: Lfw, chain: Chain, faces: list[np.ndarray | None], console: Console) -> tuple[dict[str, Row], Detection]:
    """The chain's own rows, and our int8 embedder on YuNet's landmarks."""
    rows = {name: Row.empty(len(lfw), chain.dimension) for name in (CHAIN, GATED, OURS)}
    detection = Detection()
    for index in track(range(len(lfw)), "Chain", console=console):
        frame = Frame(lfw.picture(index), 0, index, "lfw")
        for name, gate in ((CHAIN, False), (GATED, True)):
            seen = chain.look(frame, pick="central", gate=gate)
            if seen.reason is None:
                rows[name].put(index, chain.embed(seen, "lfw").consume("lfw"))
            if not gate:
                detection.add(seen.face, faces[index])
        if (face := faces[index]) is not None:
            crop = chain.embedder.align(frame.image, face[4:14].reshape(5, 2))
            rows[OURS].put(index, chain.embedder.embed(crop))
    return rows, detection


def compare_with(
    lfw: Lfw, options: argparse.Namespace, faces: list[np.ndarray | None], console: Console
) -> dict[str, Row]:
    """The float weights and the teacher on YuNet's landmarks."""
    bootstrap, teacher = references.Bootstrap(options.bootstrap), references.Teacher(options.teachers, 2)
    rows = {FLOAT: Row.empty(len(lfw), 128), TEACHER: Row.empty(len(lfw), 256)}
    seen = [index for index, face in enumerate(faces) if face is not None]
    for start in track(range(0, len(seen), 64), "Float weights, teacher", console=console):
        batch = seen[start : start + 64]
        crops = []
        for index in batch:
            picture, points = lfw.picture(index), faces[index][4:14].reshape(5, 2)
            crops.append(bootstrap.align(picture, points))
            rows[TEACHER].put(index, teacher.embed(teacher.align(picture, points)))
        for index, vector in zip(batch, bootstrap.embed(crops), strict=True):
            rows[FLOAT].put(index, vector)
    return rows


def judge(lfw: Lfw, row: Row, pairs: tuple[np.ndarray, np.ndarray, np.ndarray]) -> dict[str, float]:
    """One row's figures."""
    first, second, same = pairs
    scores = metrics.score_pairs(row.vectors, row.acquired, first, second)
    genuine, impostor = scores[same], scores[~same]
    listed = metrics.score_pairs(row.vectors, row.acquired, lfw.pairs[:, 0], lfw.pairs[:, 1])
    accuracy, error = metrics.fold_accuracy(listed, lfw.pairs[:, 2] == 1, lfw.pairs[:, 3])
    figures = {"pairs_accuracy": accuracy, "pairs_standard_error": error}
    for fmr in metrics.FMRS:
        figures[f"tar_at_fmr_{fmr:.0e}"], figures[f"threshold_at_fmr_{fmr:.0e}"] = metrics.accept_rate(
            genuine, impostor, fmr
        )
    return figures | {"failure_to_acquire": float(np.mean(~row.acquired))}


def table(results: dict[str, dict[str, float]]) -> Table:
    shown = Table(title="LFW, development half", caption="per cent; TAR over all pairs of the set")
    shown.add_column("")
    for head in ("pairs", "+-", *(f"TAR@{fmr:.0e}" for fmr in metrics.FMRS), "not acquired"):
        shown.add_column(head, justify="right")
    for name, row in results.items():
        cells = [f"{100 * row['pairs_accuracy']:.2f}", f"{100 * row['pairs_standard_error']:.2f}"]
        cells += [f"{100 * row[f'tar_at_fmr_{fmr:.0e}']:.2f}" for fmr in metrics.FMRS]
        shown.add_row(name, *cells, f"{100 * row['failure_to_acquire']:.2f}")
    return shown


def parse(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m tests.benchmarks.lfw", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    shared = Path("../shared")
    parser.add_argument(
        "--data", type=Path, default=shared / "data/lfw-dev", help="images.tar, pairs.txt (%(default)s)"
    )
    parser.add_argument("--teachers", type=Path, default=shared / "data/teachers", help="YuNet, 0095 (%(default)s)")
    parser.add_argument("--bootstrap", type=Path, default=shared / "bootstrap", help="net.py, weights.pt (%(default)s)")
    parser.add_argument("--json", type=Path, help="write the figures to this file")
    parser.add_argument("--limit", type=int, help="only the first so many pictures: a quick look, no result")
    parser.add_argument("--ours-only", action="store_true", help="leave out the float weights and the teacher; no bars")
    parser.add_argument("--detector", default="detector", help="name or path of the detector's card")
    parser.add_argument("--embedder", default="embedder", help="name or path of the embedder's card")
    return parser.parse_args(arguments)


def main(arguments: list[str] | None = None) -> int:
    options = parse(arguments)
    console = Console(width=max(Console().width, 112))
    cv2.setNumThreads(2)
    lfw = Lfw(options.data, options.limit)
    chain = load(options)
    faces = yunet_faces(lfw, options.teachers, console)
    rows, detection = look(lfw, chain, faces, console)
    if not options.ours_only:
        rows |= compare_with(lfw, options, faces, console)
    pairs = lfw.all_pairs()
    results = {name: judge(lfw, row, pairs) for name, row in rows.items()}
    seen = detection.figures()
    console.print(table(results))
    error, tail = 100 * seen["landmark_error_median"], 100 * seen["landmark_error_p95"]
    console.print(f"found {100 * seen['found']:.2f} % of YuNet's faces")
    console.print(f"landmarks off by {error:.1f} % of the eye distance (median), {tail:.1f} % (95th percentile)")
    passed = options.ours_only or bars(seen, results, console)
    if options.json:
        save(options, arguments, lfw, chain, results, seen, pairs[2])
    return 0 if passed else 1


def load(options: argparse.Namespace) -> Chain:
    """The chain, from names as a device loads it, or from card files."""
    from edge.face import Detector, Embedder, load_card

    detector, embedder = (Detector(load_card(options.detector), 1), Embedder(load_card(options.embedder), 1))
    return Chain(FaceSettings(threads=1), detector, embedder)


def bars(seen: dict[str, float], results: dict[str, dict[str, float]], console: Console) -> bool:
    """Say which bars are met."""
    gap = 100 * (results[FLOAT]["pairs_accuracy"] - results[CHAIN]["pairs_accuracy"])
    met = {
        f"found {100 * seen['found']:.2f} % (at least {100 * BAR_FOUND} %)": seen["found"] >= BAR_FOUND,
        f"{gap:+.2f} points below float (at most {BAR_POINTS})": gap <= BAR_POINTS,
    }
    for text, fine in met.items():
        console.print(f"[{'green' if fine else 'red'}]{'met' if fine else 'MISSED'}[/]  {text}")
    return all(met.values())


def save(
    options: argparse.Namespace,
    arguments: list[str] | None,
    lfw: Lfw,
    chain: Chain,
    results: dict[str, dict[str, float]],
    seen: dict[str, float],
    same: np.ndarray,
) -> None:
    figures = {"pairs": len(lfw.pairs), "genuine": int(same.sum()), "impostor": int((~same).sum())} | seen
    figures |= {name: value for name, value in results[CHAIN].items() if not name.startswith("threshold")}
    report.write(
        options.json,
        schema="edge/benchmark/lfw/v1",
        command="python -m tests.benchmarks.lfw " + shlex.join(sys.argv[1:] if arguments is None else arguments),
        models={"detector": chain.detector.card.sha256, "embedder": chain.model},
        figures={name: round(value, 6) for name, value in figures.items()},
        set={
            "name": "lfw-dev: LFW deep-funneled, view 2, folds 1-5",
            "pictures": len(lfw),
            "people": int(lfw.people.max()) + 1,
        },
        rows={name: {key: round(value, 6) for key, value in row.items()} for name, row in results.items()},
    )


if __name__ == "__main__":
    sys.exit(main())
