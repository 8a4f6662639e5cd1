"""An ONNX graph as a torch module, node by node: the way of face embedders into the converter.

    net = OnnxNet(onnx.load("mine.onnx"), height=112, width=112, where="mine.onnx")
    net(torch.zeros(1, 3, 112, 112))       # float32 (1, D)

Whatever does not depend on the picture (shapes, weights that are computed) is worked out once, with a picture of zeros,
so that only arithmetic is left to trace. Operators are those of convolutional and attention nets with one picture in
and one vector out, opsets 11 to 21; another one is named with its node. Nothing in a file is executed but these.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import onnx
import torch
from onnx import numpy_helper
from torch import Tensor
from torch.nn import functional as F  # noqa: N812 - as everybody calls it

from edge.errors import ModelError

Values = list[Any]
Attributes = Mapping[str, Any]
Operator = Callable[[Values, Attributes], Any]


class OnnxNet(torch.nn.Module):
    """One graph.

    Args:
        model: as `onnx.load` gives it. height, width: of the picture. where: its file, for messages.

    Raises:
        ModelError: more than one input, an unknown operator, or a graph that does not run.
    """

    def __init__(self, model: onnx.ModelProto, *, height: int, width: int, where: str) -> None:
        super().__init__()
        graph, self._where = model.graph, where
        known: dict[str, Tensor] = {
            t.name: torch.from_numpy(numpy_helper.to_array(t).copy()) for t in graph.initializer
        }
        inputs = [value for value in graph.input if value.name not in known]
        if len(inputs) != 1:
            raise ModelError(
                f"the graph has {len(inputs)} inputs, not one", where=where, remedy="export it for one picture"
            )
        self._feed, self._out = inputs[0].name, graph.output[0].name
        sides = [dim.dim_value for dim in inputs[0].type.tensor_type.shape.dim]
        self._channels_last = len(sides) == 4 and sides[3] == 3 and sides[1] != 3
        nodes = [(node, {a.name: _attribute(a) for a in node.attribute}) for node in graph.node]
        above = {name for node, _ in nodes if node.op_type in ("Relu", "Sigmoid") for name in node.output}
        for node, attributes in nodes:
            attributes["not_negative"] = bool(node.input) and node.input[0] in above
        for node, _ in nodes:
            if node.op_type not in _OPERATORS:
                raise ModelError(
                    f"the operator {node.op_type} of the node {node.name or node.output[0]!r} is not converted",
                    where=where,
                    remedy="export the model without it, or convert it with another tool and import the .tflite",
                )
        self._nodes = self._folded(nodes, known, height, width)
        used = {name for node, _ in self._nodes for name in node.input} | {self._out}
        constants = {name: known[name] for name in sorted(used & set(known))}
        self._plain = {name: plain for name, value in constants.items() if (plain := _plain(value)) is not None}
        slopes = {node.input[1] for node, _ in self._nodes if node.op_type == "PRelu"} & set(constants)
        self._plain |= {name: constants[name].numpy() for name in slopes}
        self._names = {name: f"constant_{k}" for k, name in enumerate(constants) if name not in self._plain}
        for name, attribute in self._names.items():
            self.register_buffer(attribute, constants[name])

    def forward(self, picture: Tensor) -> Tensor:
        """float32 (1, 3, H, W) -> float32 (1, D)."""
        values: dict[str, Any] = {
            name: getattr(self, attribute) for name, attribute in self._names.items()
        } | self._plain
        values[self._feed] = picture.permute(0, 2, 3, 1) if self._channels_last else picture
        for node, attributes in self._nodes:
            self._run(node, attributes, values)
        out: Tensor = values[self._out]
        return out.reshape(1, -1)

    def _folded(self, nodes: list[Any], known: dict[str, Tensor], height: int, width: int) -> list[Any]:
        """The nodes that depend on the picture; results of the others are put into ``known``."""
        picture = torch.zeros(1, 3, height, width)
        values: dict[str, Any] = {**known, self._feed: picture.permute(0, 2, 3, 1) if self._channels_last else picture}
        left, depending = [], {self._feed}
        with torch.no_grad():
            for node, attributes in nodes:
                self._run(node, attributes, values)
                if node.op_type != "Shape" and depending & set(node.input):
                    depending |= set(node.output)
                    left.append((node, attributes))
                else:
                    known |= {name: values[name] for name in node.output if name}
        out = values.get(self._out)
        if not isinstance(out, Tensor) or not 8 <= out.numel() <= 4096:
            raise ModelError("the output is not one picture's embedding", where=self._where, remedy="name another file")
        return left

    def _run(self, node: Any, attributes: Attributes, values: dict[str, Any]) -> None:
        given = [values[name] if name else None for name in node.input]
        try:
            made = _OPERATORS[node.op_type](given, {"outputs": len(node.output), **attributes})
        except (RuntimeError, ValueError, TypeError, IndexError, NotImplementedError) as error:
            text = str(error).splitlines()[0][:200]
            raise ModelError(
                f"the node {node.name or node.output[0]!r} ({node.op_type}) does not run: {text}",
                where=self._where,
                remedy="check that the size in the spec is the one that the model was exported for",
            ) from None
        values |= dict(zip(node.output, made if isinstance(made, tuple) else (made,), strict=False))


def _attribute(attribute: onnx.AttributeProto) -> Any:
    value = onnx.helper.get_attribute_value(attribute)
    if isinstance(value, onnx.TensorProto):
        return torch.from_numpy(numpy_helper.to_array(value).copy())
    return value.decode() if isinstance(value, bytes) else value


def _plain(value: Tensor) -> Any:
    """Whole numbers (shapes, axes, places) and single numbers as such, so that nothing is traced through them."""
    if not value.is_floating_point():
        return value.numpy()
    return value.item() if value.dim() == 0 else None


def _ints(value: Any) -> list[int]:
    return [int(number) for number in (np.reshape(value, -1).tolist() if hasattr(value, "dtype") else value)]


def _given(values: Values, at: int, attributes: Attributes, name: str, default: Any = None) -> Any:
    """What newer opsets have as an input and older ones as an attribute."""
    return values[at] if len(values) > at and values[at] is not None else attributes.get(name, default)


def _padded(x: Tensor, a: Attributes, value: float = 0.0) -> tuple[Tensor, Any]:
    """The picture with what cannot be told to torch laid around it, and the padding that can."""
    pads, sides = a.get("pads"), len(x.shape) - 2
    if a.get("auto_pad", "NOTSET") not in ("NOTSET", "VALID"):
        kernel, steps = a["kernel_shape"], a.get("strides", [1] * sides)
        needed = [max(0, (-(-n // s) - 1) * s + k - n) for n, k, s in zip(x.shape[2:], kernel, steps, strict=True)]
        before = [n // 2 if a["auto_pad"] == "SAME_UPPER" else n - n // 2 for n in needed]
        pads = [*before, *(n - b for n, b in zip(needed, before, strict=True))]
    pads = pads or [0] * 2 * sides
    if pads[:sides] == pads[sides:]:
        return x, pads[:sides]
    around = [side for k in reversed(range(sides)) for side in (pads[k], pads[k + sides])]
    return F.pad(x, around, value=value), 0


def _conv(v: Values, a: Attributes) -> Tensor:
    x, padding = _padded(v[0], {"kernel_shape": list(v[1].shape[2:]), **a})
    bias = v[2] if len(v) > 2 else None
    return F.conv2d(x, v[1], bias, a.get("strides", 1), padding, a.get("dilations", 1), a.get("group", 1))


def _pool(v: Values, a: Attributes, highest: bool) -> Tensor:
    x, padding = _padded(v[0], a, -torch.inf if highest else 0.0)
    steps, up = a.get("strides", [1, 1]), bool(a.get("ceil_mode", 0))
    if highest and padding and a["not_negative"]:  # zeros around it are as good, and XNNPACK has those only
        x, padding = F.pad(x, [padding[1], padding[1], padding[0], padding[0]]), 0
    if highest:
        return F.max_pool2d(x, a["kernel_shape"], steps, padding, a.get("dilations", 1), ceil_mode=up)
    return F.avg_pool2d(x, a["kernel_shape"], steps, padding, up, bool(a.get("count_include_pad", 0)))


def _gemm(v: Values, a: Attributes) -> Tensor:
    left, right = (v[0].T if a.get("transA") else v[0]), (v[1].T if a.get("transB") else v[1])
    out = a.get("alpha", 1.0) * (left @ right)
    return out if len(v) < 3 or v[2] is None else out + a.get("beta", 1.0) * v[2]


def _reshape(v: Values, a: Attributes) -> Tensor:
    shape = _ints(v[1])
    return v[0].reshape([size or v[0].shape[axis] for axis, size in enumerate(shape)])  # 0: as it was


def _slice(v: Values, a: Attributes) -> Tensor:
    starts, ends = _ints(_given(v, 1, a, "starts")), _ints(_given(v, 2, a, "ends"))
    axes = _ints(_given(v, 3, a, "axes", range(len(starts))))
    steps, out = _ints(_given(v, 4, a, "steps", [1] * len(starts))), v[0]
    for axis, start, end, step in zip(axes, starts, ends, steps, strict=True):
        places = range(*slice(start, end, step).indices(out.shape[axis]))
        out = (
            out.index_select(axis, torch.tensor(list(places)))
            if step != 1
            else out.narrow(axis, places.start, len(places))
        )
    return out


def _split(v: Values, a: Attributes) -> tuple[Tensor, ...]:
    axis, sizes = a.get("axis", 0), _given(v, 1, a, "split")
    whole = v[0].shape[axis]
    return torch.split(v[0], _ints(sizes) if sizes is not None else -(-whole // a["outputs"]), axis)


def _reduced(v: Values, a: Attributes, how: Callable[..., Tensor]) -> Tensor:
    axes, keep = _given(v, 1, a, "axes"), bool(a.get("keepdims", 1))
    return how(v[0], dim=_ints(axes) if axes is not None else list(range(v[0].dim())), keepdim=keep)


def _squeeze(v: Values, a: Attributes) -> Tensor:
    axes = _given(v, 1, a, "axes")
    return v[0].squeeze(tuple(_ints(axes))) if axes is not None else v[0].squeeze()


def _unsqueeze(v: Values, a: Attributes) -> Tensor:
    out, axes = v[0], _ints(_given(v, 1, a, "axes"))
    for axis in sorted(axis % (v[0].dim() + len(axes)) for axis in axes):
        out = out.unsqueeze(axis)
    return out


def _pad(v: Values, a: Attributes) -> Tensor:
    pads, mode = _ints(_given(v, 1, a, "pads")), a.get("mode", "constant")
    half = len(pads) // 2
    around = [side for k in reversed(range(half)) for side in (pads[k], pads[k + half])]
    while around[-2:] == [0, 0]:
        around = around[:-2]
    value = _given(v, 2, a, "value", 0.0)
    return F.pad(v[0], around, "replicate" if mode == "edge" else mode, float(value) if mode == "constant" else None)


def _norm(v: Values, a: Attributes) -> Tensor:
    axis = a.get("axis", -1)
    return F.layer_norm(v[0], v[0].shape[axis:], v[1], v[2] if len(v) > 2 else None, a.get("epsilon", 1e-5))


def _clip(v: Values, a: Attributes) -> Tensor:
    low, high = _given(v, 1, a, "min"), _given(v, 2, a, "max")
    return torch.clamp(v[0], *(None if end is None else float(end) for end in (low, high)))


def _prelu(v: Values, a: Attributes) -> Tensor:
    """``a x + (1 - a) relu(x)`` as two depthwise convolutions: in int8 XNNPACK has no PReLU, and no ReLU on its own."""
    x, slope = v[0], np.asarray(v[1], np.float32).reshape(-1)
    if x.dim() != 4:
        return torch.relu(x) - torch.as_tensor(v[1]) * torch.relu(-x)
    count = x.shape[1]
    slope = np.broadcast_to(slope, count)

    def times(what: Tensor, factors: Any) -> Tensor:
        return F.conv2d(what, torch.tensor(factors.copy()).reshape(count, 1, 1, 1), groups=count)

    lifted = torch.relu(times(x, np.abs(1 - slope)))
    return times(x, slope) + (lifted if (slope <= 1).all() else times(lifted, np.sign(1 - slope)))


def _cast(v: Values, a: Attributes) -> Tensor:
    kinds = {1: torch.float32, 6: torch.int32, 7: torch.int64, 9: torch.bool, 10: torch.float32, 11: torch.float32}
    return v[0].to(kinds[a["to"]])


def _gather(v: Values, a: Attributes) -> Tensor:
    axis, at = a.get("axis", 0), torch.as_tensor(v[1]).long()
    out = v[0].index_select(axis, (at.reshape(-1) + v[0].shape[axis]) % v[0].shape[axis])
    return out.reshape([*v[0].shape[:axis], *at.shape, *v[0].shape[axis + 1 :]])


def _batch_norm(v: Values, a: Attributes) -> Tensor:
    return F.batch_norm(v[0], v[3], v[4], v[1], v[2], False, 0.0, a.get("epsilon", 1e-5))


def _divided(v: Values, a: Attributes) -> Any:
    whole = all(isinstance(one, Tensor) and not one.is_floating_point() for one in v)
    return torch.div(v[0], v[1], rounding_mode="trunc") if whole else v[0] / v[1]


def _softmax(v: Values, a: Attributes) -> Tensor:
    return torch.softmax(v[0], a.get("axis", -1))


def _constant(v: Values, a: Attributes) -> Tensor:
    names: Sequence[str] = ("value", "value_float", "value_int", "value_floats", "value_ints")
    return torch.as_tensor(next(a[name] for name in names if name in a))


_OPERATORS: dict[str, Operator] = {
    "Abs": lambda v, a: torch.abs(v[0]),
    "Add": lambda v, a: v[0] + v[1],
    "AveragePool": lambda v, a: _pool(v, a, highest=False),
    "BatchNormalization": _batch_norm,
    "Cast": _cast,
    "Clip": _clip,
    "Concat": lambda v, a: torch.cat(v, a["axis"]),
    "Constant": _constant,
    "ConstantOfShape": lambda v, a: torch.full(_ints(v[0]), 0.0) + a.get("value", torch.zeros(1)),
    "Conv": _conv,
    "Div": _divided,
    "Dropout": lambda v, a: v[0],
    "Elu": lambda v, a: F.elu(v[0], a.get("alpha", 1.0)),
    "Erf": lambda v, a: torch.erf(v[0]),
    "Exp": lambda v, a: torch.exp(v[0]),
    "Expand": lambda v, a: v[0] + torch.zeros(_ints(v[1]), dtype=v[0].dtype),
    "Flatten": lambda v, a: v[0].flatten(a.get("axis", 1)),
    "Gather": _gather,
    "Gelu": lambda v, a: F.gelu(v[0], approximate=a.get("approximate", "none")),
    "Gemm": _gemm,
    "GlobalAveragePool": lambda v, a: v[0].mean((2, 3), keepdim=True),
    "HardSigmoid": lambda v, a: torch.clamp(a.get("alpha", 0.2) * v[0] + a.get("beta", 0.5), 0.0, 1.0),
    "HardSwish": lambda v, a: F.hardswish(v[0]),
    "Identity": lambda v, a: v[0],
    "LayerNormalization": _norm,
    "LeakyRelu": lambda v, a: F.leaky_relu(v[0], a.get("alpha", 0.01)),
    "LpNormalization": lambda v, a: F.normalize(v[0], float(a.get("p", 2)), a.get("axis", -1)),
    "MatMul": lambda v, a: torch.matmul(v[0], v[1]),
    "MaxPool": lambda v, a: _pool(v, a, highest=True),
    "Mul": lambda v, a: v[0] * v[1],
    "Neg": lambda v, a: -v[0],
    "PRelu": _prelu,
    "Pad": _pad,
    "Pow": lambda v, a: torch.pow(v[0], v[1]),
    "ReduceL2": lambda v, a: _reduced(v, a, torch.linalg.vector_norm),
    "ReduceMean": lambda v, a: _reduced(v, a, torch.mean),
    "ReduceSum": lambda v, a: _reduced(v, a, torch.sum),
    "Relu": lambda v, a: torch.relu(v[0]),
    "Reshape": _reshape,
    "Shape": lambda v, a: torch.tensor(v[0].shape)[a.get("start", 0) : a.get("end")],
    "Sigmoid": lambda v, a: torch.sigmoid(v[0]),
    "Slice": _slice,
    "Softmax": _softmax,
    "Split": _split,
    "Sqrt": lambda v, a: torch.sqrt(v[0]),
    "Squeeze": _squeeze,
    "Sub": lambda v, a: v[0] - v[1],
    "Tanh": lambda v, a: torch.tanh(v[0]),
    "Transpose": lambda v, a: v[0].permute(a.get("perm", list(reversed(range(v[0].dim()))))),
    "Unsqueeze": _unsqueeze,
}
