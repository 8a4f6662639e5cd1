"""Which pairs are scored, in pieces that fit into memory: the one engine of `edge lab evaluate` and `calibrate`.

    for piece in AllPairs(vectors, people, acquired).pieces(start=0): ...     # every pair of pictures once
    for piece in ListedPairs(vectors, acquired, listed).pieces(): ...         # the pairs of a list
    tail = compare_all(trials, floor=0.4)                                     # every template with every probe

A piece of `AllPairs` is one block of the score matrix, a few megabytes however large the set. Evaluation compares a set
with itself, every unordered pair once; calibration everybody's template with everybody's probes. A pair with a picture
that was not acquired scores -1. `Tail` keeps what calibration needs of all comparisons: a histogram, and the highest
ones with who was compared, since the rates that a door runs at live there.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from edge.lab.figures import BINS, NOT_ACQUIRED, above, edge_of, histogram
from edge.lab.lists import Listed, Partition
from edge.lab.progress import Tell, quiet
from edge.types import F32

F64 = NDArray[np.float64]
I32 = NDArray[np.int32]
I64 = NDArray[np.int64]
Mask = NDArray[np.bool_]
#: Side of a block: 16 MB of scores, and products large enough that nearly all the time goes into BLAS.
BLOCK = 2048
#: Below every score: marks what is no impostor pair.
_NONE = np.float32(-2.0)


def unit(vectors: NDArray[np.generic]) -> F32:
    """Float32 rows (..., D) of length 1, so that products are the cosines that a door computes; zero stays zero."""
    real: F32 = vectors.astype(np.float32)
    length: F32 = np.linalg.norm(real, axis=-1, keepdims=True).astype(np.float32)
    length[length == 0] = 1
    rows: F32 = np.divide(real, length)
    return rows


@dataclass(frozen=True, slots=True)
class Scored:
    """Pairs with their scores: places of both pictures, int64 (n,) (int32 in long lists), and float32 (n,)."""

    first: NDArray[Any]
    second: NDArray[Any]
    score: F32


@dataclass(frozen=True, slots=True)
class Piece:
    """Some of the pairs.

    Attributes:
        scores: float32, one or two axes; what is no impostor pair was set to -2.
        first, second: int64, places of the pictures along the axes of ``scores`` (both along one, for a list).
        genuine: all genuine pairs.
        pure: nothing was set to -2.
    """

    scores: F32
    first: I64
    second: I64
    genuine: Scored
    pure: bool

    def impostors(self) -> F32:
        """Scores of all impostor pairs, any shape."""
        return self.scores if self.pure else self.scores[self.scores > -1.5]

    def above(self, floor: float) -> Scored:
        """The impostor pairs that reach ``floor``."""
        # flat first: numpy looks for the few true entries of one axis ten times as fast as for those of two
        flat = np.flatnonzero(self.scores >= np.float32(max(floor, -1.25)))
        at = np.unravel_index(flat, self.scores.shape)
        return Scored(self.first[at[0]], self.second[at[-1]], self.scores[at])


@dataclass(frozen=True, slots=True)
class Totals:
    """How many impostor pairs there are.

    Attributes:
        by_person: int64 (people,), those that a person takes part in; each pair counts for two.
        by_cell: for every partition int64 (cells,), see `Partition.cells`.
        people_pairs: pairs of people among them.
    """

    by_person: I64
    by_cell: tuple[I64, ...]
    people_pairs: int


class Pairs(Protocol):
    """A way of pairing the pictures of a set."""

    def totals(self, people: I64, partitions: Sequence[Partition]) -> Totals:
        """How many impostor pairs, in all and within groups."""

    def __len__(self) -> int:
        """How many pieces."""

    def pieces(self, start: int = 0) -> Iterator[Piece]:
        """The pieces from number ``start`` on. One is valid until the next is asked for: they share their memory."""


def scores_of(vectors: F32, acquired: Mask, first: I64, second: I64) -> F32:
    """Cosine of each listed pair, float32 (pairs,); -1 where either picture was not acquired."""
    scores: F32 = np.einsum("ij,ij->i", vectors[first], vectors[second]).astype(np.float32)
    scores[~(acquired[first] & acquired[second])] = NOT_ACQUIRED
    return scores


class ListedPairs:
    """The pairs of a list, ``block`` of them in a piece."""

    def __init__(self, vectors: F32, acquired: Mask, listed: Listed, block: int = 65_536) -> None:
        self._vectors, self._acquired, self._listed, self._block = vectors, acquired, listed, block

    def __len__(self) -> int:
        return -(-len(self._listed) // self._block)

    def totals(self, people: I64, partitions: Sequence[Partition]) -> Totals:
        """See `Pairs.totals`."""
        first, second = self._listed.first[~self._listed.same], self._listed.second[~self._listed.same]
        persons = int(people[-1]) + 1
        a, b = people[first], people[second]
        # cell -1 (in no group) is counted first, and dropped
        counted = [np.bincount(part.cell(first, second) + 1, minlength=len(part.cells) + 1)[1:] for part in partitions]
        distinct = len(np.unique(np.minimum(a, b) * persons + np.maximum(a, b)))
        return Totals(np.bincount(np.concatenate([a, b]), minlength=persons), tuple(counted), distinct)

    def pieces(self, start: int = 0) -> Iterator[Piece]:
        """See `Pairs.pieces`."""
        for number in range(start, len(self)):
            part = slice(number * self._block, (number + 1) * self._block)
            first, second, same = self._listed.first[part], self._listed.second[part], self._listed.same[part]
            scores = scores_of(self._vectors, self._acquired, first, second)
            genuine = Scored(first[same], second[same], scores[same])
            scores[same] = _NONE
            yield Piece(scores, first, second, genuine, pure=False)


class AllPairs:
    """Every pair of pictures once; or, with ``probes``, every row with every probe.

    Args:
        vectors: float32 (rows, D), unit rows. people: int64 (rows,), whose they are. acquired: bool (rows,).
        probes, probe_people: the columns, where they are others than the rows.
        left_out: int64 (k, 2), row and column of pairs that do not count.
        block: side of a block; None: `BLOCK`.
    """

    def __init__(
        self,
        vectors: F32,
        people: I64,
        acquired: Mask | None = None,
        *,
        probes: F32 | None = None,
        probe_people: I64 | None = None,
        left_out: I64 | None = None,
        block: int | None = None,
    ) -> None:
        self._rows, self._owners, self._lost = vectors, people, None if acquired is None else ~acquired
        self._columns = vectors if probes is None else probes
        self._others = people if probe_people is None else probe_people
        self._left_out, self._block, self._square = left_out, BLOCK if block is None else block, probes is None
        height, width = -(-len(people) // self._block), -(-len(self._others) // self._block)
        self._blocks = [(i, j) for i in range(height) for j in range(i if self._square else 0, width)]
        self._scores: F32 = np.empty((self._block, self._block) if len(vectors) else (0, 0), np.float32)

    def __len__(self) -> int:
        return len(self._blocks)

    def totals(self, people: I64, partitions: Sequence[Partition]) -> Totals:
        """See `Pairs.totals`."""
        own = np.bincount(people)
        counted = []
        for part in partitions:
            members = part.members(people).astype(np.float64)
            size = members.sum(0)
            # pictures of one group with those of another (or its own, each pair twice), less those of one person
            pairs = np.outer(size, size) - members.T @ members
            counted.append(np.array([pairs[g, h] / (2 if g == h else 1) for g, h in part.sides], np.int64))
        return Totals(own * (len(people) - own), tuple(counted), len(own) * (len(own) - 1) // 2)

    def pieces(self, start: int = 0) -> Iterator[Piece]:
        """See `Pairs.pieces`."""
        for i, j in self._blocks[start:]:
            yield self._piece(i * self._block, j * self._block)

    def _piece(self, top: int, left: int) -> Piece:
        rows, columns = slice(top, top + self._block), slice(left, left + self._block)
        a, b = self._rows[rows], self._columns[columns]
        scores = np.matmul(a, b.T, out=self._scores[: len(a), : len(b)])
        if self._lost is not None:
            scores[self._lost[rows]] = NOT_ACQUIRED
            scores[:, self._lost[columns]] = NOT_ACQUIRED
        first, second = np.arange(top, top + len(a)), np.arange(left, left + len(b))
        owners, others = self._owners[rows], self._others[columns]
        pure = bool(owners.max() < others.min() or owners.min() > others.max())
        genuine = self._genuine(scores, first, second) if not pure else _nothing()
        if self._left_out is not None and len(self._left_out):
            inside = self._left_out - (top, left)
            inside = inside[((inside >= 0) & (inside < scores.shape)).all(1)]
            scores[inside[:, 0], inside[:, 1]] = _NONE
            pure = pure and not len(inside)
        return Piece(scores, first, second, genuine, pure)

    def _genuine(self, scores: F32, first: I64, second: I64) -> Scored:
        """Take genuine pairs out of a block and, on the diagonal, the half that repeats the other."""
        same = self._owners[first][:, None] == self._others[second][None, :]
        diagonal = self._square and first[0] == second[0]
        rows, columns = np.nonzero(np.triu(same, 1) if diagonal else same)
        taken = Scored(first[rows], second[columns], scores[rows, columns])
        scores[same] = _NONE
        if diagonal:
            scores[np.tril_indices(len(first))] = _NONE
        return taken


def _nothing() -> Scored:
    nothing = np.zeros(0, np.int64)
    return Scored(nothing, nothing, np.zeros(0, np.float32))


@dataclass(frozen=True, slots=True)
class Trials:
    """Templates and probes of one set of people; held in memory only.

    Attributes:
        templates, probes: unit float32 rows (n, D) and (m, D).
        template_person, probe_person: int64 (n,) and (m,), whose they are: 0..people-1.
        template_names, probe_names: which picture each comes from, for lists of pairs.
        left_out: int64 (k, 2), template row and probe row of comparisons that do not count (one person, two names).
    """

    templates: F32
    probes: F32
    template_person: I64
    probe_person: I64
    template_names: tuple[str, ...] = ()
    probe_names: tuple[str, ...] = ()
    left_out: I64 | None = None

    @property
    def people(self) -> int:
        """How many numbers they use."""
        return 1 + int(max(self.template_person.max(initial=-1), self.probe_person.max(initial=-1)))

    def present(self) -> I64:
        """Numbers of the people who have a template or a probe, ascending."""
        return np.unique(np.concatenate([self.template_person, self.probe_person]))

    def of(self, people: I64) -> Trials:
        """The same with these people only; they keep their numbers."""
        rows, columns = (np.flatnonzero(np.isin(own, people)) for own in (self.template_person, self.probe_person))
        left = self.left_out
        if left is not None:
            left = left[np.isin(left[:, 0], rows) & np.isin(left[:, 1], columns)]
            left = np.stack([np.searchsorted(rows, left[:, 0]), np.searchsorted(columns, left[:, 1])], 1)
        return Trials(
            self.templates[rows],
            self.probes[columns],
            self.template_person[rows],
            self.probe_person[columns],
            tuple(self.template_names[i] for i in rows) if self.template_names else (),
            tuple(self.probe_names[i] for i in columns) if self.probe_names else (),
            left,
        )

    def sample(self, people: int, seed: int) -> Trials:
        """The same with at most so many people, drawn at random."""
        present = self.present()
        drawn = np.random.default_rng(seed).permutation(present)[:people]
        return self if len(present) <= people else self.of(drawn)


@dataclass(frozen=True, slots=True)
class Tail:
    """All comparisons of a template with another person's probe.

    Attributes:
        trials: what was compared. histogram: int64 (BINS,), counts over the score. total: their sum.
        pairs: the comparisons that reach ``floor``, as rows of the trials.
    """

    trials: Trials
    histogram: I64
    pairs: Scored
    floor: float
    total: int

    def rate(self, threshold: float) -> float:
        """Share of comparisons that reach a threshold not below ``floor``."""
        return float(np.count_nonzero(self.pairs.score >= threshold)) / max(1, self.total)

    def people_of_pairs(self) -> tuple[I32, I32]:
        """Whose template and whose probe each comparison of ``pairs`` is; int32, since there are millions."""
        own, other = (people.astype(np.int32) for people in (self.trials.template_person, self.trials.probe_person))
        return own[self.pairs.first], other[self.pairs.second]

    def by_person(self) -> tuple[F64, F64]:
        """(templates, probes) of each person."""
        trials = self.trials
        sides = (trials.template_person, trials.probe_person)
        templates, probes = (np.bincount(side, minlength=trials.people).astype(np.float64) for side in sides)
        return templates, probes

    def pairs_of_people(self) -> float:
        """Unordered pairs of people who could be compared; at least 1."""
        present = float(len(self.trials.present()))
        return max(1.0, present * (present - 1) / 2)


def compare_all(trials: Trials, floor: float, tell: Tell = quiet) -> Tail:
    """Compare every template with the probes of all other people, in blocks.

    ``floor`` is the lowest score to list; ``tell`` is called after every block.
    """
    pairs = AllPairs(
        trials.templates,
        trials.template_person,
        probes=trials.probes,
        probe_people=trials.probe_person,
        left_out=trials.left_out,
    )
    counts, listed = np.zeros(BINS, np.int64), [_nothing()]
    for number, piece in enumerate(pairs.pieces(), 1):
        counts += histogram(piece.impostors())
        listed.append(piece.above(floor))
        tell(number, len(pairs))
    first, second = (
        np.concatenate([getattr(part, name) for part in listed], dtype=np.int32) for name in ("first", "second")
    )
    score = np.concatenate([part.score for part in listed])
    return Tail(trials, counts, Scored(first, second, score), floor, int(counts.sum()))


def floor_for(counts: I64, rate: float) -> float:
    """A score that about this share of comparisons reaches."""
    few = above(counts) <= rate * max(1, counts.sum())
    # equal pictures under two names score 1: a list that is too long is better than one that is empty
    return min(0.999, edge_of(int(np.argmax(few)))) if few[-1] else 0.999
