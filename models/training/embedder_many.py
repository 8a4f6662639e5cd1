"""How often a student takes another for the person, among thousands of held-out crops: what small FMRs ask.

    python -m models.training.embedder apart --weights .train/sixth/last.pt .train/ninth/last.pt

Each crop as it is, against one disturbed view of it (turned, lit, blurred, covered, with spectacles, as training draws
them) and against everybody's. `embedder_validate`'s thousand crops end at FMR 1e-4 with a hundred impostors above the
threshold, and its TAR is at 98 %; 4,000 crops give 16 million impostor comparisons, and students differ there.
Pairs that may be one person (`impostors`) do not count as impostors. Those of them that the teacher is sure of serve as
real pairs beside it, two photographs each, every person weighing the same; the teacher chose them, so they compare
students and say nothing about the teacher.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import torch
from numpy.typing import NDArray

from models.training.embedder_inputs import MARGIN, MIDDLE, Head, Inputs, split_of
from models.training.embedder_net import SIZE, load
from models.training.embedder_validate import embed, resized
from models.training.impostors import SURE
from models.training.progress import track
from models.training.split import people_of, read_pairs

RATES = (1e-3, 1e-4, 1e-5, 3e-6)
#: A rate that fewer impostors than this decide is not printed.
FEWEST = 10


class OneByOne(Inputs):
    """Crops in their order, never composed."""

    def __init__(self, work: Path, seed: int, chosen: NDArray[np.int64]) -> None:
        super().__init__(work, seed, chosen)
        self.at = -1

    def face(self) -> tuple[NDArray[np.uint8], Head | None, int]:
        self.at += 1
        index = int(self.indices[self.at % len(self.indices)])
        return cv2.merge([self.canvas(index, False), self.known(index, False)]), self.head(index, False), index


@dataclass(frozen=True, slots=True)
class Many:
    """Held-out crops as they are and disturbed, RGB uint8 (n, S, S, 3); who is whose impostor, bool (n, n).

    And real pairs: crops of people with several, (m, S, S, 3), places of the pairs among them, int64 (k, 2), and how
    much each pair weighs, (k,).
    """

    plain: torch.Tensor
    disturbed: torch.Tensor
    impostors: torch.Tensor
    groups: dict[str, torch.Tensor]
    several: torch.Tensor
    pairs: torch.Tensor
    weights: torch.Tensor


def many(work: Path, count: int, size: int = SIZE, seed: int = 5) -> Many:
    """The same crops and views for the same arguments.

    Args:
        work: the crops' cache, with ``same-person.csv``.
        count: of held-out crops; fewer where there are fewer.
        size: side of the student's pictures.
    """
    held = split_of(work)[1]
    chosen = np.random.default_rng(seed).permutation(held)[:count]
    inputs = OneByOne(work, seed, chosen)
    middle = slice(MARGIN, MARGIN + MIDDLE)

    def seen(indices: NDArray[np.int64]) -> list[NDArray[np.uint8]]:
        return [resized(inputs.canvas(int(index), False)[middle, middle], size) for index in indices]

    plain = seen(chosen)
    disturbed = [inputs.sample(size)[1][0] for _ in track(chosen, len(chosen), "views drawn")]
    names = [inputs.crops.names[int(index)] for index in chosen]
    tight = torch.tensor([int(index) in inputs.tight for index in chosen])
    groups = {"all": torch.ones_like(tight), "All-Age-Faces": ~tight, "FairFace": tight}
    sure = read_pairs(work / "same-person.csv", SURE)
    at, pairs, weights = real([inputs.crops.names[int(index)] for index in held], sure)
    plain, disturbed, several = (torch.from_numpy(np.stack(rows)) for rows in (plain, disturbed, seen(held[at])))
    others = strangers(names, read_pairs(work / "same-person.csv"))
    return Many(plain, disturbed, others, groups, several, pairs, weights)


def real(names: list[str], same: list[tuple[str, str]]) -> tuple[NDArray[np.int64], torch.Tensor, torch.Tensor]:
    """Which of these names are in pairs of one person, the pairs as places among those, and their weights.

    The weights of a person's pairs add up to 1 over the number of people.
    """
    place = {name: n for n, name in enumerate(names)}
    known = [(one, other) for one, other in same if one in place and other in place]
    people = people_of({name for pair in known for name in pair}, known)
    at = np.array(sorted(place[name] for name in people), np.int64)
    pairs = np.searchsorted(at, [[place[one], place[other]] for one, other in known]).reshape(-1, 2)
    _, person, counts = np.unique([people[one] for one, _ in known], return_inverse=True, return_counts=True)
    return at, torch.from_numpy(pairs), torch.from_numpy(1 / counts[person] / max(1, len(counts)))


def strangers(names: list[str], same: list[tuple[str, str]]) -> torch.Tensor:
    """Which pairs show two people, bool (n, n): all but a picture with itself and the pairs in ``same``."""
    place = {name: n for n, name in enumerate(names)}
    found = ~torch.eye(len(names), dtype=torch.bool)
    for one, other in same:
        if one in place and other in place:
            found[place[one], place[other]] = found[place[other], place[one]] = False
    return found


def false_non_matches(scores: torch.Tensor, impostors: torch.Tensor, rates: tuple[float, ...]) -> list[float]:
    """FNMR in per cent at each FMR, of scores (n, n), the genuine on the diagonal; thresholds are impostors' scores."""
    genuine = scores.diagonal()
    return [100 * float((genuine < limit).float().mean()) for limit in limits(scores[impostors], rates)]


def limits(strange: torch.Tensor, rates: tuple[float, ...]) -> list[float]:
    """The scores that these shares of impostors' scores reach."""
    top = strange.topk(max(1, int(len(strange) * max(rates)))).values
    return [float(top[max(0, int(len(strange) * rate) - 1)]) for rate in rates]


def apart(work: Path, weights: list[Path], count: int, size: int = SIZE) -> None:
    """Print a line a checkpoint and group."""
    crops = many(work, count, size)
    print("FNMR in % at FMR " + ", ".join(f"{rate:g}" for rate in RATES))
    for path in weights:
        net, seen = load(path)
        plain, several = embed(net, crops.plain), embed(net, crops.several)
        scores = plain @ embed(net, crops.disturbed).T
        for name, mine in crops.groups.items():
            figures = false_non_matches(scores[mine][:, mine], crops.impostors[mine][:, mine], RATES)
            known = [int(mine.sum()) ** 2 * rate >= FEWEST for rate in RATES]
            words = "  ".join(f"{one:5.2f}" if enough else "  few" for one, enough in zip(figures, known, strict=True))
            print(f"{path} ({seen:,} inputs), {name}, {int(mine.sum())} crops: {words}", flush=True)
        genuine = (several[crops.pairs[:, 0]] * several[crops.pairs[:, 1]]).sum(1)
        missed = [
            float(crops.weights[genuine < limit].sum()) for limit in limits((plain @ plain.T)[crops.impostors], RATES)
        ]
        words = "  ".join(f"{100 * part:5.2f}" for part in missed)
        print(f"{path}, {len(genuine)} real pairs, by people, threshold of all: {words}", flush=True)
