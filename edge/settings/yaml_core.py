"""YAML without surprises: data, and for every key the place where it stands. Needs nothing but PyYAML.

    document, problems = load(Path("device.yaml"))
    document.data                                   # {"camera": {"fps": 10}}
    document.place(("camera", "fps"))               # Place(line=2, column=8)

Workflow: the file is read with a size limit (a 10 MB file is refused unread); characters that YAML does not allow and
tabs in the indentation are reported all at once; then the events of PyYAML's parser are walked with a stack of our own,
so that deep nesting is a message and never a recursion error. What a device's settings do not need is refused, since
each of these has hidden a surprise in real configurations: anchors, aliases, merge keys, tags, directives, several
documents, duplicate keys, keys that are not text. Bare words are read by the YAML 1.2 core schema (`events`).

A problem that is not fatal leaves the rest readable: the document comes back without the bad part, so that a caller can
report its own findings in the same run.
"""

from __future__ import annotations

import json
import re
import stat
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import takewhile
from pathlib import Path
from typing import Any

from edge.settings.events import SPACES, Builder, named
from edge.settings.problems import MAX_PROBLEMS, KeyPath, Place, Problem, dotted

MAX_BYTES = 1_000_000

#: A comment has two spaces before its `#` (yamllint's rule `comments`) and one behind it; with less, as in ``room #5``
#: or ``room # 5``, it is as likely a part of the text.
_CUT = re.compile(r"([^\s#].*?)(\s+#[^\s#].*|(?<=\S)\s#.*)")
_CONTROL = re.compile(r"([\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x84\x86-\x9f\ufffe\uffff])\1*")
_NOT_A_SPACE = re.compile(f"^ *([\t{SPACES}])", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Document:
    """One YAML file.

    Args:
        file: the file as the caller named it.
        data: its top-level mapping.
        keys: key path -> where the key stands (for entries of a list: where the entry begins).
        values: key path -> where the value begins.
        lines: the text.
    """

    file: str
    data: dict[str, Any]
    keys: Mapping[KeyPath, Place]
    values: Mapping[KeyPath, Place]
    lines: tuple[str, ...] = ()

    def place(self, path: KeyPath, *, key: bool = False) -> Place:
        """Where a value (or its key) stands; for a path that is not in the file, where its nearest parent's key is."""
        table = self.keys if key else self.values
        if path in table:
            return table[path]
        while path := path[:-1]:
            if path in self.keys:
                return self.keys[path]
        return Place(1, 1)

    def value(self, path: KeyPath) -> Any:
        """The value at a key path of this document."""
        found: Any = self.data
        for key in path:
            found = found[key]
        return found

    def cut_off(self, path: KeyPath) -> str:
        """What an unquoted `` #`` turned into a comment at the end of a text, such as ``#5`` of ``Ask at room #5``."""
        place = self.values.get(path)
        if place is None or place.line > len(self.lines) or not isinstance(text := self.value(path), str):
            return ""
        first, indent = self.lines[place.line - 1][place.column - 1 :], self.place(path, key=True).column
        more = takewhile(
            lambda line: not line[:indent].strip(), self.lines[place.line :]
        )  # of a text over several lines
        found = next(filter(None, map(_CUT.match, (first, *(line.strip() for line in more)))), None)
        return found.group(2).strip() if found and text.endswith(found.group(1).strip()) else ""

    def cut_short(self, *paths: KeyPath) -> list[Problem]:
        """One problem for each of these texts that `cut_off` finds shortened."""
        allowed = "quotes around the text if it belongs to it, two spaces before the # if not"
        cut = ((path, self.cut_off(path)) for path in paths)
        return [self.problem(path, f"{end!r} is read as a comment", allowed) for path, end in cut if end]

    def problem(self, path: KeyPath, what: str, allowed: str = "", *, key: bool = False) -> Problem:
        """A problem at a key path of this document."""
        place = self.place(path, key=key)
        return Problem(self.file, place.line, place.column, dotted(path), what, allowed)


def load(path: Path) -> tuple[Document | None, list[Problem]]:
    """Read and parse a file.

    Returns:
        The document (None when nothing of it can be used) and every problem, in the order of the file.
    """
    file = str(path)
    try:
        mode = path.stat().st_mode
        if not stat.S_ISREG(mode):
            kind = "a directory" if stat.S_ISDIR(mode) else "not a regular file"
            return None, [Problem(file, 0, 0, "", f"this is {kind}", "a YAML file")]
        with path.open("rb") as stream:
            raw = stream.read(MAX_BYTES + 1)
    except (OSError, ValueError) as error:  # ValueError: a NUL in the name
        return None, [Problem(file, 0, 0, "", f"cannot be read: {getattr(error, 'strerror', None) or error}")]
    if len(raw) > MAX_BYTES:
        return None, [Problem(file, 0, 0, "", "the file is too large", f"at most {MAX_BYTES:,} bytes")]
    if raw[:2] in (b"\xff\xfe", b"\xfe\xff") or (b"\0" in raw[:2] and raw.count(b"\0") >= len(raw) // 3):
        wide = raw[:4] in (b"\xff\xfe\0\0", b"\0\0\xfe\xff") or raw.count(b"\0") > len(raw) * 0.7
        what = f"this is UTF-{32 if wide else 16}, not UTF-8 text"
        return None, [Problem(file, 0, 0, "", what, "a YAML file in UTF-8")]
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        before = raw[: error.start]
        line, column = before.count(b"\n") + 1, error.start - before.rfind(b"\n")
        return None, [Problem(file, line, column, "", "this is not UTF-8 text", "a YAML file in UTF-8")]
    return parse(text, file)


def parse(text: str, file: str = "<text>") -> tuple[Document | None, list[Problem]]:
    """Parse a text; see `load`."""
    if len(text) > MAX_BYTES:
        return None, [Problem(file, 0, 0, "", "the file is too large", f"at most {MAX_BYTES:,} bytes")]
    if "\t" in text and _is_json(text):
        text = text.replace("\t", " ")
    problems = list(_bad_characters(text, file))[:MAX_PROBLEMS]
    if problems:
        return None, problems
    builder = Builder(file)
    fatal = builder.read(text)
    if fatal is None and not isinstance(builder.root, dict) and not builder.problems:
        fatal = builder.wrong_top()
    problems = sorted([*builder.problems, *([fatal] if fatal else [])])[:MAX_PROBLEMS]
    if fatal or not isinstance(builder.root, dict):
        return None, problems
    lines = tuple(text.removeprefix("\ufeff").splitlines())
    return Document(file, builder.root, builder.keys, builder.values, lines), problems


def _bad_characters(text: str, file: str) -> Iterator[Problem]:
    for found in _CONTROL.finditer(text):
        place = _place_of(text, found.start())
        times = f", {len(found.group()):,} times" if len(found.group()) > 1 else ""
        yield Problem(file, place.line, place.column, "", f"control character U+{ord(found.group(1)):04X}{times}")
    for found in _NOT_A_SPACE.finditer(text):
        place, sign = _place_of(text, found.end() - 1), found.group(1)
        yield Problem(file, place.line, place.column, "", f"{named(sign)} in the indentation", "spaces")


def _is_json(text: str) -> bool:
    """Whether a text is one JSON object, in which tabs stand between values only."""
    try:
        return text.lstrip("\ufeff \t\r\n").startswith("{") and isinstance(json.loads(text.lstrip("\ufeff")), dict)
    except (ValueError, RecursionError):
        return False


def _place_of(text: str, index: int) -> Place:
    return Place(text.count("\n", 0, index) + 1, index - text.rfind("\n", 0, index))
