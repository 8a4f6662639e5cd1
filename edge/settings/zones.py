"""Names of time zones: checked against this machine's database, with a remedy for those that are none here."""

from __future__ import annotations

import difflib
import re
from functools import cache
from zoneinfo import ZoneInfo, available_timezones

from edge import _resources

#: Files of the database that are no place's time: the machine's own, what POSIX's rules fall back to, "not set yet".
_NO_PLACE = frozenset({"localtime", "posixrules", "Factory"})
#: Copies of the whole database below another folder; ``right`` counts leap seconds, which the system's clock does not.
_COPIES = ("right/", "posix/")
_OFFSET = re.compile(r"(?:UTC|GMT)?[-+]\d{1,2}(?::?\d\d)?")


def time_zone(name: str) -> str:
    """The name of a time zone that this machine knows. Raises ValueError, with what to write or install instead."""
    if name == "UTC":  # known without a time zone database
        return name
    if name in _NO_PLACE or name.startswith(_COPIES):
        raise ValueError(_instead(name))
    try:
        ZoneInfo(name)
    except (OSError, ValueError, KeyError) as error:  # KeyError: ZoneInfoNotFoundError
        raise ValueError(_instead(name)) from error
    return name


def _instead(name: str) -> str:
    known = available_timezones() - _NO_PLACE
    if not known:
        return "this machine has no time zone database; install it: sudo apt install tzdata"
    if name.startswith(_COPIES):
        why = "counts leap seconds, which this device's clock does not" if name[0] == "r" else "is a copy"
        return f"a zone below {name[:6]} {why}; write {name[6:]}"
    if name in _NO_PLACE:
        return f"{name} is no place's time; name a place, such as Europe/Paris"
    if _OFFSET.fullmatch(name):
        return "an offset is no time zone, since most places change their clocks; name a place, such as Europe/Paris"
    if now := _other_names().get(name.casefold()):
        if name.casefold().endswith((" time", ")")):
            return f"that is Windows' name of the zone; write {now}"
        return f"the zone is now called {now}; the old name is in Debian's package tzdata-legacy"
    return f"this machine knows no such time zone; an example is {_nearest(name, known)}"


def _nearest(name: str, known: set[str]) -> str:
    """The zone of this city, else the one with the most similar name, else any."""
    city = "/" + name.strip().replace(" ", "_").rpartition("/")[2].casefold()
    folded = {zone.casefold(): zone for zone in sorted(known)}
    found = [zone for zone in folded if zone.endswith(city)]
    if not found and "/" in name:
        found = difflib.get_close_matches(name.casefold(), folded, n=1, cutoff=0.85)
    return folded[found[0]] if found else "Europe/Paris"


@cache
def _other_names() -> dict[str, str]:
    """What ``zones.txt`` says: another name, in lower case -> the zone's own."""
    lines = _resources.path("zones").read_text(encoding="ascii").splitlines()
    rows = (line.split(": ") for line in lines if not line.startswith("#"))
    return {other.casefold(): zone for zone, others in rows for other in others.split(", ")}
