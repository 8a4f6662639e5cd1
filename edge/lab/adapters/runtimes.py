"""Runs a peer's file: one crop in, one float vector out.

    run = open_runtime(spec, Path("model.onnx"))
    vector = run(crop)                     # crop: uint8 (H, W, 3) in the spec's channel order -> float32 (D,)

Each runtime is imported only when a spec asks for it; they come with the `lab` extra.

What the YAML file about a peer says (schema ``edge/peer/v1``).

    schema: edge/peer/v1
    name: teacher 0095
    file: face-reid-0095.xml           # beside this file, or below --weights
    runtime: openvino                  # openvino, onnxruntime, tflite, or `card` for an embedder of our own
    input: {size: [128, 128], channels: BGR, layout: NCHW, mean: 0, std: 1}      # pixels become (p - mean) / std
    template: [[40.4, 59.1], [87.4, 58.9], [64.0, 82.0], [44.7, 105.6], [83.6, 105.4]]   # five points in the crop
    detector: {file: face_detection_yunet_2023mar.onnx, score: 0.6}
    licence: Apache-2.0
    source: https://...

``runtime: card`` measures one of our embedders on YuNet's landmarks; ``file`` is then the card's name, and input and
template are the card's own. Mistakes are told with file, line and column.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Annotated, Any, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from edge.errors import InputError
from edge.face.runtime import open_interpreter
from edge.settings.translate import translate
from edge.settings.yaml_core import load
from edge.types import U8

SCHEMA = "edge/peer/v1"
_REMEDY = "see the example in edge/lab/adapters/runtimes.py"
_CARD = re.compile(rb"""^schema:\s*["']?edge/card/""", re.MULTILINE)
Side = Annotated[int, Field(ge=16, le=1024)]
Point = tuple[Annotated[float, Field(ge=-1024, le=2048)], Annotated[float, Field(ge=-1024, le=2048)]]
Text = Annotated[str, Field(min_length=1, max_length=300)]
#: One number for all channels, or one a channel.
PerChannel = float | tuple[float, float, float]


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


class PeerInput(_Part):
    """What the file takes: float ``(pixel - mean) / std``, quantised when the file's own input is int8 or uint8."""

    size: tuple[Side, Side]
    channels: Literal["RGB", "BGR"]
    layout: Literal["NCHW", "NHWC"]
    mean: PerChannel = 0.0
    std: PerChannel = 1.0

    @model_validator(mode="after")
    def _divides(self) -> PeerInput:
        values = self.std if isinstance(self.std, tuple) else (self.std,)
        if min(values) <= 0:
            raise ValueError("std must be above 0")
        return self


class YuNetSpec(_Part):
    """The detector of a peer: YuNet through ``cv2.FaceDetectorYN``, at the picture's own size."""

    file: Text
    score: Annotated[float, Field(gt=0, lt=1)] = 0.6
    nms: Annotated[float, Field(gt=0, lt=1)] = 0.3


class PeerSpec(_Part):
    """One peer."""

    schema_: Annotated[Literal["edge/peer/v1"], Field(alias="schema")]
    name: Annotated[str, Field(min_length=1, max_length=60)]
    file: Text
    runtime: Literal["openvino", "onnxruntime", "tflite", "card"]
    input: PeerInput | None = None
    template: tuple[Point, Point, Point, Point, Point] | None = None
    output: Annotated[int, Field(ge=0, le=100)] = 0
    detector: YuNetSpec
    licence: Text
    source: str = ""

    @model_validator(mode="after")
    def _complete(self) -> PeerSpec:
        given = self.input is not None and self.template is not None
        if self.runtime != "card" and not given:
            raise ValueError("input and template are needed, unless runtime is card")
        if self.runtime == "card" and (self.input is not None or self.template is not None):
            raise ValueError("with runtime card, input and template are the card's own")
        return self


def is_spec(name: str) -> bool:
    """Whether a ``--model`` names a peer's YAML and no card of ours, shipped or imported (``mine/card.yaml``)."""
    path = Path(name)
    if path.suffix not in (".yaml", ".yml") or path.name.endswith(".card.yaml"):
        return False
    try:
        return _CARD.search(path.read_bytes()) is None
    except OSError:  # whatever reads it next reports it
        return True


def read_spec(path: Path) -> PeerSpec:
    """Read a peer's YAML.

    Raises:
        InputError: not readable, not YAML, or not such a description; the first mistake with its line.
    """
    document, problems = load(path)
    if problems or document is None:
        what = str(problems[0]) if problems else "the file is empty"
        raise InputError(what, where="" if problems else str(path), remedy=_REMEDY)
    try:
        return PeerSpec.model_validate(document.data)
    except ValidationError as error:
        first = next(translate(error.errors()[0], document, PeerSpec))
        where = f"{path}:{first.line}:{first.column}"
        raise InputError(f"{first.key or 'the description'}: {first.what}", where=where, remedy=_REMEDY) from None


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
