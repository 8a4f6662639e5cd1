"""One measurement from pictures to figures: look, count, examine, judge.

    plan = Plan(images=Path("lfw"), pairs=Path("pairs.txt"), all_pairs=True, out=Path("report"), models=("embedder",))
    report = measure(plan, steps)          # also writes report.html, report.json and CSV files into plan.out

1. Every contender looks at every picture (`looking`); vectors stay in memory.
2. Each contender's pairs are counted into histograms; thresholds for the FMRs that are reported follow (`tally`).
3. A second pass finds who errs at those thresholds: by person (bounds), group, quality; and the worst pairs.
4. Figures and files (`judge`, `report`).

Steps 2 and 3 are kept on disk block by block, and a contender that is done is not looked at again.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edge._version import __version__
from edge.errors import InputError, UsageError
from edge.face import Chain, Detector, Embedder, load_card
from edge.lab.adapters import is_spec, load_peer
from edge.lab.adapters.peer import Eyes
from edge.lab.bounds import Tell
from edge.lab.checkpoint import Arrays, Checkpoint, counts_of, detail_of, key_of, looks_arrays, looks_of, sums
from edge.lab.contender import Contender, DeviceChain
from edge.lab.extract import Looks, look_at_all
from edge.lab.figures import FMRS, fold_accuracy, threshold_at
from edge.lab.pairing import AllPairs, ListedPairs, Pairs, Trials, scores_of
from edge.lab.pairs_file import Listed, read_pairs
from edge.lab.picture_set import PictureSet
from edge.lab.progress import Tells
from edge.lab.table_file import Partition, read_groups, read_quality
from edge.lab.tally import Counts, Detail, Who, count, examine, shares_of
from edge.settings.model import FaceSettings

F64 = NDArray[np.float64]
#: Seconds between two states on disk.
_KEEP_EVERY = 5.0


@dataclass(frozen=True, slots=True)
class Plan:
    """What is measured.

    Attributes:
        images, pairs, groups, quality: files; see `PictureSet`, `pairs_file`, `table_file`.
        out: folder of the report. models: cards (name or path) and peers' YAML files; the first is the yardstick.
        all_pairs: error rates over all pairs of the set, else over the listed ones.
        gate: our chains with the gate of a door. detector: card of our chains. weights: folder of peers' files.
        fewest: groups of fewer people are "too few". rounds, seed: of the bootstrap.
    """

    images: Path
    out: Path
    models: tuple[str, ...] = ("embedder",)
    pairs: Path | None = None
    all_pairs: bool = False
    groups: Path | None = None
    quality: Path | None = None
    gate: bool = False
    detector: str = "detector"
    weights: Path | None = None
    fewest: int = 300
    rounds: int = 1000
    seed: int = 1

    @classmethod
    def from_options(cls, models: tuple[str, ...], **options: Any) -> Plan:
        """From the options of the command line, which have the names of the attributes."""
        return cls(models=models, **options)

    def checked(self) -> Plan:
        """The same.

        Raises:
            UsageError: options that do not go together.
        """
        if self.pairs is None and not self.all_pairs:
            raise UsageError("nothing to compare", where="command line", remedy="give --pairs, --all-pairs, or both")
        if len(set(self.models)) < len(self.models):
            raise UsageError("a model is named twice", where="--model", remedy="name each once")
        if self.fewest < 1 or not 10 <= self.rounds <= 100_000:
            raise UsageError("--fewest must be 1 or more, --rounds 10 to 100000", where="command line", remedy="")
        return self


@dataclass(frozen=True, slots=True)
class Material:
    """The set and what is known about it."""

    pictures: PictureSet
    listed: Listed | None
    partitions: tuple[Partition, ...]
    quality: dict[str, F64]
    all_pairs: bool

    def pairs_of(self, looks: Looks) -> Pairs:
        """The pairs that error rates are taken over."""
        if self.all_pairs or self.listed is None:
            return AllPairs(looks.vectors, looks.acquired, self.pictures.people)
        return ListedPairs(looks.vectors, looks.acquired, self.listed)

    def trials(self) -> Trials:
        """How many impostor pairs those are."""
        return self.pairs_of(Looks.empty(0, 1)).trials(self.pictures.people, self.partitions)


@dataclass(slots=True)
class Result:
    """All sums of one contender; what figures are made of.

    Attributes:
        name, about, points: see `Contender`.
        looks: records of all pictures; its vectors are empty by now.
        accuracy: of the listed pairs (mean, standard error), None without a list.
        counts, detail: sums over all pairs. quality: name -> score of every picture.
    """

    name: str
    about: dict[str, Any]
    points: dict[str, float]
    looks: Looks
    accuracy: tuple[float, float] | None
    counts: Counts
    detail: Detail
    quality: dict[str, F64] = field(default_factory=dict)


def open_material(plan: Plan) -> Material:
    """Read everything but the pictures.

    Raises:
        InputError: set, pairs, groups or quality cannot be used.
    """
    pictures = PictureSet.open(plan.images)
    listed = read_pairs(plan.pairs, pictures.names) if plan.pairs is not None else None
    groups = read_groups(plan.groups, pictures.names, pictures.owners) if plan.groups is not None else ()
    quality = read_quality(plan.quality, pictures.names) if plan.quality is not None else {}
    return Material(pictures, listed, groups, quality, plan.all_pairs)


def contenders_of(plan: Plan) -> list[Contender]:
    """Load the models.

    Raises:
        ModelError, InputError: one of them cannot be used.
    """
    found: list[Contender] = []
    shared: dict[Path, Eyes] = {}
    for model in plan.models:
        if is_spec(model):
            found.append(load_peer(Path(model), plan.weights, shared))
            continue
        settings = FaceSettings(threads=1)
        chain = Chain(settings, Detector(load_card(plan.detector), 1), Embedder(load_card(model), 1))
        found.append(DeviceChain(Path(model).name.removesuffix(".card.yaml"), chain, plan.gate))
    names = [contender.name for contender in found]
    if len(set(names)) < len(names):
        raise InputError("two models have the same name", where=", ".join(names), remedy="change `name` in a YAML")
    return found


def results_of(plan: Plan, material: Material, contenders: Sequence[Contender], steps: Tells) -> list[Result]:
    """Steps 1 to 3 for all contenders; those that were done before come from disk."""
    stores = [progress_of(plan, _key(plan, material, contender)) for contender in contenders]
    kept = [store.load(contender.name) for store, contender in zip(stores, contenders, strict=True)]
    todo = [k for k, arrays in enumerate(kept) if arrays is None or not bool(arrays["done"])]
    looks = look_at_all(material.pictures, [contenders[k] for k in todo], steps.step("pictures")) if todo else []
    results: list[Result] = []
    for k, contender in enumerate(contenders):
        arrays = kept[k]
        if k in todo:
            seen = looks[todo.index(k)]
            arrays = _score(plan, material, contender, seen, stores[k], arrays, steps)
            seen.vectors = np.zeros((0, 0), np.float32)
        assert arrays is not None
        results.append(_result(contender, arrays, material))
    return results


def progress_of(plan: Plan, key: str = "") -> Checkpoint:
    """Where the state of a measurement lies until it is complete."""
    return Checkpoint(plan.out / "progress", key)


def _key(plan: Plan, material: Material, contender: Contender) -> str:
    listed = material.listed
    parts = [[part.name, part.labels, part.of.tolist()] for part in material.partitions]
    return key_of(
        {
            "version": __version__,
            "set": material.pictures.digest,
            "about": contender.about(),
            "points": contender.operating_points(),
            "all": plan.all_pairs,
            "pairs": None if listed is None else [listed.first.tolist(), listed.second.tolist(), listed.fold.tolist()],
            "groups": parts,
            "quality": {name: scores.tolist() for name, scores in material.quality.items()},
        }
    )


def _score(
    plan: Plan,
    material: Material,
    contender: Contender,
    looks: Looks,
    store: Checkpoint,
    arrays: Arrays | None,
    steps: Tells,
) -> Arrays:
    """Steps 2 and 3 for one contender, from where they were left."""
    pairs = material.pairs_of(looks)
    counts, detail = counts_of(arrays), detail_of(arrays)
    quality = _quality(material, looks)
    base = looks_arrays(looks) | _accuracy(material, looks)
    if detail is None:
        tell = _keeping(steps.step(f"{contender.name}: pairs"), len(pairs), store, contender.name, base, counts, None)
        count(pairs, counts, tell)
        wanted = [threshold_at(counts.impostor, fmr) for fmr in FMRS]
        points = sorted({t for t in wanted if t is not None} | set(contender.operating_points().values()))
        groups = sum(len(part.labels) for part in material.partitions)
        detail = Detail.empty(np.array(points), material.pictures.persons, groups, len(quality))
    who = Who(material.pictures.people, looks.acquired, material.partitions, shares_of(list(quality.values())))
    tell = _keeping(steps.step(f"{contender.name}: errors"), len(pairs), store, contender.name, base, counts, detail)
    examine(pairs, detail, who, tell)
    state = base | sums(counts, detail) | {"done": np.array(True)}
    store.save(contender.name, state)
    return state


def _keeping(
    tell: Tell, total: int, store: Checkpoint, name: str, base: Arrays, counts: Counts, detail: Detail | None
) -> Callable[[int], None]:
    """Tell, and keep the state every few seconds."""
    last = time.monotonic()

    def after(done: int) -> None:
        nonlocal last
        tell(done, total)
        if time.monotonic() - last >= _KEEP_EVERY:
            store.save(name, base | sums(counts, detail) | {"done": np.array(False)})
            last = time.monotonic()

    return after


def _quality(material: Material, looks: Looks) -> dict[str, F64]:
    """Scores of every picture: the chain's own, where it has one, and those of the CSV file."""
    own = {} if np.isnan(looks.quality).all() else {"chain": looks.quality}
    return own | material.quality


def _accuracy(material: Material, looks: Looks) -> Arrays:
    listed = material.listed
    if listed is None:
        return {"accuracy": np.zeros(0)}
    scores = scores_of(looks.vectors, looks.acquired, listed.first, listed.second)
    return {"accuracy": np.array(fold_accuracy(scores, listed.same, listed.fold))}


def _result(contender: Contender, arrays: Arrays, material: Material) -> Result:
    looks, accuracy, detail = looks_of(arrays), arrays["accuracy"], detail_of(arrays)
    assert detail is not None
    return Result(
        contender.name,
        contender.about(),
        contender.operating_points(),
        looks,
        (float(accuracy[0]), float(accuracy[1])) if len(accuracy) else None,
        counts_of(arrays),
        detail,
        _quality(material, looks),
    )
