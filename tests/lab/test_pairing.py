"""Impostor comparisons in bulk: all of them, each once, nobody with themselves, and what is left out left out."""

from __future__ import annotations

import numpy as np
import pytest

from edge.face.match import average, cosine
from edge.lab import pairing
from edge.lab.figures import bin_of
from edge.lab.pairing import Trials, compare_all, floor_for, unit


def random_unit(rows: int, seed: int) -> np.ndarray:
    z = np.random.default_rng(seed).standard_normal((rows, 16)).astype(np.float32)
    return z / np.linalg.norm(z, axis=1, keepdims=True)


@pytest.fixture
def trials() -> Trials:
    """300 templates; 500 probes of the same 300 people, some with several, some with none."""
    people = np.random.default_rng(0).integers(0, 300, 500)
    return Trials(random_unit(300, 0), random_unit(500, 1), np.arange(300), people)


def slowly(trials: Trials) -> np.ndarray:
    """Every impostor comparison, one at a time."""
    rows = [
        trials.templates[i] @ trials.probes[j]
        for i in range(len(trials.templates))
        for j in range(len(trials.probes))
        if trials.template_person[i] != trials.probe_person[j]
    ]
    return np.array(rows)


def test_every_comparison_is_counted_once_and_nobody_is_compared_with_themselves(trials, monkeypatch):
    monkeypatch.setattr(pairing, "BLOCK", 64)  # several blocks
    tail, expected = compare_all(trials, 0.5), slowly(trials)
    assert tail.histogram.sum() == tail.total == len(expected)
    assert sorted(tail.pairs.score) == pytest.approx(sorted(expected[expected >= 0.5]), abs=1e-6)
    assert not (trials.template_person[tail.pairs.first] == trials.probe_person[tail.pairs.second]).any()
    assert tail.rate(0.6) == pytest.approx(np.mean(expected >= 0.6))


def test_the_histogram_knows_how_many_lie_above_a_score(trials):
    tail, expected = compare_all(trials, 2.0), slowly(trials)
    assert len(tail.pairs.score) == 0
    assert tail.histogram[bin_of(0.5) :].sum() == pytest.approx((expected >= 0.5).sum(), abs=2)


def test_comparisons_that_are_left_out_are_in_neither_list_nor_count(trials):
    from dataclasses import replace

    whole = compare_all(trials, 0.5)
    first = np.array([[whole.pairs.first[0], whole.pairs.second[0]]])
    less = compare_all(replace(trials, left_out=first), 0.5)
    assert less.total == whole.total - 1
    assert len(less.pairs.score) == len(whole.pairs.score) - 1


def test_some_of_the_people_keep_their_numbers_and_their_exceptions(trials):
    from dataclasses import replace

    chosen = np.arange(0, 300, 3)
    probe = int(np.flatnonzero(trials.probe_person == 6)[0])
    part = replace(trials, left_out=np.array([[9, probe], [10, probe]])).of(chosen)
    assert set(part.template_person) == set(chosen)
    assert part.left_out.shape == (1, 2)
    row, column = part.left_out[0]
    assert (part.template_person[row], part.probe_person[column]) == (9, 6)
    assert len(np.unique(trials.sample(40, 1).template_person)) <= 40


def test_the_floor_is_where_the_histogram_says(trials):
    floor = floor_for(compare_all(trials, 2.0).histogram, 0.05)
    assert compare_all(trials, floor).rate(floor) == pytest.approx(0.05, rel=0.05)


def test_scores_are_those_of_a_door():
    vectors = [average([v]) for v in np.random.default_rng(4).integers(-90, 90, (2, 128)).astype(np.int8)]
    a, b = unit(np.array(vectors))
    assert a @ b == pytest.approx(cosine(*vectors), abs=1e-6)
    assert not unit(np.zeros((1, 128), np.int8)).any()
