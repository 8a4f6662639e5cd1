"""From pictures to vectors: every picture is looked at once by every contender, interleaved, so that times compare.

    chain = DeviceChain("embedder", Chain.load(settings), gate=False)
    looks = look_at_all(pictures, [chain], tell)               # one `Looks` a contender; vectors live in memory only
    compare_pictures(chain.chain, Path("a.jpg"), Path("b.jpg"))     # one score: `edge compare`

A contender is a model with its detector, ours or a peer's (`edge.lab.adapters`). All are judged by the same rules: of
several faces the most central one; a picture without a face (or, at a gate, one that is refused) keeps a zero vector
and ``acquired`` False, and so does a file that cannot be decoded: no model gets a set of its own choosing.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

import cv2
import numpy as np
from numpy.typing import NDArray

from edge.errors import InputError, ModelError
from edge.face import Chain
from edge.face.match import compare
from edge.lab.pairing import unit
from edge.lab.pictures import PictureSet
from edge.lab.progress import Tell, quiet
from edge.pictures import read_image
from edge.types import F32, I8, U8, Frame, Template

UNREADABLE = "not a readable picture"
_SESSION = "lab"


@dataclass(frozen=True, slots=True)
class LookResult:
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

    def look(self, index: int, image: U8) -> LookResult:
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

    def look(self, index: int, image: U8) -> LookResult:
        """See `Contender.look`."""
        look = self.chain.look(Frame(image, 0, index, _SESSION), pick="central", gate=self.gate)
        box, points = (look.face.box, look.face.landmarks) if look.face is not None else (None, None)
        quality = look.quality.score if look.quality is not None else None
        if look.reason is not None:
            return LookResult(None, look.reason.value.replace("_", " "), box, points, quality, look.timings_ms)
        started = time.perf_counter_ns()
        vector = self.chain.embed(look, _SESSION).consume(_SESSION)
        timings = {**look.timings_ms, "embed": (time.perf_counter_ns() - started) / 1e6}
        return LookResult(vector, "", box, points, quality, timings)

    def about(self) -> dict[str, Any]:
        """Names and digests of both models."""
        detector = getattr(self.chain.detector, "card", None)
        return {
            "kind": "device chain",
            "gate": self.gate,
            "runtime": "LiteRT",
            "embedder": self.chain.embedder.card.name,
            "embedder_sha256": self.chain.model,
            "detector": getattr(detector, "name", "stand-in"),
            "detector_sha256": getattr(detector, "sha256", ""),
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


@dataclass(slots=True)
class Looks:
    """What one contender saw.

    Attributes:
        vectors: float32 (pictures, D), length 1, zero where nothing was acquired. Never written to disk.
        acquired: bool (pictures,).
        reasons: why not, empty where acquired.
        boxes: float32 (pictures, 4), x, y, width, height, nan where no face was found.
        quality: float64 (pictures,), nan where unknown.
        timings: step -> float32 (pictures,), milliseconds, nan where the step did not run.
    """

    vectors: F32 = field(repr=False)
    acquired: NDArray[np.bool_]
    reasons: list[str]
    boxes: F32
    quality: NDArray[np.float64]
    timings: dict[str, F32]

    @classmethod
    def empty(cls, count: int, dimension: int) -> Looks:
        """Nothing seen yet."""
        vectors, boxes = np.zeros((count, dimension), np.float32), np.full((count, 4), np.nan, np.float32)
        return cls(vectors, np.zeros(count, bool), [""] * count, boxes, np.full(count, np.nan), {})

    def put(self, index: int, seen: LookResult) -> None:
        """Note one look."""
        self.acquired[index], self.reasons[index] = seen.vector is not None, seen.reason
        if seen.vector is not None:
            self.vectors[index] = unit(seen.vector)
        if seen.box is not None:
            self.boxes[index] = seen.box
        if seen.quality is not None:
            self.quality[index] = seen.quality
        for step, value in seen.timings_ms.items():
            if step not in self.timings:
                self.timings[step] = np.full(len(self.acquired), np.nan, np.float32)
            self.timings[step][index] = value


def look_at_all(pictures: PictureSet, contenders: Sequence[Contender], tell: Tell = quiet) -> list[Looks]:
    """Look at the whole set.

    Args:
        pictures: the set.
        contenders: who looks.
        tell: called after every picture.
    """
    looks = [Looks.empty(len(pictures), contender.dimension) for contender in contenders]
    threads = cv2.getNumThreads()
    cv2.setNumThreads(1)  # one thread for every contender, or times say nothing about a model
    try:
        for index in range(len(pictures)):
            _look(pictures, index, contenders, looks)
            tell(index + 1, len(pictures))
    finally:
        cv2.setNumThreads(threads)
    return looks


def _look(pictures: PictureSet, index: int, contenders: Sequence[Contender], looks: list[Looks]) -> None:
    try:
        image = pictures.load(index)
    except InputError:
        for row in looks:
            row.put(index, LookResult(None, UNREADABLE))
        return
    for contender, row in zip(contenders, looks, strict=True):
        row.put(index, contender.look(index, image))


def central_vector(chain: Chain, image: U8, session: str) -> I8 | None:
    """int8 (D,) of the most central face, None without one; no gate, since portraits are not taken at a door."""
    look = chain.look(Frame(image, 0, 0, "picture"), pick="central", gate=False)
    return None if look.crop is None else chain.embed(look, session).consume(session)


def compare_pictures(chain: Chain, reference: Path, probe: Path) -> float:
    """Compare the most central faces of two pictures, as a session compares a template with a probe.

    Returns:
        Cosine in -1..1; larger is more similar.

    Raises:
        InputError: either is not a picture, or shows no face.
    """
    probes = []
    for path in (reference, probe):
        look = chain.look(Frame(read_image(path), 0, 0, "picture"), pick="central", gate=False)
        if look.crop is None:
            remedy = "use a picture that shows one face from the front"
            raise InputError("no face was found", where=str(path), remedy=remedy)
        probes.append(chain.embed(look, _SESSION))
    with Template(probes[0].consume(_SESSION), model=chain.model, session=_SESSION) as template:
        return compare(template, probes[1], _SESSION)
