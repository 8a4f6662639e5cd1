"""A paper for a person: headings, sentences, labelled facts. For a terminal, a browser, or as a PDF.

paper = Paper("What this device keeps about you", "en", (PaperSection("Your card", (Labelled("Serial", "..."),)),))
as_text([paper])     # lines of at most 78 characters
as_html([paper])     # one file without scripts, fonts or links to anywhere
as_pdf([paper])      # tagged (PDF/UA-1), text is text

Papers and cards as PDF by Typst: tagged (PDF/UA-1), so that a screen reader reads the text, in any script.

    typeset({"papers": [...], "card": None})

Fonts are an input: those of `FONT_FOLDERS`, of the families that `edge/papers/templates/paper.typ` names and then of
whatever else lies there. PDF/UA-1 allows no text without glyphs, so Typst refuses a character that no font has; then
there is no paper, never one with a box or a question mark in a person's name.
"""

from __future__ import annotations

import json
import re
import textwrap
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from types import MappingProxyType
from typing import Any
from zoneinfo import ZoneInfo

from edge import _resources
from edge.errors import InputError
from edge.papers.files import Kinds

#: Where fonts are looked for: apt's (fonts-noto-core, fonts-noto-cjk), and what an administrator adds.
FONT_FOLDERS = (Path("/usr/share/fonts"), Path("/usr/local/share/fonts"))
_FONTS_REMEDY = (
    "apt install fonts-noto-core fonts-noto-cjk, or put a font that has it into /usr/local/share/fonts; "
    "a .txt or .html needs no fonts here"
)
#: Typst 0.15's words for a character without a glyph.
_NO_GLYPH = re.compile(r'the text `"(?P<text>.+?)"` could not be displayed with font `"(?P<font>.+?)"`', re.DOTALL)
#: How Rust shows what is not printed.
_ESCAPED = re.compile(r"\\u\{([0-9a-f]+)\}")


def need_typst(where: str) -> None:
    """Return when Typst is installed. Raises `InputError` with how to install it."""
    if find_spec("typst") is None:
        raise InputError(
            "a PDF is set by Typst, which is not installed here",
            where=where,
            remedy="run `pip install 'edge-verifier[papers]'`, or choose another suffix",
        )


def typeset(data: Mapping[str, Any]) -> bytes:
    """A PDF file's content.

    Args:
        data: for ``paper.typ``: ``papers`` (`Paper.as_data`, at least one) and ``card`` (`edge.papers.card`) or None.

    Raises:
        InputError: Typst is not installed, or no font here has a character.
    """
    need_typst("papers")
    import typst

    template = _resources.path("papers", "paper.typ").read_bytes()
    # PDF/UA-1 (ISO 14289-1, 7.21.7) allows no U+FEFF, U+FFFE or U+0000; a byte order mark in a text means nothing.
    inputs = {"data": json.dumps(data, ensure_ascii=False).translate(dict.fromkeys((0xFEFF, 0xFFFE)))}
    try:
        made = typst.compile(
            template, font_paths=_fonts(), ignore_system_fonts=True, sys_inputs=inputs, pdf_standards="ua-1"
        )
    except typst.TypstError as error:
        found = _NO_GLYPH.search(error.message)
        if found is None:
            raise
        escaped = _ESCAPED.match(found["text"])
        sign = chr(int(escaped[1], 16)) if escaped else found["text"][0]
        name = unicodedata.name(sign, "no name")
        raise InputError(
            f"no font here has the character {sign} (U+{ord(sign):04X}, {name}); {found['font']} was tried last",
            where="fonts",
            remedy=_FONTS_REMEDY,
        ) from None
    return bytes(made)


@cache
def _fonts() -> Any:
    """The fonts of this machine, read once, and those inside Typst's package (Latin, Greek, Cyrillic)."""
    import typst

    folders = [str(folder) for folder in FONT_FOLDERS if folder.is_dir()]
    return typst.Fonts(include_system_fonts=False, font_paths=folders)


_WIDTH = 78


@dataclass(frozen=True, slots=True)
class Labelled:
    """A value under its label."""

    label: str
    value: str
    kind: str = "fact"


@dataclass(frozen=True, slots=True)
class Point:
    """A point of a list."""

    text: str
    kind: str = "point"


@dataclass(frozen=True, slots=True)
class Sentences:
    """A paragraph."""

    text: str
    kind: str = "paragraph"


PaperLine = Labelled | Point | Sentences


@dataclass(frozen=True, slots=True)
class PaperSection:
    """A heading, and what stands under it."""

    heading: str
    lines: tuple[PaperLine, ...]


@dataclass(frozen=True, slots=True)
class Paper:
    """A whole paper.

    Attributes:
        title: its heading. language: a language tag. sections: in order; a first one without a heading is the opening.
    """

    title: str
    language: str
    sections: tuple[PaperSection, ...]

    def as_data(self) -> dict[str, Any]:
        """For the templates: neighbouring facts and points stand together in groups of one kind."""
        sections = [{"heading": section.heading, "groups": _groups(section.lines)} for section in self.sections]
        return {"title": self.title, "language": self.language, "sections": sections}


def as_text(papers: Sequence[Paper]) -> str:
    """For a terminal or a .txt file, one after the other; ends in a newline."""
    return "\n".join(_text(paper) for paper in papers)


def as_html(papers: Sequence[Paper]) -> str:
    """Papers for the same person on one page; each begins a sheet when printed. Nothing is loaded from elsewhere."""
    from jinja2 import Environment, StrictUndefined

    template = _resources.path("papers", "paper.html.j2").read_text(encoding="utf-8")
    environment = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    return environment.from_string(template).render(papers=[paper.as_data() for paper in papers])


def as_pdf(papers: Sequence[Paper]) -> bytes:
    """Papers for the same person, each on a sheet of its own. Raises as `typesetting.typeset`."""
    from edge.papers.paper import typeset

    return typeset({"papers": [paper.as_data() for paper in papers], "card": None})


PAPER_KINDS: Kinds[Sequence[Paper]] = MappingProxyType(
    {
        ".html": lambda papers: as_html(papers).encode("utf-8"),
        ".txt": lambda papers: as_text(papers).encode("utf-8"),
        ".pdf": as_pdf,
    }
)
"""Suffix of a paper's file -> what makes it; for `edge.papers.files`."""


def day(seconds: int, zone: str = "UTC") -> str:
    """``2026-11-03 (Europe/Paris)``: ISO 8601, which is read the same everywhere."""
    return f"{_in(zone, seconds):%Y-%m-%d} ({_called(zone)})"


def moment(seconds: int, zone: str = "UTC") -> str:
    """``2026-11-03 10:15 UTC``."""
    return f"{_in(zone, seconds):%Y-%m-%d %H:%M} {_called(zone)}"


def _called(zone: str) -> str:
    """No clock says Etc/UTC, the database's name of it, and other lines of the same paper say UTC."""
    return "UTC" if zone == "Etc/UTC" else zone


def _in(zone: str, seconds: int) -> datetime:
    return datetime.fromtimestamp(seconds, UTC if zone == "UTC" else ZoneInfo(zone))


def _groups(lines: Sequence[PaperLine]) -> list[dict[str, Any]]:
    groups: list[dict[str, Any]] = []
    for line in lines:
        if not groups or groups[-1]["kind"] != line.kind:
            groups.append({"kind": line.kind, "lines": []})
        groups[-1]["lines"].append({key: value or "-" for key, value in asdict(line).items()})
    return groups


def _text(paper: Paper) -> str:
    parts = [f"{paper.title}\n{'=' * len(paper.title)}"]
    for section in paper.sections:
        heading = f"{section.heading}\n{'-' * len(section.heading)}\n" if section.heading else ""
        parts.append(heading + "\n".join(_wrapped(section.lines)))
    return "\n\n".join(parts) + "\n"


def _wrapped(lines: Sequence[PaperLine]) -> list[str]:
    labels = [len(line.label) for line in lines if isinstance(line, Labelled)]
    column = min(max(labels, default=0), 28) + 3
    out: list[str] = []
    for line in lines:
        if isinstance(line, Labelled):
            first, later, said = f"{line.label}:".ljust(column), " " * column, line.value or "-"
        else:
            first, later, said = *(("- ", "  ") if isinstance(line, Point) else ("", "")), line.text
        out += textwrap.wrap(said, _WIDTH, initial_indent=first, subsequent_indent=later)
    return out
