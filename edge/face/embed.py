"""From an aligned crop to an embedding that needs no scale: int8, symmetric, its largest entry at +-127.

    crop = embedder.align(frame.image, face.landmarks)
    vector = embedder.embed(crop)              # int8 (D,)

The net's output has a zero point (or is float32, in models that were brought along). Taking it off and stretching the
vector to the full range leaves a vector whose direction is all there is to it; the cosine of two of them is the
comparison score. For our own models integer in, integer out, one rounding in IEEE double: the same everywhere.
"""

from __future__ import annotations

from functools import cached_property

import numpy as np

from edge.errors import ModelError
from edge.face.align import Aligner
from edge.face.card import Card
from edge.face.runner import Runner
from edge.types import F32, I8, U8, Crop


class Embedder:
    """The embedder of one card. Its network is loaded when it is first asked: a door has it in a session's own process
    (`edge.session.cells`), and aligns faces only.

    Args:
        card: an embedder's card.
        threads: threads of the model runtime; the embedding does not depend on it.

    Attributes:
        model: the card's identity, 64 hexadecimal digits (`Card.identity`). dimension: D.

    Raises:
        ModelError: the card cannot be used; with its first embedding, the model cannot.
    """

    def __init__(self, card: Card, threads: int = 1) -> None:
        if card.kind != "embedder" or card.align is None:
            raise ModelError(f"{card.name} is no embedder", where=card.where, remedy="name an embedder's card")
        if len(card.outputs) != 1:
            raise ModelError("an embedder has one output", where=card.where, remedy="make the card again")
        self.card = card
        self.model = card.identity
        self.dimension = int(np.prod(card.outputs[0].shape))
        self._threads, self._aligner = threads, Aligner(card.align, exact=card.arithmetic == 2)

    @cached_property
    def runner(self) -> Runner:
        """The network. Raises `ModelError`: it cannot be used."""
        return Runner(self.card, self._threads)

    def align(self, image: U8, landmarks: F32) -> Crop:
        """Lay a face into this embedder's template.

        Args:
            image: BGR uint8 (H, W, 3).
            landmarks: float (5, 2), pixels of ``image``.
        """
        return Crop(self._aligner(image, landmarks), self.card.name)

    def pixels(self, crop: Crop) -> U8:
        """What the network is given of a face that was aligned for it, uint8 (H, W, 3).

        Raises:
            ModelError: the crop was aligned for another card.
        """
        if crop.card != self.card.name:
            raise ModelError(
                f"the crop was aligned for {crop.card!r}, not for {self.card.name!r}",
                where=self.card.where,
                remedy="align the face with this embedder",
            )
        return crop.image

    def embed(self, crop: Crop) -> I8:
        """Embed one aligned face; never on a device build, where a session's own process does (`edge.session.cell`).

        Returns:
            int8 (D,), symmetric; all zero only when the net's output is.

        Raises:
            ModelError: as `pixels`, or the output is not finite. SpentError: a device build.
        """
        return self.runner.embed(self.pixels(crop))
