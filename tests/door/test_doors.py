"""Which door a build may drive, and the log door."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time

import pytest

from edge.door import LogDoor, RelayDoor, open_door
from edge.door.fake import FakeChip
from edge.errors import DoorError
from edge.settings.model import DoorSettings
from edge.types import Door
from tests.door.bench import ACCEPT, NO_DECISION, PIN, REJECT, ROOT, until


def test_the_log_door_writes_what_a_real_one_would_do():
    lines: list[str] = []
    door = open_door(DoorSettings(), write=lines.append)
    assert isinstance(door, LogDoor)
    door.open()
    for decision in (ACCEPT, REJECT, NO_DECISION):
        door.act(decision)
    door.close()
    door.close()
    assert [line.split(" (")[0] for line in lines] == [
        "door: locked",
        "door: released",
        "door: stays locked",
        "door: stays locked",
        "door: locked",
    ]


def test_the_log_door_writes_to_standard_output_by_itself(capfd):
    door = open_door(DoorSettings())
    door.open()
    door.close()
    assert "locked" in capfd.readouterr().out


def test_the_log_door_tells_when_its_release_is_over_and_a_second_accept_extends_it():
    lines: list[str] = []
    locked = threading.Event()
    door = open_door(DoorSettings(pulse_s=0.4), write=lines.append, locked=locked.set)
    door.open()
    door.act(ACCEPT)
    time.sleep(0.25)
    door.act(ACCEPT)
    assert not locked.wait(0.25)
    assert locked.wait(5)
    until(lambda: lines[-1] == "door: locked", 5, "not written")
    door.close()


def test_the_log_door_never_waits_for_a_reader_that_has_stopped():
    go, lines = threading.Event(), []

    def stalled(line: str) -> None:
        go.wait()
        lines.append(line)

    locked = threading.Event()
    door = LogDoor(stalled, pulse_s=0.1, locked=locked.set)
    started = time.monotonic()
    door.open()
    for _ in range(1000):
        door.act(REJECT)
    door.act(ACCEPT)
    assert locked.wait(5), "the release ends whether or not somebody reads"
    door.close()
    assert time.monotonic() - started < 5
    go.set()
    until(lambda: any("are left out, since nobody read them" in line for line in lines), 5, "gaps are not told")


def test_a_program_with_a_log_door_ends_though_nobody_reads_its_lines():
    program = (
        "from edge.door.log import LogDoor, to; from tests.door.bench import REJECT; import time\n"
        "door = LogDoor(to(2)); door.open()\n"
        "for _ in range(3000): door.act(REJECT); time.sleep(0.0005)\n"
        "door.close()"
    )
    process = subprocess.Popen([sys.executable, "-c", program], cwd=ROOT, stderr=subprocess.PIPE)
    try:
        assert process.wait(60) == 0
    finally:
        process.kill()
        process.communicate()


def test_the_log_door_survives_a_closed_stream():
    tried: list[str] = []

    def closed(line: str) -> None:
        tried.append(line)
        raise BrokenPipeError

    with_it = LogDoor(closed)
    with_it.open()
    with_it.act(ACCEPT)
    with_it.close()
    assert tried


def test_doors_are_what_the_protocol_says(bench):
    doors: list[Door] = [LogDoor(print), RelayDoor(bench.chip, pin=PIN)]
    for door in doors:
        with pytest.raises(DoorError):
            door.act(ACCEPT)
        door.close()


def test_a_build_without_the_right_to_drives_no_relay():
    with pytest.raises(DoorError, match="only the log door") as refused:
        open_door(DoorSettings(driver="relay"))
    assert "signed" in refused.value.remedy


def test_a_fake_chip_is_allowed_everywhere(bench):
    door = open_door(DoorSettings(driver="relay", pulse_s=0.1, chip=bench.chip.name))
    assert isinstance(door, RelayDoor)
    door.open()
    door.act(ACCEPT)
    assert bench.energised
    door.close()
    assert not bench.energised


def test_a_folder_that_is_no_fake_chip_is_no_way_around_it(tmp_path):
    with pytest.raises(DoorError, match="only the log door"):
        open_door(DoorSettings(driver="relay", chip=str(tmp_path)))


def test_a_machine_without_pins_is_a_typed_error_that_says_what_to_do():
    door = open_door(DoorSettings(driver="relay", chip="/dev/gpiochip99"), allow_hardware=True)
    with pytest.raises(DoorError) as refused:
        door.open()
    assert "ls /dev/gpiochip*" in refused.value.remedy
    with pytest.raises(DoorError):
        door.act(ACCEPT)
    door.close()


def test_nothing_is_loaded_for_a_log_door_that_only_a_relay_needs():
    program = (
        "import sys; from edge.door import open_door; from edge.settings.model import DoorSettings;"
        "open_door(DoorSettings()).open(); sys.exit('gpiozero' in sys.modules or 'lgpio' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True).returncode == 0


@pytest.mark.parametrize(("freed", "level"), [(0, 0), (1, 1), ("keep", 1)])
def test_a_fake_line_falls_or_rises_when_it_is_freed(tmp_path, freed, level):
    chip = FakeChip.make(tmp_path / "chip", freed=freed)
    line = chip.request(PIN, active_high=False)
    assert (chip.level(PIN), chip.held(PIN)) == (1, True), "held and locked: active-low"
    with pytest.raises(DoorError, match="in use"):
        chip.request(PIN, active_high=False)
    os.close(line)
    assert (chip.level(PIN), chip.held(PIN)) == (level, False)
