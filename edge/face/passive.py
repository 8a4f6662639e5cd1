"""Passive presentation attack detection: one network, one judgement a look, from a face and from what surrounds it.

    passive = Passive(find("passive"))
    value = passive.judge(frame.image, face)        # 0 (live) .. 1 (attack)
    passive.limits                                  # doubt, attack, judgements: of the card

A print or a display gives itself away by its edges, by the hands that hold it and by its light, and less by the face.
So the network sees two views side by side in one picture. *Around*: so many face heights of the frame as its card says,
whatever the frame still holds of them, aspect kept, the rest grey. *Near*: the face with its hair and chin. At a door's
distance (a face of 0.3 to 0.6 of the frame's height) the first is nearly the whole frame and the second a third of it;
both do not become one picture before the face fills 0.7 of the frame's height.

It only takes away. What it was shown to stop, and what passes it, stands in its card and in deploy/THREATS.md.
"""

from __future__ import annotations

import math

import cv2
import numpy as np

from edge.errors import ModelError
from edge.face.card import Card, Views
from edge.face.runner import Runner
from edge.face.suspicion import PassiveLimits
from edge.types import U8, Face

#: Beyond the frame there is nothing to see: the middle of the input's range.
_NOTHING = 128


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
        self.card, self._views = card, card.passive.views
        said = card.passive
        self.limits = PassiveLimits(said.doubt, said.attack, said.judgements)
        self.runner = Runner(card, threads)
        self._output = card.outputs[0]
        self._rgb = card.input.channels == "RGB"
        self._canvas: U8 = np.full(card.input.shape[1:], _NOTHING, np.uint8)

    def judge(self, image: U8, face: Face) -> float:
        """How much a face looks like a presentation attack.

        Args:
            image: BGR uint8 (H, W, 3), the frame. face: found in it.

        Returns:
            0 (live) to 1 (attack), the softmax of the network's classes but live.
        """
        look(image, face.box, self._views, self._canvas)
        return self.judged(self._canvas)

    def judged(self, canvas: U8) -> float:
        """The same for both views as `look` lays them side by side, BGR."""
        picture = canvas[..., ::-1] if self._rgb else canvas
        raw = self.runner.run(np.ascontiguousarray(picture))[self._output.name].ravel()
        logits = [self._output.scale * (int(value) - self._output.zero_point) for value in raw]
        return attack_share(logits)


def attack_share(logits: list[float]) -> float:
    """Share of the attacks in the softmax of (live, print, display), 0..1; 1 where a logit is no number."""
    if not all(math.isfinite(value) for value in logits):
        return 1.0
    top = max(logits)
    live, *attacks = (math.exp(value - top) for value in logits)
    return sum(attacks) / (live + sum(attacks))


def look(image: U8, box: tuple[float, float, float, float], views: Views, canvas: U8) -> None:
    """Fill the network's picture with both views of a face, in place.

    Args:
        image: BGR uint8 (H, W, 3). box: x, y, width and height of the face in it, pixels.
        views: of the card. canvas: uint8 (h, w, 3); *around* fills ``views.split`` columns from the left.
    """
    x, y, wide, high = box
    centre, unit = (x + wide / 2, y + high / 2), max(high, 1.0)
    split = views.split
    _fit(image, centre, (views.around[0] * unit, views.around[1] * unit), canvas[:, :split])
    _fit(image, centre, (views.near * unit, views.near * unit), canvas[:, split:])


def _fit(image: U8, centre: tuple[float, float], size: tuple[float, float], target: U8) -> None:
    """Lay a part of the frame into a picture: moved into the frame, cut to it, aspect kept, the rest grey."""
    rows, columns = image.shape[:2]
    wide, high = min(size[0], columns), min(size[1], rows)
    left = min(max(0.0, centre[0] - wide / 2), columns - wide)
    top = min(max(0.0, centre[1] - high / 2), rows - high)
    x0, y0 = int(left), int(top)
    part = image[y0 : max(y0 + 1, round(top + high)), x0 : max(x0 + 1, round(left + wide))]
    scale = min(target.shape[1] / part.shape[1], target.shape[0] / part.shape[0])
    width = min(target.shape[1], max(1, round(part.shape[1] * scale)))
    height = min(target.shape[0], max(1, round(part.shape[0] * scale)))
    while part.shape[0] >= 2 * height and part.shape[1] >= 2 * width:  # pairs of pixels: no pixel is skipped
        even = part[: part.shape[0] // 2 * 2, : part.shape[1] // 2 * 2]
        part = np.asarray(cv2.resize(even, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA), np.uint8)
    across, down = (target.shape[1] - width) // 2, (target.shape[0] - height) // 2
    target[:] = _NOTHING
    place = target[down : down + height, across : across + width]
    place[:] = cv2.resize(part, (width, height), interpolation=cv2.INTER_LINEAR)
