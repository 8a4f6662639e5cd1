"""One leak of each kind, planted into a running device, so that the search shows what it is worth."""

from __future__ import annotations

import base64
import contextlib
import logging
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from edge.session.cell import Compared
from edge.session.cells import ClosedCell
from tests.prove.aviary import Aviary

#: Given the pixels of a look, and its embedding.
Leak = Callable[[np.ndarray, np.ndarray], None]


def plant(kind: str, aviary: Aviary, folder: Path) -> None:
    """Let every embedded look leak in one way."""
    if kind == "one comparison too many":
        _compare_more()
        return
    aviary.after_look.append(KINDS[kind](aviary, folder))


def _write(folder: Path, name: str, data: bytes) -> None:
    with (folder / name).open("ab") as file:
        file.write(data)


def _unit(vector: np.ndarray) -> np.ndarray:
    return (vector / np.linalg.norm(vector.astype(np.float64))).astype(np.float32)


def _raise(text: str) -> None:
    with contextlib.suppress(ValueError):
        _inside_the_product(text)


def _inside_the_product(text: str) -> None:
    """An exception that one of the product's own functions lets through, with more in its message than it should."""
    from edge.settings.yaml_core import parse

    class Text(str):
        def encode(self, *_: object) -> bytes:
            raise ValueError(text)

        def __len__(self) -> int:
            raise ValueError(text)

        def splitlines(self, *_: object) -> list[str]:
            raise ValueError(text)

    parse(Text("x"), "x")


def _deleted(folder: Path, data: bytes) -> None:
    path = folder / "scratch"
    path.write_bytes(data)
    path.unlink()


def _journal(aviary: Aviary, text: str) -> None:
    _write(aviary.settings.device.state_dir, "journal.log", text.encode())


def _socket(data: bytes) -> None:
    import socket

    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as out:
        out.sendto(data, ("127.0.0.1", 9))


def _compare_more() -> None:
    """A session that has its cell compare each look five times, and lets it."""
    once, opened = ClosedCell.compare, ClosedCell.open

    def often(cell: ClosedCell, pixels: np.ndarray) -> Compared:
        return [once(cell, pixels) for _ in range(5)][-1]

    def lets(cell: ClosedCell, *sealed: Any, most: int, **rest: Any) -> None:
        opened(cell, *sealed, most=5 * most, **rest)

    ClosedCell.compare, ClosedCell.open = often, lets  # type: ignore[method-assign]


KINDS: dict[str, Callable[[Aviary, Path], Leak]] = {
    "pixels on disk": lambda a, f: lambda pixels, v: _write(f, "crop.raw", pixels.tobytes()),
    "pixels as RGB": lambda a, f: lambda pixels, v: _write(f, "rgb.raw", pixels[:, :, ::-1].tobytes()),
    "a JPEG": lambda a, f: (
        lambda pixels, v: _write(
            f, "look.bin", b"..." + cv2.imencode(".jpg", pixels, [cv2.IMWRITE_JPEG_QUALITY, 40])[1].tobytes()
        )
    ),
    "a PNG in base64": lambda a, f: (
        lambda pixels, v: _write(f, "page.html", base64.b64encode(cv2.imencode(".png", pixels)[1].tobytes()))
    ),
    "an int8 embedding": lambda a, f: lambda pixels, v: _write(f, "cache.bin", v.tobytes()),
    "a float32 embedding": lambda a, f: lambda pixels, v: _write(f, "cache.npy", _unit(v).tobytes()),
    "an embedding in base64": lambda a, f: (
        lambda pixels, v: logging.info("v=%s", base64.b64encode(v.tobytes()).decode())
    ),
    "an embedding in hex": lambda a, f: lambda pixels, v: _journal(a, v.tobytes().hex()),
    "an embedding as numbers": lambda a, f: lambda pixels, v: print(v.tolist()),
    "a file that was deleted": lambda a, f: lambda pixels, v: _deleted(f, v.tobytes()),
    "a socket": lambda a, f: lambda pixels, v: _socket(v.tobytes()),
    "a card's secret": lambda a, f: lambda pixels, v: sys.stderr.write(a.secrets[2].hex() + "\n"),
    "a card's text": lambda a, f: lambda pixels, v: _write(f, "claims.log", a.secrets[3]),
    "the device's key": lambda a, f: lambda pixels, v: os.write(1, base64.b64encode(a.secrets[0])),
    "an exception": lambda a, f: lambda pixels, v: _raise(f"cannot match {v.tolist()}"),
}
