"""LFW's pairs file: read exactly, refused with the line, and nothing else ever happens."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.errors import InputError
from edge.lab.pairs_file import parse_pairs, read_pairs

NAMES = [
    "Ann_A/Ann_A_0001.jpg",
    "Ann_A/Ann_A_0002.png",
    "Bob_B/Bob_B_0001.jpg",
    "Cid_C/Cid_C_0001.jpg",
    "Cid_C/Cid_C_0002.jpg",
]
GOOD = ["2\t1", "Ann_A\t1\t2", "Ann_A\t1\tBob_B\t1", "Cid_C\t1\t2", "Bob_B\t1\tCid_C\t2"]


def test_pairs_folds_and_kinds_are_read():
    listed = parse_pairs("\n".join(GOOD) + "\n", NAMES)
    assert listed.first.tolist() == [0, 0, 3, 2]
    assert listed.second.tolist() == [1, 2, 4, 4]
    assert listed.same.tolist() == [True, False, True, False]
    assert listed.fold.tolist() == [0, 0, 1, 1]


def test_a_head_with_one_number_is_one_fold():
    listed = parse_pairs("1\nAnn_A 1 2\nAnn_A 2 Cid_C 1", NAMES)
    assert listed.fold.tolist() == [0, 0]


@pytest.mark.parametrize(
    ("number", "line", "what"),
    [
        (1, "two one", "first line"),
        (1, "0 1", "no fold"),
        (1, "3 1", "need 6 lines, not 4"),
        (2, "Ann_A 1", "neither"),
        (2, "Ann_A one two", "neither"),
        (2, "Ann_A 1 9", "holds no picture Ann_A/Ann_A_0009"),
        (2, "Ann_A 1 Bob_B 1", "a pair of one person belongs here"),
        (3, "Ann_A 1 2", "a pair of two people belongs here"),
        (2, "Ann_A 1 1", "paired with itself"),
        (3, "Ann_A 1 Dan_D 1", "holds no picture Dan_D/Dan_D_0001"),
    ],
)
def test_a_line_that_does_not_fit_is_named(number: int, line: str, what: str):
    lines = GOOD.copy()
    lines[number - 1] = line
    with pytest.raises(InputError, match=re.escape(what)) as caught:
        parse_pairs("\n".join(lines), NAMES, where="pairs.txt")
    assert caught.value.where in ("pairs.txt", f"pairs.txt:{number}")


words = st.sampled_from(["Ann_A", "Bob_B", "Cid_C", "1", "2", "0003", "-1", "x", "\t", " ", "\n", "1 2", "9" * 30, "é"])


@given(st.lists(words, max_size=30).map(" ".join))
def test_whatever_stands_in_a_file_is_pairs_or_a_refusal(text: str):
    try:
        listed = parse_pairs(text, NAMES)
    except InputError:
        return
    assert len(listed) == len(text.strip().splitlines()) - 1
    assert ((listed.first >= 0) & (listed.second < len(NAMES)) & (listed.first != listed.second)).all()
    people = [name.split("/")[0] for name in NAMES]
    assert [people[a] == people[b] for a, b in zip(listed.first, listed.second, strict=True)] == listed.same.tolist()


@given(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 3)), min_size=1, max_size=5), st.integers(1, 4))
def test_what_is_written_is_read(pairs: list[tuple[int, int]], folds: int):
    names = [f"P{p}/P{p}_{n:04d}.jpg" for p in range(5) for n in (1, 2)]
    lines = [f"{folds}\t{len(pairs)}"]
    for _ in range(folds):
        lines += [f"P{a}\t2\t1" for a, _ in pairs]
        lines += [f"P{a}\t1\tP{a + 1}\t2" for a, _ in pairs]
    listed = parse_pairs("\n".join(lines), names)
    expected = [(2 * a + 1, 2 * a) for a, _ in pairs] + [(2 * a, 2 * a + 3) for a, _ in pairs]
    assert list(zip(listed.first.tolist(), listed.second.tolist(), strict=True)) == expected * folds


@pytest.mark.parametrize("content", [b"\xff\xfe\x00", None])
def test_a_file_that_cannot_be_read_is_refused(tmp_path, content: bytes | None):
    path = tmp_path / "pairs.txt"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(InputError):
        read_pairs(path, NAMES)
