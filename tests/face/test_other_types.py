"""Models that were brought along: float32 and uint8 tensors, channels first, known answers within a tolerance.

Each is the shipped net in another dress (see `surgery`), so it must find the same faces and give the same embedding.
"""

from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np
import pytest
import yaml

from edge.errors import ModelError
from edge.face import Card, Detector, Embedder, Runner, load_card, outside_delegate, parse_card, verify_golden
from edge.face.feed import Feed, input_table
from edge.face.golden import make_golden
from edge.face.runtime import open_interpreter
from edge.face.tensors import InputSpec, describe
from tests.face import surgery


def card_of(model: bytes, folder: Path, name: str = "embedder", **changes) -> Card:
    """A card for the bytes: tensors as the runtime reports them, all else as shipped."""
    file = folder / f"{hashlib.sha256(model).hexdigest()[:8]}.tflite"
    file.write_bytes(model)
    shipped = load_card(name).raw
    fed, outputs = describe(open_interpreter(model, threads=1, where=file.name), name)
    pixels = {key: shipped["input"][key] for key in ("channels", "mean", "std")}
    raw = {key: shipped[key] for key in ("schema", "name", "kind", "align", "decode") if key in shipped}
    raw |= {"file": file.name, "sha256": hashlib.sha256(model).hexdigest(), "size_bytes": len(model)}
    raw |= {"input": fed[0] | pixels, "outputs": outputs} | changes
    return parse_card(yaml.safe_dump(raw).encode(), folder=folder)


@pytest.fixture
def crop(picture):
    image = picture("chen")
    embedder = Embedder(load_card("embedder"))
    return embedder.align(image, Detector(load_card("detector")).detect(image)[0].landmarks)


def cosine(a: np.ndarray, b: np.ndarray) -> float:
    a, b = a.astype(float), b.astype(float)
    return float(a @ b / np.linalg.norm(a) / np.linalg.norm(b))


def test_uint8_at_both_ends_gives_the_very_same_embedding(tmp_path, crop):
    embedder = Embedder(card_of(surgery.uint8_ports(surgery.shipped()), tmp_path))
    assert embedder.card.input.dtype == embedder.card.outputs[0].dtype == "uint8"
    assert np.array_equal(embedder.embed(crop), Embedder(load_card("embedder")).embed(crop))


@pytest.mark.parametrize("make", [surgery.floated, surgery.channels_first])
def test_the_float_net_gives_the_same_embedding_but_for_rounding(make, tmp_path, crop):
    embedder = Embedder(card_of(make(surgery.shipped()), tmp_path))
    vector = embedder.embed(crop)
    assert vector.dtype == np.int8
    assert np.abs(vector).max() == 127
    assert cosine(vector, Embedder(load_card("embedder")).embed(crop)) > 0.97


@pytest.mark.parametrize("make", [surgery.floated, surgery.uint8_ports])
def test_a_float_or_uint8_detector_finds_the_same_faces(make, tmp_path, picture):
    ours, other = (
        Detector(load_card("detector")),
        Detector(card_of(make(surgery.shipped("detector")), tmp_path, "detector")),
    )
    for name in ("ada", "goran", "lena"):
        [a], [b] = ours.detect(picture(name)), other.detect(picture(name))
        assert np.abs(np.subtract(a.box, b.box)).max() < 0.05 * a.height
        assert np.abs(a.landmarks - b.landmarks).max() < 0.05 * a.height


def test_a_float_graph_may_run_wholly_in_the_delegate(tmp_path):
    assert outside_delegate(Runner(card_of(surgery.floated(surgery.shipped()), tmp_path))._interpreter) == 0


def test_an_output_that_is_not_a_number_is_an_error_and_no_embedding(tmp_path, crop):
    embedder = Embedder(card_of(surgery.dead(surgery.shipped(), float("nan")), tmp_path))
    with pytest.raises(ModelError, match="not a number"):
        embedder.embed(crop)


def test_a_float_models_known_answer_holds_within_its_tolerance(tmp_path):
    model = surgery.floated(surgery.shipped())
    golden = make_golden(Runner(card_of(model, tmp_path)), exact=False)
    assert 0 < golden["tolerance"] <= 1e-3
    verify_golden(card_of(model, tmp_path, golden=golden))
    golden["values"][3] += 0.02 * max(map(abs, golden["values"]))
    with pytest.raises(ModelError, match="off by"):
        verify_golden(card_of(model, tmp_path, golden=golden))


def test_a_known_answer_of_nan_never_holds(tmp_path):
    model = surgery.dead(surgery.shipped(), float("nan"))
    card = card_of(
        model, tmp_path, golden=make_golden(Runner(card_of(surgery.floated(surgery.shipped()), tmp_path)), exact=False)
    )
    with pytest.raises(ModelError, match="off by nan"):
        verify_golden(card)


def spec(dtype: str, **changes) -> InputSpec:
    quantised = {} if dtype == "float32" else {"scale": 0.02, "zero_point": 3}
    values = {"shape": (1, 4, 5, 3), "dtype": dtype, "channels": "RGB", "mean": 127.5, "std": 64.0}
    return InputSpec(**values | quantised | changes)


@pytest.mark.parametrize("dtype", ["float32", "uint8", "int8"])
@pytest.mark.parametrize(("mean", "std"), [(127.5, 128.0), ((123.7, 116.3, 103.5), (58.4, 57.1, 57.4))])
def test_each_pixel_becomes_what_the_card_says(dtype, mean, std):
    image = np.random.default_rng(1).integers(0, 256, (4, 5, 3), dtype=np.uint8)
    fed = spec(dtype, mean=mean, std=std)
    tensor = Feed(fed)(image)
    assert (tensor.dtype, tensor.shape) == (np.dtype(dtype), (1, 4, 5, 3))
    real = fed.scale * (tensor[0].astype(float) - fed.zero_point)
    wanted = (image - np.array(mean)) / np.array(std)
    if dtype != "float32":  # what lies outside of the type's range ends at its bounds
        info = np.iinfo(dtype)
        wanted = np.clip(wanted, fed.scale * (info.min - 3), fed.scale * (info.max - 3))
    assert np.abs(real - wanted).max() <= (1e-6 if dtype == "float32" else fed.scale / 2 + 1e-6)


def test_channels_first_is_the_same_tensor_turned():
    image = np.random.default_rng(1).integers(0, 256, (4, 5, 3), dtype=np.uint8)
    turned = Feed(spec("float32", layout="NCHW"))(image)
    assert turned.shape == (1, 3, 4, 5)
    assert np.array_equal(turned.transpose(0, 2, 3, 1), Feed(spec("float32"))(image))


def test_a_table_of_float_has_every_pixel_value():
    assert np.allclose(input_table(spec("float32")), (np.arange(256) - 127.5) / 64)
