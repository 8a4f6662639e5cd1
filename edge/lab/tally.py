"""Two passes over all pairs: histograms first, then who errs at the thresholds that follow from them.

    counts = Counts.empty();           count(pairs, counts, ...)            # pass 1: histograms
    detail = Detail.empty(...);        examine(pairs, detail, ...)          # pass 2: errors by person, group, quality

Both hold sums only, of a size that does not depend on the number of pairs; both go on from a piece's number, so that
they can be kept on disk between pieces (`edge.lab.checkpoint`). Nothing in them leads back to an embedding.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from edge.lab.figures import BINS, bin_of, binned, histogram
from edge.lab.lists import Partition
from edge.lab.pairing import Pairs, Scored
from edge.types import F32

I64 = NDArray[np.int64]
F64 = NDArray[np.float64]
#: Pairs of each kind on the contact sheet: 50 in all may leave the lab (design: One-to-one by construction).
WORST = 25
#: Quality is told apart in hundredths of the pictures.
SHARES = 100
#: Called after every piece with its number.
After = Callable[[int], None]


@dataclass(slots=True)
class Counts:
    """Pass 1: histograms of both kinds of scores, int64 (BINS,), and how many pieces are in them."""

    genuine: I64
    impostor: I64
    pieces: int = 0

    @classmethod
    def empty(cls) -> Counts:
        """Nothing counted."""
        return cls(np.zeros(BINS, np.int64), np.zeros(BINS, np.int64))


def count(pairs: Pairs, counts: Counts, after: After) -> None:
    """Count the scores of all pieces that are not in ``counts`` yet."""
    for piece in pairs.pieces(counts.pieces):
        counts.genuine += histogram(piece.genuine.score)
        counts.impostor += histogram(piece.impostors())
        counts.pieces += 1
        after(counts.pieces)


@dataclass(slots=True)
class Detail:
    """Pass 2: errors at K ascending thresholds.

    Attributes:
        thresholds: float64 (K,).
        matches: int64 (K, people), false matches in which a person takes part, by the highest threshold reached.
        squares: float64 (K,), over pairs of people, the squared number of false matches between them.
        people_pairs: int64 (K,), pairs of people with a false match.
        genuine: int64 (K + 1, people), genuine pairs by the number of thresholds that they reach.
        cell_matches, cell_genuine: int64 (K, cells) and (K + 1, cells), the same by the cells of all partitions.
        discard: int64 (scores, K + 1, SHARES), genuine pairs by thresholds reached and by the share of pictures that
            have a lower quality than their worse picture.
        worst_genuine, worst_impostor: float64 (n, 3): both places and the score, the worst first.
        pieces: how many pieces are in it.
    """

    thresholds: F64
    matches: I64
    squares: F64
    people_pairs: I64
    genuine: I64
    cell_matches: I64
    cell_genuine: I64
    discard: I64
    worst_genuine: F64 = field(repr=False)
    worst_impostor: F64 = field(repr=False)
    pieces: int = 0

    @classmethod
    def empty(cls, thresholds: F64, people: int, cells: int, scores: int) -> Detail:
        """Nothing examined."""
        levels, none = len(thresholds), np.zeros((0, 3))
        return cls(
            thresholds,
            np.zeros((levels, people), np.int64),
            np.zeros(levels),
            np.zeros(levels, np.int64),
            np.zeros((levels + 1, people), np.int64),
            np.zeros((levels, cells), np.int64),
            np.zeros((levels + 1, cells), np.int64),
            np.zeros((scores, levels + 1, SHARES), np.int64),
            none,
            none,
        )

    def false_matches(self) -> I64:
        """int64 (K, people): false matches of each person at each threshold."""
        return self.matches[::-1].cumsum(0)[::-1]

    def misses(self) -> I64:
        """int64 (K, people): false non-matches of each person at each threshold."""
        return self.genuine.cumsum(0)[:-1]

    def cell_false_matches(self) -> I64:
        """int64 (K, cells)."""
        return self.cell_matches[::-1].cumsum(0)[::-1]

    def cell_misses(self) -> I64:
        """int64 (K, cells)."""
        return self.cell_genuine.cumsum(0)[:-1]


@dataclass(frozen=True, slots=True)
class Who:
    """What pass 2 needs to know about the pictures.

    Args:
        people: int64 (pictures,), whose they are.
        acquired: bool (pictures,).
        partitions: groups.
        shares: int64 (scores, pictures), share of pictures with a lower quality, in 1/`SHARES`; see `shares_of`.
    """

    people: I64
    acquired: NDArray[np.bool_]
    partitions: Sequence[Partition]
    shares: I64


def examine(pairs: Pairs, detail: Detail, who: Who, after: After) -> None:
    """Examine all pieces that are not in ``detail`` yet."""
    edges = np.array([bin_of(float(threshold)) for threshold in detail.thresholds], np.int64)
    # without a threshold no impostor pair is an error, but genuine pairs still have people
    floor = float(detail.thresholds[0]) - 1e-4 if len(edges) else 2.0
    for piece in pairs.pieces(detail.pieces):
        _impostors(detail, who, piece.above(floor), edges)
        _genuine(detail, who, piece.genuine, edges)
        detail.pieces += 1
        after(detail.pieces)


def _impostors(detail: Detail, who: Who, hits: Scored, edges: I64) -> None:
    level = np.searchsorted(edges, binned(hits.score), side="right")
    keep = level > 0
    first, second, level = hits.first[keep], hits.second[keep], level[keep]
    if not len(level):
        return
    a, b = who.people[first], who.people[second]
    for person in (a, b):
        _add(detail.matches, level - 1, person)
    key = np.minimum(a, b) * detail.matches.shape[1] + np.maximum(a, b)
    for k in range(len(edges)):
        passed = key[level > k]
        if not len(passed):
            break
        times = np.unique(passed, return_counts=True)[1].astype(np.float64)
        detail.people_pairs[k] += len(times)
        detail.squares[k] += float((times**2).sum())
    _within(detail.cell_matches, level - 1, first, second, who.partitions)
    detail.worst_impostor = _worst(detail.worst_impostor, first, second, -hits.score[keep])


def _genuine(detail: Detail, who: Who, pairs: Scored, edges: I64) -> None:
    if not len(pairs.score):
        return
    level = np.searchsorted(edges, binned(pairs.score), side="right")
    _add(detail.genuine, level, who.people[pairs.first])
    _within(detail.cell_genuine, level, pairs.first, pairs.second, who.partitions)
    for k, shares in enumerate(who.shares):
        _add(detail.discard[k], level, np.minimum(shares[pairs.first], shares[pairs.second]))
    # a picture without a face is told elsewhere; the sheet shows faces that were compared
    seen = who.acquired[pairs.first] & who.acquired[pairs.second]
    detail.worst_genuine = _worst(detail.worst_genuine, pairs.first[seen], pairs.second[seen], pairs.score[seen])


def _add(table: I64, row: I64, column: I64) -> None:
    """Add one at each (row, column); only the columns that occur are touched."""
    low, high = int(column.min()), int(column.max()) + 1
    width = high - low
    flat = np.bincount(row * width + (column - low), minlength=len(table) * width)
    table[:, low:high] += flat.reshape(len(table), width)


def _within(table: I64, row: I64, first: I64, second: I64, partitions: Sequence[Partition]) -> None:
    """Count pairs by the cells of all partitions."""
    start = 0
    for part in partitions:
        cell = part.cell(first, second)
        known = cell >= 0
        if known.any():
            _add(table[:, start : start + len(part.cells)], row[known], cell[known])
        start += len(part.cells)


def _worst(kept: F64, first: I64, second: I64, badness: F32) -> F64:
    """The pairs of lowest ``badness`` of those kept and the new ones, as rows of places and badness."""
    if len(badness) > WORST:
        at = np.argpartition(badness, WORST)[:WORST]
        first, second, badness = first[at], second[at], badness[at]
    rows = np.concatenate([kept, np.stack([first, second, badness.astype(np.float64)], 1)])
    return rows[np.lexsort((rows[:, 1], rows[:, 0], rows[:, 2]))][:WORST]


def shares_of(quality: Sequence[F64]) -> I64:
    """int64 (scores, pictures): share of pictures with a lower quality, 0..SHARES-1; unknown quality is the lowest."""
    rows = []
    for scores in quality:
        order = np.argsort(np.where(np.isnan(scores), -np.inf, scores), kind="stable")
        rank = np.empty(len(scores), np.int64)
        rank[order] = np.arange(len(scores))
        rows.append(rank * SHARES // len(scores))
    return np.array(rows, np.int64) if rows else np.zeros((0, 0), np.int64)
