"""Lines of a scanner that can be pulled out: what the readers of a serial line and of a keyboard have in common."""

from __future__ import annotations

from typing import BinaryIO

from edge.claim.stdin import StdinReader
from edge.errors import ReaderError
from edge.types import Frame


class Plugged:
    """Reads lines of a device; unlike the end of standard input, the end of them is an error.

    Args:
        file: unbuffered; `close` closes it. where: its path, for messages.
    """

    def __init__(self, file: BinaryIO, where: str) -> None:
        self._file, self._where = file, where
        self._lines = StdinReader(file)

    def poll(self, frame: Frame | None) -> str | None:
        """The next token or line, or None. Raises `ReaderError`: it was unplugged."""
        text = self._lines.poll(None)
        if text is None and self._lines.ended:
            raise ReaderError("it was unplugged", where=self._where, remedy="plug it in again")
        return text

    def close(self) -> None:
        """Give the device back. Harmless when repeated."""
        self._file.close()
