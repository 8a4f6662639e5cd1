"""The pictures of a folder, in the order in which a person would count them.

    for path in pictures_in(Path("recordings")):     # 1.jpg, 2.jpg ... 10.jpg, as `ffmpeg %d.jpg` writes them
        read_image(path)

What is hidden is not meant: macOS leaves a ``._name.jpg`` beside every picture that it copies. What is empty is a
download that has not begun. Both are passed over, as is every file whose name does not end like a picture's.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path

#: How names of pictures end, in lower case. JFIF is JPEG: some browsers save it so.
ENDINGS = (".jpg", ".jpeg", ".jfif", ".png", ".bmp", ".webp")
_NUMBER = re.compile(r"(\d+)")


def pictures_in(folder: Path) -> list[Path]:
    """The pictures of one folder, none of those below it. Raises `OSError`."""
    return in_order(path for path in folder.iterdir() if is_picture(path))


def is_picture(path: Path) -> bool:
    """Is this a file that is to be read as a picture: named like one, not hidden, not empty?"""
    named = path.suffix.lower() in ENDINGS and not path.name.startswith(".")
    return named and path.is_file() and path.stat().st_size > 0


def in_order(paths: Iterable[Path]) -> list[Path]:
    """Sorted by name, folder by folder, with numbers by their value: 2 before 10, and 007 beside 7."""
    return sorted(paths, key=lambda path: ([_name_order(part) for part in path.parts], path))


def _name_order(name: str) -> list[tuple[int, str]]:
    """Text and numbers by turns; text always stands at the even places, so that like is compared with like."""
    return [(int(part), "") if place % 2 else (0, part) for place, part in enumerate(_NUMBER.split(name))]
