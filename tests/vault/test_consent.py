"""The consent receipt: complete, or nobody is enrolled."""

from __future__ import annotations

import contextlib
import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.errors import ConsentMissing, InputError
from edge.vault import ConsentReceipt, parse_serial, serial_text, subject_hash

WHOLE = {
    "subject": "Ada Example",
    "text_version": "2026-11",
    "language": "fr-CA",
    "given": "2026-11-03T10:15:00+01:00",
    "withdrawal": "privacy@example.org",
}


def test_a_complete_record_is_read_from_yaml_and_from_json(tmp_path: Path):
    text = "\n".join(f'{key}: "{value}"' for key, value in WHOLE.items())
    path = tmp_path / "consent.yaml"
    path.write_text(text)
    first, second = ConsentReceipt.read(path), ConsentReceipt.from_text(json.dumps(WHOLE))
    assert first == second
    assert first.given == 1793697300


def test_a_plain_date_is_enough():
    assert ConsentReceipt.from_mapping(WHOLE | {"given": "2026-11-03"}).given == 1793664000


@pytest.mark.parametrize("name", list(WHOLE))
def test_each_missing_field_is_named_with_what_belongs_there(name: str):
    with pytest.raises(ConsentMissing) as refused:
        ConsentReceipt.from_mapping({key: value for key, value in WHOLE.items() if key != name})
    assert f"{name} (" in refused.value.what


def test_everything_that_is_missing_is_named_at_once():
    with pytest.raises(ConsentMissing) as refused:
        ConsentReceipt.from_mapping({})
    assert all(f"{name} (" in refused.value.what for name in WHOLE)


@pytest.mark.parametrize(
    "fields",
    [
        {"given": "yesterday"},
        {"given": "0001-01-01"},
        {"language": "the language of the heart"},
        {"subject": "   "},
        {"subject": ["a", "list"]},
        {"withdrawal": "x" * 201},
        {"photo": "ada.jpg"},
    ],
)
def test_a_field_that_cannot_be_is_refused(fields: dict):
    with pytest.raises(ConsentMissing):
        ConsentReceipt.from_mapping(WHOLE | fields)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        "- a\n- b",
        "subject: a\nsubject: b",
        "a: &x 1\nb: *x",
        "\tsubject: x",
        "{" * 500,
        "x: !!python/name:os",
    ],
)
def test_text_that_is_no_record_is_refused(text: str):
    with pytest.raises(ConsentMissing):
        ConsentReceipt.from_text(text)


def test_files_that_are_none_are_refused(tmp_path: Path):
    (tmp_path / "big").write_bytes(b"a: b\n" * 3_000_000)
    (tmp_path / "binary").write_bytes(bytes(range(256)))
    for path in (tmp_path, tmp_path / "absent", tmp_path / "big", tmp_path / "binary"):
        with pytest.raises(ConsentMissing):
            ConsentReceipt.read(path)


@given(st.text(max_size=200))
def test_any_text_is_a_record_or_a_typed_error(text: str):
    with contextlib.suppress(ConsentMissing):
        ConsentReceipt.from_text(text)


@given(st.dictionaries(st.sampled_from(list(WHOLE)), st.text(max_size=30) | st.integers() | st.none() | st.floats()))
def test_any_answers_are_a_record_or_a_typed_error(values: dict):
    try:
        receipt = ConsentReceipt.from_mapping(values)
    except ConsentMissing:
        return
    assert receipt.subject
    json.loads(receipt.stored("olga", 1))


def test_the_stored_receipt_does_not_say_who():
    receipt = ConsentReceipt.from_mapping(WHOLE)
    stored = receipt.stored("olga", 5)
    assert "Ada" not in stored
    assert "Ada" not in repr(receipt)
    assert json.loads(stored)["operator"] == "olga"


def test_the_hash_of_a_person_is_the_same_however_the_name_is_typed_and_differs_by_device():
    key = bytes(32)
    assert subject_hash("Zoë  Example", key) == subject_hash(" zoe\u0308 example", key)
    assert subject_hash("Ada", key) != subject_hash("Ada", bytes([1]) * 32)
    assert subject_hash("Ada", key) != subject_hash("Bea", key)


def test_a_serial_is_read_as_it_is_printed():
    serial = bytes(range(16))
    assert parse_serial(serial_text(serial)) == serial
    assert parse_serial(serial_text(serial).upper().replace("-", " ")) == serial
    for text in ("", "0011", "g" * 32, "0" * 33, "٠" * 32):
        with pytest.raises(InputError):
            parse_serial(text)
