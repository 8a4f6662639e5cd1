"""An OpenVINO IR file (.xml and .bin) as a PyTorch module: the teacher on a GPU, with the maps on its way.

    graph = Graph(path, ("658", "494")).to("cuda", torch.bfloat16)
    embedding, early = graph(x)     # x (N, 3, 128, 128), BGR, 0-255

Only what face-reidentification-retail-0095 is made of; another operation is a NotImplementedError with its name.
"""

from __future__ import annotations

import xml.etree.ElementTree as ElementTree
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

_DTYPES = {"f16": np.float16, "f32": np.float32, "i64": np.int64}


@dataclass(frozen=True, slots=True)
class _Layer:
    kind: str
    key: str
    data: dict[str, str]
    inputs: list[str]

    def pair(self, name: str) -> list[int]:
        """Two whole numbers, such as strides."""
        return [int(part) for part in self.data[name].split(",")]


class Graph(nn.Module):
    """See the module.

    Args:
        path: of the .xml; the .bin lies beside it.
        outputs: names of the layers that are given back, in this order.
    """

    def __init__(self, path: Path, outputs: tuple[str, ...]) -> None:
        super().__init__()
        root, weights = ElementTree.parse(path).getroot(), path.with_suffix(".bin").read_bytes()
        feeds: dict[str, dict[int, str]] = {}
        for edge in root.iterfind("edges/edge"):
            feeds.setdefault(edge.attrib["to-layer"], {})[int(edge.attrib["to-port"])] = edge.attrib["from-layer"]
        layers, keys = [], {}
        for node in root.iterfind("layers/layer"):
            found, key = node.find("data"), node.attrib["id"]
            data = dict(found.attrib) if found is not None else {}
            keys[node.attrib["name"]] = key
            layers.append(_Layer(node.attrib["type"], key, data, [k for _, k in sorted(feeds.get(key, {}).items())]))
            if node.attrib["type"] == "Const":
                start, dtype = int(data["offset"]), np.dtype(_DTYPES[data["element_type"]])
                values = np.frombuffer(weights[start : start + int(data["size"])], dtype).astype(np.float32)
                self.register_buffer(f"c{key}", torch.from_numpy(values.reshape(_shape(data["shape"]))))
        self.outputs = [keys[name] for name in outputs]
        last = max(n for n, layer in enumerate(layers) if layer.key in self.outputs)
        self.layers = layers[: last + 1]

    def forward(self, x: Tensor) -> tuple[Tensor, ...]:
        """The outputs asked for, of a batch."""
        values: dict[str, Tensor] = {}
        for layer in self.layers:
            values[layer.key] = self._run(layer, x, [values[key] for key in layer.inputs])
        return tuple(values[key] for key in self.outputs)

    def _run(self, layer: _Layer, x: Tensor, values: list[Tensor]) -> Tensor:
        match layer.kind:
            case "Parameter":
                return x
            case "Const":
                return self.get_buffer(f"c{layer.key}")
            case "Convert":
                return values[0]
            case "Add":
                return values[0] + values[1]
            case "Multiply":
                return values[0] * values[1]
            case "Sigmoid":
                return values[0].sigmoid()
            case "PReLU":
                return F.prelu(values[0], values[1].flatten())
            case "Convolution" | "GroupConvolution":
                kernel, groups = values[1], 1
                if layer.kind == "GroupConvolution":
                    kernel, groups = kernel.flatten(0, 1), len(kernel)
                strides, pads, steps = (layer.pair(name) for name in ("strides", "pads_begin", "dilations"))
                return F.conv2d(values[0], kernel, None, strides, pads, steps, groups)
            case "AvgPool":
                return F.avg_pool2d(values[0], layer.pair("kernel"), layer.pair("strides"), layer.pair("pads_begin"))
        raise NotImplementedError(layer.kind)


def _shape(text: str) -> list[int]:
    return [int(part) for part in text.split(",")] if text else []
