"""The embedder's network: few, dense 3x3 layers with ReLU6; 112x112x3 in, 128-d out.

    net = Embedder()
    z, maps = net.with_maps(x)     # x (N, 3, 112, 112) RGB, (pixel - 128) / 128; z (N, 128); compare by cosine

Depthwise layers are cheap to run and slow to train: their backward pass waits for memory. A block here is a 1x1 that
narrows and a dense 3x3 that widens again, which on two cores trains 2.7 times as fast at twice the multiplications and
takes no longer in int8 (figures in NOTES.md). Smaller pictures than 112 pass as well: their last map is resized to 7x7,
so that most of a training run can be done at 64.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

SIZE = 112
#: The teacher's template, tighter than ArcFace's: left eye, right eye, nose, left and right mouth corner (left = image
#: left) as fractions of the crop.
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


class Block(nn.Module):
    """Narrow by 1x1, widen by 3x3, add, ReLU6."""

    def __init__(self, width: int, hidden: int) -> None:
        super().__init__()
        self.f = nn.Sequential(ConvNorm(width, hidden, 1), ConvNorm(hidden, width, 3, act=False))

    def forward(self, x: Tensor) -> Tensor:
        return F.relu6(x + self.f(x))


class Embedder(nn.Module):
    """See the module.

    Args:
        widths: channels of the stem (56x56) and of the three stages (28, 14, 7).
        hidden: channels inside a stage's blocks.
        repeats: blocks a stage.
        head: channels of the last map.
        dim: of the embedding.
    """

    def __init__(
        self,
        widths: tuple[int, ...] = (16, 48, 128, 256),
        hidden: tuple[int, ...] = (24, 64, 96),
        repeats: tuple[int, ...] = (3, 7, 1),
        head: int = 512,
        dim: int = 128,
    ) -> None:
        super().__init__()
        self.widths = widths
        self.shape = {"widths": widths, "hidden": hidden, "repeats": repeats, "head": head, "dim": dim}
        self.stem = ConvNorm(3, widths[0], 3, 2)
        stages = []
        for before, width, inner, count in zip(widths, widths[1:], hidden, repeats, strict=False):
            stages.append(nn.Sequential(ConvNorm(before, width, 3, 2), *[Block(width, inner) for _ in range(count)]))
        self.stages = nn.ModuleList(stages)
        self.head = ConvNorm(widths[-1], head, 1)
        self.pool = ConvNorm(head, head, 7, groups=head, act=False)
        self.last = nn.Sequential(nn.Conv2d(head, dim, 1, bias=False), nn.BatchNorm2d(dim))

    def with_maps(self, x: Tensor) -> tuple[Tensor, list[Tensor]]:
        """The embedding (N, dim), and the maps after each stage."""
        x, maps = self.stem(x), []
        for stage in self.stages:
            x = stage(x)
            maps.append(x)
        x = self.head(x)
        if self.training:
            x = self.pool[1](self.spanned(x))
        else:
            x = F.interpolate(x, size=(7, 7), mode="bilinear", align_corners=False) if x.shape[-1] != 7 else x
            x = self.pool(x)
        return self.last(x).flatten(1), maps

    def spanned(self, x: Tensor) -> Tensor:
        """What the convolution of `pool` gives of a map resized to 7x7, by a resized kernel: (N, head, 1, 1).

        The same sum in another order. oneDNN's backward of a depthwise 7x7 to one place took a third of a whole step.
        """
        (weight,) = self.pool[0].weight.unbind(1)
        side = x.shape[-1]
        if side != 7:
            up = F.interpolate(torch.eye(side, device=x.device)[None], size=7, mode="linear", align_corners=False)[0]
            weight = up @ weight @ up.mT
        return (x.float() * weight).sum((2, 3), keepdim=True)

    def forward(self, x: Tensor) -> Tensor:
        return self.with_maps(x)[0]


def grown(net: Embedder, weights: dict[str, Tensor]) -> Embedder:
    """The network with the weights of a shallower one; blocks that it has besides begin as the identity.

    A block adds what its last batch norm gives; with that norm's factor at 0 it adds nothing, and what comes in lies
    between 0 and 6 already (Net2Net, Chen et al. 2016, arXiv 1511.05641; zero gamma, Goyal et al. 2017, 1706.02677).

    Raises:
        ValueError: the weights are of another network, or of a deeper one.
    """
    told = net.load_state_dict({name: w.float() if w.is_floating_point() else w for name, w in weights.items()}, False)
    new = {name.rsplit(".f.", 1)[0] for name in told.missing_keys if ".f." in name}
    if told.unexpected_keys or any(".f." not in name for name in told.missing_keys):
        wrong = (told.unexpected_keys + [name for name in told.missing_keys if ".f." not in name])[0]
        raise ValueError(f"{wrong}: these weights are not of a network with the same widths and no more blocks")
    for name in new:
        block = net.get_submodule(name)
        nn.init.zeros_(block.f[1][1].weight)
    return net


def turned(net: Embedder, turn: Tensor) -> Embedder:
    """Change the network so that it gives ``z @ turn`` where it gave ``z`` (N, dim); exactly so in eval mode.

    Args:
        net: changed in place. turn: (dim, dim).
    """
    conv, norm = net.last
    with torch.no_grad():
        scale = norm.weight / (norm.running_var + norm.eps).sqrt()
        shift = norm.bias - scale * norm.running_mean
        conv.weight.copy_(torch.einsum("ij,ikhw->jkhw", turn, scale[:, None, None, None] * conv.weight))
        mean = (scale * norm.running_mean) @ turn
        # a guess, as if the old numbers were uncorrelated: the norm of a training step measures its own
        spread = (norm.weight.square() @ turn.square()).clamp(min=1e-8)
        norm.running_mean.copy_(mean)
        norm.running_var.copy_(spread)
        norm.weight.copy_((spread + norm.eps).sqrt())
        norm.bias.copy_(shift @ turn + mean)
    return net


def load(path: Path) -> tuple[Embedder, int]:
    """The network with its averaged weights, in eval mode, and how many inputs they have seen."""
    saved = torch.load(path, map_location="cpu", weights_only=True)
    net = Embedder(**saved["shape"])
    net.load_state_dict({name: w.float() if w.is_floating_point() else w for name, w in saved["weights"].items()})
    return net.eval(), int(saved["seen"])


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
