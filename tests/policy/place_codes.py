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
# iso_3166-2.json; the codes alone, no names. Made by `python -m tests.policy.place_codes --write`.
"""


def made(lists: Path = LISTS) -> str:
    """The file's text."""
    parts = defaultdict(list)
    for entry in json.loads((lists / "iso_3166-2.json").read_text())["3166-2"]:
        country, _, part = entry["code"].partition("-")
        parts[country].append(part)
    countries = sorted(entry["alpha_2"] for entry in json.loads((lists / "iso_3166-1.json").read_text())["3166-1"])
    return HEAD + "".join(" ".join([country, *sorted(parts[country])]) + "\n" for country in countries)


if __name__ == "__main__":
    if sys.argv[1:] == ["--write"]:
        FILE.write_text(made())
    else:
        print("as made" if FILE.read_text() == made() else "differs")
