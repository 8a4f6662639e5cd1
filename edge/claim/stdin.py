"""Tokens as lines on standard input, a pipe, a terminal or any file object, without ever blocking.

    reader = StdinReader(sys.stdin.buffer)
    text = reader.poll(None)            # None, or one line

Whoever writes decides what is read here, so memory is bounded: a line longer than `LONGEST` is dropped up to its end,
and nothing is read ahead while a line waits to be polled. The descriptor's flags are left alone (making a shared
terminal non-blocking breaks the shell around it): readiness is asked of `select` before each read.
"""

from __future__ import annotations

import io
import os
import select
from typing import BinaryIO

from edge.types import Frame

#: Longest line that is kept, bytes: a token has at most 655 characters and may be surrounded by some white space.
LONGEST = 1024
_CHUNK = 1024


class StdinReader:
    """Reads lines of a binary file object that stays its caller's: `close` does not close it.

    Attributes:
        ended: the file has ended (or the terminal is gone) and every line was delivered.
    """

    name = "stdin"

    def __init__(self, file: BinaryIO) -> None:
        self._file, self._pending, self._dropping, self._at_end = file, b"", False, False
        try:
            self._handle: int | None = file.fileno()
        except (OSError, io.UnsupportedOperation, AttributeError):
            self._handle = None  # in memory: reading never blocks

    @property
    def ended(self) -> bool:
        return self._at_end and not self._pending

    def poll(self, frame: Frame | None) -> str | None:
        """The next line that is not blank, stripped, or None. Never blocks and reads at most `_CHUNK` bytes.

        Args:
            frame: not used.
        """
        if b"\n" not in self._pending and b"\r" not in self._pending and not self._at_end:
            self._fill()
        return self._line()

    def close(self) -> None:
        """Forget what was read."""
        self._pending, self._at_end = b"", True

    def _fill(self) -> None:
        try:
            if self._handle is None:
                chunk = self._file.read(_CHUNK)
            elif select.select([self._handle], [], [], 0)[0]:
                chunk = os.read(self._handle, _CHUNK)
            else:
                return
        except (OSError, ValueError):  # a pty whose other end is gone says EIO; a closed file is a ValueError
            chunk = b""
        self._at_end = not chunk
        self._pending += chunk

    def _line(self) -> str | None:
        """Take lines off what is pending until one is neither blank nor too long."""
        while self._pending:
            line, end, rest = self._split()
            if not end and not self._at_end:
                if len(self._pending) > LONGEST:
                    self._pending, self._dropping = b"", True
                return None
            self._pending = rest
            text = line.decode("ascii", "replace").strip()
            too_long, self._dropping = self._dropping or len(line) > LONGEST, False
            if text and not too_long:
                return text
        return None

    def _split(self) -> tuple[bytes, bytes, bytes]:
        """What is pending as line, its end (empty when none came yet), rest. A carriage return ends a line too."""
        places = [place for place in (self._pending.find(b"\n"), self._pending.find(b"\r")) if place >= 0]
        place = min(places, default=len(self._pending))
        return self._pending[:place], self._pending[place : place + 1], self._pending[place + 1 :]
