"""The model runtime: what is checked before anything runs, and that what runs is what was measured."""

from __future__ import annotations

import copy
import subprocess
import sys
import types
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from edge.errors import ModelError
from edge.face import Runner, golden_digest, load_card, outside_delegate, verify_golden
from edge.face.feed import input_table
from edge.face.runtime import open_interpreter, runtime_module
from edge.face.tensors import InputSpec

MODELS = ("detector", "embedder", "passive")
ASSETS = Path(__file__).resolve().parent.parent / "assets"
Write = Callable[..., Path]


def noise(card, seed: int = 3) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, card.input.shape[1:], dtype=np.uint8)


@pytest.mark.parametrize("name", MODELS)
def test_a_shipped_model_runs_as_its_card_says(name: str):
    card = load_card(name)
    outputs = Runner(card).run(noise(card))
    assert {spec.name: spec.shape for spec in card.outputs} == {key: value.shape for key, value in outputs.items()}
    assert all(value.dtype == np.int8 for value in outputs.values())


@pytest.mark.parametrize("name", MODELS)
def test_a_shipped_model_runs_wholly_inside_the_delegate(name: str):
    assert outside_delegate(Runner(load_card(name))._interpreter) == 0


def test_the_count_finds_the_nodes_that_prelu_leaves_outside():
    model = (ASSETS / "prelu.tflite").read_bytes()
    assert outside_delegate(open_interpreter(model, threads=1, where="prelu.tflite")) > 0


@pytest.mark.parametrize("name", MODELS)
def test_one_and_two_threads_give_identical_bits(name: str):
    card = load_card(name)
    one, two = Runner(card, 1), Runner(card, 2)
    for seed in range(3):
        a, b = one.run(noise(card, seed)), two.run(noise(card, seed))
        assert all(np.array_equal(a[key], b[key]) for key in a)


@pytest.mark.parametrize("name", MODELS)
def test_the_outputs_belong_to_the_caller(name: str):
    card = load_card(name)
    runner = Runner(card)
    first = runner.run(noise(card, 1))
    kept = {key: value.copy() for key, value in first.items()}
    runner.run(noise(card, 2))
    assert all(np.array_equal(first[key], kept[key]) for key in kept)


@pytest.mark.parametrize("name", MODELS)
def test_a_shipped_model_gives_its_known_answer(name: str):
    verify_golden(load_card(name))


@pytest.mark.parametrize("name", MODELS)
def test_a_wrong_known_answer_is_an_error(name: str, write_card: Write):
    model = load_card(name).path.read_bytes()
    golden = {"generator": "shake_256(b'edge/golden/v1'), uint8", "sha256": "1" * 64}
    with pytest.raises(ModelError, match="known answer differs"):
        verify_golden(load_card(write_card(model, name, golden=golden)))
    with pytest.raises(ModelError, match="generator"):
        golden_digest(Runner(load_card(name)), "dice")


def test_a_card_without_golden_cannot_be_verified(write_card: Write):
    card = load_card(write_card(load_card("embedder").path.read_bytes(), golden=None))
    with pytest.raises(ModelError, match="no golden"):
        verify_golden(card)


def refused(path: Path, text: str) -> None:
    with pytest.raises(ModelError, match=text) as caught:
        Runner(load_card(path))
    assert caught.value.where == "model.tflite"
    assert caught.value.remedy


def test_a_model_with_one_flipped_bit_is_refused(write_card: Write):
    model = load_card("embedder").path.read_bytes()
    path = write_card(model)
    flipped = bytearray(model)
    flipped[len(model) // 2] ^= 1
    path.with_name("model.tflite").write_bytes(flipped)
    refused(path, "SHA-256")


def test_a_truncated_model_is_refused(write_card: Write):
    model = load_card("embedder").path.read_bytes()
    path = write_card(model)
    path.with_name("model.tflite").write_bytes(model[:-1000])
    refused(path, "bytes, its card says")


def test_a_missing_model_and_a_directory_are_refused(write_card: Write):
    path = write_card(b"x")
    model = path.with_name("model.tflite")
    model.unlink()
    refused(path, "cannot be read")
    model.mkdir()
    refused(path, r"cannot be read|its card says")


@pytest.mark.parametrize(
    "model", [b"?", b"not a model", b"\x1c\x00\x00\x00TFL3" + bytes(200)], ids=["one byte", "text", "shell"]
)
def test_bytes_that_are_no_model_are_refused_even_with_the_right_digest(model: bytes, write_card: Write):
    path = write_card(model)
    refused(path, r"not a \.tflite|runtime refuses|inputs")


def altered(part: str, **changes: object) -> dict[str, object]:
    raw = copy.deepcopy(dict(load_card("embedder").raw))
    target = raw["outputs"][0] if part == "outputs" else raw[part]
    target.update(changes)
    return {part: raw[part]}


@pytest.mark.parametrize(
    "changes",
    [
        altered("input", zero_point=5),
        altered("input", scale=0.1),
        altered("outputs", shape=[1, 64]),
        altered("outputs", zero_point=100),
        altered("outputs", scale=9.0),
    ],
    ids=["input zero point", "input scale", "output shape", "output zero point", "output scale"],
)
def test_a_model_that_differs_from_its_card_is_refused(changes: dict[str, object], write_card: Write):
    refused(write_card(load_card("embedder").path.read_bytes(), **changes), "the card says")


def test_a_model_with_more_outputs_than_its_card_is_refused(write_card: Write):
    raw = load_card("detector").raw
    path = write_card(load_card("detector").path.read_bytes(), "detector", outputs=raw["outputs"][:3])
    refused(path, "outputs, its card lists 3")


@pytest.mark.parametrize("shape", [(112, 112, 1), (100, 112, 3), (112, 112)])
def test_an_image_of_another_shape_is_refused(shape: tuple[int, ...]):
    with pytest.raises(ModelError, match="takes uint8"):
        Runner(load_card("embedder")).run(np.zeros(shape, np.uint8))


def test_an_image_of_another_type_is_refused():
    with pytest.raises(ModelError, match="takes uint8"):
        Runner(load_card("embedder")).run(np.zeros((112, 112, 3), np.float32))


def spec(mean: float, std: float, scale: float, zero_point: int) -> InputSpec:
    return InputSpec(
        shape=(1, 8, 8, 3), dtype="int8", scale=scale, zero_point=zero_point, channels="RGB", mean=mean, std=std
    )


@pytest.mark.parametrize(("mean", "std"), [(128, 128), (127.5, 128)])
def test_the_usual_scalings_are_pixel_minus_128(mean: float, std: float):
    assert input_table(spec(mean, std, 1 / 128, 0)).view(np.int8).tolist() == list(range(-128, 128))


@pytest.mark.parametrize(("mean", "std", "scale", "zero_point"), [(0, 255, 1 / 255, -128), (120, 60, 0.02, -7)])
def test_other_scalings_are_the_quantised_value(mean: float, std: float, scale: float, zero_point: int):
    table = input_table(spec(mean, std, scale, zero_point)).view(np.int8).astype(float)
    real = (np.arange(256) - mean) / std
    inside = (table > -128) & (table < 127)
    assert np.abs((table - zero_point) * scale - real)[inside].max() <= scale / 2 + 1e-9
    assert np.all(np.diff(table) >= 0)


def test_time_inside_the_runtime_is_counted():
    card = load_card("embedder")
    runner = Runner(card)
    assert runner.invoke_ns == 0
    runner.run(noise(card))
    assert runner.invoke_ns > 10_000


def test_tflite_runtime_is_taken_when_only_that_is_installed(monkeypatch: pytest.MonkeyPatch):
    older = types.ModuleType("tflite_runtime.interpreter")
    for name in ("ai_edge_litert", "ai_edge_litert.interpreter"):
        monkeypatch.setitem(sys.modules, name, None)
    monkeypatch.setitem(sys.modules, "tflite_runtime", types.ModuleType("tflite_runtime"))
    monkeypatch.setitem(sys.modules, "tflite_runtime.interpreter", older)
    assert runtime_module() is older
    monkeypatch.setitem(sys.modules, "tflite_runtime.interpreter", None)
    with pytest.raises(ModelError, match="no model runtime") as caught:
        runtime_module()
    assert "pip install ai-edge-litert" in caught.value.remedy


def test_loading_a_model_prints_nothing():
    code = "from edge.face import Runner, load_card; Runner(load_card('embedder'))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60)
    assert (done.stdout, done.stderr) == ("", "")
