"""How far the student is, on held-out crops only: what decides between recipes, since lfw-dev must not.

No identities are known there, so a genuine pair is one crop in two views, moved, lit and blurred differently, and an
impostor pair is two crops. That says nothing about ageing or expression; the cosine to the teacher stands in for those.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F

from models.training.embedder_inputs import MARGIN, MIDDLE, Inputs, split_of
from models.training.embedder_loss import Loss, both_ways
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
        ways = [clean, [picture[:, ::-1] for picture in clean]]
        rows = [teacher(np.stack(way[n : n + 50]))[0].copy() for way in ways for n in range(0, count, 50)]
        device = loss.basis.device
        self.target = loss.targets(both_ways(torch.from_numpy(np.concatenate(rows)).to(device))[:count])

    def pictures(self, size: int) -> list[torch.Tensor]:
        """The clean view and two jittered ones, uint8 RGB (n, size, size, 3); the same at every call."""
        if size not in self.views:
            plain, other = _Fixed(self.work, self.chosen, 0.0), _Fixed(self.work, self.chosen, 1.0)
            self.views = {size: [plain.all(size), other.all(size), other.all(size)]}
        return self.views[size]

    def measure(self, net: torch.nn.Module, size: int, dim: int = 128) -> dict[str, float]:
        """Cosine to the teacher (clean, jittered), RMS error of similarities, TAR at FMR 1e-3, 1e-4 between views.

        Args:
            net: a student. size: of its pictures.
            dim: numbers of an embedding that are compared, from the first, which tells most.
        """
        clean, one, two = (F.normalize(embed(net, views)[:, :dim]) for views in self.pictures(size))
        target = F.normalize(self.target[:, :dim])
        other = ~torch.eye(len(one), dtype=torch.bool, device=one.device)
        impostors = (one @ two.T)[other]
        genuine = (one * two).sum(1)
        pairs = (clean @ clean.T - target @ target.T)[other]
        found = {
            "held_clean": float((clean * target).sum(1).mean()),
            "held_view": float((one * target).sum(1).mean()),
            "held_pairs": float(pairs.square().mean().sqrt()),
        }
        for name, rate in (("held_tar3", 1e-3), ("held_tar4", 1e-4)):
            threshold = torch.topk(impostors, int(len(impostors) * rate)).values[-1]
            found[name] = 100 * float((genuine >= threshold).float().mean())
        return found


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

    def face(self) -> np.ndarray:
        self.at += 1
        return np.ascontiguousarray(self.canvas(int(self.indices[(self.at - 1) % len(self.indices)]), False))

    def all(self, size: int) -> torch.Tensor:
        if self.strength:
            return torch.from_numpy(np.stack([self.sample(size)[1][0] for _ in self.indices]))
        return torch.from_numpy(np.stack([self.plain(size) for _ in self.indices]))

    def plain(self, size: int) -> np.ndarray:
        import cv2

        middle = self.face()[MARGIN : MARGIN + MIDDLE, MARGIN : MARGIN + MIDDLE, ::-1]
        return cv2.resize(np.ascontiguousarray(middle), (size, size), interpolation=cv2.INTER_AREA)
