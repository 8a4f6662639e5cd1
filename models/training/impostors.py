"""Which pictures of the crops show one person, although the set does not say so? The teacher is asked.

    python -m models.training.impostors                      # .train/same-person.csv, which the split of training needs

    vectors = answers(data, work)                            # the teacher's answers, blind to sex and origin
    same = same_person(vectors, aaf, SAME_PERSON)            # pairs of All-Age-Faces pictures of one person
    score = teacher_score(vectors, aaf, same, 1e-5)          # what one impostor comparison in 100,000 reaches
    alike = same_person(vectors, ff, score)                  # pairs of FairFace pictures that may be one person

All-Age-Faces says "one picture a person" and holds some people twice; FairFace names nobody, and holds many people
twice (``alike.csv`` of the data folder lists pairs, too). Pairs taken for one person are listed, the closest calls
drawn, and left out of impostor comparisons, with the rates that keep them given beside. The teacher is asked without
what groups share (`blind`): as it is, it takes two women of one origin for one person before it finds one man in two
pictures (NOTES.md).
"""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from models.training.crops import open_crops
from models.training.paths import DATA, WORK
from models.training.split import read_pairs

F32 = NDArray[np.float32]
I64 = NDArray[np.int64]
#: Score of the teacher, blind to sex and origin, from which two pictures count as one person. Looked at: of 12 drawn
#: between 0.60 and 0.64 in All-Age-Faces all but one or two are; many of one person lie below, so what is left still
#: errs on the high side.
SAME_PERSON = 0.60
#: Score from which two pictures are surely enough of one person to ask for one answer, or to be a genuine pair: of 12
#: looked at between 0.56 and 0.60 most were one person (NOTES.md). Of ``alike.csv``, which the teacher as it is chose,
#: 18 % have less.
SURE = 0.55
#: Below it the score that one comparison in 100,000 reaches is not looked for.
_LOWEST = 0.4


def answers(data: Path, work: Path) -> F32:
    """Unit vectors (n, 256) of all crops, by which people are told apart here."""
    from models.training.teacher import blind_vectors  # needs torch, which is not installed everywhere

    vectors = blind_vectors(data, work)
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


def same_person(vectors: F32, rows: I64, score: float) -> tuple[I64, F32]:
    """Pairs of rows whose teacher score reaches ``score``, strongest first: int64 (n, 2) into ``vectors``, scores.

    Args:
        vectors: unit embeddings of all crops (`answers`). rows: the crops that are compared with each other.
    """
    pairs, scores = [np.zeros((0, 2), np.int64)], [np.zeros(0, np.float32)]
    for start in range(0, len(rows), 1024):
        block = vectors[rows[start : start + 1024]] @ vectors[rows].T
        a, b = np.nonzero(np.triu(block >= score, start + 1))
        pairs.append(np.stack([rows[start + a], rows[b]], 1))
        scores.append(block[a, b])
    every, strength = np.concatenate(pairs), np.concatenate(scores)
    order = np.argsort(-strength, kind="stable")
    return every[order], strength[order]


def teacher_score(vectors: F32, rows: I64, pairs: I64, rate: float) -> float:
    """The teacher's score that this share of comparisons reaches, not counting ``pairs``, which are of one person."""
    count, left = len(rows) * (len(rows) - 1) // 2, len(pairs)
    found, strength = same_person(vectors, rows, _LOWEST)
    known = {(int(a), int(b)) for a, b in pairs}
    others = np.array([s for (a, b), s in zip(found, strength, strict=True) if (int(a), int(b)) not in known])
    place = int(rate * (count - left))
    if place >= len(others):
        raise ValueError(f"fewer than {rate:g} of the comparisons reach {_LOWEST}")
    return float(others[place])


def list_all(data: Path, work: Path) -> Path:
    """List the pairs of any set that count as one person, by the teacher or by ``alike.csv``, for `split`; made once.

    Returns:
        the file, ``work / "same-person.csv"``.
    """
    file = work / "same-person.csv"
    if not file.exists():
        crops, vectors = open_crops(work), answers(data, work)
        told = listed(crops.names, work / "data" / "alike.csv")
        found = [alike(vectors, crops.of(source), SAME_PERSON, told) for source in ("aaf", "ff", "own")]
        pairs, scores = (np.concatenate(part) for part in zip(*found, strict=True))
        write(pairs, scores, crops.names, file)
    return file


def alike(vectors: F32, rows: I64, score: float, told: I64) -> tuple[I64, F32]:
    """As `same_person`, with the pairs that others say are of one person (`listed`) whatever their score."""
    pairs = np.concatenate([same_person(vectors, rows, score)[0], told[np.isin(told, rows).all(1)]])
    pairs = np.unique(np.sort(pairs, 1), axis=0)
    scores = np.sum(vectors[pairs[:, 0]] * vectors[pairs[:, 1]], 1)
    order = np.argsort(-scores, kind="stable")
    return pairs[order], scores[order]


def listed(names: list[str], pairs_csv: Path) -> I64:
    """Pairs that a table says show one person, int64 (n, 2) places in ``names``."""
    place = {name: n for n, name in enumerate(names)}
    found = [(place[a], place[b]) for a, b in read_pairs(pairs_csv) if a in place and b in place]
    return np.array(found, np.int64).reshape(-1, 2)


def write(pairs: I64, scores: F32, names: list[str], file: Path) -> None:
    """List pairs as ``name,name,score``."""
    lines = [f"{names[a]},{names[b]},{score:.3f}" for (a, b), score in zip(pairs, scores, strict=True)]
    file.write_text("".join(line + "\n" for line in lines))


def draw(pairs: I64, scores: F32, pixels: NDArray[np.uint8], file: Path, most: int = 50) -> None:
    """A contact sheet of the closest calls: the weakest pairs that still count as one person."""
    tiles = []
    for (a, b), score in list(zip(pairs, scores, strict=True))[-most:]:
        tile = np.hstack([pixels[a], pixels[b]])
        tiles.append(cv2.putText(tile, f"{score:.2f}", (3, 12), cv2.FONT_HERSHEY_SIMPLEX, 0.4, (0, 255, 0)))
    tiles += [np.zeros_like(tiles[0])] * (-len(tiles) % 6) if tiles else []
    if tiles:
        cv2.imwrite(str(file), np.vstack([np.hstack(tiles[i : i + 6]) for i in range(0, len(tiles), 6)]))


if __name__ == "__main__":
    print(list_all(DATA, WORK))
