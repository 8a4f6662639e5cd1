"""What the kernel is asked, byte for byte, and what people are told when it refuses.

The layout is checked here against offsets that a C compiler gave for linux/gpio.h; `tests/pi` asks a real kernel.
"""

from __future__ import annotations

import errno
import fcntl
import os
import struct
from pathlib import Path

import pytest

from edge.door import gpio
from edge.door.gpio import Busy, KernelChip
from edge.errors import DoorError


class Kernel:
    """A GPIO chip's answers."""

    def __init__(self, label: str = "pinctrl-bcm2711", refuses: int = 0, user: str = "") -> None:
        self.label, self.refuses, self.user = label, refuses, user
        self.wish = b""

    def ioctl(self, chip: int, number: int, data: bytes) -> bytes:
        if number == 0x8044B401:
            return struct.pack("32s32sI", b"gpiochip0", self.label.encode(), 58)
        if number == 0xC100B405:
            assert struct.unpack_from("I", data, 64) == (17,)
            return data[:32] + struct.pack("32s", self.user.encode()) + data[64:]
        assert number == 0xC250B407
        assert len(data) == 592
        self.wish = data
        if self.refuses:
            raise OSError(self.refuses, os.strerror(self.refuses))
        return data[:588] + struct.pack("i", 42)


@pytest.fixture
def kernel(monkeypatch):
    def make(**options: object) -> Kernel:
        made = Kernel(**options)  # type: ignore[arg-type]
        monkeypatch.setattr(fcntl, "ioctl", made.ioctl)
        monkeypatch.setattr(gpio, "_open", lambda path: os.open(os.devnull, os.O_RDWR))
        monkeypatch.setattr(Path, "glob", lambda self, pattern: iter([Path("/dev/gpiochip0")]))
        return made

    return make


@pytest.mark.parametrize(("active_high", "flags"), [(True, 0x8 | 0x200), (False, 0x8 | 0x100 | 0x2)])
def test_a_line_is_asked_for_as_an_output_with_its_locked_level_and_a_pull_towards_it(kernel, active_high, flags):
    asked = kernel()
    assert KernelChip("").request(17, active_high=active_high) == 42
    assert struct.unpack_from("I", asked.wish, 0) == (17,)
    assert asked.wish[256:288].rstrip(b"\0") == f"edge door {os.getpid()}".encode()
    assert struct.unpack_from("Q", asked.wish, 288) == (flags,), "output, pull, active-low"
    assert struct.unpack_from("I", asked.wish, 296) == (1,), "one attribute"
    # GPIO_V2_LINE_ATTR_ID_OUTPUT_VALUES, values, mask
    assert struct.unpack_from("I4xQQ", asked.wish, 320) == (2, 0, 1)
    assert struct.unpack_from("I", asked.wish, 560) == (1,), "one line"


@pytest.mark.parametrize("label", ["pinctrl-bcm2835", "pinctrl-bcm2711", "pinctrl-rp1"])
def test_the_header_of_every_pi_is_found(kernel, label):
    kernel(label=label)
    assert KernelChip("").request(17, active_high=True) == 42


def test_another_board_is_told_to_name_its_chip(kernel):
    kernel(label="gpio-mockup-A")
    with pytest.raises(DoorError, match=r"gpiochip0 \(gpio-mockup-A\)") as refused:
        KernelChip("").request(17, active_high=True)
    assert "door.chip" in refused.value.remedy


@pytest.mark.parametrize(("user", "words"), [("spi0 CS0", "'spi0 CS0'"), ("", "a kernel driver")])
def test_a_line_in_use_says_by_whom(kernel, user, words):
    kernel(refuses=errno.EBUSY, user=user)
    with pytest.raises(Busy, match=words) as refused:
        KernelChip("").request(17, active_high=True)
    assert "another pin" in refused.value.remedy


@pytest.mark.parametrize(
    ("number", "words"),
    [(errno.EINVAL, "no such line"), (errno.ENOTTY, "no GPIO chip"), (errno.EIO, "Input/output error")],
)
def test_a_refusal_is_a_typed_error(kernel, number, words):
    kernel(refuses=number)
    with pytest.raises(DoorError, match=words):
        KernelChip("/dev/gpiochip0").request(17, active_high=True)


def test_what_is_no_gpio_chip_is_told_by_the_kernel_of_this_machine():
    with pytest.raises(DoorError, match="no GPIO chip"):
        KernelChip("/dev/null").request(17, active_high=True)


def test_a_chip_that_belongs_to_root_names_the_rule_that_changes_it(monkeypatch):
    def refused(path: str, flags: int) -> int:
        raise PermissionError(errno.EACCES, "Permission denied")

    monkeypatch.setattr(os, "open", refused)
    with pytest.raises(DoorError) as told:
        KernelChip("/dev/gpiochip0").request(17, active_high=True)
    assert "edge.udev" in told.value.remedy
    assert "group gpio" in told.value.remedy
