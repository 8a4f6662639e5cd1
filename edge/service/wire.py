"""What crosses between a running door and an operator's process: JSON objects over a socket, a line each."""

from __future__ import annotations

import contextlib
import json
import os
import select
import socket
import threading
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from edge.errors import Interrupted

#: Where a running door listens for operators' acts, in its state folder.
DOOR_SOCKET = "operator.sock"
#: A request or an answer is a few kilobytes; a card's token has 655 characters, a live view some 40 kB.
MAX_LINE = 262_144
#: Whoever connects says what they want within so long; a hand-over to a printer takes longer.
REQUEST_S, HAND_OVER_S = 5.0, 120.0
#: A long wait is one of many short ones, so that a stop is noticed.
_SLICE_S = 0.5


class Line:
    """JSON objects over a connected socket, a line each."""

    def __init__(self, connection: socket.socket) -> None:
        self._connection, self._pending = connection, b""
        self._lock = threading.Lock()  # progress is told from an observer's thread
        connection.settimeout(REQUEST_S)

    def send(self, message: Mapping[str, Any]) -> None:
        """Write one object. Raises OSError."""
        with self._lock:
            self._connection.settimeout(REQUEST_S)
            self._connection.sendall(json.dumps(message).encode() + b"\n")

    def receive(self, timeout_s: float, cancelled: Callable[[], bool] = lambda: False) -> dict[str, Any]:
        """The next object. Raises OSError, EOFError, ValueError, Interrupted.

        Args:
            timeout_s: for the whole of it. cancelled: true ends the wait.
        """
        until = time.monotonic() + timeout_s
        while b"\n" not in self._pending:
            if len(self._pending) > MAX_LINE:
                raise ValueError("the line is too long")
            if cancelled():
                raise Interrupted("the device stops; nothing was kept", where="operator socket")
            if (left_s := until - time.monotonic()) <= 0:
                raise TimeoutError("byte by byte is no more time")
            self._connection.settimeout(max(0.001, min(_SLICE_S, left_s)))
            try:
                data = self._connection.recv(65_536)
            except TimeoutError:
                if left_s <= _SLICE_S:
                    raise
                continue
            if not data:
                raise EOFError("the other side has gone")
            self._pending += data
        line, _, self._pending = self._pending.partition(b"\n")
        try:
            message = json.loads(line)
        except RecursionError:
            raise ValueError("too deep") from None
        if not isinstance(message, dict):
            raise ValueError("not an object")  # noqa: TRY004 - a message of another kind, not a mistake in a call
        return message

    def gone(self) -> bool:
        """Whether the other side has hung up."""
        if self._pending:
            return False
        try:
            ready = select.select([self._connection], [], [], 0)[0]
            return bool(ready) and not self._connection.recv(1, socket.MSG_PEEK)
        except (OSError, ValueError):  # ValueError: closed on this side
            return True

    def hang_up(self) -> None:
        """End the conversation, from any thread: whoever waits for the next object gets `EOFError`."""
        with contextlib.suppress(OSError):
            self._connection.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        """Hang up."""
        self._connection.close()


def short(path: Path) -> str:
    """A socket's address (108 bytes at most, unix(7)): a long path is named from the working directory."""
    full = str(path.absolute())
    return full if len(os.fsencode(full)) < 108 else os.path.relpath(full)
