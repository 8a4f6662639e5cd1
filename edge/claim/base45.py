"""Base45 (RFC 9285): bytes as the alphanumeric characters that a QR code packs two to eleven bits.

    >>> encode(b"Hello!!")
    '%69 VD92EX0'
    >>> decode("%69 VD92EX0")
    b'Hello!!'

Two bytes become three characters, a single last byte becomes two. Decoding is strict: a character outside the alphabet,
a lone last character and a group whose value does not fit its bytes are refused: every byte string has one spelling.
"""

from __future__ import annotations

from edge.types.wipe import wipe

ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ $%*+-./:"
_VALUE = {character: value for value, character in enumerate(ALPHABET)}


def encode(data: bytes) -> str:
    """The Base45 text of ``data``. It never ends in a space: a last character stands for at most 32."""
    parts = []
    for k in range(0, len(data) - 1, 2):
        rest, c = divmod(data[k] * 256 + data[k + 1], 45)
        e, d = divmod(rest, 45)
        parts.append(ALPHABET[c] + ALPHABET[d] + ALPHABET[e])
    if len(data) % 2:
        d, c = divmod(data[-1], 45)
        parts.append(ALPHABET[c] + ALPHABET[d])
    return "".join(parts)


def decode(text: str) -> bytes:
    """The bytes of a Base45 text.

    Raises:
        ValueError: a character outside the alphabet, an impossible length, or a group that overflows.
    """
    if len(text) % 3 == 1:
        raise ValueError("a lone last character")
    try:
        values = [_VALUE[character] for character in text]
    except KeyError:
        raise ValueError("a character outside the alphabet") from None
    out = bytearray(len(text) // 3 * 2 + len(text) % 3 // 2)  # grown, it would leave pieces of itself in memory
    for k in range(0, len(values), 3):
        group = values[k : k + 3]
        number = sum(value * 45**place for place, value in enumerate(group))
        width = len(group) - 1
        if number >= 256**width:
            raise ValueError("a group that overflows")
        out[k // 3 * 2 : k // 3 * 2 + width] = number.to_bytes(width, "big")
    data = bytes(out)
    wipe(out)
    return data
