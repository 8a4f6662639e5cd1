"""The consent receipt: complete, or nobody is enrolled."""

from __future__ import annotations

import contextlib
import json
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.errors import ConsentMissing, InputError
from edge.settings.model import Schedule
from edge.vault import ConsentReceipt, parse_serial, serial_text, subject_hash, zone_of
from edge.vault.consent import one_form

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
        assert ConsentReceipt.from_text(text).subject


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


@pytest.mark.parametrize("name", ["subject", "text_version", "withdrawal", "given"])
@pytest.mark.parametrize("written", ["00421", "2026.10", "0800", "12E4", "+0042", "Null", "~", "true", "0x1F", ".5"])
def test_text_that_yaml_would_read_otherwise_is_to_be_put_in_quotes(name: str, written: str):
    lines = [f"{key}: {written if key == name else json.dumps(value)}" for key, value in WHOLE.items()]
    with pytest.raises(ConsentMissing) as refused:
        ConsentReceipt.from_text("\n".join(lines))
    assert f"{name} (line {list(WHOLE).index(name) + 1}, column" in refused.value.what
    assert "put it in quotes" in refused.value.what
    quoted = ConsentReceipt.from_text("\n".join(lines).replace(written, f'"{written}"')) if name != "given" else None
    assert quoted is None or getattr(quoted, name) == written


@pytest.mark.parametrize("written", ["reception, desk #5", "reception,\n  desk #5", "reception, desk # 5", "desk #"])
def test_text_that_a_comment_would_cut_short_is_to_be_put_in_quotes(written: str):
    lines = [f"{key}: {written if key == 'withdrawal' else json.dumps(value)}" for key, value in WHOLE.items()]
    with pytest.raises(ConsentMissing, match=r":\d+:13: withdrawal: '#.*read as a comment.*quotes"):
        ConsentReceipt.from_text("\n".join(lines))
    kept = ConsentReceipt.from_text("\n".join(lines).replace(written, json.dumps("reception, desk #5")))
    assert kept.withdrawal == "reception, desk #5"
    ConsentReceipt.from_text("\n".join(lines).replace(written, "reception  # not the desk"))


@pytest.mark.parametrize("written", ["12:30", "no", "2026-11", "1_000", "a  b"])
def test_other_text_is_kept_exactly_as_it_is_written(written: str):
    receipt = ConsentReceipt.from_text(
        "\n".join(f"{key}: {value}" for key, value in (WHOLE | {"subject": written}).items())
    )
    assert receipt.subject == written


SAME = [
    ("Ayşe Işık", "AYŞE IŞIK"),
    ("İnci Demir", "inci demir"),
    ("İnci", "I\u0307nci"),
    ("İNCİ".lower(), "inci"),
    ("علی کریمی", "علي كريمي"),
    ("۱۲۳", "123"),
    ("٤٢", "۴۲"),
    ("O’Neill", "O'Neill"),
    ("O´Neill", "oʼneill"),
    ("Anne\u2010Marie", "Anne\u2011Marie"),
    ("Anne–Marie", "anne-marie"),
    ("\u200fיעל\u200e", "יעל"),
    ("Ada\u200b Example", "Ada\u00a0Example"),
    ("Ada\u00ad\ufeff", "ADA"),
    ("ﬁona", "Fiona"),
    ("STRASSE", "straße"),
    ("رئیس", "ري\u0654يس"),
    ("خانۀ", "خانه\u0654"),
    ("فاطمۃ", "فاطمة"),
    ("Ștefan Ţepeş", "Ştefan Țepeș"),
    ("葛\U000e0100城", "葛城"),
    ("김\u3164민", "김민"),
    ("Ο\u1fbdΝιλ", "Ο'Νιλ"),
]


@pytest.mark.parametrize(("one", "other"), SAME)
def test_one_name_is_one_person_whatever_keyboard_wrote_it(one: str, other: str):
    assert subject_hash(one, bytes(32)) == subject_hash(other, bytes(32))


@pytest.mark.parametrize(
    ("one", "other"),
    [("Şule", "Sule"), ("José", "Jose"), ("Ann Marie", "Anne-Marie"), ("Ada", "Ada 2"), ("آرش", "ارش"), ("ے", "ی")],
)
def test_marks_that_tell_people_apart_stay(one: str, other: str):
    assert subject_hash(one, bytes(32)) != subject_hash(other, bytes(32))


@given(st.text(max_size=40))
def test_the_form_of_a_name_is_final(name: str):
    assert one_form(one_form(name)) == one_form(name)


def test_a_date_without_time_is_the_place_s(monkeypatch: pytest.MonkeyPatch):
    day = WHOLE | {"given": "2026-11-03", "until": "2026-11-04"}
    here = ConsentReceipt.from_mapping(day, zone="Pacific/Honolulu")
    utc = ConsentReceipt.from_mapping(day)
    assert (here.given - utc.given, here.until - utc.until) == (36_000, 36_000)
    here.check(utc.until)  # the day has not begun there
    assert json.loads(here.stored("kim", 1))["zone"] == "Pacific/Honolulu"
    monkeypatch.setenv("TZ", "Pacific/Honolulu")
    assert zone_of(None) == "Pacific/Honolulu"
    assert zone_of(Schedule(timezone="Europe/Paris")) == "Europe/Paris"
    monkeypatch.setenv("TZ", ":right/Europe/Paris")  # as /etc/localtime may be linked
    assert zone_of(None) == "Europe/Paris"
    monkeypatch.setenv("TZ", "no/such/zone")
    assert ZoneInfo(zone_of(None))
