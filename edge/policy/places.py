"""Which place lies in which: countries, their parts, localities. Three-valued, since a declaration may be too coarse.

    within("US SFO", "US-CA")                      # True
    lies_in(["US-CA"], "US SFO")                   # None: somewhere in California; it may be San Francisco
    lies_in(["US-CA", "US LAX"], "US SFO")         # False: the locality is named, and it is another one
    lies_in(["US-OR elsewhere"], "US PDX")         # False: in Oregon, in none of the localities that a pack names

Codes are ISO 3166-1 (``FR``), ISO 3166-2 (``US-CA``) and UN/LOCODE with a space (``"US SFO"``). A part lies in the
country that its code begins with. Which part a locality lies in is in no code, so the localities that packs name stand
in a table here, and no other locality needs to: naming it is enough to say that it is none of these. ``EU`` (a code
that ISO 3166 reserves) holds the member states.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

#: Locality -> the part of its country it lies in.
LOCALITIES: Mapping[str, str] = {"US SFO": "US-CA", "US PDX": "US-OR", "US CHI": "US-IL", "US SEA": "US-WA"}

#: Member states (europa.eu, list of the 27 countries; GR is Greece in ISO 3166).
UNIONS: Mapping[str, frozenset[str]] = {
    "EU": frozenset(
        "AT BE BG CY CZ DE DK EE ES FI FR GR HR HU IE IT LT LU LV MT NL PL PT RO SE SI SK".split()  # noqa: SIM905
    )
}
ELSEWHERE = " elsewhere"


def country(place: str) -> str:
    """``US`` of ``US``, ``US-CA``, ``US SFO``."""
    return place[:2]


def part(place: str) -> str:
    """The country's part that a place names or is known to lie in; empty when neither."""
    if place.endswith(ELSEWHERE):
        return place.removesuffix(ELSEWHERE)
    return place if "-" in place else LOCALITIES.get(place, "")


def locality(place: str) -> str:
    """The locality that a place names; ``US-OR elsewhere`` names one that no pack knows; empty when none."""
    return place if " " in place else ""


def within(inner: str, outer: str) -> bool:
    """Whether everything in ``inner`` is known to lie in ``outer``."""
    if inner == outer or outer == country(inner):
        return True
    if outer in UNIONS:
        return country(inner) in UNIONS[outer]
    return outer == part(inner)


def lies_in(declared: Sequence[str], place: str) -> bool | None:
    """Whether one of the declared places lies in ``place``; None when it may.

    Args:
        declared: all places of a deployment, at every level that its declaration names.
        place: the place of a rule.
    """
    if any(within(one, place) for one in declared):
        return True
    if any(one in UNIONS and country(place) in UNIONS[one] for one in declared):
        return None
    beside = [one for one in declared if country(one) == country(place)]
    if place in UNIONS or len(place) == 2 or not beside:
        return False  # every code tells its country
    parts, localities = {part(one) for one in beside} - {""}, [one for one in beside if locality(one)]
    if not parts and not localities:
        return None  # the country alone
    if not locality(place):
        return None if not parts else False  # a locality whose part nobody here knows, or other parts
    coarse = parts - {part(one) for one in localities}
    if any(not part(one) for one in localities):
        return False  # a locality is named, and it lies in one of the parts named beside it
    return None if part(place) in coarse or (not part(place) and coarse) else False


def lies_in_any(declared: Sequence[str], places: Iterable[str]) -> bool | None:
    """`lies_in` for several places: True when in one, None when it may be in one."""
    answers = [lies_in(declared, place) for place in places]
    if True in answers:
        return True
    return None if None in answers else False
