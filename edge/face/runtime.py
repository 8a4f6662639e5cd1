"""The model runtime behind one import: ai-edge-litert, or the older tflite-runtime where only that is installed.

    interpreter = open_interpreter(model_bytes, threads=2, where="embedder.tflite")

Both packages have the same Python interface. tflite-runtime does not run int8 graphs through XNNPACK and is about
20 x slower; it is a fallback that a user may choose, never preferred.
"""

from __future__ import annotations

import importlib
from typing import Any

import numpy as np

from edge.errors import ModelError
from edge.types.aside import Aside

#: Of a passive network. The smallest embedding has 16 numbers (`edge.models.examine`): the two cannot be mistaken.
MOST_CLASSES = 8
_PACKAGES = ("ai_edge_litert", "tflite_runtime")
#: The zero points that a quantised type can have.
QUANTISED = {"int8": (-128, 127), "uint8": (0, 255)}
#: What the runtime prints on standard error each time it works as intended.
_CHATTER = (b"INFO: ", b"W0000", b"I0000")


def runtime_module() -> Any:
    """The ``interpreter`` module of the installed runtime.

    Raises:
        ModelError: neither package is installed.
    """
    for package in _PACKAGES:
        try:
            return importlib.import_module(f"{package}.interpreter")
        except ImportError:
            continue
    raise ModelError("no model runtime is installed", where="ai_edge_litert", remedy="run `pip install ai-edge-litert`")


def open_interpreter(model: bytes, *, threads: int, where: str) -> Any:
    """An interpreter with its tensors allocated.

    Args:
        model: content of a .tflite file whose digest was checked.
        threads: threads of the kernels, 1 or more.
        where: the file's name, for messages.

    Raises:
        ModelError: the bytes are not a model, or it needs operators that the runtime does not have.
    """
    if model[4:8] != b"TFL3":
        raise ModelError("this is not a .tflite file", where=where, remedy="reinstall the product")
    module = runtime_module()
    try:
        # its INFO lines would stand among our one-line messages; it writes them from C++
        with Aside(lambda line: line.startswith(_CHATTER)):
            interpreter = module.Interpreter(model_content=model, num_threads=threads)
            interpreter.allocate_tensors()
    except (ValueError, RuntimeError, MemoryError) as error:
        first = (str(error).splitlines() or [type(error).__name__])[0]
        raise ModelError(f"the runtime refuses the model: {first[:200]}", where=where, remedy="reinstall") from None
    return interpreter


def quantisation(detail: dict[str, Any]) -> tuple[str, float, int]:
    """(dtype, scale, zero point) of a tensor as the runtime reports it; 1 and 0 where it is not quantised."""
    dtype = np.dtype(detail["dtype"]).name
    scale, zero_point = detail["quantization"]
    if dtype not in QUANTISED:
        return dtype, 1.0, 0
    return dtype, float(scale), int(zero_point)
