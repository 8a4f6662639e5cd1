"""The shipped passive net as a beginning: its int8 weights as a network that can be trained on.

    net = of_shipped(MODELS / "passive.tflite", pictures)

So that what a session has learnt is not lost with its checkpoints. Batch norm was folded into the weights; it begins
anew as what changes nothing, by each convolution's own answers to some pictures.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import torch
from torch import Tensor, nn

from models.training.pad_data import SIDE
from models.training.pad_net import Passive


def _in_order(net: Passive) -> list[tuple[nn.Conv2d, nn.BatchNorm2d | None]]:
    """Convolutions as a picture meets them, which is their order in the file, and the batch norm after each."""
    met: list[nn.Module] = []
    kinds = (nn.Conv2d, nn.BatchNorm2d)
    hooks = [m.register_forward_hook(lambda m, *_: met.append(m)) for m in net.modules() if isinstance(m, kinds)]
    with torch.no_grad():
        net(torch.zeros(1, 3, SIDE, SIDE))
    for hook in hooks:
        hook.remove()
    after = [*met[1:], None]
    return [
        (one, norm if isinstance(norm, nn.BatchNorm2d) else None)
        for one, norm in zip(met, after, strict=True)
        if isinstance(one, nn.Conv2d)
    ]


def of_shipped(path: Path, pictures: Tensor) -> Passive:
    """The network of an int8 file.

    Args:
        path: ``passive.tflite``. pictures: float32 (N, 3, 80, 80) as the net takes them, from which batch norm begins.

    Raises:
        ValueError: the file is of another network.
    """
    from ai_edge_litert.interpreter import Interpreter

    file = Interpreter(str(path), experimental_preserve_all_tensors=True)
    file.allocate_tensors()
    known = {one["index"]: one for one in file.get_tensor_details()}
    # LiteRT has no public list of operators; this one its own analysis tools use
    convolutions = [one for one in file._get_ops_details() if one["op_name"] in ("CONV_2D", "DEPTHWISE_CONV_2D")]

    def values(index: int) -> Tensor:
        quantised = known[index]["quantization_parameters"]
        scales, axis = torch.from_numpy(quantised["scales"]), quantised["quantized_dimension"]
        raw = torch.from_numpy(file.get_tensor(index)).float()
        return raw * scales.reshape([-1 if k == axis else 1 for k in range(raw.ndim)] if len(scales) > 1 else [1])

    net = Passive().eval()
    layers = _in_order(net)
    if len(layers) != len(convolutions):
        raise ValueError(f"{path}: {len(convolutions)} convolutions, where this network has {len(layers)}")
    for (layer, norm), one in zip(layers, convolutions, strict=True):
        weights = values(one["inputs"][1])
        weights = weights.permute(3, 0, 1, 2) if one["op_name"] == "DEPTHWISE_CONV_2D" else weights.permute(0, 3, 1, 2)
        if weights.shape != layer.weight.shape:
            raise ValueError(f"{path}: weights {tuple(weights.shape)}, where this network has {layer.weight.shape}")
        layer.weight.data = weights.contiguous()
        to = norm if norm is not None else layer
        to.bias.data = values(one["inputs"][2])
    hooks = [layer.register_forward_hook(_begin(norm)) for layer, norm in layers if norm is not None]
    with torch.no_grad():
        net(pictures)
    for hook in hooks:
        hook.remove()
    return net


def _begin(norm: nn.BatchNorm2d) -> Callable[[nn.Module, object, Tensor], None]:
    """A hook that sets a batch norm to what adds its bias and changes nothing else, by what comes to it."""

    def hook(_: nn.Module, __: object, came: Tensor) -> None:
        norm.running_var, norm.running_mean = came.var((0, 2, 3)), came.mean((0, 2, 3))
        norm.weight.data = (norm.running_var + norm.eps).sqrt()
        norm.bias.data = norm.bias.data + norm.running_mean

    return hook
