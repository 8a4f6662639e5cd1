"""How far the student is, on held-out crops only: what decides between recipes, since lfw-dev must not.

No identities are known there, so a genuine pair is one crop in two views, moved, lit and blurred differently, or turned
and with another mien, and an impostor pair is two crops. That says nothing about ageing; the cosine to the teacher
stands in for it.
"""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import torch
import torch.nn.functional as F

from models.training.embedder_faces import crowned
from models.training.embedder_inputs import CANVAS, MARGIN, MIDDLE, Inputs, split_of, turned
from models.training.embedder_loss import Loss, both_ways
from models.training.embedder_net import SIZE
from models.training.teacher import OnlineTeacher


class Bench:
    """A fixed set of held-out crops in a clean and two jittered views.

    Args:
        work: the crops' cache.
        teacher: answers once.
        loss: holds the projection.
        count: crops.
    """

    def __init__(self, work: Path, teacher: OnlineTeacher, loss: Loss, count: int = 1000) -> None:
        held = split_of(work)[1]
        self.chosen = np.random.default_rng(11).permutation(held)[:count]
        self.work, self.views = work, {}
        inputs = Inputs(work, 12, held)
        clean = [inputs.canvas(int(i), False)[MARGIN : MARGIN + MIDDLE, MARGIN : MARGIN + MIDDLE] for i in self.chosen]
        self.target = self.answers(clean, teacher, loss)
        heads = [crowned_like(inputs, int(i)) for i in self.chosen if int(i) in inputs.tight]
        self.crowned = torch.from_numpy(np.stack([resized(picture, SIZE) for picture in heads]))
        self.crowned_target = self.answers(heads, teacher, loss)
        self.turns = [torch.from_numpy(turned_all(inputs, self.chosen)) for _ in range(2)]

    @staticmethod
    def answers(pictures: list[np.ndarray], teacher: OnlineTeacher, loss: Loss) -> torch.Tensor:
        """Unit targets (n, 128) of BGR uint8 (128, 128, 3)."""
        ways = [pictures, [picture[:, ::-1] for picture in pictures]]
        rows = [teacher(np.stack(way[n : n + 50]))[0].copy() for way in ways for n in range(0, len(way), 50)]
        both = both_ways(torch.from_numpy(np.concatenate(rows)).to(loss.basis.device))
        return loss.targets(both[: len(pictures)])

    def pictures(self, size: int) -> list[torch.Tensor]:
        """The clean view and two jittered ones, uint8 RGB (n, size, size, 3); the same at every call."""
        if size not in self.views:
            plain, other = _Fixed(self.work, self.chosen, 0.0), _Fixed(self.work, self.chosen, 1.0)
            self.views = {size: [plain.all(size), other.all(size), other.all(size)]}
        return self.views[size]

    def measure(self, net: torch.nn.Module, size: int, dim: int = 128) -> dict[str, float]:
        """Cosine to the teacher (clean, jittered, with another's hair, turned), RMS error of similarities, TAR.

        TAR is between two jittered views, and between two turned ones. A turned head's target is the straight one's.

        Args:
            net: a student. size: of its pictures.
            dim: numbers of an embedding that are compared, from the first, which tells most.
        """
        clean, one, two = (F.normalize(embed(net, views)[:, :dim]) for views in self.pictures(size))
        target, heads = F.normalize(self.target[:, :dim]), F.normalize(self.crowned_target[:, :dim])
        turns = [F.normalize(embed(net, views)[:, :dim]) for views in self.turns]
        other = ~torch.eye(len(one), dtype=torch.bool, device=one.device)
        pairs = (clean @ clean.T - target @ target.T)[other]
        found = {
            "held_clean": float((clean * target).sum(1).mean()),
            "held_view": float((one * target).sum(1).mean()),
            "held_crowned": float((F.normalize(embed(net, self.crowned)[:, :dim]) * heads).sum(1).mean()),
            "held_turned": float((turns[0] * target).sum(1).mean()),
            "held_pairs": float(pairs.square().mean().sqrt()),
        }
        for name, rate in (("tar3", 1e-3), ("tar4", 1e-4)):
            found[f"held_{name}"] = true_accepts(one, two, rate)
            found[f"held_turned_{name}"] = true_accepts(*turns, rate)
        return found


def true_accepts(one: torch.Tensor, two: torch.Tensor, rate: float) -> float:
    """TAR in per cent at a false match rate, between two views (n, d) of the same n faces, unit vectors."""
    scores = one @ two.T
    impostors = scores[~torch.eye(len(one), dtype=torch.bool, device=one.device)]
    threshold = torch.topk(impostors, int(len(impostors) * rate)).values[-1]
    return 100 * float((scores.diagonal() >= threshold).float().mean())


def embed(net: torch.nn.Module, pictures: torch.Tensor) -> torch.Tensor:
    """Unit embeddings (n, 128) of uint8 RGB (n, size, size, 3)."""
    device, rows = next(net.parameters()).device, []
    with torch.no_grad():
        for part in pictures.split(100):
            x = (part.to(device).permute(0, 3, 1, 2).float() - 128) / 128
            rows.append(F.normalize(net(x.contiguous(memory_format=torch.channels_last)).float()))
    return torch.cat(rows)


class _Fixed(Inputs):
    """Held-out crops one after the other, never composed; strength 0 leaves them untouched."""

    def __init__(self, work: Path, chosen: np.ndarray, strength: float) -> None:
        super().__init__(work, 13, chosen)
        self.strength, self.at = strength, 0

    def face(self) -> tuple[np.ndarray, None, int]:
        self.at += 1
        index = int(self.indices[(self.at - 1) % len(self.indices)])
        return cv2.merge([self.canvas(index, False), np.full((CANVAS, CANVAS), 255, np.uint8)]), None, index

    def dressed(self, view: np.ndarray, matrix: np.ndarray) -> np.ndarray:
        return view  # so that figures can be compared with those of runs without spectacles

    def all(self, size: int) -> torch.Tensor:
        if self.strength:
            return torch.from_numpy(np.stack([self.sample(size)[1][0] for _ in self.indices]))
        return torch.from_numpy(np.stack([self.plain(size) for _ in self.indices]))

    def plain(self, size: int) -> np.ndarray:
        return resized(self.face()[0][MARGIN : MARGIN + MIDDLE, MARGIN : MARGIN + MIDDLE, :3], size)


def crowned_like(inputs: Inputs, index: int) -> np.ndarray:
    """A tight crop's face in the hair of another of these inputs' crops, BGR uint8 (128, 128, 3)."""
    hair = inputs.canvas(int(inputs.rng.choice(inputs.whole)), False)
    canvas = crowned(inputs.canvas(index, False), hair, inputs.rng, inputs.known(index, False))
    return np.ascontiguousarray(canvas[MARGIN : MARGIN + MIDDLE, MARGIN : MARGIN + MIDDLE])


def turned_all(inputs: Inputs, chosen: np.ndarray) -> np.ndarray:
    """Crops turned and with another mien, RGB uint8 (n, 112, 112, 3); as they are where their depth is unknown."""
    rows, shrink = [], SIZE / MIDDLE
    plain = np.array([[shrink, 0, -MARGIN * shrink], [0, shrink, -MARGIN * shrink]], np.float32)
    for index in chosen.tolist():
        canvas, head = np.ascontiguousarray(inputs.canvas(index, False)), inputs.head(index, False)
        view = turned(canvas, head, plain, SIZE, inputs.rng) if head else cv2.warpAffine(canvas, plain, (SIZE, SIZE))
        rows.append(np.ascontiguousarray(view[:, :, ::-1]))
    return np.stack(rows)


def resized(picture: np.ndarray, size: int) -> np.ndarray:
    """A clean view: RGB uint8 (size, size, 3) of BGR."""
    return cv2.resize(np.ascontiguousarray(picture[:, :, ::-1]), (size, size), interpolation=cv2.INTER_AREA)
