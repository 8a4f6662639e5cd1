"""The detector's network: ReLU6 inverted bottlenecks, two strides, anchor-free heads.

    net = Detector()
    maps = net(x)      # x (N, 3, 144, 192) BGR, (pixel - 128) / 128
    score_8, box_8, landmarks_8, score_16, box_16, landmarks_16 = maps

At stride s with cell centre c = ((col + .5) s, (row + .5) s): score is a logit; box is (dx, dy, log(w/s), log(h/s))
with centre c + d s; landmarks are five offsets (x, y) from c in units of s. Everything is plain or depthwise
convolution, addition and ReLU6, which XNNPACK runs in int8 without leaving its delegate.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

WIDTH, HEIGHT = 192, 144
STRIDES = (8, 16)
OUTPUTS = tuple(f"{kind}_{stride}" for stride in STRIDES for kind in ("score", "box", "landmarks"))


class ConvNorm(nn.Sequential):
    """Convolution, batch norm, and ReLU6 unless told otherwise."""

    def __init__(self, inputs: int, outputs: int, kernel: int = 3, stride: int = 1, groups: int = 1, act: bool = True):
        conv = nn.Conv2d(inputs, outputs, kernel, stride, kernel // 2, groups=groups, bias=False)
        super().__init__(conv, nn.BatchNorm2d(outputs), *([nn.ReLU6(True)] if act else []))


class Bottleneck(nn.Module):
    """1x1 up, 3x3 depthwise, 1x1 down; with a skip where shapes allow."""

    def __init__(self, inputs: int, outputs: int, stride: int = 1, expand: float = 2) -> None:
        super().__init__()
        hidden = int(inputs * expand)
        self.f = nn.Sequential(
            ConvNorm(inputs, hidden, 1),
            ConvNorm(hidden, hidden, 3, stride, hidden),
            ConvNorm(hidden, outputs, 1, act=False),
        )
        self.skip = stride == 1 and inputs == outputs

    def forward(self, x: Tensor) -> Tensor:
        return x + self.f(x) if self.skip else self.f(x)


class Head(nn.Module):
    """A shared trunk (depthwise 3x3, 1x1), then one 1x1 convolution for each of score, box and landmarks."""

    def __init__(self, inputs: int, width: int) -> None:
        super().__init__()
        self.trunk = nn.Sequential(ConvNorm(inputs, inputs, 3, 1, inputs), ConvNorm(inputs, width, 1))
        self.score, self.box, self.landmarks = (nn.Conv2d(width, n, 1) for n in (1, 4, 10))
        nn.init.constant_(self.score.bias, -4.0)  # faces are rare: start from a prior of 2 % (Lin et al. 2017, 3.3)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        x = self.trunk(x)
        return self.score(x), self.box(x), self.landmarks(x)


class Detector(nn.Module):
    """See the module; `widths` are the channels at strides 2, 4, 8, 16."""

    def __init__(self, widths: tuple[int, ...] = (16, 24, 48, 96), repeats: tuple[int, ...] = (3, 4)) -> None:
        super().__init__()
        w2, w4, w8, w16 = widths
        self.stem = ConvNorm(3, w2, 3, 2)
        self.stage4 = ConvNorm(w2, w4, 3, 2)
        self.stage8 = nn.Sequential(Bottleneck(w4, w8, 2, 3), *[Bottleneck(w8, w8) for _ in range(repeats[0])])
        self.stage16 = nn.Sequential(Bottleneck(w8, w16, 2, 3), *[Bottleneck(w16, w16) for _ in range(repeats[1])])
        self.head8, self.head16 = Head(w8, 64), Head(w16, 96)

    def forward(self, x: Tensor) -> tuple[Tensor, ...]:
        x = self.stage8(self.stage4(self.stem(x)))
        return (*self.head8(x), *self.head16(self.stage16(x)))


def count(net: nn.Module) -> tuple[int, int]:
    """(multiply-accumulates of one input, parameters)."""
    macs = 0

    def hook(module: nn.Conv2d, _: object, output: Tensor) -> None:
        nonlocal macs
        macs += output[0].numel() * module.weight[0].numel()

    handles = [m.register_forward_hook(hook) for m in net.modules() if isinstance(m, nn.Conv2d)]
    with torch.no_grad():
        net(torch.zeros(1, 3, HEIGHT, WIDTH))
    for handle in handles:
        handle.remove()
    return macs, sum(p.numel() for p in net.parameters())
