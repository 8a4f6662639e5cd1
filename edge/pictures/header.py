"""What a picture file says of itself before anything is decoded: format, size, orientation, and whether it is whole.

    header = read_header(data)      # a few microseconds, no allocation that depends on the claimed size
    header.width * header.height    # refuse a decompression bomb here, not in the decoder
    header.flaw                     # "" or what is missing from the file

A decoder is generous: libjpeg paints the missing half of a truncated picture grey and calls it a success, and a
200-byte PNG may claim 60,000 x 60,000 pixels. Hence this small walk over the containers of JPEG (ITU-T T.81 annex B),
PNG (ISO/IEC 15948), BMP and WebP (RIFF); nothing else is accepted.
"""

from __future__ import annotations

import re
import struct
import zlib
from dataclasses import dataclass

# Any JPEG marker inside entropy-coded data that is neither a stuffed zero, a restart marker nor a fill byte.
_MARKER_AFTER_SCAN = re.compile(rb"\xff[^\x00\xd0-\xd7\xff]")
_FRAME_MARKERS = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
_PNG_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_ORIENTATION_TAG = 0x0112
# A real file has some dozens of parts, a large PNG some thousand. A file of nothing but part marks is refused early.
_MOST_PARTS = 50_000


@dataclass(frozen=True, slots=True)
class PictureHeader:
    """What the container says.

    Attributes:
        kind: ``JPEG``, ``PNG``, ``BMP`` or ``WebP``.
        width, height: pixels as stored, before the orientation is applied.
        orientation: EXIF 1..8; 1 when absent or nonsense.
        alpha: the file may hold transparency.
        flaw: empty for a whole file, else what is wrong with it in a few words.
    """

    kind: str
    width: int
    height: int
    orientation: int = 1
    alpha: bool = False
    flaw: str = ""


def read_header(data: bytes) -> PictureHeader | None:
    """Read the header of a picture file.

    Args:
        data: the whole file.

    Returns:
        The header, or None when this is none of the four formats or has no size.
    """
    try:
        if data.startswith(b"\xff\xd8\xff"):
            return _jpeg(data)
        if data.startswith(_PNG_SIGNATURE):
            return _png(data)
        if data.startswith(b"BM"):
            return _bmp(data)
        if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
            return _webp(data)
    except (struct.error, IndexError):
        return None
    return None


def _jpeg(data: bytes) -> PictureHeader | None:
    size: tuple[int, int] | None = None
    orientation, position, flaw = 1, 2, "the file ends before the picture does (truncated)"
    for _ in range(_MOST_PARTS):
        start = data.find(b"\xff", position)
        if start < 0 or start + 1 >= len(data):
            break
        marker, position = data[start + 1], start + 2
        if marker == 0xFF:
            position = start + 1
        elif marker == 0xD9:
            flaw = "" if size else "no picture before its end mark"
            break
        elif marker not in (0x00, 0x01, *range(0xD0, 0xD9)):
            if position + 2 > len(data):
                break
            (length,) = struct.unpack_from(">H", data, position)
            body = data[position + 2 : position + length]
            if marker in _FRAME_MARKERS:
                height, width = struct.unpack_from(">HH", body, 1)
                size = (max(width, size[0]), max(height, size[1])) if size else (width, height)
            elif marker == 0xE1 and body[:6] == b"Exif\0\0" and orientation == 1:
                orientation = _exif(body[6:])
            position += max(length, 2)
            if marker == 0xDA:
                found = _MARKER_AFTER_SCAN.search(data, position)
                if found is None:
                    break
                position = found.start()
    if not size or 0 in size:
        return None
    return PictureHeader("JPEG", *size, orientation=orientation, flaw=flaw)


def _png(data: bytes) -> PictureHeader | None:
    width, height, _, colour = struct.unpack_from(">IIBB", data, 16)
    if data[12:16] != b"IHDR" or not width or not height:
        return None
    alpha, orientation, position = colour in (4, 6), 1, 8
    flaw = "the file ends before the picture does (truncated)"
    for _ in range(_MOST_PARTS):
        if position + 12 > len(data):
            break
        length, name = struct.unpack_from(">I4s", data, position)
        end = position + 12 + length
        if end > len(data):
            break
        (checksum,) = struct.unpack_from(">I", data, end - 4)
        if name in (b"IHDR", b"PLTE", b"IDAT", b"tRNS", b"IEND") and (
            zlib.crc32(data[position + 4 : end - 4]) != checksum
        ):
            flaw = "a part of it fails its own checksum (damaged)"
            break
        if name == b"tRNS":
            alpha = True
        elif name == b"eXIf":
            orientation = _exif(data[position + 8 : end - 4])
        elif name == b"IEND":
            flaw = ""
            break
        position = end
    return PictureHeader("PNG", width, height, orientation, alpha, flaw)


def _bmp(data: bytes) -> PictureHeader | None:
    offset, info = struct.unpack_from("<II", data, 10)
    if info < 40:
        return None
    width, height, _, bits, compression = struct.unpack_from("<iiHHI", data, 18)
    height = abs(height)
    if width <= 0 or height == 0:
        return None
    stored = (width * bits + 31) // 32 * 4 * height if compression in (0, 3) else 1
    flaw = "the file ends before the picture does (truncated)" if offset + stored > len(data) else ""
    return PictureHeader("BMP", width, height, alpha=bits == 32, flaw=flaw)


def _webp(data: bytes) -> PictureHeader | None:
    (riff,) = struct.unpack_from("<I", data, 4)
    flaw = "the file ends before the picture does (truncated)" if riff + 8 > len(data) else ""
    chunk = data[12:16]
    if chunk == b"VP8 ":
        width, height = struct.unpack_from("<HH", data, 26)
        return _sized("WebP", width & 0x3FFF, height & 0x3FFF, 1, False, flaw)
    if chunk == b"VP8L":
        (bits,) = struct.unpack_from("<I", data, 21)
        return _sized("WebP", (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1, 1, bool(bits >> 28 & 1), flaw)
    if chunk == b"VP8X":
        flags, size = data[20], data[24:30]
        width, height = int.from_bytes(size[:3], "little") + 1, int.from_bytes(size[3:6], "little") + 1
        return _sized("WebP", width, height, _exif(_chunk(data, b"EXIF")), bool(flags & 0x10), flaw)
    return None


def _chunk(data: bytes, wanted: bytes) -> bytes:
    """The content of a RIFF file's first chunk of a name, empty when there is none.

    The flag of VP8X that announces it is not asked: browsers turn a picture whose editor forgot to set it.
    """
    position = 12
    for _ in range(_MOST_PARTS):
        if position + 8 > len(data):
            break
        name, length = struct.unpack_from("<4sI", data, position)
        if name == wanted:
            return data[position + 8 : position + 8 + length].removeprefix(b"Exif\0\0")
        position += 8 + length + length % 2
    return b""


def _sized(kind: str, width: int, height: int, orientation: int, alpha: bool, flaw: str) -> PictureHeader | None:
    return PictureHeader(kind, width, height, orientation, alpha, flaw) if width and height else None


def _exif(block: bytes) -> int:
    """The orientation of a TIFF-structured EXIF block (CIPA DC-008, 4.6.2), 1 when there is none."""
    order = {b"II*\0": "<", b"MM\0*": ">"}.get(block[:4])
    if order is None:
        return 1
    try:
        (first,) = struct.unpack_from(order + "I", block, 4)
        (count,) = struct.unpack_from(order + "H", block, first)
        for entry in range(min(count, 256)):
            place = first + 2 + 12 * entry
            tag, kind, number = struct.unpack_from(order + "HHI", block, place)
            if tag == _ORIENTATION_TAG:
                # The standard says SHORT (3); some writers say BYTE, LONG, or one with a sign, each of its own width.
                wide = {1: "B", 3: "H", 4: "I", 6: "b", 8: "h", 9: "i"}.get(kind)
                (value,) = struct.unpack_from(order + wide, block, place + 8) if wide else (1,)
                return value if number == 1 and 1 <= value <= 8 else 1
    except struct.error:
        return 1
    return 1
