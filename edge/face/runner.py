"""Runs one model exactly as its card describes it.

    runner = Runner(load_card("embedder"), threads=2)     # digest, shapes, dtypes, scales checked; warmed up
    outputs = runner.run(image)                           # uint8 (H, W, 3) -> {"embedding": int8 (1, 128)}
    outside_delegate(runner._interpreter)                 # 0: the whole graph runs in XNNPACK

The file's bytes are read once, their digest is compared, and the same bytes are given to the runtime: what was checked
is what runs. An int8 ReLU6 graph in XNNPACK gives bit-identical outputs on x86-64 and arm64 and with any number of
threads (measured), so a golden digest is a legitimate known-answer test.
"""

from __future__ import annotations

import hashlib
import math
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from edge.errors import ModelError
from edge.face.feed import Feed
from edge.face.match import symmetric
from edge.face.runtime import MOST_CLASSES, open_interpreter, quantisation
from edge.types import I8, U8
from edge.types.inside import _inside, need_inside
from edge.types.wipe import wipe

if TYPE_CHECKING:
    from edge.face.card import Card
    from edge.face.tensors import InputSpec, OutputSpec

_CPUINFO = Path("/proc/cpuinfo")
"""Without it the runtime's cpuinfo library fails, and XNNPACK takes no node (seen in a bare chroot)."""

_REMEDY = "reinstall the product; an added model: import it again with `edge models import`"


class Runner:
    """One loaded model. For one thread at a time.

    Args:
        card: what the model is.
        threads: threads of the runtime's kernels; the outputs do not depend on it.

    Attributes:
        invoke_ns: nanoseconds spent inside the runtime since it was made (what remains of a call is ours).

    Raises:
        ModelError: the file is missing, differs from the card, or the runtime refuses it.
    """

    def __init__(self, card: Card, threads: int = 1) -> None:
        self.card = card
        # what `run` reads where embeddings exist is its own: a card of a caller's would be asked there
        self._shape, self._where, self._file = tuple(card.input.shape[1:]), card.where, card.path.name
        self.invoke_ns = 0
        self._interpreter = open_interpreter(checked_bytes(card), threads=threads, where=card.path.name)
        self._input = _check_input(self._interpreter, card)
        self._outputs = _check_outputs(self._interpreter, card)
        # whatever its card calls it: detectors have several outputs, passive networks one of a few classes
        self._embeds = len(card.outputs) == 1 and math.prod(card.outputs[0].shape) > MOST_CLASSES
        self._zero = card.outputs[0].zero_point
        self._feed = Feed(card.input)
        with _inside():
            self.run(np.zeros(card.input.shape[1:], np.uint8))
        self.invoke_ns = 0

    def run(self, image: U8) -> dict[str, NDArray[Any]]:
        """Run the model once.

        Args:
            image: uint8 (H, W, 3) of the card's input size, in the card's channel order.

        Returns:
            Output name -> array of the card's ``shape`` and ``dtype``; the caller owns the arrays.

        Raises:
            ModelError: an image of another shape or type, or the runtime failed.
            SpentError: an embedder, on a device build, outside of a session.
        """
        if self._embeds:
            need_inside("an embedding")
        if image.shape != self._shape or image.dtype != np.uint8:
            raise ModelError(
                f"the model takes uint8 {self._shape}, not {image.dtype} {image.shape}",
                where=self._where,
                remedy="resize or align the picture first",
            )
        interpreter = self._interpreter
        try:
            interpreter.set_tensor(self._input, self._feed(image))
            started = time.perf_counter_ns()
            interpreter.invoke()
            self.invoke_ns += time.perf_counter_ns() - started
        except (ValueError, RuntimeError) as error:
            raise ModelError(f"the runtime failed: {error}", where=self._file, remedy=_REMEDY) from None
        return {name: interpreter.get_tensor(index) for name, index in self._outputs}

    def embed(self, pixels: U8) -> I8:
        """The embedding of one aligned face; of an embedder only.

        Args:
            pixels: uint8 (H, W, 3) of the card's input size.

        Returns:
            int8 (D,), symmetric, the caller's own; all zero only when the net's output is.

        Raises:
            ModelError: as `run`, or the output is not finite. SpentError: as `run`.
        """
        raw = self.run(pixels)[self._outputs[0][0]].ravel()
        if not np.isfinite(raw).all():
            raise ModelError(
                "the model's output is not a number",
                where=self._file,
                remedy="this model must not decide: check it with `edge models verify`",
            )
        vector = symmetric(raw, self._zero)
        wipe(raw)
        return vector


def checked_bytes(card: Card) -> bytes:
    """The content of the card's model file.

    Raises:
        ModelError: it is missing, or its size or SHA-256 is not the card's.
    """
    where = card.path.name
    try:
        if card.path.stat().st_size != card.size_bytes:
            raise ModelError(
                f"the file has {card.path.stat().st_size} bytes, its card says {card.size_bytes}",
                where=where,
                remedy=_REMEDY,
            )
        data = card.path.read_bytes()
    except OSError as error:
        raise ModelError(f"the model cannot be read: {error.strerror}", where=where, remedy=_REMEDY) from None
    digest = hashlib.sha256(data).hexdigest()
    if digest != card.sha256:
        raise ModelError(
            f"the file's SHA-256 begins {digest[:12]}, its card says {card.sha256[:12]}", where=where, remedy=_REMEDY
        )
    return data


def outside_delegate(interpreter: Any) -> int:
    """Count the nodes on the way from input to outputs that the XNNPACK delegate does not run."""
    return len(outside_nodes(interpreter))


def outside_nodes(interpreter: Any) -> tuple[str, ...]:
    """The operators of these nodes, one a node.

    The runtime lists the original nodes and, behind them, the DELEGATE nodes that replace some of them. A delegate
    writes the same tensors as the nodes it covers, so walking back from the outputs, the last writer of a tensor is the
    one that runs.
    """
    writer: dict[int, Any] = {}
    for node in interpreter._get_ops_details():
        for tensor in node["outputs"]:
            writer[int(tensor)] = node
    todo = [int(detail["index"]) for detail in interpreter.get_output_details()]
    seen: dict[int, str] = {}
    while todo:
        node = writer.get(todo.pop())
        if node is None or node["index"] in seen:
            continue
        seen[node["index"]] = node["op_name"]
        todo += [int(tensor) for tensor in node["inputs"] if tensor >= 0]
    return tuple(name for name in seen.values() if name != "DELEGATE")


def check_delegation(runner: Runner) -> int:
    """The nodes outside of XNNPACK, when they are no more than the card says (none, for shipped models).

    Raises:
        ModelError: there are more: this runtime would be slow with the model, or computes it otherwise.
    """
    outside = outside_delegate(runner._interpreter)
    if outside > runner.card.outside_delegate:
        what = f"{outside} nodes of the graph run outside XNNPACK, its card says {runner.card.outside_delegate}"
        remedy = "use a model of ReLU6 only, or another build of the runtime"
        if not _CPUINFO.exists():
            what += f"; there is no {_CPUINFO}, from which XNNPACK learns what the processor can do"
            remedy = "mount /proc completely: no ProcSubset=pid in the unit, and /proc in a chroot (mount -t proc)"
        raise ModelError(what, where=runner.card.path.name, remedy=remedy)
    return outside


def _check_input(interpreter: Any, card: Card) -> int:
    details = interpreter.get_input_details()
    if len(details) != 1:
        raise ModelError(f"the model has {len(details)} inputs, not one", where=card.path.name, remedy=_REMEDY)
    _compare(details[0], card.input, "input", card)
    if list(details[0]["shape_signature"]) != list(details[0]["shape"]):
        raise ModelError("the model's input has a dynamic shape", where=card.path.name, remedy=_REMEDY)
    return int(details[0]["index"])


def _check_outputs(interpreter: Any, card: Card) -> list[tuple[str, int]]:
    details = interpreter.get_output_details()
    if len(details) != len(card.outputs):
        raise ModelError(
            f"the model has {len(details)} outputs, its card lists {len(card.outputs)}",
            where=card.path.name,
            remedy=_REMEDY,
        )
    for spec in card.outputs:
        _compare(details[spec.index], spec, f"output {spec.name}", card)
    return [(spec.name, int(details[spec.index]["index"])) for spec in card.outputs]


def _compare(detail: dict[str, Any], spec: InputSpec | OutputSpec, what: str, card: Card) -> None:
    """The tensor must be what the card says, up to the sixth digit of its scale (float32)."""
    dtype, scale, zero_point = quantisation(detail)
    found = (tuple(int(n) for n in detail["shape"]), dtype, zero_point)
    if found != (spec.tensor_shape, spec.dtype, spec.zero_point) or not math.isclose(scale, spec.scale, rel_tol=1e-5):
        raise ModelError(
            f"{what} is {dtype} {found[0]}, zero point {zero_point}, scale {scale:.6g}; the card says "
            f"{spec.dtype} {spec.tensor_shape}, {spec.zero_point}, {spec.scale:.6g}",
            where=card.path.name,
            remedy=_REMEDY,
        )
