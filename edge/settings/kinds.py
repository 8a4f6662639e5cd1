"""What sections of the settings have in common, and kinds of values that several have: files, names, hours, zones."""

from __future__ import annotations

import ast
import inspect
import re
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import Annotated, Any, TypeVar
from zoneinfo import ZoneInfo, available_timezones

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    GetJsonSchemaHandler,
    PlainSerializer,
    SerializationInfo,
    ValidationInfo,
)

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
        import difflib  # for a mistake only

        found = difflib.get_close_matches(name.casefold(), folded, n=1, cutoff=0.85)
    return folded[found[0]] if found else "Europe/Paris"


@cache
def _other_names() -> dict[str, str]:
    """What ``zones.txt`` says: another name, in lower case -> the zone's own."""
    lines = _resources.path("zones").read_text(encoding="ascii").splitlines()
    rows = (line.split(": ") for line in lines if not line.startswith("#"))
    return {other.casefold(): zone for zone, others in rows for other in others.split(", ")}


S = TypeVar("S", bound="Section")


class Section(BaseModel):
    """A part of the settings: frozen, and without room for unknown keys."""

    # built when first needed: a device needs the whole alone, and pydantic would build each section for itself as well
    model_config = ConfigDict(extra="forbid", frozen=True, defer_build=True)

    @classmethod
    def __get_pydantic_json_schema__(cls, core_schema: Any, handler: GetJsonSchemaHandler) -> dict[str, Any]:
        """With what stands below each key; pydantic's ``use_attribute_docstrings`` reads the source at every start."""
        cls.model_rebuild()  # a default is shown as its own section would write it
        schema = handler.resolve_ref_schema(handler(core_schema))
        texts = {name: text for base in reversed(cls.__mro__) for name, text in _below_keys(base).items()}
        for name, here in schema.get("properties", {}).items():
            if name in texts:
                here["description"] = texts[name]
        return schema


def _below_keys(cls: type) -> dict[str, str]:
    """Of each key that a section declares itself, the text below it."""
    if not issubclass(cls, Section) or cls is Section:
        return {}
    (made,) = ast.parse(inspect.getsource(cls)).body
    assert isinstance(made, ast.ClassDef)
    return {
        key.target.id: inspect.cleandoc(text.value.value)
        for key, text in pairwise(made.body)
        if isinstance(key, ast.AnnAssign)
        and isinstance(key.target, ast.Name)
        and isinstance(text, ast.Expr)
        and isinstance(text.value, ast.Constant)
        and isinstance(text.value.value, str)
    }


def valid(section: S, wrong: list[str]) -> S:
    """Raise everything that is wrong at once: one ``key: text`` a line, which the loader maps back to the keys."""
    if wrong:
        raise ValueError("\n".join(wrong))
    return section


def matching(pattern: str, words: str) -> Any:
    """A pattern, and the words that say it to a person (shown by us and, under this name, by editors)."""
    return Field(pattern=pattern, json_schema_extra={"patternErrorMessage": words})


def _from_file(path: Path, info: ValidationInfo) -> Path:
    """A relative path in a settings file is relative to that file's folder (the loader passes it as context)."""
    if path == Path():
        raise ValueError("the path is empty")
    if path.parts[0].startswith("~"):
        raise ValueError("~ is not expanded, since a service has no home; write the whole path")
    folder = (info.context or {}).get("folder")
    return path if folder is None else Path(folder, path)


def _to_file(path: Path, info: SerializationInfo) -> str:
    """The way back: as that file may name it, where its folder is given as context."""
    folder = (info.context or {}).get("folder")
    return str(path.relative_to(folder) if folder is not None and path.is_relative_to(folder) else path)


def _in_order(hours: str) -> str:
    if hours[:5] >= hours[6:]:
        raise ValueError(f"{hours[:5]} is not before {hours[6:]}; write hours over midnight as two entries on two days")
    return hours


FilePath = Annotated[Path, AfterValidator(_from_file), PlainSerializer(_to_file, when_used="json")]
Fraction = Annotated[float, Field(ge=0.0, le=1.0)]
Group = Annotated[str, matching(r"^[a-z0-9][a-z0-9_-]{0,15}$", "1 to 16 lower-case letters, digits, - or _")]
CardName = Annotated[
    str, matching(r"^[a-z0-9][a-z0-9_-]{0,63}$", "the name of a card: lower-case letters, digits, - or _")
]
Hours = Annotated[
    str,
    matching(r"^([01]\d|2[0-3]):[0-5]\d-(([01]\d|2[0-3]):[0-5]\d|24:00)$", 'hours in quotes, such as "07:00-19:00"'),
    AfterValidator(_in_order),
]
