"""Other models made of the shipped ones in the flatbuffer itself, so that tests need neither torch nor more files.

floated(model)          the same net in float32: weights and biases dequantised, every activation float
uint8_ports(model)      the int8 net with uint8 at both ends, as older converters make them
channels_first(model)   a float net that takes (1, 3, H, W), as PyTorch exports come
in_pieces(model)        the int8 net with detours through uint8, which XNNPACK does not take
dead(model, value)      a net whose last bias is `value` and whose last weights are 0: constant, or NaN
"""

from __future__ import annotations

import copy
from functools import cache
from typing import Any

import flatbuffers
import numpy as np
from ai_edge_litert import schema_py_generated as schema

from edge.face import load_card

FLOAT, INT32, UINT8, INT8 = (getattr(schema.TensorType, name) for name in ("FLOAT32", "INT32", "UINT8", "INT8"))
STORED = {INT8: np.int8, INT32: np.int32}


def tree(model: bytes) -> Any:
    return schema.ModelT.InitFromPackedBuf(model, 0)


def packed(model: Any) -> bytes:
    builder = flatbuffers.Builder(1 << 20)
    builder.Finish(model.Pack(builder), b"TFL3")
    return bytes(builder.Output())


@cache
def shipped(name: str = "embedder") -> bytes:
    return load_card(name).path.read_bytes()


@cache
def floated(model: bytes) -> bytes:
    net = tree(model)
    graph, buffers = net.subgraphs[0], []
    for tensor in graph.tensors:
        data, q = net.buffers[tensor.buffer].data, tensor.quantization
        quantised = q is not None and q.scale is not None and tensor.type in STORED
        if quantised and data is not None:
            shape = [1] * len(tensor.shape)
            shape[q.quantizedDimension if len(q.scale) > 1 else 0] = len(q.scale)
            values = np.asarray(data, np.uint8).view(STORED[tensor.type]).reshape(tensor.shape).astype(np.float64)
            values = (values - np.reshape(q.zeroPoint, shape)) * np.reshape(q.scale, shape)
            data = np.frombuffer(values.astype(np.float32).tobytes(), np.uint8)
        if quantised:
            tensor.type, tensor.quantization = FLOAT, None
        tensor.buffer = len(buffers) + 1
        buffers.append(buffer(data))
    net.buffers = [schema.BufferT(), *buffers]
    return packed(net)


def buffer(data: Any) -> Any:
    made = schema.BufferT()
    made.data = data
    return made


def operator(net: Any, code: str, inputs: list[int], outputs: list[int], options: Any = None, kind: int = 0) -> Any:
    made, entry = schema.OperatorT(), schema.OperatorCodeT()
    number = getattr(schema.BuiltinOperator, code)
    entry.builtinCode, entry.deprecatedBuiltinCode, entry.version = number, min(number, 127), 1
    net.operatorCodes.append(entry)
    made.opcodeIndex = len(net.operatorCodes) - 1
    made.inputs, made.outputs, made.builtinOptions, made.builtinOptionsType = inputs, outputs, options, kind
    return made


def tensor_like(net: Any, index: int, **changes: Any) -> int:
    graph = net.subgraphs[0]
    made = copy.deepcopy(graph.tensors[index])
    for name, value in changes.items():
        setattr(made, name, value)
    graph.tensors.append(made)
    return len(graph.tensors) - 1


@cache
def uint8_ports(model: bytes) -> bytes:
    net = tree(model)
    graph = net.subgraphs[0]
    graph.inputs, graph.outputs = graph.inputs.tolist(), graph.outputs.tolist()
    for ends, first in ((graph.inputs, True), (graph.outputs, False)):
        for place, inner in enumerate(list(ends)):
            outer = tensor_like(net, inner, type=UINT8, buffer=0)
            q = graph.tensors[outer].quantization
            q.zeroPoint = [int(q.zeroPoint[0]) + 128]
            made = operator(net, "QUANTIZE", *([outer], [inner])[:: 1 if first else -1])
            graph.operators.insert(0 if first else len(graph.operators), made)
            ends[place] = outer
    net.signatureDefs = None
    return packed(net)


@cache
def in_pieces(model: bytes) -> bytes:
    net = tree(model)
    graph = net.subgraphs[0]
    for place in range(25, 0, -5):
        [out] = graph.operators[place].outputs.tolist()
        before, between = tensor_like(net, out, buffer=0), tensor_like(net, out, type=UINT8, buffer=0)
        q = graph.tensors[between].quantization
        q.zeroPoint = [int(q.zeroPoint[0]) + 128]
        graph.operators[place].outputs = [before]
        detour = [operator(net, "QUANTIZE", *ends) for ends in (([before], [between]), ([between], [out]))]
        graph.operators[place + 1 : place + 1] = detour
    net.signatureDefs = None
    return packed(net)


@cache
def channels_first(model: bytes) -> bytes:
    net = tree(floated(model))
    graph, inner = net.subgraphs[0], int(net.subgraphs[0].inputs[0])
    one, height, width, three = graph.tensors[inner].shape
    outer = tensor_like(net, inner, shape=[one, three, height, width], shapeSignature=None)
    net.buffers.append(buffer(np.frombuffer(np.array([0, 2, 3, 1], np.int32).tobytes(), np.uint8)))
    order = tensor_like(net, inner, shape=[4], shapeSignature=None, type=INT32, buffer=len(net.buffers) - 1)
    graph.operators.insert(0, operator(net, "TRANSPOSE", [outer, order], [inner]))
    graph.inputs = [outer]
    net.signatureDefs = None
    return packed(net)


@cache
def dead(model: bytes, value: float) -> bytes:
    net = tree(floated(model))
    convolutions = [op for op in net.subgraphs[0].operators if len(op.inputs) == 3]
    for index, filler in zip(convolutions[-1].inputs[1:], (0.0, value), strict=True):
        tensor = net.subgraphs[0].tensors[index]
        net.buffers[tensor.buffer].data = np.frombuffer(np.full(tensor.shape, filler, np.float32).tobytes(), np.uint8)
    return packed(net)
