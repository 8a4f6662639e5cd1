"""pydantic's findings -> problems in plain words, each at its place in the file and with what is allowed there."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterator, Mapping
from typing import Any

from pydantic import BaseModel

from edge.settings.describe import Node, allowed, leaves, node, tree
from edge.settings.model import Settings
from edge.settings.problems import KeyPath, Problem, dotted, shown
from edge.settings.yaml_core import Document

_PREFIX = re.compile(r"([a-z_][a-z0-9_]*(?:\.[a-z0-9_]+)*): (.*)", re.DOTALL)
_SMALL = ("greater_than", "greater_than_equal")
_LARGE = ("less_than", "less_than_equal")
_MORE = ("too_short", "string_too_short")
_LESS = ("too_long", "string_too_long")
_WRONG_KIND = {
    "bool_type": "is not true or false",
    "int_type": "is not a whole number",
    "int_from_float": "is not a whole number",
    "float_type": "is not a number",
    "string_type": "is not text; put it in quotes",
    "path_type": "is not a path",
    "tuple_type": "is not a list; write [a, b] or one `- entry` a line",
}


def translate(detail: Mapping[str, Any], document: Document, model: type[BaseModel] = Settings) -> Iterator[Problem]:
    """The problems that one entry of ``ValidationError.errors()`` stands for.

    Args:
        detail: the entry: ``type``, ``loc``, ``msg``, ``input``, ``ctx``.
        document: where it was found. model: that the document was validated by.
    """
    kind, path = str(detail["type"]), _path(detail["loc"], document, model)
    if kind == "extra_forbidden":
        yield _unknown(path, document, model)
        return
    if kind == "value_error":
        for line in str(detail["ctx"]["error"]).splitlines():
            yield _from_validator(path, line, document, model)
        return
    here = node(path, model)
    right = allowed(here) if here else ""
    what = _what(kind, detail, here) if right else f"{_value(detail['input'])} is not allowed: {detail['msg']}"
    yield document.problem(path, what, right, key=kind == "missing")


def _path(loc: tuple[str | int, ...], document: Document, model: type[BaseModel]) -> KeyPath:
    """pydantic's location without the names of union members and validators, which are no keys of the file."""
    path: KeyPath = ()
    here: Any = document.data
    for part in loc:
        in_file = part in here if isinstance(here, dict) else isinstance(here, list) and isinstance(part, int)
        if in_file:
            here = here[part] if isinstance(here, dict) or int(part) < len(here) else None
        elif node((*path, part), model) is None:
            continue
        else:
            here = None  # a key that is missing
        path = (*path, part)
    return path


def _what(kind: str, detail: Mapping[str, Any], here: Node | None) -> str:
    value = detail["input"]
    if kind == "missing":
        return "the key is missing"
    if isinstance(value, dict | list) and kind not in _MORE + _LESS:
        expected = {"object": "a section", "array": "a list"}.get(str((here or {}).get("type")), "one value")
        return f"this is {'a section' if isinstance(value, dict) else 'a list'}, not {expected}"
    if kind == "model_type":
        return f"{_value(value)} is not a section; indent its keys below it"
    if kind in _MORE:
        return f"{_value(value)} is too short"
    if kind in _LESS:
        return f"{_value(value)} is too long"
    if kind in _WRONG_KIND:
        return f"{_value(value)} {_WRONG_KIND[kind]}"
    if kind in _SMALL + _LARGE:
        return f"{_value(value)} is too {'small' if kind in _SMALL else 'large'}"
    return f"{_value(value)} is not allowed"


def _value(value: Any) -> str:
    return "nothing" if value is None else shown(value)


def _from_validator(path: KeyPath, text: str, document: Document, model: type[BaseModel]) -> Problem:
    """A validator's message; a known key before its first colon says which key it means."""
    found = _PREFIX.fullmatch(text)
    if found:
        named = (*path, *found.group(1).split("."))
        if node(named, model) is not None:
            return document.problem(named, found.group(2))
    return document.problem(path, text)


def _unknown(path: KeyPath, document: Document, model: type[BaseModel]) -> Problem:
    """An unknown key, with the nearest known one of its section, else of the whole file."""
    name = str(path[-1])
    known = list((node(path[:-1], model) or {}).get("properties", ()))
    close = difflib.get_close_matches(name, known, n=1, cutoff=0.6)
    if close:
        return document.problem(path, f"unknown key, did you mean {close[0]}?", _list(known), key=True)
    everywhere = {str(key[-1]): key for key, _ in leaves(tree(model))} | {
        key: (key,) for key in tree(model)["properties"]
    }
    close = difflib.get_close_matches(name, list(everywhere), n=1, cutoff=0.75)
    if close and everywhere[close[0]] != path:
        return document.problem(path, f"unknown key here, did you mean {dotted(everywhere[close[0]])}?", key=True)
    return document.problem(path, "unknown key", _list(known), key=True)


def _list(known: list[str]) -> str:
    return "the keys " + ", ".join(known)
