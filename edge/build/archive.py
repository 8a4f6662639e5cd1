"""A wheel's bytes, all of them: read strictly, since two programs may read one zip file in two ways.

    archive = read_archive(Path("edge_verifier-0.1.0+device-py3-none-any.whl"))
    archive.files["edge/errors.py"]     # its content
    archive.damaged, archive.stray      # (("edge/door/log.py",), False)

A zip file names each file twice, in the directory at its end and once more where the file lies, and may hold bytes that
neither names: before, between and behind. Installers, `unzip` and Python each believe another part. So every byte must
belong to a file that the directory names, to the directory, or to the end record, both descriptions of a file must be
the same, and what the directory alone says of it (its mode, its maker, a disk's number) must be what build tools write.
What hatchling and `edge build sign` write is so; anything else comes from another program. The layout is that of
PKWARE's APPNOTE.TXT 6.3.10, sections 4.3.7, 4.3.12 and 4.3.16.
"""

from __future__ import annotations

import stat
import struct
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

from edge.errors import SignatureError

_LOCAL, _ROW, _END = struct.Struct("<4sHHHHHIIIHH"), struct.Struct("<4sHHHHHHIIIHHHHHII"), struct.Struct("<4sHHHHIIH")
_UTF8 = 0x800  # the one flag that a wheel's files may bear: nothing is encrypted, no size follows later
_STORED, _DEFLATED = 0, 8
_UNIX = 0x314  # made on Unix, by version 2.0: what Python's zipfile writes
_MODES = (0o644, 0o755, 0o664, 0o775, 0o600)  # what build tools give files; no set-user bit, nothing that all may write
_MAX_FILES = 20_000
_MAX_BYTES = 2**28  # of the archive, and of all its files unpacked; a wheel has some 5 MB


@dataclass(frozen=True, slots=True)
class Archive:
    """What a zip file holds.

    Args:
        files: name -> content, of every file that is sound.
        damaged: names whose content is not what the directory says, or that are described in two ways.
        stray: whether there are bytes that belong to nothing that the directory names.
    """

    files: Mapping[str, bytes]
    damaged: tuple[str, ...]
    stray: bool

    @property
    def names(self) -> frozenset[str]:
        return frozenset((*self.files, *self.damaged))


@dataclass(frozen=True, slots=True)
class _ZipRow:
    """A row of the directory: how its file must begin, from which byte, and how it is packed."""

    name: str
    head: bytes
    begin: int
    plain: bool  # a regular file, neither encrypted nor a link
    method: int
    crc: int
    packed: int
    size: int

    @property
    def end(self) -> int:
        return self.begin + len(self.head) + self.packed


def read_archive(path: Path) -> Archive:
    """Read a whole zip file.

    Raises:
        SignatureError: it cannot be read, has no directory, or names or sizes that no wheel has.
    """
    try:
        data = path.read_bytes() if path.stat().st_size <= _MAX_BYTES else b""
        rows, start, exact = _directory(data)
    except (OSError, ValueError, struct.error) as error:
        raise SignatureError("this is not a wheel", where=str(path), remedy="name a .whl file") from error
    names = [row.name for row in rows]
    sound = len(rows) <= _MAX_FILES and sum(row.size for row in rows) <= _MAX_BYTES
    if not sound or len(set(names)) != len(names) or not all(map(_is_plain, names)):
        raise SignatureError(
            "this archive has names or sizes that no wheel has", where=str(path), remedy="build it anew"
        )
    contents = {row.name: _content(data, row) for row in rows}
    spans = sorted([(0, 0), *((row.begin, row.end) for row in rows), (start, len(data))])
    return Archive(
        {name: content for name, content in contents.items() if content is not None},
        tuple(sorted(name for name, content in contents.items() if content is None)),
        not exact or any(one[1] != next_one[0] for one, next_one in pairwise(spans)),
    )


def _directory(data: bytes) -> tuple[list[_ZipRow], int, bool]:
    """The rows, where the directory begins, and whether it and the end record hold nothing else.

    Raises:
        ValueError, struct.error: there is none.
    """
    end = data.rfind(b"PK\5\6")
    _, disk, first, here, count, size, offset, comment = _END.unpack_from(data, end)
    start = end - size
    before = start - offset  # bytes in front of the archive: offsets are counted from where it begins
    if start < 0 or before < 0:
        raise ValueError("no directory")
    exact = (disk, first, here, comment, end + _END.size) == (0, 0, count, 0, len(data))
    rows, at = list[_ZipRow](), start
    while at < end:
        mark, maker, needs, flags, method, *when, crc, packed, full, name, extra, note, disk, hint, mode, begin = (
            _ROW.unpack_from(data, at)
        )
        raw = data[at + _ROW.size : at + _ROW.size + name]
        if mark != b"PK\1\2":
            raise ValueError("no row of a directory")
        head = _LOCAL.pack(b"PK\3\4", needs, flags, method, *when, crc, packed, full, name, 0) + raw
        text = raw.decode("utf-8" if flags & _UTF8 else "ascii")
        regular = stat.S_IFMT(mode >> 16) in (0, stat.S_IFREG)
        rows.append(_ZipRow(text, head, before + begin, regular and not flags & ~_UTF8, method, crc, packed, full))
        at += _ROW.size + name + extra + note
        exact &= extra == note == disk == hint == 0 and (maker, mode & 0xFFFF) == (_UNIX, 0)
        exact &= stat.S_IMODE(mode >> 16) in _MODES
    if at != end or len(rows) != count:
        raise ValueError("a directory of another length")
    return rows, start, exact


def _content(data: bytes, row: _ZipRow) -> bytes | None:
    """The content of a file; None when it is damaged, or lies there under another description."""
    packed = data[row.end - row.packed : row.end]
    if data[row.begin : row.end] != row.head + packed or not row.plain:
        return None
    if row.method == _DEFLATED:
        unpacker = zlib.decompressobj(-zlib.MAX_WBITS)
        try:
            packed = unpacker.decompress(packed, row.size + 1)
        except zlib.error:
            return None
        if not unpacker.eof or unpacker.unused_data:
            return None
    elif row.method != _STORED:
        return None
    return packed if (len(packed), zlib.crc32(packed)) == (row.size, row.crc) else None


def _is_plain(name: str) -> bool:
    """Whether a name stays in its folder and means the same everywhere."""
    return not any(part in ("", ".", "..") for part in name.split("/")) and not {"\\", "\0", ":"} & set(name)
