"""Three small face nets of different families, as PyTorch exports them; random weights, on a seed."""

from __future__ import annotations

import io
from pathlib import Path

import torch
from torch import nn

SIDE, WIDTH = 112, 64


def conv(a: int, b: int, kernel: int = 3, stride: int = 1, groups: int = 1) -> nn.Sequential:
    return nn.Sequential(nn.Conv2d(a, b, kernel, stride, kernel // 2, groups=groups, bias=False), nn.BatchNorm2d(b))


class MobileFaceNet(nn.Module):
    """Depthwise blocks with PReLU and a residual, a global depthwise convolution at the end (Chen et al. 2018)."""

    def __init__(self) -> None:
        super().__init__()
        self.stem = nn.Sequential(conv(3, 16, 3, 2), nn.PReLU(16), conv(16, 24, 3, 2), nn.PReLU(24))
        self.block = nn.Sequential(conv(24, 48, 1), nn.PReLU(48), conv(48, 48, 3, 1, 48), nn.PReLU(48), conv(48, 24, 1))
        self.down = nn.Sequential(conv(24, 48, 3, 4), nn.PReLU(48))
        self.end = nn.Sequential(conv(48, 48, 7, 7, 48), nn.Flatten(), nn.Linear(48, WIDTH), nn.BatchNorm1d(WIDTH))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = self.stem(x)
        return self.end(self.down(x + self.block(x)))


class ResNet(nn.Module):
    """Two residual stages with ReLU, max pooling, average pooling (He et al. 2016)."""

    def __init__(self) -> None:
        super().__init__()
        self.stem = nn.Sequential(conv(3, 16, 7, 4), nn.ReLU(), nn.MaxPool2d(3, 2, 1))
        self.first = nn.Sequential(conv(16, 16), nn.ReLU(), conv(16, 16))
        self.second, self.skip = nn.Sequential(conv(16, 32, 3, 2), nn.ReLU(), conv(32, 32)), conv(16, 32, 1, 2)
        self.end = nn.Linear(32, WIDTH)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = self.stem(x)
        x = torch.relu(x + self.first(x))
        x = torch.relu(self.skip(x) + self.second(x))
        return self.end(x.mean((2, 3)))


class EdgeNeXt(nn.Module):
    """A patch stem, a depthwise block and channel attention with LayerNorm and GELU (Maaz et al. 2022)."""

    def __init__(self, width: int = 32, heads: int = 4) -> None:
        super().__init__()
        self.stem, self.heads = nn.Sequential(nn.Conv2d(3, width, 8, 8)), heads
        self.depth, self.norm = nn.Conv2d(width, width, 3, 1, 1, groups=width), nn.LayerNorm(width)
        self.mlp = nn.Sequential(nn.Linear(width, 2 * width), nn.GELU(), nn.Linear(2 * width, width))
        self.before, self.qkv, self.out = nn.LayerNorm(width), nn.Linear(width, 3 * width), nn.Linear(width, width)
        self.scale = nn.Parameter(torch.ones(heads, 1, 1))
        self.end = nn.Linear(width, WIDTH)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = self.stem(x)
        x = x + self.mlp(self.norm(self.depth(x).permute(0, 2, 3, 1))).permute(0, 3, 1, 2)
        batch, width, high, wide = x.shape
        tokens = x.reshape(batch, width, high * wide).permute(0, 2, 1)
        q, k, v = self.qkv(self.before(tokens)).reshape(batch, high * wide, 3, self.heads, -1).permute(2, 0, 3, 4, 1)
        q, k = nn.functional.normalize(q, dim=-1), nn.functional.normalize(k, dim=-1)
        mixed = (q @ k.transpose(-2, -1) * self.scale).softmax(-1) @ v
        tokens = tokens + self.out(mixed.permute(0, 3, 1, 2).reshape(batch, high * wide, width))
        return self.end(tokens.mean(1))


FAMILIES = {"mobilefacenet": MobileFaceNet, "resnet": ResNet, "edgenext": EdgeNeXt}


def export(family: str, path: Path) -> None:
    """One of them, with norms that have seen something, as ``torch.onnx.export`` writes it."""
    torch.manual_seed(3)
    net = FAMILIES[family]()
    with torch.no_grad():
        for layer in net.modules():
            if isinstance(layer, nn.PReLU):
                layer.weight.uniform_(-0.2, 1.3)  # trained ones go beyond both ends, too
        for _ in range(3):
            net(torch.rand(8, 3, SIDE, SIDE) * 2 - 1)
    file = io.BytesIO()
    torch.onnx.export(net.eval(), (torch.zeros(1, 3, SIDE, SIDE),), file, dynamo=False, opset_version=17)
    path.write_bytes(file.getvalue())
