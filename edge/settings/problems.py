"""One thing that is wrong in a file, and where: what a person reads, and what an editor can jump to.

>>> str(Problem("device.yaml", 3, 5, "camera.fps", "200 is too large", "a number from 1 to 60"))
'device.yaml:3:5: camera.fps: 200 is too large, allowed: a number from 1 to 60'
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass

#: Where a value stands: ``("claim", "readers", 0)``.
KeyPath = tuple[str | int, ...]

#: No file needs more problems listed than this.
MAX_PROBLEMS = 100

_PLAIN_KEY = re.compile(r"[A-Za-z0-9_-]{1,64}")


@dataclass(frozen=True, slots=True, order=True)
class Place:
    """A position in a file as editors count it: both numbers begin at 1."""

    line: int
    column: int


@dataclass(frozen=True, slots=True, order=True)
class Problem:
    """One problem of a file.

    Args:
        file: the file as the caller named it.
        line: line, from 1; 0 when the whole file is meant (it cannot be read).
        column: column, from 1; 0 when the whole file is meant.
        key: the dotted key, such as ``claim.readers[0]``; empty when no key is meant.
        what: what is wrong, without a full stop.
        allowed: what would be right; empty when ``what`` says it.
    """

    file: str
    line: int
    column: int
    key: str
    what: str
    allowed: str = ""

    def __str__(self) -> str:
        place = f"{self.file}:{self.line}:{self.column}" if self.line else self.file
        key = f"{self.key}: " if self.key else ""
        return f"{place}: {key}{self.what}" + (f", allowed: {self.allowed}" if self.allowed else "")

    def as_json(self) -> dict[str, str | int]:
        """The problem as an entry of a ``--json`` answer."""
        return {
            "file": self.file,
            "line": self.line,
            "column": self.column,
            "key": self.key,
            "what": self.what,
            "allowed": self.allowed,
        }


def dotted(path: KeyPath) -> str:
    """``("claim", "readers", 0)`` -> ``claim.readers[0]``, always one short line whatever the key holds."""
    text = ""
    for part in path:
        if isinstance(part, int):
            text += f"[{part}]"
        else:
            text += ("." if text else "") + (part if _PLAIN_KEY.fullmatch(part) else shown(part))
    return text


def shown(value: object) -> str:
    """A value from the file as it can stand in a message: JSON, one line, at most 40 characters."""
    try:
        text = json.dumps(value, ensure_ascii=True)
    except (TypeError, ValueError):
        text = type(value).__name__
    return text if len(text) <= 40 else text[:37] + "..."
