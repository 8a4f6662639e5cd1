"""A wheel's bytes: each belongs to a file that the directory names, or the wheel is damaged, or it hides something."""

from __future__ import annotations

import io
import struct
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.build.archive import read_archive
from edge.errors import SignatureError

FILES = {"edge/__init__.py": b"one" * 100, "edge/b.py": b"", "x.dist-info/RECORD": b"r" * 50}


def packed(files: dict[str, bytes] = FILES, method: int = zipfile.ZIP_DEFLATED) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", method) as new:
        for name, data in files.items():
            new.writestr(name, data)
    return out.getvalue()


def local(name: bytes, data: bytes) -> bytes:
    """A file that no directory names."""
    head = struct.pack(
        "<4sHHHHHIIIHH", b"PK\3\4", 20, 0, 0, 0, 0x5A21, zlib.crc32(data), len(data), len(data), len(name), 0
    )
    return head + name + data


def end(data: bytes) -> int:
    return data.rfind(b"PK\5\6")


def directory(data: bytes) -> int:
    return int(struct.unpack_from("<I", data, end(data) + 16)[0])


def moved(data: bytes, by: int) -> bytes:
    """An end record whose directory lies further behind."""
    record = bytearray(data[end(data) :])
    struct.pack_into("<I", record, 16, directory(data) + by)
    return bytes(record)


def between(data: bytes) -> bytes:
    more, at = local(b"edge/door/extra.py", b"raise SystemExit"), directory(data)
    return data[:at] + more + data[at : end(data)] + moved(data, len(more))


def in_front_and_told(data: bytes) -> bytes:
    """As above, before everything, with the directory's own offsets put right."""
    more, at = local(b"edge/extra.py", b"x"), directory(data)
    rows, place = bytearray(data[at : end(data)]), 0
    while place < len(rows):
        name, extra, note = struct.unpack_from("<HHH", rows, place + 28)
        struct.pack_into("<I", rows, place + 42, struct.unpack_from("<I", rows, place + 42)[0] + len(more))
        place += 46 + name + extra + note
    return more + data[:at] + bytes(rows) + moved(data, len(more))


def commented(data: bytes) -> bytes:
    return data[:-2] + struct.pack("<H", 5) + b"hello"


def padded(data: bytes) -> bytes:
    """Bytes behind the end of a compressed stream, inside of the size that the directory names."""
    raw = zlib.compressobj(9, zlib.DEFLATED, -15)
    body = raw.compress(FILES["edge/__init__.py"]) + raw.flush() + b"hidden"
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as new:
        new.writestr("edge/__init__.py", body)
    whole, crc = bytearray(out.getvalue()), zlib.crc32(FILES["edge/__init__.py"])
    for at, shift in ((0, 0), (directory(bytes(whole)), 2)):
        struct.pack_into("<H", whole, at + 8 + shift, 8)
        struct.pack_into("<I", whole, at + 14 + shift, crc)
        struct.pack_into("<I", whole, at + 22 + shift, 300)
    return bytes(whole)


def told_of_a_file(data: bytes, offset: int, value: bytes) -> bytes:
    """Other words of the directory about its first file, of which its content says nothing."""
    at = directory(data) + offset
    return data[:at] + value + data[at + len(value) :]


def put(folder: Path, data: bytes) -> Path:
    file = folder / "x.whl"
    file.write_bytes(data)
    return file


@pytest.mark.parametrize("method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
def test_a_sound_archive_is_read_whole(tmp_path: Path, method: int):
    archive = read_archive(put(tmp_path, packed(method=method)))
    assert archive.files == FILES
    assert (archive.damaged, archive.stray) == ((), False)


@pytest.mark.parametrize(
    "harm",
    [
        between,
        in_front_and_told,
        commented,
        lambda data: packed({"edge/__init__.py": b"planted"}) + data,  # another archive in front
        lambda data: b"#!/bin/sh\n" + data,
        lambda data: data + b"\0",
        lambda data: data + b"x" * 22,
        lambda data: told_of_a_file(data, 4, b"\x15"),  # by another version
        lambda data: told_of_a_file(data, 5, b"\0"),  # made on DOS
        lambda data: told_of_a_file(data, 34, b"\1"),  # on another disk
        lambda data: told_of_a_file(data, 36, b"\1"),  # "text"
        lambda data: told_of_a_file(data, 38, b"\2"),  # hidden, on DOS
        lambda data: told_of_a_file(data, 40, b"\xed\x8d"),  # set-user
        lambda data: told_of_a_file(data, 40, b"\xb6\x81"),  # all may write it
    ],
)
def test_bytes_that_the_directory_does_not_name_are_noticed(tmp_path: Path, harm: Callable[[bytes], bytes]):
    archive = read_archive(put(tmp_path, harm(packed())))
    assert archive.stray
    assert archive.files == FILES, "what the directory names is read all the same"


@pytest.mark.parametrize(
    ("place", "value"),
    [
        (lambda d: 33, b"X"),  # the name where the file lies
        (lambda d: 47, b"\xff"),  # its content
        (lambda d: 6, b"\1"),  # flags where it lies: encrypted
        (lambda d: directory(d) + 8, b"\1"),  # flags in the directory
        (lambda d: directory(d) + 16, b"1234"),  # the checksum in the directory
        (lambda d: directory(d) + 24, b"\1\1"),  # its size
        (lambda d: directory(d) + 10, b"\x0e"),  # a compression that wheels do not use
        (lambda d: directory(d) + 40, b"\0\0\xff\xa1"),  # a symbolic link
        (lambda d: 0, b"XX"),  # the mark where it lies
    ],
)
def test_a_file_that_is_damaged_or_described_in_two_ways_is_named(
    tmp_path: Path, place: Callable[[bytes], int], value: bytes
):
    data = bytearray(packed())
    data[place(bytes(data)) : place(bytes(data)) + len(value)] = value
    archive = read_archive(put(tmp_path, bytes(data)))
    assert archive.damaged == ("edge/__init__.py",)
    assert set(archive.files) == set(FILES) - {"edge/__init__.py"}
    assert archive.names == set(FILES)


def test_bytes_hidden_behind_a_compressed_file_are_damage(tmp_path: Path):
    assert zipfile.ZipFile(put(tmp_path, padded(b""))).read("edge/__init__.py") == FILES["edge/__init__.py"]
    assert read_archive(put(tmp_path, padded(b""))).damaged == ("edge/__init__.py",)


@given(st.data())
def test_one_changed_byte_is_noticed_wherever_it_is_and_never_an_error_of_another_kind(tmp_path_factory, data):
    whole = bytearray(packed())
    at = data.draw(st.integers(0, len(whole) - 1))
    whole[at] ^= data.draw(st.integers(1, 255))
    file = put(tmp_path_factory.getbasetemp(), bytes(whole))
    try:
        archive = read_archive(file)
    except SignatureError:
        return
    rows = directory(packed())
    # a mode may be another one of those that build tools write: no installer makes a difference of it
    mode = any(rows + 46 * k + sum(map(len, list(FILES)[:k])) + offset == at for k in range(3) for offset in (40, 41))
    assert mode or archive.damaged or archive.stray or archive.names != set(FILES)


@given(st.binary(max_size=300))
def test_whatever_is_no_archive_is_a_typed_error(tmp_path_factory, data: bytes):
    file = put(tmp_path_factory.getbasetemp(), data)
    with pytest.raises(SignatureError):
        read_archive(file)
