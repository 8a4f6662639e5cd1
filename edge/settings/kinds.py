"""What sections of the settings have in common, and kinds of values that several have: files, shares, names, hours."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, TypeVar

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, PlainSerializer, SerializationInfo, ValidationInfo

S = TypeVar("S", bound="Section")


class Section(BaseModel):
    """A part of the settings: frozen, and without room for unknown keys."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)


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
