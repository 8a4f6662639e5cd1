"""Writes a tiny ONNX file by hand: the mean of each of three channels. Protocol buffers need no library for that.

Fields as in onnx.proto3 (https://github.com/onnx/onnx/blob/main/onnx/onnx.proto); every message is a list of
(field number, value), a number as varint and anything else as bytes with its length.
"""

from __future__ import annotations

from collections.abc import Iterable

_FLOAT = 1


def _varint(value: int) -> bytes:
    out = b""
    while value > 127:
        out += bytes([value & 127 | 128])
        value >>= 7
    return out + bytes([value])


def _message(fields: Iterable[tuple[int, int | str | bytes]]) -> bytes:
    out = b""
    for number, value in fields:
        if isinstance(value, int):
            out += _varint(number << 3) + _varint(value)
            continue
        data = value.encode() if isinstance(value, str) else value
        out += _varint(number << 3 | 2) + _varint(len(data)) + data
    return out


def _tensor(name: str, shape: tuple[int, ...]) -> bytes:
    """ValueInfoProto of a float tensor."""
    sides = b"".join(_message([(1, _message([(1, side)]))]) for side in shape)
    kind = _message([(1, _message([(1, _FLOAT), (2, sides)]))])
    return _message([(1, name), (2, kind)])


def channel_means(side: int) -> bytes:
    """A model: float (1, 3, side, side) -> float (1, 3), the mean of each channel."""
    pool = _message([(1, "pixels"), (2, "pooled"), (3, "pool"), (4, "GlobalAveragePool")])
    flatten = _message([(1, "pooled"), (2, "means"), (3, "flatten"), (4, "Flatten")])
    graph = [
        (1, pool),
        (1, flatten),
        (2, "g"),
        (11, _tensor("pixels", (1, 3, side, side))),
        (12, _tensor("means", (1, 3))),
    ]
    opset = _message([(1, ""), (2, 13)])
    return _message([(1, 8), (7, _message(graph)), (8, opset)])
