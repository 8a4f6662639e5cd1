"""What a setting may be, in words: read from the JSON Schema, so that messages, reference and editors cannot differ.

>>> allowed(node(("camera", "fps")))
'a number from 1 to 60'
"""

from __future__ import annotations

from functools import cache
from typing import Any

from edge.settings.model import Settings
from edge.settings.problems import KeyPath, shown

Node = dict[str, Any]


@cache
def schema() -> Node:
    """pydantic's JSON Schema of `Settings`, made once; not to be changed by callers."""
    return Settings.model_json_schema()


def node(path: KeyPath) -> Node | None:
    """The schema of one key path (list entries by number), or None when there is no such setting."""
    here: Node | None = resolved(schema())
    for part in path:
        if here is None:
            return None
        here = here.get("items") if isinstance(part, int) else here.get("properties", {}).get(part)
        here = resolved(here) if here is not None else None
    return here


def resolved(here: Node) -> Node:
    """A node with its ``$ref`` followed and a nullable union reduced to the part that is not null."""
    if "$ref" in here:
        target = schema()["$defs"][str(here["$ref"]).rsplit("/", 1)[1]]
        return {**target, **{key: value for key, value in here.items() if key != "$ref"}}
    for option in here.get("anyOf", ()):
        if option.get("type") != "null":
            return {**resolved(option), **{k: v for k, v in here.items() if k != "anyOf"}, "nullable": True}
    return here


def allowed(here: Node) -> str:
    """The values that a node accepts, in words."""
    text = _allowed(here)
    return f"{text}, or null" if here.get("nullable") else text


def _allowed(here: Node) -> str:
    if "const" in here:
        return str(here["const"])
    if "enum" in here:
        return "one of " + ", ".join(str(value) for value in here["enum"])
    kind = here.get("type")
    if kind == "boolean":
        return "true or false"
    if kind in ("integer", "number"):
        return ("a whole number" if kind == "integer" else "a number") + _range(here)
    if kind == "string":
        return _text(here)
    if kind == "array":
        entries = _allowed(resolved(here["items"]))
        return f"a list of {entries}" if not entries.startswith("one of") else f"a list, each entry {entries}"
    return "the keys " + ", ".join(here.get("properties", ()))


def _text(here: Node) -> str:
    if "patternErrorMessage" in here:
        return str(here["patternErrorMessage"])
    if here.get("format") == "path":
        return "a path"
    if here.get("format") == "date":
        return "a date such as 2027-03-31"
    low, high = here.get("minLength"), here.get("maxLength")
    if low is not None and high is not None:
        return f"text of {low} to {high} characters"
    return "text"


def _range(here: Node) -> str:
    low, above, high = here.get("minimum"), here.get("exclusiveMinimum"), here.get("maximum")
    parts = [
        f"from {_plain(low)}" if low is not None else "",
        f"above {_plain(above)}" if above is not None else "",
        f"{'to' if low is not None else 'up to'} {_plain(high)}" if high is not None else "",
    ]
    return "".join(f" {part}" for part in parts if part)


def _plain(number: float) -> str:
    """1.0 -> 1, 1e-06 -> 1e-6."""
    return f"{number:g}".replace("e-0", "e-") if isinstance(number, float) else str(number)


def default(here: Node) -> str:
    """The default of a node, as it would be written in the file."""
    value = here.get("default")
    if isinstance(value, float):
        return _plain(value)
    return value if isinstance(value, str) and value else shown(value)


def leaves(here: Node | None = None, path: KeyPath = ()) -> list[tuple[KeyPath, Node]]:
    """Every setting that has a value of its own (not the sections), in the order of the model."""
    found: list[tuple[KeyPath, Node]] = []
    here = resolved(schema()) if here is None else here
    for name, child in here.get("properties", {}).items():
        child = resolved(child)
        if "properties" in child:
            found += leaves(child, (*path, name))
        else:
            found.append(((*path, name), child))
    return found
