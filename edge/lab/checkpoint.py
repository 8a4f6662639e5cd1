"""From pictures to sums, kept on disk on the way, so that a measurement can be stopped and go on.

    results = results_of(plan, material, contenders, steps)       # one `ModelResult` a contender

1. Every contender looks at every picture (`extract`); vectors stay in memory.
2. Each contender's pairs are counted into histograms; thresholds for the FMRs that are reported follow (`tally`).
3. A second pass finds who errs at those thresholds: by person (bounds), group, quality; and the worst pairs.

Steps 2 and 3 are kept piece by piece, one file a contender, replaced as a whole. Its key stands for everything that the
sums depend on (set, models, groups, options); another key starts anew. What is kept: score histograms, error counts by
person and group, and of every picture whether a face was found, where, its quality and times. Embeddings are not among
them (a test searches for them), so that a stopped run looks at the pictures again: 2-5 ms each, while the pairs are
done once.
"""

from __future__ import annotations

import contextlib
import hashlib
import io
import json
import re
import time
import zipfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from edge._version import __version__
from edge.errors import InputError
from edge.files import refusal, write_atomic
from edge.lab.extract import Contender, Looks, look_at_all
from edge.lab.figures import FMRS, fold_accuracy, threshold_at
from edge.lab.measuring import EvaluationPlan, Material, ModelResult
from edge.lab.pairing import scores_of
from edge.lab.progress import Tell, Tells
from edge.lab.tally import Counts, Detail, Who, count, examine, shares_of

#: Raised whenever the meaning of what is kept changes; 2: 64,001 bins, cells of groups.
FORMAT = 2
Arrays = dict[str, NDArray[Any]]
#: Seconds between two states on disk: what a stop loses at most.
_KEEP_EVERY = 5.0
_LOOKS = ("acquired", "boxes", "quality")
_Sums = TypeVar("_Sums", Counts, Detail)


def results_of(
    plan: EvaluationPlan, material: Material, contenders: Sequence[Contender], steps: Tells
) -> list[ModelResult]:
    """Sums of all contenders; those that were done before come from disk.

    Raises:
        InputError: the folder cannot be written.
    """
    runs = [_Run(material, contender, progress_of(plan, _key(plan, material, contender))) for contender in contenders]
    kept = {run.contender.name: run.store.load(run.contender.name) for run in runs}
    todo = [run for run in runs if not bool(kept[run.contender.name].get("done", False))]
    looks = look_at_all(material.pictures, [run.contender for run in todo], steps.step("pictures")) if todo else []
    for run, seen in zip(todo, looks, strict=True):
        kept[run.contender.name] = run.sums(seen, kept[run.contender.name], steps)
        seen.vectors = np.zeros((0, 0), np.float32)
    return [run.result(kept[run.contender.name]) for run in runs]


def progress_of(plan: EvaluationPlan, key: str = "") -> Checkpoint:
    """Where the state of a measurement lies until it is complete."""
    return Checkpoint(plan.out / "progress", key)


class Checkpoint:
    """The folder of one measurement.

    Args:
        folder: made when something is saved.
        key: stands for what the sums depend on.
    """

    def __init__(self, folder: Path, key: str) -> None:
        self.folder, self.key = folder, key

    def load(self, name: str) -> Arrays:
        """What was kept for a contender under this key; nothing when there is none, or it is damaged."""
        try:
            with np.load(self._path(name), allow_pickle=False) as stored:
                arrays = {field: stored[field] for field in stored.files}
        except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile):
            return {}
        return arrays if str(arrays.pop("key", "")) == self.key else {}

    def save(self, name: str, arrays: Arrays) -> None:
        """Keep the state of a contender in place of what was there.

        Raises:
            InputError: the folder cannot be written.
        """
        data = io.BytesIO()
        np.savez_compressed(data, key=np.array(self.key), **arrays)  # type: ignore[arg-type]
        path = self._path(name)
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            write_atomic(path, data.getvalue())
        except OSError as error:
            raise refusal(InputError, error, path, "cannot be written") from None

    def _path(self, name: str) -> Path:
        slug = re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")[:40]
        return self.folder / f"{slug}-{hashlib.sha256(name.encode()).hexdigest()[:8]}.npz"

    def clear(self) -> None:
        """Forget everything: the measurement is complete, and the next one shall be a new one."""
        for path in (*self.folder.glob("*.npz"), *self.folder.glob(".*.npz.*.new")):
            path.unlink(missing_ok=True)
        with contextlib.suppress(OSError):
            self.folder.rmdir()


def _key(plan: EvaluationPlan, material: Material, contender: Contender) -> str:
    """SHA-256 (hex) of everything that the sums of a contender depend on."""
    listed = material.listed
    parts = {
        "format": FORMAT,
        "version": __version__,
        "set": material.pictures.digest,
        "about": contender.about(),
        "points": contender.operating_points(),
        "all": plan.all_pairs,
        "pairs": None if listed is None else [listed.first.tolist(), listed.second.tolist(), listed.fold.tolist()],
        "groups": [[part.name, part.cells, part.of.tolist()] for part in material.partitions],
        "quality": {name: scores.tolist() for name, scores in material.quality.items()},
    }
    return hashlib.sha256(json.dumps(parts, sort_keys=True, default=str).encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class _Run:
    """One contender on its way through all pairs."""

    material: Material
    contender: Contender
    store: Checkpoint

    def sums(self, looks: Looks, kept: Arrays, steps: Tells) -> Arrays:
        """Steps 2 and 3, from where they were left."""
        material, name, pairs = self.material, self.contender.name, self.material.pairs_of(looks)
        state = _looks_arrays(looks) | self._accuracy(looks)
        counts = _restored(Counts, kept, "count") or Counts.empty()
        detail = _restored(Detail, kept, "detail")
        quality = material.quality_of(looks)
        if detail is None:
            tell = steps.step(f"{name}: pairs")
            count(pairs, counts, self._keeping(tell, len(pairs), lambda: state | _arrays(counts, "count")))
            wanted = [threshold_at(counts.impostor, fmr) for fmr in FMRS]
            points = sorted({t for t in wanted if t is not None} | set(self.contender.operating_points().values()))
            cells = sum(len(part.cells) for part in material.partitions)
            detail = Detail.empty(np.array(points), material.pictures.persons, cells, len(quality))
        state |= _arrays(counts, "count")
        examined, tell = detail, steps.step(f"{name}: errors")
        who = Who(material.pictures.people, looks.acquired, material.partitions, shares_of(list(quality.values())))
        after = self._keeping(tell, len(pairs), lambda: state | _arrays(examined, "detail"))
        examine(pairs, examined, who, after)
        state |= _arrays(examined, "detail") | {"done": np.array(True)}
        self.store.save(name, state)
        return state

    def _keeping(self, tell: Tell, total: int, state: Callable[[], Arrays]) -> Callable[[int], None]:
        """Tell, and keep the state every few seconds."""
        last = time.monotonic()

        def after(done: int) -> None:
            nonlocal last
            tell(done, total)
            if time.monotonic() - last >= _KEEP_EVERY:
                self.store.save(self.contender.name, state())
                last = time.monotonic()

        return after

    def _accuracy(self, looks: Looks) -> Arrays:
        listed = self.material.listed
        if listed is None:
            return {"accuracy": np.zeros(0)}
        scores = scores_of(looks.vectors, looks.acquired, listed.first, listed.second)
        return {"accuracy": np.array(fold_accuracy(scores, listed.same, listed.fold))}

    def result(self, arrays: Arrays) -> ModelResult:
        """The sums, once all of them are there."""
        looks, accuracy = _looks_of(arrays), arrays["accuracy"].tolist()
        counts, detail = _restored(Counts, arrays, "count"), _restored(Detail, arrays, "detail")
        assert counts is not None
        assert detail is not None
        contender = self.contender
        return ModelResult(
            contender.name,
            contender.about(),
            contender.operating_points(),
            looks,
            (accuracy[0], accuracy[1]) if accuracy else None,
            counts,
            detail,
            self.material.quality_of(looks),
        )


def _arrays(sums: Counts | Detail, prefix: str) -> Arrays:
    """The sums of a pass as arrays."""
    return {f"{prefix}.{name}": np.asarray(getattr(sums, name)) for name in type(sums).__dataclass_fields__}


def _restored(kind: type[_Sums], arrays: Arrays, prefix: str) -> _Sums | None:
    """The sums of a pass again, None when it had not begun."""
    values: dict[str, Any] = {n: arrays.get(f"{prefix}.{n}") for n in kind.__dataclass_fields__}
    if values["pieces"] is None:
        return None
    return kind(**values | {"pieces": int(values["pieces"])})


def _looks_arrays(looks: Looks) -> Arrays:
    """Records of all pictures as arrays; the vectors are not among them."""
    arrays = {f"look.{name}": getattr(looks, name) for name in _LOOKS}
    arrays["look.reasons"] = np.array(looks.reasons, np.str_)
    return arrays | {f"time.{step}": values for step, values in looks.timings.items()}


def _looks_of(arrays: Arrays) -> Looks:
    """The records again, with empty vectors."""
    reasons = [str(reason) for reason in arrays["look.reasons"]]
    times = {name.removeprefix("time."): values for name, values in arrays.items() if name.startswith("time.")}
    acquired, boxes, quality = (arrays[f"look.{name}"] for name in _LOOKS)
    return Looks(np.zeros((0, 0), np.float32), acquired, reasons, boxes, quality, times)
