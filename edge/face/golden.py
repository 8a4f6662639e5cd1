"""The known-answer test of a model: a fixed input, a digest of the raw int8 outputs.

    verify_golden(load_card("embedder"))     # returns, or raises ModelError

A wrong digest means that this machine computes something else than the machine that made the model: another runtime,
a broken build, failing memory. Goldens are written by `models/training` alone, with commit and reason.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable

import numpy as np

from edge.errors import ModelError
from edge.face.card import Card
from edge.face.runner import Runner
from edge.types import U8


def _shake(shape: tuple[int, int, int]) -> U8:
    """SHAKE-256 of a fixed text: the same bytes on every machine and with every version of numpy."""
    count = shape[0] * shape[1] * shape[2]
    return np.frombuffer(hashlib.shake_256(b"edge/golden/v1").digest(count), np.uint8).reshape(shape)


#: ``golden.generator`` in a card -> the input image (H, W, 3), in the card's channel order.
GENERATORS: dict[str, Callable[[tuple[int, int, int]], U8]] = {
    "shake_256(b'edge/golden/v1'), uint8": _shake,
}


def golden_digest(runner: Runner, generator: str) -> str:
    """SHA-256 (hex) of the concatenated raw int8 outputs, in the card's order, for the generated input.

    Raises:
        ModelError: no such generator.
    """
    make = GENERATORS.get(generator)
    if make is None:
        raise ModelError(
            f"unknown golden generator {generator!r}",
            where=runner.card.where,
            remedy=f"one of: {', '.join(GENERATORS)}",
        )
    outputs = runner.run(make(runner.card.input.shape[1:]))
    return hashlib.sha256(b"".join(outputs[spec.name].tobytes() for spec in runner.card.outputs)).hexdigest()


def verify_golden(card: Card, threads: int = 1) -> None:
    """Run the model on its known input and compare the outputs' digest with the card's.

    Raises:
        ModelError: the card has no golden, the model cannot be loaded, or the outputs differ.
    """
    if card.golden is None:
        raise ModelError("the card has no golden digest", where=card.where, remedy="make the card with models/training")
    found = golden_digest(Runner(card, threads), card.golden.generator)
    if found != card.golden.sha256:
        raise ModelError(
            f"the known answer differs: outputs begin {found[:12]}, the card says {card.golden.sha256[:12]}",
            where=card.path.name,
            remedy="this machine must not decide: reinstall the product and its runtime, then check the memory",
        )
