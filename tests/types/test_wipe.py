"""What is wiped is zeros where it stood; what somebody else holds stays as it is."""

from __future__ import annotations

import ctypes
import os
import sys

import numpy as np
import pytest

from edge.types.wipe import wipe


@pytest.mark.parametrize("make", [lambda: os.urandom(32), lambda: os.urandom(700), lambda: os.urandom(40).hex()])
def test_bytes_and_text_are_overwritten_where_they_stand(make):
    value = make()
    header = sys.getsizeof(value) - len(value) - 1
    wipe(value)
    assert ctypes.string_at(id(value) + header, len(value)) == bytes(len(value))


@pytest.mark.parametrize("make", [lambda: os.urandom(32), lambda: os.urandom(40).hex()])
def test_what_somebody_else_holds_stays(make):
    value = make()
    copy, other = value[:1] + value[1:], [value]
    wipe(value)
    assert other[0] == copy


def test_an_attribute_is_wiped_when_its_object_alone_holds_it():
    class Holder:
        def __init__(self) -> None:
            self.secret = os.urandom(32)

    holder = Holder()
    wipe(holder.secret)
    assert holder.secret == bytes(32)


def test_arrays_and_bytearrays_are_overwritten():
    array, view, buffer = np.arange(1, 9, dtype=np.int8), np.ones((2, 3)), bytearray(b"secret")
    wipe(array, view[:, :2], buffer)
    assert not array.any()
    assert view.tolist() == [[0, 0, 1], [0, 0, 1]]
    assert buffer == bytes(6)


def test_what_python_shares_is_never_touched():
    wipe(b"", "", b"a", "a", "not_ascii: \u00e9")
    assert (bytes([97]), chr(97)) == (b"a", "a")
    literal = "a name that the code below holds as well"
    wipe(literal)
    assert literal.startswith("a name")
