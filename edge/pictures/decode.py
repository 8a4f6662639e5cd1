"""Pictures from files: one function that gives BGR pixels or says in one sentence why not.

    image = read_image(Path("ada.jpg"))     # BGR uint8 (H, W, 3), the right way up

Order: the file itself (there, regular, not empty, not too large), its header (format, size, whole), and only then the
decoder. A picture of 40 megapixel and more is refused from its header; nothing of its size is ever allocated.

- JPEG (also greyscale, progressive and CMYK), PNG (also 16 bit, palette and alpha), BMP and WebP.
- EXIF orientation 1-8 is applied here and not by OpenCV, whose decoders honour it for some formats and flags only.
- Transparency is composited on mid-grey (128): what is compared is what a person would see in a viewer, and colours
  that hide under full transparency do not count.

What libjpeg says while it decodes: it prints warnings on standard error and returns a picture all the same.

    with Complaints() as complaints:
        image = cv2.imdecode(buffer, flags)
    complaints.lines            # ["Corrupt JPEG data: premature end of data segment"]

A JPEG that is damaged in its middle decodes to a picture that is partly grey; libjpeg's warning is the only sign of
it, and neither OpenCV nor its logging hands it on. So file descriptor 2 is turned aside for the few milliseconds of
the decoding (`edge.types.aside`).

The pictures of a folder, in the order in which a person would count them.

    for path in pictures_in(Path("recordings")):     # 1.jpg, 2.jpg ... 10.jpg, as `ffmpeg %d.jpg` writes them
        read_image(path)

What is hidden is not meant: macOS leaves a ``._name.jpg`` beside every picture that it copies. What is empty is a
download that has not begun. Both are passed over, as is every file whose name does not end like a picture's.
"""

from __future__ import annotations

import re
import stat
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from edge.errors import InputError
from edge.pictures.header import PictureHeader, read_header
from edge.types.aside import Aside
from edge.types.frames import U8

MAX_PIXELS = 40_000_000
MAX_BYTES = 64 * 1024 * 1024
_GREY = 128
# What libjpeg says of lost picture data. "extraneous bytes before marker" is harmless, and common in phone pictures.
_DAMAGE = ("premature end", "Premature end", "bad Huffman code", "bad progression")
_REMEDY = "hand in a JPEG, PNG, BMP or WebP picture"


def read_image(path: Path, *, max_pixels: int = MAX_PIXELS, max_bytes: int = MAX_BYTES) -> U8:
    """Read one picture.

    Args:
        path: the file.
        max_pixels: a picture of so many pixels and more is refused before it is decoded.
        max_bytes: a larger file is refused before it is read.

    Returns:
        BGR uint8 (H, W, 3), C-contiguous, upright as its EXIF orientation says.

    Raises:
        InputError: the file is missing, a directory, empty, too large, truncated, damaged or not a picture.
    """
    return decode_image(_read(path, max_bytes), where=str(path), max_pixels=max_pixels)


def decode_image(data: bytes, *, where: str = "picture", max_pixels: int = MAX_PIXELS) -> U8:
    """Decode the bytes of one picture file; see `read_image`."""
    header = read_header(data)
    if header is None:
        raise InputError("this is not a picture of a supported format", where=where, remedy=_REMEDY)
    pixels = header.width * header.height
    if pixels >= max_pixels:
        raise InputError(
            f"{header.width} x {header.height} pixels are {pixels / 1e6:.1f} megapixel, "
            f"{max_pixels / 1e6:g} and more are refused",
            where=where,
            remedy="scale the picture down",
        )
    if header.flaw:
        raise InputError(f"{header.kind}: {header.flaw}", where=where, remedy="copy or export the picture again")
    with Complaints() as complaints:
        image = _decode(data, header)
    if any(sign in line for sign in _DAMAGE for line in complaints.lines):
        raise InputError(f"{header.kind}: the picture is damaged", where=where, remedy="copy or export it again")
    if image is None or {*image.shape[:2]} != {header.width, header.height}:
        raise InputError(f"this {header.kind} cannot be decoded (damaged)", where=where, remedy=_REMEDY)
    return np.ascontiguousarray(_upright(image, header.orientation))


def _read(path: Path, max_bytes: int) -> bytes:
    try:
        status = path.stat()
        if stat.S_ISDIR(status.st_mode):
            raise InputError("this is a directory, not a picture", where=str(path), remedy="name one file in it")
        if not stat.S_ISREG(status.st_mode):
            raise InputError("this is not a regular file", where=str(path), remedy=_REMEDY)
        if status.st_size > max_bytes:
            size = f"{status.st_size / 2**20:.0f} MiB; at most {max_bytes / 2**20:g} MiB are read"
            raise InputError(f"the file has {size}", where=str(path), remedy="scale the picture down")
        with path.open("rb") as file:
            data = file.read(max_bytes + 1)
    except FileNotFoundError:
        raise InputError("there is no such file", where=str(path), remedy="check the path") from None
    except (OSError, ValueError) as error:
        text = getattr(error, "strerror", None) or "not a usable path"
        raise InputError(f"cannot be read: {text}", where=str(path), remedy="check the path and its rights") from None
    if not data:
        raise InputError("the file is empty", where=str(path), remedy="copy or export the picture again")
    if len(data) > max_bytes:
        raise InputError("the file grew while it was read", where=str(path), remedy="try again")
    return data


def _decode(data: bytes, header: PictureHeader) -> U8 | None:
    """BGR uint8 as stored, or None when OpenCV cannot."""
    buffer = np.frombuffer(data, np.uint8)
    try:
        if not header.alpha:
            return _three(cv2.imdecode(buffer, cv2.IMREAD_COLOR | cv2.IMREAD_IGNORE_ORIENTATION))
        image: Any = cv2.imdecode(buffer, cv2.IMREAD_UNCHANGED)
        if image is None:
            return None
        if image.dtype == np.uint16:
            image = (image >> 8).astype(np.uint8)
        if image.ndim == 3 and image.shape[2] == 4:
            # A BMP of 32 bits usually leaves its fourth byte zero: that is padding, not transparency.
            opaque = header.kind == "BMP" and not image[..., 3].any()
            return _three(image[..., :3] if opaque else _on_grey(image))
        if image.ndim == 3 and image.shape[2] == 2:
            image = image[..., 0]
        return _three(cv2.cvtColor(image, cv2.COLOR_GRAY2BGR) if image.ndim == 2 else image)
    except cv2.error:
        return None


def _three(image: Any) -> U8 | None:
    """The picture if it is what every caller expects, else None."""
    if image is None or image.dtype != np.uint8 or image.ndim != 3 or image.shape[2] != 3 or not image.size:
        return None
    return np.asarray(image, np.uint8)


def _on_grey(image: U8) -> U8:
    """Composite BGRA on mid-grey, rounding to nearest: c a + 128 (1 - a)."""
    alpha = image[..., 3:].astype(np.uint16)
    blended = (image[..., :3].astype(np.uint16) * alpha + _GREY * (255 - alpha) + 127) // 255
    return blended.astype(np.uint8)


def _upright(image: U8, orientation: int) -> U8:
    """Apply an EXIF orientation (CIPA DC-008, tag 0x0112): 2-4 mirror or turn, 5-8 swap width and height as well."""
    if orientation >= 5:
        image = image.transpose(1, 0, 2)
    if orientation in (2, 3, 6, 7):
        image = image[:, ::-1]
    if orientation in (3, 4, 7, 8):
        image = image[::-1]
    return image


# The first words of libjpeg's warnings (jerror.h: JWRN_*) and of OpenCV's own when a decoder gives up.
_OURS = (
    "Corrupt JPEG",
    "Premature end of",
    "Invalid SOS",
    "Invalid JPEG",
    "Warning: unknown JFIF",
    "Application transferred",
)
_OPENCV = ("[ WARN:", "[ERROR:", "libpng ")


class Complaints(Aside):
    """Collects what a decoder prints on standard error inside the block."""

    def __init__(self) -> None:
        super().__init__(lambda line: line.decode(errors="replace").startswith((*_OURS, *_OPENCV)))

    def __enter__(self) -> Complaints:
        super().__enter__()
        return self

    @property
    def lines(self) -> list[str]:
        """The decoder's own lines, after the block."""
        return [line.decode(errors="replace") for line in self.taken]


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
