"""What a setting may be, in words: read from the JSON Schema, so that messages, reference and editors cannot differ.

>>> allowed(node(("camera", "fps")))
'a number from 1 to 60'

Any other pydantic model that a YAML file is validated by is described in the same way: ``node(path, ModelSpec)``.

What is generated from the settings' model: the JSON Schema for editors and the reference of config/README.md.

    python -m edge.settings.describe            prints the schema
    python -m edge.settings.describe --write    rewrites config/device.schema.json, and config/README.md's part of it

A test fails while either is not current. An editor that knows YAML schemas (the first line of ``config/device.yaml``
names ours) then completes keys, shows their meaning and underlines what `edge config check` would refuse.
"""

from __future__ import annotations

import json
import sys
from functools import cache
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from edge import _resources
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


DIALECT = "https://json-schema.org/draft/2020-12/schema"
BEGIN, END = "<!-- settings-reference -->", "<!-- /settings-reference -->"


def json_schema() -> dict[str, Any]:
    """The JSON Schema (draft 2020-12) of a settings file, with a description for every key."""
    return {"$schema": DIALECT, "$id": "urn:edge:settings:v1", **schema()}


def json_schema_text() -> str:
    """`json_schema` as it is committed in ``config/device.schema.json``."""
    return json.dumps(json_schema(), indent=2) + "\n"


def settings_reference() -> str:
    """Markdown: one table a section, with key, default, allowed values and meaning."""
    lines: list[str] = []
    section: tuple[str | int, ...] | None = None
    for path, leaf in sorted(leaves(), key=lambda pair: len(pair[0]) > 1):  # the top level first, else as in the model
        if path[:-1] != section:
            section = path[:-1]
            lines += _heading(section)
        cells = (f"`{path[-1]}`", f"`{default(leaf)}`", allowed(leaf), str(leaf.get("description", "")))
        lines.append("| " + " | ".join(cell.replace("|", "\\|").replace("\n", " ") for cell in cells) + " |")
    return "\n".join(lines).strip() + "\n"


def _heading(section: tuple[str | int, ...]) -> list[str]:
    name = ".".join(str(part) for part in section)
    text = str((node(section) or {}).get("description", "")) if section else ""
    title = f"**`{name}`**: {text}" if section else "**Top level**"
    return ["", title, "", "| key | default | allowed | meaning |", "|---|---|---|---|"]


def with_reference(page: str) -> str:
    """A page with the text between its markers replaced by the current reference; unchanged without markers."""
    if BEGIN not in page or END not in page:
        return page
    before, rest = page.split(BEGIN, 1)
    return f"{before}{BEGIN}\n{settings_reference()}{END}{rest.split(END, 1)[1]}"


def write(root: Path) -> None:
    """Bring the generated files of a checkout up to date."""
    (root / "config" / "device.schema.json").write_text(json_schema_text(), encoding="utf-8")
    page = root / "config" / "README.md"
    if page.is_file():
        page.write_text(with_reference(page.read_text(encoding="utf-8")), encoding="utf-8")


if __name__ == "__main__":
    if "--write" in sys.argv[1:]:
        write(_resources.path("config").parent)
    else:
        sys.stdout.write(json_schema_text())
