"""Search everything that left a device for its canaries: pixels, pictures, embeddings, secrets, in many disguises."""

from __future__ import annotations

import base64
import re
from collections.abc import Iterable, Iterator
from pathlib import Path

import cv2
import numpy as np

_WINDOW = 24  # bytes of a row or an embedding: chance finds so many equal bytes once in 2**192
_PICTURES = (b"\xff\xd8\xff", b"\x89PNG\r\n", b"RIFF", b"BM")
_TEXT = re.compile(rb"[A-Za-z0-9+/=_-]{200,}|[0-9a-fA-F]{200,}")


def search(folder: Path, more: Iterable[bytes] = ()) -> set[str]:
    """The kinds of canaries in what was captured.

    Args:
        folder: written by `tests.prove.canary`. more: standard output and error.
    """
    blobs = [path.read_bytes() for path in sorted((folder / "captured").iterdir())]
    blobs = [blob for blob in {*blobs, *more} if blob]
    with np.load(folder / "canaries.npz") as data:
        canaries = {name: data[name] for name in data.files}
    found = {kind for kind, needle in needles(canaries) for blob in blobs if needle in blob}
    if any(picture_in(blob) for blob in blobs):
        found.add("picture")
    return found


def needles(canaries: dict[str, np.ndarray]) -> Iterator[tuple[str, bytes]]:
    """(kind, bytes) of what is searched for."""
    for name, value in canaries.items():
        if name.startswith("pixels"):
            for image in (value, value[:, :, ::-1], cv2.cvtColor(value, cv2.COLOR_BGR2GRAY)):
                yield from _rows(np.ascontiguousarray(image))
        elif name.startswith("vector"):
            yield from _vector(value)
        else:
            yield from _secret(value.tobytes())


def _rows(image: np.ndarray) -> Iterator[tuple[str, bytes]]:
    for row in image[8::12]:
        data = row.tobytes()
        middle = len(data) // 2
        window = data[middle : middle + _WINDOW]
        if len(set(window)) > 6:  # a flat wall is nobody
            yield "pixels", window
            yield "pixels", base64.b64encode(data)[8:-8][:40]


def _vector(vector: np.ndarray) -> Iterator[tuple[str, bytes]]:
    if vector.ndim == 2:  # the references of one template
        for row in vector:
            yield from _vector(row)
        return
    if len(set(vector.tolist())) < 10:
        return
    exact = vector.astype(np.int8)
    for kind, array in (
        ("embedding int8", exact),
        ("embedding float", exact.astype(np.float32)),
        ("embedding float", (exact / np.linalg.norm(exact.astype(np.float64))).astype(np.float32)),
        ("embedding float", exact.astype(np.float64)),
        ("embedding float", exact / np.linalg.norm(exact.astype(np.float64))),
        ("embedding float", (exact / 127).astype(np.float32)),
    ):
        data = array.tobytes()
        for start in (0, len(data) // 2):
            yield kind, data[start : start + _WINDOW]
        yield from (("embedding text", text) for text in _texts(data))
    numbers = exact[:16].tolist()
    for between in (", ", ",", " ", "\n"):
        yield "embedding text", between.join(map(str, numbers)).encode()


def _secret(data: bytes) -> Iterator[tuple[str, bytes]]:
    for start in (0, len(data) // 3):
        yield "secret", data[start : start + _WINDOW] if start + _WINDOW <= len(data) else data[-_WINDOW:]
    yield from (("secret", text) for text in _texts(data))


def _texts(data: bytes) -> Iterator[bytes]:
    """Base64 at each of its three alignments, and hexadecimal."""
    for skip in range(3):
        part = data[skip : skip + 3 * (min(len(data) - skip, 60) // 3)]
        yield base64.b64encode(part)
        yield base64.urlsafe_b64encode(part)
    yield data[:_WINDOW].hex().encode()
    yield data[:_WINDOW].hex().upper().encode()


def picture_in(blob: bytes) -> bool:
    """Whether anything in it, also in base64 or hexadecimal, decodes as a picture."""
    if _decodes(blob):
        return True
    for match in _TEXT.finditer(blob):
        text = match.group().translate(bytes.maketrans(b"-_", b"+/"))
        for skip in range(4):
            try:
                if _decodes(base64.b64decode(text[skip : skip + (len(text) - skip) // 4 * 4])):
                    return True
            except ValueError:
                continue
        try:
            if _decodes(bytes.fromhex(text[: len(text) // 2 * 2].decode())):
                return True
        except ValueError:
            continue
    return False


def _decodes(blob: bytes) -> bool:
    for magic in _PICTURES:
        start = blob.find(magic)
        while start >= 0:
            image = cv2.imdecode(np.frombuffer(blob, np.uint8, offset=start), cv2.IMREAD_COLOR)
            if image is not None and min(image.shape[:2]) >= 8:
                return True
            start = blob.find(magic, start + 1)
    return False
