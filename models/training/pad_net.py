"""The passive net, and how it learns what its teacher knows; `pad` has the commands.

A network of the teacher's plan, ReLU6 for PReLU and wider where that costs capacity, from random weights. What real
prints and displays have taught the teacher is in its features: so the student is asked for the same features at the
same places, stage by stage, on pictures of every kind, and for the same answer at the end.
"""

from __future__ import annotations

from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from models.training.detector_net import ConvNorm
from models.training.pad_data import LIVE, SIDE
from models.training.pad_teacher import NETS, Net

#: Channels after each stage, the teacher's; channels inside each of its bottlenecks, ours.
WIDTHS = (64, 64, 128, 128, 128, 128)
INNER = ((112,), (48, 48, 48, 48), (232,), (232, 96, 64, 96, 64, 64), (308,), (80, 80))
#: The stage after which the simulated attacks go their own way, 10x10.
FORK = 3
#: The teacher's classes in our order: live, print, display.
ORDER = [1, 0, 2]


class Block(nn.Module):
    """1x1 up, 3x3 depthwise, 1x1 down without an activation; with a skip where shapes allow."""

    def __init__(self, inputs: int, inner: int, outputs: int, stride: int) -> None:
        super().__init__()
        self.f = nn.Sequential(
            ConvNorm(inputs, inner, 1), ConvNorm(inner, inner, 3, stride, inner), ConvNorm(inner, outputs, 1, act=False)
        )
        self.skip = stride == 1 and inputs == outputs

    def forward(self, x: Tensor) -> Tensor:
        return x + self.f(x) if self.skip else self.f(x)


class Passive(nn.Module):
    """(N, 3, 80, 80) BGR, (pixel - 128) / 128 -> logits (N, 3): live, print, display. ReLU6 only."""

    def __init__(self) -> None:
        super().__init__()
        stem = nn.Sequential(ConvNorm(3, 32, 3, 2), ConvNorm(32, 32, 3, 1, 32))
        stages: list[nn.Module] = []
        inputs = 32
        for number, (width, inner) in enumerate(zip(WIDTHS, INNER, strict=True)):
            blocks: list[nn.Module] = [] if number else [stem]
            for many in inner:
                blocks.append(Block(inputs, many, width, 2 if number % 2 == 0 else 1))
                inputs = width
            stages.append(nn.Sequential(*blocks))
        self.stages = nn.ModuleList(stages)
        # where in the picture something was seen matters: each cell has its own weight, as in the teacher
        self.places = nn.Sequential(
            ConvNorm(128, 384, 1), nn.Conv2d(384, 384, 5, groups=384, bias=False), nn.BatchNorm2d(384)
        )
        self.features = nn.Conv2d(384, 128, 1)
        self.classes = nn.Conv2d(128, 3, 1)
        # what simulated attacks have in common, from where both ways still see shapes: its own way to the end
        self.own = nn.Sequential(
            Block(128, 160, 96, 2),
            ConvNorm(96, 128, 1),
            nn.Conv2d(128, 128, 5, groups=128, bias=False),
            nn.BatchNorm2d(128),
            nn.Conv2d(128, 64, 1),
            nn.ReLU6(True),
            nn.Conv2d(64, 1, 1),
        )

    def head(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """The last stage's features -> features (N, 128), logits (N, 3)."""
        seen = self.features(self.places(x))
        return seen.flatten(1), self.classes(F.relu6(seen)).flatten(1)

    def both(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Logits (N, 3) as the teacher's, and the simulated attacks' own logit (N,), 0 where it is undecided."""
        for number, stage in enumerate(self.stages):
            x = stage(x)
            if number == FORK:
                own = self.own(x)
        return self.head(x)[1], own.flatten()

    def forward(self, x: Tensor) -> Tensor:
        """(N, 4): live, print, display, any simulated attack."""
        classes, own = self.both(x)
        return torch.cat([classes, classes[:, :1] + own[:, None]], 1)


class Teacher:
    """The pair's nearer net, its features after each stage, and its logits in our order.

    Its second net sees four times the box, which at a door's distance is the same picture.
    """

    def __init__(self, folder: Path) -> None:
        self.net = Net(folder / NETS[0][0])

    @torch.no_grad()
    def __call__(self, x: Tensor) -> tuple[list[Tensor], Tensor, Tensor]:
        """(N, 3, 80, 80) BGR 0..255 -> six maps, features (N, 128), logits (N, 3)."""
        net, maps = self.net, []
        x = net.layer("conv2_dw", net.layer("conv1", x, 2))
        for step, stage, blocks in (("conv_23", "conv_3", 4), ("conv_34", "conv_4", 6), ("conv_45", "conv_5", 2)):
            x = net.block(step, x, 2)
            maps.append(x)
            for number in range(blocks):
                x = x + net.block(f"{stage}.model.{number}", x, 1)
            maps.append(x)
        features, logits = net.answer(x)
        return maps, features, logits[:, ORDER]


class Copying(nn.Module):
    """How far a student is from its teacher: each stage by itself and all together; 1 explains nothing.

    Args:
        maps, features, logits: the teacher's answers to many pictures, for the size of what is compared.
    """

    def __init__(self, maps: list[Tensor], features: Tensor, logits: Tensor) -> None:
        super().__init__()
        for number, values in enumerate([*maps, features, logits]):
            axes = [0, 2, 3] if values.ndim == 4 else [0]
            self.register_buffer(f"mean{number}", values.mean(axes, keepdim=True).clone())
            self.register_buffer(f"size{number}", values.std(axes, keepdim=True).clone() + 1e-3)

    def far(self, number: int, mine: Tensor, theirs: Tensor) -> Tensor:
        return ((mine.float() - theirs) / getattr(self, f"size{number}")).square().mean()

    def forward(
        self, net: Passive, x: Tensor, label: Tensor, maps: list[Tensor], features: Tensor, logits: Tensor, alone: bool
    ) -> dict[str, Tensor]:
        """Parts of the loss.

        Args:
            x: (N, 3, 80, 80) as the net takes it. label: (N,), -1 where nobody knows. maps, features, logits: the
                teacher's. alone: each stage gets the teacher's features to begin with, not the one before it.
        """
        parts: dict[str, Tensor] = {}
        for number, stage in enumerate(net.stages):
            x = stage(x)
            if number == FORK:
                known, own = label >= 0, net.own(x).flatten()
                attack = (label[known] != LIVE).float()
                smooth = 0.02 + 0.96 * attack
                parts["own"] = F.binary_cross_entropy_with_logits(own[known], smooth)
            parts[f"stage{number}"] = self.far(number, x, maps[number])
            if alone:
                x = maps[number]
        mine, answer = net.head(x)
        parts["features"] = self.far(6, mine, features)
        parts["logits"] = self.far(7, answer, logits)
        theirs = F.softmax(logits, -1)
        parts["classes"] = F.kl_div(F.log_softmax(answer.float(), -1), theirs, reduction="batchmean")
        return parts


def varied(pictures: Tensor, rng: torch.Generator) -> tuple[Tensor, Tensor]:
    """uint8 (N, H, W, 3) -> float (N, 3, H, W), 0..255: mirrored, moved, in other light, noisy, with parts of others.

    The second answer are the numbers of those that got parts of another. Teacher and student see the same picture, so
    nothing that is done here can be wrong; it is only more or less like what a camera gives.
    """
    x = pictures.permute(0, 3, 1, 2).float()
    n = len(x)

    def drawn(*shape: int) -> Tensor:
        return torch.rand(shape, generator=rng)

    mirror = drawn(n) < 0.5
    x[mirror] = x[mirror].flip(-1)
    for moved, axis in ((drawn(n) < 0.5, -1), (drawn(n) < 0.3, -2)):  # whole pixels, so that grain stays grain
        by = int(drawn(1) * 21) - 10
        x[moved] = x[moved].roll(by, axis)
    soft = drawn(n) < 0.12
    x[soft] = F.avg_pool2d(x[soft], 3, 1, 1, count_include_pad=False)
    gain = torch.exp((drawn(n, 3, 1, 1) - 0.5) * 0.2 + (drawn(n, 1, 1, 1) - 0.5) * 0.6)
    mean = x.mean((1, 2, 3), keepdim=True)
    x = ((x - mean) * (0.75 + 0.5 * drawn(n, 1, 1, 1)) + mean) * gain
    grey = x.mean(1, keepdim=True)
    x = grey + (x - grey) * (0.4 + 0.9 * drawn(n, 1, 1, 1))
    x = x + torch.randn(x.shape, generator=rng) * (drawn(n, 1, 1, 1) ** 3 * 8)
    joined = torch.nonzero(drawn(n) < 0.3).flatten()
    if len(joined):
        top, left = (int(value * 60) for value in drawn(2))
        bottom, right = (int(20 + value * 60) for value in drawn(2))
        other, share = x[joined.roll(1)], 1 - 0.5 * (drawn(len(joined), 1, 1, 1) < 0.4).float() * drawn(1)
        mixed = x[joined] * share + other * (1 - share)
        mixed[:, :, top:bottom, left:right] = other[:, :, top:bottom, left:right]
        x[joined] = mixed
    return x.clamp(0, 255).round().contiguous(memory_format=torch.channels_last), joined


def count(net: nn.Module) -> int:
    """Multiply-accumulates of one look."""
    total = 0

    def hook(module: nn.Conv2d, _: object, output: Tensor) -> None:
        nonlocal total
        total += output[0].numel() * module.weight[0].numel()

    handles = [m.register_forward_hook(hook) for m in net.modules() if isinstance(m, nn.Conv2d)]
    with torch.no_grad():
        net(torch.zeros(1, 3, SIDE, SIDE))
    for handle in handles:
        handle.remove()
    return total
