"""How often a student takes another for the person, among thousands of held-out crops: what small FMRs ask.

    python -m models.training.embedder apart --weights .train/sixth/last.pt .train/ninth/last.pt

Each crop as it is, against one disturbed view of it (turned, lit, blurred, covered, with spectacles, as training draws
them) and against everybody's. `embedder_validate`'s thousand crops end at FMR 1e-4 with a hundred impostors above the
threshold, and its TAR is at 98 %; 4,000 crops give 16 million impostor comparisons, and students differ there.
Pairs that may be one person (`impostors`) do not count as impostors. One person's two pictures of different years are
not in it: the crops name nobody.
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
from models.training.progress import track
from models.training.split import read_pairs

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
    """Held-out crops as they are and disturbed, RGB uint8 (n, 112, 112, 3); who is whose impostor, bool (n, n)."""

    plain: torch.Tensor
    disturbed: torch.Tensor
    impostors: torch.Tensor
    groups: dict[str, torch.Tensor]


def many(work: Path, count: int, seed: int = 5) -> Many:
    """The same crops and views for the same arguments.

    Args:
        work: the crops' cache, with ``same-person.csv``.
        count: of held-out crops; fewer where there are fewer.
    """
    chosen = np.random.default_rng(seed).permutation(split_of(work)[1])[:count]
    inputs = OneByOne(work, seed, chosen)
    middle = slice(MARGIN, MARGIN + MIDDLE)
    plain = [resized(inputs.canvas(int(index), False)[middle, middle], SIZE) for index in chosen]
    disturbed = [inputs.sample(SIZE)[1][0] for _ in track(chosen, len(chosen), "views drawn")]
    names = [inputs.crops.names[int(index)] for index in chosen]
    tight = torch.tensor([int(index) in inputs.tight for index in chosen])
    groups = {"all": torch.ones_like(tight), "All-Age-Faces": ~tight, "FairFace": tight}
    tensors = (torch.from_numpy(np.stack(rows)) for rows in (plain, disturbed))
    return Many(*tensors, strangers(names, read_pairs(work / "same-person.csv")), groups)


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
    strange = scores[impostors]
    top = strange.topk(max(1, int(len(strange) * max(rates)))).values
    genuine = scores.diagonal()
    return [100 * float((genuine < top[max(0, int(len(strange) * rate) - 1)]).float().mean()) for rate in rates]


def apart(work: Path, weights: list[Path], count: int) -> None:
    """Print a line a checkpoint and group."""
    crops = many(work, count)
    print("FNMR in % at FMR " + ", ".join(f"{rate:g}" for rate in RATES))
    for path in weights:
        net, seen = load(path)
        scores = embed(net, crops.plain) @ embed(net, crops.disturbed).T
        for name, mine in crops.groups.items():
            figures = false_non_matches(scores[mine][:, mine], crops.impostors[mine][:, mine], RATES)
            known = [int(mine.sum()) ** 2 * rate >= FEWEST for rate in RATES]
            words = "  ".join(f"{one:5.2f}" if enough else "  few" for one, enough in zip(figures, known, strict=True))
            print(f"{path} ({seen:,} inputs), {name}, {int(mine.sum())} crops: {words}", flush=True)
