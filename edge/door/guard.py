"""The guard: a small process that ends each release by its own clock, and locks when whoever asks falls silent.

    python -I -S guard.py 7 "GPIO 17 of /dev/gpiochip0" 1234     # by `edge.door.asking`: descriptor, name, who asks
    python -I -S guard.py 7 "GPIO 17 of /dev/gpiochip0" 1234 8 3000       # and a request to exit: descriptor, ms

It inherits a GPIO line that is already requested and locked (`edge.door.gpio`), imports a few modules of the standard
library and nothing else, and reads commands on standard input, one a line:

    open N    energise; locks by itself after N milliseconds, a later `open` extends       answer: open, later locked
    beat      nothing; says that the asking process runs                                   answer: beat
    hold      lock, and hold the line until SIGTERM                                        answer: held

What ends a release early: `hold`, and `SILENCE_S` without any command (the process was stopped, or hangs). The end of
standard input means what `hold` means: however that process ended, the line stays locked and stays requested, since a
freed line does what the board does, and on many boards that energises an active-low relay. Whoever takes the line over
sends SIGTERM (`edge.door.holders`).

A request to exit is answered here and by nobody else: each press of the button releases the lock for its milliseconds,
whether the asking process runs, hangs, was killed, or serves nothing because it failed its self-test. It is told
afterwards (answer: exit). Neither silence nor its own `hold` keeps anybody in.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import select
import signal
import stat
import struct
import sys
import time

#: An asking process that was silent for so long while the lock is released is stopped or hangs.
SILENCE_S = 1.0
#: No release is longer, whatever is asked: the upper end of the setting door.pulse_s.
LONGEST_MS = 30_000
#: A line that cannot be locked is tried again after so long.
_AGAIN_S = 0.05
#: _IOWR(0xB4, 0x0F, struct gpio_v2_line_values {__u64 bits, mask}), include/uapi/linux/gpio.h, since Linux 5.10.
_SET_VALUES = 0xC010_B40F
#: struct gpio_v2_line_event: nanoseconds, id (1: it became active), line and numbers, padding.
_EVENT = struct.Struct("=QI36x")
_RISING = 1
#: An input of `edge.door.fake` is a file, which no poll can wait for; it is looked at so often, milliseconds.
_LOOK_MS = 10


def drive(line: int, energised: bool) -> None:
    """Set the level of a line; what energises is part of how it was requested.

    Raises:
        OSError: the kernel cannot.
    """
    if is_file(line):  # whose content is its history
        os.write(line, b"%d %d\n" % (time.monotonic_ns(), energised))
    else:
        fcntl.ioctl(line, _SET_VALUES, struct.pack("=QQ", energised, 1))


def edges(line: int) -> list[bool]:
    """What an input has done since it was asked last, in order: True where it became active. Never waits.

    Raises:
        OSError: the kernel cannot say.
    """
    if is_file(line):
        return [row.endswith(b" 1") for row in os.read(line, 65536).splitlines()]
    try:
        data = os.read(line, _EVENT.size * 64)
    except BlockingIOError:
        return []
    return [number == _RISING for _, number in _EVENT.iter_unpack(data)]


def is_file(line: int) -> bool:
    """Whether a line is one of `edge.door.fake`."""
    return stat.S_ISREG(os.fstat(line).st_mode)


class Guard:
    """The state of one line: locked, or released until a moment.

    Args:
        line: descriptor. exit_line: of the request to exit; None: there is none. exit_ms: how long it releases.
    """

    def __init__(self, line: int, exit_line: int | None = None, exit_ms: int = 0) -> None:
        self._line, self._exit, self._exit_s = line, exit_line, min(exit_ms, LONGEST_MS) / 1000
        # monotonic; both None: locked. What was asked for ends with silence, too; an exit does not
        self._asked: float | None = None
        self._out: float | None = None
        self._heard = time.monotonic()
        self._rest = b""
        self._poll = select.poll()
        if exit_line is not None and not is_file(exit_line):
            self._poll.register(exit_line, select.POLLIN)

    def serve(self) -> bool:
        """Carry out commands until `hold` (True) or the end of standard input (False).

        The line is locked then, or released by a request to exit.
        """
        self._poll.register(0, select.POLLIN)
        self._lock()
        self._say(b"ready")
        command: bytes | None = b""
        while command not in (b"hold", None):
            command = self._turn()
        self._asked = None
        if self._out is None:  # else somebody is on the way out, and `hold` locks behind them
            while not self._lock():
                time.sleep(_AGAIN_S)
        self._poll.unregister(0)
        # from here on SIGTERM means: somebody takes the line over, or the machine goes down
        signal.signal(signal.SIGTERM, self._go)
        self._say(b"held")
        return command == b"hold"

    def hold(self) -> None:
        """Hold the line, and answer requests to exit, until SIGTERM."""
        while True:
            self._turn()

    def _turn(self) -> bytes | None:
        """Wait for what comes next and do it; returns what `_read` does."""
        ready = {descriptor for descriptor, _ in self._poll.poll(self._wait_ms())}
        command = self._read() if 0 in ready else b""
        if self._exit is not None and (self._exit in ready or is_file(self._exit)):
            self._look(self._exit)
        end = self._end()
        if end is not None and time.monotonic() >= end:
            self._lock()
        return command

    def _end(self) -> float | None:
        """When it must lock; None: it is locked."""
        asked = None if self._asked is None else min(self._asked, self._heard + SILENCE_S)
        return max((end for end in (asked, self._out) if end is not None), default=None)

    def _wait_ms(self) -> int | None:
        end = self._end()
        # a millisecond late rather than awake twice
        waits = [] if end is None else [max(0, int((end - time.monotonic()) * 1000) + 1)]
        if self._exit is not None and is_file(self._exit):
            waits.append(_LOOK_MS)
        return min(waits, default=None)

    def _look(self, line: int) -> None:
        try:
            if not any(edges(line)):
                return
            self._out = time.monotonic() + self._exit_s
            drive(self._line, True)
        except OSError as error:
            self._exit = None  # else it would be looked at without a pause
            if not is_file(line):
                self._poll.unregister(line)
            self._lock()
            self._fail(error)
        else:
            self._say(b"exit")

    def _read(self) -> bytes | None:
        """Obey what has come, in order; returns `hold`, which ends it, or None at the end of standard input."""
        data = os.read(0, 4096)
        self._heard = time.monotonic()
        *commands, self._rest = (self._rest + data).split(b"\n")
        for command in commands:
            if command == b"hold":  # whatever was written after it: the line is locked, and nothing more is obeyed
                return command
            self._obey(command)
        return b"" if data else None

    def _obey(self, command: bytes) -> None:
        name, _, value = command.partition(b" ")
        if name == b"open":
            # the end first: from the moment it is energised it is known
            self._asked = self._heard + min(int(value), LONGEST_MS) / 1000
            try:
                drive(self._line, True)
            except OSError as error:
                self._lock()
                self._fail(error)
            else:
                self._say(b"open")
        elif name == b"beat":
            self._say(b"beat")

    def _lock(self) -> bool:
        self._asked = self._out = None
        try:
            drive(self._line, False)
        except OSError as error:
            self._out = time.monotonic() + _AGAIN_S
            self._fail(error)
            return False
        self._say(b"locked")
        return True

    def _go(self, *_: object) -> None:
        with contextlib.suppress(OSError):
            drive(self._line, False)
        os._exit(0)

    def _fail(self, error: OSError) -> None:
        self._say(b"fault " + (error.strerror or "error").encode())

    def _say(self, word: bytes) -> None:
        with contextlib.suppress(OSError):  # it reads no more: its silence, or the end of standard input, locks
            os.write(1, word + b"\n")


def main(line: int, name: str, asking: int, exit_line: int | None = None, exit_ms: int = 0) -> None:
    """Guard a line until its process is gone, then hold it until SIGTERM."""
    # systemd, a terminal or `kill` may signal the whole group: the guard outlives the process that it watches
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    os.set_blocking(1, False)
    guard = Guard(line, exit_line, exit_ms)
    told = guard.serve()
    if not told:
        text = f"edge: guard: process {asking}, which drove the door, has ended without closing it; {name} is locked\n"
        with contextlib.suppress(OSError):
            os.write(2, text.encode())
    # a holder keeps nobody's pipe or terminal open
    null = os.open(os.devnull, os.O_RDWR)
    for own in (0, 1, 2):
        os.dup2(null, own)
    guard.hold()


if __name__ == "__main__":
    main(int(sys.argv[1]), sys.argv[2], int(sys.argv[3]), *map(int, sys.argv[4:6]))
