"""A GPIO chip that exists only as a folder, and otherwise behaves like the kernel's: for tests and development.

    door: {driver: relay, chip: /tmp/chip}        # after: FakeChip.make(Path("/tmp/chip"))

A line is a file. Who has requested it holds a lock on the file, which the real kernel lets go when the last descriptor
closes, however the process ended; a freed line is at the level that ``freed`` says (0, 1, or `keep`: the last one, as
the Pi's kernel does by default). The file is the line's history: nanoseconds of the monotonic clock and whether it was
energised, one change a line, so that a test sees what stood there for a microsecond only. An input's file is written
by whoever plays the switch (`put`).
"""

from __future__ import annotations

import fcntl
import os
import time
from pathlib import Path
from typing import Literal

from edge.door.gpio import Busy, Chip, KernelChip
from edge.errors import DoorError


class FakeChip:
    """The chip in a folder.

    >>> chip = FakeChip.make(folder, freed=0)
    >>> line = chip.request(17, active_high=False)
    >>> chip.level(17), chip.energised(17, active_high=False)
    (1, False)
    """

    def __init__(self, folder: Path) -> None:
        self.path = self.name = str(folder)
        self._folder = folder

    @classmethod
    def make(cls, folder: Path, *, freed: Literal[0, 1, "keep"] = "keep") -> FakeChip:
        """A new chip. ``freed``: the level to which a line falls or rises when nobody holds it."""
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "freed").write_text(f"{freed}\n")
        return cls(folder)

    @staticmethod
    def is_there(path: str) -> bool:
        """Whether a setting names such a chip, and not a device."""
        return bool(path) and Path(path, "freed").is_file()

    def request(self, pin: int, *, active_high: bool) -> int:
        """As `edge.door.gpio.KernelChip.request`.

        Raises:
            Busy: another process holds the line.
            DoorError: the folder cannot be written.
        """
        try:
            line = os.open(self._folder / f"{pin}", os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise DoorError(f"no line can be had ({error.strerror})", where=self.name, remedy="make it new") from error
        try:
            fcntl.flock(line, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            os.close(line)
            raise Busy("the line is in use", where=f"GPIO {pin} of {self.name}", remedy="end that program") from error
        # who comes later reads from the file how 0 and 1 of its history stand for levels
        (self._folder / f"{pin}.polarity").write_text(f"{int(active_high)}\n")
        os.write(line, b"%d 0\n" % time.monotonic_ns())
        return line

    def input(self, pin: int, *, active_high: bool) -> int:
        """As `edge.door.gpio.KernelChip.input`; a new one is at rest.

        Raises:
            Busy: another process holds the line. DoorError: the folder cannot be written.
        """
        file = self._folder / f"{pin}"
        if not file.exists():
            self.put(pin, False)
        line = os.open(file, os.O_RDONLY | os.O_CLOEXEC)
        try:
            fcntl.flock(line, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            os.close(line)
            raise Busy("the line is in use", where=f"GPIO {pin} of {self.name}", remedy="end that program") from error
        os.lseek(line, 0, os.SEEK_END)
        return line

    def put(self, pin: int, active: bool) -> None:
        """The switch of an input: active (a door that opens, a button that is pressed), or at rest."""
        try:
            line = os.open(self._folder / f"{pin}", os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise DoorError(f"no line can be had ({error.strerror})", where=self.name, remedy="make it new") from error
        os.write(line, b"%d %d\n" % (time.monotonic_ns(), active))
        os.close(line)

    def level(self, pin: int) -> int:
        """The level that a voltmeter would show now."""
        freed = (self._folder / "freed").read_text().strip()
        if freed != "keep" and not self.held(pin):
            return int(freed)
        active_high = (self._folder / f"{pin}.polarity").read_text().strip() == "1"
        return int(self.history(pin)[-1][1] is active_high)

    def held(self, pin: int) -> bool:
        """Whether some process has requested the line."""
        # asked of the kernel's table, since trying the lock would itself be a short hold
        inode = (self._folder / f"{pin}").stat().st_ino
        return f":{inode} " in Path("/proc/locks").read_text()

    def energised(self, pin: int, *, active_high: bool) -> bool:
        """Whether the relay on the line draws current now."""
        return bool(self.level(pin)) is active_high

    def history(self, pin: int) -> list[tuple[int, bool]]:
        """Every level that was ever set: (nanoseconds, energised)."""
        rows = (self._folder / f"{pin}").read_text().splitlines()
        return [(int(ns), value == "1") for ns, value in map(str.split, rows)]


def chip_at(path: str) -> Chip:
    """The GPIO chip that a setting names: a fake one in a folder, or this machine's."""
    return FakeChip(Path(path)) if FakeChip.is_there(path) else KernelChip(path)
