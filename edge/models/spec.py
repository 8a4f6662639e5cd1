"""What an integrator says of a model: how pixels go in, and what people must know of it (``edge/model-spec/v1``).

    spec = load_spec(Path("mine.spec.yaml"))       # SpecInvalid lists every problem with line and column
    spec.base_card()                               # the card, but for what is measured on the file

`config/examples/model-spec.yaml` documents every key. A device's camera delivers 8-bit pixels; the model gets
``(pixel - mean) / std``, or ``pixel * scale``, as 32-bit floats or in whatever its quantised input makes of it.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from edge.errors import SpecInvalid
from edge.face.card import Align, Decode, Point
from edge.face.tensors import Mean, Positive
from edge.settings.problems import Problem
from edge.settings.translate import translate
from edge.settings.yaml_core import load

SCHEMA = "edge/model-spec/v1"
#: Templates that models are published with: name -> (width, height), five points. ``arcface-112`` is InsightFace's, and
#: that of the many nets which follow it.
TEMPLATES: dict[str, tuple[tuple[int, int], tuple[Point, ...]]] = {
    "arcface-112": (
        (112, 112),
        ((38.2946, 51.6963), (73.5318, 51.5014), (56.0252, 71.7366), (41.5493, 92.3655), (70.7299, 92.2041)),
    ),
}

#: What people are told of a model: key paths of texts, or of lists and sections of them.
_WORDS = tuple(
    (word,)
    for word in (
        "licence", "intended_use", "not_for", "known_failures", "limits", "data", "teachers", "training", "retrain",
        "source",
    )
)  # fmt: skip

Text = Annotated[str, Field(min_length=3, max_length=1000)]
Texts = Annotated[tuple[Text, ...], Field(max_length=30)]
Side = Annotated[int, Field(ge=32, le=1024)]


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


class Pixels(_Part):
    """``mean`` and ``std`` (one number, or one a channel in the order of ``channels``), or ``scale`` alone."""

    size: tuple[Side, Side]
    channels: Literal["RGB", "BGR"]
    mean: Mean | tuple[Mean, Mean, Mean] | None = None
    std: Positive | tuple[Positive, Positive, Positive] | None = None
    scale: Positive | None = None

    @model_validator(mode="after")
    def _one_way(self) -> Pixels:
        pair = (self.mean is not None, self.std is not None)
        if not (pair == (True, True) if self.scale is None else pair == (False, False)):
            raise ValueError("give mean and std, or scale alone")
        return self

    def scaling(self) -> dict[str, Any]:
        """``mean`` and ``std``, as cards say it."""
        if self.scale is not None:
            return {"mean": 0.0, "std": 1 / self.scale}
        return {"mean": self.mean, "std": self.std}


class Data(_Part):
    name: Text
    terms: Text


class Teacher(_Part):
    name: Text
    licence: Text


class ModelSpec(_Part):
    """All of a spec; the words become part of the card."""

    schema_: Annotated[Literal["edge/model-spec/v1"], Field(alias="schema")]
    name: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9_-]{0,63}$")]
    kind: Literal["embedder", "detector"]
    input: Pixels
    template: Literal["arcface-112"] | tuple[Point, Point, Point, Point, Point] | None = None
    decode: Decode | None = None
    licence: Text
    intended_use: Text
    not_for: Texts = ()
    known_failures: Texts = ()
    limits: Texts = ()
    data: Annotated[tuple[Data, ...], Field(min_length=1, max_length=30)]
    teachers: Annotated[tuple[Teacher, ...], Field(max_length=30)] = ()
    training: Text | None = None
    retrain: Text | None = None
    source: Text | None = None

    @model_validator(mode="after")
    def _of_its_kind(self) -> ModelSpec:
        if self.kind == "embedder" and self.template is None:
            raise ValueError("template: an embedder needs one, such as arcface-112, or five points")
        if self.kind == "detector" and self.decode is None:
            raise ValueError("decode: a detector needs it")
        if isinstance(self.template, tuple) and not all(_near(point, self.input.size) for point in self.template):
            raise ValueError(f"template: a point lies far outside of the crop of {list(self.input.size)} pixels")
        if isinstance(self.template, str) and self.input.size != TEMPLATES[self.template][0]:
            raise ValueError(f"template: {self.template} has the size {list(TEMPLATES[self.template][0])}")
        return self

    def base_card(self) -> dict[str, Any]:
        """The card, but for digest, tensors and whatever else is measured."""
        card: dict[str, Any] = {"schema": "edge/card/v1", "name": self.name, "kind": self.kind}
        card["input"] = {"channels": self.input.channels, **_plain(self.input.scaling())}
        if self.kind == "embedder" and self.template is not None:
            points = TEMPLATES[self.template][1] if isinstance(self.template, str) else self.template
            align = Align(size=self.input.size, channels=self.input.channels, template=points)
            card["align"] = align.model_dump(mode="json")
        if self.kind == "detector" and self.decode is not None:
            card["decode"] = self.decode.model_dump(mode="json")
        said = self.model_dump(mode="json", include={word for (word,) in _WORDS}, exclude_none=True)
        return card | said


def _near(point: Point, size: tuple[int, int]) -> bool:
    """Within the crop, or a tenth of its side beyond: nets for tight crops may have the mouth at the edge."""
    return all(-0.1 * side <= place <= 1.1 * side for place, side in zip(point, size, strict=True))


def load_spec(path: Path) -> ModelSpec:
    """Read and check a spec.

    Raises:
        SpecInvalid: with every problem, as ``file:line:column: key: text``.
    """
    document, problems = load(path)
    if document is None or problems:
        raise _invalid(problems)
    try:
        spec = ModelSpec.model_validate(document.data)
    except ValidationError as error:
        found = [problem for item in error.errors() for problem in translate(item, document, ModelSpec)]
        raise _invalid(found) from None
    if cut := document.cut_short(*(path for path in document.values if path[:1] in _WORDS)):
        raise _invalid(cut)
    return spec


def _invalid(problems: list[Problem]) -> SpecInvalid:
    lines = tuple(str(problem) for problem in sorted(set(problems)))
    return SpecInvalid(lines, remedy="compare it with config/examples/model-spec.yaml")


def _plain(values: dict[str, Any]) -> dict[str, Any]:
    """Tuples as lists, which is what YAML has."""
    return {key: list(value) if isinstance(value, tuple) else value for key, value in values.items()}
