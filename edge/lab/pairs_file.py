"""LFW's pairs file: which pictures are compared for the k-fold accuracy.

    listed = read_pairs(Path("pairs.txt"), names)      # names: "Ann_A/Ann_A_0001.jpg", ...
    listed.first, listed.second, listed.same, listed.fold

The format (Huang et al. 2007, LFW's README): the first line holds the number of folds and the number of pairs of one
kind in a fold (or only the latter: one fold). Then, fold by fold, so many lines of one person, ``name n1 n2``, and so
many of two, ``name1 n1 name2 n2``. Picture n of a person is ``name/name_000n`` with any picture ending. Names hold no
spaces. Every pair must be in the set: none is ever dropped.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from edge.errors import InputError

#: A larger file is not a list of pairs that anybody made by hand or machine for this purpose.
MAX_BYTES = 64 * 1024 * 1024
_REMEDY = "use LFW's format: `folds<TAB>n`, then n lines `name n1 n2` and n lines `name1 n1 name2 n2` a fold"


@dataclass(frozen=True, slots=True)
class Listed:
    """Listed pairs.

    Attributes:
        first, second: int64 (pairs,), places in the list of pictures.
        same: bool (pairs,), whether both show one person.
        fold: int64 (pairs,), 0..folds-1.
    """

    first: NDArray[np.int64]
    second: NDArray[np.int64]
    same: NDArray[np.bool_]
    fold: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.first)


def read_pairs(path: Path, names: Sequence[str]) -> Listed:
    """Read a pairs file.

    Args:
        path: the file.
        names: the set's pictures, ``Name/Name_0001.jpg``.

    Raises:
        InputError: not readable, not in the format, or a picture that the set does not hold; with the line.
    """
    try:
        data = path.read_bytes() if path.stat().st_size <= MAX_BYTES else b""
        text = data.decode("utf-8")
    except UnicodeDecodeError:
        raise InputError("this is not a text file", where=str(path), remedy=_REMEDY) from None
    except OSError as error:
        raise InputError(f"cannot be read: {error.strerror}", where=str(path), remedy="check the path") from None
    return parse_pairs(text, names, where=str(path))


def parse_pairs(text: str, names: Sequence[str], *, where: str = "pairs") -> Listed:
    """Parse the text of a pairs file; see `read_pairs`."""
    lines = text.splitlines()
    while lines and not lines[-1].strip():
        lines.pop()
    folds, each = _head(lines, where)
    if len(lines) - 1 != folds * each * 2:
        what = f"{folds} folds of {each} + {each} pairs need {folds * each * 2} lines, not {len(lines) - 1}"
        raise InputError(what, where=where, remedy=_REMEDY)
    place = {name.rsplit(".", 1)[0]: number for number, name in enumerate(names)}
    rows = [
        (*_line(line, place, f"{where}:{number + 2}"), number // (2 * each), number % (2 * each) < each, number)
        for number, line in enumerate(lines[1:])
    ]
    for first, second, same, _, one_person, number in rows:
        if same != one_person:
            kind = "of one person" if one_person else "of two people"
            raise InputError(f"a pair {kind} belongs here", where=f"{where}:{number + 2}", remedy=_REMEDY)
        if first == second:
            raise InputError("a picture is paired with itself", where=f"{where}:{number + 2}", remedy=_REMEDY)
    table = np.array([row[:4] for row in rows], np.int64).reshape(-1, 4)
    return Listed(table[:, 0].copy(), table[:, 1].copy(), table[:, 2] == 1, table[:, 3].copy())


def _head(lines: list[str], where: str) -> tuple[int, int]:
    words = lines[0].split() if lines else []
    if len(words) not in (1, 2) or not all(_is_number(word) for word in words):
        raise InputError("the first line does not hold the number of folds and pairs", where=where, remedy=_REMEDY)
    folds, each = (1, int(words[0])) if len(words) == 1 else (int(words[0]), int(words[1]))
    if folds < 1 or each < 1:
        raise InputError("no fold or no pair", where=where, remedy=_REMEDY)
    return folds, each


def _line(line: str, place: dict[str, int], where: str) -> tuple[int, int, bool]:
    """(first, second, same person) of one line."""
    words = line.split()
    if len(words) == 3 and _is_number(words[1]) and _is_number(words[2]):
        pictures = [(words[0], words[1]), (words[0], words[2])]
    elif len(words) == 4 and _is_number(words[1]) and _is_number(words[3]):
        pictures = [(words[0], words[1]), (words[2], words[3])]
    else:
        raise InputError("neither `name n1 n2` nor `name1 n1 name2 n2`", where=where, remedy=_REMEDY)
    found = []
    for name, number in pictures:
        key = f"{name}/{name}_{int(number):04d}"
        if key not in place:
            raise InputError(
                f"the set holds no picture {key}", where=where, remedy="no pair is ever dropped: complete the set"
            )
        found.append(place[key])
    return found[0], found[1], pictures[0][0] == pictures[1][0]


def _is_number(word: str) -> bool:
    return len(word) <= 9 and word.isascii() and word.isdigit()
