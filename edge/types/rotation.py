"""A rotation of embeddings that its key alone undoes, so that what two cards hold of one person cannot be linked.

    rotation = Rotation(key, dimension)
    turned = rotation.turn(vector)      # the same lengths and angles between vectors, other numbers
    rotation.undo(turned)               # the vector, but for rounding

Three rounds of signs, a permutation and a Hadamard transform, all but the last drawn from the key by SHAKE-256. After
three rounds the numbers of a vector are spread like those of a random one, whereas signs and a permutation alone leave
their magnitudes as they were. The Hadamard transform is defined for powers of two: where the dimension is none, the
largest one below it is applied to the first numbers and then to the last. Additions in a fixed order in float64, so
the outcome is the same on every machine.
"""

from __future__ import annotations

import hashlib
import math

import numpy as np
from numpy.typing import NDArray

from edge.types.frames import I8
from edge.types.inside import need_inside
from edge.types.wipe import wipe

F64 = NDArray[np.float64]
ROUNDS = 3


class Rotation:
    """One rotation.

    Args:
        key: 32 bytes. dimension: D, at least 1.
    """

    __slots__ = ("_places", "_signs", "_size")

    def __init__(self, key: bytes, dimension: int) -> None:
        draws = ROUNDS * dimension
        labelled = b"edge/rotation/v1" + key
        stream = hashlib.shake_256(labelled).digest(9 * draws)
        orders = np.frombuffer(stream, ">u8", draws).reshape(ROUNDS, dimension)
        self._places = np.argsort(orders, axis=1, kind="stable")
        self._signs = (np.frombuffer(stream, np.uint8, draws, 8 * draws) & 1).reshape(ROUNDS, dimension) * 2.0 - 1.0
        self._size = 1 << (dimension.bit_length() - 1)
        del orders
        wipe(labelled, stream)

    def turn(self, vector: I8 | F64) -> F64:
        """Rotate a vector (D,)."""
        turned = vector.astype(np.float64)
        spare = np.empty_like(turned)
        for places, signs in zip(self._places, self._signs, strict=True):
            np.take(np.multiply(turned, signs, out=turned), places, out=spare)
            turned, spare = spare, turned
            _hadamard(turned[: self._size], spare)
            if self._size < turned.size:
                _hadamard(turned[-self._size :], spare)
        wipe(spare)
        return turned

    def undo(self, turned: I8 | F64) -> F64:
        """The vector (D,) that `turn` rotated into this one.

        Raises:
            SpentError: a device build, outside of a session.
        """
        need_inside("a rotation undone")
        vector = turned.astype(np.float64)
        spare = np.empty_like(vector)
        for places, signs in zip(self._places[::-1], self._signs[::-1], strict=True):
            if self._size < vector.size:
                _hadamard(vector[-self._size :], spare)
            _hadamard(vector[: self._size], spare)
            spare[places] = vector
            np.multiply(spare, signs, out=vector)
        wipe(spare)
        return vector

    def erase(self) -> None:
        """Overwrite it: from now on every vector turns into one that says nothing."""
        wipe(self._signs, self._places)


def quantised(vector: F64) -> I8:
    """Scaled so that the largest magnitude is 127, and rounded; all zero where the vector is."""
    largest = float(np.abs(vector).max())
    scaled: I8 = np.rint(vector * (127.0 / largest)).astype(np.int8) if largest else np.zeros(vector.shape, np.int8)
    return scaled


def _hadamard(vector: F64, spare: F64) -> None:
    """The orthonormal Hadamard transform, its own inverse, of 2^k numbers in their place; ``spare`` is as long."""
    size, step = vector.size, 1
    while step < size:
        pairs = vector.reshape(-1, 2, step)
        half = spare[: size // 2].reshape(-1, step)
        np.subtract(pairs[:, 0], pairs[:, 1], out=half)
        pairs[:, 0] += pairs[:, 1]
        pairs[:, 1] = half
        step *= 2
    vector /= math.sqrt(size)
