"""From a picture to the tensor that a model takes: ``(pixel - mean) / std``, quantised where the model is.

    feed = Feed(card.input)
    interpreter.set_tensor(index, feed(image))

A pixel has 256 values, so all arithmetic is done once, into a table; a frame costs one look-up a pixel. For the input
that our own models have, ``pixel - 128``, it is the flip of one bit.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from edge.types import U8

if TYPE_CHECKING:
    from edge.face.tensors import InputSpec


class Feed:
    """Fills one input tensor. The array it gives is overwritten by the next call.

    Args:
        spec: of the card.
    """

    def __init__(self, spec: InputSpec) -> None:
        self._table = input_table(spec)
        # (pixel - 128) / 128 at scale 1/128 is pixel - 128: flipping the top bit, 10 x faster than a table
        plain = np.arange(-128, 128, dtype=np.int8)
        self._flip = spec.dtype == "int8" and np.array_equal(self._table.view(np.int8), plain)
        self._filled = np.zeros(spec.shape, self._table.dtype)
        self._tensor: NDArray[Any] = self._filled.view(spec.dtype)
        self._first = spec.layout == "NCHW"

    def __call__(self, image: U8) -> NDArray[Any]:
        """The tensor of a picture.

        Args:
            image: uint8 (H, W, 3) of the input's size, in the card's channel order.
        """
        if self._flip:
            np.bitwise_xor(image, 0x80, out=self._filled[0])
        else:
            import cv2  # no model of our own needs it, and a session's process does without

            cv2.LUT(image, self._table, dst=self._filled[0])
        return np.ascontiguousarray(self._tensor.transpose(0, 3, 1, 2)) if self._first else self._tensor


def input_table(spec: InputSpec) -> NDArray[Any]:
    """What each pixel value becomes.

    Returns:
        (256,), or (1, 256, 3) when the channels differ: float32, or the stored byte (of int8 its bits) as uint8. Halves
        are rounded down, so that the usual mean of 127.5 becomes ``pixel - 128`` and no two values fall together.
    """
    mean, std = np.asarray(spec.mean, np.float64), np.asarray(spec.std, np.float64)
    pixels: NDArray[Any] = np.arange(256, dtype=np.float64)
    if mean.ndim or std.ndim:
        pixels = pixels.reshape(1, 256, 1)
    real: NDArray[Any] = (pixels - mean) / std
    if spec.dtype == "float32":
        return real.astype(np.float32)
    low, high = (-128, 127) if spec.dtype == "int8" else (0, 255)
    stored: NDArray[Any] = np.clip(np.ceil(real / spec.scale - 0.5 - 1e-6) + spec.zero_point, low, high)
    table: NDArray[Any] = stored.astype(spec.dtype).view(np.uint8)
    return table
