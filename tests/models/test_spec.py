"""Specs of models that are brought along: every mistake at once, with its line and what would be right."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from edge import _resources
from edge.errors import ModelError, SpecInvalid
from edge.models.spec import TEMPLATES, ModelSpec, load_spec
from tests.models.bring import detector_spec, spec_of, write_spec


def problems(path: Path) -> tuple[str, ...]:
    with pytest.raises(SpecInvalid) as caught:
        load_spec(path)
    assert caught.value.exit_code == 3
    return caught.value.problems


def test_the_shipped_example_is_a_spec_and_shows_every_key():
    example = _resources.path("config", "examples/model-spec.yaml")
    spec, text = load_spec(example), example.read_text(encoding="utf-8")
    assert (spec.kind, spec.template) == ("embedder", "arcface-112")
    for name, field in ModelSpec.model_fields.items():
        assert f"\n{field.alias or name}:" in text or f"\n# {name}:" in text, name


def test_the_named_template_is_insightfaces_and_becomes_the_cards(tmp_path):
    card = load_spec(write_spec(tmp_path / "s.yaml", template="arcface-112")).base_card()
    assert card["align"]["template"][0] == [38.2946, 51.6963]
    assert card["align"] == {
        "size": [112, 112],
        "channels": "RGB",
        "template": [*map(list, TEMPLATES["arcface-112"][1])],
    }


PER_CHANNEL = {"mean": [123.7, 116.3, 103.5], "std": [58.4, 57.1, 57.4]}


@pytest.mark.parametrize(
    ("given", "wanted"),
    [
        ({"scale": 1 / 255}, {"mean": 0.0, "std": 255.0}),
        ({"mean": 127.5, "std": 128}, {"mean": 127.5, "std": 128.0}),
        (
            {"mean": [123.7, 116.3, 103.5], "std": [58.4, 57.1, 57.4]},
            {"mean": [123.7, 116.3, 103.5], "std": [58.4, 57.1, 57.4]},
        ),
    ],
)
def test_pixels_are_scaled_by_mean_and_std_or_by_a_factor(given, wanted, tmp_path):
    path = write_spec(tmp_path / "s.yaml", input={"size": [112, 112], "channels": "BGR", **given})
    assert load_spec(path).base_card()["input"] == {"channels": "BGR", **wanted}


@pytest.mark.parametrize(
    ("changes", "text"),
    [
        ({"name": None}, "name: the key is missing"),
        ({"name": "My Model"}, "name: "),
        ({"kind": "classifier"}, "kind: "),
        ({"licence": None}, "licence: the key is missing"),
        ({"intended_use": None}, "intended_use: the key is missing"),
        ({"data": []}, "data: "),
        ({"template": None}, "template: an embedder needs one"),
        ({"template": "arcface"}, "template"),
        ({"template": [[1, 2], [3, 4]]}, "template"),
        (
            {"template": [[0.3, 0.4], [0.6, 0.4], [0.5, 0.6], [0.4, 0.8], [300, 0.8]]},
            "template: a point lies far outside",
        ),
        ({"templat": "arcface-112"}, "unknown key, did you mean template?"),
        ({"input": {"size": [112, 112], "channels": "RGB"}}, "give mean and std, or scale alone"),
        ({"input": {"size": [112, 112], "channels": "RGB", "mean": 1, "std": 1, "scale": 1}}, "give mean and std"),
        ({"input": {"size": [112, 112], "channels": "RGB", "mean": 1, "std": 0}}, "input.std"),
        ({"input": {"size": [112, 112], "channels": "RGBA", "mean": 1, "std": 1}}, "input.channels"),
        ({"input": {"size": [96, 96], "channels": "RGB", "scale": 1}, "template": "arcface-112"}, "has the size"),
        ({"kind": "detector"}, "decode: a detector needs it"),
    ],
)
def test_a_mistake_is_named_at_its_place(changes, text, tmp_path):
    [first, *_] = problems(write_spec(tmp_path / "s.yaml", **changes))
    assert text in first
    assert first.startswith(f"{tmp_path / 's.yaml'}:")


def test_words_that_a_comment_would_cut_short_are_to_be_put_in_quotes(tmp_path):
    file = write_spec(tmp_path / "s.yaml", known_failures=["profiles"], limits=["of set 5"])
    file.write_text(file.read_text().replace("of set 5", "of set #5").replace("- profiles", "- profiles  # and hats"))
    [found] = problems(file)
    assert "limits[0]: '#5' is read as a comment" in found


def test_every_mistake_comes_at_once(tmp_path):
    path = write_spec(tmp_path / "s.yaml", name="A", licence=None, intended_use=None)
    assert len(problems(path)) == 3


def test_a_spec_is_plain_yaml(tmp_path):
    path = tmp_path / "s.yaml"
    for text in ("", "- a", "a: &b 1\nc: *b", "name: {", "x" * 2_000_000):
        path.write_text(text)
        assert problems(path)
    assert problems(tmp_path)
    assert problems(tmp_path / "nowhere.yaml")


def test_a_detectors_spec_has_its_decoding_and_no_template(tmp_path):
    path = tmp_path / "s.yaml"
    path.write_text(yaml.safe_dump(detector_spec(name="other")))
    card = load_spec(path).base_card()
    assert card["decode"]["strides"] == [8, 16]
    assert "align" not in card


LEAF = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8)
ANY = st.recursive(
    LEAF, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4)
)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(key=st.sampled_from(sorted(spec_of())), value=ANY)
def test_whatever_stands_in_a_spec_it_loads_or_is_refused_in_words(key, value, tmp_path):
    path = tmp_path / "s.yaml"
    path.write_text(yaml.safe_dump(spec_of() | {key: value}), encoding="utf-8")
    try:
        told = load_spec(path).base_card()["name"]
    except ModelError as error:
        told = str(error)
    assert told
