"""The held-out fifth: people of `train/` that no model of this project ever learns from.

    held_out("03350A29.jpg")                   # False: may be trained on, if nobody in it is in another picture
    out = held_out_names(names, same_person)   # whole people, by all pictures that are known of them

Workflow: the SHA-256 of a file name says whether it is held out, so the answer never changes, whatever the order, the
machine or the number of files. Both sets hold some people twice; pictures that may show one person
(`models.training.impostors` lists the pairs in .train/same-person.csv) stand on one side, that of the name which sorts
first among them. Calibration and group measurements use the held-out pictures only.
"""

from __future__ import annotations

import csv
import hashlib
from collections.abc import Iterable
from pathlib import Path

#: One picture in this many is held out.
ONE_IN = 5


def held_out(name: str) -> bool:
    """Whether a picture of somebody who is in no other picture is held out.

    Args:
        name: the file's name as stored in the tars, without folders, such as ``"03350A29.jpg"``.

    Returns:
        True for one name in five: SHA-256 of the UTF-8 name, as a big-endian integer, is divisible by `ONE_IN`.
    """
    return int.from_bytes(hashlib.sha256(name.encode()).digest(), "big") % ONE_IN == 0


def read_pairs(pairs_csv: Path, least: float = -1.0) -> list[tuple[str, str]]:
    """Pairs of names taken for one person; none when the file does not exist.

    Args:
        pairs_csv: rows ``name,name,score``. least: score of the pairs that are wanted.
    """
    if not pairs_csv.exists():
        return []
    with pairs_csv.open(newline="") as handle:
        return [(row[0], row[1]) for row in csv.reader(handle) if len(row) == 3 and float(row[2]) >= least]


def people_of(names: Iterable[str], pairs: Iterable[tuple[str, str]]) -> dict[str, str]:
    """Of every name the one that sorts first among the pictures that chains of pairs take for one person.

    Args:
        names: all that count. pairs: of names; a pair with another name in it says nothing.
    """
    first = {name: name for name in names}

    def find(name: str) -> str:
        while first[name] != name:
            first[name] = name = first[first[name]]
        return name

    for one, other in pairs:
        if one in first and other in first:
            low, high = sorted((find(one), find(other)))
            first[high] = low
    return {name: find(name) for name in first}


def held_out_names(names: Iterable[str], same_person_csv: Path) -> frozenset[str]:
    """The names that must not be trained on.

    Args:
        names: names as stored in the tars.
        same_person_csv: rows ``name,name,score``; may be missing, then everybody is in one picture.
    """
    people = people_of(names, read_pairs(same_person_csv))
    return frozenset(name for name, first in people.items() if held_out(first))
