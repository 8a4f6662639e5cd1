"""A rotation keeps every angle, its key undoes it, and two of them have nothing in common."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.face.match import compare
from edge.types import Probe, Template
from edge.types.rotation import Rotation, quantised

PINNED = {128: [14, 73, 37, 0, -44, 37, 16, 8], 192: [36, -15, 11, -39, 58, -54, 38, 19]}
DIMENSIONS = st.one_of(st.integers(1, 300), st.sampled_from([512, 1000, 4096]))


def key(number: int) -> bytes:
    return number.to_bytes(32, "big")


def vectors(count: int, dimension: int = 128, seed: int = 3) -> np.ndarray:
    """int8 embeddings with their largest number at 127, as the embedder gives them."""
    drawn = np.random.default_rng(seed).standard_normal((count, dimension))
    return np.rint(127 * drawn / np.abs(drawn).max(axis=1, keepdims=True)).astype(np.int8)


@given(DIMENSIONS, st.binary(min_size=32, max_size=32))
def test_lengths_and_angles_stay_and_the_key_undoes_it(dimension: int, secret: bytes):
    a, b = vectors(2, dimension)
    rotation = Rotation(secret, dimension)
    turned = rotation.turn(a), rotation.turn(b)
    assert turned[0] @ turned[1] == pytest.approx(a.astype(float) @ b, abs=1e-6 * 127**2 * dimension)
    assert np.linalg.norm(turned[0]) == pytest.approx(np.linalg.norm(a.astype(float)))
    assert np.allclose(rotation.undo(turned[0]), a, atol=1e-8)


@pytest.mark.parametrize("dimension", sorted(PINNED))
def test_the_numbers_are_the_same_on_every_machine(dimension: int):
    """One rotation, pinned: whoever changes it makes every template that was sealed with it unreadable."""
    vector = ((np.arange(dimension) * 37) % 255 - 127).astype(np.int8)
    assert quantised(Rotation(key(1), dimension).turn(vector))[:8].tolist() == PINNED[dimension]


def test_a_comparison_with_a_rotated_template_is_that_of_the_vectors():
    """Rounding anew moves a cosine by less than 0.005, wherever it lies between unlike and alike."""
    people, noise = vectors(300), vectors(300, seed=4)
    for k, (person, other) in enumerate(zip(people, noise, strict=True)):
        share = k / 300
        look = quantised(share * person + (1 - share) * other)
        rotation = Rotation(key(k), 128)
        template = Template(quantised(rotation.turn(person)), model="m", session="s", rotation=rotation)
        plain = Template(person, model="m", session="s")
        scores = [compare(t, Probe(look, model="m", session="s"), "s") for t in (template, plain)]
        assert abs(scores[0] - scores[1]) < 0.005


def test_two_cards_of_one_person_are_linked_no_better_than_those_of_strangers():
    """By cosine, by sorted magnitudes, by norm: the person's other card is the likeliest among 200 about once.

    `tests/benchmarks/unlinkable.py` adds a trained linker, real faces and figures.
    """
    count = 200
    cards = [
        [quantised(Rotation(key(1000 * at + k), 128).turn(v)) for k, v in enumerate(vectors(count))] for at in (1, 2)
    ]
    here, there = (np.array(card, float) for card in cards)
    magnitudes = [np.sort(np.abs(x), axis=1) for x in (here, there)]
    likeness = {
        "cosine": here @ there.T,
        "magnitudes": -np.linalg.norm(magnitudes[0][:, None] - magnitudes[1], axis=2),
        "norm": -np.abs(np.linalg.norm(here, axis=1)[:, None] - np.linalg.norm(there, axis=1)),
    }
    for how, scores in likeness.items():
        linked = int((scores.argmax(axis=1) == np.arange(count)).sum())
        assert linked <= 6, f"{linked} of {count} linked by {how}"  # chance: 1; more than 6 once in 10,000


def test_the_same_cards_without_a_rotation_are_linked():
    """What the test before measures can be seen: signs and a permutation alone leave the magnitudes as they were."""
    people, dice = vectors(50), np.random.default_rng(8)
    there = np.array([(v * dice.choice([-1, 1], 128))[dice.permutation(128)] for v in people], float)
    magnitudes = [np.sort(np.abs(x), axis=1) for x in (people.astype(float), there)]
    distances = np.linalg.norm(magnitudes[0][:, None] - magnitudes[1], axis=2)
    assert (distances.argmin(axis=1) == np.arange(50)).all()


def test_an_erased_template_keeps_neither_its_numbers_nor_its_rotation():
    rotation = Rotation(key(5), 128)
    person = vectors(1)[0]
    with Template(quantised(rotation.turn(person)), model="m", session="s", rotation=rotation) as template:
        assert np.any(template.turn(person))
    assert not np.any(template.turn(person))
    assert not np.any(rotation.undo(person))


def test_nothing_turns_into_nothing():
    assert not quantised(Rotation(key(6), 16).turn(np.zeros(16, np.int8))).any()
