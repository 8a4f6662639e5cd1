"""The labelled set: pictures, and whose they are.

    pictures = PictureSet.open(Path("lfw"))        # a folder or a .tar with Name/Name_0001.jpg
    pictures.names[0], pictures.owners[0]          # 'Aaron_Patterson/Aaron_Patterson_0001.jpg', 'Aaron_Patterson'
    image = pictures.load(0)                       # BGR uint8 (H, W, 3)

Pictures are sorted by person, so that a person's pictures lie side by side; nothing is unpacked or kept in memory.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from edge.errors import InputError
from edge.lab.picture_files import Picture, gather
from edge.types import U8


@dataclass(frozen=True, slots=True)
class PictureSet:
    """One set.

    Attributes:
        title: file or folder name, for the report.
        names: path of every picture below the folder or in the tar. owners: the folder of each, the person.
        people: int64 (pictures,), number of the owner, never falling.
        digest: of names, sizes and dates: another set has another one.
    """

    title: str
    names: tuple[str, ...]
    owners: tuple[str, ...]
    people: NDArray[np.int64] = field(repr=False)
    digest: str
    _pictures: tuple[Picture, ...] = field(repr=False)

    @classmethod
    def open(cls, source: Path) -> PictureSet:
        """List the pictures of a folder or .tar; none is read.

        Raises:
            InputError: not readable, no picture in it, or a picture that lies in no person's folder.
        """
        if not source.exists():
            raise InputError("there is no such folder or file", where=str(source), remedy="check --images")
        by_person = gather([source])
        pictures = tuple(picture for group in by_person.values() for picture in group)
        loose = [picture.name for picture in pictures if "/" not in picture.name]
        if loose:
            raise InputError(
                f"{loose[0]} lies in no person's folder",
                where=str(source),
                remedy="lay pictures out as Name/Name_0001.jpg: whose a picture is must be known",
            )
        if len(by_person) < 2:
            raise InputError("pictures of one person only", where=str(source), remedy="error rates need two at least")
        number = {person: k for k, person in enumerate(by_person)}
        people = np.array([number[picture.person] for picture in pictures], np.int64)
        names = tuple(picture.name for picture in pictures)
        owners = tuple(picture.person for picture in pictures)
        return cls(source.name, names, owners, people, _digest(source, names), pictures)

    def __len__(self) -> int:
        return len(self.names)

    @property
    def persons(self) -> int:
        """How many people."""
        return int(self.people[-1]) + 1

    def load(self, index: int) -> U8:
        """One picture, BGR uint8 (H, W, 3), upright.

        Raises:
            InputError: it cannot be decoded.
        """
        return self._pictures[index].load()


def _digest(source: Path, names: tuple[str, ...]) -> str:
    """SHA-256 (hex) over names and, as far as the file system tells, sizes and dates of change."""
    total = hashlib.sha256()
    if source.is_file():
        status = source.stat()
        total.update(f"{status.st_size} {status.st_mtime_ns}\n".encode())
    for name in names:
        total.update(name.encode(errors="surrogateescape") + b"\n")
        if source.is_dir():
            status = (source / name).stat()
            total.update(f"{status.st_size} {status.st_mtime_ns}\n".encode())
    return total.hexdigest()
