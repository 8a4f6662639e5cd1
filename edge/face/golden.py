"""The known-answer test of a model: a fixed input, and a digest of the raw outputs.

    verify_golden(load_card("embedder"))     # returns, or raises ModelError

A wrong digest means that this machine computes something else than the machine that made the model: another runtime,
a broken build, failing memory. Those of shipped models are written by `models/training` alone, with commit and reason.
A graph of floating point gives no identical bits on different machines; its card holds some outputs and a tolerance.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edge.errors import ModelError
from edge.face.card import Card
from edge.face.runner import Runner
from edge.types import U8
from edge.types.inside import _inside


def _shake(shape: tuple[int, int, int]) -> U8:
    """SHAKE-256 of a fixed text: the same bytes on every machine and with every version of numpy."""
    count = shape[0] * shape[1] * shape[2]
    return np.frombuffer(hashlib.shake_256(b"edge/golden/v1").digest(count), np.uint8).reshape(shape)


#: ``golden.generator`` in a card -> the input image (H, W, 3), in the card's channel order.
GENERATORS: dict[str, Callable[[tuple[int, int, int]], U8]] = {
    "shake_256(b'edge/golden/v1'), uint8": _shake,
}


#: The generator of new cards.
GENERATOR = "shake_256(b'edge/golden/v1'), uint8"
#: Floating point: so many outputs are kept, and may be off by this share of the largest. Two kernels that add the same
#: float32 products in another order differ by about 1e-5; a wrong input or damaged weights by more than 1e-1.
MOST_VALUES, TOLERANCE = 64, 1e-3


def golden_digest(runner: Runner, generator: str) -> str:
    """SHA-256 (hex) of the concatenated raw outputs, in the card's order, for the generated input.

    Raises:
        ModelError: no such generator.
    """
    outputs = _answer(runner, generator)
    return hashlib.sha256(b"".join(outputs[spec.name].tobytes() for spec in runner.card.outputs)).hexdigest()


def golden_values(runner: Runner, generator: str) -> list[float]:
    """At most 64 outputs for the generated input, dequantised, evenly spread over all of them; six digits each.

    Raises:
        ModelError: no such generator.
    """
    outputs = _answer(runner, generator)
    real = [spec.scale * (outputs[spec.name].astype(np.float64) - spec.zero_point) for spec in runner.card.outputs]
    flat = np.concatenate([part.ravel() for part in real])
    chosen = np.unique(np.linspace(0, len(flat) - 1, min(MOST_VALUES, len(flat))).astype(int))
    return [float(f"{value:.6g}") for value in flat[chosen]]


def make_golden(runner: Runner, *, exact: bool) -> dict[str, Any]:
    """The ``golden`` part of a new card: a digest where the same bits come out everywhere, else values."""
    if exact:
        return {"generator": GENERATOR, "sha256": golden_digest(runner, GENERATOR)}
    return {"generator": GENERATOR, "values": golden_values(runner, GENERATOR), "tolerance": TOLERANCE}


def _answer(runner: Runner, generator: str) -> dict[str, NDArray[Any]]:
    make = GENERATORS.get(generator)
    if make is None:
        raise ModelError(
            f"unknown golden generator {generator!r}",
            where=runner.card.where,
            remedy=f"one of: {', '.join(GENERATORS)}",
        )
    with _inside():  # the picture is noise
        return runner.run(make(runner.card.input.shape[1:]))


def verify_golden(card: Card, threads: int = 1) -> None:
    """Run the model on its known input and compare what comes out with the card.

    Raises:
        ModelError: the card has no golden, the model cannot be loaded, or the outputs differ.
    """
    check_golden(Runner(card, threads))


def check_golden(runner: Runner) -> None:
    """As `verify_golden`, with a model that is loaded already."""
    card, golden = runner.card, runner.card.golden
    if golden is None:
        raise ModelError("the card has no golden digest", where=card.where, remedy="make the card with models/training")
    if golden.sha256 is not None:
        found = golden_digest(runner, golden.generator)
        if found == golden.sha256:
            return
        text = f"outputs begin {found[:12]}, the card says {golden.sha256[:12]}"
    else:
        values, known = np.array(golden_values(runner, golden.generator)), np.array(golden.values)
        worst = float(np.abs(values - known).max()) if values.shape == known.shape else float("inf")
        # a comparison that NaN fails
        if worst <= golden.tolerance * float(np.abs(known).max()):
            return
        text = f"outputs are off by {worst:.3g}, more than the card's tolerance"
    raise ModelError(
        f"the known answer differs: {text}",
        where=card.path.name,
        remedy="this machine must not decide: reinstall the product and its runtime, then check the memory",
    )
