"""``edge/policy/places.txt`` anew, from the lists of Debian's iso-codes: python -m tests.policy.place_codes --write"""

from __future__ import annotations

import json
import sys
from collections import defaultdict
from pathlib import Path

LISTS = Path("/usr/share/iso-codes/json")
FILE = Path(__file__).resolve().parents[2] / "edge" / "policy" / "places.txt"
HEAD = """\
# One country of ISO 3166-1 a line, and after it its parts of ISO 3166-2, without the country.
# Source: Debian's package iso-codes 4.15.0 (salsa.debian.org/iso-codes-team/iso-codes), iso_3166-1.json and
# iso_3166-2.json, and codes given since; the codes alone, no names. Withdrawn ones stay. Made by
# `python -m tests.policy.place_codes --write`.
"""
#: Country -> parts that ISO 3166-2 has given a code since: iso-codes as pycountry 26.2.16 has it, and Norway's counties
#: of 2024 (Statistics Norway, classification 104). What was withdrawn stays: whoever wrote it meant that place.
LATER = {
    "DZ": "49 50 51 52 53 54 55 56 57 58",
    "ET": "SI SW",
    "FR": "69M 6AE 75C",
    "GB": "NNH WNH",
    "GT": "01 02 03 04 05 06 07 08 09 10 11 12 13 14 15 16 17 18 19 20 21 22",
    "ID": "PD PE PS PT",
    "IN": "CG OD TS UK",
    "IQ": "KR",
    "IS": "HUG MUL SKR",
    "KP": "15",
    "KZ": "10 11 15 19 23 27 31 33 35 39 43 47 55 59 61 62 63 71 75 79",
    "LV": "111 112 113",
    "ME": "25",
    "NO": "31 32 33 39 40 55 56",
    "PA": "NT",
    "PH": "MGN MGS",
}


def made(lists: Path = LISTS) -> str:
    """The file's text."""
    parts = defaultdict(list)
    for entry in json.loads((lists / "iso_3166-2.json").read_text())["3166-2"]:
        country, _, part = entry["code"].partition("-")
        parts[country].append(part)
    for country, codes in LATER.items():
        parts[country] += codes.split()
    countries = sorted(entry["alpha_2"] for entry in json.loads((lists / "iso_3166-1.json").read_text())["3166-1"])
    return HEAD + "".join(" ".join([country, *sorted(set(parts[country]))]) + "\n" for country in countries)


if __name__ == "__main__":
    if sys.argv[1:] == ["--write"]:
        FILE.write_text(made())
    else:
        print("as made" if FILE.read_text() == made() else "differs")
