"""What a bare word of a YAML file means: the core schema of YAML 1.2.2 (section 10.3.2), not PyYAML's 1.1.

PyYAML reads ``no`` and ``on`` as booleans, ``12:30`` as 750, ``010`` as 8 and ``1e-4`` as text. Installers mean none of
these. Here ``no`` is the word "no", ``12:30`` is text, ``010`` is 10 and ``1e-4`` is 0.0001; dates stay text.
"""

from __future__ import annotations

import math
import re

Scalar = str | int | float | bool | None

_NULL = frozenset({"", "~", "null", "Null", "NULL"})
_TRUE = frozenset({"true", "True", "TRUE"})
_FALSE = frozenset({"false", "False", "FALSE"})
_INTEGER = re.compile(r"[-+]?[0-9]+")
_OCTAL = re.compile(r"0o[0-7]+")
_HEXADECIMAL = re.compile(r"0x[0-9a-fA-F]+")
_FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?")
_NOT_FINITE = re.compile(r"[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN)")
_LONGEST_NUMBER = 40  # characters; Python itself refuses to read integers of more than 4300 digits
_FORBIDDEN = re.compile(r"[\x00-\x08\x0b-\x1f\x7f\ud800-\udfff]")


def resolve(text: str) -> Scalar:
    """The value of an unquoted scalar.

    Raises:
        ValueError: a number that is not finite or absurdly long; the message is fit for a person.
    """
    if text in _NULL:
        return None
    if text in _TRUE or text in _FALSE:
        return text in _TRUE
    if _NOT_FINITE.fullmatch(text):
        raise ValueError("infinity and 'not a number' are not allowed")
    number = _INTEGER.fullmatch(text) or _OCTAL.fullmatch(text) or _HEXADECIMAL.fullmatch(text)
    if number is None and not _FLOAT.fullmatch(text):
        return text
    if len(text) > _LONGEST_NUMBER:
        raise ValueError(f"a number of more than {_LONGEST_NUMBER} characters; put it in quotes if it is text")
    if number is not None:
        base = {"0o": 8, "0x": 16}.get(text[:2], 10)
        return int(text, base)
    value = float(text)
    if not math.isfinite(value):
        raise ValueError("the number is too large")
    return value


def check_text(text: str) -> None:
    """Refuse characters that no setting needs and that files, terminals and JSON choke on.

    Raises:
        ValueError: a control character or half of a surrogate pair (only an escape such as ``"\\0"`` can bring one in).
    """
    found = _FORBIDDEN.search(text)
    if found:
        raise ValueError(f"the text holds the control character U+{ord(found.group()):04X}")
