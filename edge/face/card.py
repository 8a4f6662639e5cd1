"""A model's card: what the file is, how pixels go in, what comes out, and what its scores mean.

    card = load_card("embedder")          # models/embedder.card.yaml
    card.input.shape                      # (1, 112, 112, 3)
    card.sha256                           # the digest that `Runner` demands of the file

Workflow: YAML (schema ``edge/card/v1``) -> checked, frozen `Card`. Nothing of the model file is touched here; `Runner`
compares the file with the card before it runs anything. Whatever is wrong with a card is a `ModelError` that names the
key. The parts written for people (data, teachers, limits, accuracy) stay in ``Card.raw``.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import Annotated, Any, Literal, Self

import yaml
from pydantic import Field, ValidationError, model_validator

from edge import _resources
from edge.errors import InputError, ModelError
from edge.face.runtime import MOST_CLASSES
from edge.face.tensors import InputSpec, OutputSpec, Part, Size

SCHEMA = "edge/card/v1"
#: Far above any card; a larger file is not one.
MAX_BYTES = 256 * 1024
_REMEDY = "reinstall the product; cards are made by models/training"

Digest = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
Point = tuple[float, float]


class Align(Part):
    """How a face is laid into the crop: five template points (left eye, right eye, nose, mouth corners), pixels."""

    size: tuple[Size, Size]
    channels: Literal["BGR", "RGB"]
    template: tuple[Point, Point, Point, Point, Point]

    @model_validator(mode="after")
    def _spread(self) -> Align:
        if max(x for x, _ in self.template) - min(x for x, _ in self.template) < 1:
            raise ValueError("the template's points lie on top of each other")
        return self


class Decode(Part):
    """How detector maps become faces; ``score_threshold``, ``nms_iou`` and ``confirm`` are 0..1."""

    strides: Annotated[tuple[Annotated[int, Field(ge=2, le=256)], ...], Field(min_length=1, max_length=6)]
    score_threshold: Annotated[float, Field(gt=0, lt=1)]
    nms_iou: Annotated[float, Field(gt=0, lt=1)]
    confirm: Annotated[float, Field(gt=0, lt=1)] | None = None
    """Score that all looks at a face together must give (`edge.face.second_pass`); None looks once."""


def _few(shape: tuple[int, ...]) -> bool:
    return len(shape) == 2 and shape[0] == 1 and 2 <= shape[1] <= MOST_CLASSES


class Judgements(Part):
    """What a passive network sees, and what its suspicion (0 live, 1 attack) means (`edge.face.suspicion`).

    ``scale``: sides of what it sees, times the face's box (`edge.face.passive.look`).
    """

    scale: Annotated[float, Field(ge=1, le=20)]
    doubt: Annotated[float, Field(gt=0, le=1)]
    attack: Annotated[float, Field(gt=0, le=2)]
    """Above 1: it never rejects."""
    judgements: Annotated[int, Field(ge=1, le=100)]

    @model_validator(mode="after")
    def _ordered(self) -> Judgements:
        if self.attack < self.doubt:
            raise ValueError("attack: what is rejected is doubted first")
        return self


class FmrThreshold(Part):
    fmr: Annotated[float, Field(gt=0, le=1)]
    threshold: Annotated[float, Field(ge=-1, le=1)]


class Curve(Part):
    """From a false match rate to a comparison score: measured pairs, rarest rate last."""

    thresholds: Annotated[tuple[FmrThreshold, ...], Field(min_length=2, max_length=1000)]

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        for before, after in pairwise(self.thresholds):
            if after.fmr >= before.fmr:
                raise ValueError("thresholds: fmr must fall from row to row")
            if after.threshold < before.threshold:
                raise ValueError("thresholds: a smaller fmr cannot have a lower threshold")
        return self


class SessionCurve(Curve):
    """The same for whole sessions: what one of at most ``looks`` looks must reach, by the session's rate."""

    looks: Annotated[int, Field(ge=1, le=10)]


class Calibration(Curve):
    """Of single comparisons and, where they were measured, of sessions; fewest looks first."""

    smallest_fmr: Annotated[float, Field(gt=0, le=1)]
    sessions: Annotated[tuple[SessionCurve, ...], Field(max_length=10)] = ()
    sha256: Digest | None = None
    """The model file that was measured."""
    arithmetic: Literal[1, 2] = 1
    """The arithmetic that it was measured with; see `Card`."""

    @model_validator(mode="after")
    def _supported(self) -> Self:
        if self.smallest_fmr < self.thresholds[-1].fmr:
            raise ValueError("smallest_fmr lies below the last row of thresholds")
        if any(after.looks <= before.looks for before, after in pairwise(self.sessions)):
            raise ValueError("sessions: looks must rise from one curve to the next")
        return self


class Golden(Part):
    """A known answer to an input that ``generator`` describes: exact, or within a tolerance.

    A graph of integers gives the same bits on every machine: ``sha256`` of its raw outputs. Floating point does not,
    so such a model has ``values``, some of its outputs, and ``tolerance``, as a share of the largest of them.
    """

    generator: Annotated[str, Field(min_length=1, max_length=500)]
    sha256: Digest | None = None
    values: Annotated[tuple[float, ...], Field(max_length=4096)] = ()
    tolerance: Annotated[float, Field(ge=0, le=0.1)] = 0.0

    @model_validator(mode="after")
    def _one_kind(self) -> Golden:
        if (self.sha256 is None) == (not self.values):
            raise ValueError("a known answer is either sha256 or values")
        return self


class _Fields(Part):
    """The keys of a card that the software reads."""

    schema_: Annotated[Literal["edge/card/v1"], Field(alias="schema")]
    name: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9_-]{0,63}$")]
    kind: Literal["detector", "embedder", "passive"]
    file: Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$")]
    sha256: Digest
    size_bytes: Annotated[int, Field(ge=1, le=64 * 1024 * 1024)]
    input: InputSpec
    outputs: Annotated[tuple[OutputSpec, ...], Field(min_length=1, max_length=32)]
    arithmetic: Literal[1, 2] = 1
    align: Align | None = None
    decode: Decode | None = None
    passive: Judgements | None = None
    calibration: Calibration | None = None
    quality: Digest | None = None
    golden: Golden | None = None
    outside_delegate: Annotated[int, Field(ge=0, le=10000)] = 0

    @model_validator(mode="after")
    def _complete(self) -> _Fields:
        if sorted(output.index for output in self.outputs) != list(range(len(self.outputs))):
            raise ValueError("outputs: index must number the outputs from 0")
        if len({output.name for output in self.outputs}) != len(self.outputs):
            raise ValueError("outputs: two outputs have the same name")
        if self.kind == "detector" and self.decode is None:
            raise ValueError("a detector's card needs decode")
        if self.kind == "passive":
            self._live_first()
        if self.kind == "embedder":
            if self.align is None:
                raise ValueError("an embedder's card needs align")
            if self.align.size != (self.input.shape[2], self.input.shape[1]):
                raise ValueError("align.size differs from the input's width and height")
            if self.align.channels != self.input.channels:
                raise ValueError("align.channels differs from input.channels")
        if self.calibration is not None and self.calibration.sha256 not in (None, self.sha256):
            raise ValueError("calibration: it was measured with another file; a threshold is never shared")
        if self.calibration is not None and self.calibration.arithmetic != self.arithmetic:
            raise ValueError("calibration: it was measured with another arithmetic; calibrate again")
        return self

    def _live_first(self) -> None:
        if self.passive is None:
            raise ValueError("a passive network's card needs passive")
        if len(self.outputs) != 1 or not _few(self.outputs[0].shape):
            raise ValueError(f"outputs: a passive network has one, (1, 2..{MOST_CLASSES} classes); the first is live")


@dataclass(frozen=True, slots=True)
class Card:
    """One model, as its card describes it.

    Attributes:
        name, kind: such as ``embedder``; ``detector``, ``embedder`` or ``passive``.
        path: the model's file, beside the card. sha256, size_bytes: what the file must be.
        arithmetic: how pictures are fitted and faces laid out: 1, as OpenCV does on each machine; 2, exact, the same
            bits on every machine (`edge.face.align`). Every new card is made with 2.
        input, outputs: tensors. align: embedders only. decode: detectors only. passive: passive networks only.
        calibration: embedders that may decide; golden: the known answer, if the card has one.
        quality: of the shipped embedder, SHA-256 of the weights that foretell its scores (`edge.face.quality_score`).
        outside_delegate: nodes that run outside of XNNPACK, of imported models; more is a fault.
        where: the card's own file, for messages. raw: everything the card says.
    """

    name: str
    kind: Literal["detector", "embedder", "passive"]
    path: Path
    sha256: str
    size_bytes: int
    input: InputSpec
    outputs: tuple[OutputSpec, ...]
    arithmetic: int
    align: Align | None
    decode: Decode | None
    passive: Judgements | None
    calibration: Calibration | None
    quality: str | None
    golden: Golden | None
    outside_delegate: int
    where: str
    raw: Mapping[str, Any] = field(repr=False)

    @property
    def identity(self) -> str:
        """What templates name their embedder by, 64 hexadecimal digits: templates of two identities never meet.

        The SHA-256 of the file; for an imported model that of the file and of how pixels go in, since the same file
        with another channel order or template is another embedder. Exact arithmetic is part of it, too.
        """
        return self._identity(self.arithmetic)

    @property
    def earlier(self) -> str | None:
        """The identity under which the same file's templates were made with arithmetic 1; None when there is none.

        They stay valid, compared with probes of arithmetic 2 at this card's threshold (`tests.benchmarks.arithmetic`).
        """
        return self._identity(1) if self.arithmetic != 1 else None

    def _identity(self, arithmetic: int) -> str:
        if "imported" not in self.raw and arithmetic == 1:
            return self.sha256
        fed = self.input.model_dump(mode="json")
        align = None if self.align is None else self.align.model_dump(mode="json")
        told = [self.sha256, fed, align, *([arithmetic] if arithmetic != 1 else [])]
        return hashlib.sha256(json.dumps(told, sort_keys=True).encode()).hexdigest()

    def output(self, name: str) -> OutputSpec:
        """The output of this name.

        Raises:
            ModelError: the card lists none.
        """
        for spec in self.outputs:
            if spec.name == name:
                return spec
        raise ModelError(f"the card lists no output {name!r}", where=self.where, remedy=_REMEDY)


def load_card(name_or_path: str | Path) -> Card:
    """Read and check a card.

    Args:
        name_or_path: the name of a shipped model (``"embedder"``), or the path of a ``.card.yaml`` file.

    Raises:
        ModelError: there is no such card, or it is not a complete card; the text names every wrong key.
    """
    path = _locate(name_or_path)
    return parse_card(_read(path), folder=path.parent, where=path.name)


def parse_card(data: bytes, *, folder: Path, where: str = "card") -> Card:
    """Check the bytes of a card; see `load_card`. ``folder`` is where the model file lies."""
    raw = _mapping(data, where)
    try:
        fields = _Fields.model_validate(raw)
    except ValidationError as error:
        problems = "; ".join(_problem(item["loc"], item["msg"]) for item in error.errors())
        raise ModelError(f"the card is not valid: {problems[:2000]}", where=where, remedy=_REMEDY) from None
    values = {name: getattr(fields, name) for name in type(fields).model_fields if name not in ("schema_", "file")}
    return Card(path=folder / fields.file, where=where, raw=raw, **values)


def _problem(place: tuple[str | int, ...], message: str) -> str:
    """``input.zero_point: 300 does not lie ...``; a validator's own text begins with the key that it means."""
    key, text = ".".join(map(str, place)), re.sub(r"^Value error, ", "", message)
    if key and re.match(r"[a-z_]+: ", text):
        return f"{key}.{text}"
    return f"{key or 'card'}: {text}"


def _locate(name_or_path: str | Path) -> Path:
    text = str(name_or_path)
    if isinstance(name_or_path, Path) or "/" in text or text.endswith(".yaml"):
        return Path(name_or_path)
    try:
        return _resources.path("models", f"{text}.card.yaml")
    except InputError as error:
        raise ModelError(f"there is no model named {text!r}", where="models", remedy=error.remedy) from None


def _read(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            data = file.read(MAX_BYTES + 1)
    except OSError as error:
        raise ModelError(f"the card cannot be read: {error.strerror}", where=str(path), remedy=_REMEDY) from None
    if len(data) > MAX_BYTES:
        raise ModelError("the file is too large for a card", where=str(path), remedy=_REMEDY)
    return data


def _mapping(data: bytes, where: str) -> dict[str, Any]:
    """YAML -> mapping. Aliases are refused: they let a small file unfold into a huge one."""
    loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    try:
        aliased = any(isinstance(event, yaml.AliasEvent) for event in yaml.parse(data, Loader=loader))
        raw = None if aliased else yaml.load(data, Loader=loader)  # noqa: S506 - both candidates are safe loaders
    except (
        yaml.YAMLError,
        ValueError,
        TypeError,
        AttributeError,
        ArithmeticError,
        RecursionError,
        LookupError,
    ) as error:
        first = (str(error).splitlines() or [type(error).__name__])[0]
        raise ModelError(f"not readable as YAML: {first[:200]}", where=where, remedy=_REMEDY) from None
    if aliased:
        raise ModelError("a card has no YAML aliases", where=where, remedy=_REMEDY)
    if not isinstance(raw, dict):
        raise ModelError("a card is a YAML mapping", where=where, remedy=_REMEDY)
    return raw
