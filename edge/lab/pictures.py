"""Picture files and whose they are: a folder or a .tar, one folder a person.

    found = gather([Path("staff"), Path("extra.tar")])       # found.people: {"ada": [Picture, ...], ...}
    image = found.people["ada"][0].load()                    # BGR uint8 (H, W, 3)
    pictures = PictureSet.open(Path("lfw"))                  # the same as a labelled set, every picture in a folder
    pictures.names[0], pictures.owners[0]                    # 'Aaron_Eckhart/Aaron_Eckhart_0001.jpg', 'Aaron_Eckhart'

The folder that a picture lies in is the person; people's folders may lie below others (``lfw/Ada/Ada_0001.jpg``), and a
picture that lies in no folder (``staff/ada.jpg``) is a person of its own. Names are in one Unicode form (NFC). Nothing
is unpacked, and a picture is read when it is asked for.

Figures are wrong without a word when one person counts as two or when pictures are missing, so what is doubtful is
refused: one name below two folders, in whatever case, links that lead nowhere or to a folder that is listed already,
folders that cannot be read. What systems leave behind (hidden files, ``@eaDir``, ``__MACOSX``) is no picture. All else
that is left out is told in ``notes``, empty files among it, and so is a picture that is there in two formats.
"""

from __future__ import annotations

import hashlib
import os
import posixpath
import re
import tarfile
import unicodedata
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path, PurePosixPath

import cv2
import numpy as np
from numpy.typing import NDArray

from edge.errors import InputError
from edge.pictures import decode_image, read_image
from edge.types import U8

ENDINGS = (".jpg", ".jpeg", ".jfif", ".png", ".bmp", ".webp", ".pgm")
#: Left behind by Synology, macOS, Windows and ext4 beside people's own files; hidden files begin with a dot.
_LITTER = {"@eadir", "__macosx", "#recycle", "$recycle.bin", "system volume information", "lost+found"}
#: A PGM picture (Netpbm): magic, width, height and largest value between white space and comments, then the pixels.
_PGM = re.compile(rb"P5(?:\s|#[^\n]*\n)+(\d{1,5})(?:\s|#[^\n]*\n)+(\d{1,5})(?:\s|#[^\n]*\n)+(\d{1,5})\s")
_LAYOUT = "lay pictures out as Name/Name_0001.jpg, one folder a person"


@dataclass(frozen=True, slots=True)
class Picture:
    """One picture file: ``name`` is ``person/file``, ``stamp`` size and date; ``load`` gives BGR uint8 (H, W, 3)."""

    name: str
    person: str
    load: Callable[[], U8]
    stamp: str = ""


@dataclass(frozen=True, slots=True)
class Gathered:
    """The pictures of every person, both sorted by name; ``notes`` say what was left out and how folders were read."""

    people: dict[str, list[Picture]]
    notes: tuple[str, ...] = ()


@dataclass(slots=True)
class _Listing:
    """One source: its pictures by path, and what is worth telling."""

    source: Path
    found: dict[str, tuple[Callable[[], U8], str]] = field(default_factory=dict)
    other: Counter[str] = field(default_factory=Counter)
    empty: list[str] = field(default_factory=list)

    def put(self, path: str, load: Callable[[], U8], size: int, date: int) -> None:
        """Note a file, if it is a picture."""
        ending, stamp = PurePosixPath(path).suffix.lower(), f"{size} {date}"
        if ending in ENDINGS and not size:
            self.other[f"empty {ending}"] += 1
        elif ending in ENDINGS:
            self.found[path] = load, stamp
        else:
            self.other[ending or "no ending"] += 1

    def check(self) -> None:
        """Refuse what leaves open whose pictures they are: those of a folder, and of a folder inside it."""
        folders = {posixpath.dirname(path) for path in self.found}
        for folder in sorted(folders - {""}):
            if (outer := posixpath.dirname(folder)) and outer in folders:
                what = f"{folder} lies inside {outer}, and both hold pictures, of one person or of two"
                raise InputError(what, where=str(self.source), remedy=_LAYOUT)

    def notes(self) -> Iterator[str]:
        """What a person should know of how this source was read."""
        deep = next((path for path in self.found if path.count("/") > 1), None)
        if deep:
            folder = PurePosixPath(deep).parent
            yield f"{self.source.name}: the last folder is taken for the person: {folder} is {folder.name}"
        stems = Counter(str(PurePosixPath(path).with_suffix("")) for path in self.found)
        if twins := [stem for stem, number in stems.items() if number > 1]:
            yield f"{self.source.name}: in more than one format, each counted as a picture of its own: " + some(twins)
        if self.other:
            kinds = ", ".join(f"{number} {ending}" for ending, number in self.other.most_common(5))
            yield f"{self.source.name}: left out, since they are no pictures that are read here: {kinds}"
        if self.empty:
            yield f"{self.source.name}: folders without a picture: {some(self.empty)}"


def some(names: Sequence[str]) -> str:
    return ", ".join(names[:5]) + (f" and {len(names) - 5} more" if len(names) > 5 else "")


def gather(sources: Sequence[Path]) -> Gathered:
    """List the pictures of every person; none is read.

    Args:
        sources: folders or .tar files.

    Raises:
        InputError: a source cannot be read or holds no picture, or a person stands in two places.
    """
    people: dict[str, list[Picture]] = {}
    places: dict[str, str] = {}
    notes: list[str] = []
    for source in sources:
        listing = _folder(source) if source.is_dir() else _tar(source)
        if not listing.found:
            remedy = f"name a folder or .tar with {', '.join(ENDINGS)}"
            raise InputError("no picture was found", where=str(source), remedy=remedy)
        listing.check()
        notes += listing.notes()
        for path, (load, stamp) in listing.found.items():
            folder, file = posixpath.split(path)
            person, key = (posixpath.basename(folder), "") if folder else (file, PurePosixPath(file).stem)
            person = unicodedata.normalize("NFC", person)
            place = f"{source.name}/{path if key else folder}"
            _once(places, unicodedata.normalize("NFC", key) or person, place)
            name = unicodedata.normalize("NFC", f"{person}/{file}" if folder else file)
            people.setdefault(person, []).append(Picture(name, person, load, stamp))
    ordered = {person: sorted(people[person], key=lambda picture: picture.name) for person in sorted(people)}
    return Gathered(ordered, tuple(notes))


def _once(places: dict[str, str], person: str, place: str) -> None:
    """A name stands for one place only: two would be two people, or one person counted as two."""
    if (known := places.setdefault(person.casefold().strip(), place)) != place:
        raise InputError(
            f"{person} is in two places, {known} and {place}, and may be one person or two",
            where=place,
            remedy="put the pictures of one person into one folder, and give two people two names",
        )


def _litter(name: str) -> bool:
    return (name[:1] == "." and name != "..") or name.lower() in _LITTER


def _folder(source: Path) -> _Listing:
    listing, seen = _Listing(source), dict[str, str]()

    def refuse(error: OSError) -> None:
        what, remedy = f"cannot be read: {error.strerror}", "make it readable, or move it out of the set"
        if isinstance(error, FileNotFoundError):
            what, remedy = "is a link that leads nowhere", "remove it, or put the pictures there"
        raise InputError(what, where=str(error.filename), remedy=remedy) from None

    for where, folders, files in os.walk(source, onerror=refuse, followlinks=True):
        folders[:] = sorted(name for name in folders if not _litter(name))
        real = os.path.realpath(where)
        if real in seen:
            what = f"leads to the same pictures as {seen[real]}"
            raise InputError(what, where=where, remedy="remove the link: one person would count as two")
        seen[real] = where
        for name in sorted(name for name in files if not _litter(name)):
            path = Path(where, name)
            try:
                status = path.stat()
            except OSError as error:
                refuse(error)
            else:
                name = path.relative_to(source).as_posix()
                listing.put(name, partial(_load, path), status.st_size, status.st_mtime_ns)
    used = {str(folder) for path in listing.found for folder in PurePosixPath(path).parents}
    listing.empty += [folder for where in seen.values() if (folder := os.path.relpath(where, source)) not in used]
    return listing


def _tar(source: Path) -> _Listing:
    """Members are found once and read by offset later, so that nothing is unpacked."""
    try:
        with tarfile.open(source, "r:") as tar:
            members = {posixpath.normpath(member.name): member for member in tar}
    except (OSError, tarfile.TarError) as error:
        if not source.exists():
            remedy = "check the path"
            raise InputError("there is no such folder or file", where=str(source), remedy=remedy) from None
        what = getattr(error, "strerror", None) or "it is not a whole, uncompressed .tar"
        remedy = "name a folder or a .tar; unpack what is compressed (tar xf)"
        raise InputError(f"cannot be read: {what}", where=str(source), remedy=remedy) from None
    listing, date = _Listing(source), source.stat().st_mtime_ns
    for path, named in members.items():
        member = named
        if any(_litter(part) for part in path.split("/")):
            continue
        if member.issym() or member.islnk():
            base = posixpath.dirname(path) if member.issym() else ""
            found = members.get(posixpath.normpath(posixpath.join(base, member.linkname)))
            if found is None or not found.isfile():
                what = f"{path} is a link to {member.linkname}, which is no file of this .tar"
                raise InputError(what, where=str(source), remedy="pack the files themselves: tar --dereference")
            member = found
        if member.isfile():
            load = partial(_member, source, member.offset_data, member.size, path)
            listing.put(path, load, member.size, date)
    return listing


def _load(path: Path) -> U8:
    if path.suffix.lower() != ".pgm":
        return read_image(path)
    try:
        return _pgm(path.read_bytes(), path.name)
    except OSError as error:
        raise InputError(f"cannot be read: {error.strerror}", where=str(path), remedy="check the file") from None


def _member(source: Path, offset: int, size: int, name: str) -> U8:
    with source.open("rb") as file:
        file.seek(offset)
        data, where = file.read(size), f"{source.name}:{name}"
    return _pgm(data, where) if name.lower().endswith(".pgm") else decode_image(data, where=where)


def _pgm(data: bytes, where: str) -> U8:
    """A grey picture (P5, 8 or 16 bits), as research sets of the 1990s have them, as BGR uint8 (H, W, 3)."""
    head = _PGM.match(data)
    width, height, most = (int(part) for part in head.groups()) if head else (0, 0, 0)
    kind = np.dtype(">u2" if most > 255 else "u1")
    # the size is compared with what is there before anything is allocated
    if (
        head is None
        or not 0 < most < 65536
        or len(data) - head.end() < width * height * kind.itemsize
        or not width * height
    ):
        raise InputError("this is not a whole PGM picture (P5)", where=where, remedy="save it as PNG")
    grey = np.frombuffer(data, kind, width * height, head.end()).reshape(height, width)
    scaled = (grey.astype(np.float32) * (255 / most)).round().clip(0, 255).astype(np.uint8)
    return np.asarray(cv2.cvtColor(scaled, cv2.COLOR_GRAY2BGR), np.uint8)


@dataclass(frozen=True, slots=True)
class PictureSet:
    """A labelled set, sorted by person, so that a person's pictures lie side by side.

    Attributes:
        title: file or folder name, for the report.
        names: of every picture, ``person/file``. owners: the person of each.
        people: int64 (pictures,), number of the owner, never falling.
        digest: of names, sizes and dates: another set has another one.
        notes: see `Gathered`.
    """

    title: str
    names: tuple[str, ...]
    owners: tuple[str, ...]
    people: NDArray[np.int64] = field(repr=False)
    digest: str
    notes: tuple[str, ...]
    _pictures: tuple[Picture, ...] = field(repr=False)

    @classmethod
    def open(cls, source: Path) -> PictureSet:
        """List the pictures of a folder or .tar; none is read.

        Raises:
            InputError: see `gather`; or a picture that is not in a person's folder, or pictures of one person only.
        """
        found = gather([source])
        pictures = tuple(picture for group in found.people.values() for picture in group)
        loose = next((picture.name for picture in pictures if "/" not in picture.name), None)
        if loose:
            remedy = f"{_LAYOUT}: whose a picture is must be known"
            raise InputError(f"{loose} is not in a person's folder", where=str(source), remedy=remedy)
        if len(found.people) < 2:
            raise InputError("pictures of one person only", where=str(source), remedy="error rates need at least two")
        number = {person: k for k, person in enumerate(found.people)}
        names, owners = zip(*((picture.name, picture.person) for picture in pictures), strict=True)
        people = np.array([number[owner] for owner in owners], np.int64)
        text = "".join(f"{picture.name}\n{picture.stamp}\n" for picture in pictures)
        digest = hashlib.sha256(text.encode(errors="surrogateescape")).hexdigest()
        return cls(source.absolute().name, names, owners, people, digest, found.notes, pictures)

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
