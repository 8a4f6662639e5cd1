"""A token inside what scanners and editors put around it.

    find_token("]Q1ev1:ab\\r\\ncd\\x03")     # "EV1:ABCD"; None when there is none

Scanners add a symbology identifier (``]Q1``: ISO/IEC 15424), STX and ETX, or type in lower case with Caps Lock on;
editors add a byte order mark, wrap lines at any column, or write UTF-16, whose every second byte is NUL. None of these
is in a token's alphabet, so nothing is lost by taking them away; whether the rest is a token its signature says.
"""

from __future__ import annotations

import re

from edge.claim import base45
from edge.types.wipe import wipe

PREFIX = "EV1:"
#: All that is not printed: control characters and line ends, byte order mark (also as UTF-8 read as Latin-1), and the
#: signs of U+200B to U+200F, U+2028 to U+202F, U+2060 to U+206F.
_UNSEEN = re.compile("\u00ef\u00bb\u00bf|[\x00-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202f\u2060-\u206f\ufeff\ufffe\ufffd]")
_LOWER = str.maketrans({chr(code): chr(code - 32) for code in range(ord("a"), ord("z") + 1)})
_TOKEN = re.compile(f"{re.escape(PREFIX)}[{re.escape(base45.ALPHABET)}]*")


def tidy(text: str) -> str:
    """The text in upper case, without what is not printed."""
    return _UNSEEN.sub("", text).translate(_LOWER)


def find_token(text: str) -> str | None:
    """The token in a text, as its issuer wrote it; None when the text holds nothing that begins like one.

    Args:
        text: as read, at most a few kilobytes. What follows the token ends it when it is not of its alphabet.
    """
    tidied = tidy(text)
    found = _TOKEN.search(tidied)
    token = found.group().rstrip(" ") if found else None  # a token never ends in a space (`base45.encode`)
    del found
    wipe(tidied)
    return token
