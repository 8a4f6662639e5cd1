"""From an aligned crop to an embedding that needs no scale: int8, symmetric, its largest entry at +-127.

    crop = embedder.align(frame.image, face.landmarks)
    vector = embedder.embed(crop)              # int8 (D,)

The net's output has a zero point (or is float32, in models that were brought along). Taking it off and stretching the
vector to the full range leaves a vector whose direction is all there is to it; the cosine of two of them is the
comparison score. For our own models integer in, integer out, one rounding in IEEE double: the same everywhere.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from edge.errors import ModelError
from edge.face.align import Aligner
from edge.face.card import Card
from edge.face.runner import Runner
from edge.types import F32, I8, Crop
from edge.types.inside import _inside
from edge.types.wipe import wipe


class Embedder:
    """The embedder of one card.

    Args:
        card: an embedder's card.
        threads: threads of the model runtime; the embedding does not depend on it.

    Attributes:
        model: the card's identity, 64 hexadecimal digits (`Card.identity`). dimension: D.

    Raises:
        ModelError: card or model cannot be used.
    """

    def __init__(self, card: Card, threads: int = 1) -> None:
        if card.kind != "embedder" or card.align is None:
            raise ModelError(f"{card.name} is no embedder", where=card.where, remedy="name an embedder's card")
        if len(card.outputs) != 1:
            raise ModelError("an embedder has one output", where=card.where, remedy="make the card again")
        self.card = card
        self.runner = Runner(card, threads)
        self.model = card.identity
        # read where embeddings exist, so its own: see `Runner`
        self._made_for, self._where, self._file = card.name, card.where, card.path.name
        self.dimension = int(np.prod(card.outputs[0].shape))
        self._aligner = Aligner(card.align, exact=card.arithmetic == 2)
        self._name, self._zero = card.outputs[0].name, card.outputs[0].zero_point

    def forget(self) -> None:
        """Have the runtime's own memory hold a grey picture instead of the last face."""
        grey = np.full(self.card.input.shape[1:], 128, np.uint8)
        with _inside():
            self.runner.run(grey)

    def align(self, image: np.ndarray, landmarks: F32) -> Crop:
        """Lay a face into this embedder's template.

        Args:
            image: BGR uint8 (H, W, 3).
            landmarks: float (5, 2), pixels of ``image``.
        """
        return Crop(self._aligner(image, landmarks), self.card.name)

    def embed(self, crop: Crop) -> I8:
        """Embed one aligned face; on a device build for an open session, which looks through the device's own camera.

        Args:
            crop: made by `align` of the same card.

        Returns:
            int8 (D,), symmetric; all zero only when the net's output is.

        Raises:
            ModelError: the crop was aligned for another card, or the output is not finite.
            SpentError: a device build, outside of a session.
        """
        if crop.card != self._made_for:
            raise ModelError(
                f"the crop was aligned for {crop.card!r}, not for {self._made_for!r}",
                where=self._where,
                remedy="align the face with this embedder",
            )
        raw = self.runner.run(crop.image)[self._name].ravel()
        if not np.isfinite(raw).all():
            raise ModelError(
                "the model's output is not a number",
                where=self._file,
                remedy="this model must not decide: check it with `edge models verify`",
            )
        vector = symmetric(raw, self._zero)
        wipe(raw)
        return vector


def symmetric(raw: NDArray[Any], zero_point: int) -> I8:
    """Take the zero point off and scale so that the largest magnitude is 127: ``round(127 z / max|z|)``.

    Args:
        raw: int8, uint8 or float32 (D,), the net's output, finite.
        zero_point: of that output; 0 for float32.
    """
    # int16 holds every difference; float64, because 127 over a small float32 would overflow
    wide = np.float64 if raw.dtype == np.float32 else np.int16
    z: NDArray[Any] = np.subtract(raw, zero_point, dtype=wide)
    largest = max(z.max(), -z.min())
    if largest == 0:
        return np.zeros(raw.shape, np.int8)
    scaled: NDArray[Any] = z * (127.0 / float(largest))
    vector: I8 = np.rint(scaled, out=scaled).astype(np.int8)
    wipe(z, scaled)
    return vector
