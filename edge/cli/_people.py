"""What the commands about a person share: whose card, in which language, and the paper that leaves."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from edge.service.rights import Document

SUFFIXES = (".html", ".txt")


def check_paper(path: Path | None, state_dir: Path) -> None:
    """Return when a paper may be written there; asked before anything is done.

    Raises:
        InputError: another suffix, a name that is taken, no such folder, or inside the state folder.
    """
    from edge.errors import InputError

    if path is None:
        return
    if path.suffix.lower() not in SUFFIXES:
        raise InputError(
            "a paper is .html (to print from a browser) or .txt", where=str(path), remedy="give the file such a suffix"
        )
    if not path.parent.is_dir():
        raise InputError("there is no such folder", where=str(path.parent), remedy="create it first")
    if path.parent.resolve().is_relative_to(state_dir.resolve()):
        raise InputError(
            "a paper about a person is not kept with the device's state",
            where=str(path),
            remedy="choose another folder",
        )
    if os.path.lexists(path):
        raise InputError("the file is already there, and a paper never replaces one", where=str(path), remedy="rename")


def write_paper(path: Path, papers: list[Document]) -> None:
    """Write papers one after the other to a new file of mode 0600.

    Raises:
        InputError: it cannot be written.
    """
    from edge.errors import InputError
    from edge.service.rights.document import page

    html = path.suffix.lower() == ".html"
    text = page(papers) if html else "\n".join(paper.as_text() for paper in papers)
    try:
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(text)
    except OSError as error:
        raise InputError(f"the paper cannot be written ({error.strerror})", where=str(path)) from None
