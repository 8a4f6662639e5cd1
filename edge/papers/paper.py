"""A paper for a person: headings, sentences, labelled facts. For a terminal, a browser, or as a PDF.

paper = Paper("What this device keeps about you", "en", (PaperSection("Your card", (Labelled("Serial", "..."),)),))
as_text([paper])     # lines of at most 78 characters
as_html([paper])     # one file without scripts, fonts or links to anywhere
as_pdf([paper])      # tagged (PDF/UA-1), text is text
"""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from types import MappingProxyType
from typing import Any
from zoneinfo import ZoneInfo

from edge import _resources
from edge.papers.files import Kinds

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
    from edge.papers.typesetting import typeset

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
    return f"{_in(zone, seconds):%Y-%m-%d} ({zone})"


def moment(seconds: int, zone: str = "UTC") -> str:
    """``2026-11-03 10:15 UTC``."""
    return f"{_in(zone, seconds):%Y-%m-%d %H:%M} {zone}"


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
