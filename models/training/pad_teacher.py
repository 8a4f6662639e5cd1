"""The MiniFASNet pair (Silent-Face-Anti-Spoofing, Apache-2.0), rebuilt from names and shapes of its state dicts.

    pair = Pair(data / "teachers")
    logits, features = pair(pair.views(frame, box)[None])      # (1, 2, 3) and (1, 2, 128)

It teaches and is measured beside the student; it is never shipped, converted or copied. Input is BGR 0..255: divided by
255 it answers one class for everything, as RGB half of the attacks are live to it (both measured). Class 1 is live.
"""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional as F

U8 = NDArray[np.uint8]
SIDE = 80
#: Files, and how many times the face's box their view is wide and high.
NETS = (("2.7_80x80_MiniFASNetV2.pth", 2.7), ("4_0_0_80x80_MiniFASNetV1SE.pth", 4.0))
Box = tuple[float, float, float, float]


class Net:
    """One net of the pair, run from its state dict."""

    def __init__(self, path: Path) -> None:
        state = torch.load(path, map_location="cpu", weights_only=True)
        self.state = {key.removeprefix("module."): value.float() for key, value in state.items()}

    def __call__(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """(N, 3, 80, 80) BGR 0..255 -> logits (N, 3), features before the classifier (N, 128)."""
        x = self.layer("conv2_dw", self.layer("conv1", x, 2))
        for step, stage, blocks in (("conv_23", "conv_3", 4), ("conv_34", "conv_4", 6), ("conv_45", "conv_5", 2)):
            x = self.block(step, x, 2)
            for number in range(blocks):
                name = f"{stage}.model.{number}"
                x = x + self.excited(f"{name}.se_module", self.block(name, x, 1))
        features, logits = self.answer(x)
        return logits, features

    def answer(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """The last stage's map -> features (N, 128), logits (N, 3)."""
        x = self.layer("conv_6_dw", self.layer("conv_6_sep", x), padding=0).flatten(1)
        x = self.norm("bn", F.linear(x, self.state["linear.weight"], self.state.get("linear.bias")))
        return x, F.linear(x, self.state["prob.weight"], self.state.get("prob.bias"))

    def block(self, name: str, x: Tensor, stride: int) -> Tensor:
        return self.layer(f"{name}.project", self.layer(f"{name}.conv_dw", self.layer(f"{name}.conv", x), stride))

    def layer(self, name: str, x: Tensor, stride: int = 1, padding: int | None = None) -> Tensor:
        """Convolution, batch norm, and PReLU where the state dict has one."""
        weight = self.state[f"{name}.conv.weight"]
        groups = x.shape[1] // weight.shape[1]
        pad = weight.shape[-1] // 2 if padding is None else padding
        x = self.norm(f"{name}.bn", F.conv2d(x, weight, None, stride, pad, 1, groups))
        slope = self.state.get(f"{name}.prelu.weight")
        return x if slope is None else F.prelu(x, slope)

    def norm(self, name: str, x: Tensor) -> Tensor:
        mean, variance = self.state[f"{name}.running_mean"], self.state[f"{name}.running_var"]
        return F.batch_norm(x, mean, variance, self.state[f"{name}.weight"], self.state[f"{name}.bias"])

    def excited(self, name: str, x: Tensor) -> Tensor:
        """Squeeze and excitation, where there is one."""
        if f"{name}.fc1.weight" not in self.state:
            return x
        y = F.conv2d(x.mean((2, 3), keepdim=True), self.state[f"{name}.fc1.weight"])
        y = F.conv2d(F.relu(self.norm(f"{name}.bn1", y)), self.state[f"{name}.fc2.weight"])
        return x * torch.sigmoid(self.norm(f"{name}.bn2", y))


class Pair(nn.Module):
    """Both nets. ``teachers``: the folder of their files."""

    def __init__(self, teachers: Path) -> None:
        super().__init__()
        self.nets = [Net(teachers / name) for name, _ in NETS]

    @staticmethod
    def views(frame: U8, box: Box) -> U8:
        """(2, 80, 80, 3) BGR: the box so many times as large, shrunk to the frame where it does not fit, moved in."""
        rows, columns = frame.shape[:2]
        x, y, w, h = box
        views = []
        for _, scale in NETS:
            scale = min((rows - 1) / h, (columns - 1) / w, scale)
            wide, high = w * scale, h * scale
            left = min(max(0.0, x + w / 2 - wide / 2), columns - 1 - wide)
            top = min(max(0.0, y + h / 2 - high / 2), rows - 1 - high)
            part = frame[int(top) : int(top + high) + 1, int(left) : int(left + wide) + 1]
            views.append(cv2.resize(part, (SIDE, SIDE)))
        return np.stack(views)

    @torch.inference_mode()
    def forward(self, views: U8) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """(N, 2, 80, 80, 3) uint8 -> logits (N, 2, 3), features (N, 2, 128)."""
        x = torch.from_numpy(np.ascontiguousarray(views)).permute(1, 0, 4, 2, 3).float()
        answers = [net(part) for net, part in zip(self.nets, x, strict=True)]
        logits, features = (torch.stack([answer[k] for answer in answers], 1).numpy() for k in (0, 1))
        return logits, features


def live(logits: NDArray[np.float32]) -> NDArray[np.float64]:
    """The pair's live score: mean of both softmaxes, class 1; (N, 2, 3) -> (N,)."""
    e = np.exp(logits.astype(np.float64) - logits.max(-1, keepdims=True))
    return np.asarray((e / e.sum(-1, keepdims=True))[..., 1].mean(1))
