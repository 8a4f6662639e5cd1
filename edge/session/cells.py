"""A process of its own for each session: what is compared is compared there, and ends with it.

    cells = Cells([chain.embedder.card])          # a process that waits, with the networks loaded; started at first use
    with cells._begin(session) as cell:           # one forked from it, ahead: the cell
        cell.open(lock, ciphertext, model=m, references=1, threshold=0.41, most=3)
        cell.compare(pixels).passed
    cells.close()

The door's process keeps camera and keys and never has an embedding, an opened template or a score. A cell is given one
sealed template with that template's own key, and aligned faces; it answers yes or no, or with a sealed template
(`edge.session.cell`). It can reach nothing (`edge.session.confine`): no file, no network, no other process, no new
memory that is executable. The session ends with its being killed, which is the end of everything in it.
"""

from __future__ import annotations

import json
import socket
import struct
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Sequence
from typing import Any

from edge._isolated import command, environment
from edge._resources import is_device
from edge.errors import EdgeError, ModelError, SessionLost, SpentError
from edge.face.card import Card
from edge.face.match import COMPARED
from edge.session.cell import Compared
from edge.session.cell_process import (
    ANSWER,
    ASKED,
    BEGIN,
    END,
    LOCK,
    LOST,
    NUMBER,
    OPEN,
    PROCESS,
    SEAL,
)
from edge.session.confine import Walls
from edge.types import U8, SealedTemplate
from edge.vault.seal import Lock, broken, made_by_another

#: Seconds until a cell that has not answered is given up. The slowest board takes 0.3 s for an embedding.
PATIENCE_S = 3.0
#: The longest answer: a sealed template of three references of 1,024 numbers, and more.
LONGEST_ANSWER = 8192
#: Seconds until the networks are loaded; a Pi Zero takes about 5.
START_S = 60.0
_MODULE, _VERSIONS = "edge.session.cell_process", 1000


class Cells:
    """Begins cells, for `edge.service` and `edge.session` alone: no public name gives one. Safe for several threads.

    Args:
        cards: of the embedders, with the one that captures are kept with first.
    """

    def __init__(self, cards: Sequence[Card]) -> None:
        self._told = [_told(card) for card in cards]
        self._tells = not is_device()  # asked once: it looks at files
        self._lock = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None
        self._control: socket.socket | None = None
        self._ready = False

    def __enter__(self) -> Cells:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def start(self) -> None:
        """Start the process that waits, and do not wait for it. Harmless when repeated."""
        with self._lock:
            self._start()

    def ready(self) -> None:
        """Return when the networks are loaded there.

        Raises:
            ModelError: one of them cannot be used. SessionLost: the process has ended.
        """
        with self._lock:
            self._started()

    def _begin(self, session: str) -> ClosedCell:
        """A fresh cell; a context manager, whose end is that of its process.

        Args:
            session: its identifier, for the audit event of each comparison.

        Raises:
            ModelError, SessionLost: as `ready`.
        """
        with self._lock:
            control = self._started()
            try:
                _give(control, BEGIN)
                told, descriptors, _, _ = socket.recv_fds(control, PROCESS.size, 1)
                process, connection = PROCESS.unpack(told)[0], socket.socket(fileno=descriptors[0])
                connection.set_inheritable(False)
            except (OSError, struct.error, IndexError):
                self._stop()
                raise _lost("the process that begins sessions has ended") from None
        return ClosedCell(self, connection, process, session)

    def _end(self, process: int, *, lost: bool) -> int:
        """Kill a cell, and return how it had ended before: 0, or minus a signal."""
        with self._lock:
            if self._control is None:
                return 0
            try:
                _give(self._control, LOST if lost else END, PROCESS.pack(process))
                return int(PROCESS.unpack(_take(self._control, PROCESS.size))[0])
            except (OSError, EOFError):
                self._stop()
                return 0

    def close(self) -> None:
        """End the process that waits, and with it every cell. Harmless when repeated."""
        with self._lock:
            self._stop()

    def _start(self) -> None:
        if self._process is not None and self._process.poll() is not None:
            self._stop()
        if self._process is not None:
            return
        try:
            mine, its = socket.socketpair()
            with its:
                self._process = subprocess.Popen(
                    command(_MODULE),
                    stdin=its.fileno(),
                    stdout=subprocess.DEVNULL,
                    stderr=subprocess.DEVNULL,
                    env=environment() | {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"},
                    cwd="/",
                    start_new_session=True,
                )
            mine.settimeout(START_S)
            self._control, self._ready = mine, False
            data = json.dumps(self._told).encode()
            _give(mine, ASKED.pack(b"j", len(data)), data)
        except (OSError, RuntimeError) as error:
            self._stop()
            raise _lost(f"the process that compares cannot be started ({error})") from None

    def _started(self) -> socket.socket:
        self._start()
        control = self._control
        assert control is not None
        if not self._ready:
            try:
                answer = json.loads(_take(control, ASKED.unpack(_take(control, ASKED.size))[1]))
            except (OSError, EOFError):
                self._stop()
                raise _lost("the process that compares did not start") from None
            if "refused" in answer:
                self._stop()
                what, where, remedy = answer["refused"]
                raise ModelError(what, where=where, remedy=remedy)
            control.settimeout(PATIENCE_S)
            self._ready = True
        return control

    def _stop(self) -> None:
        if self._control is not None:
            self._control.close()
        if self._process is not None:
            try:
                self._process.wait(1.0)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
        self._control = self._process = None


class ClosedCell:
    """The door's end of one cell; see `edge.session.cell.Cell` for what each call does and raises.

    Beside that, each raises `SessionLost`: the cell was ended by its walls, crashed, or does not answer.
    """

    def __init__(self, cells: Cells, connection: socket.socket, process: int, session: str) -> None:
        self._cells, self._connection, self.process, self._session = cells, connection, process, session
        self._walls: Walls | None = None
        self._gone = False

    def __enter__(self) -> ClosedCell:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self, *, lost: bool = False) -> int:
        """End the process. Returns how it had ended before: 0, or minus a signal.

        Args:
            lost: it has ended by itself.
        """
        if self._gone:
            return 0
        self._gone = True
        self._connection.close()
        return self._cells._end(self.process, lost=lost)

    @property
    def walls(self) -> Walls:
        """What stands around it."""
        if self._walls is None:
            code, version, _ = self._answer()
            self._walls = Walls(code == b"y", int(version) if 0 <= version < _VERSIONS else 0)
        return self._walls

    def open(
        self, lock: Lock, ciphertext: bytes, *, model: bytes, references: int, threshold: float, most: int
    ) -> None:
        self._ask(b"o", OPEN.pack(model, references, threshold, most), *_parts(lock), ciphertext)

    def compare(self, pixels: U8) -> Compared:
        sys.audit(COMPARED, self._session)
        passed, score, _ = self._ask(b"c", pixels.tobytes())
        return Compared(passed, score if self._cells._tells else None)

    def keep(self, pixels: U8, *, alike: float) -> bool:
        return self._ask(b"k", NUMBER.pack(alike), pixels.tobytes())[0]

    def settle(self, threshold: float) -> bool:
        return self._ask(b"t", NUMBER.pack(threshold))[0]

    def start_over(self) -> None:
        self._ask(b"a")

    def seal(self, lock: Lock, *, opened: bool, kept: bool) -> SealedTemplate:
        _, _, ciphertext = self._ask(b"z", SEAL.pack(opened, kept), *_parts(lock))
        return SealedTemplate(lock.header, lock.salt, ciphertext)

    def _ask(self, what: bytes, *parts: bytes) -> tuple[bool, float, bytes]:
        _ = self.walls  # its first word
        try:
            self._connection.settimeout(PATIENCE_S)
            _give(self._connection, ASKED.pack(what, sum(map(len, parts))), *parts)
        except OSError as error:
            raise self._lost(error) from None
        code, score, content = self._answer()
        if code in _REFUSED:
            raise _REFUSED[code]()
        if code not in (b"y", b"n"):
            raise self._lost()
        return code == b"y", score, content

    def _answer(self) -> tuple[bytes, float, bytes]:
        """One answer, within the time for it and no longer than one is. A cell that was taken over says anything."""
        until = time.monotonic() + PATIENCE_S
        try:
            code, score, more = ANSWER.unpack(_take(self._connection, ANSWER.size, until))
            if more <= LONGEST_ANSWER:
                return code, score, _take(self._connection, more, until)
        except (OSError, EOFError) as error:
            raise self._lost(error) from None
        raise self._lost()

    def _lost(self, error: Exception | None = None) -> SessionLost:
        ended = self.close(lost=True)
        if isinstance(error, TimeoutError) and ended == 0:
            return _lost(f"the process that compares did not answer for {PATIENCE_S:g} s")
        return _lost("the process that compares has ended" + (f" (signal {-ended})" if ended < 0 else ""))


def _take(connection: socket.socket, count: int, until: float | None = None) -> bytes:
    """So many bytes, until a moment of `time.monotonic`. Raises `EOFError`: the other side has gone; `TimeoutError`."""
    data = b""
    while len(data) < count:
        if until is not None:
            connection.settimeout(max(0.001, until - time.monotonic()))
        part = connection.recv(count - len(data))
        if not part:
            raise EOFError
        data += part
    return data


def _give(connection: socket.socket, *parts: bytes) -> None:
    """Send bytes, each as it is: nothing secret is put together first."""
    for part in parts:
        connection.sendall(part)


def _parts(lock: Lock) -> tuple[bytes, ...]:
    """A lock for the wire, its key as it is: no other bytes hold it here."""
    return lock.key, lock.salt, LOCK.pack(bytes(32), bytes(32), len(lock.header))[64:], lock.header


def _told(card: Card) -> dict[str, Any]:
    """What a cell needs of a card."""
    tensors = {"input": [card.input], "outputs": list(card.outputs)}
    rows = {
        name: [spec.model_dump() | {"tensor_shape": spec.tensor_shape} for spec in specs]  # type: ignore[attr-defined]
        for name, specs in tensors.items()
    }
    return {
        "name": card.name,
        "where": card.where,
        "file": str(card.path.resolve()),
        "size_bytes": card.size_bytes,
        "sha256": card.sha256,
        "names": [card.identity, *([card.earlier] if card.earlier else [])],
        "input": rows["input"][0],
        "outputs": rows["outputs"],
    }


def _lost(what: str) -> SessionLost:
    return SessionLost(
        what,
        where="session",
        remedy="try again; if this goes on, look what else runs (`top`), and for a lack of memory (`dmesg`)",
    )


_REFUSED: dict[bytes, Callable[[], EdgeError]] = {
    b"s": broken,
    b"m": made_by_another,
    b"l": lambda: SpentError("comparison limit reached", where="session", remedy="make a new claim"),
    b"x": lambda: ModelError(
        "the embedder gave no embedding", where="session", remedy="check it with `edge models verify`"
    ),
}
"""What was refused inside, in the words that are said outside: a cell sends codes only."""
