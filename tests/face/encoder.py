"""Writes faces into detector maps, independently of the decoder: what a perfect detector would have said.

maps = Encoder(card).maps([(x, y, w, h, points, logit, stride), ...])    # name -> int8, as the runner returns them
"""

from __future__ import annotations

import math

import numpy as np

from edge.face import Card


class Encoder:
    """Builds int8 maps by looping over cells, one number at a time."""

    def __init__(self, card: Card) -> None:
        self.card = card

    def quantise(self, name: str, value: float) -> int:
        spec = self.card.output(name)
        return max(-128, min(127, round(value / spec.scale) + spec.zero_point))

    def maps(self, faces: list[tuple[float, float, float, float, list[tuple[float, float]], float, int]]) -> dict:
        """Each face is written into the cell of its stride that holds its box's centre; all other logits are lowest.

        Args:
            faces: centre x, centre y, width, height, five points, logit, stride; in pixels of the input.
        """
        maps = {spec.name: np.full(spec.shape, -128, np.int8) for spec in self.card.outputs}
        for x, y, width, height, points, logit, stride in faces:
            column, row = int(x // stride), int(y // stride)
            cx, cy = (column + 0.5) * stride, (row + 0.5) * stride
            box = [(x - cx) / stride, (y - cy) / stride, math.log(width / stride), math.log(height / stride)]
            marks = [value for px, py in points for value in ((px - cx) / stride, (py - cy) / stride)]
            maps[f"score_{stride}"][0, row, column, 0] = self.quantise(f"score_{stride}", logit)
            for channel, value in enumerate(box):
                maps[f"box_{stride}"][0, row, column, channel] = self.quantise(f"box_{stride}", value)
            for channel, value in enumerate(marks):
                maps[f"landmarks_{stride}"][0, row, column, channel] = self.quantise(f"landmarks_{stride}", value)
        return maps


def face_points(x: float, y: float, width: float, height: float) -> list[tuple[float, float]]:
    """Five landmarks at usual places of a box."""
    places = ((-0.2, -0.12), (0.2, -0.12), (0.0, 0.08), (-0.16, 0.26), (0.16, 0.26))
    return [(x + a * width, y + b * height) for a, b in places]
