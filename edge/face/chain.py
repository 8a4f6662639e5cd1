"""Detect, align, assess; embed only when asked: the object that a session and every measurement use.

    chain = Chain.load(settings.face)
    look = chain.look(frame)                    # never embeds
    if look.reason is None:
        probe = chain.embed(look, session)      # one face, of an open claim
        passed = compare(template, probe, session) >= chain.threshold(1e-4)

A second face counts when its height is at least ``settings.second_face`` of the largest's; then there is no decision.
Smaller faces are bystanders: ignored, and never embedded. Measurements may choose the face nearest to the picture's
centre (``pick="central"``) and switch the gate off (``gate=False``), so that a benchmark runs this very code.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from copy import copy
from dataclasses import dataclass, field
from typing import Literal, Protocol

from edge._resources import is_device
from edge.errors import ModelError, SpentError
from edge.face.calibration import threshold
from edge.face.card import Card, load_card
from edge.face.detect import Detector
from edge.face.embed import Embedder
from edge.face.passive import Passive
from edge.face.quality import Assessor
from edge.face.quality_score import WEIGHTS
from edge.face.runner import Runner
from edge.face.suspicion import PassiveLimits
from edge.settings.model import FaceSettings
from edge.types import (
    F32,
    I8,
    U8,
    Advice,
    Attack,
    Crop,
    Face,
    Frame,
    Pass,
    Probe,
    Quality,
    Reason,
    Retry,
    Species,
    Verdict,
)
from edge.types.wipe import wipe

Pick = Literal["largest", "central"]
#: Share of the smallest height that is compared down to which a face is aligned: a nod takes a fifth of it.
_FOLLOWED = 0.7


class Detects(Protocol):
    """What a chain needs of a detector; tests put stand-ins here."""

    def detect(self, image: U8) -> list[Face]:
        """Faces in pixels of ``image``, the highest first."""


class Judges(Protocol):
    """What a chain needs of a passive network (`edge.face.passive`)."""

    limits: PassiveLimits

    def judge(self, image: U8, face: Face) -> float:
        """Suspicion that ``face`` (pixels of ``image``, BGR uint8) is a presentation attack: 0 (live) .. 1."""


class Embeds(Protocol):
    """What a chain needs of an embedder; tests put stand-ins here."""

    card: Card
    model: str
    dimension: int

    def align(self, image: U8, landmarks: F32) -> Crop:
        """Lay a face into the template."""

    def pixels(self, crop: Crop) -> U8:
        """What the network is given of a crop."""

    def embed(self, crop: Crop) -> I8:
        """int8 (D,), symmetric; the caller's own."""


@dataclass(frozen=True, slots=True)
class Look:
    """What one frame showed. Holds the aligned crop until it is dropped, and no embedding.

    Attributes:
        faces: all that were found, the highest first. face: the one that was chosen.
        crop, quality: of ``face``; None when the gate closed before; a face a little too small to be
            compared has a crop, for a challenge to follow, and no quality.
        reason: why this look must not be compared; None when it may be.
        advice: what the person can do.
        timings_ms: ``detect``, ``align``, ``quality``; model time inside ``detect`` included.
        attack: what the frame itself gave away, such as injection.
    """

    faces: tuple[Face, ...] = ()
    face: Face | None = None
    crop: Crop | None = field(default=None, repr=False)
    quality: Quality | None = None
    reason: Reason | None = None
    advice: tuple[Advice, ...] = ()
    timings_ms: Mapping[str, float] = field(default_factory=dict)
    attack: Species | None = None

    @property
    def verdict(self) -> Verdict:
        """The answer of the frame's own gates: frame health, one face, quality."""
        if self.attack is not None:
            return Attack(self.attack)
        return Pass() if self.reason is None else Retry(self.reason, self.advice)

    @classmethod
    def nothing(cls, reason: Reason, advice: tuple[Advice, ...] = ()) -> Look:
        """A look that did not happen, such as at a frozen frame."""
        return cls(reason=reason, advice=advice)


class Chain:
    """One detector, one embedder, one set of limits. For one thread at a time.

    Args:
        settings: models and limits.
        detector, embedder, passive: attributes that tests may replace. passive: None where none judges.

    Raises:
        ModelError: the embedder's card has no ``align``.
    """

    def __init__(
        self, settings: FaceSettings, detector: Detects, embedder: Embeds, passive: Judges | None = None
    ) -> None:
        if embedder.card.align is None:
            raise ModelError(
                "the embedder's card has no align", where=embedder.card.where, remedy="make the card again"
            )
        self.settings = settings
        self.detector = detector
        self.embedder = embedder
        self.passive = passive
        self._assess = Assessor(settings, embedder.card.align)

    @classmethod
    def load(cls, settings: FaceSettings, find: Callable[[str], Card] = load_card) -> Chain:
        """Load the models that the settings name.

        Args:
            settings: models and limits.
            find: from a name to a card; a device brings one that knows added models (`edge.models.installed`).

        Raises:
            ModelError: a card or a model cannot be used.
        """
        detector = Detector(find(settings.detector), settings.threads)
        passive = Passive(find(settings.passive), settings.threads) if settings.passive is not None else None
        card = find(settings.embedder)
        if card.quality not in (None, WEIGHTS.sha256):
            raise ModelError(
                "the quality score has other weights than the embedder's card names",
                where=card.where,
                remedy="install the product again; after a new fit: python -m models.training.quality",
            )
        return cls(settings, detector, Embedder(card, settings.threads), passive)

    def with_embedder(self, card: Card) -> Chain:
        """A chain with the same detector and limits, and another embedder.

        Raises:
            ModelError: the card or its model cannot be used.
        """
        return Chain(self.settings, self.detector, Embedder(card, self.settings.threads), self.passive)

    def before(self) -> Chain | None:
        """This chain for templates that the same embedder made with the arithmetic before, which stay valid; or None.

        Only the name that probes go under differs (`Card.earlier`).
        """
        earlier = self.embedder.card.earlier
        if earlier is None:
            return None
        embedder = copy(self.embedder)
        embedder.model = earlier
        return Chain(self.settings, self.detector, embedder)

    @property
    def model(self) -> str:
        """The embedder's identity (`Card.identity`); it stands in every template's header."""
        return self.embedder.model

    @property
    def dimension(self) -> int:
        """Length of an embedding."""
        return self.embedder.dimension

    def threshold(self, fmr: float, looks: int = 1) -> float:
        """The score at which a probe matches, so that a session of at most so many has this false match rate.

        Raises:
            ModelError: the embedder's calibration does not support the rate.
        """
        return threshold(self.embedder.card, fmr, looks)

    def look(self, frame: Frame, pick: Pick = "largest", gate: bool = True) -> Look:
        """Look at one frame. Nothing is embedded.

        Args:
            frame: any size.
            pick: ``largest`` face, or for measurements the one nearest to the picture's ``central`` point.
            gate: whether quality and the one-face rule apply; off for measurements only.

        Returns:
            A look whose ``reason`` is None exactly when it may be embedded.
        """
        started = time.perf_counter_ns()
        faces = tuple(self.detector.detect(frame.image))
        detected = time.perf_counter_ns()
        timings = {"detect": (detected - started) / 1e6}
        if not faces:
            return Look(reason=Reason.NO_FACE, advice=(Advice.NOBODY_SEEN,), timings_ms=timings)
        face = faces[0] if pick == "largest" else nearest_centre(faces, frame.width, frame.height)
        closed = self._closed(faces, frame.height) if gate else None
        low = _FOLLOWED * self.settings.min_height * frame.height
        if closed is not None and (closed[0] is Reason.SEVERAL_FACES or faces[0].height < low):
            return Look(faces, face, reason=closed[0], advice=(closed[1],), timings_ms=timings)
        crop = self.embedder.align(frame.image, face.landmarks)
        if closed is not None:  # who nods gets lower: too low to be compared, and followed all the same by a challenge
            return Look(faces, face, crop, reason=closed[0], advice=(closed[1],), timings_ms=timings)
        aligned = time.perf_counter_ns()
        quality = self._assess(face, crop, frame.width, frame.height)
        timings["align"] = (aligned - detected) / 1e6
        timings["quality"] = (time.perf_counter_ns() - aligned) / 1e6
        reason = Reason.QUALITY if gate and quality.advice else None
        return Look(faces, face, crop, quality, reason, quality.advice, timings)

    def judge(self, frame: Frame, look: Look) -> float:
        """The passive network's suspicion of a look at this frame, 0 (live) .. 1 (attack).

        Raises:
            ValueError: there is no face, or no passive network; a programming error.
        """
        if self.passive is None or look.face is None:
            raise ValueError("nothing to judge, or nothing to judge with")
        return self.passive.judge(frame.image, look.face)

    def pixels(self, look: Look) -> U8:
        """The one aligned face of a look, for a session's own process to embed: uint8 (H, W, 3).

        Raises:
            ValueError: the look must not be compared; a programming error.
        """
        if look.crop is None or look.reason is not None:
            raise ValueError(f"this look must not be embedded: {look.reason}")
        return self.embedder.pixels(look.crop)

    def embed(self, look: Look, session: str) -> Probe:
        """Embed the one face of a look in this very process: on a desk and in a lab, never on a device build.

        Raises:
            ValueError: the look must not be compared; a programming error.
        """
        if look.crop is None or look.reason is not None:
            raise ValueError(f"this look must not be embedded: {look.reason}")
        vector = self.embedder.embed(look.crop)
        try:
            return Probe(vector, model=self.embedder.model, session=session)
        finally:
            wipe(vector)

    def _closed(self, faces: tuple[Face, ...], height: int) -> tuple[Reason, Advice] | None:
        """Why no face of this frame is worth aligning, if so."""
        largest = faces[0].height
        if largest < self.settings.min_height * height:
            return Reason.QUALITY, Advice.STEP_CLOSER
        if len(faces) > 1 and faces[1].height >= self.settings.second_face * largest:
            return Reason.SEVERAL_FACES, Advice.ONE_PERSON
        return None


def need_whole(chain: Chain) -> None:
    """Return when a chain embeds with this build's own classes: nothing that a caller made runs inside of a session.

    Raises:
        SpentError: a device build, and another class, or a method that was replaced.
    """
    if is_device() and not (
        _own(chain, Chain)
        and _own(chain.embedder, Embedder)
        and _own(getattr(chain.embedder, "runner", None), Runner)
        and type(chain.embedder.model) is str  # compared with a template's in there
    ):
        raise SpentError("this chain is not this build's own", where="chain", remedy="use Chain.load")


def _own(part: object, kind: type) -> bool:
    return type(part) is kind and not vars(part).keys() & vars(kind).keys()


def nearest_centre(faces: tuple[Face, ...], width: int, height: int) -> Face:
    """The face whose box's centre is nearest to the picture's; LFW's subject is centred."""

    def distance(face: Face) -> float:
        x, y, w, h = face.box
        return (x + w / 2 - width / 2) ** 2 + (y + h / 2 - height / 2) ** 2

    return min(faces, key=distance)
