"""What is known about a set, from files beside it: pairs to compare, groups of people, quality of pictures.

    listed = read_pairs(Path("pairs.txt"), names)              # LFW's format, or CSV: first,second
    parts = read_groups(Path("groups.csv"), names, owners)     # CSV: person,sex,race; or picture,pose
    scores = read_quality(Path("quality.csv"), names)          # CSV: picture,ours,lightqnet

Names are the set's own, ``Name/Name_0001.jpg`` and ``Name``. Text is UTF-8, a byte order mark is skipped, and names are
compared in one Unicode form (NFC), since file systems keep either.

**Pairs.** LFW's format (Huang et al. 2007): the first line holds the number of folds and the number of pairs of one
kind in a fold (or only the latter: one fold). Then, fold by fold, so many lines of one person, ``name n1 n2``, and so
many of two, ``name1 n1 name2 n2``. Picture n of a person is ``name/name_000n`` with any ending. Without that first line
all pairs make one fold, however many there are of either kind. As CSV: ``first,second`` and perhaps ``same`` (1 or 0,
checked against the names) and ``fold``; a picture's ending may be left out. Every pair must be in the set.

**Groups.** The first column is ``person`` or ``picture``; every other column is an attribute, or a score. Groups are
formed within each attribute and, when there are several, within their combination. Where pictures are divided, and not
people, the pairs between two groups are counted as well (frontal x profile). An empty cell or a missing row means
unknown: such pictures are in no group. A row about a picture or person that the set does not hold is refused, since it
is most often a misspelt name. The lab never guesses an attribute from a face: groups come from this file or not at all.
"""

from __future__ import annotations

import csv
import io
import math
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import combinations
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from edge.errors import InputError

I64 = NDArray[np.int64]
F64 = NDArray[np.float64]
#: Some million pairs; a larger file was named by mistake.
MAX_BYTES = 64 * 1024 * 1024
#: More groups than this are no partition of people but a column of something else (a name, a date).
MAX_GROUPS = 200
#: Pairs between groups are counted for at most so many groups: 28 crosses are as many as a person reads.
_MOST_CROSSED = 8
_LFW = (
    "use LFW's format: `folds<TAB>n`, then n lines `name n1 n2` and n lines `name1 n1 name2 n2` a fold; or, for any "
    "number of pairs, leave out the first line or use CSV: first,second"
)
_TABLE = "use CSV in UTF-8: `person` or `picture` first, then one column an attribute, one row each"


@dataclass(frozen=True, slots=True)
class Listed:
    """Listed pairs.

    Attributes:
        first, second: int64 (pairs,), places in the list of pictures.
        same: bool (pairs,), whether both show one person.
        fold: int64 (pairs,), 0..folds-1.
    """

    first: I64
    second: I64
    same: NDArray[np.bool_]
    fold: I64

    def __len__(self) -> int:
        return len(self.first)


@dataclass(frozen=True)
class Partition:
    """One way of dividing the pictures.

    Attributes:
        name: the attribute's, or ``sex x race``.
        labels: names of its groups, sorted.
        of: int64 (pictures,), place in ``labels``, -1 where unknown.
        crossed: whether pairs between two groups are counted, too.
    """

    name: str
    labels: tuple[str, ...]
    of: I64
    crossed: bool = False

    @cached_property
    def sides(self) -> list[tuple[int, int]]:
        """The groups of both pictures of a pair, by cell: those within one group first, then those between two."""
        groups = range(len(self.labels))
        return [(g, g) for g in groups] + (list(combinations(groups, 2)) if self.crossed else [])

    @cached_property
    def cells(self) -> tuple[str, ...]:
        """Names of what is counted: every group, then ``frontal x profile`` and so on."""
        return tuple(self.labels[g] if g == h else f"{self.labels[g]} x {self.labels[h]}" for g, h in self.sides)

    def cell(self, first: I64, second: I64) -> I64:
        """The cell that each pair of pictures belongs to, int64 (pairs,); -1: none."""
        # the last row and column stand for unknown, which is -1
        table = np.full((len(self.labels) + 1,) * 2, -1)
        for place, (g, h) in enumerate(self.sides):
            table[g, h] = table[h, g] = place
        return np.asarray(table[self.of[first], self.of[second]], np.int64)

    def members(self, people: I64) -> I64:
        """How many pictures of each group a person has, int64 (people, groups); ``people``: whose each picture is."""
        persons, size, known = int(people.max()) + 1, len(self.labels), self.of >= 0
        keys = people[known] * size + self.of[known]
        return np.bincount(keys, minlength=persons * size).reshape(persons, size)


def text_of(path: Path) -> str:
    """The text of a list, without a byte order mark, in NFC.

    Raises:
        InputError: not readable, too large, or not UTF-8.
    """
    try:
        if path.stat().st_size > MAX_BYTES:
            raise InputError("the file is too large", where=str(path), remedy="use the list, not the pictures")
        text = path.read_bytes().decode("utf-8-sig")
    except UnicodeDecodeError:
        raise InputError("this is not UTF-8 text", where=str(path), remedy="save it as UTF-8") from None
    except OSError as error:
        raise InputError(f"cannot be read: {error.strerror}", where=str(path), remedy="check the path") from None
    return unicodedata.normalize("NFC", text)


def read_pairs(path: Path, names: Sequence[str]) -> Listed:
    """Read a list of pairs of the pictures ``names`` (``Name/Name_0001.jpg``), in LFW's format or CSV.

    Raises:
        InputError: not readable, not in either format, or a picture that the set does not hold; with the line.
    """
    return parse_pairs(text_of(path), names, where=str(path))


def parse_pairs(text: str, names: Sequence[str], *, where: str = "pairs") -> Listed:
    """Parse the text of a list of pairs; see `read_pairs`."""
    lines = text.removeprefix("\ufeff").splitlines()
    while lines and not lines[-1].strip():
        lines.pop()
    head = [cell.strip() for cell in lines[0].split(",")] if lines else []
    read = _csv_pairs if head[:2] == ["first", "second"] else _lfw_pairs
    rows = read(lines, _Places(names), where)
    for first, second, _, _, line in rows:
        if first == second:
            raise InputError("a picture is paired with itself", where=f"{where}:{line}", remedy=_LFW)
    table = np.array([row[:4] for row in rows], np.int64).reshape(-1, 4)
    return Listed(table[:, 0].copy(), table[:, 1].copy(), table[:, 2] == 1, table[:, 3].copy())


#: Places of both pictures, whether they show one person, fold, line of the file.
_Row = tuple[int, int, bool, int, int]


class _Places:
    """Finds pictures by their names, with or without ending."""

    def __init__(self, names: Sequence[str]) -> None:
        self._names = names
        self._exact = {name: place for place, name in enumerate(names)}
        self._stems: dict[str, list[int]] = {}
        for place, name in enumerate(names):
            self._stems.setdefault(name.rsplit(".", 1)[0], []).append(place)

    def find(self, name: str, where: str) -> int:
        """The place of a picture."""
        short = _short(name, 2)
        if name in self._exact or short in self._exact:
            return self._exact.get(name, self._exact.get(short, 0))
        found = self._stems.get(name, self._stems.get(short, []))
        if len(found) > 1:
            both = " and ".join(self._names[place] for place in found)
            remedy = "keep one of them, or name it with its ending in a CSV"
            raise InputError(f"{name} may be {both}", where=where, remedy=remedy)
        if not found:
            remedy = f"no pair is ever dropped: complete the set (its names are like {self._names[0]})"
            raise InputError(f"the set holds no picture {name[:200]}", where=where, remedy=remedy)
        return found[0]


def _lfw_pairs(lines: list[str], places: _Places, where: str) -> list[_Row]:
    words = lines[0].split() if lines else []
    if len(words) > 2:  # a pair already
        return [(*_lfw_line(line, places, f"{where}:{k}"), 0, k) for k, line in enumerate(lines, 1)]
    if not words or not all(_is_number(word) for word in words):
        raise InputError("the first line does not hold the number of folds and pairs", where=where, remedy=_LFW)
    folds, each = (1, *map(int, words))[-2:]
    if folds < 1 or each < 1:
        raise InputError("no fold or no pair", where=where, remedy=_LFW)
    if len(lines) - 1 != folds * each * 2:
        what = f"{folds} folds of {each} + {each} pairs need {folds * each * 2} lines, not {len(lines) - 1}"
        raise InputError(what, where=where, remedy=_LFW)
    rows = []
    for number, line in enumerate(lines[1:]):
        at, one_person = f"{where}:{number + 2}", number % (2 * each) < each
        first, second, same = _lfw_line(line, places, at)
        if same != one_person:
            kind = "of one person" if one_person else "of two people"
            raise InputError(f"a pair {kind} belongs here", where=at, remedy=_LFW)
        rows.append((first, second, same, number // (2 * each), number + 2))
    return rows


def _lfw_line(line: str, places: _Places, where: str) -> tuple[int, int, bool]:
    """(first, second, same person) of one line."""
    # between tabs a name may hold spaces
    words = [word.strip() for word in line.split("\t")]
    words = words if len(words) in (3, 4) else line.split()
    if len(words) not in (3, 4):
        raise InputError("neither `name n1 n2` nor `name1 n1 name2 n2`", where=where, remedy=_LFW)
    names = (words[0], words[0]) if len(words) == 3 else tuple(words[0:4:2])
    numbers = words[1:] if len(words) == 3 else words[1::2]
    if not all(_is_number(number) for number in numbers):
        raise InputError("neither `name n1 n2` nor `name1 n1 name2 n2`", where=where, remedy=_LFW)
    keys = [f"{name}/{name}_{int(number):04d}" for name, number in zip(names, numbers, strict=True)]
    return places.find(keys[0], where), places.find(keys[1], where), names[0] == names[1]


def _csv_pairs(lines: list[str], places: _Places, where: str) -> list[_Row]:
    head, rows = _cells(lines, where)
    if set(head) - {"first", "second", "same", "fold"}:
        raise InputError("columns are first, second, same and fold", where=where, remedy=_LFW)
    folds: dict[str, int] = {}
    found = []
    for line, cells in rows:
        row, at = dict(zip(head, cells, strict=True)), f"{where}:{line}"
        first, second = places.find(row["first"], at), places.find(row["second"], at)
        same = row["first"].rpartition("/")[0] == row["second"].rpartition("/")[0]
        if row.get("same", "") not in ("", str(int(same))):
            what = f"same is {row['same'][:20]}, but the folders say {int(same)}"
            raise InputError(what, where=at, remedy="correct the row, or leave the column out")
        found.append((first, second, same, folds.setdefault(row.get("fold", ""), len(folds)), line))
    if not found:
        raise InputError("no pair", where=where, remedy=_LFW)
    return found


def _short(name: str, parts: int) -> str:
    """The last parts of a path: lists may name pictures with the folders that the people's folders lie in."""
    return "/".join(name.split("/")[-parts:])


def _is_number(word: str) -> bool:
    return len(word) <= 9 and word.isascii() and word.isdigit()


def _cells(lines: list[str], where: str) -> tuple[list[str], list[tuple[int, list[str]]]]:
    """(head, rows with their line) of a CSV, every cell stripped; empty lines are skipped."""
    try:
        rows = [[cell.strip() for cell in row] for row in csv.reader(lines, strict=True)]
    except csv.Error as error:
        raise InputError(f"this is not CSV ({error})", where=where, remedy=_TABLE) from None
    head, found = rows[0] if rows else [], [(k, row) for k, row in enumerate(rows[1:], 2) if any(row)]
    for line, row in found:
        if len(row) != len(head):
            raise InputError(f"{len(row)} cells, not {len(head)}", where=f"{where}:{line}", remedy=_TABLE)
    return head, found


@dataclass(frozen=True, slots=True)
class Table:
    """``kind``: picture or person. ``head``: names of the columns. ``cells``: by picture, "" where unknown."""

    kind: str
    head: tuple[str, ...]
    cells: tuple[tuple[str, ...], ...]


def parse_table(text: str, names: Sequence[str], owners: Sequence[str], *, where: str = "table") -> Table:
    """Parse a table about pictures or, when ``owners`` are given, people; see `read_groups`."""
    lines = list(io.StringIO(text.removeprefix("\ufeff")))
    head, rows = _cells(lines, where)
    kinds = ("picture", "person") if owners else ("picture",)
    if len(head) < 2 or head[0] not in kinds or not all(head) or len(set(head)) < len(head):
        what = f"the first line must be {' or '.join(kinds)} and at least one other name"
        raise InputError(what, where=where, remedy=_TABLE)
    known: dict[str, list[int]] = {}
    for place, key in enumerate(names if head[0] == "picture" else owners):
        known.setdefault(key, []).append(place)
    cells: list[tuple[str, ...]] = [("",) * (len(head) - 1)] * len(names)
    seen: set[str] = set()
    for line, (key, *values) in rows:
        at = f"{where}:{line}"
        if key not in known:
            key = _short(key, 2 if head[0] == "picture" else 1)
        if key not in known:
            remedy = f"correct it: names are like {next(iter(known), '')!r}"
            raise InputError(f"the set holds no {head[0]} {key[:80]!r}", where=at, remedy=remedy)
        if key in seen:
            raise InputError(f"{key!r} stands here twice", where=at, remedy="keep one row")
        seen.add(key)
        for place in known[key]:
            cells[place] = tuple(values)
    return Table(head[0], tuple(head[1:]), tuple(cells))


def read_groups(path: Path, names: Sequence[str], owners: Sequence[str]) -> tuple[Partition, ...]:
    """Read the groups of a set from CSV; ``names`` are its pictures, ``owners`` the person of each.

    Raises:
        InputError: not readable, not such a table, or a picture or person that the set does not hold; with the line.
    """
    table = parse_table(text_of(path), names, owners, where=str(path))
    columns: Mapping[str, list[str]] = {head: [row[k] for row in table.cells] for k, head in enumerate(table.head)}
    if len(columns) > 1:
        joined = [", ".join(row) if all(row) else "" for row in table.cells]
        columns = {**columns, " x ".join(table.head): joined}
    parts = []
    for name, values in columns.items():
        labels = tuple(sorted(set(values) - {""}))
        if len(labels) > MAX_GROUPS:
            what = f"{name} has {len(labels)} groups, more than {MAX_GROUPS}"
            raise InputError(what, where=str(path), remedy="use fewer, larger groups")
        place = {label: k for k, label in enumerate(labels)}
        of = np.array([place.get(value, -1) for value in values], np.int64)
        parts.append(Partition(name, labels, of, table.kind == "picture" and len(labels) <= _MOST_CROSSED))
    return tuple(parts)


def read_quality(path: Path, names: Sequence[str]) -> dict[str, F64]:
    """Read quality scores, larger is better: name of the score -> float64 (pictures,), nan where unknown.

    Raises:
        InputError: as `read_groups`, or a cell that is no number.
    """
    table = parse_table(text_of(path), names, (), where=str(path))
    scores = {}
    for k, head in enumerate(table.head):
        cells = [(row[k], f"{path}: {head} of {name}") for row, name in zip(table.cells, names, strict=True)]
        scores[head] = np.array([_number(cell, at) if cell else math.nan for cell, at in cells])
    return scores


def _number(cell: str, where: str) -> float:
    try:
        value = float(cell)
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        raise InputError(f"{cell[:40]!r} is no number", where=where, remedy="leave the cell empty where unknown")
    return value
