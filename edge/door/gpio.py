"""GPIO lines as the kernel itself offers them: a line is requested *with its level*, and held until that is closed.

    line = KernelChip("").request(17, active_high=False)     # locked from the first moment, and never anything else
    active(line)                                             # False, read back from the chip
    contact = KernelChip("").input(27, active_high=True)    # an input; its changes: `edge.door.guard.edges`

This is the character device of Linux 5.10 and later, through `fcntl.ioctl`: no library, nothing to install, no file in
the working directory, and a request is a plain descriptor, so that a process and its guard hold the same one. All
numbers and layouts are those of include/uapi/linux/gpio.h.
"""

from __future__ import annotations

import errno
import fcntl
import os
import stat
import struct
from pathlib import Path
from typing import Protocol

from edge.errors import DoorError

#: Chips whose lines are the 40-pin header of a Raspberry Pi: 0 to 3, 4, 5 (drivers/pinctrl of the kernel).
HEADERS = ("pinctrl-bcm2835", "pinctrl-bcm2711", "pinctrl-rp1")

_CHIP_INFO = 0x8044_B401  # _IOR(0xB4, 0x01, struct gpiochip_info): name[32], label[32], u32 lines
_LINE_INFO = 0xC100_B405  # _IOWR(0xB4, 0x05, struct gpio_v2_line_info): name[32], consumer[32], u32 offset ...: 256
_REQUEST = 0xC250_B407  # _IOWR(0xB4, 0x07, struct gpio_v2_line_request): 592 bytes
_GET_VALUES = 0xC010_B40E  # _IOWR(0xB4, 0x0E, struct gpio_v2_line_values): u64 bits, u64 mask
_ACTIVE_LOW, _INPUT, _OUTPUT, _PULL_UP, _PULL_DOWN = 1 << 1, 1 << 2, 1 << 3, 1 << 8, 1 << 9  # GPIO_V2_LINE_FLAG_...
_EDGES = 1 << 4 | 1 << 5  # ..._EDGE_RISING, ..._EDGE_FALLING
_VALUES, _DEBOUNCE = 2, 3  # GPIO_V2_LINE_ATTR_ID_OUTPUT_VALUES, ..._DEBOUNCE
#: What a contact bounces is over by then, microseconds; nobody presses a button for less.
DEBOUNCE_US = 20_000
#: Offsets and consumer; then flags, number of attributes, and the first of ten: id, values, mask; then lines, and fd.
_LAYOUT = struct.Struct("=64I32s QI20x II QQ 216x II20xi")
assert _LAYOUT.size == 592


class Busy(DoorError):
    """Another process or a driver holds the line."""


class Chip(Protocol):
    """Where lines come from."""

    #: What the setting door.chip says, and what people are told.
    path: str
    name: str

    def request(self, pin: int, *, active_high: bool) -> int:
        """Take a line as an output, locked. Returns its descriptor. Raises `DoorError`, `Busy`."""

    def input(self, pin: int, *, active_high: bool) -> int:
        """Take a line as an input. Returns its descriptor. Raises `DoorError`, `Busy`."""


class KernelChip:
    """A GPIO chip of this machine.

    Args:
        path: such as /dev/gpiochip0; empty: the chip of a Raspberry Pi's header, which it finds by its label.
    """

    def __init__(self, path: str) -> None:
        self.path, self.name = path, path or "the header of the Pi"

    def request(self, pin: int, *, active_high: bool) -> int:
        """Take a line as an output at the locked level; the returned descriptor holds it.

        The pull towards the locked level stays when the line is freed, where chip and kernel let it (on a Pi with
        dtparam=strict_gpiod), so that a freed line stays locked, too.

        Raises:
            Busy: somebody else holds the line.
            DoorError: no such chip or line, or no permission.
        """
        flags = _OUTPUT | (_PULL_DOWN if active_high else _PULL_UP | _ACTIVE_LOW)
        return self._taken(pin, flags, _VALUES, 0, "edge door")  # the output's value: 0, inactive, locked

    def input(self, pin: int, *, active_high: bool) -> int:
        """Take a line as an input with a pull-up, so that a switch to ground is all it needs; its changes are events.

        Args:
            active_high: whether it is active while the switch is open, and not while it is closed.

        Raises:
            as `request`.
        """
        flags = _INPUT | _EDGES | _PULL_UP | (0 if active_high else _ACTIVE_LOW)
        line = self._taken(pin, flags, _DEBOUNCE, DEBOUNCE_US, "edge input")
        os.set_blocking(line, False)
        return line

    def _taken(self, pin: int, flags: int, attribute: int, value: int, name: str) -> int:
        where = f"GPIO {pin} of {self.name}"
        chip = _open(self.path) if self.path else _header()
        try:
            wish = (pin, *[0] * 63, f"{name} {os.getpid()}".encode(), flags, 1, attribute, 0, value, 1, 1, 0, 0)
            return int(_LAYOUT.unpack(fcntl.ioctl(chip, _REQUEST, _LAYOUT.pack(*wish)))[-1])
        except OSError as error:
            raise _told(error, chip, pin, where) from error
        finally:
            os.close(chip)


def active(line: int) -> bool:
    """Whether a line is active, as the chip says: an output that energises, an input that is not at rest.

    Raises:
        OSError: the kernel cannot say.
    """
    about = os.fstat(line)
    if stat.S_ISREG(about.st_mode):  # of `edge.door.fake`: the last byte of its history
        return os.pread(line, 2, about.st_size - 2) == b"1\n"
    answer = fcntl.ioctl(line, _GET_VALUES, struct.pack("=QQ", 0, 1))
    return bool(struct.unpack("=QQ", answer)[0] & 1)


def _open(path: str) -> int:
    try:
        return os.open(path, os.O_RDWR | os.O_CLOEXEC)
    except FileNotFoundError as error:
        remedy = "`ls /dev/gpiochip*` shows what is here; set door.chip"
        raise DoorError("there is no such GPIO chip", where=path, remedy=remedy) from error
    except OSError as error:
        remedy = (
            "install deploy/edge.udev as /etc/udev/rules.d/60-edge.rules, which gives GPIO chips to the group gpio, "
            "reboot, and be a member of that group"
        )
        raise DoorError(f"the GPIO chip cannot be opened ({error.strerror})", where=path, remedy=remedy) from error


def _header() -> int:
    """The chip of the header. Its number differs: it was 4 on the first kernels for a Pi 5, and is 0 elsewhere."""
    seen, refused = [], None
    for path in sorted(Path("/dev").glob("gpiochip*")):
        try:
            chip = _open(str(path))
        except DoorError as error:
            refused = error  # a chip that we may not open may be somebody else's, as long as another one is the header
            continue
        label = _label(chip)
        if label in HEADERS:
            return chip
        os.close(chip)
        seen.append(f"{path} ({label})")
    if refused is not None:
        raise refused
    raise DoorError(
        f"this machine has no Raspberry Pi header; GPIO chips: {', '.join(seen) or 'none'}",
        where="door.chip",
        remedy="on another board set door.chip to the chip's device, such as /dev/gpiochip0, and door.pin to its line",
    )


def _label(chip: int) -> str:
    try:
        return _text(fcntl.ioctl(chip, _CHIP_INFO, bytes(68))[32:64])
    except OSError:  # it is no GPIO chip
        return "no GPIO chip"


def _lines(chip: int) -> int:
    return int.from_bytes(fcntl.ioctl(chip, _CHIP_INFO, bytes(68))[64:68], "little")


def _text(field: bytes) -> str:
    return field.split(b"\0")[0].decode(errors="replace")


def _told(error: OSError, chip: int, pin: int, where: str) -> DoorError:
    """The error in words, with what really helps."""
    if error.errno == errno.EBUSY:
        info = struct.pack("=64xI188x", pin)
        user = _text(fcntl.ioctl(chip, _LINE_INFO, info)[32:64])
        remedy = "end that program, or use another pin; a kernel driver's pin is freed in config.txt (dtparam=spi=off)"
        return Busy(f"the line is in use by {repr(user) if user else 'a kernel driver'}", where=where, remedy=remedy)
    if error.errno == errno.EINVAL:
        text, remedy = (
            "the chip has no such line, or not of this kind",
            f"set its pin to one of the chip's: 0 to {_lines(chip) - 1}",
        )
    elif error.errno == errno.ENOTTY:
        text, remedy = "it is no GPIO chip, or the kernel is older than Linux 5.10", "set door.chip"
    else:
        text, remedy = f"the line cannot be had ({error.strerror})", "look into `dmesg`"
    return DoorError(text, where=where, remedy=remedy)
