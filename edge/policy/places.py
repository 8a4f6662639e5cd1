"""Which place lies in which: countries, their parts, localities. Three-valued, since a declaration may be too coarse.

    problem("UK LON")                              # "is no place: ISO 3166 writes it GB LON"
    within("US SFO", "US-CA")                      # True
    lies_in(["US-CA"], "US SFO")                   # None: somewhere in California; it may be San Francisco
    lies_in(["US-CA", "US NPV"], "US-IL")          # None: in no table here stands which part of its country NPV lies in
    lies_in(["US-OR elsewhere"], "US PDX")         # False: in Oregon, in none of the localities that a pack names

Codes are ISO 3166-1 (``FR``), ISO 3166-2 (``US-CA``), both checked against ``places.txt``, and UN/LOCODE with a space
(``"US SFO"``, more than 100,000: only their country is checked). A part lies in the country that its code begins with;
a part with a country code of its own (``RE`` is also ``FR-RE`` and ``FR-974``) is one place under all its codes. Which
part a locality lies in is in no code: the localities that packs name stand in a table here, any other may lie in every
part of its country. ``EU`` and ``EEA`` are where the law of the Union and that of the Agreement hold.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from functools import cache

from edge import _resources

#: Locality -> the part of its country it lies in (UN/LOCODE): those that packs name.
LOCALITIES: Mapping[str, str] = {"US SFO": "US-CA", "US PDX": "US-OR", "US CHI": "US-IL", "US SEA": "US-WA"}

#: Member states (europa.eu, list of the 27 countries; GR is Greece in ISO 3166).
MEMBERS = frozenset("AT BE BG CY CZ DE DK EE ES FI FR GR HR HU IE IT LT LU LV MT NL PL PT RO SE SI SK".split())  # noqa: SIM905
#: Parts of member states with country codes of their own where Union law holds: the outermost regions (TFEU Art. 349
#: and 355(1); Saint-Barthelemy left them in 2012, European Council Decision 2010/718/EU, Mayotte joined in 2014,
#: 2012/419/EU; the Azores, Madeira and the Canaries have no such codes), and Aland (TFEU Art. 355(4)).
_UNION_OVERSEAS = frozenset({"GF", "GP", "MF", "MQ", "RE", "YT", "AX"})
_UNION = MEMBERS | _UNION_OVERSEAS
UNIONS: Mapping[str, frozenset[str]] = {"EU": _UNION, "EEA": _UNION | {"IS", "LI", "NO"}}  # EEA Agreement, Art. 126
#: Codes of which a part lies in a union and a part does not: Jan Mayen is in the EEA, Svalbard is not (Protocol 40).
_IN_PART: Mapping[str, frozenset[str]] = {"EU": frozenset(), "EEA": frozenset({"SJ"})}

#: Country -> its parts that have a country code of their own (ISO 3166-2 lists them among its parts).
_OWN_CODES = {
    "CN": "HK MO",
    "FI": "AX",
    "FR": "BL GF GP MF MQ NC PF PM RE TF WF YT",
    "NL": "AW BQ CW SX",
    "NO": "SJ",
    "US": "AS GU MP PR UM VI",
}
OVERSEAS: Mapping[str, str] = {code: country for country, codes in _OWN_CODES.items() for code in codes.split()}
#: The code of a part -> its own country code.
_SAME: Mapping[str, str] = {
    **{f"{country}-{code}": code for code, country in OVERSEAS.items()},
    **{"FR-971": "GP", "FR-972": "MQ", "FR-973": "GF", "FR-974": "RE", "FR-976": "YT", "FI-01": "AX"},
    **{"NO-21": "SJ", "NO-22": "SJ", "NL-BQ1": "BQ", "NL-BQ2": "BQ", "NL-BQ3": "BQ"},
}

#: What others write (the EU's own abbreviations; codes that ISO 3166-3 has withdrawn or only reserves) -> ISO 3166.
_MEANT: Mapping[str, tuple[str, ...]] = {
    "EL": ("GR",), "UK": ("GB",), "FX": ("FR",), "IC": ("ES-CN",), "EA": ("ES-CE", "ES-ML"), "DD": ("DE",),
    "AN": ("BQ", "CW", "SX"), "CS": ("RS", "ME", "CZ", "SK"), "YU": ("RS", "ME"), "SU": ("RU",), "BU": ("MM",),
    "XI": ("GB-NIR",), "TP": ("TL",),
    "ZR": ("CD",), "AC": ("SH-AC",), "TA": ("SH-TA",), "DG": ("IO",), "CP": ("FR-CP",),
}  # fmt: skip
#: Kosovo: ISO 3166 leaves the code to its users, and the Union and Unicode's CLDR use it.
_USED = frozenset({"XK"})

ELSEWHERE = " elsewhere"
_LISTED = 12  # parts that a message names; Slovenia has more than 200
_FORM = re.compile(r"([A-Z]{2})(?:| [A-Z0-9]{3}|-([A-Z0-9]{1,3})(?: elsewhere)?)")


@cache
def codes() -> Mapping[str, tuple[str, ...]]:
    """Every country of ISO 3166-1 and its parts of ISO 3166-2 (without the country), as ``places.txt`` has them."""
    text = _resources.path("tables", "places.txt").read_text(encoding="ascii")
    rows = (line.split() for line in text.splitlines() if not line.startswith("#"))
    return {country: tuple(parts) for country, *parts in rows}


def problem(place: object) -> str:
    """What is wrong with a place's code, without a full stop; empty when nothing is."""
    if isinstance(place, str) and place in UNIONS:
        return ""
    form = _FORM.fullmatch(place) if isinstance(place, str) else None
    if form is None or not isinstance(place, str):
        return 'is no place such as FR, US-CA, "US SFO" or "US-OR elsewhere" (capital letters)'
    country, named = form.groups()
    if country not in codes() and country not in _USED:
        meant = _MEANT.get(country, ())
        if len(meant) == 1 and len(meant[0]) == 2:
            return f"is no place: ISO 3166 writes it {meant[0]}{place[2:]}"
        return "is no place: " + (
            f"ISO 3166 writes {' or '.join(meant)}" if meant else f"ISO 3166-1 has no country {country}"
        )
    parts = codes().get(country, ())
    if named and named not in parts:
        near = [part for part in parts if part[0] == named[0]] or parts
        listed = ", ".join(f"{country}-{part}" for part in near[:_LISTED])
        more = f" and {len(near) - _LISTED} more" if len(near) > _LISTED else ""
        known = f"it has {listed}{more}" if parts else f"write {country}"
        return f"is no place: ISO 3166-2 has no such part of {country}; {known}"
    return ""


def part(place: str) -> str:
    """The country's part that a place names or is known to lie in; empty when neither."""
    if place.endswith(ELSEWHERE):
        return place.removesuffix(ELSEWHERE)
    return place if "-" in place else LOCALITIES.get(place, "")


def territory(place: str) -> str:
    """The country code of a place, its own where it has one: ``RE`` of ``RE``, ``FR-974`` and ``"RE RUN"``."""
    return _SAME.get(part(place), place[:2])


def within(inner: str, outer: str) -> bool:
    """Whether everything in ``inner`` is known to lie in ``outer``."""
    if inner == outer:
        return True
    if inner in UNIONS:
        return outer in UNIONS and UNIONS[inner] <= UNIONS[outer]
    if outer in UNIONS:
        return territory(inner) in UNIONS[outer]
    around = {part(inner), inner[:2], territory(inner), OVERSEAS.get(territory(inner))}
    return _SAME.get(outer, outer) in around


def lies_in(declared: Sequence[str], place: str) -> bool | None:
    """Whether one of the declared places lies in ``place``; None when it may.

    Args:
        declared: all places of a deployment, at every level that its declaration names. A place that another one makes
            more precise (``US-IL`` beside ``"US CHI"``) says nothing of its own.
        place: the place of a rule.
    """
    if any(within(one, place) for one in declared):
        return True
    return None if any(_may(one, place) and not _refined(one, declared) for one in declared) else False


def _refined(one: str, declared: Sequence[str]) -> bool:
    return one not in UNIONS and any(other != one and within(other, one) for other in declared)


def _may(one: str, place: str) -> bool:
    """Whether something in ``one`` may lie in ``place``, which does not hold all of it."""
    if within(place, one):
        return True
    if place in UNIONS:
        return one not in UNIONS and territory(one) in _IN_PART[place]
    if one in UNIONS or one[:2] != place[:2]:
        return False
    if " " in one:
        return not part(one) and "-" in place  # in which part it lies is not known here
    return "-" in one and " " in place and not part(place)


def lies_in_any(declared: Sequence[str], places: Iterable[str]) -> bool | None:
    """`lies_in` for several places: True when in one, None when it may be in one."""
    answers = [lies_in(declared, place) for place in places]
    if True in answers:
        return True
    return None if None in answers else False
