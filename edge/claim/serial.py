"""A scanner on a serial line (USB or UART): lines of text, read without ever waiting.

    reader = SerialReader(Path("/dev/serial/by-id/usb-Scanner-if00"), 9600)
    text = reader.poll(None)

The line is taken for this process alone and set to 8 data bits, no parity, no flow control. What comes over it is
treated as `edge.claim.stdin` treats lines: bounded, and joined where a scanner wraps.
"""

from __future__ import annotations

import fcntl
import os
import termios
import tty
from pathlib import Path

from edge.claim.plugged import Plugged
from edge.errors import ReaderError

#: Rates that scanners have; 9600 is the usual one.
RATES = {
    1200: termios.B1200,
    2400: termios.B2400,
    4800: termios.B4800,
    9600: termios.B9600,
    19200: termios.B19200,
    38400: termios.B38400,
    57600: termios.B57600,
    115200: termios.B115200,
}


class SerialReader(Plugged):
    """Reads one serial line.

    Args:
        path: of its device, a stable name. rate: bits per second, one of `RATES`.

    Raises:
        ReaderError: it is not there, not ours, or no serial line.
    """

    name = "serial"

    def __init__(self, path: Path, rate: int) -> None:
        where = str(path)
        try:
            descriptor = os.open(path, os.O_RDONLY | os.O_NOCTTY | os.O_NONBLOCK | os.O_CLOEXEC)
        except OSError as error:
            raise ReaderError.of(error, where, "dialout") from None
        try:
            _set(descriptor, RATES[rate])
        except (OSError, termios.error):
            os.close(descriptor)
            raise ReaderError(
                "this is no serial line, or another program has it",
                where=where,
                remedy="name the scanner's own device: ls -l /dev/serial/by-id",
            ) from None
        super().__init__(os.fdopen(descriptor, "rb", buffering=0), where)


def _set(descriptor: int, speed: int) -> None:
    fcntl.ioctl(descriptor, termios.TIOCEXCL)
    tty.setraw(descriptor, termios.TCSANOW)
    settings = termios.tcgetattr(descriptor)
    settings[2] |= termios.CLOCAL | termios.CREAD
    settings[4] = settings[5] = speed
    termios.tcsetattr(descriptor, termios.TCSANOW, settings)
    termios.tcflush(descriptor, termios.TCIFLUSH)
