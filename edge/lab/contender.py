"""Whoever is measured: something that looks at a picture and gives a vector, or says why not.

    chain = DeviceChain("embedder", Chain.load(settings), gate=False)
    seen = chain.look(0, picture)              # seen.vector: int8 (D,), or None with seen.reason

`DeviceChain` is the very chain of a door; peers come from `edge.lab.adapters`. All are judged by the same rules: of
several faces the most central one, no face no vector.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from edge.errors import ModelError
from edge.face import Chain
from edge.types import U8, Frame

_SESSION = "lab"


@dataclass(frozen=True, slots=True)
class Seen:
    """What one look gave.

    Attributes:
        vector: int8 or float (D,), None when nothing was acquired.
        reason: why not, a word or two; empty when acquired.
        box, landmarks: of the chosen face, in pixels as `edge.types.Face` has them; None without one.
        quality: a score, larger is better; None where the contender has none.
        timings_ms: step -> milliseconds.
    """

    vector: NDArray[Any] | None = field(repr=False)
    reason: str = ""
    box: tuple[float, float, float, float] | None = None
    landmarks: NDArray[np.float32] | None = field(default=None, repr=False)
    quality: float | None = None
    timings_ms: Mapping[str, float] = field(default_factory=dict)


class Contender(Protocol):
    """What the lab needs of a model, ours or a peer."""

    name: str
    dimension: int

    def look(self, index: int, image: U8) -> Seen:
        """Look at picture number ``index``, BGR uint8 (H, W, 3)."""

    def about(self) -> dict[str, Any]:
        """What it is, for the report: file, digest, runtime, licence; plain JSON values."""

    def operating_points(self) -> dict[str, float]:
        """Thresholds that it comes with, by the words that the report uses for them."""


class DeviceChain:
    """This product's chain, as a door runs it.

    Args:
        name: what the report calls it.
        chain: the device's own object.
        gate: whether quality gate and one-face rule apply, as at a door; off, every found face is embedded.
    """

    def __init__(self, name: str, chain: Chain, gate: bool = False) -> None:
        self.name, self.chain, self.gate = name, chain, gate
        self.dimension = chain.dimension

    def look(self, index: int, image: U8) -> Seen:
        """See `Contender.look`."""
        look = self.chain.look(Frame(image, 0, index, "lab"), pick="central", gate=self.gate)
        box, points = (look.face.box, look.face.landmarks) if look.face is not None else (None, None)
        quality = look.quality.score if look.quality is not None else None
        if look.reason is not None:
            return Seen(None, look.reason.value.replace("_", " "), box, points, quality, look.timings_ms)
        started = time.perf_counter_ns()
        vector = self.chain.embed(look, _SESSION).consume(_SESSION)
        timings = {**look.timings_ms, "embed": (time.perf_counter_ns() - started) / 1e6}
        return Seen(vector, "", box, points, quality, timings)

    def about(self) -> dict[str, Any]:
        """Names and digests of both models."""
        return {
            "kind": "device chain",
            "gate": self.gate,
            "runtime": "LiteRT",
            "embedder": self.chain.embedder.card.name,
            "embedder_sha256": self.chain.model,
            "detector": getattr(getattr(self.chain.detector, "card", None), "name", "stand-in"),
            "detector_sha256": getattr(getattr(self.chain.detector, "card", None), "sha256", ""),
            "licence": str(self.chain.embedder.card.raw.get("licence", "")),
        }

    def operating_points(self) -> dict[str, float]:
        """The card's own thresholds for the rates that a deployer may ask for."""
        points = {}
        for rate in (1e-2, 1e-3, 1e-4, 1e-5):
            try:
                points[f"card, target {rate:.0e}"] = self.chain.threshold(rate)
            except ModelError:  # not calibrated, or not so far down
                continue
        return points


def unit(vector: NDArray[Any]) -> NDArray[np.float32]:
    """Length 1, so that products are cosines; a zero vector stays zero."""
    real = vector.astype(np.float32)
    length = float(np.linalg.norm(real))
    return real / np.float32(length) if length > 0 else real
