"""Papers and cards as PDF by Typst: tagged (PDF/UA-1), so that a screen reader reads the text, in any script.

    typeset({"papers": [...], "card": None})

Fonts are an input: those of `FONT_FOLDERS`, of the families that `edge/papers/templates/paper.typ` names and then of
whatever else lies there. PDF/UA-1 allows no text without glyphs, so Typst refuses a character that no font has; then
there is no paper, never one with a box or a question mark in a person's name.
"""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Mapping
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from edge import _resources
from edge.errors import InputError

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
