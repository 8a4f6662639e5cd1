"""Pictures and sources that this room's tests share."""

from __future__ import annotations

import struct
from collections.abc import Iterator

import cv2
import numpy as np

from edge.errors import SourceEnded, SourceTimeout
from edge.types import Frame


def noise_picture(height: int = 40, width: int = 64, seed: int = 0) -> np.ndarray:
    """A colourful picture whose four corners differ, so that any turn or mirror image shows."""
    rng = np.random.default_rng(seed)
    image = cv2.resize(rng.integers(0, 256, (4, 5, 3), np.uint8), (width, height), interpolation=cv2.INTER_CUBIC)
    image[: height // 4, : width // 4] = (250, 10, 10)
    image[-height // 4 :, : width // 4] = (10, 250, 10)
    image[: height // 4, -width // 4 :] = (10, 10, 250)
    return image


def encoded(image: np.ndarray, suffix: str = ".jpg", *options: int) -> bytes:
    done, data = cv2.imencode(suffix, image, list(options))
    assert done
    return data.tobytes()


def with_exif(jpeg: bytes, orientation: int, order: str = "<", *, kind: str = "H") -> bytes:
    """The same JPEG with an EXIF block that holds nothing but an orientation, of one of TIFF's types of number."""
    body = b"Exif\0\0" + tiff_block(orientation, order, kind)
    return jpeg[:2] + b"\xff\xe1" + struct.pack(">H", len(body) + 2) + body + jpeg[2:]


def webp_with_exif(
    webp: bytes, size: tuple[int, int], orientation: int, *, flag: int = 8, prefix: bytes = b""
) -> bytes:
    """The same WebP (width, height) in the extended format: VP8X, a chunk of odd length that says EXIF, EXIF."""
    block = prefix + tiff_block(orientation)
    width, height = (side - 1 for side in size)
    extended = bytes([flag, 0, 0, 0]) + width.to_bytes(3, "little") + height.to_bytes(3, "little")
    more = b"".join(
        name + struct.pack("<I", len(body)) + body + bytes(len(body) % 2)
        for name, body in ((b"VP8X", extended), (b"note", b"no EXIF....." + tiff_block(3) + b"!"))
    )
    exif = b"EXIF" + struct.pack("<I", len(block)) + block + bytes(len(block) % 2)
    parts = b"WEBP" + more + webp[12:] + exif
    return b"RIFF" + struct.pack("<I", len(parts)) + parts


def tiff_block(orientation: int, order: str = "<", kind: str = "H") -> bytes:
    """A TIFF structure with this orientation alone."""
    mark = b"II*\0" if order == "<" else b"MM\0*"
    types = {"B": 1, "H": 3, "I": 4, "b": 6, "h": 8, "i": 9}
    entry = struct.pack(f"{order}HHI{kind}", 0x0112, types[kind], 1, orientation).ljust(12, b"\0")
    return mark + struct.pack(order + "I", 8) + struct.pack(order + "H", 1) + entry + bytes(4)


def frame(image: np.ndarray, number: int, *, period_ns: int = 66_666_667, **more) -> Frame:
    return Frame(image, number * period_ns, number, "test", **more)


def silence_of(stream, timeout_s: float = 0.1) -> SourceTimeout:
    """The timeout of a stream whose camera has just fallen silent; what was on its way comes first."""
    for _ in range(20):
        try:
            stream.next(stream.now_ns(), timeout_s)
        except SourceTimeout as silence:
            return silence
    raise AssertionError("the camera goes on")


class ListSource:
    """Delivers the given frames (or raises the given errors) one after the other, then ends."""

    name = "list"

    def __init__(self, *steps: Frame | Exception) -> None:
        self.steps: Iterator[Frame | Exception] = iter(steps)
        self.opened = self.closed = 0

    def open(self) -> None:
        self.opened += 1

    def read(self, timeout_s: float) -> Frame:
        step = next(self.steps, None)
        if step is None:
            raise SourceEnded("over", where="list")
        if isinstance(step, Exception):
            raise step
        return step

    def close(self) -> None:
        self.closed += 1
