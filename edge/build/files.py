"""The files that a signature speaks about, in a wheel or in an installation, under the same names.

    files = WheelFiles.of(Path("edge_verifier-0.1.0+device-py3-none-any.whl"))
    files.digest("edge/errors.py")                  # SHA-256, hexadecimal
    InstalledFiles.of(package).names()              # what is really there, installers' own notes left out

Workflow: `edge.build.attest` asks both for names and digests and compares. An installer copies a wheel's files as they
are, adds notes of its own (RECORD, INSTALLER and the like) and compiled files, which are checked against their source:
a compiled file that its source does not give is a way to run other code than what was signed.
"""

from __future__ import annotations

import base64
import csv
import hashlib
import io
import marshal
import os
import re
import struct
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Protocol

from edge.build.archive import Archive, read_archive
from edge.errors import SignatureError

#: The signature's own place; like RECORD it cannot be among the files it covers.
SIGNATURE = "edge/_build/statement.dsse.json"
#: What an installer writes into the ``.dist-info`` folder.
_NOTES = ("RECORD", "INSTALLER", "REQUESTED", "direct_url.json", "uv_cache.json", "uv_build.json")
_DIST_INFO = re.compile(r"edge_verifier-[^/]+\.dist-info", re.ASCII)
_COMPILED = re.compile(r"(?P<module>[^/]+)\.(?P<tag>[^./]+)(\.opt-(?P<level>[12]))?\.pyc")

#: Kinds of discrepancies, and how each is said of a file or of the whole.
SAID: Mapping[str, str] = {
    "unsigned": "it is not signed",
    "untrusted": "no key that this device trusts has signed it",
    "broken": "its signature does not hold",
    "contradiction": "its signature is over another build",
    "altered": "{name} was altered after it was signed",
    "missing": "{name} is missing",
    "extra": "{name} was added after it was signed",
    "damaged": "{name} is damaged, or the archive describes it in two ways",
    "stray": "it holds bytes that its own directory does not name",
    "record": "{name} does not list exactly the files that are there",
    "compiled": "{name} is not what its source compiles to",
    "foreign": "{name} does not belong in a build of this profile",
    "development": "it is a development install, which is never signed",
    "statement": "its build statement is not valid",
    "trust": "the trust folder cannot be used: {name}",
}


@dataclass(frozen=True, slots=True, order=True)
class Discrepancy:
    """One reason why a signature does not cover what is there.

    Args:
        kind: a key of `SAID`. name: the file it is about, if it is about one.
    """

    kind: str
    name: str = ""

    def __str__(self) -> str:
        return SAID[self.kind].format(name=self.name)


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

    def wrong(self) -> tuple[Discrepancy, ...]:
        """What is wrong whatever was signed: compiled files, damage, bytes that nothing vouches for."""

    def unlisted(self) -> tuple[Discrepancy, ...]:
        """A wheel's RECORD, which no signature can name, where it is not exactly the list of its files."""


def is_note(name: str) -> bool:
    """Whether a file is an installer's note beside the wheel's own files."""
    path = PurePosixPath(name)
    return len(path.parts) == 2 and bool(_DIST_INFO.fullmatch(path.parts[0])) and path.name in _NOTES


def is_record(name: str) -> bool:
    """Whether a file is the list of files of this product's wheel."""
    return is_note(name) and name.endswith("/RECORD")


def record_hash(data: bytes) -> str:
    """A digest as RECORD writes it (PEP 427)."""
    return "sha256=" + base64.urlsafe_b64encode(hashlib.sha256(data).digest()).decode("ascii").rstrip("=")


@dataclass(frozen=True, slots=True)
class WheelFiles:
    """The files of a wheel.

    Args:
        where: the wheel. archive: as it was read.
    """

    where: str
    archive: Archive

    @classmethod
    def of(cls, wheel: Path) -> WheelFiles:
        """Read a wheel. Raises `SignatureError`: missing, no zip file, too large, or with names that no wheel has."""
        return cls(str(wheel), read_archive(wheel))

    def names(self) -> frozenset[str]:
        return frozenset(n for n in self.archive.names if n != SIGNATURE and not is_record(n))

    def read(self, name: str) -> bytes:
        try:
            return self.archive.files[name]
        except KeyError:
            text = "the file is damaged" if name in self.archive.damaged else "the file is not there"
            raise SignatureError(text, where=name, remedy="fetch the wheel anew") from None

    def digest(self, name: str) -> str:
        return hashlib.sha256(self.read(name)).hexdigest()

    def wrong(self) -> tuple[Discrepancy, ...]:
        found = [Discrepancy("damaged", name) for name in self.archive.damaged]
        found += [Discrepancy("stray")] if self.archive.stray else []
        return (*found, *(Discrepancy("compiled", n) for n in sorted(self.names()) if n.endswith((".pyc", ".pth"))))

    def unlisted(self) -> tuple[Discrepancy, ...]:
        lists = [name for name in self.archive.files if is_record(name)]
        wanted = sorted([*map(self._row, self.archive.files.keys() - set(lists)), *([name, "", ""] for name in lists)])
        for name in lists:
            text = self.archive.files[name].decode("utf-8", "replace")
            if sorted(csv.reader(io.StringIO(text))) == wanted:
                return ()
        return (Discrepancy("record", lists[0] if lists else "RECORD"),)

    def _row(self, name: str) -> list[str]:
        """What RECORD says of a file."""
        data = self.archive.files[name]
        return [name, record_hash(data), str(len(data))]


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

    def wrong(self) -> tuple[Discrepancy, ...]:
        found = sorted(name for name in self._all() if _is_compiled(name) and not self._fits(name))
        return tuple(Discrepancy("compiled", name) for name in found)

    def unlisted(self) -> tuple[Discrepancy, ...]:
        return ()  # an installer writes its own

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
