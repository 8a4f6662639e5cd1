"""Picture files and whose they are: a folder or a .tar, one folder a person.

    people = gather([Path("staff"), Path("extra.tar")])      # {"ada": [Picture, ...], ...}
    image = people["ada"][0].load()                          # BGR uint8 (H, W, 3)

``staff/ada/1.jpg`` belongs to ada; a picture that lies in no folder (``staff/ada.jpg``) is a person of its own. Nothing
is unpacked, and a picture is read when it is asked for.
"""

from __future__ import annotations

import tarfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from edge.errors import InputError
from edge.pictures import decode_image, read_image
from edge.types import U8

ENDINGS = (".jpg", ".jpeg", ".png", ".bmp", ".webp")


@dataclass(frozen=True, slots=True)
class Picture:
    """One picture file: ``name`` is its path below the folder or in the tar; ``load`` gives BGR uint8 (H, W, 3)."""

    name: str
    person: str
    load: Callable[[], U8]


def gather(sources: Sequence[Path]) -> dict[str, list[Picture]]:
    """The pictures of every person, sorted by name.

    Args:
        sources: folders or .tar files.

    Raises:
        InputError: a source cannot be read or holds no picture.
    """
    people: dict[str, list[Picture]] = {}
    for source in sources:
        found = list(_folder(source) if source.is_dir() else _tar(source))
        if not found:
            raise InputError(
                "no picture was found", where=str(source), remedy=f"name a folder or .tar with {', '.join(ENDINGS)}"
            )
        for picture in found:
            people.setdefault(picture.person, []).append(picture)
    return {person: sorted(people[person], key=lambda picture: picture.name) for person in sorted(people)}


def _person(name: str) -> str:
    """The folder is the person; without one the picture is."""
    return str(Path(name).parent) if "/" in name else name


def _folder(source: Path) -> Iterator[Picture]:
    for path in sorted(source.rglob("*")):
        if path.suffix.lower() in ENDINGS and path.is_file():
            name = path.relative_to(source).as_posix()
            yield Picture(name, _person(name), partial(read_image, path))


def _tar(source: Path) -> Iterator[Picture]:
    """Members are found once and read by offset later, so that nothing is unpacked."""
    try:
        with tarfile.open(source, "r:") as tar:
            members = [m for m in tar if m.isfile() and Path(m.name).suffix.lower() in ENDINGS]
    except (OSError, tarfile.TarError) as error:
        what = getattr(error, "strerror", None) or "it is not an uncompressed .tar"
        raise InputError(f"cannot be read: {what}", where=str(source), remedy="name a folder or a .tar") from None
    for member in members:
        name = member.name.removeprefix("./")
        yield Picture(name, _person(name), partial(_member, source, member.offset_data, member.size, name))


def _member(source: Path, offset: int, size: int, name: str) -> U8:
    with source.open("rb") as file:
        file.seek(offset)
        return decode_image(file.read(size), where=f"{source.name}:{name}")
