"""What a training run of the embedder begins with: which numbers are learnt, and another run's weights."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from models.training.embedder_inputs import split_of
from models.training.embedder_loss import Loss, principal
from models.training.embedder_net import Embedder, grown, turned
from models.training.teacher import blind_vectors

F32 = NDArray[np.float32]


def projection(data: Path, work: Path) -> tuple[F32, F32]:
    """What of the teacher's answers is learnt, (256, 128): their first components, blind to sex and origin.

    And the answers themselves, of all training crops, (M, 256).
    """
    answers = blind_vectors(data, work)[split_of(work)[0]]
    return principal(answers), answers


def take_over(net: Embedder, loss: Loss, start: Path, device: torch.device) -> int:
    """Begin with another run's averaged weights, and its bridges to the maps where they were kept.

    The other run's network may have fewer blocks (`grown`), and another projection: its answers are turned into ours.

    Returns:
        inputs that those weights have seen.
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
    return int(state["seen"]) + int(state.get("before", 0))
