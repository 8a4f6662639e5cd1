"""The YAML core: data and positions, nothing that surprises, and never any other exception than none."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from pathlib import Path

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from edge.settings.problems import Place, Problem, dotted, shown
from edge.settings.yaml_core import MAX_BYTES, load, parse


def texts(text: str) -> list[str]:
    return [str(problem) for problem in parse(text, "f")[1]]


def data(text: str) -> dict[str, object]:
    document, problems = parse(text, "f")
    assert not problems
    assert document is not None
    return document.data


def test_every_key_and_value_has_its_place():
    document, problems = parse("camera:\n  fps: 10\n  sizes: [1, 2]\n", "f")
    assert not problems
    assert document is not None
    assert document.data == {"camera": {"fps": 10, "sizes": [1, 2]}}
    assert document.place(("camera", "fps")) == Place(2, 8)
    assert document.place(("camera", "fps"), key=True) == Place(2, 3)
    assert document.place(("camera", "sizes", 1)) == Place(3, 14)
    assert document.place(("camera", "missing", "deeper")) == Place(1, 1)


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("no", "no"), ("yes", "yes"), ("on", "on"), ("Off", "Off"), ("y", "y"),
        ("true", True), ("False", False), ("TRUE", True),
        ("1e-4", 0.0001), ("1E3", 1000.0), ("+.5", 0.5), ("5.", 5.0), ("-1.5e-3", -0.0015),
        ("010", 10), ("0o17", 15), ("0x1F", 31), ("-7", -7), ("1_000", "1_000"),
        ("12:30", "12:30"), ("190:20:30", "190:20:30"), ("2020-06-10", "2020-06-10"),
        ("~", None), ("", None), ("null", None), ("'12'", "12"), ('"true"', "true"), ("=", "="), ("-", None),
    ][:-1],
)  # fmt: skip
def test_bare_words_mean_what_yaml_1_2_says(written: str, meant: object):
    value = data(f"a: {written}")["a"]
    assert value == meant
    assert type(value) is type(meant)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("a: 1\nb: 2\na: 3\n", "f:3:1: a: the key is given twice, first at line 1, column 1, allowed: once"),
        ("x: {a: 1, a: 2}", "f:1:11: x.a: the key is given twice, first at line 1, column 5, allowed: once"),
        ("a: &x 1", "f:1:4: a: anchors (&name) are not supported, allowed: the value itself"),
        ("a: *x", "f:1:4: a: aliases (*name) are not supported, allowed: the value itself"),
        ("a: !!python/object:os.system {}", "f:1:4: a: tags (!name) are not supported, allowed: the value itself"),
        ("b: {<<: {a: 1}}", "f:1:5: b: merge keys (<<) are not supported, allowed: the values themselves"),
        ("1: x", "f:1:1: the key 1 is not text, allowed: a word as key"),
        ("? [a]\n: x", "f:1:3: a list or section stands where a key belongs, allowed: a word as key"),
        ("\ta: 1", "f:1:1: a tab in the indentation, allowed: spaces"),
        ("a:\n  b: 1\n \tc: 2", "f:3:2: a tab in the indentation, allowed: spaces"),
        ("a:\tb", "f:1:3: a: a tab stands where a value begins; use spaces"),
        ("a: 1\n---\nb: 2", "f:2:1: a second document begins here, allowed: one document a file"),
        ("%YAML 1.1\n---\na: 1", "f:1:1: directives (lines that begin with %) are not supported"),
        ("- a\n- b", "f:1:1: the top level must be `key: value` lines"),
        ("word", "f:1:1: the top level must be `key: value` lines"),
        ("", "f:1:1: the file is empty, allowed: `key: value` lines"),
        ("# only a remark\n", "f:1:1: the file is empty, allowed: `key: value` lines"),
        ("a: .nan", "f:1:4: a: infinity and 'not a number' are not allowed; put it in quotes if it is text"),
        ("a: 1e999", "f:1:4: a: the number is too large; put it in quotes if it is text"),
        ("a: " + "9" * 5000, "f:1:4: a: a number of more than 40 characters; put it in quotes if it is text"),
        ("a: 'open", "f:1:4: a: a quote is opened and never closed"),
        ("a: b: c", "f:1:5: a colon stands where none can be; check the indentation, or quote the text"),
        ("a: [1, 2", "f:1:4: a: a list or section in brackets is not closed, or a comma is missing"),
        ("a: @b", "f:1:4: a: a value cannot begin with this character; put it in quotes"),
        ("a: x\x00y", "f:1:5: control character U+0000"),
        ("a: x\n" + "\0" * 4096, "f:2:1: control character U+0000, 4,096 times"),
        ("a:\n  b:\u00a0c\n  d: 1", "f:2:5: a no-break space behind a colon, allowed: a space"),
        ("a:\n  b:\u00a0c\n", "f:2:5: a: a no-break space behind a colon, allowed: a space"),
        ("a:\n  -\u2009c\n", "f:2:4: a: the character U+2009 behind a dash, allowed: a space"),
        ("a:\n  b\uff1ac\n  d: 1", "f:2:4: the character U+FF1A in place of a colon, allowed: a colon and a space"),
        ("a: {b\u00a0c: 1}", 'f:1:5: a: a no-break space in the key "b\\u00a0c", allowed: a word as key'),
        ("a\u200b: 1", 'f:1:1: the character U+200B in the key "a\\u200b", allowed: a word as key'),
        ('a: "\\0"', "f:1:4: a: the text holds the control character U+0000"),
        ('a: "\\ud800"', "f:1:4: a: the text holds the control character U+D800"),
        ('a: "\\U00110000"', "f:1:7: a: this is not YAML (ValueError)"),
    ],
)  # fmt: skip
def test_each_trap_is_one_problem_at_its_place(text: str, told: str):
    assert texts(text) == [told]


def test_all_problems_that_can_be_told_are_told_at_once_and_the_rest_stays_readable():
    document, problems = parse("a: &x 1\nb: *x\nc: 1\nc: {d: 2}\nlist: [1, *x, 3]\ne: fine\n", "f")
    assert [problem.line for problem in problems] == [1, 2, 4, 5]
    assert document is not None
    assert document.data == {"a": 1, "c": 1, "list": [1, None, 3], "e": "fine"}


def test_every_line_with_a_tab_is_told():
    assert len(texts("a:\n\tb: 1\n\tc: 2\n")) == 2


@pytest.mark.parametrize(
    "text", ["[" * 100_000, "{a: " * 50_000, "- " * 100_000, "".join(" " * i + "a:\n" for i in range(400))]
)
def test_deep_nesting_is_a_message_and_neither_a_recursion_error_nor_a_wait(text: str):
    start = time.monotonic()
    assert "nested too deeply, allowed: at most 20 levels" in texts(text)[0]
    assert time.monotonic() - start < 5


def test_too_many_values_are_refused_before_they_are_all_read():
    assert texts("a: [" + "1," * 100_000 + "]") == ["f:1:39999: a: more than 20,000 values"]


def test_a_flood_of_problems_is_cut():
    assert len(texts("\n".join(f"{number}: x" for number in range(1000)))) == 100


def test_a_large_file_is_refused_without_reading_it_all(tmp_path: Path):
    file = tmp_path / "large.yaml"
    file.write_bytes(b"a: 1\n" * 2_000_000)
    start = time.monotonic()
    document, problems = load(file)
    assert document is None
    assert str(problems[0]) == f"{file}: the file is too large, allowed: at most {MAX_BYTES:,} bytes"
    assert time.monotonic() - start < 1


def test_what_is_not_utf_8_is_told_with_its_place(tmp_path: Path):
    file = tmp_path / "latin.yaml"
    file.write_bytes("a: 1\nb: caf\u00e9\n".encode("latin-1"))
    assert str(load(file)[1][0]) == f"{file}:2:7: this is not UTF-8 text, allowed: a YAML file in UTF-8"
    file.write_bytes("a: 1\n".encode("utf-16"))
    assert "not UTF-8" in str(load(file)[1][0])


def test_a_byte_order_mark_and_windows_line_ends_are_read(tmp_path: Path):
    file = tmp_path / "windows.yaml"
    file.write_bytes(b"\xef\xbb\xbfa: 1\r\nb: 2\r\n")
    document, problems = load(file)
    assert not problems
    assert document is not None
    assert document.data == {"a": 1, "b": 2}
    assert document.place(("b",)) == Place(2, 4)


@pytest.mark.parametrize("name", [".", "missing.yaml", "nul\0.yaml", "/dev/zero"])
def test_what_is_no_readable_file_is_one_problem(tmp_path: Path, name: str):
    document, problems = load(tmp_path / name)
    assert document is None
    assert len(problems) == 1
    assert "\n" not in str(problems[0])


def test_a_key_is_shown_on_one_short_line_whatever_it_holds():
    assert dotted(("claim", "readers", 0)) == "claim.readers[0]"
    assert dotted(("a\nb",)) == '"a\\nb"'
    assert len(dotted(("x" * 10_000,))) <= 40
    assert len(shown("x" * 10_000)) == 40


def test_the_core_needs_neither_pydantic_nor_numpy():
    code = "import sys, edge.settings.yaml_core; print([m for m in ('pydantic', 'numpy') if m in sys.modules])"
    answer = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert answer.stdout.strip() == "[]"


@given(st.text())
def test_any_text_is_a_document_or_problems(text: str):
    document, problems = parse(text, "f")
    assert document is not None or problems
    assert all("\n" not in str(problem) for problem in problems)


YAML_BITS = st.lists(
    st.sampled_from([
        "a", "b", ": ", ":", "\n", "  ", " ", "- ", "[", "]", "{", "}", ", ", "&x", "*x", "!t", "!!str", "|", ">",
        "'", '"', "\\", "\\U00110000", "\\x", "#", "%YAML", "%TAG ! x\n", "---", "...", "?", "? ", "<<", "1e-4", "|2\n",
        "\r", "\x85", "\u2028", "\ufeff", "\0", "\ud800", "0x", "=", "@", "`", "~", "\t",
    ]),
    max_size=30,
).map("".join)  # fmt: skip


@settings(max_examples=400)
@given(YAML_BITS)
def test_any_soup_of_yaml_is_a_document_or_problems(text: str):
    document, problems = parse(text, "f")
    assert document is not None or problems
    assert all(isinstance(problem, Problem) for problem in problems)


@given(st.binary(max_size=200))
def test_any_file_is_a_document_or_problems(tmp_path_factory: pytest.TempPathFactory, raw: bytes):
    file = tmp_path_factory.getbasetemp() / "any.yaml"
    file.write_bytes(raw)
    document, problems = load(file)
    assert document is not None or problems


WORDS = st.text(st.characters(codec="utf-8", categories=["L", "N", "P", "S", "Zs"]), max_size=20)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**9), 10**9) | st.floats(allow_nan=False, allow_infinity=False) | WORDS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(WORDS, inner, max_size=4),
    max_leaves=8,
)


@given(st.dictionaries(WORDS, VALUES, min_size=1, max_size=5))
def test_what_pyyaml_writes_with_quotes_is_read_back(value: dict[str, object]):
    text = yaml.safe_dump(value, allow_unicode=True, default_style='"', width=10_000)
    for tag in ("!!int ", "!!float ", "!!bool ", "!!null "):  # safe_dump tags quoted values that are not text
        if tag in text:
            return
    assert data(text) == value


@given(st.dictionaries(st.from_regex(r"[a-z]{1,8}", fullmatch=True), VALUES, min_size=1, max_size=5))
def test_json_is_yaml(value: dict[str, object]):
    assert data(json.dumps(value, ensure_ascii=False)) == value


@pytest.mark.parametrize(
    ("sign", "name"),
    [
        ("\t", "a tab"),
        ("\u00a0", "a no-break space"),
        ("\u3000", "the character U+3000"),
        ("\u2003", "the character U+2003"),
    ],
)
def test_what_looks_like_indentation_and_is_none_is_told_at_its_place(sign: str, name: str):
    assert texts(f"camera:\n  {sign}fps: 1\n") == [f"f:2:3: {name} in the indentation, allowed: spaces"]
    if sign != "\t":
        assert data(f"a: b{sign}c\n") == {"a": f"b{sign}c"}, "within a text it is part of it"


def test_no_break_spaces_inside_texts_are_part_of_them():
    for text in ("Sonnez\u00a0!", "- \u00a0", "Note:\u00a0 x"):
        assert data(f"a: '{text}'\nb: |\n  b:\u00a0{text}") == {"a": text, "b": f"b:\u00a0{text}"}


def test_json_may_be_set_with_tabs():
    assert data('{\n\t"a":\t"1",\n\t"b": {\n\t\t"c": 2\n\t}\n}\n') == {"a": "1", "b": {"c": 2}}
    assert texts('{\n\ta: "b\tc"}') == ["f:2:1: a tab in the indentation, allowed: spaces"]


@pytest.mark.parametrize("coding", ["utf-16", "utf-16-le", "utf-16-be", "utf-32", "utf-32-le", "utf-32-be"])
def test_utf_16_is_one_line(tmp_path: Path, coding: str):
    file = tmp_path / "wide.yaml"
    file.write_bytes("camera:\n  fps: 10\n".encode(coding))
    document, problems = load(file)
    assert document is None
    assert [str(problem) for problem in problems] == [
        f"{file}: this is {coding[:6].upper()}, not UTF-8 text, allowed: a YAML file in UTF-8"
    ]
