"""Passive presentation attack detection: one network, one judgement a look, from a face and from what surrounds it.

    passive = Passive(find("passive"))
    value = passive.judge(frame.image, face)        # 0 (live) .. 1 (attack)
    passive.limits                                  # doubt, attack, judgements: of the card

A print or a display gives itself away by its edges, by the hands that hold it and by its light, and less by the face.
So the network sees the face and what surrounds it: so many times its box as the card says, at a door's distance (a face
of 0.37 of the frame's height and more) all of the frame's height. Its pixels are picked and not averaged, since noise,
halftone and pixel grids tell as much as edges.

It only takes away. What it was shown to stop, and what passes it, stands in its card and in deploy/THREATS.md.
"""

from __future__ import annotations

import math

import cv2
import numpy as np

from edge.errors import ModelError
from edge.face.card import Card
from edge.face.runner import Runner
from edge.face.suspicion import PassiveLimits
from edge.types import U8, Face


class Passive:
    """The passive network of one card. A `edge.face.chain.Judges`.

    Args:
        card: a passive network's. threads: of the model runtime.

    Attributes:
        limits: what the card says of judgements.

    Raises:
        ModelError: card or model cannot be used.
    """

    def __init__(self, card: Card, threads: int = 1) -> None:
        if card.kind != "passive" or card.passive is None:
            raise ModelError(
                f"{card.name} is no passive network", where=card.where, remedy="name a passive network's card"
            )
        self.card, said = card, card.passive
        self._scale, self.limits = said.scale, PassiveLimits(said.doubt, said.attack, said.judgements)
        self.runner = Runner(card, threads)
        self._output = card.outputs[0]
        self._rgb = card.input.channels == "RGB"
        self._canvas: U8 = np.zeros(card.input.shape[1:], np.uint8)

    def judge(self, image: U8, face: Face) -> float:
        """How much a face looks like a presentation attack.

        Args:
            image: BGR uint8 (H, W, 3), the frame. face: found in it.

        Returns:
            0 (live) to 1 (attack), the softmax of the network's classes but live.
        """
        look(image, face.box, self._scale, self._canvas)
        return self.judged(self._canvas)

    def judged(self, canvas: U8) -> float:
        """The same for a picture as `look` makes it, BGR."""
        picture = canvas[..., ::-1] if self._rgb else canvas
        raw = self.runner.run(np.ascontiguousarray(picture))[self._output.name].ravel()
        logits = [self._output.scale * (int(value) - self._output.zero_point) for value in raw]
        return attack_share(logits)


def attack_share(logits: list[float]) -> float:
    """Share of the attacks in the softmax of (live, attacks ...), 0..1; 1 where a logit is no number."""
    if not all(math.isfinite(value) for value in logits):
        return 1.0
    top = max(logits)
    live, *attacks = (math.exp(value - top) for value in logits)
    return sum(attacks) / (live + sum(attacks))


def look(image: U8, box: tuple[float, float, float, float], scale: float, canvas: U8) -> None:
    """Fill the network's picture with a face and what surrounds it, in place.

    The part is ``scale`` times the face's box, made smaller where the frame is (its sides alike) and moved into the
    frame; then it is stretched to the picture's shape. Pixels are picked, not averaged: noise, halftone and pixel grids
    stay in what the network sees.

    Args:
        image: BGR uint8 (H, W, 3). box: x, y, width and height of the face in it, pixels.
        scale: of the card. canvas: uint8 (h, w, 3).
    """
    rows, columns = image.shape[:2]
    x, y, w, h = box
    scale = min(rows / max(h, 1.0), columns / max(w, 1.0), scale)
    wide, high = max(w, 1.0) * scale, max(h, 1.0) * scale
    left = min(max(0.0, x + w / 2 - wide / 2), columns - wide)
    top = min(max(0.0, y + h / 2 - high / 2), rows - high)
    x0, y0 = int(left), int(top)
    part = image[y0 : max(y0 + 1, round(top + high)), x0 : max(x0 + 1, round(left + wide))]
    cv2.resize(part, canvas.shape[1::-1], dst=canvas, interpolation=cv2.INTER_LINEAR_EXACT)
