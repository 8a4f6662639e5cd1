"""What is generated from the settings' model: the JSON Schema for editors and the reference of config/README.md.

    python -m edge.settings.schema            prints the schema
    python -m edge.settings.schema --write    rewrites config/device.schema.json, and config/README.md's part of it

A test fails while either is not current. An editor that knows YAML schemas (the first line of ``config/device.yaml``
names ours) then completes keys, shows their meaning and underlines what `edge config check` would refuse.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from edge import _resources
from edge.settings.describe import allowed, default, leaves, node, schema

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
