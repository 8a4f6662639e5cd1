"""Which pairs are scored, in pieces that fit into memory.

    for piece in AllPairs(looks.vectors, looks.acquired, pictures.people).pieces(start=0): ...
    for piece in ListedPairs(looks.vectors, looks.acquired, listed).pieces(): ...

A piece of `AllPairs` is one block of the score matrix: up to 2,048 pictures against as many, a few megabytes, however
large the set. Pictures are sorted by person, so only blocks near the diagonal hold genuine pairs. Every unordered pair
of pictures is scored exactly once; a pair with a picture that was not acquired scores -1.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from edge.lab.figures import NOT_ACQUIRED
from edge.lab.pairs_file import Listed
from edge.lab.table_file import Partition
from edge.types import F32

I64 = NDArray[np.int64]
Mask = NDArray[np.bool_]
BLOCK = 2048
#: Below every score: marks what is no pair.
_NONE = np.float32(-2.0)


@dataclass(frozen=True, slots=True)
class Scored:
    """Pairs with their scores: places of both pictures, int64 (n,), and float32 (n,)."""

    first: I64
    second: I64
    score: F32


class Piece(Protocol):
    """Some of the pairs."""

    def impostors(self) -> F32:
        """Scores of all impostor pairs of the piece, any shape."""

    def above(self, floor: float) -> Scored:
        """The impostor pairs that reach ``floor``."""

    def genuine(self) -> Scored:
        """All genuine pairs."""


@dataclass(frozen=True, slots=True)
class Trials:
    """How many impostor pairs there are.

    Attributes:
        by_person: int64 (people,), those that a person takes part in; each pair counts for two.
        by_group: for every partition int64 (groups,), those within each group.
        people_pairs: pairs of people among them.
    """

    by_person: I64
    by_group: tuple[I64, ...]
    people_pairs: int


class Pairs(Protocol):
    """A way of pairing the pictures of a set."""

    def trials(self, people: I64, partitions: Sequence[Partition]) -> Trials:
        """How many impostor pairs, in all and within groups."""

    def __len__(self) -> int:
        """How many pieces."""

    def pieces(self, start: int = 0) -> Iterator[Piece]:
        """The pieces from number ``start`` on."""


def scores_of(vectors: F32, acquired: Mask, first: I64, second: I64) -> F32:
    """Cosine of each listed pair, float32 (pairs,); -1 where either picture was not acquired."""
    scores: F32 = np.einsum("ij,ij->i", vectors[first], vectors[second]).astype(np.float32)
    scores[~(acquired[first] & acquired[second])] = NOT_ACQUIRED
    return scores


class ListedPairs:
    """The pairs of a list.

    Args:
        vectors, acquired: of the pictures.
        listed: the list.
    """

    def __init__(self, vectors: F32, acquired: Mask, listed: Listed, block: int = 65_536) -> None:
        self._vectors, self._acquired, self._listed, self._block = vectors, acquired, listed, block

    def __len__(self) -> int:
        return -(-len(self._listed) // self._block)

    def trials(self, people: I64, partitions: Sequence[Partition]) -> Trials:
        """See `Pairs.trials`."""
        first, second = self._listed.first[~self._listed.same], self._listed.second[~self._listed.same]
        persons = int(people[-1]) + 1
        a, b = people[first], people[second]
        groups = []
        for part in partitions:
            within = part.of[first][(part.of[first] == part.of[second]) & (part.of[first] >= 0)]
            groups.append(np.bincount(within, minlength=len(part.labels)))
        distinct = len(np.unique(np.minimum(a, b) * persons + np.maximum(a, b)))
        return Trials(np.bincount(np.concatenate([a, b]), minlength=persons), tuple(groups), distinct)

    def pieces(self, start: int = 0) -> Iterator[Piece]:
        """See `Pairs.pieces`."""
        for number in range(start, len(self)):
            part = slice(number * self._block, (number + 1) * self._block)
            first, second = self._listed.first[part], self._listed.second[part]
            scores = scores_of(self._vectors, self._acquired, first, second)
            yield _ListPiece(Scored(first, second, scores), self._listed.same[part])


@dataclass(frozen=True, slots=True)
class _ListPiece:
    pairs: Scored
    same: Mask

    def impostors(self) -> F32:
        return self.pairs.score[~self.same]

    def above(self, floor: float) -> Scored:
        return self._only(~self.same & (self.pairs.score >= floor))

    def genuine(self) -> Scored:
        return self._only(self.same)

    def _only(self, which: Mask) -> Scored:
        return Scored(self.pairs.first[which], self.pairs.second[which], self.pairs.score[which])


class AllPairs:
    """Every pair of pictures once.

    Args:
        vectors: float32 (pictures, D), unit rows.
        acquired: bool (pictures,).
        people: int64 (pictures,), never falling.
        block: side of a block; None: `BLOCK`.
    """

    def __init__(self, vectors: F32, acquired: Mask, people: I64, block: int | None = None) -> None:
        block = BLOCK if block is None else block
        self._vectors, self._acquired, self._people, self._block = vectors, acquired, people, block
        side = -(-len(people) // block)
        self._blocks = [(i, j) for i in range(side) for j in range(i, side)]
        self._scores: F32 = np.empty((block, block) if len(vectors) else (0, 0), np.float32)

    def __len__(self) -> int:
        return len(self._blocks)

    def trials(self, people: I64, partitions: Sequence[Partition]) -> Trials:
        """See `Pairs.trials`."""
        own = np.bincount(people)
        groups = []
        for part in partitions:
            known = part.of >= 0
            size = np.bincount(part.of[known], minlength=len(part.labels))
            _, place, count = np.unique(
                part.of[known] * len(own) + people[known], return_index=True, return_counts=True
            )
            squares = np.bincount(part.of[known][place], count.astype(np.float64) ** 2, minlength=len(part.labels))
            groups.append(((size.astype(np.float64) ** 2 - squares) / 2).astype(np.int64))
        return Trials(own * (len(people) - own), tuple(groups), len(own) * (len(own) - 1) // 2)

    def pieces(self, start: int = 0) -> Iterator[Piece]:
        """See `Pairs.pieces`. A piece is valid until the next one is asked for: they share their memory."""
        for i, j in self._blocks[start:]:
            yield self._piece(i * self._block, j * self._block)

    def _piece(self, top: int, left: int) -> _BlockPiece:
        rows, columns = slice(top, top + self._block), slice(left, left + self._block)
        a, b = self._vectors[rows], self._vectors[columns]
        scores = np.matmul(a, b.T, out=self._scores[: len(a), : len(b)])
        lost_rows, lost_columns = ~self._acquired[rows], ~self._acquired[columns]
        if lost_rows.any():
            scores[lost_rows] = NOT_ACQUIRED
        if lost_columns.any():
            scores[:, lost_columns] = NOT_ACQUIRED
        owners, others = self._people[rows], self._people[columns]
        plain = owners[-1] < others[0]
        return _BlockPiece(top, left, scores, None if plain else _genuine(scores, owners, others, top == left))


@dataclass(frozen=True, slots=True)
class _BlockPiece:
    """A block whose entries that are no impostor pairs were taken out (set to -2), unless ``own`` is None."""

    top: int
    left: int
    scores: F32
    own: tuple[I64, I64, F32] | None

    def impostors(self) -> F32:
        return self.scores if self.own is None else self.scores[self.scores > -1.5]

    def above(self, floor: float) -> Scored:
        flat = self.scores.ravel()
        at = np.flatnonzero(flat >= np.float32(max(floor, -1.25)))
        first, second = np.divmod(at, self.scores.shape[1])
        return Scored(first + self.top, second + self.left, flat[at])

    def genuine(self) -> Scored:
        if self.own is None:
            nothing = np.zeros(0, np.int64)
            return Scored(nothing, nothing, np.zeros(0, np.float32))
        rows, columns, scores = self.own
        return Scored(rows + self.top, columns + self.left, scores)


def _genuine(scores: F32, owners: I64, others: I64, diagonal: bool) -> tuple[I64, I64, F32]:
    """Take genuine pairs out of a block and, on the diagonal, the half that repeats the other."""
    same = owners[:, None] == others[None, :]
    pairs = np.triu(same, 1) if diagonal else same
    rows, columns = np.nonzero(pairs)
    taken = scores[rows, columns]
    scores[same] = _NONE
    if diagonal:
        scores[np.tril_indices(len(owners))] = _NONE
    return rows.astype(np.int64), columns.astype(np.int64), taken
