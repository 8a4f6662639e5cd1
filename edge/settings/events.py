"""PyYAML's parser events -> data, with the place of every key and value, and no recursion.

`yaml_core` is the door to this; see there for what is refused and why. The builder keeps a stack of open mappings and
lists. A part that cannot be used (a duplicate key, an alias) is reported and left out, the rest is still read.

What a bare word of a YAML file means: the core schema of YAML 1.2.2 (section 10.3.2), not PyYAML's 1.1.

PyYAML reads ``no`` and ``on`` as booleans, ``12:30`` as 750, ``010`` as 8 and ``1e-4`` as text. Installers mean none of
these. Here ``no`` is the word "no", ``12:30`` is text, ``010`` is 10 and ``1e-4`` is 0.0001; dates stay text.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass, field
from typing import Any

import yaml

from edge.settings.problems import MAX_PROBLEMS, KeyPath, Place, Problem, dotted, shown

Scalar = str | int | float | bool | None

_NULL = frozenset({"", "~", "null", "Null", "NULL"})
_TRUE = frozenset({"true", "True", "TRUE"})
_FALSE = frozenset({"false", "False", "FALSE"})
_INTEGER = re.compile(r"[-+]?[0-9]+")
_OCTAL = re.compile(r"0o[0-7]+")
_HEXADECIMAL = re.compile(r"0x[0-9a-fA-F]+")
_FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?")
_NOT_FINITE = re.compile(r"[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN)")
_LONGEST_NUMBER = 40  # characters; Python itself refuses to read integers of more than 4300 digits
#: What editors, office programs and copied pages put where YAML wants spaces, or where nothing is seen.
SPACES = "\u00a0\u1680\u2000-\u200b\u202f\u205f\u3000\ufeff"
_IN_A_KEY = re.compile(f"[{SPACES}\u00ad\u200c-\u200f\u202a-\u202e\u2060\u2066-\u2069]")
#: One of them (or a full-width colon) where a colon or a dash needs a space behind it.
_BEHIND = re.compile(f"(?:[a-z_]+:|-)([{SPACES}])|[a-z_]+(\uff1a)")
_MARGIN = re.compile(r" *(?:- +)*")
_FORBIDDEN = re.compile(r"[\x00-\x08\x0b-\x1f\x7f\ud800-\udfff]")


def resolve(text: str) -> Scalar:
    """The value of an unquoted scalar.

    Raises:
        ValueError: a number that is not finite or absurdly long; the message is fit for a person.
    """
    if text in _NULL:
        return None
    if text in _TRUE or text in _FALSE:
        return text in _TRUE
    if _NOT_FINITE.fullmatch(text):
        raise ValueError("infinity and 'not a number' are not allowed; put it in quotes if it is text")
    number = _INTEGER.fullmatch(text) or _OCTAL.fullmatch(text) or _HEXADECIMAL.fullmatch(text)
    if number is None and not _FLOAT.fullmatch(text):
        return text
    if len(text) > _LONGEST_NUMBER:
        raise ValueError(f"a number of more than {_LONGEST_NUMBER} characters; put it in quotes if it is text")
    if number is not None:
        base = {"0o": 8, "0x": 16}.get(text[:2], 10)
        return int(text, base)
    value = float(text)
    if not math.isfinite(value):
        raise ValueError("the number is too large; put it in quotes if it is text")
    return value


def check_text(text: str) -> None:
    """Refuse characters that no setting needs and that files, terminals and JSON choke on.

    Raises:
        ValueError: a control character or half of a surrogate pair (only an escape such as ``"\\0"`` can bring one in).
    """
    found = _FORBIDDEN.search(text)
    if found:
        raise ValueError(f"the text holds the control character U+{ord(found.group()):04X}")


def named(sign: str) -> str:
    """A sign that is invisible, or mistaken for another one, in words."""
    return {"\t": "a tab", "\u00a0": "a no-break space"}.get(sign, f"the character U+{ord(sign):04X}")


MAX_DEPTH = 20
MAX_VALUES = 20_000

#: PyYAML's words -> ours. The first match counts; without a match PyYAML's own words are shown.
_SYNTAX = (
    ("found character '\\t'", "a tab stands where a value begins; use spaces"),
    ("mapping values are not allowed", "a colon stands where none can be; check the indentation, or quote the text"),
    ("could not find expected ':'", "a line that is not `key: value`"),
    ("expected <block end>", "the indentation does not fit the lines above"),
    ("unexpected end of stream", "a quote is opened and never closed"),
    ("expected ',' or", "a list or section in brackets is not closed, or a comma is missing"),
    ("<stream end>", "the file ends too early: a bracket is not closed"),
    ("that cannot start any token", "a value cannot begin with this character; put it in quotes"),
    ("unknown escape character", "unknown escape in a double-quoted text; use single quotes"),
)


def _mark(mark: Any) -> Place:
    return Place(mark.line + 1, mark.column + 1)


class _Stop(Exception):
    """The rest of the file is not worth reading. Carries the last problem."""

    def __init__(self, problem: Problem) -> None:
        super().__init__()
        self.problem = problem


@dataclass(slots=True)
class _Level:
    """A mapping or list that is still open."""

    container: dict[str, Any] | list[Any]
    path: KeyPath | None  # None: inside a part that is thrown away
    as_key: bool = False  # a mapping or list that stands where a key belongs
    key: str | None = None  # the key that waits for its value
    discard: bool = False  # the value that comes next is thrown away
    seen: dict[str, Place] = field(default_factory=dict)
    index: int = 0


class Builder:
    """Turns parser events into data, places and problems."""

    def __init__(self, file: str) -> None:
        self.file = file
        self.problems: list[Problem] = []
        self.keys: dict[KeyPath, Place] = {}
        self.values: dict[KeyPath, Place] = {}
        self.root: Any = None
        self.root_place = Place(1, 1)
        self._stack: list[_Level] = []
        self._documents = 0
        self._count = 0

    def read(self, text: str) -> Problem | None:
        """Walk all events; the fatal problem, if any."""
        loader: Any = None
        try:
            loader = yaml.SafeLoader(text)
            while loader.check_event():
                self._event(loader.get_event())
        except _Stop as stop:
            return stop.problem
        except yaml.MarkedYAMLError as error:
            if odd := self._odd_line(text):
                self.problems = [known for known in self.problems if known.line != odd.line]
                return odd
            words = str(error.problem or error.context)
            mark = error.problem_mark or error.context_mark
            if "end of stream" in words or "<stream end>" in words:
                mark = (
                    error.context_mark or mark
                )  # where the quote or bracket was opened says more than where the file ends
            return self._at(_mark(mark) if mark else Place(1, 1), _plain_words(words))
        except Exception as error:
            # PyYAML lets ValueError and its like out of malformed escapes ("\U00110000") and directives.
            place = _mark(loader.get_mark()) if loader is not None else Place(1, 1)
            return self._at(place, f"this is not YAML ({type(error).__name__})")
        return None

    def _odd_line(self, text: str) -> Problem | None:
        """The first line whose colon or dash has no effect, since no plain space follows it."""
        for number, line in enumerate(text.removeprefix("\ufeff").splitlines(), 1):
            margin = _MARGIN.match(line)
            start = margin.end() if margin else 0
            if found := _BEHIND.match(line, start):
                return self._odd(Place(number, 1 + start), found)
        return None

    def _odd(self, place: Place, found: re.Match[str]) -> Problem:
        at = found.start(found.lastindex or 0)
        sign, behind = found.string[at], "behind a colon" if ":" in found.group() else "behind a dash"
        what = f"{named(sign)} {behind}" if found.group(1) else f"{named(sign)} in place of a colon"
        column = place.column + at - found.start()
        return self._at(Place(place.line, column), what, "a space" if found.group(1) else "a colon and a space")

    def wrong_top(self) -> Problem:
        """The problem of a file whose top level is not a mapping."""
        if self.root is None:
            return self._at(Place(1, 1), "the file is empty", "`key: value` lines")
        return self._at(self.root_place, "the top level must be `key: value` lines")

    def _event(self, event: Any) -> None:
        if isinstance(event, yaml.DocumentStartEvent):
            self._document(event)
        elif isinstance(event, yaml.AliasEvent):
            self._report(event, "aliases (*name) are not supported", "the value itself")
            self._skip(event)
        elif isinstance(event, yaml.ScalarEvent):
            self._decoration(event)
            self._scalar(event)
        elif isinstance(event, yaml.CollectionStartEvent):
            self._decoration(event)
            self._open(event)
        elif isinstance(event, yaml.CollectionEndEvent):
            self._close()

    def _document(self, event: Any) -> None:
        self._documents += 1
        if self._documents > 1:
            raise _Stop(self._at(_mark(event.start_mark), "a second document begins here", "one document a file"))
        if event.version or event.tags:
            self._report(event, "directives (lines that begin with %) are not supported")

    def _decoration(self, event: Any) -> None:
        self._count += 1
        if self._count > MAX_VALUES:
            raise _Stop(self._at(_mark(event.start_mark), f"more than {MAX_VALUES:,} values"))
        if event.anchor is not None:
            self._report(event, "anchors (&name) are not supported", "the value itself")
        if event.tag is not None:
            self._report(event, "tags (!name) are not supported", "the value itself")

    def _scalar(self, event: Any) -> None:
        level = self._stack[-1] if self._stack else None
        plain = bool(event.implicit[0]) and event.style is None
        try:
            check_text(event.value)
            value = resolve(event.value) if plain else event.value
            odd = _BEHIND.match(event.value) if plain else None
        except ValueError as error:
            self._report(event, str(error))
            self._skip(event)
            return
        if level is not None and isinstance(level.container, dict) and level.key is None and not level.discard:
            self._key(level, event, value, merge=plain and event.value == "<<")
        elif odd:
            self.problems.append(self._odd(_mark(event.start_mark), odd))
            self._skip(event)
        else:
            self._value(value, _mark(event.start_mark))

    def _key(self, level: _Level, event: Any, value: Any, *, merge: bool) -> None:
        place = _mark(event.start_mark)
        level.discard = True
        if merge:
            self._report(event, "merge keys (<<) are not supported", "the values themselves")
        elif not isinstance(value, str):
            self._report(event, f"the key {shown(value)} is not text", "a word as key")
        elif event.style is None and (odd := _IN_A_KEY.search(value)):
            self._report(event, f"{named(odd.group())} in the key {shown(value)}", "a word as key")
        elif value in level.seen:
            first = level.seen[value]
            path = (*(level.path or ()), value)
            where = f"first at line {first.line}, column {first.column}"
            self.problems.append(
                Problem(self.file, place.line, place.column, dotted(path), f"the key is given twice, {where}", "once")
            )
        else:
            level.seen[value], level.key, level.discard = place, value, False
            if level.path is not None:
                self.keys[(*level.path, value)] = place

    def _value(self, value: Any, place: Place) -> KeyPath | None:
        """Put a value where it belongs; its path, or None when it is thrown away."""
        if not self._stack:
            self.root, self.root_place = value, place
            return ()
        level = self._stack[-1]
        if level.discard:
            level.discard = False
            return None
        part: str | int
        if isinstance(level.container, list):
            part, level.index = level.index, level.index + 1
            level.container.append(value)
        else:
            assert level.key is not None
            part, level.key = level.key, None
            level.container[part] = value
        if level.path is None:
            return None
        path = (*level.path, part)
        self.keys.setdefault(path, place)
        self.values[path] = place
        return path

    def _open(self, event: Any) -> None:
        place = _mark(event.start_mark)
        if len(self._stack) >= MAX_DEPTH:
            raise _Stop(self._at(place, "nested too deeply", f"at most {MAX_DEPTH} levels"))
        container: dict[str, Any] | list[Any] = {} if isinstance(event, yaml.MappingStartEvent) else []
        level = self._stack[-1] if self._stack else None
        if level and isinstance(level.container, dict) and level.key is None and not level.discard:
            self._report(event, "a list or section stands where a key belongs", "a word as key")
            self._stack.append(_Level(container, None, as_key=True))
        else:
            self._stack.append(_Level(container, self._value(container, place)))

    def _close(self) -> None:
        level = self._stack.pop()
        if level.as_key:
            self._stack[-1].discard = True

    def _skip(self, event: Any) -> None:
        """An unusable scalar or alias: leave out the key it stands for, the value of its key, or the list's entry."""
        if not self._stack:
            return
        level = self._stack[-1]
        if isinstance(level.container, list):
            self._value(None, _mark(event.start_mark))  # the entries after it keep their numbers
        elif level.key is not None:
            level.key = None
        else:
            level.discard = not level.discard

    def _report(self, event: Any, what: str, allowed: str = "") -> None:
        self.problems.append(self._at(_mark(event.start_mark), what, allowed))
        if len(self.problems) >= MAX_PROBLEMS:
            raise _Stop(self.problems.pop())

    def _at(self, place: Place, what: str, allowed: str = "") -> Problem:
        path: KeyPath = ()
        if self._stack and self._stack[-1].path is not None:
            level = self._stack[-1]
            path = level.path or ()
            if level.key is not None:
                path = (*path, level.key)
        return Problem(self.file, place.line, place.column, dotted(path), what, allowed)


def _plain_words(problem: str) -> str:
    for part, words in _SYNTAX:
        if part in problem:
            return words
    return problem
