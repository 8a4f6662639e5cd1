"""The embedder's network: inverted bottlenecks with ReLU6, 112x112x3 in, 128-d out, 0.65 M parameters, 101 M MACs.

    net = load(folder / "weights.pt")
    z = net(x)     # x (N, 3, 112, 112) RGB, (pixel - 127.5) / 128; z (N, 128); compare by cosine

Architecture and weights were made for this project. Crops are aligned to TEMPLATE, tighter than ArcFace's, since it is
the teacher's (Open Model Zoo face-reidentification-retail-0095).
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from models.training.detector_net import Bottleneck

SIZE = 112
#: Left eye, right eye, nose, left and right mouth corner (left = image left) as fractions of the crop.
FRACTIONS = [
    [0.31556875, 0.46157410],
    [0.68262291, 0.45983393],
    [0.50026249, 0.64050536],
    [0.34947187, 0.82469196],
    [0.65343645, 0.82325089],
]
TEMPLATE = SIZE * np.array(FRACTIONS, np.float32)


class ConvNorm(nn.Sequential):
    """Convolution, batch norm, ReLU6; the 7x7 one at the end is not padded."""

    def __init__(self, inputs: int, outputs: int, kernel: int = 3, stride: int = 1, groups: int = 1, act: bool = True):
        padding = kernel // 2 if kernel != 7 else 0
        conv = nn.Conv2d(inputs, outputs, kernel, stride, padding, groups=groups, bias=False)
        super().__init__(conv, nn.BatchNorm2d(outputs), *([nn.ReLU6(True)] if act else []))


class Embedder(nn.Module):
    """See the module."""

    def __init__(
        self,
        dim: int = 128,
        widths: tuple[int, ...] = (24, 48, 96, 128),
        repeats: tuple[int, ...] = (3, 5, 2),
        head: int = 512,
    ) -> None:
        super().__init__()
        layers: list[nn.Module] = [ConvNorm(3, widths[0], 3, 2), ConvNorm(widths[0], widths[0], 3, 1, widths[0])]
        inputs = widths[0]
        for stage, (width, repeat) in enumerate(zip(widths[1:], repeats, strict=True)):
            layers.append(Bottleneck(inputs, width, 2, 2 if stage == 0 else 4))
            layers += [Bottleneck(width, width, 1, 2) for _ in range(repeat)]
            inputs = width
        layers += [ConvNorm(inputs, head, 1), ConvNorm(head, head, 7, groups=head, act=False)]
        self.f = nn.Sequential(*layers, nn.Conv2d(head, dim, 1, bias=False), nn.BatchNorm2d(dim))

    def forward(self, x: Tensor) -> Tensor:
        return self.f(x).flatten(1)


def load(path: Path) -> Embedder:
    """The network with its weights, in eval mode."""
    net = Embedder()
    net.load_state_dict(torch.load(path, map_location="cpu", weights_only=True))
    return net.eval()


def shift_input(net: Embedder) -> Embedder:
    """Make the network take (pixel - 128) / 128 instead of (pixel - 127.5) / 128, in place.

    The half step is folded into the first batch norm. Only the zero padding at the border then stands for 128 instead
    of 127.5, which is nothing.
    """
    conv, norm = net.f[0][0], net.f[0][1]
    with torch.no_grad():
        norm.running_mean -= conv.weight.sum((1, 2, 3)) * (0.5 / 128)
    return net


def count(net: nn.Module, height: int, width: int) -> tuple[int, int]:
    """(multiply-accumulates of one input, parameters)."""
    macs = 0

    def hook(module: nn.Conv2d, _: object, output: Tensor) -> None:
        nonlocal macs
        macs += output[0].numel() * module.weight[0].numel()

    handles = [m.register_forward_hook(hook) for m in net.modules() if isinstance(m, nn.Conv2d)]
    with torch.no_grad():
        net.eval()(torch.zeros(1, 3, height, width))
    for handle in handles:
        handle.remove()
    return macs, sum(p.numel() for p in net.parameters())
