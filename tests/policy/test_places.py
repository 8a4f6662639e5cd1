"""Places: what lies in what, and what a declaration leaves open."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.policy.places import LOCALITIES, UNIONS, lies_in, lies_in_any, within


@pytest.mark.parametrize(
    ("inner", "outer"),
    [
        ("US-CA", "US"),
        ("US SFO", "US"),
        ("US SFO", "US-CA"),
        ("FR", "EU"),
        ("FR PAR", "EU"),
        ("US-OR elsewhere", "US-OR"),
    ],
)
def test_a_smaller_place_lies_in_a_larger_one_and_never_the_other_way_round(inner: str, outer: str):
    assert within(inner, outer)
    assert not within(outer, inner)
    assert within(inner, inner)


@pytest.mark.parametrize(
    ("declared", "place", "answer"),
    [
        (["US SFO"], "US-CA", True),
        (["US-CA"], "US SFO", None),  # somewhere in California
        (["US"], "US SFO", None),
        (["US"], "US-IL", None),
        (["US-CA"], "US-IL", False),
        (["US-NV"], "US SFO", False),
        (["US-CA", "US LAX"], "US SFO", False),  # the locality is named, and it is another one
        (["US", "US-OR"], "US SFO", False),
        (["US LAX"], "US-IL", None),  # no table says which state LAX lies in ...
        (["US LAX", "US-CA"], "US-IL", False),  # ... so the declaration does
        (["US-OR elsewhere"], "US PDX", False),
        (["FR"], "US", False),
        (["FR", "US SFO"], "US SFO", True),
        (["GB"], "EU", False),
        (["EU"], "FR", None),
    ],
)
def test_a_declaration_that_is_too_coarse_leaves_the_answer_open(declared: list[str], place: str, answer: bool | None):
    assert lies_in(declared, place) is answer


def test_one_place_of_many_is_enough_and_one_open_one_leaves_it_open():
    assert lies_in_any(["US-IL"], ["FR", "US-IL"]) is True
    assert lies_in_any(["US"], ["FR", "US-IL"]) is None
    assert lies_in_any(["DE"], ["FR", "US-IL"]) is False


def test_there_are_27_member_states():
    assert len(UNIONS["EU"]) == 27


_PLACES = st.sampled_from(["US", "US-CA", "US-OR", "US-IL", "FR", "GB", "US LAX", "US-OR elsewhere", *LOCALITIES])


@given(st.lists(_PLACES, min_size=1, max_size=4), _PLACES, _PLACES)
def test_declaring_one_more_place_never_turns_yes_into_no(declared: list[str], more: str, place: str):
    if lies_in(declared, place) is True:
        assert lies_in([*declared, more], place) is True


@given(st.lists(_PLACES, min_size=1, max_size=4), _PLACES)
def test_what_lies_in_a_part_lies_in_its_country(declared: list[str], place: str):
    if lies_in(declared, place) is True:
        assert lies_in(declared, place[:2]) is True
