"""The schema of events and an example of each, made of the dataclasses in `edge.types.events` and `edge.types.acts`.

python -m tests.conformance.events      after an event was added: config/schemas/event-v1.json, answers/event-v1.json
"""

from __future__ import annotations

import json
import types
import typing
from collections.abc import Iterator
from dataclasses import fields
from enum import Enum
from pathlib import Path
from typing import Any

from edge.types import Decision, Outcome, Reason, acts, sight
from edge.types import events as ev
from edge.types.events import SCHEMA, Event

_PLAIN = {str: ("string", "text"), int: ("integer", 3), float: ("number", 0.5), bool: ("boolean", True)}


def kinds() -> list[type[Event]]:
    """Every event that can be told, by its name for machines."""
    found = [item for module in (ev, acts, sight) for item in vars(module).values() if isinstance(item, type)]
    return sorted({item for item in found if issubclass(item, Event) and item.kind}, key=lambda item: item.kind)


def schema_text() -> str:
    """The JSON Schema as it is committed: what all events have, then what each has."""
    decision = {
        "type": "object",
        "description": "As `edge/decision/v1`, without score, alternative and time.",
        "required": list(_decision_keys()),
    }
    common = {
        "schema": {"const": SCHEMA},
        "event": {"enum": [kind.kind for kind in kinds()]},
        "at_ns": {"type": "integer", "description": "On the device's monotonic clock, nanoseconds."},
        "session": {"type": "string", "description": "The session it belongs to; empty outside of one."},
        "time": {"type": "string", "format": "date-time", "description": "Time of day; of `edge run --json`."},
    }
    page = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": "urn:edge:event:v1",
        "title": "What a running device tells",
        "description": "Printed by `edge run --json`, one object a line. No event holds an image, an embedding, a "
        "secret or a score. Names and keys are only ever added: pass over those that you do not know.",
        "type": "object",
        "required": ["schema", "event", "at_ns", "session"],
        "properties": common,
        "allOf": [
            {"if": {"properties": {"event": {"const": kind.kind}}}, "then": {"$ref": f"#/$defs/{kind.kind}"}}
            for kind in kinds()
        ],
        "$defs": {kind.kind: _of(kind) for kind in kinds()} | {"decision": decision},
    }
    return json.dumps(page, indent=1) + "\n"


def examples() -> Iterator[Event]:
    """One event of each kind, every field filled."""
    for kind in kinds():
        hints = typing.get_type_hints(kind)
        yield kind(**{field.name: _sample(hints[field.name]) for field in fields(kind)})


def _of(kind: type[Event]) -> dict[str, Any]:
    hints = typing.get_type_hints(kind)
    own = [field.name for field in fields(kind) if field.name not in ("at_ns", "session")]
    told = (kind.__doc__ or "").strip().split("\n")[0]
    return {"description": told, "required": own, "properties": {name: _type(hints[name]) for name in own}}


def _type(hint: Any) -> dict[str, Any]:
    origin, inner = typing.get_origin(hint), typing.get_args(hint)
    if origin in (types.UnionType, typing.Union):
        return {"anyOf": [_type(item) for item in inner]}
    if origin is tuple:
        return {"type": "array", "items": _type(inner[0])}
    if hint is type(None):
        return {"type": "null"}
    if hint is Decision:
        return {"$ref": "#/$defs/decision"}
    if hint is bytes:
        return {"type": "string", "pattern": "^([0-9a-f]{2})*$"}
    if isinstance(hint, type) and issubclass(hint, Enum):
        return {"type": "string"}  # its values may grow
    return {"type": _PLAIN[hint][0]}


def _sample(hint: Any) -> Any:
    origin, inner = typing.get_origin(hint), typing.get_args(hint)
    if origin in (types.UnionType, typing.Union):
        return _sample(inner[0])
    if origin is tuple:
        return (_sample(inner[0]),)
    if hint is Decision:
        return Decision(Outcome.REJECT, Reason.NOT_MATCHING, target_fmr=1e-4, looks=3)
    if hint is bytes:
        return bytes(range(16))
    if isinstance(hint, type) and issubclass(hint, Enum):
        return next(iter(hint))
    return _PLAIN[hint][1]


def _decision_keys() -> dict[str, Any]:
    return ev.decision_json(_sample(Decision))


def write() -> None:
    """Bring the two committed files up to date."""
    root = Path(__file__).resolve().parents[2]
    (root / "config" / "schemas" / "event-v1.json").write_text(schema_text())
    golden = json.dumps([event.as_json() for event in examples()], indent=1)
    (Path(__file__).parent / "answers" / "event-v1.json").write_text(golden + "\n")


if __name__ == "__main__":
    write()
