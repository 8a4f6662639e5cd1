"""Decoding of the detector's maps, against an encoder and against a slow decoder written independently."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edge.errors import ModelError
from edge.face import load_card, parse_card
from edge.face.heads import COLUMNS, Heads
from tests.face.encoder import Encoder, face_points

CARD = load_card("detector")
HEADS = Heads(CARD)
ENCODER = Encoder(CARD)


def slow(maps: dict[str, np.ndarray]) -> np.ndarray:
    """Every cell dequantised, one at a time; those whose sigmoid reaches the threshold."""
    real = {spec.name: (maps[spec.name].astype(float) - spec.zero_point) * spec.scale for spec in CARD.outputs}
    rows = []
    for stride in CARD.decode.strides:
        _, high, wide, _ = maps[f"score_{stride}"].shape
        for row in range(high):
            for column in range(wide):
                logit = real[f"score_{stride}"][0, row, column, 0]
                if 1 / (1 + math.exp(-logit)) < CARD.decode.score_threshold - 1e-9:
                    continue
                x, y = (column + 0.5) * stride, (row + 0.5) * stride
                dx, dy, log_w, log_h = real[f"box_{stride}"][0, row, column]
                marks = real[f"landmarks_{stride}"][0, row, column] * stride + np.tile([x, y], 5)
                size = [math.exp(log_w) * stride, math.exp(log_h) * stride]
                rows.append([logit, x + dx * stride, y + dy * stride, *size, *marks])
    return np.array(rows).reshape(-1, COLUMNS)


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(-128, 127))
def test_any_maps_decode_as_the_slow_decoder_says(seed: int, most: int):
    random = np.random.default_rng(seed)
    maps = {spec.name: random.integers(-128, 128, spec.shape).astype(np.int8) for spec in CARD.outputs}
    for name in maps:
        if name.startswith("score"):
            maps[name] = np.minimum(maps[name], most).astype(np.int8)
    found, expected = HEADS.decode(maps), slow(maps)
    assert found.dtype == np.float32
    assert found.shape == expected.shape
    np.testing.assert_allclose(found, expected, rtol=2e-4, atol=2e-3)


@pytest.mark.parametrize("stride", CARD.decode.strides)
@pytest.mark.parametrize(("x", "y", "cells"), [(96.0, 72.0, 4.5), (13.3, 20.9, 3.0), (180.0, 130.0, 4.0)])
def test_an_encoded_face_comes_back(stride: int, x: float, y: float, cells: float):
    height = cells * stride
    width, points = 0.8 * height, face_points(x, y, 0.8 * height, height)
    found = HEADS.decode(ENCODER.maps([(x, y, width, height, points, 2.0, stride)]))
    assert len(found) == 1
    logit, cx, cy, w, h = found[0, :5]
    step = {part: CARD.output(f"{part}_{stride}").scale for part in ("score", "box", "landmarks")}
    assert abs(logit - 2.0) <= step["score"]
    assert abs(cx - x) <= step["box"] * stride
    assert abs(cy - y) <= step["box"] * stride
    # sizes are quantised in the logarithm
    assert abs(math.log(w / width)) <= step["box"]
    assert abs(math.log(h / height)) <= step["box"]
    assert np.abs(found[0, 5:].reshape(5, 2) - points).max() <= step["landmarks"] * stride


def test_nothing_above_the_threshold_is_no_candidate():
    assert HEADS.decode(ENCODER.maps([])).shape == (0, COLUMNS)


def test_the_threshold_cuts_between_two_neighbouring_int8_values():
    spec = CARD.output("score_8")
    limit = math.ceil(math.log(CARD.decode.score_threshold / (1 - CARD.decode.score_threshold)) / spec.scale)
    maps = ENCODER.maps([])
    maps["score_8"][0, 5, 5, 0] = limit + spec.zero_point
    maps["score_8"][0, 6, 6, 0] = limit + spec.zero_point - 1
    found = HEADS.decode(maps)
    assert len(found) == 1


def test_a_frame_does_not_see_the_one_before():
    first = HEADS.decode(ENCODER.maps([(96, 72, 40, 50, face_points(96, 72, 40, 50), 2.0, 8)]))
    kept = first.copy()
    assert len(HEADS.decode(ENCODER.maps([]))) == 0
    assert np.array_equal(first, kept)


def test_outputs_that_do_not_fit_input_and_stride_are_refused():
    import yaml

    raw = dict(CARD.raw)
    shapes = [dict(item) for item in raw["outputs"]]
    shapes[0]["shape"] = [1, 9, 12, 1]
    card = parse_card(yaml.safe_dump(raw | {"outputs": shapes}).encode(), folder=CARD.path.parent)
    with pytest.raises(ModelError, match="shape"):
        Heads(card)
    shapes[0]["name"] = "confidence"
    card = parse_card(yaml.safe_dump(raw | {"outputs": shapes}).encode(), folder=CARD.path.parent)
    with pytest.raises(ModelError, match="score_8"):
        Heads(card)
    with pytest.raises(ModelError, match="no decode"):
        Heads(load_card("embedder"))
