"""The guard: a small process that ends each release by its own clock, and locks when whoever asks falls silent.

    python -I -S guard.py 7 "GPIO 17 of /dev/gpiochip0" 1234     # by `edge.door.asking`: descriptor, name, who asks

It inherits a GPIO line that is already requested and locked (`edge.door.gpio`), imports a few modules of the standard
library and nothing else, and reads commands on standard input, one a line:

    open N    energise; locks by itself after N milliseconds, a later `open` extends       answer: open, later locked
    beat      nothing; says that the asking process runs                                   answer: beat
    hold      lock, and hold the line until SIGTERM                                        answer: held

What ends a release early: `hold`, and `SILENCE_S` without any command (the process was stopped, or hangs). The end of
standard input means what `hold` means: however that process ended, the line stays locked and stays requested, since a
freed line does what the board does, and on many boards that energises an active-low relay. Whoever takes the line over
sends SIGTERM (`edge.door.holders`).
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


def drive(line: int, energised: bool) -> None:
    """Set the level of a line; what energises is part of how it was requested.

    Raises:
        OSError: the kernel cannot.
    """
    if stat.S_ISREG(os.fstat(line).st_mode):  # a line of `edge.door.fake`, whose file is its history
        os.write(line, b"%d %d\n" % (time.monotonic_ns(), energised))
    else:
        fcntl.ioctl(line, _SET_VALUES, struct.pack("=QQ", energised, 1))


class Guard:
    """The state of one line: locked, or released until a moment."""

    def __init__(self, line: int) -> None:
        self._line = line
        self._until: float | None = None  # monotonic; None: locked
        self._heard = time.monotonic()
        self._rest = b""

    def serve(self) -> bool:
        """Carry out commands until `hold` (True) or the end of standard input (False); the line is locked then."""
        poll = select.poll()
        poll.register(0, select.POLLIN)
        self._lock()
        self._say(b"ready")
        command: bytes | None = b""
        while command not in (b"hold", None):
            if poll.poll(self._wait_ms()):
                command = self._read()
            else:
                self._lock()
        while not self._lock():
            time.sleep(_AGAIN_S)
        # from here on SIGTERM means: somebody takes the line over, or the machine goes down
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        self._say(b"held")
        return command == b"hold"

    def _wait_ms(self) -> int | None:
        if self._until is None:
            return None
        left = min(self._until, self._heard + SILENCE_S) - time.monotonic()
        return max(0, int(left * 1000) + 1)  # a millisecond late rather than awake twice

    def _read(self) -> bytes | None:
        """Obey what has come; returns the last command, or None at the end of standard input."""
        data = os.read(0, 4096)
        self._heard = time.monotonic()
        *commands, self._rest = (self._rest + data).split(b"\n")
        for command in commands:
            self._obey(command)
        return (commands or [b""])[-1] if data else None

    def _obey(self, command: bytes) -> None:
        name, _, value = command.partition(b" ")
        if name == b"open":
            # the end first: from the moment it is energised it is known
            self._until = self._heard + min(int(value), LONGEST_MS) / 1000
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
        try:
            drive(self._line, False)
        except OSError as error:
            self._until = time.monotonic() + _AGAIN_S
            self._fail(error)
            return False
        self._until = None
        self._say(b"locked")
        return True

    def _fail(self, error: OSError) -> None:
        self._say(b"fault " + (error.strerror or "error").encode())

    def _say(self, word: bytes) -> None:
        with contextlib.suppress(OSError):  # it reads no more: its silence, or the end of standard input, locks
            os.write(1, word + b"\n")


def main(line: int, name: str, asking: int) -> None:
    """Guard a line until its process is gone, then hold it until SIGTERM."""
    # systemd, a terminal or `kill` may signal the whole group: the guard outlives the process that it watches
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    os.set_blocking(1, False)
    told = Guard(line).serve()
    if not told:
        text = f"edge: guard: process {asking}, which drove the door, has ended without closing it; {name} is locked\n"
        with contextlib.suppress(OSError):
            os.write(2, text.encode())
    # a holder keeps nobody's pipe or terminal open
    null = os.open(os.devnull, os.O_RDWR)
    for own in (0, 1, 2):
        os.dup2(null, own)
    while True:
        signal.pause()


if __name__ == "__main__":
    main(int(sys.argv[1]), sys.argv[2], int(sys.argv[3]))
