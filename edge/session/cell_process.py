"""The processes behind `edge.session.cells`: one that waits with the networks loaded, and from it one a session.

    python -I -c ... edge.session.cell_process          # standard input: a socket, on which it is told what to load

Nothing of a card, a key, a camera or a thread is ever in the process that waits. It forks a cell ahead of each session,
closed in already and told nothing, and gives the door's process its socket when one begins; when the door's process
ends the session, or ends itself, the cell is killed. The next one is forked then, when nobody waits for an answer. A
cell is asked in fixed forms (`ASKED`) and answers in one (`ANSWER`).
"""

from __future__ import annotations

import contextlib
import gc
import json
import math
import os
import select
import signal
import socket
import struct
import time
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np

from edge._isolated import isolated
from edge._resources import is_device
from edge.errors import EdgeError, ModelError, ModelMismatch, SealBroken, SpentError
from edge.face.runner import Runner
from edge.session.cell import Cell, Embed
from edge.session.confine import confine
from edge.types import U8, Custody
from edge.types.inside import _inside
from edge.vault.seal import Header, Lock

#: Of each request: what is asked, and how many bytes follow.
ASKED = struct.Struct("<cI")
#: Of each answer: its code, a score (none on a device build), and how many bytes follow (of a sealed template only).
ANSWER = struct.Struct("<cdI")
#: To open: the embedder's name, references, threshold, comparisons; key, salt, the header's length, then header and
#: ciphertext. To seal: whether the opened template, whether the captures; then key, salt and header.
OPEN, SEAL, LOCK = struct.Struct("<32sBdI"), struct.Struct("<??"), struct.Struct("<32s32sH")
NUMBER = struct.Struct("<d")
BEGIN, END, LOST = b"B", b"E", b"L"
PROCESS = struct.Struct("<i")
#: More is never sent: a picture of 256 x 256, a template's card.
MOST_BYTES = 1 << 20
#: Codes of an answer for what went wrong; b"y" and b"n" are yes and no.
REFUSALS: dict[bytes, type[EdgeError]] = {b"s": SealBroken, b"m": ModelMismatch, b"l": SpentError, b"x": ModelError}


def take(connection: socket.socket, count: int) -> bytes:
    """So many bytes. Raises `EOFError`: the other side has gone."""
    parts = bytearray()
    while len(parts) < count:
        part = os.read(connection.fileno(), count - len(parts))
        if not part:
            raise EOFError
        parts += part
    return bytes(parts)


def give(connection: socket.socket, *parts: bytes) -> None:
    """Send bytes, each as it is: nothing secret is put together first."""
    for part in parts:
        view = memoryview(part)
        while view:
            view = view[os.write(connection.fileno(), view) :]


def lock_in(data: bytes) -> tuple[Lock, bytes]:
    """A lock, and what follows it."""
    key, salt, size = LOCK.unpack_from(data)
    header = data[LOCK.size : LOCK.size + size]
    return Lock(header, salt, key), data[LOCK.size + size :]


class _Served:
    """One cell at its socket.

    Args:
        shapes: of the pixels that each embedder takes. model: of the one that keeps captures. tells: scores, too.
    """

    def __init__(
        self, connection: socket.socket, cell: Cell, shapes: dict[bytes, tuple[int, ...]], model: bytes, *, tells: bool
    ) -> None:
        self._connection, self._cell, self._shapes, self._tells = connection, cell, shapes, tells
        self._shape = self._compared = shapes[model]

    def serve(self) -> None:
        """Answer until the other side has gone."""
        while True:
            what, count = ASKED.unpack(take(self._connection, ASKED.size))
            if count > MOST_BYTES:
                return
            data = take(self._connection, count)
            try:
                code, score, more = self._answer(what, data)
            except (EdgeError, ValueError) as error:
                code = next((code for code, kind in REFUSALS.items() if isinstance(error, kind)), b"x")
                score, more = 0.0, b""
            give(self._connection, ANSWER.pack(code, score, len(more)), more)

    def _answer(self, what: bytes, data: bytes) -> tuple[bytes, float, bytes]:
        cell = self._cell
        yes: bool | None = None
        if what == b"c":
            compared = cell.compare(_pixels(data, self._compared))
            score = compared.score if self._tells and compared.score is not None else 0.0
            return b"y" if compared.passed else b"n", score, b""
        if what == b"k":
            yes = cell.keep(_pixels(data[NUMBER.size :], self._shape), alike=NUMBER.unpack_from(data)[0])
        elif what == b"t":
            yes = cell.settle(*NUMBER.unpack(data))
        elif what == b"a":
            cell.start_over()
            yes = True
        elif what == b"o":
            model, references, threshold, most = OPEN.unpack_from(data)
            lock, ciphertext = lock_in(data[OPEN.size :])
            cell.open(lock, ciphertext, model=model, references=references, threshold=threshold, most=most)
            self._compared, yes = self._shapes[model], True
        elif what == b"z":
            opened, kept = SEAL.unpack_from(data)
            sealed = cell.seal(lock_in(data[SEAL.size :])[0], opened=opened, kept=kept)
            return b"y", 0.0, sealed.ciphertext
        return b"y" if yes else b"n", 0.0, b""


def _pixels(data: bytes, shape: tuple[int, ...]) -> U8:
    return np.frombuffer(data, np.uint8).reshape(shape)


class _Waiting:
    """The process that waits.

    Args:
        control: where sessions are begun and ended.
        told: the cards of the embedders and the names that each goes by; the first is that of captures.
    """

    def __init__(self, control: socket.socket, told: list[dict[str, Any]]) -> None:
        self._control, self._cells, self._tells = control, set[int](), not is_device()
        self._spare: tuple[int, socket.socket] | None = None
        self._door = os.getppid()
        self._embed: dict[bytes, Embed] = {}
        self._shapes: dict[bytes, tuple[int, ...]] = {}
        for card in told:
            read: Any = SimpleNamespace(**vars(_namespace(card)), path=Path(card["file"]))
            runner = Runner(read)
            for name in card["names"]:
                self._embed[bytes.fromhex(name)] = runner.embed
                self._shapes[bytes.fromhex(name)] = tuple(card["input"]["shape"][1:])
        self._model = bytes.fromhex(told[0]["names"][0])
        for name in self._embed:
            self._rehearse(name)
        gc.collect()
        gc.freeze()

    def _rehearse(self, model: bytes) -> None:
        """Do everything once, with noise: what is loaded lazily is loaded now, where there is still a file system."""
        shape = self._shapes[model]  # and not of numpy's dice: a fork pays for each library
        noise = (np.arange(math.prod(shape)) * 37 % 251).astype(np.uint8).reshape(shape)
        dimension = len(self._embed[model](noise))
        header = Header(Custody.CARD, bytes(16), model, dimension, 0, 1)
        lock = Lock.of(header.pack(), bytes(32), secret=bytes(32), key=bytes(32), custody=Custody.CARD)
        with Cell(self._embed, model) as cell:
            cell.keep(noise, alike=-1.0)
            sealed = cell.seal(lock, opened=False, kept=True)
            cell.open(lock, sealed.ciphertext, model=model, references=1, threshold=0.0, most=1)
            cell.compare(noise)
            with contextlib.suppress(SpentError):
                cell.compare(noise)

    def serve(self) -> None:
        """Begin and end cells. Raises `EOFError`: the door's process has gone."""
        self._spare = self._fork()
        door = select.poll()
        door.register(self._control, select.POLLIN)
        with contextlib.suppress(OSError, AttributeError):  # a door that forked leaves its end of the socket to others
            door.register(os.pidfd_open(self._door), select.POLLIN)
        while True:
            ready = {descriptor for descriptor, _ in door.poll()}
            if self._control.fileno() not in ready:
                return
            what = take(self._control, 1)
            if what == BEGIN:
                self._begin()
            else:
                self._end(PROCESS.unpack(take(self._control, PROCESS.size))[0], lost=what == LOST)

    def _fork(self) -> tuple[int, socket.socket]:
        """A cell and the door's end of its socket."""
        mine, its = socket.socketpair()
        child = os.fork()
        if child == 0:
            self._be(its.fileno())
        its.close()
        return child, mine

    def _begin(self) -> None:
        spare, self._spare = self._spare, None
        if spare is not None and os.waitpid(spare[0], os.WNOHANG)[0]:
            spare[1].close()
            spare = None
        child, connection = spare or self._fork()
        self._cells.add(child)
        with connection:
            socket.send_fds(self._control, [PROCESS.pack(child)], [connection.fileno()])

    def _end(self, child: int, *, lost: bool) -> None:
        """Kill a cell, tell the door's process how it had ended before, and take it away.

        Args:
            lost: it has closed its socket by itself, a moment before it is seen to have ended.
        """
        ended = status = 0
        known = child in self._cells
        if known:
            self._cells.remove(child)
            for _ in range(_MOMENTS if lost else 1):
                ended, status = os.waitpid(child, os.WNOHANG)
                if ended or not lost:
                    break
                time.sleep(0.001)
            if not ended:
                os.kill(child, signal.SIGKILL)
        give(self._control, PROCESS.pack(os.waitstatus_to_exitcode(status)))
        if known and not ended:
            os.waitpid(child, 0)  # the kernel takes its pages down, a few milliseconds that no door waits for
        self._spare = self._spare or self._fork()

    def _be(self, descriptor: int) -> None:
        """A cell, to its end."""
        try:
            connection = socket.socket(fileno=os.dup2(descriptor, _CELL))
            walls = confine(_CELL)
            self._rehearse(self._model)  # so that the pages that it writes to are its own before anybody waits
            give(connection, ANSWER.pack(b"y" if walls.seccomp else b"n", float(walls.landlock), 0))
            with Cell(self._embed, self._model) as cell:
                _Served(connection, cell, self._shapes, self._model, tells=self._tells).serve()
        except BaseException:  # noqa: S110 - there is nobody left to tell
            pass
        finally:
            os._exit(0)


#: The descriptor of a cell, and milliseconds until one that has ended is seen to have.
_CELL, _MOMENTS = 3, 200


def _namespace(told: Any) -> Any:
    """A card as `Runner` reads it: what is checked with pydantic was, where it came from."""
    if isinstance(told, dict):
        return SimpleNamespace(**{key: _namespace(value) for key, value in told.items()})
    if isinstance(told, list):
        return tuple(_namespace(value) for value in told)
    return told


def _main() -> None:
    """Load, tell how it went, wait."""
    if is_device() and not isolated():
        return
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)  # whoever starts this may ignore it, and then nothing is waited for
    control = socket.socket(fileno=os.dup(0))
    told = json.loads(take(control, ASKED.unpack(take(control, ASKED.size))[1]))
    try:
        with _inside():
            waiting = _Waiting(control, told)
            _need_one_thread()
            _say(control, {"ready": True})
            waiting.serve()
    except EdgeError as error:
        _say(control, {"refused": [error.what, error.where, error.remedy]})
    except EOFError:
        pass


def _need_one_thread() -> None:
    """Return when a fork takes everything along. Raises `ModelError`: a library has started threads."""
    try:
        threads = len(list(Path("/proc/self/task").iterdir()))
    except OSError:
        raise ModelError("there is no /proc", where="session", remedy="mount it (mount -t proc proc /proc)") from None
    if threads != 1:
        raise ModelError(f"there are {threads} threads where there must be one", where="session", remedy="reinstall")


def _say(control: socket.socket, answer: dict[str, Any]) -> None:
    data = json.dumps(answer).encode()
    give(control, ASKED.pack(b"j", len(data)), data)


if __name__ == "__main__":
    _main()
