"""The first look at a model from outside: does it load, run, and tell people apart?

    python -m edge.models.examine < request.json > report.json      # started by `edge.models.sandbox`, never by hand

A .tflite file is a flatbuffer that the runtime trusts: a damaged one can crash it, ask for all memory, or never end. So
the first load happens here, in a process of its own with limits on memory and time, and its end by a signal is an
answer like any other. Everything that a card says about the file is measured here.

A request to import is ``{"mode": "import", "folder": F, "card": {...}, "size": [w, h]}`` with ``model.tflite`` in that
folder, one to verify ``{"mode": "verify", "folder": F, "card": "text of a card"}``. The report is one JSON object: what
was found, or ``{"refused": {"what": ..., "remedy": ...}}``.
"""

from __future__ import annotations

import hashlib
import json
import os
import resource
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, get_args

#: Address space and processor time that a model may take to be examined.
MEMORY_BYTES, CPU_S = 4 * 2**30, 120
#: Fewest and most numbers of an embedding; the most is what a sealed template can hold.
DIMENSIONS = (16, 4096)
#: Operators that gave the same bits on x86-64 and arm64 in int8 (measured on the shipped models). Others may not.
EXACT = frozenset({"CONV_2D", "DEPTHWISE_CONV_2D", "ADD", "PAD", "RESHAPE", "DELEGATE"})
#: What int8 graphs of other operators may be off by: a few steps of 1/127.
COARSE = 0.03
#: Separation of the reference people (`edge.models.reference`) below which a model is refused: an equal error rate near
#: 0.6 % even among these twelve. Six embedders fed as they should be gave 8.3 to 9.6, wrongly scaled pixels up to 3.3.
#: Share of the reference pictures in which a detector must find the face.
LEAST_SEPARATION, LEAST_FOUND = 5.0, 0.9
#: A result better by this factor with red and blue exchanged is worth a word. Seven embedders separated the reference
#: people 1.008 to 1.12 times as well in the right order as in the wrong one. Of a detector one picture in 36 is chance.
SWAP_FACTOR = {"embedder": 1.005, "detector": 1.03}
_AGAIN = "export the model again, in one piece, and compare the two files"


def examine(folder: Path, base: Mapping[str, Any], size: Sequence[int]) -> dict[str, Any]:
    """Measure what a card says about a file.

    Args:
        folder: holds ``model.tflite``. base: the card so far, of a spec. size: (width, height) that the spec says.

    Returns:
        ``input``, ``outputs`` (for the card), ``golden``, ``outside``, ``operators``, ``milliseconds``, ``people``.

    Raises:
        ModelError: why this model cannot be used.
    """
    from edge.errors import ModelError
    from edge.face.card import parse_card
    from edge.face.golden import make_golden
    from edge.face.runner import Runner, outside_delegate
    from edge.face.runtime import open_interpreter
    from edge.face.tensors import describe
    from edge.face.write import card_text

    data = (folder / "model.tflite").read_bytes()
    try:
        interpreter = open_interpreter(data, threads=1, where="model.tflite")
    except ModelError as error:
        raise ModelError(error.what) from None  # its remedy is for files of the product
    fed, outputs = describe(interpreter, base["kind"])
    _check_ports(fed, outputs, interpreter)
    _check_size(fed[0]["shape"], size)
    if base["kind"] == "embedder":
        _check_embedding([row["shape"] for row in outputs])
    raw = dict(base) | {"file": "model.tflite", "sha256": hashlib.sha256(data).hexdigest(), "size_bytes": len(data)}
    raw |= {"input": fed[0] | base["input"], "outputs": outputs}
    card = parse_card(card_text(raw).encode(), folder=folder)
    runner = Runner(card, 1)
    answers = _check_answers(runner)
    people = _people(card)
    operators = sorted({str(node["op_name"]) for node in interpreter._get_ops_details()} - {"DELEGATE"})
    outside = outside_delegate(runner._interpreter)
    whole = outside == 0 and set(operators) <= EXACT and card.input.dtype == "int8"
    golden = make_golden(runner, exact=whole and all(spec.dtype == "int8" for spec in card.outputs))
    if "tolerance" in golden and any(spec.dtype != "float32" for spec in (card.input, *card.outputs)):
        golden["tolerance"] = COARSE
    return {
        "input": raw["input"],
        "outputs": outputs,
        "golden": golden,
        "outside": outside,
        "operators": operators,
        "milliseconds": answers,
        "people": people,
    }


def _check_ports(fed: list[dict[str, Any]], outputs: list[dict[str, Any]], interpreter: Any) -> None:
    """One picture in, tensors of known types."""
    from edge.errors import ModelError
    from edge.face.tensors import DType

    if len(fed) != 1:
        raise ModelError(f"the model has {len(fed)} inputs, not one picture", remedy="export it with the picture alone")
    if any(n < 1 for n in interpreter.get_input_details()[0]["shape_signature"]):
        raise ModelError("its input has a dynamic shape", remedy="export it with a fixed shape and a batch size of 1")
    for row in (*fed, *outputs):
        if row["dtype"] not in get_args(DType):
            text = f"a tensor of {row['dtype']} at its ends is not supported"
            raise ModelError(text, remedy="export it with float32 or int8")


def _check_size(shape: list[int], size: Sequence[int]) -> None:
    from edge.errors import ModelError

    if len(shape) != 4 or shape[0] != 1 or shape[3] != 3:
        raise ModelError(f"its input has the shape {shape}, which is not a picture of three channels", remedy=_AGAIN)
    if [shape[2], shape[1]] != list(size):
        text = f"the model takes {shape[2]}x{shape[1]} pixels, the spec says {size[0]}x{size[1]}"
        raise ModelError(text, remedy="correct input.size in the spec")


def _check_embedding(shapes: list[list[int]]) -> None:
    from edge.errors import ModelError

    if len(shapes) != 1 or max(shapes[0], default=0) != _count(shapes[0]):
        raise ModelError(f"an embedder has one output, a vector; this has {shapes}", remedy="export the embedding")
    if not DIMENSIONS[0] <= _count(shapes[0]) <= DIMENSIONS[1]:
        text = f"an embedding of {_count(shapes[0])} numbers is not between {DIMENSIONS[0]} and {DIMENSIONS[1]}"
        raise ModelError(text, remedy="name the right output when exporting")


def _count(shape: list[int]) -> int:
    product = 1
    for side in shape:
        product *= side
    return product


def _check_answers(runner: Any) -> float:
    """Outputs are numbers, and depend on what is shown.

    Returns:
        Median milliseconds of an invocation, one thread.
    """
    import numpy as np

    from edge.errors import ModelError
    from edge.types.inside import _inside

    shape, random = runner.card.input.shape[1:], np.random.default_rng(7)
    pictures = [np.full(shape, value, np.uint8) for value in (0, 255)]
    pictures += [random.integers(0, 256, shape, dtype=np.uint8) for _ in range(5)]
    spent, seen = [], []
    for picture in pictures:
        before = time.perf_counter()
        with _inside():  # noise, and plain surfaces
            outputs = runner.run(picture)
        spent.append(1e3 * (time.perf_counter() - before))
        seen.append(np.concatenate([outputs[name].ravel().astype(np.float64) for name in sorted(outputs)]))
    if not np.isfinite(seen).all():
        raise ModelError("its outputs are not numbers (NaN or infinite)", remedy=_AGAIN)
    if all(np.array_equal(seen[0], other) for other in seen[1:]):
        raise ModelError("it gives the same output whatever it is shown", remedy=_AGAIN)
    return round(float(np.median(spent)), 2)


def _people(card: Any) -> dict[str, Any] | None:
    """What it makes of the reference people; None in a build that compares no faces outside of a claim (device)."""
    try:
        from edge.models.reference import try_people
    except ModuleNotFoundError:
        return None
    return try_people(card)


def verify(folder: Path, text: str) -> dict[str, Any]:
    """A model against its card: digest, tensors, delegation, known answer.

    Raises:
        ModelError: they differ.
    """
    from edge.face.card import parse_card
    from edge.face.golden import check_golden
    from edge.face.runner import Runner, check_delegation

    runner = Runner(parse_card(text.encode(), folder=folder), 1)
    outside = check_delegation(runner)
    check_golden(runner)
    return {"outside": outside}


def _limit() -> None:
    """No more memory, time or disk than a model needs; no core file, which would hold pictures."""
    for what, most in (
        (resource.RLIMIT_AS, MEMORY_BYTES),
        (resource.RLIMIT_CPU, CPU_S),
        (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_FSIZE, 2**20),
    ):
        hard = resource.getrlimit(what)[1]
        allowed = most if hard == resource.RLIM_INFINITY else min(most, hard)
        resource.setrlimit(what, (allowed, hard))


def main() -> int:
    """Read a request, write a report. What the runtime itself prints goes to standard error."""
    answer = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    _limit()
    request = json.load(sys.stdin)
    from edge.errors import EdgeError

    try:
        if request["mode"] == "verify":
            report = verify(Path(request["folder"]), request["card"])
        else:
            report = examine(Path(request["folder"]), request["card"], request["size"])
    except EdgeError as error:
        report = {"refused": {"what": error.what, "remedy": error.remedy}}
    except MemoryError:
        report = {"refused": {"what": "it needs more memory than a device gives it", "remedy": _AGAIN}}
    except (ValueError, TypeError, ArithmeticError, LookupError, AttributeError, RuntimeError) as error:
        # what a strange graph makes of our own arithmetic; the text might quote the file, the class does not
        report = {"refused": {"what": f"it cannot be examined ({type(error).__name__})", "remedy": _AGAIN}}
    json.dump(report, answer)
    answer.close()
    return 0


if __name__ == "__main__":
    sys.exit(main())
