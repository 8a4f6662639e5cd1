"""What is measured: the plan, the set with what is known about it, the models, and the sums that come out.

plan = EvaluationPlan(images=Path("lfw"), out=Path("report"), all_pairs=True, models=("embedder",))
material = open_material(plan)             # pictures, pairs, groups, quality: listed and checked, nothing looked at
contenders = contenders_of(plan)           # our chains and peers
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edge.errors import InputError, UsageError
from edge.face import Chain, Detector, Embedder, load_card
from edge.lab.adapters import is_spec, load_peer
from edge.lab.adapters.peer import Eyes
from edge.lab.extract import Contender, DeviceChain, Looks
from edge.lab.lists import Listed, Partition, read_groups, read_pairs, read_quality
from edge.lab.pairing import AllPairs, ListedPairs, Pairs, Totals
from edge.lab.pictures import PictureSet
from edge.lab.tally import Counts, Detail
from edge.settings.model import FaceSettings

F64 = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class EvaluationPlan:
    """What is measured.

    Attributes:
        images, pairs, groups, quality: files; see `PictureSet` and `edge.lab.lists`.
        out: folder of the report. models: cards (name or path) and peers' YAML files; the first is the yardstick.
        all_pairs: error rates over all pairs of the set, else over the listed ones.
        gate: our chains with the gate of a door. detector: card of our chains. weights: folder of peers' files.
        fewest: groups of fewer people are "too few". rounds, seed: of the bootstrap.
        overwrite: whether a report that lies in ``out`` may be replaced.
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
    overwrite: bool = False

    def check(self) -> None:
        """Check the options against each other.

        Raises:
            UsageError: options that do not go together.
        """
        if self.pairs is None and not self.all_pairs:
            raise UsageError("nothing to compare", where="command line", remedy="give --pairs, --all-pairs, or both")
        if len(set(self.models)) < len(self.models):
            raise UsageError("a model is named twice", where="--model", remedy="name each once")
        if self.fewest < 1 or not 10 <= self.rounds <= 100_000:
            remedy = "give --fewest 1 or more, --rounds 10 to 100000"
            raise UsageError("a number is out of range", where="command line", remedy=remedy)


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
            return AllPairs(looks.vectors, self.pictures.people, looks.acquired)
        return ListedPairs(looks.vectors, looks.acquired, self.listed)

    def totals(self) -> Totals:
        """How many impostor pairs those are."""
        return self.pairs_of(Looks.empty(0, 1)).totals(self.pictures.people, self.partitions)

    def quality_of(self, looks: Looks) -> dict[str, F64]:
        """Scores of every picture: the chain's own, where it has one, and those of the CSV file."""
        own = {} if np.isnan(looks.quality).all() else {"chain": looks.quality}
        return own | self.quality


@dataclass(slots=True)
class ModelResult:
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


def open_material(plan: EvaluationPlan) -> Material:
    """Read everything but the pictures.

    Raises:
        InputError: set, pairs, groups or quality cannot be used.
    """
    pictures = PictureSet.open(plan.images)
    listed = read_pairs(plan.pairs, pictures.names) if plan.pairs is not None else None
    groups = read_groups(plan.groups, pictures.names, pictures.owners) if plan.groups is not None else ()
    quality = read_quality(plan.quality, pictures.names) if plan.quality is not None else {}
    return Material(pictures, listed, groups, quality, plan.all_pairs)


def contenders_of(plan: EvaluationPlan) -> list[Contender]:
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
        detector, embedder = Detector(load_card(plan.detector), 1), Embedder(load_card(model), 1)
        found.append(DeviceChain(_name(model), Chain(FaceSettings(threads=1), detector, embedder), plan.gate))
    names = [contender.name for contender in found]
    if len(set(names)) < len(names):
        remedy = "change `name` in a peer's YAML, or the file name of a card"
        raise InputError("two models have the same name", where=", ".join(names), remedy=remedy)
    return found


def _name(model: str) -> str:
    """A card's name, or its file's; an imported model (``STATE/models/mine/card.yaml``) is called as its folder."""
    path = Path(model)
    return path.absolute().parent.name if path.name == "card.yaml" else path.name.removesuffix(".card.yaml")
