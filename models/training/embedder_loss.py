"""What the student is asked for: the teacher's answer, the teacher's distances, and the maps on the way there.

The teacher's embedding is projected on its first principal components over the training crops (facts.md: 128 of them
lose nothing). Maps are compared place by place: the student's places are looked up in the teacher's picture, since the
student's view was moved.
"""

from __future__ import annotations

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor, nn

#: Channels of the teacher's maps, early to last.
TEACHER_WIDTHS = (64, 128, 128)
#: Weight of the batch's similarity matrix, and of the maps, early to last.
PAIRS, MAPS = 4.0, (0.25, 0.5, 1.0)
#: For a network that has learnt already: maps were its scaffold, and what they ask of it the answer need not ask.
LATE_MAPS = (0.0, 0.0, 0.5)
#: So many faces of `Loss.bank` are chosen from; the sharpness, at which the teacher gives nine tenths to the face
#: itself and the rest to those that resemble it; the weight: it pulls an embedding about as strongly as the angle does.
CROWD, SHARP, CHOICE = 6000, 0.08, 0.6


def principal(vectors: NDArray[np.float32], dim: int = 128) -> NDArray[np.float32]:
    """The projection (256, dim) of unit vectors on their first components, not centred, so that cosines are kept."""
    _, basis = np.linalg.eigh(vectors.T.astype(np.float64) @ vectors)
    return np.ascontiguousarray(basis[:, ::-1][:, :dim], np.float32)


def both_ways(embeddings: Tensor) -> Tensor:
    """The teacher's answers to faces and, in the second half, to their mirror images: the same mean for both, (N, D).

    The teacher's two answers have a cosine of 0.93; what they do not share says nothing about the person.
    """
    one, other = F.normalize(embeddings.float()).chunk(2)
    return (one + other).repeat(2, 1)


class Loss(nn.Module):
    """See the module.

    Args:
        basis: (256, 128) as `principal` gives it.
        widths: channels of the student's stages, early to last.
        weights: of the maps, early to last; a map of weight 0 is not computed.
        bank: the teacher's answers to all training crops (M, 256), among which the student must prefer whom the teacher
            prefers (`choice`); None leaves that out.
    """

    def __init__(
        self,
        basis: NDArray[np.float32],
        widths: tuple[int, ...],
        weights: tuple[float, ...] = MAPS,
        bank: NDArray[np.float32] | None = None,
    ) -> None:
        super().__init__()
        self.weights = weights
        self.basis: Tensor
        self.register_buffer("basis", torch.from_numpy(basis))
        self.bridges = nn.ModuleList(
            nn.Conv2d(mine, theirs, 1) for mine, theirs in zip(widths, TEACHER_WIDTHS, strict=True)
        )
        self.bank: Tensor | None
        known = None if bank is None else self.targets(torch.from_numpy(bank))
        self.register_buffer("bank", known, persistent=False)

    def targets(self, embeddings: Tensor) -> Tensor:
        """Unit targets (N, 128) of the teacher's embeddings (N, 256)."""
        return F.normalize(F.normalize(embeddings.float()) @ self.basis)

    def forward(
        self, z: Tensor, maps: list[Tensor], target: Tensor, theirs: list[Tensor], theta: Tensor
    ) -> dict[str, Tensor]:
        """The parts of the loss and their ``total``.

        Args:
            z: the student's embeddings (N, 128).
            maps: the student's maps, early to last.
            target: unit targets (N, 128).
            theirs: the teacher's maps, early to last.
            theta: (N, 2, 3) from the student's places to the teacher's.
        """
        z = F.normalize(z.float())
        parts = {"angle": 1 - (z * target).sum(1).mean()}
        parts["pairs"] = (z @ z.T - target @ target.T).square().mean() * len(z) / max(1, len(z) - 1)
        total = parts["angle"] + PAIRS * parts["pairs"]
        if self.bank is not None:
            drawn = self.bank[torch.randint(len(self.bank), (CROWD,), device=self.bank.device)]
            parts["choice"] = choice(z, target, torch.cat([target, drawn]))
            total = total + CHOICE * parts["choice"]
        for n, (bridge, mine, other) in enumerate(zip(self.bridges, maps, theirs, strict=True)):
            if not self.weights[n]:
                continue
            wanted = looked_up(other, theta, mine.shape[-1])
            parts[f"map{n}"] = 1 - F.cosine_similarity(bridge(mine.float()), wanted, dim=1).mean()
            total = total + self.weights[n] * parts[f"map{n}"]
        return parts | {"total": total}


def choice(z: Tensor, target: Tensor, bank: Tensor) -> Tensor:
    """How differently student and teacher choose among many faces: Kullback-Leibler divergence, mean over the views.

    Its gradient falls on those whom either of the two takes for the person, who are the impostors of small false match
    rates; the similarity matrix of a batch holds few of them (relational distillation over a queue: Fang et al. 2021,
    SEED, arXiv 2101.04731).

    Args:
        z: the student's unit embeddings (N, 128).
        target: unit targets (N, 128).
        bank: unit targets to choose from (M, 128), those of these views among them.
    """
    mine, theirs = F.log_softmax(z @ bank.T / SHARP, 1), F.log_softmax(target @ bank.T / SHARP, 1)
    return F.kl_div(mine, theirs, reduction="batchmean", log_target=True)


def shrunk(maps: Tensor, side: int) -> Tensor:
    """The teacher's maps (N, C, h, h), averaged until about as small as the student's, whose side is given."""
    shrink = max(1, round(maps.shape[-1] / side))
    return F.avg_pool2d(maps, shrink) if shrink > 1 else maps


def looked_up(maps: Tensor, theta: Tensor, side: int) -> Tensor:
    """The teacher's maps (N, C, h, h) at the student's places: (N, C, side, side)."""
    maps = shrunk(maps, side)
    grid = F.affine_grid(theta, [len(maps), 1, side, side], align_corners=False)
    return F.grid_sample(maps, grid, padding_mode="border", align_corners=False)
