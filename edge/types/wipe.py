"""Overwriting what must not stay in memory: a card's secret, the keys made of it, embeddings.

    wipe(secret, key)          # bytes, str, bytearray or numpy arrays that nothing else refers to

`bytes` and `str` cannot be changed in Python, and freed memory keeps its content until something else is written there.
CPython keeps the content in the object itself, so it is overwritten there; only when the caller holds the only
reference, since anybody else would find zeros in the place of a value. Arrays and bytearrays are overwritten always.
"""

from __future__ import annotations

import ctypes
import sys
from typing import Any

import numpy as np
from numpy.typing import NDArray

_BYTES_AT, _TEXT_AT = bytes.__basicsize__ - 1, sys.getsizeof("") - 1


def _references(*values: bytes) -> int:
    for value in values:
        return sys.getrefcount(value)
    return 0


def _of_one_owner() -> int:
    fresh = bytes(bytearray(2))
    return _references(fresh)


#: References that `wipe` sees of a value that its caller alone holds; versions of Python differ.
_OWN = _of_one_owner()


def wipe(*values: bytes | str | bytearray | NDArray[Any]) -> None:
    """Overwrite values with zeros; bytes and text that something else refers to as well stay as they are."""
    for value in values:
        if isinstance(value, np.ndarray | bytearray):
            value[:] = np.zeros((), value.dtype) if isinstance(value, np.ndarray) else bytes(len(value))
        elif len(value) > 1 and sys.getrefcount(value) <= _OWN:  # CPython shares those of one character
            if isinstance(value, bytes):
                ctypes.memset(id(value) + _BYTES_AT, 0, len(value))
            elif value.isascii():
                ctypes.memset(id(value) + _TEXT_AT, 0, len(value))
