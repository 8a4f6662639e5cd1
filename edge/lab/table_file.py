"""CSV files beside a set: who belongs to which group, and how good each picture is.

    parts = read_groups(Path("groups.csv"), names, people)     # person,sex,race
    scores = read_quality(Path("quality.csv"), names)          # picture,ours,lightqnet

The first column is ``person`` (the folder's name) or ``picture`` (``Name/Name_0001.jpg``); every other column is an
attribute, or a score. Groups are formed within each attribute and, when there are several, within their combination.
An empty cell or a missing row means unknown: such pictures are in no group. A row about a picture or person that the
set does not hold is refused, since it is most often a misspelt name. The lab never guesses an attribute from a face:
groups come from this file or not at all.
"""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from edge.errors import InputError

I64 = NDArray[np.int64]
F64 = NDArray[np.float64]
MAX_BYTES = 64 * 1024 * 1024
#: More groups than this are no partition of people but a column of something else.
MAX_GROUPS = 200
_REMEDY = "use CSV in UTF-8: `person` or `picture` first, then one column an attribute, one row each"


@dataclass(frozen=True, slots=True)
class Partition:
    """One way of dividing the pictures.

    Attributes:
        name: the attribute's, or ``sex x race``.
        labels: names of its groups, sorted.
        of: int64 (pictures,), place in ``labels``, -1 where unknown.
    """

    name: str
    labels: tuple[str, ...]
    of: I64


@dataclass(frozen=True, slots=True)
class _Table:
    """Head, and cells by picture; "" where unknown."""

    head: tuple[str, ...]
    cells: tuple[tuple[str, ...], ...]


def read_groups(path: Path, names: Sequence[str], owners: Sequence[str]) -> tuple[Partition, ...]:
    """Read the groups of a set.

    Args:
        path: the CSV file.
        names: pictures of the set.
        owners: the person of each.

    Raises:
        InputError: not readable, not such a table, or somebody who is not in the set; with the line.
    """
    table = parse_table(_text(path), names, owners, where=str(path))
    parts = [_partition(head, [row[k] for row in table.cells], str(path)) for k, head in enumerate(table.head)]
    if len(table.head) > 1:
        joined = [", ".join(row) if all(row) else "" for row in table.cells]
        parts.append(_partition(" x ".join(table.head), joined, str(path)))
    return tuple(parts)


def read_quality(path: Path, names: Sequence[str]) -> dict[str, F64]:
    """Read quality scores, larger is better: name of the score -> float64 (pictures,), nan where unknown.

    Raises:
        InputError: as `read_groups`, or a cell that is no number.
    """
    table = parse_table(_text(path), names, (), where=str(path))
    scores = {}
    for k, head in enumerate(table.head):
        column = np.full(len(names), np.nan)
        for place, row in enumerate(table.cells):
            if row[k]:
                column[place] = _number(row[k], f"{path}: {head} of {names[place]}")
        scores[head] = column
    return scores


def parse_table(text: str, names: Sequence[str], owners: Sequence[str], *, where: str = "table") -> _Table:
    """Parse a table about pictures or, when ``owners`` are given, people; see `read_groups`."""
    try:
        rows = list(csv.reader(io.StringIO(text.removeprefix("\ufeff")), strict=True))
    except csv.Error as error:
        raise InputError(f"this is not CSV ({error})", where=where, remedy=_REMEDY) from None
    head = [cell.strip() for cell in rows[0]] if rows else []
    kinds = ("picture", "person") if owners else ("picture",)
    if len(head) < 2 or head[0] not in kinds or not all(head) or len(set(head)) < len(head):
        raise InputError(
            f"the first line must be {' or '.join(kinds)} and at least one other name", where=where, remedy=_REMEDY
        )
    known = _places(names if head[0] == "picture" else owners)
    cells: list[tuple[str, ...]] = [("",) * (len(head) - 1)] * len(names)
    told: set[str] = set()
    for number, row in enumerate(rows[1:], 2):
        if not row or not any(cell.strip() for cell in row):
            continue
        key = row[0].strip()
        if len(row) != len(head):
            raise InputError(f"{len(row)} cells, not {len(head)}", where=f"{where}:{number}", remedy=_REMEDY)
        if key not in known:
            raise InputError(f"the set holds no {head[0]} {key[:80]!r}", where=f"{where}:{number}", remedy=_REMEDY)
        if key in told:
            raise InputError(f"{key!r} stands here twice", where=f"{where}:{number}", remedy=_REMEDY)
        told.add(key)
        for place in known[key]:
            cells[place] = tuple(cell.strip() for cell in row[1:])
    return _Table(tuple(head[1:]), tuple(cells))


def _places(keys: Sequence[str]) -> dict[str, list[int]]:
    found: dict[str, list[int]] = {}
    for place, key in enumerate(keys):
        found.setdefault(key, []).append(place)
    return found


def _partition(name: str, values: Sequence[str], where: str) -> Partition:
    labels = tuple(sorted({value for value in values if value}))
    if len(labels) > MAX_GROUPS:
        raise InputError(
            f"{name} has {len(labels)} groups, more than {MAX_GROUPS}", where=where, remedy="use fewer, larger groups"
        )
    place = {label: k for k, label in enumerate(labels)}
    return Partition(name, labels, np.array([place.get(value, -1) for value in values], np.int64))


def _number(cell: str, where: str) -> float:
    try:
        value = float(cell)
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        raise InputError(f"{cell[:40]!r} is no number", where=where, remedy="leave the cell empty where unknown")
    return value


def _text(path: Path) -> str:
    try:
        if path.stat().st_size > MAX_BYTES:
            raise InputError("the file is too large", where=str(path), remedy=_REMEDY)
        return path.read_bytes().decode("utf-8")
    except UnicodeDecodeError:
        raise InputError("this is not UTF-8 text", where=str(path), remedy=_REMEDY) from None
    except OSError as error:
        raise InputError(f"cannot be read: {error.strerror}", where=str(path), remedy="check the path") from None
