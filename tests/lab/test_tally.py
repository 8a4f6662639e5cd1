"""All pairs in blocks give the very sums that counting pair by pair gives, wherever the work was interrupted."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edge.lab.figures import bin_of, edge_of, histogram
from edge.lab.intervals import fmr_intervals, wilson
from edge.lab.lists import Listed, Partition
from edge.lab.pairing import AllPairs, ListedPairs
from edge.lab.tally import Counts, Detail, Who, count, examine, shares_of

THRESHOLDS = np.array([edge_of(bin_of(value)) for value in (0.1, 0.2, 0.35)])


class Set:
    """Random people with exact scores; some pictures are not acquired, some belong to no group."""

    def __init__(self, seed: int, sizes: list[int]) -> None:
        random = np.random.default_rng(seed)
        self.people = np.repeat(np.arange(len(sizes)), sizes)
        n = len(self.people)
        # eighths: every product is exact in float32, in whatever order it is summed
        centres = random.integers(-2, 3, (len(sizes), 8))
        vectors = (centres[self.people] + random.integers(-1, 2, (n, 8))) / 8
        self.acquired = random.random(n) > 0.1
        self.vectors = np.where(self.acquired[:, None], vectors, 0).astype(np.float32)
        self.partitions = (
            Partition("a", ("x", "y"), random.integers(-1, 2, n)),
            Partition("b", ("z",), random.integers(-1, 1, n)),
        )
        self.quality = random.random(n)
        self.who = Who(self.people, self.acquired, self.partitions, shares_of([self.quality]))

    def score(self, a: int, b: int) -> float:
        return float(self.vectors[a] @ self.vectors[b]) if self.acquired[a] and self.acquired[b] else -1.0

    def pairs(self) -> list[tuple[int, int]]:
        return list(combinations(range(len(self.people)), 2))

    def empty(self) -> Detail:
        return Detail.empty(THRESHOLDS, int(self.people[-1]) + 1, 3, 1)


def by_hand(members: Set, pairs: list[tuple[int, int]]) -> tuple[Counts, Detail]:
    """The same sums, pair by pair; ``matches`` and ``genuine`` as cumulated."""
    counts, detail = Counts.empty(), members.empty()
    between: dict[tuple[int, int, int], int] = {}
    genuine: list[float] = []
    impostor: list[float] = []
    for a, b in pairs:
        score, same = members.score(a, b), members.people[a] == members.people[b]
        (genuine if same else impostor).append(score)
        level = sum(score >= t for t in THRESHOLDS)
        groups = [
            start + part.of[a]
            for start, part in ((0, members.partitions[0]), (2, members.partitions[1]))
            if part.of[a] == part.of[b] >= 0
        ]
        if same:
            detail.genuine[level, members.people[a]] += 1
            detail.cell_genuine[level, groups] += 1
            detail.discard[0, level, min(members.who.shares[0, [a, b]])] += 1
            continue
        for k in range(level):
            detail.matches[k, [members.people[a], members.people[b]]] += 1
            detail.cell_matches[k, groups] += 1
            key = (k, *sorted((members.people[a], members.people[b])))
            between[key] = between.get(key, 0) + 1
    for (k, *_), times in between.items():
        detail.people_pairs[k] += 1
        detail.squares[k] += times**2
    counts.genuine, counts.impostor = (histogram(np.array(scores, np.float32)) for scores in (genuine, impostor))
    return counts, detail


def sums(members: Set, pairs: AllPairs | ListedPairs, stop: int | None = None) -> tuple[Counts, Detail]:
    """Both passes; with ``stop`` they are broken off after that piece and taken up again from what was kept."""

    class Stop(Exception):
        pass

    def after(done: int) -> None:
        if done == stop:
            raise Stop

    counts, detail = Counts.empty(), members.empty()
    if stop is not None:
        with pytest.raises(Stop):
            count(pairs, counts, after)
        with pytest.raises(Stop):
            examine(pairs, detail, members.who, after)
        assert counts.pieces == detail.pieces == stop
    count(pairs, counts, lambda _: None)
    examine(pairs, detail, members.who, lambda _: None)
    return counts, detail


def same_sums(members: Set, found: tuple[Counts, Detail], pairs: list[tuple[int, int]]) -> None:
    counts, detail = by_hand(members, pairs)
    np.testing.assert_array_equal(found[0].genuine, counts.genuine)
    np.testing.assert_array_equal(found[0].impostor, counts.impostor)
    np.testing.assert_array_equal(found[1].false_matches(), detail.matches)
    np.testing.assert_array_equal(found[1].genuine, detail.genuine)
    np.testing.assert_array_equal(found[1].cell_false_matches(), detail.cell_matches)
    np.testing.assert_array_equal(found[1].cell_genuine, detail.cell_genuine)
    np.testing.assert_array_equal(found[1].discard, detail.discard)


sizes = st.lists(st.integers(1, 5), min_size=2, max_size=8)


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 10_000), sizes, st.integers(1, 40))
def test_blocks_of_any_size_count_every_pair_once(seed: int, people: list[int], block: int):
    members = Set(seed, people)
    found = sums(members, AllPairs(members.vectors, members.people, members.acquired, block=block))
    same_sums(members, found, members.pairs())
    if block >= len(members.people):  # else a person's pictures may lie in two blocks, and count as two people
        expected = by_hand(members, members.pairs())[1]
        np.testing.assert_array_equal(found[1].squares, expected.squares)
        np.testing.assert_array_equal(found[1].people_pairs, expected.people_pairs)


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 10_000), sizes, st.integers(1, 3))
def test_work_that_was_interrupted_goes_on_where_it_was(seed: int, people: list[int], stop: int):
    members = Set(seed, people)
    pairs = AllPairs(members.vectors, members.people, members.acquired, block=2)
    same_sums(members, sums(members, pairs, min(stop, len(pairs))), members.pairs())


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 10_000), sizes, st.integers(1, 5))
def test_a_list_of_pairs_counts_those_and_no_others(seed: int, people: list[int], block: int):
    members = Set(seed, people)
    chosen = members.pairs()[::2]
    first, second = (np.array(column, np.int64) for column in zip(*chosen, strict=True))
    listed = Listed(first, second, members.people[first] == members.people[second], np.zeros(len(first), np.int64))
    pairs = ListedPairs(members.vectors, members.acquired, listed, block)
    same_sums(members, sums(members, pairs), chosen)


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 10_000), sizes)
def test_the_number_of_impostor_pairs_is_known_without_looking_at_them(seed: int, people: list[int]):
    members = Set(seed, people)
    trials = AllPairs(members.vectors, members.people, members.acquired).totals(members.people, members.partitions)
    impostors = [(a, b) for a, b in members.pairs() if members.people[a] != members.people[b]]
    ends = np.array(impostors).ravel()
    np.testing.assert_array_equal(trials.by_person, np.bincount(members.people[ends], minlength=len(people)))
    for part, counted in zip(members.partitions, trials.by_cell, strict=True):
        within = [part.of[a] for a, b in impostors if part.of[a] == part.of[b] >= 0]
        np.testing.assert_array_equal(counted, np.bincount(np.array(within, int), minlength=len(part.labels)))
    assert trials.people_pairs == len(people) * (len(people) - 1) // 2


def test_the_worst_pairs_are_the_worst_of_all_that_were_acquired():
    members = Set(3, [4] * 20)
    _, detail = sums(members, AllPairs(members.vectors, members.people, members.acquired, block=7))
    seen = [(a, b) for a, b in members.pairs() if members.acquired[a] and members.acquired[b]]
    genuine = sorted(members.score(a, b) for a, b in seen if members.people[a] == members.people[b])
    impostor = sorted((members.score(a, b) for a, b in seen if members.people[a] != members.people[b]), reverse=True)
    np.testing.assert_allclose(detail.worst_genuine[:, 2], genuine[:25], atol=1e-6)
    np.testing.assert_allclose(-detail.worst_impostor[:, 2], impostor[:25], atol=1e-6)


def test_unknown_quality_is_the_lowest():
    assert shares_of([np.array([0.5, np.nan, 0.1, 0.9])]).tolist() == [[50, 0, 25, 75]]


def test_wilson_s_interval():
    low, high = wilson(10, 100)
    assert (low, high) == (pytest.approx(0.0552, abs=1e-4), pytest.approx(0.1744, abs=1e-4))
    assert wilson(0, 50)[0] == 0
    assert wilson(50, 50)[1] == 1


def test_the_interval_of_the_fmr_is_that_of_resampling_people_pair_by_pair():
    """Sums by person stand in for a bootstrap over the whole score matrix; here both are made and compared."""
    random = np.random.default_rng(5)
    people, each = 150, 2
    owner = np.repeat(np.arange(people), each)
    # some people are matched by many: pairs are far from independent
    lean = random.normal(0, 0.6, (people, 1)) * np.eye(1, 6) + random.normal(0, 0.5, (people, 6))
    vectors = lean[owner] + random.normal(0, 0.2, (people * each, 6))
    vectors = (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32)
    acquired = np.ones(len(owner), bool)
    pairs = AllPairs(vectors, owner, acquired, block=64)
    detail = Detail.empty(np.array([edge_of(bin_of(0.9))]), people, 0, 0)
    examine(pairs, detail, Who(owner, acquired, (), shares_of([])), lambda _: None)
    (found,) = fmr_intervals(detail, pairs.totals(owner, ()), 4000, 1)
    matched = np.triu(vectors @ vectors.T >= detail.thresholds[0], 1) & (owner[:, None] != owner[None, :])
    between = np.add.reduceat(np.add.reduceat(matched, range(0, 300, 2), 0), range(0, 300, 2), 1).astype(float)
    weights = random.poisson(1.0, (4000, people)).astype(float)
    every = np.triu(np.full((people, people), float(each * each)), 1)
    rates = np.einsum("rp,pq,rq->r", weights, between, weights) / np.einsum("rp,pq,rq->r", weights, every, weights)
    np.testing.assert_allclose(found, np.quantile(rates, [0.025, 0.975]), rtol=0.12)
    rate = matched.sum() / every.sum()
    assert wilson(matched.sum(), every.sum())[1] - rate < 0.5 * (found[1] - rate), "pairs would claim too much"
