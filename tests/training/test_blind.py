"""Embeddings without the directions that groups share: equal means, and nothing left for a linear rule to read."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from models.training.blind import FEWEST, ORIGINS, SEXES, blinding, curved, groups_of, labels_in, readable


def people(count: int, seed: int, apart: float = 0.6) -> tuple[np.ndarray, list[str]]:
    """Unit embeddings of three groups, each about a direction of its own, and their labels."""
    rng = np.random.default_rng(seed)
    middles = apart * np.linalg.qr(np.random.default_rng(0).standard_normal((32, 3)))[0].T
    labels = rng.integers(0, 3, count)
    vectors = middles[labels] + rng.standard_normal((count, 32)) / 32**0.5
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    return vectors.astype(np.float32), [f"group {label}" for label in labels]


def test_every_group_has_the_same_mean_afterwards():
    vectors, labels = people(3000, 1)
    left, marks = vectors @ blinding(vectors, labels), np.array(labels)
    for label in sorted(set(labels)):
        assert np.linalg.norm(left[marks == label].mean(0)) < 1e-5


def test_what_the_groups_do_not_share_is_kept():
    vectors, labels = people(3000, 1)
    matrix = blinding(vectors, labels)
    assert np.linalg.matrix_rank(matrix, tol=1e-3) == 32 - 3
    assert np.allclose(matrix @ matrix, matrix, atol=1e-5)
    assert np.allclose(matrix, matrix.T)


def test_a_linear_rule_reads_the_group_before_and_guesses_afterwards():
    vectors, labels = people(6000, 1)
    strangers, theirs = people(6000, 2)
    mark = np.array([label == "group 0" for label in theirs])
    assert readable(strangers, mark, seed=3) > 0.9
    assert readable(strangers @ blinding(vectors, labels), mark, seed=3) == pytest.approx(0.5, abs=0.04)


def test_a_curved_rule_reads_what_a_linear_one_cannot():
    rng = np.random.default_rng(1)
    vectors = rng.standard_normal((4000, 2)).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    mark = vectors[:, 0] * vectors[:, 1] > 0
    assert readable(vectors, mark, seed=2) == pytest.approx(0.5, abs=0.04)
    assert readable(curved(vectors, 3, 200), mark, seed=2) > 0.9


def test_impostors_of_one_group_score_no_higher_than_others_afterwards():
    vectors, labels = people(2000, 1)
    left, marks = vectors @ blinding(vectors, labels), np.array(labels)
    left /= np.linalg.norm(left, axis=1, keepdims=True)
    within = {v: (x[marks == "group 0"] @ x[marks == "group 0"].T).mean() for v, x in (("b", vectors), ("a", left))}
    assert within["b"] > 0.2
    assert within["a"] < 0.01


def test_blinding_twice_is_blinding_once():
    vectors, labels = people(3000, 1)
    left = vectors @ blinding(vectors, labels)
    assert np.allclose(left @ blinding(left, labels), left, atol=1e-3)


def test_people_of_unknown_or_small_groups_say_nothing_about_what_is_taken_out():
    vectors, labels = people(3000, 1)
    few = np.eye(32, dtype=np.float32)[:FEWEST]
    more, marks = np.concatenate([vectors, few, few]), labels + ["few"] * len(few) + [""] * len(few)
    assert len(few) < FEWEST
    assert np.allclose(blinding(more, marks), blinding(vectors, labels), atol=1e-6)


def test_where_nobody_is_labelled_nothing_is_taken_out():
    vectors, _ = people(100, 1)
    assert np.array_equal(blinding(vectors, [""] * 100), np.eye(32, dtype=np.float32))


@pytest.mark.parametrize(
    ("name", "group"),
    [
        ("ff_000001.jpg", "East Asian men"),
        ("ff_000002.jpg", "Latino women"),
        ("ff_000003.jpg", ""),
        ("34_1_0_20170116.jpg", ""),  # as UTKFace's are named: nobody's any more
        ("07380A44.jpg", "All-Age-Faces women"),
        ("07381A44.jpg", "All-Age-Faces men"),
        ("portrait.jpg", ""),
    ],
)
def test_groups_are_read_from_names_and_from_the_table_beside_the_crops(name: str, group: str, tmp_path: Path):
    table = tmp_path / "fairface.csv"
    table.write_text("file,age,sex,origin\nff_000001.jpg,50-59,0,East Asian\nff_000002.jpg,20-29,1,Latino_Hispanic\n")
    assert groups_of([name], table) == [group]
    assert groups_of(["ff_000001.jpg"], tmp_path / "none.csv") == [""]


def test_the_groups_that_are_there_are_the_ones_that_are_known(shared: Path):
    table = shared / "data" / "train" / "fairface.csv"
    groups = Counter(groups_of(list(labels_in(table)), table))
    assert sorted(groups) == sorted(f"{origin} {sex}" for origin in ORIGINS for sex in SEXES)
    assert groups.most_common(1)[0][0] == "White men"
