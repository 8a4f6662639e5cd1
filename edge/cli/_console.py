"""Text for a terminal and for a file or pipe: only a terminal has a width, so nothing else is ever wrapped.

A line that a program reads, or that somebody searches for, must not depend on the window that it was made in.
"""

from __future__ import annotations

import shutil
import sys
import textwrap
from collections.abc import Sequence

_WIDEST = 100  # longer lines are hard to read, however wide the window is


def width() -> int | None:
    """Columns to wrap at; None when standard output is no terminal."""
    return min(shutil.get_terminal_size().columns, _WIDEST) if sys.stdout.isatty() else None


def wrapped(text: str, first: str = "", rest: str | None = None) -> str:
    """A sentence in lines that fit the terminal; one line elsewhere.

    Args:
        text: a space that must not break is U+00A0. first: before the first line. rest: before the others; None: as
            many spaces as ``first`` has characters.
    """
    columns = width()
    if columns is None:
        return first + text
    return "\n".join(
        textwrap.wrap(
            text,
            columns,
            initial_indent=first,
            subsequent_indent=" " * len(first) if rest is None else rest,
            break_long_words=False,
            break_on_hyphens=False,
        )
    )


def table(rows: Sequence[Sequence[str]]) -> list[str]:
    """Rows as lines, each column as wide as its widest cell, the last one as it is."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)][:-1]
    return ["  ".join([*map(str.ljust, row, widths), row[-1]]) for row in rows]
