"""The files that a signature speaks about, in a wheel or in an installation, under the same names.

    with WheelFiles.open(Path("edge_verifier-0.1.0+device-py3-none-any.whl")) as files:
        files.digest("edge/errors.py")              # SHA-256, hexadecimal
    InstalledFiles.of(package).names()              # what is really there, installers' own notes left out

Workflow: `edge.build.attest` asks both for names and digests and compares. An installer copies a wheel's files as they
are, adds notes of its own (RECORD, INSTALLER and the like) and compiled files, which are checked against their source:
a compiled file that its source does not give is a way to run other code than what was signed.
"""

from __future__ import annotations

import hashlib
import marshal
import os
import re
import struct
import sys
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Protocol

from edge.errors import SignatureError

#: The signature's own place; like RECORD it cannot be among the files it covers.
SIGNATURE = "edge/_build/statement.dsse.json"
#: What an installer writes into the ``.dist-info`` folder.
_NOTES = ("RECORD", "INSTALLER", "REQUESTED", "direct_url.json", "uv_cache.json", "uv_build.json")
_DIST_INFO = re.compile(r"edge_verifier-[^/]+\.dist-info", re.ASCII)
_COMPILED = re.compile(r"(?P<module>[^/]+)\.(?P<tag>[^./]+)(\.opt-(?P<level>[12]))?\.pyc")

_MAX_FILES = 20_000
_MAX_BYTES = 2**30  # of all files together, unpacked; a wheel has some 5 MB


class Files(Protocol):
    """Named files with digests."""

    @property
    def where(self) -> str:
        """The wheel or folder, for messages."""

    def names(self) -> frozenset[str]:
        """Every file but the signature and the installer's notes, as it is named in the wheel."""

    def read(self, name: str) -> bytes:
        """The content of one file. Raises `SignatureError` when it is not there or cannot be read."""

    def digest(self, name: str) -> str:
        """SHA-256 of one file, 64 hexadecimal digits. Raises as `read`."""

    def wrong(self) -> tuple[str, ...]:
        """Files whose very presence is wrong, whatever was signed."""


def is_note(name: str) -> bool:
    """Whether a file is an installer's note beside the wheel's own files."""
    path = PurePosixPath(name)
    return len(path.parts) == 2 and bool(_DIST_INFO.fullmatch(path.parts[0])) and path.name in _NOTES


@dataclass(frozen=True, slots=True)
class WheelFiles:
    """The files of a wheel. Use `open`, in a ``with`` block."""

    where: str
    _archive: zipfile.ZipFile

    @classmethod
    @contextmanager
    def open(cls, path: Path) -> Iterator[WheelFiles]:
        """Open a wheel.

        Raises:
            SignatureError: missing, no zip file, too large, or with names that no wheel has.
        """
        try:
            archive = zipfile.ZipFile(path)
        except (OSError, zipfile.BadZipFile) as error:
            raise SignatureError("this is not a wheel", where=str(path), remedy="name a .whl file") from error
        with archive:
            entries = archive.infolist()
            names = [entry.filename for entry in entries]
            sound = len(entries) <= _MAX_FILES and sum(entry.file_size for entry in entries) <= _MAX_BYTES
            if not sound or len(set(names)) != len(names) or not all(map(_is_plain, names)):
                raise SignatureError(
                    "this archive has names or sizes that no wheel has", where=str(path), remedy="build it anew"
                )
            yield cls(str(path), archive)

    def names(self) -> frozenset[str]:
        return frozenset(n for n in self._archive.namelist() if n != SIGNATURE and not is_note(n))

    def read(self, name: str) -> bytes:
        try:
            return self._archive.read(name)
        except Exception as error:  # zipfile and zlib raise half a dozen kinds
            raise SignatureError("the file cannot be read", where=name, remedy="fetch the wheel anew") from error

    def digest(self, name: str) -> str:
        return hashlib.sha256(self.read(name)).hexdigest()

    def wrong(self) -> tuple[str, ...]:
        return tuple(sorted(name for name in self.names() if name.endswith((".pyc", ".pth"))))


@dataclass(frozen=True, slots=True)
class InstalledFiles:
    """The files of an installation.

    Args:
        where: the folder that holds the package `edge`.
        site: the same as a path.
    """

    where: str
    site: Path

    @classmethod
    def of(cls, package: Path) -> InstalledFiles:
        """The installation around a package folder."""
        return cls(str(package.parent), package.parent)

    def names(self) -> frozenset[str]:
        return frozenset(n for n in self._all() if n != SIGNATURE and not is_note(n) and not _is_compiled(n))

    def read(self, name: str) -> bytes:
        try:
            return (self.site / name).read_bytes()
        except OSError as error:
            raise SignatureError(
                f"the file cannot be read ({error.strerror})", where=name, remedy="install the wheel anew"
            ) from error

    def digest(self, name: str) -> str:
        return hashlib.sha256(self.read(name)).hexdigest()

    def wrong(self) -> tuple[str, ...]:
        found = [name for name in self._all() if _is_compiled(name) and not self._fits(name)]
        return tuple(sorted(found))

    def _all(self) -> Iterator[str]:
        folders = [self.site / "edge", *(p for p in self._entries() if _DIST_INFO.fullmatch(p.name))]
        for folder in folders:
            for path, below, files in os.walk(folder):
                links = [name for name in below if (Path(path) / name).is_symlink()]  # os.walk does not enter these
                yield from ((Path(path) / name).relative_to(self.site).as_posix() for name in (*files, *links))

    def _entries(self) -> list[Path]:
        try:
            return sorted(self.site.iterdir())
        except OSError:
            return []

    def _fits(self, name: str) -> bool:
        """Whether a compiled file is what its source gives; one for another Python is never run by this one."""
        path = self.site / name
        match = _COMPILED.fullmatch(path.name)
        if match is None:
            return False
        if match["tag"] != sys.implementation.cache_tag:
            return True
        source = path.parent.parent / f"{match['module']}.py"
        try:
            data, status = path.read_bytes(), source.stat()
            flags, modified, size = struct.unpack("<III", data[4:16])
            if flags == 0 and (modified, size) != (int(status.st_mtime) & 0xFFFFFFFF, status.st_size & 0xFFFFFFFF):
                return True  # older than its source: Python compiles anew instead of running it (PEP 552)
            code = compile(source.read_bytes(), "", "exec", dont_inherit=True, optimize=int(match["level"] or 0))
            return bool(marshal.loads(data[16:]) == code)  # noqa: S302 - compared, never run
        except FileNotFoundError:
            return True  # what has no source cannot be imported from here (PEP 3147)
        except (OSError, ValueError, EOFError, TypeError, SyntaxError, struct.error):
            return False


def _is_compiled(name: str) -> bool:
    path = PurePosixPath(name)
    return path.parent.name == "__pycache__" and path.suffix == ".pyc"


def _is_plain(name: str) -> bool:
    """Whether a name stays in its folder and means the same everywhere."""
    path = PurePosixPath(name)
    parts = name.rstrip("/").split("/")
    odd = any(part in ("", ".", "..") for part in parts) or "\\" in name or "\0" in name
    return not path.is_absolute() and not odd
