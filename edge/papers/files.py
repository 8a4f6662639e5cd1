"""Where something for a person's own hands is written: a new file of mode 0600, never beside the device's state.

draw = check_new(Path("ada.pdf"), CARD_KINDS, state_dir=state)      # before anybody stands in front of the camera
write_new(Path("ada.pdf"), draw(text), state_dir=state)
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TypeVar

from edge.errors import InputError
from edge.files import check_writable, refusal, write_atomic

Content = TypeVar("Content")
Kinds = Mapping[str, Callable[[Content], bytes]]
"""Suffix of a file -> what makes its bytes."""


def check_new(path: Path, kinds: Kinds[Content], *, state_dir: Path) -> Callable[[Content], bytes]:
    """What makes the kind of file that ``path`` asks for, when it may be written at all.

    Raises:
        InputError: another suffix, a name that is taken, no such folder, inside the state folder, or a PDF where Typst
            is not installed.
    """
    suffix = path.suffix.lower()
    make = kinds.get(suffix)
    if make is None:
        raise InputError(
            f"this is written as {', '.join(kinds)}", where=str(path), remedy="give the file one of these suffixes"
        )
    if suffix == ".pdf":
        from edge.papers.paper import need_typst

        need_typst(str(path))
    _check_place(path, state_dir)
    return make


def write_new(path: Path, data: bytes, *, state_dir: Path) -> None:
    """Write to a new file of mode 0600.

    Raises:
        InputError: as `check_new`, or the file cannot be written; then nothing is left of it.
    """
    _check_place(path, state_dir)
    try:
        write_atomic(path, data, mode=0o600, new=True, stick=True)
    except OSError as error:
        raise refusal(InputError, error, path, "this cannot be written") from None


def _check_place(path: Path, state_dir: Path) -> None:
    try:
        folder = path.parent.resolve(strict=True)
        inside = folder.is_relative_to(state_dir.resolve())
        taken = os.path.lexists(path)
    except OSError:
        raise InputError("there is no such folder", where=str(path.parent), remedy="create it first") from None
    if not folder.is_dir():
        raise InputError("this is not a folder", where=str(path.parent), remedy="name a folder")
    if inside:
        raise InputError(
            "a person's papers are never kept with the device's state: card and device together open a template",
            where=str(path),
            remedy="choose a folder outside device.state_dir",
        )
    if taken:
        raise InputError("the file is already there, and is never replaced", where=str(path), remedy="rename")
    check_writable(path)
