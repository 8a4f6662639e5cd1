"""A scanner that types (USB keyboard wedge), through the kernel's event interface, and kept from everything else.

    reader = KeyboardReader(Path("/dev/input/by-id/usb-Scanner-event-kbd"))
    text = reader.poll(None)

The device is grabbed (EVIOCGRAB), so that what a card says is typed into no terminal and no browser. Keys are taken as
those of a US keyboard, which is what scanners are set to when they leave the factory. Events are those of the kernel's
``input.h``: seconds, microseconds, type, code, value.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import select
import struct
import threading
from pathlib import Path

from edge.claim.plugged import Plugged
from edge.errors import ReaderError

EVENT = struct.Struct("llHHi")
#: Types and codes of input-event-codes.h.
EV_SYN, EV_KEY, SYN_DROPPED, ENTER, KEYPAD_ENTER = 0, 1, 3, 28, 96
_SHIFTS = frozenset({42, 54})
#: Bytes that wait to be polled: a loop takes a quarter of them with each frame. What does not fit is dropped.
_WAITING = 4096
#: _IOW('E', 0x90, int)
_EVIOCGRAB = 0x40044590
#: Rows of a US keyboard: the code of the first key, then what each types without and with shift.
_ROWS = (
    (2, "1234567890-=", "!@#$%^&*()_+"),
    (16, "qwertyuiop[]", "QWERTYUIOP{}"),
    (30, "asdfghjkl;'`", 'ASDFGHJKL:"~'),
    (44, "zxcvbnm,./", "ZXCVBNM<>?"),
    (55, "*", "*"),  # of the keypad
    (57, " ", " "),
    *((first, digits, digits) for first, digits in ((71, "789"), (75, "456"), (79, "1230"))),  # of the keypad, too
)
KEYS = {first + k: both for first, *rows in _ROWS for k, both in enumerate(zip(*rows, strict=True))}


class KeyboardReader(Plugged):
    """Reads one typing scanner, from a thread of its own: the kernel keeps only some hundred keys.

    Args:
        path: of its event device, a stable name.

    Raises:
        ReaderError: it is not there, not ours, no keyboard, or another program has grabbed it.
    """

    name = "keyboard"

    def __init__(self, path: Path) -> None:
        where = str(path)
        try:
            descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        except OSError as error:
            raise ReaderError.of(error, where, "input") from None
        try:
            fcntl.ioctl(descriptor, _EVIOCGRAB, 1)
        except OSError:
            os.close(descriptor)
            raise ReaderError(
                "this is no keyboard, or another program has grabbed it",
                where=where,
                remedy="name the scanner's own device: ls -l /dev/input/by-id",
            ) from None
        self._start(descriptor, where)

    @classmethod
    def following(cls, descriptor: int, where: str = "recorded") -> KeyboardReader:
        """A reader of events that were recorded, from any descriptor (tests; nothing is grabbed)."""
        reader = cls.__new__(cls)
        reader._start(descriptor, where)
        return reader

    def _start(self, descriptor: int, where: str) -> None:
        ours, typed = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
        fcntl.fcntl(typed, fcntl.F_SETPIPE_SZ, _WAITING)  # a flood that is over stands in nobody's way
        super().__init__(os.fdopen(ours, "rb", buffering=0), where)
        self._stop = threading.Event()
        follow = threading.Thread(target=_follow, args=(descriptor, typed, self._stop), name="keyboard", daemon=True)
        follow.start()

    def close(self) -> None:
        """Let the device go. Harmless when repeated."""
        self._stop.set()
        super().close()


class Typed:
    """From key events to bytes. A press counts, a repeat or release does not; a line with lost events is dropped."""

    def __init__(self) -> None:
        self._shifts: set[int] = set()
        self._lost = False

    def feed(self, kind: int, code: int, value: int) -> bytes:
        """What one event types; empty for most of them."""
        if kind == EV_SYN and code == SYN_DROPPED:
            self._lost, self._shifts = True, set()
        if kind != EV_KEY:
            return b""
        if code in _SHIFTS:
            (self._shifts.add if value else self._shifts.discard)(code)
        elif value == 1 and code in (ENTER, KEYPAD_ENTER):
            lost, self._lost = self._lost, False
            return b"?\n" if lost else b"\n"  # what was typed so far is no token any more
        elif value == 1 and not self._lost and code in KEYS:
            sign: str = KEYS[code][bool(self._shifts)]
            return sign.encode("ascii")
        return b""


def _follow(descriptor: int, typed: int, stop: threading.Event) -> None:
    """Decode until the device is gone or nobody wants it any more; what nobody takes is dropped."""
    keys, rest = Typed(), b""
    try:
        while not stop.is_set():
            if not select.select([descriptor], [], [], 0.2)[0]:
                continue
            data = rest + os.read(descriptor, EVENT.size * 64)
            if len(data) == len(rest):
                return
            whole = len(data) - len(data) % EVENT.size
            rest = data[whole:]
            said = b"".join(keys.feed(*event[2:]) for event in EVENT.iter_unpack(data[:whole]))
            with contextlib.suppress(BlockingIOError):
                os.write(typed, said)
    except OSError:  # ENODEV: unplugged; EPIPE: closed here
        return
    finally:
        os.close(typed)
        os.close(descriptor)
