"""The relay on a GPIO chip of the kernel, levels read back: `pytest -m pi tests/pi/test_relay.py`.

Needs what `make_guest.sh` names; 3 minutes on two cores, and 4 to 8 more the first time. The times are those of an
emulated machine, three to ten times slower than a real one.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.pi.guest import Guest

pytestmark = [pytest.mark.pi, pytest.mark.timeout(3600)]

#: In the place of `edge run`: opens the door, releases it for 30 s, and waits.
UNIT = """
import signal, sys, time
from edge.door import RelayDoor
from edge.door.gpio import KernelChip
from edge.types import Decision, Outcome, Reason
sys.path.append("/opt/edge/lib/edge/service")  # by itself: its room needs cameras and models
from systemd import notify
signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
with RelayDoor(KernelChip("/dev/gpiochip0"), pin=17, active_high=False, pulse_s=30) as door:
    door.act(Decision(Outcome.ACCEPT, Reason.MATCHING, 1e-4))
    notify("READY=1")
    for _ in range(1000):
        notify("WATCHDOG=1")
        time.sleep(1)
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("guest")
    (made / "unit_guest.py").write_text(UNIT)
    print(Guest().run("relay_guest.sh", made), made)
    return made


@pytest.fixture(params=["high", "low"])
def seen(folder: Path, request: pytest.FixtureRequest) -> dict[str, Any]:
    text = (folder / f"{request.param}.json").read_text()
    assert text, (folder / f"{request.param}.err").read_text()
    return json.loads(text)


def lengths(case: dict[str, Any]) -> list[float]:
    """How long it was energised, each time."""
    return [length for _, length in case["energised"]]


def test_a_pulse_of_two_seconds_and_nothing_at_open_and_close(seen):
    case = seen["open_pulse_close"]
    (length,) = lengths(case)
    assert 1.9 < length < 2.2
    assert case["held"]
    assert case["locked_at_end"]


@pytest.mark.parametrize(
    ("name", "at_most_s"),
    [("killed", 5), ("stopped", 5), ("stopped_in_a_short_pulse", 1.5), ("guard_killed", 5), ("guard_stopped", 5)],
)
def test_whoever_dies_or_hangs_in_a_pulse_it_locks_and_stays_locked(seen, name, at_most_s):
    case = seen[name]
    (length,) = lengths(case)
    assert length < at_most_s
    assert case["locked_at_end"]
    assert case.get("held", True)
    if name.startswith("guard"):
        assert "the guard process" in case["refused"]


def test_the_next_owner_takes_it_over_within_milliseconds_even_on_the_worst_board(seen):
    assert sum(lengths(seen["taken_over"])) < 0.3, "an emulated machine that starves"
    assert seen["taken_over"]["locked_at_end"]


def test_when_both_were_killed_the_command_for_systemd_locks_and_leaves_a_guard(seen):
    case = seen["both_killed"]
    assert case["energised_before"], "the worst board"
    assert (case["code"], case["held"], case["locked_at_end"]) == (0, True, True)


def test_a_freed_line_keeps_its_pull_towards_locked(seen):
    assert seen["freed"]["locked_at_end"]


def test_a_button_lets_people_out_while_the_process_hangs_and_when_it_is_gone(seen):
    case = seen["let_out"]
    assert len(lengths(case)) == 2
    assert all(0.15 < length < 1.0 for length in lengths(case))
    assert case["locked_at_end"]


def test_a_contact_is_told_by_the_kernel_s_own_edges(seen):
    case = seen["contact"]
    assert (case["at_rest"], case["opened"]) == ({"contact": True}, {"contact": False})
    assert case["told"] == ["door.moved", "door.forced", "door.held", "door.moved"]


@pytest.fixture
def inputs(folder: Path) -> dict[str, Any]:
    """Of a whole device with a contact, a button inside and a switch at its housing."""
    text = (folder / "inputs.json").read_text()
    assert text, (folder / "inputs.err").read_text()
    return json.loads(text)


def test_what_the_switches_say_is_in_the_journal(inputs):
    assert inputs["at_rest"] == {"told": [], "contact": True, "tamper": True}
    assert inputs["let_in"]["told"] == ["opened", "open", "closed", "locked"], "whoever was let in forced nothing"
    assert inputs["forced"] == {"told": ["open", "forced", "held"], "contact": False, "tamper": True}
    assert inputs["shut"] == {"told": ["closed"], "contact": True, "tamper": True}
    assert inputs["exit"]["told"] == ["exit", "open", "closed", "locked"], "nor did whoever was let out"
    assert inputs["housing_open"] == {"told": [True], "contact": True, "tamper": False}
    assert inputs["housing_shut"] == {"told": [False], "contact": True, "tamper": True}


@pytest.mark.parametrize("case", ["exit_while_it_hangs", "exit_when_it_has_ended", "exit_when_it_was_killed"])
def test_a_button_lets_people_out_whatever_the_verifier_does(inputs, case):
    (length,) = lengths(inputs[case])
    assert 2.9 < length < 5, "as long as any release, on an emulated machine that starves"
    assert inputs[case]["locked_at_end"]


def test_a_request_to_exit_during_a_hang_is_journalled_when_it_goes_on(inputs):
    assert inputs["told_of_it_afterwards"]["told"] == ["exit", "locked"]
    assert inputs["ended"]["code"] == 0


def test_every_error_says_what_helps(seen):
    told = seen["errors"]
    assert "set its pin" in told["no such line"]
    assert "no Raspberry Pi header" in told["no header"]
    assert "gpiochip0 (gpio-sim" in told["no header"]
    assert "ls /dev/gpiochip*" in told["no chip"]
    assert "no GPIO chip" in told["not a chip"]
    assert "driven by process" in told["driven"]
    assert "'edge door " in told["in use"]
    assert "60-edge.rules" in told["no permission"]


def test_the_unit_locks_and_holds_through_kill_restart_and_stop(folder):
    assert (folder / "chip.txt").read_text() == "gpio 660\n"
    rows = dict(line.split(" ", 1) for line in (folder / "unit.txt").read_text().splitlines() if " " in line)
    energised, locked = "value=0", "value=1"
    assert rows["started"] == f"{energised} state=active guards=1"
    assert rows["killed"].startswith(locked), "the guard outlives the unit's main process"
    assert rows["restarted"] == f"{energised} state=active guards=1"
    assert rows["both-killed"].startswith(locked), "by ExecStopPost, before the next start"
    assert rows["started-again"] == rows["restarted"]
    assert rows["stopped"] == f"{locked} state=inactive guards=1"
    assert rows["held"] == rows["stopped"]
