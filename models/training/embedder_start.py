"""What a training run of the embedder begins with: which numbers are learnt, from whom, and another run's weights."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from models.training.crops import open_crops, source_of
from models.training.embedder_inputs import split_of
from models.training.embedder_loss import Loss, principal
from models.training.embedder_net import Embedder, grown, turned
from models.training.impostors import SURE
from models.training.split import read_pairs
from models.training.teacher import blind_vectors

F32 = NDArray[np.float32]


def projection(data: Path, work: Path) -> tuple[F32, F32]:
    """What of the teacher's answers is learnt, (256, 128): their first components, blind to sex and origin.

    And the answers themselves, of all training crops, (M, 256).
    """
    answers = blind_vectors(data, work)[split_of(work)[0]]
    return principal(answers), answers


def sets_of(work: Path) -> list[str]:
    """The sets that training crops are of (`crops.source_of`): a checkpoint keeps them, and its card names them."""
    names = open_crops(work).names
    return sorted({source_of(names[i]) for i in split_of(work)[0]})


def kin(work: Path, loss: Loss) -> torch.Tensor:
    """What other pictures of the same person say of a crop: float32 (n + 1, 128), to be added to a unit target.

    The mean target of the pictures that ``same-person.csv`` pairs it with at `impostors.SURE` or more, so that a
    person's pictures ask for one answer; 0 where nobody is known, and in the last row, which index -1 means.
    ``loss.bank`` answers for training crops, so no held-out picture has a say.
    """
    names, (train, _), known = open_crops(work).names, split_of(work), loss.bank
    assert known is not None
    place, row = {name: n for n, name in enumerate(names)}, {int(i): n for n, i in enumerate(train)}
    found, counts = torch.zeros(len(names) + 1, known.shape[1]), torch.zeros(len(names) + 1, 1)
    for pair in read_pairs(work / "same-person.csv", SURE):
        one, other = (place.get(name, -1) for name in pair)
        if one in row and other in row:
            for mine, its in ((one, other), (other, one)):
                found[mine] += known[row[its]].cpu()
                counts[mine] += 1
    return found / counts.clamp(min=1)


def take_over(net: Embedder, loss: Loss, start: Path, device: torch.device) -> tuple[int, list[str]]:
    """Begin with another run's averaged weights, and its bridges to the maps where they were kept.

    The other run's network may have fewer blocks (`grown`), and another projection: its answers are turned into ours.

    Returns:
        inputs that those weights have seen, and the sets that they have learnt from.
    """
    state = torch.load(start, map_location=device, weights_only=True)
    ours = loss.basis.clone()
    grown(net, state["weights"])
    if "loss" in state:
        loss.load_state_dict(state["loss"])
        loss.basis.copy_(ours)
    theirs = state.get("loss", state)["basis"].to(device)
    if not torch.allclose(theirs, ours, atol=1e-6):
        turned(net, theirs.T @ ours)
    return int(state["seen"]) + int(state.get("before", 0)), sets_in(state)


def sets_in(state: dict[str, Any]) -> list[str]:
    """The sets that a checkpoint has learnt from; before they were kept in it, All-Age-Faces and UTKFace."""
    return list(state.get("sets", ("aaf", "utk")))


def to_go_on(state: dict[str, Any], path: Path) -> None:
    """Write a checkpoint's averaged weights in half precision, 4 MB, with all that a run beginning with them asks for.

    Args:
        state: a checkpoint. path: written whole or not at all.
    """
    kept = {key: state[key] for key in ("shape", "loss", "basis", "seen", "before", "sets") if key in state}
    weights = {name: w.half() if w.is_floating_point() else w for name, w in state["weights"].items()}
    torch.save(kept | {"weights": weights}, path.with_suffix(".tmp"))
    path.with_suffix(".tmp").replace(path)
