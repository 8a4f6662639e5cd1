"""From a torch network to a fully quantised int8 .tflite: litert-torch, then ai-edge-quantizer `static_wi8_ai8`.

    to_int8(net, calibration, path)

Networks take (pixel - 128) / 128. The input's range is pinned to [-1, 127/128], so that the int8 input is exactly
`pixel - 128` and a device feeds it with one integer subtraction (scale 1/128, zero point 0).
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

U8 = NDArray[np.uint8]
#: Range of (pixel - 128) / 128.
INPUT_RANGE = (-1.0, 127.0 / 128.0)
SIGNATURE = "serving_default"

Ranges = dict[str, Any]


def normalise(image: U8) -> NDArray[np.float32]:
    """uint8 (H, W, 3) -> float32 (1, H, W, 3) as the networks take it."""
    return ((image.astype(np.float32) - 128.0) / 128.0)[None]


def to_float(net: torch.nn.Module, height: int, width: int, path: Path, outputs: int) -> None:
    """Write the float32 .tflite with channels last at the input and, where they are maps, at the outputs."""
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    import litert_torch

    spatial = list(range(outputs)) if outputs > 1 else None
    wrapped = litert_torch.to_channel_last_io(net.eval(), args=[0], outputs=spatial)
    edge = litert_torch.convert(wrapped, (torch.zeros(1, height, width, 3),))
    edge.export(str(path))


def to_int8(
    net: torch.nn.Module,
    calibration: Iterable[U8],
    path: Path,
    height: int,
    width: int,
    outputs: int = 1,
    extremes: bool = False,
    adjust: Callable[[Ranges, list[str], dict[str, tuple[int, ...]]], None] | None = None,
) -> None:
    """Convert, calibrate and quantise.

    Args:
        net: in eval mode, (N, 3, height, width) -> one tensor or a tuple of `outputs` maps.
        calibration: pictures (height, width, 3) uint8, in the network's channel order.
        path: the .tflite to write.
        height: of the input.
        width: of the input.
        outputs: how many maps; 1 means a flat output, which keeps its layout.
        extremes: take each tensor's true extremes over the calibration pictures; the tool's own moving averages clip a
            little, which costs a detector its largest offsets.
        adjust: may narrow the calibrated ranges: gets {tensor: {"min", "max"}}, the outputs' names and their shapes.
    """
    from ai_edge_quantizer import quantizer, recipe

    with tempfile.TemporaryDirectory() as folder:
        raw = Path(folder) / "float.tflite"
        to_float(net, height, width, raw, outputs)
        signature, feed, names_in, shapes = _io(raw)
        tool = quantizer.Quantizer(str(raw), recipe.static_wi8_ai8())
        samples = [{feed: normalise(image)} for image in calibration]
        ranges = tool.calibrate({signature: samples}, num_threads=2)
        if extremes:
            widen(ranges, raw, samples)
        for name in names_in:
            ranges[name] = {
                "min": _like(ranges[name]["min"], INPUT_RANGE[0]),
                "max": _like(ranges[name]["max"], INPUT_RANGE[1]),
            }
        if adjust is not None:
            adjust(ranges, list(shapes), shapes)
        whole = Path(folder) / "int8.tflite"
        tool.quantize(ranges).export_model(str(whole), overwrite=True)
        path.write_bytes(slim(whole.read_bytes()))


def widen(ranges: Ranges, model: Path, samples: list[dict[str, Any]]) -> None:
    """Replace the calibrated ranges of all activations by their extremes over the samples, in place."""
    from ai_edge_litert.interpreter import Interpreter

    interpreter = Interpreter(str(model), experimental_preserve_all_tensors=True, num_threads=1)
    interpreter.allocate_tensors()
    feed = interpreter.get_input_details()[0]["index"]
    known = {d["name"]: d["index"] for d in interpreter.get_tensor_details() if d["name"] in ranges}
    low, high = dict.fromkeys(known, np.inf), dict.fromkeys(known, -np.inf)
    for sample in samples:
        interpreter.set_tensor(feed, next(iter(sample.values())))
        interpreter.invoke()
        for name, index in known.items():
            try:
                values = interpreter.get_tensor(index)
            except ValueError:  # a tensor that only exists inside the delegate
                continue
            low[name], high[name] = min(low[name], float(values.min())), max(high[name], float(values.max()))
    for name in known:
        if np.size(ranges[name]["min"]) == 1 and low[name] < high[name]:
            ranges[name] = {
                "min": _like(ranges[name]["min"], min(low[name], 0.0)),
                "max": _like(ranges[name]["max"], max(high[name], 1e-3)),
            }


def _like(array: Any, value: float) -> Any:
    return np.full_like(np.asarray(array, np.float32), value)


def _io(path: Path) -> tuple[str, str, list[str], dict[str, tuple[int, ...]]]:
    """(signature, its input's key, input tensor names, {output tensor name: shape})."""
    from ai_edge_litert.interpreter import Interpreter

    interpreter = Interpreter(model_path=str(path))
    signatures = interpreter.get_signature_list()
    signature = SIGNATURE if SIGNATURE in signatures else next(iter(signatures))
    feed = signatures[signature]["inputs"][0]
    shapes = {d["name"]: tuple(int(n) for n in d["shape"]) for d in interpreter.get_output_details()}
    return signature, feed, [d["name"] for d in interpreter.get_input_details()], shapes


def slim(model: bytes) -> bytes:
    """The same model without what only debuggers read: a quarter of the file is tensor names and repeated zero points.

    Identical vectors are stored once and weights are put inside the flatbuffer, aligned to 16 bytes as the schema asks.
    """
    import flatbuffers
    from ai_edge_litert import schema_py_generated as schema

    class Sharing(flatbuffers.Builder):
        """Stores equal vectors once; aligns bytes to 16."""

        def __init__(self) -> None:
            super().__init__(1 << 20)
            self.known: dict[tuple[str, bytes], int] = {}

        def CreateNumpyVector(self, x: Any) -> int:
            key = (x.dtype.str, x.tobytes())
            if key not in self.known:
                self.known[key] = self._aligned(x) if x.dtype == np.uint8 else super().CreateNumpyVector(x)
            return self.known[key]

        def _aligned(self, x: Any) -> int:
            self.StartVector(1, x.size, 16)
            self.head = self.Head() - x.size
            self.Bytes[self.Head() : self.Head() + x.size] = x.tobytes()
            self.vectorNumElems = x.size
            return self.EndVector()

    tree = schema.ModelT.InitFromPackedBuf(model, 0)
    for buffer in tree.buffers:
        if buffer.offset and buffer.size:  # large models keep their weights behind the flatbuffer
            buffer.data = np.frombuffer(model, np.uint8, buffer.size, buffer.offset)
            buffer.offset = buffer.size = 0
    for graph in tree.subgraphs:
        ends = {int(i): b"input" for i in graph.inputs} | {
            int(i): f"output_{n}".encode() for n, i in enumerate(graph.outputs)
        }
        for number, tensor in enumerate(graph.tensors):
            tensor.name = ends.get(number, b"")
    builder = Sharing()
    builder.Finish(tree.Pack(builder), b"TFL3")
    return bytes(builder.Output())
