"""Base45 as RFC 9285 says, and no second spelling of anything."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.claim.base45 import ALPHABET, decode, encode


@pytest.mark.parametrize(
    ("data", "text"),
    [(b"AB", "BB8"), (b"Hello!!", "%69 VD92EX0"), (b"base-45", "UJCLQE7W581"), (b"ietf!", "QED8WEX0"), (b"", "")],
)
def test_the_rfc_s_vectors(data: bytes, text: str):
    assert encode(data) == text
    assert decode(text) == data


@pytest.mark.parametrize("text", ["GGW", ":::", "::", "B", "BB8B", "ab", "BB8\n", "BBÄ", "B B8 x"])
def test_overflow_lone_characters_and_other_alphabets_are_refused(text: str):
    with pytest.raises(ValueError):
        decode(text)


@given(st.binary(max_size=500))
def test_what_is_written_is_read_back_and_never_ends_in_a_space(data: bytes):
    text = encode(data)
    assert decode(text) == data
    assert not text.endswith(" ")


@given(st.text(alphabet=ALPHABET, max_size=60))
def test_a_text_that_is_read_is_the_only_spelling_of_its_bytes(text: str):
    try:
        data = decode(text)
    except ValueError:
        return
    assert encode(data) == text


@given(st.text(max_size=60))
def test_any_other_text_is_a_value_error(text: str):
    try:
        decode(text)
    except ValueError:
        return
    assert set(text) <= set(ALPHABET)
