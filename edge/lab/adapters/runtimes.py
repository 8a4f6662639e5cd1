"""Runs a peer's file: one crop in, one float vector out.

    run = open_runtime(spec, Path("model.onnx"))
    vector = run(crop)                     # crop: uint8 (H, W, 3) in the spec's channel order -> float32 (D,)

Each runtime is imported only when a spec asks for it; they come with the `lab` extra.
"""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edge.errors import InputError
from edge.face.runtime import open_interpreter
from edge.lab.adapters.spec import PeerInput, PeerSpec
from edge.types import U8

F32 = NDArray[np.float32]
Run = Callable[[U8], F32]
#: OpenVINO's own default is bf16 on processors that have it, and then a peer differs from one machine to the next.
PRECISION = "f32"


def open_runtime(spec: PeerSpec, path: Path, threads: int = 1) -> Run:
    """Load a peer's file.

    Args:
        spec: with `input`.
        path: the file.
        threads: of the runtime; the lab uses one for everybody.

    Raises:
        InputError: the runtime is not installed, or refuses the file.
    """
    if not path.is_file():
        raise InputError("there is no such file", where=str(path), remedy="put the weights there, or give --weights")
    assert spec.input is not None
    opened = {"openvino": _openvino, "onnxruntime": _onnxruntime, "tflite": _tflite}[spec.runtime](spec, path, threads)
    feed, given = spec.input, spec.input.size

    def run(crop: U8) -> F32:
        if crop.shape != (given[1], given[0], 3):
            raise ValueError(f"the crop is {crop.shape}, the spec says {given}")
        return np.asarray(opened(_pixels(crop, feed)), np.float32).ravel()

    return run


def _pixels(crop: U8, spec: PeerInput) -> F32:
    """float32 (1, H, W, 3) or (1, 3, H, W) as the spec says."""
    real = (crop.astype(np.float32) - np.asarray(spec.mean, np.float32)) / np.asarray(spec.std, np.float32)
    if spec.layout == "NCHW":
        real = real.transpose(2, 0, 1)
    return np.ascontiguousarray(real[None])


def _module(name: str, path: Path) -> Any:
    try:
        return import_module(name)
    except ImportError:
        raise InputError(
            f"{name} is not installed", where=str(path), remedy="run `pip install 'edge-verifier[lab]'`"
        ) from None


def _openvino(spec: PeerSpec, path: Path, threads: int) -> Callable[[F32], Any]:
    openvino = _module("openvino", path)
    options = {"INFERENCE_NUM_THREADS": threads, "PERFORMANCE_HINT": "LATENCY", "NUM_STREAMS": 1}
    options["INFERENCE_PRECISION_HINT"] = PRECISION
    try:
        model = openvino.Core().read_model(str(path))
        request = openvino.Core().compile_model(model, "CPU", options).create_infer_request()
    except RuntimeError as error:
        raise _refused(path, error) from None
    return lambda pixels: list(request.infer({0: pixels}).values())[spec.output].copy()


def _onnxruntime(spec: PeerSpec, path: Path, threads: int) -> Callable[[F32], Any]:
    runtime = _module("onnxruntime", path)
    options = runtime.SessionOptions()
    options.intra_op_num_threads, options.inter_op_num_threads = threads, 1
    try:
        session = runtime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    except Exception as error:  # its exception classes come from C++ and share no base but this one
        raise _refused(path, error) from None
    name = session.get_inputs()[0].name
    return lambda pixels: session.run(None, {name: pixels})[spec.output]


def _tflite(spec: PeerSpec, path: Path, threads: int) -> Callable[[F32], Any]:
    interpreter = open_interpreter(path.read_bytes(), threads=threads, where=str(path))
    source, target = interpreter.get_input_details()[0], interpreter.get_output_details()[spec.output]

    def run(pixels: F32) -> Any:
        interpreter.set_tensor(source["index"], _quantised(pixels, source))
        interpreter.invoke()
        raw = interpreter.get_tensor(target["index"])
        scale, zero = target["quantization"]
        return raw if raw.dtype == np.float32 else (raw.astype(np.float32) - zero) * scale

    return run


def _quantised(pixels: F32, detail: dict[str, Any]) -> Any:
    """As the file's own input type wants it; int8 and uint8 by the scale that stands in the file."""
    kind = np.dtype(detail["dtype"])
    if kind == np.float32:
        return pixels
    scale, zero = detail["quantization"]
    limits = np.iinfo(kind)
    return np.clip(np.rint(pixels / scale + zero), limits.min, limits.max).astype(kind)


def _refused(path: Path, error: Exception) -> InputError:
    first = (str(error).strip().splitlines() or [type(error).__name__])[0]
    return InputError(
        f"the runtime refuses the file: {first[:200]}", where=str(path), remedy="check `runtime` and `file`"
    )
