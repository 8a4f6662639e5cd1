"""The held-out fifth: pictures of `train/` that no model of this project ever learns from.

    held_out("03350A29.jpg")                             # False: may be trained on
    out = excluded_from_training(names, same_person)     # the held-out names, and who shares a person with them

Workflow: a picture is held out when the SHA-256 of its file name says so, so the answer never changes, whatever the
order, the machine or the number of files. Both sets hold some people twice; a pair of pictures that the teacher takes
for one person (`models.training.impostors`, listed in .train/same-person.csv) must not straddle the split, so training
leaves out the partners of held-out pictures as well, and their partners in turn. Calibration and group measurements use
the held-out pictures only.
"""

from __future__ import annotations

import csv
import hashlib
from collections.abc import Iterable
from pathlib import Path

#: One picture in this many is held out.
ONE_IN = 5


def held_out(name: str) -> bool:
    """Whether a picture is held out.

    Args:
        name: the file's name as stored in the tars, without folders, such as ``"03350A29.jpg"``.

    Returns:
        True for one name in five: SHA-256 of the UTF-8 name, as a big-endian integer, is divisible by `ONE_IN`.
    """
    return int.from_bytes(hashlib.sha256(name.encode()).digest(), "big") % ONE_IN == 0


def read_pairs(same_person_csv: Path) -> list[tuple[str, str]]:
    """Pairs of names taken for one person; none when the file does not exist.

    Args:
        same_person_csv: rows ``name,name,score``.
    """
    if not same_person_csv.exists():
        return []
    with same_person_csv.open(newline="") as handle:
        return [(row[0], row[1]) for row in csv.reader(handle) if len(row) >= 2]


def excluded_from_training(names: Iterable[str], same_person_csv: Path) -> frozenset[str]:
    """The names that must not be trained on: those held out, and every chain of same-person pairs that reaches one.

    Args:
        names: names as stored in the tars.
        same_person_csv: rows ``name,name,score``; may be missing, then only the held-out names are returned.
    """
    known = frozenset(names)
    partners: dict[str, set[str]] = {}
    for a, b in read_pairs(same_person_csv):
        partners.setdefault(a, set()).add(b)
        partners.setdefault(b, set()).add(a)
    excluded = {name for name in known if held_out(name)}
    waiting = list(excluded)
    while waiting:
        for other in partners.get(waiting.pop(), ()):
            if other in known and other not in excluded:
                excluded.add(other)
                waiting.append(other)
    return frozenset(excluded)
