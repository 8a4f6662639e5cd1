"""Places: what lies in what, and what a declaration leaves open."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.policy.places import (
    LOCALITIES,
    MEMBERS,
    OVERSEAS,
    UNIONS,
    codes,
    lies_in,
    lies_in_any,
    problem,
    territory,
    within,
)
from tests.policy import place_codes


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
        (["US LAX"], "US SFO", False),  # the locality is named, and it is another one
        (["US-CA elsewhere"], "US SFO", False),
        (["US-CA elsewhere"], "US-IL", False),
        (["US", "US-OR"], "US SFO", False),
        (["US LAX"], "US-IL", None),  # no table says which state LAX lies in ...
        (["US LAX", "US-CA"], "US-IL", None),  # ... and a part beside it does not say that it is that one's
        (["US-CA", "US NPV"], "US-IL", None),  # Naperville, Illinois
        (["US-CA", "US NPV"], "US SFO", None),  # California, and nobody said where
        (["US-NY"], "US NYC", None),
        (["US-IL", "US CHI"], "US-IL", True),
        (["US-CA", "US-CA elsewhere"], "US SFO", False),
        (["US-OR elsewhere"], "US PDX", False),
        (["FR"], "US", False),
        (["FR", "US SFO"], "US SFO", True),
        (["GB"], "EU", False),
        (["EU"], "FR", None),
        (["EU", "FR"], "DE", None),
        (["EU"], "EEA", True),
        (["EEA"], "EU", None),
        (["FR"], "RE", None),
        (["NO"], "EU", False),
        (["NO"], "EEA", True),
        (["SJ"], "EEA", None),  # Jan Mayen is in it, Svalbard is not
        (["NO-21"], "EEA", None),
    ],
)
def test_a_declaration_that_is_too_coarse_leaves_the_answer_open(declared: list[str], place: str, answer: bool | None):
    assert lies_in(declared, place) is answer


def test_one_place_of_many_is_enough_and_one_open_one_leaves_it_open():
    assert lies_in_any(["US-IL"], ["FR", "US-IL"]) is True
    assert lies_in_any(["US"], ["FR", "US-IL"]) is None
    assert lies_in_any(["DE"], ["FR", "US-IL"]) is False


def test_there_are_27_member_states():
    assert len(MEMBERS) == 27


@pytest.mark.parametrize(
    ("place", "eu", "eea"),
    [
        *(
            (code, True, True)
            for code in ("RE", "GP", "MQ", "GF", "YT", "MF", "AX", "FR-974", "FR-971", "FR-YT", "FI-01")
        ),
        *((code, True, True) for code in ("PT-20", "PT-30", "ES-CN", "RE RUN", "FR-PDL", "FR PAR", "FR-971 elsewhere")),
        *((code, False, True) for code in ("NO", "IS", "LI", "NO-03", "NO OSL")),
        *((code, False, False) for code in ("NC", "PF", "WF", "PM", "BL", "TF", "FR-NC", "FR-PF", "NC NOU")),
        *(
            (code, False, False)
            for code in ("AW", "NL-AW", "NL-BQ1", "CW", "SX", "GL", "FO", "GI", "IM", "JE", "GB", "CH")
        ),
    ],
)
def test_the_law_of_the_union_holds_where_its_treaties_say(place: str, eu: bool, eea: bool):
    assert problem(place) == ""
    assert (lies_in([place], "EU"), lies_in([place], "EEA")) == (eu, eea)


@pytest.mark.parametrize(("one", "other"), [("RE", "FR-RE"), ("RE", "FR-974"), ("PR", "US-PR"), ("AX", "FI-01")])
def test_a_part_with_a_country_code_of_its_own_is_one_place_under_all_its_codes(one: str, other: str):
    assert within(one, other)
    assert within(other, one)
    assert within(one, other[:2]), "and lies in its country"
    assert not within(other[:2], one)


@pytest.mark.parametrize(
    ("place", "words"),
    [
        ("EL", "ISO 3166 writes it GR"),
        ("UK", "ISO 3166 writes it GB"),
        ("UK LON", "ISO 3166 writes it GB LON"),
        ("UK-ENG", "ISO 3166 writes it GB-ENG"),
        ("EL elsewhere", "is no place such as"),
        ("IC", "ISO 3166 writes ES-CN"),
        ("EA", "ISO 3166 writes ES-CE or ES-ML"),
        ("YU", "ISO 3166 writes RS or ME"),
        ("QQ", "ISO 3166-1 has no country QQ"),
        ("QQ ABC", "ISO 3166-1 has no country QQ"),
        ("ZZ-01", "ISO 3166-1 has no country ZZ"),
        ("US-ZZ", "no such part of US; it has US-AK, US-AL"),
        ("SI-ABC", "SI-012 and 200 more"),
        ("XI BEL", "ISO 3166 writes GB-NIR"),
        ("US-ZZ elsewhere", "no such part of US"),
        ("CA-QB", "CA-QC"),
        ("AI-01", "no such part of AI; write AI"),
        ("fr", "capital letters"),
        ("FRA", "is no place such as"),
        ("US-", "is no place such as"),
        ("US  SFO", "is no place such as"),
        ("", "is no place such as"),
        (None, "is no place such as"),
        (7, "is no place such as"),
        (True, "is no place such as"),
    ],
)
def test_a_code_that_is_no_place_is_refused_with_the_right_one(place: object, words: str):
    assert words in problem(place)


@given(st.text(max_size=12) | st.from_regex(r"[A-Z]{2}([ -][A-Z0-9]{1,3})?( elsewhere)?", fullmatch=True))
def test_what_is_a_place_has_a_country_that_exists(text: str):
    if not problem(text):
        assert territory(text) in codes() or text in UNIONS or text[:2] == "XK"


def test_every_code_of_the_tables_exists():
    assert len(codes()) == 249
    for place in (*MEMBERS, *LOCALITIES, *LOCALITIES.values(), *OVERSEAS, *OVERSEAS.values(), *(UNIONS["EEA"])):
        assert problem(place) == "", place
    assert all(parts == tuple(sorted(set(parts))) for parts in codes().values())


@pytest.mark.parametrize("place", ["FR-75C", "FR-75", "FR-6AE", "NO-32", "NO-30", "IN-OD", "LV-111", "ET-SI"])
def test_parts_are_known_by_their_newest_code_and_by_the_one_before(place: str):
    assert problem(place) == ""


def test_the_codes_are_those_of_the_named_source():
    assert place_codes.FILE.read_text().startswith(place_codes.HEAD)
    if (place_codes.LISTS / "iso_3166-2.json").exists() and "4.15" in place_codes.HEAD:
        own = set(place_codes.made().splitlines()) ^ set(place_codes.FILE.read_text().splitlines())
        assert len(own) < 60, "another version of iso-codes differs in a few lines, not in most"


_PLACES = st.sampled_from(["US", "US-CA", "US-OR", "US-IL", "FR", "GB", "RE", "US LAX", "US-OR elsewhere", *LOCALITIES])


@given(st.lists(_PLACES, min_size=1, max_size=4), _PLACES, _PLACES)
def test_declaring_one_more_place_never_turns_yes_into_no(declared: list[str], more: str, place: str):
    if lies_in(declared, place) is True:
        assert lies_in([*declared, more], place) is True


@given(st.lists(_PLACES, min_size=1, max_size=4), _PLACES)
def test_what_lies_in_a_part_lies_in_its_country(declared: list[str], place: str):
    if lies_in(declared, place) is True:
        assert lies_in(declared, place[:2]) is True
