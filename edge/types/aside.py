"""Standard error turned aside while native code runs that prints there and has no switch for it.

    with Aside(lambda line: line.startswith(b"INFO: ")) as aside:
        interpreter = ...
    aside.taken                   # those lines; all others are passed on

File descriptor 2 belongs to the process: two threads that turned it aside beside one another would each put back what
they found, and the later one what the earlier one had put there. A door then told no fault any more. So one block at a
time in a process, whatever it is for.
"""

from __future__ import annotations

import os
import tempfile
import threading
from collections.abc import Callable
from types import TracebackType
from typing import IO

#: Re-entrant: a block inside a block of the same thread puts back in order.
_TURN = threading.RLock()


class Aside:
    """A block in which standard error goes into memory.

    Args:
        mine: whether a line (without its end) is kept from standard error.

    Attributes:
        taken: those lines, after the block.
    """

    def __init__(self, mine: Callable[[bytes], bool]) -> None:
        self.taken: list[bytes] = []
        self._mine, self._saved = mine, -1

    def __enter__(self) -> Aside:
        _TURN.acquire()
        try:
            # In memory, where the system has such files: a camera's JPEGs come 15 times a second, and cards wear out.
            memory = hasattr(os, "memfd_create")
            self._file: IO[bytes] = os.fdopen(os.memfd_create("edge"), "w+b") if memory else tempfile.TemporaryFile()
        except BaseException:
            _TURN.release()
            raise
        try:
            self._saved = os.dup(2)
            os.dup2(self._file.fileno(), 2)
        except OSError:  # a process without standard error: nothing to turn aside
            self._saved = -1
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            if self._saved >= 0:
                os.dup2(self._saved, 2)
                os.close(self._saved)
            self._file.seek(0)
            for line in self._file.read().splitlines(keepends=True):
                if self._mine(line.strip()):
                    self.taken.append(line.strip())
                elif line.strip() and self._saved >= 0:
                    os.write(2, line)
        finally:
            self._file.close()
            _TURN.release()
