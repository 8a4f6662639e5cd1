"""Sex and origin taken out of embeddings: people of one group stop resembling each other for being of it.

    matrix = blinding(vectors, labels)               # (D, D): what is left of a vector
    told = readable(vectors, marks, seed=1)          # 0.5: no linear rule can tell the mark

Workflow: the mean embedding of every group (`groups_of`) is a direction that its people share. Two women of one origin
therefore score higher than two strangers of any kind, which makes false matches unequal; and whoever holds templates
reads sex and origin from them by one dot product. Taken out is the span of those means. Then all groups have the same
mean, and no linear rule does better than guessing (Belrose et al. 2023, LEACE, arXiv 2306.03819, theorem 3.1: a linear
rule can tell nothing if, and only if, the means are equal). The labels serve here and in measurements, on pictures of
FairFace and All-Age-Faces; no model and no device holds or guesses one.

A curved rule still tells more than nothing (`curved`, measured by `calibrate`): groups differ in more than their means.

The teacher's answers lose the span before the student learns them (`embedder_train`), and the student's own span is
taken out of its last layer when it is exported (`embedder`).
"""

from __future__ import annotations

from functools import cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from models.training.crops import rows_of, source_of
from models.training.paths import WORK

F32 = NDArray[np.float32]
#: FairFace's (Karkkainen and Joo, 2021), with sexes as its column ``sex`` counts them.
ORIGINS = ("White", "Black", "East Asian", "Southeast Asian", "Indian", "Middle Eastern", "Latino")
SEXES = ("men", "women")
#: The last number of All-Age-Faces that is a woman's (data README).
_LAST_WOMAN = 7380
#: A group of fewer pictures has no mean worth the name.
FEWEST = 50
#: Directions shorter than this are rounding: the mean of a group is about 0.2-0.7 long.
_NOTHING = 1e-4


@cache
def labels_in(table: Path) -> dict[str, str]:
    """Origin and sex by file name, as ``fairface.csv`` has them (columns ``file``, ``sex``, ``origin``)."""
    short = {"Latino_Hispanic": "Latino"}
    rows = rows_of(table)
    return {name: f"{short.get(r['origin'], r['origin'])} {SEXES[int(r['sex'])]}" for name, r in rows.items()}


def groups_of(names: list[str], table: Path = WORK / "data" / "fairface.csv") -> list[str]:
    """The group of every crop: origin and sex for FairFace, sex for All-Age-Faces (``NNNNNAyy``); "" where unknown.

    Args:
        names: of crops.
        table: labels by file name; pictures of one's own may stand in it as well.
    """
    known = labels_in(table)

    def group(name: str) -> str:
        if source_of(name) == "aaf":
            return f"All-Age-Faces {SEXES[int(name.split('A')[0]) <= _LAST_WOMAN]}"
        return known.get(name, "")

    return [group(name) for name in names]


def blinding(vectors: F32, labels: list[str]) -> F32:
    """The symmetric projection (D, D) off the span of the groups' means: ``vectors @ blinding(...)``.

    Args:
        vectors: (n, D), unit rows. labels: a group for every row; "" rows and groups of fewer than `FEWEST` are
            left alone. Where nobody is labelled, as in pictures of one's own, nothing is taken out.
    """
    marks = np.array(labels, dtype=object)
    large = [label for label in sorted(set(labels) - {""}) if (marks == label).sum() >= FEWEST]
    if not large:
        return np.eye(vectors.shape[1], dtype=np.float32)
    means = np.stack([vectors[marks == label].mean(0, dtype=np.float64) for label in large])
    _, lengths, directions = np.linalg.svd(means, full_matrices=False)
    directions = directions[lengths > _NOTHING]
    return np.asarray(np.eye(vectors.shape[1]) - directions.T @ directions, np.float32)


def curved(vectors: F32, seed: int, features: int = 1500, sharpness: float = 0.5) -> F32:
    """Random Fourier features of a Gaussian kernel, (n, features): a linear rule on them is a curved one on vectors.

    Rahimi and Recht, 2007, "Random features for large-scale kernel machines".
    """
    random = np.random.default_rng(seed)
    waves = random.normal(0, (2 * sharpness) ** 0.5, (vectors.shape[1], features))
    found = (2 / features) ** 0.5 * np.cos(vectors @ waves + random.uniform(0, 2 * np.pi, features))
    return np.asarray(found, np.float32)


def readable(vectors: F32, marks: NDArray[np.bool_], seed: int) -> float:
    """How well a linear rule tells a mark from embeddings: balanced accuracy, 0.5 is guessing, 1 is certainty.

    A ridge classifier with balanced classes learns on half of the rows and is judged on the other.
    """
    first = np.random.default_rng(seed).random(len(marks)) < 0.5
    x = np.concatenate([vectors, np.ones((len(vectors), 1))], 1).astype(np.float64)
    weight = np.where(marks, 1 / marks[first].mean(), 1 / (1 - marks[first].mean()))
    weighed = x[first] * weight[first, None]
    ridge = weighed.T @ x[first] + 1e-4 * first.sum() * np.eye(x.shape[1])
    rule = np.linalg.solve(ridge, weighed.T @ np.where(marks[first], 1.0, -1.0))
    said, true = x[~first] @ rule > 0, marks[~first]
    return float((said[true].mean() + (~said[~true]).mean()) / 2)
