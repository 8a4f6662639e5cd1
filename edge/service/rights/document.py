"""A paper for a person: headings, sentences, labelled facts. As text for a terminal, or as a page to read and print.

paper = Document("What this device keeps about you", "en", (Section("Your card", (Fact("Serial", "..."),)),))
paper.as_text()      # lines of at most 78 characters
paper.as_html()      # one file without scripts, fonts or links to anywhere
"""

from __future__ import annotations

import textwrap
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape
from typing import Any

_WIDTH = 78
_STYLE = """
  :root { color-scheme: light; }
  body { font: 16px/1.5 system-ui, "Segoe UI", Roboto, "Noto Sans", sans-serif; color: #181c24; background: #f3f4f6;
         margin: 0; }
  main { max-width: 46rem; margin: 2rem auto; background: #fff; padding: 2.5rem 3rem; border-top: 6px solid #174a7c;
         box-shadow: 0 1px 4px #0002; }
  h1 { font-size: 1.7rem; line-height: 1.2; margin: 0 0 .4rem; color: #174a7c; }
  h2 { font-size: 1.1rem; margin: 2rem 0 .5rem; padding-bottom: .2rem; border-bottom: 1px solid #d5d9e0; }
  p { margin: .5rem 0; }
  dl { display: grid; grid-template-columns: minmax(9rem, 14rem) 1fr; gap: .25rem 1rem; margin: .6rem 0; }
  dt { color: #5a6270; } dd { margin: 0; overflow-wrap: anywhere; }
  ul { margin: .5rem 0; padding-left: 1.2rem; } li { margin: .3rem 0; }
  @media (max-width: 40rem) {
    main { margin: 0; padding: 1.5rem; } dl { grid-template-columns: 1fr; } dd { margin: 0 0 .4rem; }
  }
  @page { margin: 18mm; }
  @media print {
    body { background: #fff; font-size: 10.5pt; } main { box-shadow: none; margin: 0; padding: 0; max-width: none; }
    main + main { break-before: page; } h2 { break-after: avoid; } dd, li { break-inside: avoid; }
  }
"""


@dataclass(frozen=True, slots=True)
class Fact:
    """A labelled value."""

    label: str
    value: str


@dataclass(frozen=True, slots=True)
class Item:
    """A point of a list."""

    text: str


Line = str | Fact | Item


@dataclass(frozen=True, slots=True)
class Section:
    """A heading, and what stands under it: paragraphs, facts, points."""

    heading: str
    lines: tuple[Line, ...]


@dataclass(frozen=True, slots=True)
class Document:
    """A whole paper.

    Attributes:
        title: its heading. language: a language tag. sections: in order; a first one without a heading is the opening.
    """

    title: str
    language: str
    sections: tuple[Section, ...]

    def as_json(self) -> dict[str, Any]:
        """As JSON can hold it; `from_json` reads it."""
        sections = [
            {
                "heading": section.heading,
                "lines": [
                    {"label": line.label, "value": line.value}
                    if isinstance(line, Fact)
                    else {"item": line.text}
                    if isinstance(line, Item)
                    else line
                    for line in section.lines
                ],
            }
            for section in self.sections
        ]
        return {"title": self.title, "language": self.language, "sections": sections}

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Document:
        """What `as_json` wrote. Raises KeyError, TypeError."""

        def line(said: Any) -> Line:
            if isinstance(said, str):
                return said
            return Item(said["item"]) if "item" in said else Fact(said["label"], said["value"])

        sections = (Section(each["heading"], tuple(map(line, each["lines"]))) for each in value["sections"])
        return cls(value["title"], value["language"], tuple(sections))

    def as_text(self) -> str:
        """For a terminal or a .txt file; ends in a newline."""
        parts = [f"{self.title}\n{'=' * len(self.title)}"]
        for section in self.sections:
            heading = f"{section.heading}\n{'-' * len(section.heading)}\n" if section.heading else ""
            parts.append(heading + "\n".join(_text(section.lines)))
        return "\n\n".join(parts) + "\n"

    def as_html(self) -> str:
        """One self-contained page; nothing in it is loaded from elsewhere."""
        return page([self])


def page(papers: Sequence[Document]) -> str:
    """Papers for the same person on one page; each begins a sheet when printed. At least one."""
    first = papers[0]
    sheets = "\n".join(_sheet(paper) for paper in papers)
    return (
        f'<!doctype html>\n<html lang="{escape(first.language)}">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{escape(first.title)}</title>\n<style>{_STYLE}</style>\n</head>\n<body>\n{sheets}\n</body>\n</html>\n"
    )


def _sheet(paper: Document) -> str:
    body = "\n".join(
        (f"<h2>{escape(section.heading)}</h2>\n" if section.heading else "") + _html(section.lines)
        for section in paper.sections
    )
    return f'<main lang="{escape(paper.language)}">\n<h1>{escape(paper.title)}</h1>\n{body}\n</main>'


def _text(lines: tuple[Line, ...]) -> list[str]:
    labels = [len(line.label) for line in lines if isinstance(line, Fact)]
    column = min(max(labels, default=0), 28) + 2
    out: list[str] = []
    for line in lines:
        if isinstance(line, Fact):
            out += textwrap.wrap(
                line.value or "-",
                _WIDTH,
                initial_indent=f"{line.label}:".ljust(column + 1),
                subsequent_indent=" " * (column + 1),
            )
        elif isinstance(line, Item):
            out += textwrap.wrap(line.text, _WIDTH, initial_indent="- ", subsequent_indent="  ")
        else:
            out += textwrap.wrap(line, _WIDTH)
    return out


def _html(lines: tuple[Line, ...]) -> str:
    """Neighbouring facts share a list of definitions, neighbouring points a list."""
    out, open_tag = [], ""
    for line in lines:
        tag = "dl" if isinstance(line, Fact) else "ul" if isinstance(line, Item) else ""
        if tag != open_tag:
            out += ([f"</{open_tag}>"] if open_tag else []) + ([f"<{tag}>"] if tag else [])
            open_tag = tag
        if isinstance(line, Fact):
            out.append(f"<dt>{escape(line.label)}</dt><dd>{escape(line.value or '-')}</dd>")
        elif isinstance(line, Item):
            out.append(f"<li>{escape(line.text)}</li>")
        else:
            out.append(f"<p>{escape(line)}</p>")
    return "\n".join([*out, *([f"</{open_tag}>"] if open_tag else [])])
