"""From an ONNX embedder to a fully quantised int8 .tflite, and how near it is to the original.

    made = convert(Path("mine.onnx"), spec, calibration)      # crops, uint8 (H, W, 3) as the spec says
    check = compare(Path("mine.onnx"), made, spec, held_out, people)

Weights and activations become int8 (`ai_edge_quantizer`, static), ranges from the calibration crops; litert-torch makes
the graph. Where pixels go in with one mean and one std, the input's range is pinned so that a device feeds bytes with
one subtraction; one a channel is folded into the graph. Needs the extra `convert`.
"""

from __future__ import annotations

import os
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edge.errors import InputError, ModelError
from edge.face.runner import outside_nodes
from edge.face.runtime import open_interpreter
from edge.models.spec import ModelSpec
from edge.types import F32, U8

#: Fewer crops than this say too little about the ranges of activations.
FEWEST = 20
#: False match rate at which non-matches are counted: what a few hundred pictures can show.
FMR = 1e-2
_SIGNATURE = "serving_default"


@dataclass(frozen=True, slots=True)
class Conversion:
    """A converted model.

    Attributes:
        data: the .tflite. whole: the same graph in float32, to tell what quantising costs.
        mean, std: how its pixels go in now; the spec's own where they were single numbers.
    """

    data: bytes
    whole: bytes
    mean: float
    std: float

    def spec(self, spec: ModelSpec) -> ModelSpec:
        """What `edge models import` is told of it."""
        pixels = spec.input.model_copy(update={"mean": self.mean, "std": self.std, "scale": None})
        return spec.model_copy(update={"input": pixels})


@dataclass(frozen=True, slots=True)
class Comparison:
    """The converted model against the original, on crops that it was not calibrated with.

    Attributes:
        crops: how many. cosine, lowest: of both embeddings of one crop, median and smallest.
        genuine, impostor: pairs. fnmr: share of genuine pairs below the threshold for `FMR`, each by its own scores.
        ms: a run's time, milliseconds, one thread. outside: operators that XNNPACK does not run, by name.
    """

    crops: int
    cosine: float
    lowest: float
    genuine: int
    impostor: int
    fnmr: dict[str, float]
    ms: dict[str, float]
    outside: dict[str, int]


def convert(path: Path, spec: ModelSpec, calibration: Sequence[U8]) -> Conversion:
    """Convert, calibrate and quantise.

    Args:
        path: the .onnx file. spec: how pixels go in. calibration: crops of faces (H, W, 3), channels as in the spec.

    Raises:
        ModelError: it cannot be converted. InputError: too few crops.
    """
    if len(calibration) < FEWEST:
        raise InputError(
            f"{len(calibration)} pictures with a face are too few to calibrate with",
            where="--images",
            remedy=f"give at least {FEWEST}, of many people in the light of your doors",
        )
    mean, std, scaled = _scaling(spec)
    with tempfile.TemporaryDirectory(prefix="edge-convert-") as folder:
        raw = Path(folder) / "float.tflite"
        _to_float(path, spec, raw, scaled)
        data = _to_int8(raw, Path(folder) / "int8.tflite", [_fed(crop, mean, std) for crop in calibration], mean, std)
        return Conversion(data, raw.read_bytes(), mean, std)


def _scaling(spec: ModelSpec) -> tuple[float, float, tuple[F32, F32] | None]:
    """(mean, std) of the converted model's pixels, and what its graph does to them then: times and plus, by channel."""
    given = spec.input.scaling()
    if isinstance(given["mean"], float | int) and isinstance(given["std"], float | int):
        return float(given["mean"]), float(given["std"]), None
    means, stds = (np.broadcast_to(np.float32(given[name]), 3) for name in ("mean", "std"))
    return 128.0, 128.0, (np.float32(128.0) / stds, (np.float32(128.0) - means) / stds)


def _fed(crop: U8, mean: float, std: float) -> F32:
    fed: F32 = ((crop.astype(np.float32) - mean) / std)[None]
    return fed


def _to_float(path: Path, spec: ModelSpec, out: Path, scaled: tuple[F32, F32] | None) -> None:
    """Write the float32 .tflite, channels last at the input."""
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    try:
        import litert_torch
        import onnx
        import torch

        from edge.models.onnx_graph import OnnxNet
    except ModuleNotFoundError as error:
        raise missing(error) from None
    width, height = spec.input.size
    try:
        model = onnx.load(path)
    except Exception as error:  # protobuf's own, whatever the bytes
        raise ModelError(
            f"it is no ONNX file: {type(error).__name__}", where=path.name, remedy="name a .onnx"
        ) from None
    net: Any = OnnxNet(model, height=height, width=width, where=path.name).eval()
    if scaled is not None:
        net = torch.nn.Sequential(_Scaled.of(scaled), net).eval()
    wrapped = litert_torch.to_channel_last_io(net, args=[0])
    litert_torch.convert(wrapped, (torch.zeros(1, height, width, 3),)).export(str(out))


class _Scaled:
    """Pixels from one mean and std for all channels to one a channel, as a convolution, which XNNPACK runs."""

    @staticmethod
    def of(scaled: tuple[F32, F32]) -> Any:
        import torch

        layer = torch.nn.Conv2d(3, 3, 1, groups=3)
        with torch.no_grad():
            layer.weight.copy_(torch.from_numpy(scaled[0].copy()).reshape(3, 1, 1, 1))
            layer.bias.copy_(torch.from_numpy(scaled[1].copy()))
        return layer


def _to_int8(raw: Path, out: Path, samples: list[F32], mean: float, std: float) -> bytes:
    try:
        from ai_edge_quantizer import quantizer, recipe
    except ModuleNotFoundError as error:
        raise missing(error) from None
    tool = quantizer.Quantizer(str(raw), recipe.static_wi8_ai8())
    interpreter = open_interpreter(raw.read_bytes(), threads=1, where=raw.name)
    signatures = interpreter.get_signature_list()
    signature = _SIGNATURE if _SIGNATURE in signatures else next(iter(signatures))
    feed = signatures[signature]["inputs"][0]
    ranges = tool.calibrate({signature: [{feed: sample} for sample in samples]}, num_threads=1)
    for detail in interpreter.get_input_details():
        known = ranges[detail["name"]]
        for end, pixel in (("min", 0.0), ("max", 255.0)):  # int8 is then exactly the byte less 128
            known[end] = np.full_like(np.asarray(known[end], np.float32), (pixel - mean) / std)
    tool.quantize(ranges).export_model(str(out), overwrite=True)
    return out.read_bytes()


def compare(path: Path, made: Conversion, spec: ModelSpec, crops: Sequence[U8], people: Sequence[str]) -> Comparison:
    """Both models on held-out crops.

    Args:
        crops: uint8 (H, W, 3). people: whose they are.

    Raises:
        ModelError: one of them does not run.
    """
    given = spec.input.scaling()
    mean, std = (np.float32(given[name]) for name in ("mean", "std"))
    original, small, whole = _original(path), _tflite(made.data), _tflite(made.whole)
    fed = [((crop.astype(np.float32) - mean) / std)[None] for crop in crops]
    own = [_fed(crop, made.mean, made.std) for crop in crops]
    a, timed = _all(original.run, fed)
    b, small_ms = _all(small.run, own)
    _, whole_ms = _all(whole.run, own[: len(own) // 4 + 1])
    same = (a * b).sum(1)
    names = np.asarray(people)
    first, second = np.triu_indices(len(names), 1)
    genuine = names[first] == names[second]
    fnmr = {}
    for name, vectors in (("original", a), ("int8", b)):
        scores = (vectors @ vectors.T)[first, second]
        fnmr[name] = _fnmr(scores[genuine], scores[~genuine])
    return Comparison(
        len(crops),
        float(np.median(same)),
        float(same.min()),
        int(genuine.sum()),
        int((~genuine).sum()),
        fnmr,
        {"original": timed, "int8": small_ms, "float32": whole_ms},
        dict(Counter(small.outside)),
    )


def _fnmr(genuine: NDArray[Any], impostor: NDArray[Any]) -> float:
    """Share of genuine scores below the threshold that `FMR` of the impostor scores reach; nan without both kinds."""
    if not len(genuine) or len(impostor) < 1 / FMR:
        return float("nan")
    return float((genuine < np.quantile(impostor, 1 - FMR)).mean())


@dataclass(frozen=True, slots=True)
class _Runs:
    run: Callable[[F32], NDArray[Any]]
    outside: tuple[str, ...] = ()


def _all(run: Callable[[F32], NDArray[Any]], fed: Sequence[F32]) -> tuple[F32, float]:
    """Unit vectors (n, D), and a run's processor time, milliseconds: other programs do not count."""
    run(fed[0])
    started = time.process_time()
    rows = np.stack([np.asarray(run(one), np.float32).reshape(-1) for one in fed])
    spent = 1e3 * (time.process_time() - started) / len(fed)
    units: F32 = rows / np.maximum(1e-9, np.linalg.norm(rows, axis=1, keepdims=True))
    return units, spent


def _original(path: Path) -> _Runs:
    try:
        import onnxruntime
    except ModuleNotFoundError as error:
        raise missing(error) from None
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads, options.log_severity_level = 1, 3
    try:
        session = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    except Exception as error:  # onnxruntime's own errors have no common class
        raise ModelError(
            f"ONNX Runtime refuses it: {str(error)[:200]}", where=path.name, remedy="export it again"
        ) from None
    feed = session.get_inputs()[0]
    last = len(feed.shape) == 4 and feed.shape[3] == 3

    def run(picture: F32) -> NDArray[Any]:
        given = picture if last else np.ascontiguousarray(picture.transpose(0, 3, 1, 2))
        out: NDArray[Any] = session.run(None, {feed.name: given})[0]
        return out

    return _Runs(run)


def _tflite(data: bytes) -> _Runs:
    interpreter = open_interpreter(data, threads=1, where="converted")
    feed, out = interpreter.get_input_details()[0], interpreter.get_output_details()[0]

    def run(picture: F32) -> NDArray[Any]:
        given: NDArray[Any] = picture
        if feed["dtype"] == np.int8:
            scale, zero = feed["quantization"]
            given = np.clip(np.rint(picture / scale) + zero, -128, 127).astype(np.int8)
        interpreter.set_tensor(feed["index"], given)
        interpreter.invoke()
        value = interpreter.get_tensor(out["index"])
        scale, zero = out["quantization"]
        found: NDArray[Any] = (value.astype(np.float32) - zero) * scale if scale else value
        return found

    return _Runs(run, outside_nodes(interpreter))


def missing(error: ModuleNotFoundError) -> ModelError:
    """The error for an extra that is not installed."""
    return ModelError(
        f"{error.name} is not installed",
        where="convert",
        remedy="pip install 'edge-verifier[convert]', in a lab of its own",
    )
