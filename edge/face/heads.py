"""From the detector's maps to candidate faces, in pixels of the detector's input.

At stride s the cell (row, col) has its centre at ((col + .5) s, (row + .5) s). It says: a logit; a box as
(dx, dy, log(w/s), log(h/s)) with centre cell + d s; five landmarks as offsets from the cell's centre in units of s.

All of that is linear in the maps' values but for one exponential, so it is folded into two tables made once, ``gain``
and ``offset`` of shape (cells, 15). A frame costs one comparison in the int8 domain (the raw logit against the
quantised threshold) and one multiplication for the handful of cells that pass; nothing else is ever dequantised. Maps
of uint8 or float32, in models that were brought along, go the same way, collected as float32.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edge.errors import ModelError
from edge.face.card import Card
from edge.face.tensors import OutputSpec
from edge.types import F32

#: Columns of a candidate: logit, centre x, centre y, width, height, ten landmark coordinates.
COLUMNS = 15
_PARTS = (("score", 0, 1), ("box", 1, 5), ("landmarks", 5, 15))


class Heads:
    """Decoder for one detector's card.

    Args:
        card: a detector's; its outputs are named ``score_S``, ``box_S``, ``landmarks_S`` for each stride S.
        exact: sizes of boxes with the same bits on every machine (`edge.face.align`); all else has them anyway.

    Raises:
        ModelError: an output is missing or has another shape than input and stride imply.
    """

    def __init__(self, card: Card, *, exact: bool = False) -> None:
        if card.decode is None:
            raise ModelError("the card has no decode part", where=card.where, remedy="use a detector's card")
        self.cells, self._exact = 0, exact
        self._names: list[tuple[str, int, int, slice]] = []
        gain, offset, limit = [], [], []
        logit = math.log(card.decode.score_threshold / (1 - card.decode.score_threshold))
        for stride in card.decode.strides:
            specs = _specs(card, stride)
            _, height, width, _ = specs[0].shape
            rows = slice(self.cells, self.cells + height * width)
            self.cells += height * width
            self._names += [(spec.name, a, b, rows) for spec, (_, a, b) in zip(specs, _PARTS, strict=True)]
            table = _tables(specs, stride, height, width)
            gain.append(table[0])
            offset.append(table[1])
            limit.append(np.full(height * width, _quantised(logit, specs[0]), np.float32))
        self._gain: F32 = np.concatenate(gain).astype(np.float32)
        self._offset: F32 = np.concatenate(offset).astype(np.float32)
        whole = all(spec.dtype == "int8" for spec in card.outputs)
        self._limit: NDArray[Any] = np.concatenate(limit).astype(np.int16 if whole else np.float32)
        self._raw: NDArray[Any] = np.zeros((self.cells, COLUMNS), np.int8 if whole else np.float32)

    def decode(self, outputs: Mapping[str, NDArray[Any]]) -> F32:
        """Candidates whose score reaches the card's threshold.

        Args:
            outputs: the runner's maps by name.

        Returns:
            float32 (n, 15): logit, centre x, centre y, width, height, landmarks; unordered, overlapping.
        """
        raw = self._raw
        for name, first, last, rows in self._names:
            raw[rows, first:last] = outputs[name].reshape(-1, last - first)
        passed = np.flatnonzero(raw[:, 0] >= self._limit)
        found: F32 = raw[passed] * self._gain[passed]
        found += self._offset[passed]
        if self._exact:
            found[:, 3:5] = [[_exp(wide), _exp(high)] for wide, high in found[:, 3:5].tolist()] or 0
        else:
            np.exp(found[:, 3:5], out=found[:, 3:5])
        return found


def _specs(card: Card, stride: int) -> list[OutputSpec]:
    """The three outputs of a stride, shapes checked."""
    height, width = (-(-side // stride) for side in card.input.shape[1:3])
    specs = []
    for part, first, last in _PARTS:
        spec = card.output(f"{part}_{stride}")
        if spec.shape != (1, height, width, last - first):
            raise ModelError(
                f"output {spec.name} has shape {spec.shape}, not {(1, height, width, last - first)}",
                where=card.where,
                remedy="make card and model again with models/training",
            )
        specs.append(spec)
    return specs


def _tables(specs: list[OutputSpec], stride: int, height: int, width: int) -> tuple[NDArray[np.float64], ...]:
    """gain and offset, (height * width, 15): candidate = raw * gain + offset (then exp of columns 3 and 4)."""
    gain, offset = np.zeros((2, height * width, COLUMNS))
    centre = (np.stack(np.meshgrid(np.arange(width), np.arange(height)), -1).reshape(-1, 2) + 0.5) * stride
    for spec, (_, first, last) in zip(specs, _PARTS, strict=True):
        gain[:, first:last] = spec.scale
        offset[:, first:last] = -spec.zero_point * spec.scale
    places = [1, 2, *range(5, 15)]
    gain[:, places] *= stride
    offset[:, places] = offset[:, places] * stride + np.tile(centre, len(places) // 2)
    offset[:, 3:5] += math.log(stride)
    return gain, offset


def _quantised(logit: float, spec: OutputSpec) -> float:
    """Smallest stored value whose logit reaches the threshold; one above the range when none does."""
    if spec.dtype == "float32":
        return logit
    low, high = (-128, 128) if spec.dtype == "int8" else (0, 256)
    return float(np.clip(math.ceil(logit / spec.scale + spec.zero_point - 1e-6), low, high))


def _exp(value: float) -> float:
    """In float64, to be rounded to float32: the last bit of one library's float32 exp is not another's."""
    return math.exp(min(value, 88.0))  # beyond it float32 ends
