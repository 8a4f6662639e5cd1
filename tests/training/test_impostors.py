"""Which pictures show one person although the set does not say so: pairs by the teacher's score."""

from __future__ import annotations

import numpy as np
import pytest

from models.training.impostors import alike, list_all, listed, same_person, teacher_score, write


@pytest.fixture(scope="module")
def vectors() -> np.ndarray:
    """3,000 random people; the last 20 pictures are of the first 20 people again."""
    rng = np.random.default_rng(0)
    z = rng.standard_normal((3000, 24)).astype(np.float32)
    z[2980:] = z[:20] + 0.2 * rng.standard_normal((20, 24)).astype(np.float32)
    return z / np.linalg.norm(z, axis=1, keepdims=True)


def test_people_who_stand_there_twice_are_found_once_each_strongest_first(vectors):
    pairs, scores = same_person(vectors, np.arange(3000), 0.9)
    assert sorted(map(tuple, pairs)) == [(k, 2980 + k) for k in range(20)]
    assert (np.diff(scores) <= 0).all()


def test_only_the_rows_asked_for_are_compared(vectors):
    rows = np.array([0, 1, 2, 2980, 2981])
    assert sorted(map(tuple, same_person(vectors, rows, 0.9)[0])) == [(0, 2980), (1, 2981)]


def test_the_score_of_a_rate_does_not_count_pairs_of_one_person(vectors):
    rows = np.arange(3000)
    known, _ = same_person(vectors, rows, 0.9)
    score = teacher_score(vectors, rows, known, 1e-4)
    scores = (vectors[:2980] @ vectors[:2980].T)[np.triu_indices(2980, 1)]
    assert np.mean(scores >= score) == pytest.approx(1e-4, rel=0.05)


def test_pairs_are_listed_by_name(vectors, tmp_path):
    write(np.array([[0, 2]]), np.array([0.81234], np.float32), ["a", "b", "c"], tmp_path / "list.csv")
    assert (tmp_path / "list.csv").read_text() == "a,c,0.812\n"


def test_pairs_that_others_name_count_as_well_and_once(vectors):
    rows, told = np.arange(2999), np.array([[2980, 0], [7, 5], [2999, 3]])
    pairs, scores = alike(vectors, rows, 0.9, told)
    assert sorted(map(tuple, pairs)) == sorted([(5, 7), *[(k, 2980 + k) for k in range(19)]])
    assert (np.diff(scores) <= 0).all()


def test_pairs_of_a_table_are_places_among_the_names(tmp_path):
    (tmp_path / "alike.csv").write_text("ff_000003.jpg,ff_000001.jpg,0.755\nff_000001.jpg,gone.jpg,0.7\n")
    names = ["ff_000001.jpg", "ff_000002.jpg", "ff_000003.jpg"]
    assert listed(names, tmp_path / "alike.csv").tolist() == [[2, 0]]
    assert listed(names, tmp_path / "none.csv").shape == (0, 2)


def test_the_list_for_the_split_is_made_once_and_kept(tmp_path):
    (tmp_path / "same-person.csv").write_text("a,b,0.9\n")
    assert list_all(tmp_path / "nowhere", tmp_path).read_text() == "a,b,0.9\n"
