"""What an entry may hold: a closed set of kinds and fields, none of which fits a secret, a score or a picture."""

from __future__ import annotations

import base64
import json
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.errors import JournalBroken
from edge.journal import KINDS, Entry
from edge.journal.kinds import check
from edge.types import Custody, Decision, Fault, Outcome, Profile, Reason

KEY = bytes(range(32))


def test_a_decision_is_written_without_its_score(journal, folder):
    decision = Decision(
        Outcome.REJECT,
        Reason.NOT_MATCHING,
        1e-4,
        frames_looked_at=12,
        looks=3,
        timings_ms={"session": 812.7},
        score=0.123456,
        threshold=0.654321,
        serial="0" * 32,
        credential=2**64 - 1,
        session="abcd",
    )
    fields = journal.decided(decision).fields
    assert fields == {
        "outcome": "reject",
        "reason": "not_matching",
        "serial": "0" * 32,
        "credential": 2**64 - 1,
        "session": "abcd",
        "frames": 12,
        "looks": 3,
        "session_ms": 812,
    }
    content = (folder / "journal.jsonl").read_text()
    assert "123456" not in content
    assert "654321" not in content
    assert journal.verify().ok


def test_a_decision_about_an_unreadable_token_is_written_too(journal):
    entry = journal.decided(Decision(Outcome.REJECT, Reason.TOKEN_INVALID, 1e-4))
    assert entry.fields["serial"] == ""
    assert "credential" not in entry.fields


@pytest.mark.parametrize(
    ("kind", "fields"),
    [
        ("picture", {}),
        ("decision", {"score": 1}),
        ("decision", {"outcome": "maybe"}),
        ("decision", {"reason": "because"}),
        ("decision", {"looks": 0.5}),
        ("decision", {"looks": True}),
        ("decision", {"looks": -1}),
        ("decision", {"serial": "0" * 31}),
        ("decision", {"serial": "A" * 32}),
        ("revoked", {"operator": ""}),
        ("revoked", {"operator": "x" * 33}),
        ("revoked", {"operator": "a\nb"}),
        ("revoked", {"operator": b"olga"}),
        ("revoked", {"operator": None}),
        ("fault", {"fault": "gremlins"}),
        ("selftest", {"passed": 1}),
    ],
)
def test_nothing_outside_the_closed_set_is_written(journal, folder, kind, fields):
    before = (folder / "journal.jsonl").read_bytes()
    with pytest.raises(JournalBroken) as refused:
        journal.write(kind, **fields)
    assert not any(str(value) in str(refused.value) for value in fields.values() if len(str(value)) > 8)
    assert (folder / "journal.jsonl").read_bytes() == before


def test_no_field_of_any_kind_takes_a_secret_an_embedding_or_a_score():
    dice = random.Random(3)
    secret, vector = dice.randbytes(32), dice.randbytes(128)
    forbidden: list[object] = [0.5, -0.25, secret, vector, list(vector), {"a": 1}, None]
    for data in (secret, vector):
        forbidden += [data.hex(), base64.b64encode(data).decode(), base64.b85encode(data).decode()]
        forbidden += [data.decode("latin-1"), int.from_bytes(data, "big"), json.dumps(list(data))]
    tried = 0
    for kind, fields in KINDS.items():
        for name in fields:
            for value in forbidden:
                tried += 1
                with pytest.raises(JournalBroken):
                    check(kind, {name: value})  # type: ignore[dict-item]
    assert tried > 1000


def test_every_member_of_the_closed_enumerations_can_be_written():
    for name, members in (("outcome", Outcome), ("reason", Reason)):
        for member in members:
            check("decision", {name: member.value})
    for fault in Fault:
        check("fault", {"fault": fault.value})
    for custody in Custody:
        check("enrolled", {"custody": custody.value})
    for profile in Profile:
        check("started", {"profile": profile.value})


@given(st.binary(max_size=300))
def test_the_parser_raises_value_error_and_nothing_else(line: bytes):
    with pytest.raises(ValueError):
        Entry.parse(line)


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)


@given(
    st.fixed_dictionaries(dict.fromkeys(("seq", "at", "kind", "fields", "prev", "hash", "mac"), _JSON)),
    st.booleans(),
)
def test_a_line_that_looks_like_an_entry_is_one_or_a_value_error(data: dict, compact: bool):
    line = json.dumps(data, sort_keys=True, separators=(",", ":") if compact else None).encode()
    try:
        entry = Entry.parse(line)
    except ValueError:
        return
    assert entry.line() == line + b"\n"
    assert not entry.genuine(KEY)


@pytest.mark.parametrize("line", [b"[" * 100_000, b"[" * 3000, b"1" * 5000, b'{"seq":NaN}', b"", b"\xff", b"9" * 4500])
def test_hostile_lines_are_value_errors(line: bytes):
    with pytest.raises(ValueError):
        Entry.parse(line)


@given(
    st.integers(1, 2**63),
    st.integers(0, 2**40),
    st.dictionaries(st.text(max_size=9), st.text(max_size=20) | st.integers() | st.booleans(), max_size=5),
)
def test_an_entry_reads_as_it_was_written(seq: int, at: int, fields: dict):
    entry = Entry.make(seq, at, "fault", fields, "0" * 64, KEY)
    if len(entry.line()) > 4096:
        return
    again = Entry.parse(entry.line()[:-1])
    assert again == entry
    assert again.genuine(KEY)
    assert not again.genuine(bytes(32))


def test_an_operator_s_name_may_be_written_in_any_script(journal):
    for name in ("Zoë", "Łukasz Ż.", "王小明", "O'Brien", "😀"):
        journal.write("reset", serial="0" * 32, operator=name)
    assert journal.verify().ok
    assert journal.last(1)[0].fields["operator"] == "😀"
