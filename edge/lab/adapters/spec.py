"""What the YAML file about a peer says (schema ``edge/peer/v1``).

    schema: edge/peer/v1
    name: teacher 0095
    file: face-reid-0095.xml           # beside this file, or below --weights
    runtime: openvino                  # openvino, onnxruntime, tflite, or `card` for an embedder of our own
    input: {size: [128, 128], channels: BGR, layout: NCHW, mean: 0, std: 1}      # pixels become (p - mean) / std
    template: [[40.4, 59.1], [87.4, 58.9], [64.0, 82.0], [44.7, 105.6], [83.6, 105.4]]   # five points in the crop
    detector: {file: face_detection_yunet_2023mar.onnx, score: 0.6}
    licence: Apache-2.0
    source: https://...

``runtime: card`` measures one of our embedders on YuNet's landmarks; ``file`` is then the card's name, and input and
template are the card's own. Mistakes are told with file, line and column.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from edge.errors import InputError
from edge.settings.translate import translate
from edge.settings.yaml_core import load

SCHEMA = "edge/peer/v1"
_REMEDY = "see the example in edge/lab/adapters/spec.py"
_CARD = re.compile(rb"""^schema:\s*["']?edge/card/""", re.MULTILINE)
Side = Annotated[int, Field(ge=16, le=1024)]
Point = tuple[Annotated[float, Field(ge=-1024, le=2048)], Annotated[float, Field(ge=-1024, le=2048)]]
Text = Annotated[str, Field(min_length=1, max_length=300)]
#: One number for all channels, or one a channel.
PerChannel = float | tuple[float, float, float]


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


class PeerInput(_Part):
    """What the file takes: float ``(pixel - mean) / std``, quantised when the file's own input is int8 or uint8."""

    size: tuple[Side, Side]
    channels: Literal["RGB", "BGR"]
    layout: Literal["NCHW", "NHWC"]
    mean: PerChannel = 0.0
    std: PerChannel = 1.0

    @model_validator(mode="after")
    def _divides(self) -> PeerInput:
        values = self.std if isinstance(self.std, tuple) else (self.std,)
        if min(values) <= 0:
            raise ValueError("std must be above 0")
        return self


class YuNetSpec(_Part):
    """The detector of a peer: YuNet through ``cv2.FaceDetectorYN``, at the picture's own size."""

    file: Text
    score: Annotated[float, Field(gt=0, lt=1)] = 0.6
    nms: Annotated[float, Field(gt=0, lt=1)] = 0.3


class PeerSpec(_Part):
    """One peer."""

    schema_: Annotated[Literal["edge/peer/v1"], Field(alias="schema")]
    name: Annotated[str, Field(min_length=1, max_length=60)]
    file: Text
    runtime: Literal["openvino", "onnxruntime", "tflite", "card"]
    input: PeerInput | None = None
    template: tuple[Point, Point, Point, Point, Point] | None = None
    output: Annotated[int, Field(ge=0, le=100)] = 0
    detector: YuNetSpec
    licence: Text
    source: str = ""

    @model_validator(mode="after")
    def _complete(self) -> PeerSpec:
        given = self.input is not None and self.template is not None
        if self.runtime != "card" and not given:
            raise ValueError("input and template are needed, unless runtime is card")
        if self.runtime == "card" and (self.input is not None or self.template is not None):
            raise ValueError("with runtime card, input and template are the card's own")
        return self


def is_spec(name: str) -> bool:
    """Whether a ``--model`` names a peer's YAML and no card of ours, shipped or imported (``mine/card.yaml``)."""
    path = Path(name)
    if path.suffix not in (".yaml", ".yml") or path.name.endswith(".card.yaml"):
        return False
    try:
        return _CARD.search(path.read_bytes()) is None
    except OSError:  # told by whoever reads it next
        return True


def read_spec(path: Path) -> PeerSpec:
    """Read a peer's YAML.

    Raises:
        InputError: not readable, not YAML, or not such a description; the first mistake with its line.
    """
    document, problems = load(path)
    if problems or document is None:
        what = str(problems[0]) if problems else "the file is empty"
        raise InputError(what, where="" if problems else str(path), remedy=_REMEDY)
    try:
        return PeerSpec.model_validate(document.data)
    except ValidationError as error:
        first = next(translate(error.errors()[0], document, PeerSpec))
        where = f"{path}:{first.line}:{first.column}"
        raise InputError(f"{first.key or 'the description'}: {first.what}", where=where, remedy=_REMEDY) from None
