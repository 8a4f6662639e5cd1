"""Muon: momentum whose matrix is made orthogonal before each step (K. Jordan, 2024, kellerjordan.github.io/posts/muon).

Takes the weights that are matrices at heart: dense convolutions, seen as (outputs, inputs x kernel). All other
parameters belong to AdamW. On a budget of two cores fewer steps are worth more than cheap ones.
"""

from __future__ import annotations

from collections.abc import Iterable

import torch
from torch import Tensor, nn


def quick(device: torch.device) -> torch.dtype:
    """bfloat16 where it is quick: on a GPU, and on a CPU with AVX-512. One with AVX2 emulates it, 50 times slower."""
    fast = device.type != "cpu" or "AVX512" in torch.backends.cpu.get_cpu_capability()
    return torch.bfloat16 if fast else torch.float32


def orthogonal(matrix: Tensor, steps: int = 5) -> Tensor:
    """The nearest semi-orthogonal matrix, roughly: Newton-Schulz with the quintic of the source above.

    Args:
        matrix: (batch, rows, columns).
        steps: iterations; five bring the singular values between 0.7 and 1.2.
    """
    a, b, c = 3.4445, -4.7750, 2.0315
    x = matrix.to(quick(matrix.device))
    tall = x.shape[-2] > x.shape[-1]
    x = x.mT if tall else x
    x = x / (x.norm(dim=(-2, -1), keepdim=True) + 1e-7)
    for _ in range(steps):
        gram = x @ x.mT
        x = a * x + (b * gram + c * gram @ gram) @ x
    return (x.mT if tall else x).float()


class Muon(torch.optim.Optimizer):
    """See the module. Weights of one shape are orthogonalised together.

    Args:
        params: convolution weights (O, I, k, k).
        lr: change of a weight matrix in units of its expected spectral norm.
        momentum: of the gradient, with Nesterov's look ahead.
        decay: weight decay, decoupled.
    """

    def __init__(self, params: Iterable[Tensor], lr: float = 0.02, momentum: float = 0.95, decay: float = 0.0) -> None:
        super().__init__(list(params), {"lr": lr, "momentum": momentum, "decay": decay})

    @torch.no_grad()
    def step(self, closure: None = None) -> None:  # type: ignore[override]
        for group in self.param_groups:
            shapes: dict[tuple[int, ...], list[Tensor]] = {}
            for weight in group["params"]:
                if weight.grad is not None:
                    shapes.setdefault(tuple(weight.shape), []).append(weight)
            for weights in shapes.values():
                self._together(weights, group)

    def _together(self, weights: list[Tensor], group: dict[str, float]) -> None:
        moves = []
        for weight in weights:
            state = self.state[weight]
            if "momentum" not in state:
                state["momentum"] = torch.zeros_like(weight)
            state["momentum"].lerp_(weight.grad, 1 - group["momentum"])
            moves.append(weight.grad.lerp(state["momentum"], group["momentum"]).flatten(1))
        turned = orthogonal(torch.stack(moves))
        scale = max(1.0, turned.shape[1] / turned.shape[2]) ** 0.5
        for weight, move in zip(weights, turned, strict=True):
            weight.mul_(1 - group["lr"] * group["decay"])
            weight.add_(move.view_as(weight), alpha=-group["lr"] * scale)


def split(net: nn.Module) -> tuple[list[Tensor], list[Tensor]]:
    """(weights for Muon, everything else): dense convolutions behind the stem, and the rest."""
    matrices: list[Tensor] = []
    for module in net.modules():
        if isinstance(module, nn.Conv2d) and module.groups == 1 and module.in_channels > 3:
            matrices.append(module.weight)
    mine = {id(weight) for weight in matrices}
    return matrices, [p for p in net.parameters() if id(p) not in mine]
