"""The passive net, what it learns by, and how its looks are varied; `pad` has the commands."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from models.training.detector_net import Bottleneck, ConvNorm
from models.training.pad_data import HEIGHT, LIVE, VIEWS, WIDTH

#: Weights of the loss: teachers' features, teachers' live score where they are right.
_FEATURES, _KEPT = 1.0, 0.5


class Passive(nn.Module):
    """(N, 3, 80, 192), (pixel - 128) / 128 -> logits (N, 3): live, print, display. ReLU6 only."""

    def __init__(self) -> None:
        super().__init__()
        self.body = nn.Sequential(
            ConvNorm(3, 16, 3, 2),
            ConvNorm(16, 24, 3, 2),
            Bottleneck(24, 40, 2, 3),
            *[Bottleneck(40, 40, 1, 3) for _ in range(2)],
            Bottleneck(40, 80, 2, 3),
            *[Bottleneck(80, 80, 1, 3) for _ in range(3)],
            ConvNorm(80, 192, 1),
        )
        # where in the picture something was seen matters: each cell has its own weight, as in the teachers
        self.places = nn.Sequential(nn.Conv2d(192, 192, (5, 12), groups=192, bias=False), nn.BatchNorm2d(192))
        self.features = nn.Conv2d(192, 128, 1)
        self.classes = nn.Conv2d(128, 3, 1)

    def seen(self, x: Tensor) -> Tensor:
        """Features (N, 128, 1, 1)."""
        return F.relu6(self.features(self.places(self.body(x))))

    def forward(self, x: Tensor) -> Tensor:
        return self.classes(self.seen(x)).flatten(1)


class Student(nn.Module):
    """The net and, for training, how its features tell the teachers' features and answers."""

    def __init__(self) -> None:
        super().__init__()
        self.net, self.telling, self.answering = Passive(), nn.Linear(128, 256), nn.Linear(128, 6)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        seen = self.net.seen(x)
        flat = seen.flatten(1)
        return self.net.classes(seen).flatten(1), self.telling(flat), self.answering(flat).view(-1, 2, 3)


def loss(student: tuple[Tensor, Tensor, Tensor], batch: dict[str, Tensor]) -> dict[str, Tensor]:
    """Parts and total. ``features`` (N, 256) have unit variance; ``teacher`` (N, 2, 3) are softmaxes."""
    logits, told, answers = (part.float() for part in student)
    label, teacher = batch["label"], batch["teacher"]
    live = teacher[:, :, 1].mean(1)
    alive = F.log_softmax(logits, -1)[:, LIVE]
    other = torch.log1p(-alive.exp().clamp(max=1 - 1e-6))
    kept = -(live * alive + (1 - live) * other) * ((live > 0.5) == (label == LIVE))
    parts = {
        "classes": F.cross_entropy(logits, label, label_smoothing=0.03),
        "features": F.smooth_l1_loss(told, batch["features"]),
        "answers": -(teacher * F.log_softmax(answers, -1)).sum(-1).mean(),
        "kept": kept.mean(),
    }
    total = parts["classes"] + _FEATURES * parts["features"] + parts["answers"] + _KEPT * parts["kept"]
    return parts | {"total": total}


def varied(pictures: Tensor, rng: torch.Generator) -> Tensor:
    """uint8 (N, H, W, 3) -> (N, 3, H, W) as the net takes them: mirrored, another light and colour, noise, one view."""
    split = VIEWS.split
    x = pictures.permute(0, 3, 1, 2).float()
    n = len(x)

    def drawn(*shape: int) -> Tensor:
        return torch.rand(shape, generator=rng)

    mirror = drawn(n) < 0.5
    x[mirror] = torch.cat([x[mirror][..., :split].flip(-1), x[mirror][..., split:].flip(-1)], -1)
    gain = torch.exp((drawn(n, 3, 1, 1) - 0.5) * 0.15 + (drawn(n, 1, 1, 1) - 0.5) * 0.4)
    mean = x.mean((1, 2, 3), keepdim=True)
    x = ((x - mean) * (0.85 + 0.3 * drawn(n, 1, 1, 1)) + mean) * gain
    grey = x.mean(1, keepdim=True)
    x = grey + (x - grey) * (0.5 + 0.7 * drawn(n, 1, 1, 1))
    x = x + torch.randn(x.shape, generator=rng) * (drawn(n, 1, 1, 1) ** 2 * 4)
    lost = drawn(n)
    x[lost < 0.03, :, :, :split] = 128
    x[lost > 0.97, :, :, split:] = 128
    return ((x.clamp(0, 255) - 128) / 128).contiguous(memory_format=torch.channels_last)


def count(net: nn.Module) -> int:
    """Multiply-accumulates of one look."""
    total = 0

    def hook(module: nn.Conv2d, _: object, output: Tensor) -> None:
        nonlocal total
        total += output[0].numel() * module.weight[0].numel()

    handles = [m.register_forward_hook(hook) for m in net.modules() if isinstance(m, nn.Conv2d)]
    with torch.no_grad():
        net(torch.zeros(1, 3, HEIGHT, WIDTH))
    for handle in handles:
        handle.remove()
    return total
