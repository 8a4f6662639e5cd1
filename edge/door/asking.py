"""The asking side of a guard: one process, one line that both hold, and a thread that listens.

    guard = Asking(line, chip, 17, ended=print)
    guard.release(3000)          # energised when it returns; `ended` is called when the lock holds again
    guard.leave()                # locked; the guard goes on holding the line, this process lets go of it

Neither trusts the other to be alive. The guard locks when it hears nothing for a second; this side locks, by its own
hold on the line, when the guard does not answer or a pulse is not over in time, and serves no more.
"""

from __future__ import annotations

import contextlib
import os
import select
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

from edge.door import guard
from edge.door.gpio import Chip
from edge.door.holders import named
from edge.errors import DoorError

#: Quiet rounds of the listening thread in the time after which silence counts; each ends with a beat.
_ROUNDS = 4
#: Starting a process on a small board beside other work.
_START_S = 10.0
#: A release that is not over so long after its end, and in two rounds since, was not ended by the guard.
_LATE_S = 0.25
_REMEDY = "the door is locked; restart the service"

#: Guards that hold a line after their door was closed: a child that ends while this process lives is waited for.
_left: list[subprocess.Popen[bytes]] = []


class Asking:
    """A running guard.

    Args:
        line: descriptor of a requested, locked line; this object owns it from now on.
        chip, pin: where it is from, for messages and for `edge.door.holders`.
        ended: called on a thread of its own when a release has ended and the lock holds again; must not block.
        way_out: descriptor of the request to exit, owned from now on, and how long it releases, milliseconds.
        left: called, as ``ended``, when somebody has asked to be let out; the guard has released the lock.

    Raises:
        DoorError: the guard cannot be started.
    """

    def __init__(
        self,
        line: int,
        chip: Chip,
        pin: int,
        *,
        ended: Callable[[], None] | None = None,
        way_out: tuple[int, int] | None = None,
        left: Callable[[], None] | None = None,
    ) -> None:
        self.line, self._chip, self._pin, self._ended = line, chip, pin, ended
        self._way_out, self._left = way_out, left
        self._where = f"relay on GPIO {pin}"
        self._change = threading.Condition()
        self._answers: Counter[str] = Counter()
        self._length_s = 0.0
        self._due: float | None = None  # monotonic: when the running release must be over; None: locked
        self._released = self._leaving = False
        self._fault = ""
        try:
            self._process = self._start()
        except DoorError:
            self._let_go()
            raise
        self._thread = threading.Thread(target=self._listen, name="door", daemon=True)
        self._thread.start()
        with self._change:
            if not self._hear("ready", 0, _START_S):
                self._fail("the guard process does not start")
        if self._fault:
            self.leave()
            raise self._error()

    def release(self, milliseconds: int) -> None:
        """Release the lock for so long; while it is released, until so long from now.

        Raises:
            DoorError: the guard is gone, does not answer or cannot drive the line; the door is locked.
        """
        with self._change:
            self.check()
            before = self._answers["open"]
            self._length_s = milliseconds / 1000
            self._ask(f"open {milliseconds}")
            if not self._hear("open", before, guard.SILENCE_S):
                self._fail("the guard process does not answer")
                raise self._error()

    def check(self) -> None:
        """Raises DoorError when the guard has failed."""
        with self._change:
            if self._fault:
                raise self._error()

    def leave(self) -> None:
        """Lock, and leave the line to a guard that holds it. Never raises, and must be the last call."""
        with self._change:
            self._leaving = True
            self._ask("hold")
            if not self._hear("held", 0, guard.SILENCE_S):
                self._fail("the guard process does not lock")
            self._due = None
            if self._fault:
                self._fresh_holder()
            self._change.notify_all()
        if self._thread is not threading.current_thread():
            self._thread.join(timeout=1.0)
        for pipe in (self._process.stdin, self._process.stdout):
            assert pipe is not None
            pipe.close()
        self._let_go()
        _left[:] = [process for process in (*_left, self._process) if process.poll() is None]

    def _let_go(self) -> None:
        for line in (self.line, *(self._way_out or ())[:1]):
            os.close(line)

    def _start(self) -> subprocess.Popen[bytes]:
        """The guard's own file, isolated, without any package and with nothing of this process but the lines."""
        words = [str(self.line), named(self._chip, self._pin), str(os.getpid()), *map(str, self._way_out or ())]
        try:
            process = subprocess.Popen(
                [sys.executable, "-I", "-S", str(Path(guard.__file__)), *words],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                bufsize=0,
                cwd="/",
                env={},
                pass_fds=(self.line, *(self._way_out or ())[:1]),
                start_new_session=True,  # Ctrl-C or a hang-up meant for the service must not reach it
            )
        except OSError as error:
            text = f"the guard process cannot be started ({error.strerror})"
            raise DoorError(text, where=self._where, remedy=_REMEDY) from error
        assert process.stdin is not None
        os.set_blocking(process.stdin.fileno(), False)  # a stopped guard reads nothing
        return process

    def _fresh_holder(self) -> None:
        """The guard failed and was killed: another one that does nothing but hold. Without it the line is freed."""
        with contextlib.suppress(DoorError, OSError):
            holder = self._start()
            assert holder.stdin is not None
            assert holder.stdout is not None
            holder.stdin.write(b"hold\n")
            holder.stdin.close()
            holder.stdout.close()
            _left.append(holder)

    def _ask(self, command: str) -> None:
        """A guard that is gone is noticed by the thread, or by the answer that is missing."""
        assert self._process.stdin is not None
        with contextlib.suppress(OSError):
            self._process.stdin.write(f"{command}\n".encode())

    def _hear(self, answer: str, before: int, at_most_s: float) -> bool:
        """Whether an answer comes that was not there before."""
        return self._change.wait_for(lambda: self._answers[answer] > before or bool(self._fault), at_most_s) and (
            not self._fault
        )

    def _error(self) -> DoorError:
        return DoorError(self._fault, where=self._where, remedy=_REMEDY)

    def _fail(self, text: str) -> None:
        """Lock by this side's own hold, and end the guard. Both in this order and again: until it has ended it may
        energise, should it have been stopped with a command half read."""
        if self._fault:
            return
        self._lock(text)
        self._process.kill()
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(1.0)
        self._lock(text)
        self._due = None
        self._change.notify_all()

    def _lock(self, text: str) -> None:
        try:
            guard.drive(self.line, False)
            self._fault = text
        except OSError as error:
            self._fault = f"{text}, and the line cannot be locked ({error.strerror}): cut the relay's power"

    def _listen(self) -> None:
        """The thread. It counts rounds without an answer, not time: a machine that was paused as a whole goes on as
        if nothing had been."""
        assert self._process.stdout is not None
        answers, poll, rest, quiet, late, exits = self._process.stdout.fileno(), select.poll(), "", 0, 0, 0
        poll.register(answers, select.POLLIN)
        while not (self._fault or (self._leaving and self._answers["held"])):
            data = os.read(answers, 4096).decode() if poll.poll(guard.SILENCE_S / _ROUNDS * 1000) else None
            with self._change:
                if data:
                    *lines, rest = (rest + data).split("\n")
                    for line in lines:
                        self._heard(line)
                elif data is not None:
                    self._fail("the guard process has ended")
                elif self._answers["ready"]:
                    late = late + 1 if self._due is not None and time.monotonic() > self._due else 0
                quiet = 0 if data or not self._answers["ready"] else quiet + 1
                self._judge(quiet, late)
                ended = self._released and self._due is None
                self._released = self._released and not ended
                exits, told = self._answers["exit"], exits
            with contextlib.suppress(Exception):  # what is told must not end the one who listens
                if exits > told and self._left is not None:
                    self._left()
                if ended and self._ended is not None:
                    self._ended()

    def _heard(self, line: str) -> None:
        word, _, detail = line.partition(" ")
        self._answers[word] += 1
        if word in ("open", "exit"):
            length_s = self._length_s if word == "open" else (self._way_out or (0, 0))[1] / 1000
            self._due = max(self._due or 0.0, time.monotonic() + length_s + _LATE_S)
            self._released = True
        elif word in ("locked", "held"):
            self._due = None
        elif word == "fault":
            self._fail(f"the line cannot be driven ({detail})")
        self._change.notify_all()

    def _judge(self, quiet: int, late: int) -> None:
        if quiet >= _ROUNDS:
            self._fail("the guard process does not answer")
        elif late > 1:
            self._fail("the guard process did not end the release")
        elif quiet:
            self._ask("beat")
