"""Values that are Python's own, and nothing that answers for itself.

    @dataclass(frozen=True)
    class Nobody:
        seconds: float = 2.0

        def __post_init__(self) -> None:
            exact(self)

A subclass of float may answer numpy's division with an array of its choice: as the height of a person who does not
exist it had the painter draw any photograph. So the words of a script are made plain before anything is drawn of them.
"""

from __future__ import annotations

import math
from dataclasses import fields
from typing import Any


def exact(scene: Any) -> None:
    """Make every value of a frozen dataclass here exactly what its annotation says, and no subclass of it.

    Raises:
        ValueError: a number that is none, or is not finite. TypeError: something else than was to come.
    """
    for entry in fields(scene):
        made = _EXACT.get(str(entry.type))
        if made is not None:
            object.__setattr__(scene, entry.name, made(getattr(scene, entry.name)))


def _number(value: Any) -> float:
    number = float(value)
    if not math.isfinite(number):
        raise ValueError(f"a scene needs finite numbers, not {number}")
    return number


def _pair(value: Any) -> tuple[float, float]:
    first, second = value
    return _number(first), _number(second)


#: Annotation -> what makes exactly that. `str.__str__` copies a subclass of str and takes nothing else.
_EXACT: dict[str, Any] = {
    "float": _number,
    "int": int,
    "bool": bool,
    "str": str.__str__,
    "tuple[float, float]": _pair,
}
