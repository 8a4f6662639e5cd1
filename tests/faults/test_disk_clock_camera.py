"""A disk that fills at every byte or is read only, a camera in every trouble, a clock that jumps. `pytest -m slow`.

Each drill prints a table. The disk's need root (a tmpfs of a few hundred kilobytes is the disk).
"""

from __future__ import annotations

import os
import subprocess
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from edge.errors import SourceTimeout
from edge.face.rule import WARM_FRAMES
from edge.fictional import FictionalSource, OnePerson
from edge.state import ClockGuard
from edge.types import Frame, Outcome
from tests.faults.world import World, figures, refused

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1800)]

DAY_S = 86_400
#: Free bytes in the steps of the drill: a page of SQLite, and less.
STEPS = [*range(0, 20_000, 2_000), *range(20_000, 100_000, 10_000), *range(100_000, 700_000, 60_000)]


class Disk:
    """A small file system of its own."""

    def __init__(self, folder: Path) -> None:
        self.folder, self._filler = folder, folder / "filler"

    def leave(self, count: int) -> None:
        """Fill it but for so many bytes."""
        free = os.statvfs(self.folder)
        with self._filler.open("ab") as file:
            file.write(bytes(max(0, free.f_bavail * free.f_frsize - count)))

    def empty(self) -> None:
        self._filler.unlink(missing_ok=True)

    def remount(self, how: str) -> None:
        subprocess.run(["mount", "-o", f"remount,{how}", str(self.folder)], check=True)


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Disk]:
    folder = tmp_path / "disk"
    folder.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(folder)]
    if os.geteuid() != 0 or subprocess.run(command, capture_output=True).returncode != 0:
        pytest.skip("needs root and the right to mount")
    yield Disk(folder)
    subprocess.run(["umount", str(folder)], check=True)


def test_a_disk_that_is_full_at_any_byte_loses_nothing_and_says_so(disk: Disk):
    world, table = World(disk.folder / "state"), Counter[str]()
    with world.device() as device:
        first = world.enrol(device, "ada")
    for count in STEPS:
        disk.leave(count)
        enrolled: list[str] = []

        def acts(enrolled: list[str] = enrolled) -> None:
            with world.device() as device:
                world.verify(device, world.cards[first])
                enrolled.append(world.enrol(device, "ada"))
                world.erase(device, enrolled[0])

        error = refused(acts)
        disk.empty()
        if error is not None:
            assert "damaged" not in str(error), error
            assert "disk" in str(error) or "room" in str(error), error
        table[f"{type(error).__name__}: {error.what}" if error else "everything done"] += 1
        ending = world.inspect(enrolled[0] if enrolled and enrolled[0] in world.cards else "")
        if ending and not ending.startswith("counts"):
            world.gone[enrolled[0]] = world.cards.pop(enrolled[0])
    figures("full disk", fillings=len(STEPS), acknowledged=sum(world.acknowledged.values()), lost=0, told=dict(table))
    assert table["everything done"], "the last steps leave room enough"
    assert len(table) > 1, "the first ones do not"


def test_a_read_only_disk_can_be_read_and_decides_nothing(disk: Disk):
    world = World(disk.folder / "state")
    with world.device() as device:
        serial = world.enrol(device, "ada")
        world.verify(device, world.cards[serial])
    disk.remount("ro")
    try:
        error = refused(lambda: world.device().close())
        assert error is not None
        assert "damaged" not in str(error)
        assert "remount,rw" in error.remedy
        figures("read-only disk", told=str(error).replace(str(disk.folder), "DISK"))
        assert {"enrolled", "decision"} <= set(world.readable())
    finally:
        disk.remount("rw")
    assert world.inspect() == ""


class Trouble(FictionalSource):
    """A camera that sees the enrolled person until it gets into trouble."""

    def __init__(self, trouble: str) -> None:
        super().__init__((OnePerson("ada", 600.0, walk_up=False),))
        self.trouble, self.count = trouble, 0
        self.last: np.ndarray | None = None

    def read(self, timeout_s: float) -> Frame:
        frame = super().read(timeout_s)
        self.count += 1
        match self.trouble:
            case "unplugged" if self.count > WARM_FRAMES:
                raise OSError(19, "No such device")
            case "hung":
                raise SourceTimeout("the camera is silent", where="drill", remedy="look at its cable")
            case "frozen":
                self.last = self.last if self.last is not None else frame.image
                return replace(frame, image=self.last)
            case "black":
                return replace(frame, image=np.zeros_like(frame.image))
            case "white":
                return replace(frame, image=np.full_like(frame.image, 255))
            case "slow":  # a frame in two seconds
                return replace(frame, monotonic_ns=frame.monotonic_ns * 30)
            case "half a picture":
                return replace(frame, image=frame.image[: frame.height // 2].copy())
        return frame


@pytest.mark.parametrize("trouble", ["unplugged", "hung", "frozen", "black", "white", "slow", "half a picture"])
def test_a_camera_in_trouble_lets_nobody_in_and_the_next_claim_is_decided(tmp_path: Path, trouble: str):
    world, troubled = World(tmp_path / "state"), [""]
    world.source = lambda: Trouble(troubled[0])
    with world.device() as device:
        token = world.cards[world.enrol(device, "ada")]
        troubled[0] = trouble
        began = time.monotonic()
        decision = world.verify(device, token)
        ending, took_s = f"{decision.outcome.value} ({decision.reason.value})", time.monotonic() - began
        figures("camera", trouble=trouble, ending=ending, seconds=round(took_s, 1))
        assert decision.outcome is Outcome.NO_DECISION or trouble == "slow", "two looks of a living person may suffice"
        troubled[0] = ""
        for _ in range(4):  # a card that had no decision may have to wait
            decision = world.verify(device, token)
            if decision.outcome is Outcome.ACCEPT:
                break
            time.sleep(decision.wait_s)
        assert decision.outcome is Outcome.ACCEPT
    assert world.inspect() == ""


def test_no_clock_deletes_a_record_or_loses_a_door(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setitem(ClockGuard.__init__.__kwdefaults__, "synchronised", lambda: False)
    now = [float(int(time.time()))]
    start, table = now[0], list[tuple[str, bool]]()
    world = World(tmp_path / "state", clock=lambda: now[0])
    with world.device() as device:
        serial = world.enrol(device, "ada")

    def at(what: str, when: float) -> bool:
        """Whether the card counts at a device that starts with such a clock, and has kept house."""
        now[0] = when
        with world.device(confirm=False) as device:
            assert device._housekeeping.keep() == [], "an unsynchronised clock deletes nothing"
            table.append((what, world.opens(device, world.cards[serial])))
        return table[-1][1]

    assert at("a day back", start - DAY_S)
    assert at("1970", 0.0)
    for step in range(1, 31):  # a day less a second each: no budget may let these through for ever
        at(f"forward a day, {step} times", start + step * (DAY_S - 1))
    assert not at("2036", start + 10 * 365 * DAY_S), "what is used for expiry is never before the system clock"
    now[0] = start + 60
    assert world.inspect() == "", "an operator confirms the time: everything is as it was"
    shown = [row for number, row in enumerate(table) if number < 4 or number > len(table) - 3]
    figures("clock", deleted=0, card={what: "counts" if counts else "does not count" for what, counts in shown})
