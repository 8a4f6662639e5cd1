"""From a crop to an embedding."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.errors import ModelError
from edge.face import Embedder, load_card
from edge.face.match import symmetric
from edge.types import Crop

vectors = st.lists(st.integers(-128, 127), min_size=1, max_size=256)


@pytest.fixture(scope="module")
def embedder() -> Embedder:
    return Embedder(load_card("embedder"))


@given(vectors, st.integers(-128, 127))
def test_the_zero_point_goes_and_the_direction_stays(values: list[int], zero_point: int):
    z = np.array(values, float) - zero_point
    found = symmetric(np.array(values, np.int8), zero_point)
    assert found.dtype == np.int8
    if not z.any():
        assert not found.any()
        return
    assert np.abs(found.astype(int)).max() == 127
    # a number of half a step either side
    assert np.abs(found - 127 * z / np.abs(z).max()).max() <= 0.5 + 1e-9


def test_the_extremes_do_not_wrap_around():
    assert symmetric(np.array([-128, 127], np.int8), 127).tolist() == [-127, 0]
    assert symmetric(np.array([-128, 127], np.int8), -128).tolist() == [0, 127]


def test_embedding_is_deterministic_and_independent_of_threads(embedder: Embedder, picture, mesh_landmarks):
    crop = embedder.align(picture("ada", 0), mesh_landmarks("ada"))
    first = embedder.embed(crop)
    assert first.shape == (embedder.dimension,)
    embedder.embed(embedder.align(picture("bela", 0), mesh_landmarks("bela")))
    assert np.array_equal(embedder.embed(crop), first)
    assert np.array_equal(Embedder(load_card("embedder"), 2).embed(crop), first)


def test_a_crop_of_another_card_is_refused(embedder: Embedder):
    with pytest.raises(ModelError, match="aligned for 'other'"):
        embedder.embed(Crop(np.zeros((112, 112, 3), np.uint8), "other"))


def test_a_detector_s_card_is_refused():
    with pytest.raises(ModelError, match="no embedder"):
        Embedder(load_card("detector"))


def test_the_model_is_named_by_its_file_and_the_arithmetic_it_goes_with(embedder: Embedder):
    card = load_card("embedder")
    assert embedder.model == card.identity != card.sha256
    assert card.earlier == card.sha256, "templates of the arithmetic before stay valid"


def test_the_card_s_channel_order_matters(embedder: Embedder, picture, mesh_landmarks):
    """A wrong order would still run, and quietly be worse: the two must differ."""
    crop = embedder.align(picture("fara", 0), mesh_landmarks("fara"))
    swapped = Crop(np.ascontiguousarray(crop.image[..., ::-1]), crop.card)
    assert not np.array_equal(embedder.embed(crop), embedder.embed(swapped))
