"""Tokens on standard input, a pipe, a terminal or any file object, without ever blocking.

    reader = StdinReader(sys.stdin.buffer, clock=time.monotonic)
    text = reader.poll(None)            # None, or one token (or a line that holds none)

Whoever writes decides what is read here, so memory is bounded: a line longer than `LONGEST` is dropped up to its end,
and nothing is read ahead while a line waits to be polled. The descriptor's flags are left alone (making a shared
terminal non-blocking breaks the shell around it): readiness is asked of `select` before each read.

Some scanners and most editors wrap long lines, so a line that begins a token is joined with those that go on with it:
up to the next token, a blank line, a line of other characters, the end of the file, or `HELD_S` of silence.
"""

from __future__ import annotations

import io
import os
import re
import select
import time
from collections.abc import Callable
from typing import BinaryIO

from edge.claim import base45
from edge.claim.finding import PREFIX, find_token, tidy
from edge.claim.layout import SIGNATURE_BYTES, unpack
from edge.claim.token import MAX_READ
from edge.types import Frame
from edge.types.wipe import wipe

#: Longest line that is kept, bytes: a token has at most 655 characters and may be surrounded by some white space.
LONGEST = 1024
#: A token that may go on in the next line is held back for so long, seconds: more than a scanner at 9,600 baud pauses
#: between two lines, less than a person notices.
HELD_S = 0.3
_CHUNK = 1024
_LINE_END = re.compile(rb"\r\n|[\r\n]")
_ALPHABET = frozenset(base45.ALPHABET)


class StdinReader:
    """Reads lines of a binary file object that stays its caller's: `close` does not close it.

    Args:
        file: see there. clock: seconds, monotonic.

    Attributes:
        ended: the file has ended (or the terminal is gone) and every line was delivered.
    """

    name = "stdin"

    def __init__(self, file: BinaryIO, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._file, self._clock = file, clock
        self._pending, self._dropping, self._after_cr, self._at_end = b"", False, False, False
        self._begun, self._until = "", 0.0  # a token whose next line may come, and until when
        self._columns, self._full = 0, False  # where its lines are wrapped; whether the last one reaches so far
        try:
            self._handle: int | None = file.fileno()
        except (OSError, io.UnsupportedOperation, AttributeError):
            self._handle = None  # in memory: reading never blocks

    @property
    def ended(self) -> bool:
        return self._at_end and not self._pending and not self._begun

    def poll(self, frame: Frame | None) -> str | None:
        """The next token, or line without one that is not blank, or None. Never blocks, reads at most `_CHUNK` bytes.

        Args:
            frame: not used.
        """
        if b"\n" not in self._pending and b"\r" not in self._pending and not self._at_end:
            self._fill()
        while (line := self._next_line()) is not None:
            signs = tidy(line)
            if line.strip() and not signs.strip():
                continue  # half a line end of UTF-16, or a scanner's ETX
            if self._begun and signs.strip() and not find_token(line) and set(signs) <= _ALPHABET:
                self._hold(self._begun + line, full=len(line) >= self._columns)
                continue
            done = self._release()
            if find_token(line):
                self._hold(line)
                self._columns = len(line)
            elif signs.strip() and done:  # its turn comes with the next poll
                self._pending = line.encode("ascii", "replace") + b"\n" + self._pending
            elif signs.strip():
                done = line.strip()
            if done:
                return done
        if self._begun and (self._at_end or self._clock() >= self._until or self._complete()):
            return self._release()
        return None

    def close(self) -> None:
        """Forget what was read."""
        self._pending, self._begun, self._at_end = b"", "", True

    def _hold(self, text: str, *, full: bool = False) -> None:
        self._begun, self._until, self._full = text[:MAX_READ], self._clock() + HELD_S, full

    def _release(self) -> str | None:
        text, self._begun = self._begun, ""
        token = find_token(text)
        wipe(text)
        return token

    def _complete(self) -> bool:
        """Whether what was read can be a whole token, nothing follows it yet, and its last line is no full one."""
        token = find_token(self._begun) or ""
        spelled = token[len(PREFIX) :]
        try:
            data = base45.decode(spelled)
            signed = data[:-SIGNATURE_BYTES]
            wipe(data)
            body, _ = unpack(signed)
            wipe(signed, body.secret)
        except ValueError:
            return False
        finally:
            wipe(spelled, token)
        return not self._pending and not self._full

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
        before = self._pending
        self._pending = before + (chunk.removeprefix(b"\n") if self._after_cr else chunk)
        wipe(before, chunk)
        self._after_cr = False

    def _next_line(self) -> str | None:
        """The next line that is not too long; None when none has ended yet."""
        while self._pending:
            found = _LINE_END.search(self._pending)
            if found is None and not self._at_end:
                if len(self._pending) > LONGEST:
                    self._pending, self._dropping = b"", True
                return None
            before = self._pending
            line = before[: found.start()] if found else before
            self._pending = before[found.end() :] if found else b""
            self._after_cr = found is not None and found.group() == b"\r" and not self._pending
            too_long, self._dropping = self._dropping or len(line) > LONGEST, False
            text = line.decode("ascii", "replace")
            del found
            wipe(line, before)
            if not too_long:
                return text
        return None
