"""What a setting may be, in words: read from the JSON Schema, so that messages, reference and editors cannot differ.

>>> allowed(node(("camera", "fps")))
'a number from 1 to 60'

Any other pydantic model that a YAML file is validated by is described in the same way: ``node(path, ModelSpec)``.
"""

from __future__ import annotations

from functools import cache
from typing import Any

from pydantic import BaseModel

from edge.settings.model import Settings
from edge.settings.problems import KeyPath, shown

Node = dict[str, Any]


@cache
def schema(model: type[BaseModel] = Settings) -> Node:
    """pydantic's JSON Schema of a model, made once; not to be changed by callers."""
    return model.model_json_schema(by_alias=True)


@cache
def tree(model: type[BaseModel] = Settings) -> Node:
    """The same with every ``$ref`` followed, and nullable unions reduced to the part that is not null."""
    return _resolved(schema(model), schema(model).get("$defs", {}))


def _resolved(here: Node, definitions: Node) -> Node:
    here = {key: value for key, value in here.items() if key != "$defs"}
    if "$ref" in here:
        target = definitions[str(here.pop("$ref")).rsplit("/", 1)[1]]
        return _resolved({**target, **here}, definitions)
    options = [option for option in here.get("anyOf", ()) if option.get("type") != "null"]
    if options:
        nullable = {"nullable": True} if len(options) < len(here.pop("anyOf")) else {}
        first, *others = [_resolved(option, definitions) for option in options]
        return {**first, **here, **nullable, **({"or": others} if others else {})}
    if "properties" in here:
        here["properties"] = {name: _resolved(child, definitions) for name, child in here["properties"].items()}
    if isinstance(here.get("items"), dict):
        here["items"] = _resolved(here["items"], definitions)
    return here


def node(path: KeyPath, model: type[BaseModel] = Settings) -> Node | None:
    """The schema of one key path (list entries by number), or None when there is no such setting."""
    here: Node | None = tree(model)
    for part in path:
        if here is None:
            return None
        here = here.get("items") if isinstance(part, int) else here.get("properties", {}).get(part)
    return here


def allowed(here: Node) -> str:
    """The values that a node accepts, in words."""
    texts = [_allowed(option) for option in (here, *here.get("or", ()))]
    return " or ".join(text for text in texts if text) + (", or null" if here.get("nullable") else "")


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
        entries = _allowed(here["items"]) if isinstance(here.get("items"), dict) else "values"
        return f"a list of {entries}" if not entries.startswith("one of") else f"a list, each entry {entries}"
    return "the keys " + ", ".join(here["properties"]) if here.get("properties") else ""


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
    """Every value below a node (None: the settings) that is no section, in the order of the model."""
    found: list[tuple[KeyPath, Node]] = []
    here = tree() if here is None else here
    for name, child in here.get("properties", {}).items():
        found += leaves(child, (*path, name)) if "properties" in child else [((*path, name), child)]
    return found
