"""Which cell learns what, and how far off it is.

A face belongs to stride 8 when it is small, to stride 16 when it is large, to both in between. Cells within `INNER`
face sizes of its centre are positives; a ring around them counts for the regressions but not for the score. The score
learns by focal loss, boxes by generalised IoU (Rezatofighi et al. 2019), landmarks by L1 in units of the face size,
since the embedder's alignment depends on them more than on anything else.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from models.training.detector_net import HEIGHT, STRIDES, WIDTH

#: (smallest, largest) face size sqrt(w h) in input pixels that a stride learns.
LEVELS = {8: (0.0, 40.0), 16: (28.0, 1e9)}
INNER, RING = 0.2, 1.6
GRACE = 1.15


def cells(stride: int, device: torch.device) -> Tensor:
    """Cell centres (h, w, 2), x then y, in input pixels."""
    y, x = torch.meshgrid(
        torch.arange(HEIGHT // stride, device=device), torch.arange(WIDTH // stride, device=device), indexing="ij"
    )
    return (torch.stack([x, y], -1) + 0.5) * stride


def assign(faces: Tensor, stride: int) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """For each cell its nearest face of this stride.

    Args:
        faces: (N, F, 14) as `compose` makes them; zero rows are empty.
        stride: 8 or 16.

    Returns:
        positive (N, h, w) bool, ring (N, h, w) bool (positives included), ignore (N, h, w) bool (the ring, or a face
        whose size is just outside this stride's), target (N, h, w, 14).
    """
    centre, size = faces[..., 0:2], (faces[..., 2] * faces[..., 3]).clamp_min(1e-6).sqrt()
    real = faces[..., 2] > 0
    low, high = LEVELS[stride]
    mine = real & (size >= low) & (size < high)
    radius = torch.maximum(INNER * size, torch.full_like(size, 0.72 * stride))
    distance = (cells(stride, faces.device)[None, None] - centre[:, :, None, None]).norm(dim=-1) / radius[
        ..., None, None
    ]
    own = distance.masked_fill(~mine[..., None, None], 1e9)
    nearest, which = own.min(1)
    # a face a little too large or small for this stride is nobody's mistake here; farther off it must not answer
    near = real & (size >= low / GRACE) & (size < high * GRACE)
    anyone = distance.masked_fill(~near[..., None, None], 1e9).min(1).values
    target = torch.gather(faces, 1, which.flatten(1)[..., None].expand(-1, -1, 14)).unflatten(1, which.shape[1:])
    positive, ring = nearest <= 1, nearest <= RING
    return positive, ring, (anyone <= RING) & ~positive, target


def giou_loss(a: Tensor, b: Tensor) -> Tensor:
    """1 - generalised IoU of boxes (..., 4) given as centre x, y, width, height."""
    a0, a1 = a[..., :2] - a[..., 2:] / 2, a[..., :2] + a[..., 2:] / 2
    b0, b1 = b[..., :2] - b[..., 2:] / 2, b[..., :2] + b[..., 2:] / 2
    inter = (torch.minimum(a1, b1) - torch.maximum(a0, b0)).clamp_min(0).prod(-1)
    hull = (torch.maximum(a1, b1) - torch.minimum(a0, b0)).prod(-1)
    union = a[..., 2:].prod(-1) + b[..., 2:].prod(-1) - inter
    return 1 - inter / union + (hull - union) / hull


def loss(outputs: tuple[Tensor, ...], faces: Tensor) -> dict[str, Tensor]:
    """The summed losses of both strides: ``score``, ``box``, ``landmarks``, ``quiet`` and their weighted ``total``."""
    sums = {name: faces.new_zeros(()) for name in ("score", "box", "landmarks", "quiet")}
    positives = rings = faces.new_zeros(())
    for level, stride in enumerate(STRIDES):
        score, box, marks = (o.float().permute(0, 2, 3, 1) for o in outputs[3 * level : 3 * level + 3])
        positive, ring, ignore, target = assign(faces, stride)
        focal = _focal(score[..., 0], positive.float())
        sums["score"] += focal[~ignore].sum()
        positives += positive.sum()
        sums["quiet"] += 1e-3 * (box[~ring].square().mean() + marks[~ring].square().mean())
        if not ring.any():
            continue
        at = cells(stride, faces.device).expand(*ring.shape, 2)[ring]
        goal, raw = target[ring], box[ring]
        size = (goal[:, 2] * goal[:, 3]).sqrt()
        guess = torch.cat([at + raw[:, :2] * stride, raw[:, 2:].clamp(-3, 4).exp() * stride], 1)
        sums["box"] += giou_loss(guess, goal[:, :4]).sum()
        points = at.repeat(1, 5) + marks[ring] * stride
        off = (points - goal[:, 4:]).abs() / size[:, None]
        sums["landmarks"] += F.smooth_l1_loss(off, torch.zeros_like(off), beta=0.01, reduction="none").sum() / 10
        rings += ring.sum()
    out = {
        "score": sums["score"] / positives.clamp_min(1),
        "box": sums["box"] / rings.clamp_min(1),
        "landmarks": sums["landmarks"] / rings.clamp_min(1),
        "quiet": sums["quiet"],
    }
    out["total"] = out["score"] + out["box"] + 12 * out["landmarks"] + out["quiet"]
    return out


def _focal(logit: Tensor, target: Tensor, gamma: float = 2.0, alpha: float = 0.6) -> Tensor:
    """Focal loss (Lin et al. 2017); alpha weighs the positives."""
    p = logit.sigmoid()
    entropy = F.binary_cross_entropy_with_logits(logit, target, reduction="none")
    wrong = torch.where(target > 0, 1 - p, p)
    weight = torch.where(target > 0, alpha, 1 - alpha)
    return weight * wrong**gamma * entropy
