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
from edge.lab.table_file import MAX_GROUPS, parse_table, read_groups, read_quality

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
