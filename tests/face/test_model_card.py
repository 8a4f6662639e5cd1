"""A model's card: what is accepted, and that nothing but `ModelError` comes of anything else."""

from __future__ import annotations

import copy
import string
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from edge.errors import ModelError
from edge.face import Card, load_card, parse_card
from edge.models.describe import describe_card
from tests.face.cards import plain_card

HERE = Path()


def parse(card: Any) -> Card:
    return parse_card(yaml.safe_dump(card).encode(), folder=HERE)


@pytest.mark.parametrize("name", ["detector", "embedder", "passive"])
def test_a_shipped_card_loads_by_name_and_by_path(name: str):
    card = load_card(name)
    assert card.kind == name
    assert load_card(card.path.parent / f"{name}.card.yaml") == card
    assert card.path.stat().st_size == card.size_bytes


def test_what_people_wrote_stays_in_raw():
    card = parse_card(yaml.safe_dump(plain_card(limits=["profile views"])).encode(), folder=Path("models"))
    assert card.raw["limits"] == ["profile views"]
    assert card.path == Path("models/small.tflite")


def test_three_equal_numbers_are_one_mean_and_three_different_ones_are_one_a_channel():
    card = plain_card()
    card["input"]["mean"], card["input"]["std"] = [127.5, 127.5, 127.5], [128, 128, 128]
    assert parse_card(yaml.safe_dump(card).encode(), folder=HERE).input.mean == 127.5
    card["input"]["mean"] = [104, 117, 123]
    assert parse_card(yaml.safe_dump(card).encode(), folder=HERE).input.mean == (104, 117, 123)
    card["input"]["mean"] = [104, 117]
    with pytest.raises(ModelError, match=r"input\.mean"):
        parse(card)


def test_a_float_tensor_needs_no_scale_and_a_quantised_one_does():
    card = plain_card()
    card["outputs"][0] = {"name": "embedding", "index": 0, "shape": [1, 8], "dtype": "float32"}
    assert (parse(card).outputs[0].scale, parse(card).outputs[0].zero_point) == (1.0, 0)
    for dtype in ("int8", "uint8"):
        card["outputs"][0]["dtype"] = dtype
        with pytest.raises(ModelError, match="scale and zero_point: Field required"):
            parse(card)


@pytest.mark.parametrize(("dtype", "zero_point"), [("int8", 128), ("int8", -129), ("uint8", -1), ("uint8", 256)])
def test_a_zero_point_outside_of_its_type_is_refused(dtype: str, zero_point: int):
    card = plain_card()
    card["input"] |= {"dtype": dtype, "zero_point": zero_point}
    with pytest.raises(ModelError, match="does not lie between"):
        parse(card)


def test_a_known_answer_is_a_digest_or_values_and_never_both_or_neither():
    for golden in ({}, {"sha256": "0" * 64, "values": [1.0]}):
        with pytest.raises(ModelError, match="either sha256 or values"):
            parse(plain_card(golden={"generator": "g", **golden}))


def test_a_calibration_of_another_file_is_refused():
    card = plain_card()
    card["calibration"]["sha256"] = "1" * 64
    with pytest.raises(ModelError, match="a threshold is never shared"):
        parse(card)


def change(path: str, value: Any) -> dict[str, Any]:
    card = copy.deepcopy(plain_card())
    *parents, last = path.split(".")
    part: Any = card
    for key in parents:
        part = part[int(key) if key.isdigit() else key]
    part[last] = value
    return card


@pytest.mark.parametrize(
    ("path", "value", "named"),
    [
        ("schema", "edge/card/v2", "schema"),
        ("kind", "searcher", "kind"),
        ("file", "../../etc/passwd", "file"),
        ("file", "/etc/passwd", "file"),
        ("sha256", "abc", "sha256"),
        ("size_bytes", -1, "size_bytes"),
        ("size_bytes", 10**12, "size_bytes"),
        ("input.shape", [2, 112, 112, 3], "input.shape"),
        ("input.shape", [1, 112, 112, 1], "input.shape"),
        ("input.dtype", "float16", "input.dtype"),
        ("input.scale", 0, "input.scale"),
        ("input.scale", float("nan"), "input.scale"),
        ("input.zero_point", 128, "input.zero_point"),
        ("input.channels", "GBR", "input.channels"),
        ("outputs", [], "outputs"),
        ("outputs.0.index", 3, "index"),
        ("align", None, "align"),
        ("align.size", [112, 96], "align.size"),
        ("align.channels", "BGR", "align.channels"),
        ("align.template", [[1, 1] for _ in range(5)], "on top of each other"),
        ("align.template", [[1, 1] for _ in range(4)], "align.template"),
        ("calibration.smallest_fmr", 1e-7, "smallest_fmr"),
        ("calibration.thresholds", [{"fmr": 1e-3, "threshold": 0.4}, {"fmr": 1e-2, "threshold": 0.5}], "fmr must fall"),
        (
            "calibration.thresholds",
            [{"fmr": 1e-2, "threshold": 0.5}, {"fmr": 1e-3, "threshold": 0.4}],
            "lower threshold",
        ),
    ],
)
def test_a_wrong_value_is_named(path: str, value: Any, named: str):
    with pytest.raises(ModelError) as caught:
        parse(change(path, value))
    assert named in caught.value.what
    assert caught.value.remedy


def test_all_wrong_keys_are_named_at_once():
    with pytest.raises(ModelError) as caught:
        parse(plain_card(kind="searcher", sha256="x", file=".."))
    assert all(key in caught.value.what for key in ("kind", "sha256", "file"))


def test_a_detector_needs_decode():
    with pytest.raises(ModelError, match="needs decode"):
        parse(plain_card(kind="detector"))


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"- a\n- list",
        b"\ttabs: 1",
        b"{unclosed: [",
        b"\xff\xfe\x00",
        b"a: !!python/object/apply:os.system ['true']",
        b"day: 2026-13-45",
        b"? {a: b}\n: c",
        b"[" * 5000,
        b"a: &x [1]\nb: *x",
        b"schema: edge/card/v1",
    ],
)
def test_bytes_that_are_no_card_are_refused(data: bytes):
    with pytest.raises(ModelError) as caught:
        parse_card(data, folder=HERE, where="bad.card.yaml")
    assert caught.value.where == "bad.card.yaml"
    assert "\n" not in str(caught.value)


def test_missing_directory_and_oversized_files_are_refused(tmp_path: Path):
    large = tmp_path / "large.card.yaml"
    large.write_bytes(b"#" * 300_000)
    for path in (tmp_path / "none.card.yaml", tmp_path, large):
        with pytest.raises(ModelError):
            load_card(path)
    with pytest.raises(ModelError, match="no model named"):
        load_card("nonesuch")


scalars = st.none() | st.booleans() | st.integers() | st.floats() | st.text(string.printable, max_size=12) | st.dates()
trees = st.recursive(
    scalars, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=6), inner, max_size=4)
)
keys = (
    "schema",
    "name",
    "kind",
    "file",
    "sha256",
    "size_bytes",
    "input",
    "outputs",
    "align",
    "decode",
    "calibration",
    "golden",
)


@settings(max_examples=150, deadline=None)
@given(st.dictionaries(st.sampled_from(keys), trees, min_size=1))
def test_random_values_under_a_card_s_keys_never_raise_anything_else(changes: dict[str, Any]):
    try:
        card = parse(plain_card(**changes))
    except ModelError:
        return
    assert card.kind in ("detector", "embedder", "passive")
    assert len(card.sha256) == 64


@settings(max_examples=150, deadline=None)
@given(st.text(alphabet="{}[]:-&*!?|>'\"%@#,\n \tab1", max_size=80) | st.binary(max_size=80))
def test_random_text_never_raises_anything_else(text: str | bytes):
    with pytest.raises(ModelError):
        parse_card(text.encode() if isinstance(text, str) else text, folder=HERE)


@settings(max_examples=100, deadline=None)
@given(st.data())
def test_a_card_with_bytes_changed_is_either_refused_or_a_whole_card(data: st.DataObject):
    content = bytearray(yaml.safe_dump(plain_card()).encode())
    for _ in range(data.draw(st.integers(1, 3))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    try:
        card = parse_card(bytes(content), folder=HERE)
    except ModelError:
        return
    assert card.input.shape[3] == 3
    assert card.align is not None


def test_what_templates_tell_of_their_holders_is_said_beside_the_teacher():
    card = load_card("embedder")
    text, told = "\n".join(describe_card(card)), card.raw["calibration"]["told_from_templates"]
    assert "What a template tells of its holder" in text
    assert f"linear sex     {told['linear sex']:.2f}  (its teacher's {told['teacher']['linear sex']:.2f})" in text


@pytest.mark.parametrize("told", [None, "much", {}, {"linear sex": 0.5}, {"linear sex": "?", "teacher": 3}])
def test_a_card_that_tells_it_oddly_is_still_described(told):
    card = load_card("embedder")
    raw = dict(card.raw) | {"calibration": {**card.raw["calibration"], "told_from_templates": told}}
    assert describe_card(replace(card, raw=raw))[0].startswith("embedder")


def test_shipped_templates_tell_less_of_sex_and_origin_than_the_teachers():
    told = load_card("embedder").raw["calibration"]["told_from_templates"]
    for name in ("linear sex", "linear origin", "curved sex", "curved origin"):
        assert 0.4 < told[name] < told["teacher"][name] <= 1
