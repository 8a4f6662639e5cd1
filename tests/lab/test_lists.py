"""Groups and quality scores from CSV: read exactly, refused with the line; unknown stays unknown."""

from __future__ import annotations

import csv
import io
import re

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.errors import InputError
from edge.lab.lists import MAX_GROUPS, parse_pairs, parse_table, read_groups, read_pairs, read_quality

NAMES = ["Ann/Ann_0001.jpg", "Ann/Ann_0002.jpg", "Bob/Bob_0001.jpg", "Cid/Cid_0001.jpg"]
OWNERS = ["Ann", "Ann", "Bob", "Cid"]


def put(tmp_path, text: str):
    path = tmp_path / "table.csv"
    path.write_text(text, encoding="utf-8")
    return path


def test_people_are_divided_by_each_attribute_and_by_both_together(tmp_path):
    parts = read_groups(put(tmp_path, "person,sex,race\nAnn,f,x\nBob,m,y\nCid,f,\n"), NAMES, OWNERS)
    assert [(part.name, part.labels, part.of.tolist()) for part in parts] == [
        ("sex", ("f", "m"), [0, 0, 1, 0]),
        ("race", ("x", "y"), [0, 0, 1, -1]),
        ("sex x race", ("f, x", "m, y"), [0, 0, 1, -1]),
    ]


def test_pictures_may_be_divided_one_by_one(tmp_path):
    (part,) = read_groups(put(tmp_path, "picture,light\nAnn/Ann_0002.jpg,dark\n"), NAMES, OWNERS)
    assert part.of.tolist() == [-1, 0, -1, -1]


def test_quality_is_a_number_or_unknown(tmp_path):
    scores = read_quality(put(tmp_path, "picture,a,b\nBob/Bob_0001.jpg,0.5,\nCid/Cid_0001.jpg,1e-3,2\n"), NAMES)
    np.testing.assert_equal(scores["a"], [np.nan, np.nan, 0.5, 1e-3])
    np.testing.assert_equal(scores["b"], [np.nan, np.nan, np.nan, 2])


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("", "the first line must be picture or person"),
        ("person\nAnn\n", "the first line must be"),
        ("name,sex\nAnn,f\n", "the first line must be"),
        ("person,sex,sex\nAnn,f,f\n", "the first line must be"),
        ("person,sex\nAnn\n", ":2: 1 cells, not 2"),
        ("person,sex\nDan,f\n", ":2: the set holds no person 'Dan'"),
        ("person,sex\nAnn,f\nAnn,m\n", ":3: 'Ann' stands here twice"),
        ('person,sex\n"Ann,f\n', "this is not CSV"),
    ],
)
def test_a_table_that_does_not_fit_is_refused_with_its_line(tmp_path, text: str, what: str):
    with pytest.raises(InputError, match=re.escape(what)):
        read_groups(put(tmp_path, text), NAMES, OWNERS)


def test_a_column_with_too_many_values_is_no_group(tmp_path):
    names = [f"P{k}/P{k}_0001.jpg" for k in range(MAX_GROUPS + 1)]
    owners = [name.split("/")[0] for name in names]
    text = "person,shoe\n" + "\n".join(f"{owner},{k}" for k, owner in enumerate(owners))
    with pytest.raises(InputError, match="201 groups"):
        read_groups(put(tmp_path, text), names, owners)


@pytest.mark.parametrize("cell", ["good", "nan", "inf", "0,5"])
def test_a_quality_that_is_no_number_is_refused(tmp_path, cell: str):
    with pytest.raises(InputError, match="no number"):
        read_quality(put(tmp_path, f'picture,q\nBob/Bob_0001.jpg,"{cell}"\n'), NAMES)


@given(st.text(alphabet='personicture,AnBobCid"\n\r 01;\ufeff', max_size=120))
def test_whatever_stands_in_a_file_is_a_table_or_a_refusal(text: str):
    try:
        table = parse_table(text, NAMES, OWNERS)
    except InputError:
        return
    assert len(table.cells) == len(NAMES)
    assert {len(row) for row in table.cells} == {len(table.head)}


@given(st.dictionaries(st.sampled_from(["Ann", "Bob", "Cid"]), st.text(max_size=12)))
def test_what_is_written_is_read(values: dict[str, str]):
    text = io.StringIO()
    csv.writer(text).writerows([["person", "word"], *values.items()])
    table = parse_table(text.getvalue(), NAMES, OWNERS)
    assert [row[0] for row in table.cells] == [values.get(owner, "").strip() for owner in OWNERS]


PICTURES = [
    "Ann_A/Ann_A_0001.jpg",
    "Ann_A/Ann_A_0002.png",
    "Bob_B/Bob_B_0001.jpg",
    "Cid_C/Cid_C_0001.jpg",
    "Cid_C/Cid_C_0002.jpg",
]
GOOD = ["2\t1", "Ann_A\t1\t2", "Ann_A\t1\tBob_B\t1", "Cid_C\t1\t2", "Bob_B\t1\tCid_C\t2"]


def test_pairs_folds_and_kinds_are_read():
    listed = parse_pairs("\n".join(GOOD) + "\n", PICTURES)
    assert listed.first.tolist() == [0, 0, 3, 2]
    assert listed.second.tolist() == [1, 2, 4, 4]
    assert listed.same.tolist() == [True, False, True, False]
    assert listed.fold.tolist() == [0, 0, 1, 1]


def test_a_head_with_one_number_is_one_fold():
    listed = parse_pairs("1\nAnn_A 1 2\nAnn_A 2 Cid_C 1", PICTURES)
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
        parse_pairs("\n".join(lines), PICTURES, where="pairs.txt")
    assert caught.value.where in ("pairs.txt", f"pairs.txt:{number}")


words = st.sampled_from(["Ann_A", "Bob_B", "Cid_C", "1", "2", "0003", "-1", "x", "\t", " ", "\n", "1 2", "9" * 30, "é"])


@given(st.lists(words, max_size=30).map(" ".join))
def test_whatever_stands_in_a_list_is_pairs_or_a_refusal(text: str):
    try:
        listed = parse_pairs(text, PICTURES)
    except InputError:
        return
    lines = text.strip().splitlines()
    assert len(listed) == len(lines) - (len(lines[0].split()) < 3)  # a list may begin with its first pair
    assert ((listed.first >= 0) & (listed.second < len(PICTURES)) & (listed.first != listed.second)).all()
    people = [name.split("/")[0] for name in PICTURES]
    assert [people[a] == people[b] for a, b in zip(listed.first, listed.second, strict=True)] == listed.same.tolist()


@given(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 3)), min_size=1, max_size=5), st.integers(1, 4))
def test_pairs_that_are_written_are_read(pairs: list[tuple[int, int]], folds: int):
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
        read_pairs(path, PICTURES)


def test_a_byte_order_mark_and_another_unicode_form_change_nothing(tmp_path):
    import unicodedata

    names = [f"{name}/{name}_{k:04d}.jpg" for name in ("Jos\u00e9", "Zo\u00eb") for k in (1, 2)]
    text = "1\t1\nJos\u00e9\t1\t2\nJos\u00e9\t1\tZo\u00eb\t2\n"
    expected = parse_pairs(text, names)
    for form in ("NFC", "NFD"):
        for start in ("", "\ufeff"):
            path = tmp_path / "pairs.txt"
            path.write_text(start + unicodedata.normalize(form, text), encoding="utf-8")
            assert read_pairs(path, names).second.tolist() == expected.second.tolist()
            groups = put(tmp_path, start + unicodedata.normalize(form, "person,sex\nJos\u00e9,m\n"))
            assert read_groups(groups, names, [name.split("/")[0] for name in names])[0].of.tolist() == [0, 0, -1, -1]


def test_two_pictures_that_differ_in_their_ending_are_never_mistaken_for_each_other():
    names = ["Ann/Ann_0001.jpg", "Ann/Ann_0001.png", "Ann/Ann_0002.jpg", "Bob/Bob_0001.jpg"]
    with pytest.raises(InputError, match=r"Ann/Ann_0001 may be Ann/Ann_0001\.jpg and Ann/Ann_0001\.png") as error:
        parse_pairs("1\nAnn 1 2\nAnn 2 Bob 1", names)
    assert "CSV" in error.value.remedy
    listed = parse_pairs("first,second\nAnn/Ann_0001.png,Ann/Ann_0002.jpg", names)
    assert (listed.first.tolist(), listed.second.tolist()) == ([1], [2])


def test_lists_without_the_first_line_hold_any_number_of_pairs_of_either_kind():
    listed = parse_pairs("Ann_A\t1\t2\nAnn_A\t1\tBob_B\t1\nAnn_A\t2\tCid_C\t1\n", PICTURES)
    assert listed.same.tolist() == [True, False, False]
    assert listed.fold.tolist() == [0, 0, 0]


def test_between_tabs_a_name_may_hold_spaces():
    names = ["Ann A/Ann A_0001.jpg", "Ann A/Ann A_0002.jpg", "Bob/Bob_0001.jpg"]
    listed = parse_pairs("1\nAnn A\t1\t2\nAnn A\t2\tBob\t1", names)
    assert (listed.first.tolist(), listed.second.tolist()) == ([0, 1], [1, 2])


def test_pairs_as_csv_of_uneven_numbers_with_folds():
    rows = [
        "first,second,same,fold",
        "Ann_A/Ann_A_0001.jpg,Ann_A/Ann_A_0002,1,b",
        "lfw/Bob_B/Bob_B_0001,Cid_C/Cid_C_0001.jpg,,a",
        "Ann_A/Ann_A_0001,Bob_B/Bob_B_0001,0,a",
    ]
    listed = parse_pairs("\ufeff" + "\n".join(rows), PICTURES)
    assert listed.first.tolist() == [0, 2, 0]
    assert listed.second.tolist() == [1, 3, 2]
    assert listed.same.tolist() == [True, False, False]
    assert listed.fold.tolist() == [0, 1, 1]


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("first,second\n", "no pair"),
        ("first,second,colour\nAnn_A/Ann_A_0001,Bob_B/Bob_B_0001,red\n", "columns are first, second, same and fold"),
        ("first,second\nAnn_A/Ann_A_0001\n", ":2: 1 cells, not 2"),
        ("first,second\nAnn_A/Ann_A_0001,Ann_A/Ann_A_0001.jpg\n", ":2: a picture is paired with itself"),
        ("first,second,same\nAnn_A/Ann_A_0001,Bob_B/Bob_B_0001,1\n", ":2: same is 1, but the folders say 0"),
        ("first,second\nAnn_A/Ann_A_0009,Bob_B/Bob_B_0001\n", ":2: the set holds no picture Ann_A/Ann_A_0009"),
    ],
)
def test_a_csv_of_pairs_that_does_not_fit_is_refused_with_its_line(text, what):
    with pytest.raises(InputError, match=re.escape(what)):
        parse_pairs(text, PICTURES)


def test_a_misspelt_name_is_told_with_one_that_is_right(tmp_path):
    with pytest.raises(InputError, match="the set holds no person 'ann'") as error:
        read_groups(put(tmp_path, "person,sex\nann,f\n"), NAMES, OWNERS)
    assert "'Ann'" in error.value.remedy


def test_pictures_are_divided_with_the_pairs_between_groups_and_people_without(tmp_path):
    rows = "Ann/Ann_0001.jpg,front\nAnn/Ann_0002.jpg,side\nBob/Bob_0001.jpg,front\n"
    (part,) = read_groups(put(tmp_path, "picture,pose\n" + rows), NAMES, OWNERS)
    assert part.cells == ("front", "side", "front x side")
    pairs = np.array([(0, 1), (0, 2), (1, 1), (2, 3)]).T
    assert part.cell(*pairs).tolist() == [2, 0, 1, -1]
    assert part.members(np.array([0, 0, 1, 2])).tolist() == [[1, 1], [1, 0], [0, 0]]
    (part,) = read_groups(put(tmp_path, "person,sex\nAnn,f\nBob,m\n"), NAMES, OWNERS)
    assert part.cells == ("f", "m")
