"""What goes into a model and what comes out of it, as a card says it and as the runtime reports it.

    spec.shape, spec.dtype, spec.scale            # (1, 112, 112, 3), "int8", 0.0078125
    real = spec.scale * (raw - spec.zero_point)   # also for float32, whose scale is 1 and zero point 0

Shapes of inputs are those of the picture, (1, H, W, 3); a model that wants its channels first says so in ``layout``.
`describe` reads the same facts from a loaded model, for those who write cards.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from edge.face.runtime import QUANTISED, quantisation

Size = Annotated[int, Field(ge=1, le=8192)]
Positive = Annotated[float, Field(gt=0, le=1e6)]
Mean = Annotated[float, Field(ge=-1024, le=1024)]
DType = Literal["int8", "uint8", "float32"]


class Part(BaseModel):
    """A checked part of a card; keys meant for people may stand beside those that are read."""

    model_config = ConfigDict(extra="ignore", frozen=True, allow_inf_nan=False)


class _Tensor(Part):
    """Type and quantisation: real value = scale * (stored value - zero_point)."""

    dtype: DType
    scale: Positive = 1.0
    zero_point: int = 0

    @model_validator(mode="after")
    def _quantised(self) -> _Tensor:
        if self.dtype == "float32":
            if (self.scale, self.zero_point) != (1.0, 0):
                raise ValueError("a float32 tensor has no scale and no zero_point")
            return self
        missing = [name for name in ("scale", "zero_point") if name not in self.model_fields_set]
        if missing:
            raise ValueError(f"{' and '.join(missing)}: Field required by a tensor of {self.dtype}")
        low, high = QUANTISED[self.dtype]
        if not low <= self.zero_point <= high:
            raise ValueError(f"zero_point: {self.zero_point} does not lie between {low} and {high}")
        return self


class InputSpec(_Tensor):
    """The picture that a model takes, standing for ``(pixel - mean) / std``; one number each, or one a channel."""

    shape: tuple[Literal[1], Size, Size, Literal[3]]
    layout: Literal["NHWC", "NCHW"] = "NHWC"
    channels: Literal["BGR", "RGB"]
    mean: Mean | tuple[Mean, Mean, Mean]
    std: Positive | tuple[Positive, Positive, Positive]

    @field_validator("mean", "std", mode="before")
    @classmethod
    def _one_number(cls, value: Any) -> Any:
        """[m, m, m] means m."""
        if isinstance(value, list) and value and all(type(item) in (int, float) and item == value[0] for item in value):
            return value[0]
        return value

    @property
    def tensor_shape(self) -> tuple[int, ...]:
        """The shape that the runtime sees."""
        one, height, width, three = self.shape
        return self.shape if self.layout == "NHWC" else (one, three, height, width)


class OutputSpec(_Tensor):
    """One output; ``index`` is its position among the model's outputs."""

    name: Annotated[str, Field(min_length=1, max_length=200)]
    index: Annotated[int, Field(ge=0, le=1000)]
    shape: Annotated[tuple[Size, ...], Field(min_length=1, max_length=6)]

    @property
    def tensor_shape(self) -> tuple[int, ...]:
        """The shape that the runtime sees."""
        return self.shape


def describe(interpreter: Any, kind: str) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Inputs and outputs of a loaded model, as cards write them.

    Args:
        interpreter: of the runtime, tensors allocated. kind: of the card; names the outputs.
    """
    fed = [_row(detail) for detail in interpreter.get_input_details()]
    for row in fed:
        shape = row["shape"]
        if len(shape) == 4 and shape[1] == 3 and shape[3] != 3:
            row |= {"shape": [shape[0], shape[2], shape[3], 3], "layout": "NCHW"}
    outputs = [_row(detail) for detail in interpreter.get_output_details()]
    height = fed[0]["shape"][1] if fed and len(fed[0]["shape"]) == 4 else 0
    return fed, name_outputs(kind, height, outputs)


def _row(detail: dict[str, Any]) -> dict[str, Any]:
    dtype, scale, zero_point = quantisation(detail)
    row: dict[str, Any] = {"shape": [int(n) for n in detail["shape"]], "dtype": dtype}
    return row if dtype not in QUANTISED else row | {"scale": scale, "zero_point": zero_point}


def name_outputs(kind: str, height: int, outputs: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Give the outputs their names and positions.

    Args:
        kind: an embedder's outputs are ``embedding``, a passive network's ``classes``; a detector's are named by shape:
            ``score_8``, ``box_8``, ``landmarks_8`` for stride 8 and so on, finest first. height: of the input, pixels.
        outputs: in the model's order.
    """
    parts = {1: "score", 4: "box", 10: "landmarks"}
    named = []
    for index, spec in enumerate(outputs):
        single = "classes" if kind == "passive" else "embedding"
        name = single if len(outputs) == 1 else f"output_{index}"
        shape = spec["shape"]
        if kind == "detector" and len(shape) == 4 and shape[-1] in parts:
            name = f"{parts[shape[-1]]}_{round(height / shape[1])}"
        named.append({"name": name, "index": index, **spec})
    order = {part: place for place, part in enumerate(parts.values())}
    if kind != "detector" or any(row["name"].split("_")[0] not in order for row in named):
        return named
    return sorted(named, key=lambda row: (-row["shape"][1], order[row["name"].split("_")[0]]))
