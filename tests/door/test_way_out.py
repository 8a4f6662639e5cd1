"""A request to exit releases the lock, whatever the process that decides about faces does, or has come to."""

from __future__ import annotations

import json
import os
import signal
import time
from pathlib import Path

import pytest

from edge.door import FakeChip, RelayDoor
from edge.door import guard as guard_module
from edge.door.hold import NOTE
from edge.door.hold import main as hold
from edge.errors import DoorError
from tests.door.bench import ACCEPT, PIN, REJECT, Bench, until

BUTTON = 22
#: A guard looks at a fake chip every ten milliseconds; the rest is a busy machine.
SOON_S = 10.0


@pytest.fixture
def bench(benches) -> Bench:
    return benches()


def door_of(bench: Bench, pulse_s: float = 0.5, **more) -> RelayDoor:
    return RelayDoor(bench.chip, pin=PIN, pulse_s=pulse_s, way_out=(BUTTON, True), **more)


def press(chip: FakeChip) -> None:
    chip.put(BUTTON, True)
    chip.put(BUTTON, False)


def let_out(bench: Bench) -> float:
    """Press the button; how long the lock was released for."""
    press(bench.chip)
    until(lambda: bench.energised, SOON_S, "nobody was let out")
    bench.wait_locked(10)
    rows = bench.chip.history(PIN)
    began = next(ns for ns, on in reversed(rows) if on)
    return (next(ns for ns, on in rows if ns > began and not on) - began) / 1e9


def test_the_button_releases_the_lock_for_a_pulse_and_both_are_told(bench):
    told: list[str] = []
    with door_of(bench, left=lambda: told.append("left"), locked=lambda: told.append("locked")):
        assert 0.45 < let_out(bench) < 1.5
        until(lambda: told == ["left", "locked"], 5, "told")
        let_out(bench)
        until(lambda: told == ["left", "locked"] * 2, 5, "told each time")


def test_a_button_that_is_kept_pressed_is_one_request(bench):
    with door_of(bench):
        bench.chip.put(BUTTON, True)
        until(lambda: bench.energised, SOON_S, "released")
        bench.wait_locked(5)
        time.sleep(0.3)
        assert not bench.energised, "a stuck button, or a cut wire, opens the door once"


def test_it_works_while_the_deciding_process_hangs(bench):
    with bench.process(acts="pass", more=f"way_out=({BUTTON}, True)", pulse_s=0.5) as process:
        process.send_signal(signal.SIGSTOP)
        time.sleep(guard_module.SILENCE_S + 0.3)
        assert 0.45 < let_out(bench) < 1.5


def test_it_is_not_cut_short_by_silence_as_an_accept_is(bench):
    with bench.process(acts="pass", more=f"way_out=({BUTTON}, True)", pulse_s=3.0) as process:
        process.send_signal(signal.SIGSTOP)
        time.sleep(guard_module.SILENCE_S + 0.3)
        assert let_out(bench) > 2.8


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_it_works_when_the_deciding_process_is_gone(bench, number):
    with bench.process(acts="pass", more=f"way_out=({BUTTON}, True)", pulse_s=0.5) as process:
        process.send_signal(number)
        process.wait()
    assert 0.45 < let_out(bench) < 1.5
    assert 0.45 < let_out(bench) < 1.5, "and again"
    assert bench.held


@pytest.mark.parametrize("end", ["killed", "closed"])
def test_whoever_is_on_the_way_out_gets_out_when_the_deciding_process_ends_just_then(bench, end):
    with bench.process(acts="pass", more=f"way_out=({BUTTON}, True)", pulse_s=1.5) as process:
        press(bench.chip)
        until(lambda: bench.energised, SOON_S, "nobody was let out")
        process.kill() if end == "killed" else process.communicate("\n\n")
    bench.wait_locked(10)
    rows = bench.chip.history(PIN)
    began = next(ns for ns, on in rows if on)
    assert (next(ns for ns, on in rows if ns > began and not on) - began) / 1e9 > 1.4
    assert bench.held


def test_it_works_after_a_service_that_found_itself_unfit_has_closed_its_door(bench):
    with door_of(bench) as door:
        door.act(REJECT)
    assert 0.45 < let_out(bench) < 1.5


def test_a_press_during_a_release_makes_it_longer_and_is_no_fault_of_the_guard(bench):
    with door_of(bench, pulse_s=1.0) as door:
        door.act(ACCEPT)
        for _ in range(4):
            time.sleep(0.5)
            press(bench.chip)
        assert bench.energised, "each press counts from its own moment"
        bench.wait_locked(5)
        door.act(ACCEPT)
        assert bench.energised


def test_the_next_owner_takes_button_and_lock_over(bench):
    with bench.process(acts="pass", more=f"way_out=({BUTTON}, True)", pulse_s=0.5) as process:
        process.kill()
        process.wait()
    with door_of(bench) as door:
        let_out(bench)
        door.act(ACCEPT)
        assert bench.energised


def test_systemd_s_second_net_answers_the_button_too(bench, tmp_path, monkeypatch):
    monkeypatch.setenv("RUNTIME_DIRECTORY", str(tmp_path))
    with bench.process(acts="pass", more=f"way_out=({BUTTON}, True)", pulse_s=0.5) as process:
        (guard,) = bench.guards
        os.kill(guard.pid, signal.SIGSTOP)
        process.kill()
        process.wait()
        os.kill(guard.pid, signal.SIGKILL)
    until(lambda: not bench.held, 5, "nobody holds it")
    assert json.loads((tmp_path / NOTE).read_text())["way_out"] == [BUTTON, True, 500]
    assert hold([str(tmp_path / NOTE)]) == 0
    assert 0.45 < let_out(bench) < 1.5


def test_a_button_s_line_that_somebody_else_has_is_told_and_the_lock_is_held(bench):
    other = bench.chip.input(BUTTON, active_high=True)
    with pytest.raises(DoorError, match="in use"):
        door_of(bench).open()
    assert bench.held
    assert not bench.energised
    os.close(other)
    with door_of(bench):
        let_out(bench)


def test_systemd_s_second_net_holds_the_lock_though_somebody_else_has_the_button_s_line(bench, tmp_path, capfd):
    noted = {"chip": bench.chip.path, "pin": PIN, "active_high": bench.active_high, "way_out": [BUTTON, True, 500]}
    (tmp_path / NOTE).write_text(json.dumps(noted))
    other = bench.chip.input(BUTTON, active_high=True)
    assert hold([str(tmp_path / NOTE)]) == 4
    assert "in use" in capfd.readouterr().err
    assert bench.held
    os.close(other)


def test_a_guard_that_is_told_to_go_while_somebody_leaves_locks_first(bench):
    with door_of(bench, pulse_s=20.0):
        pass
    press(bench.chip)
    until(lambda: bench.energised, SOON_S, "released")
    (guard,) = bench.guards
    os.kill(guard.pid, signal.SIGTERM)
    bench.wait_locked(5)
    assert not bench.energised


def test_without_power_a_fail_safe_lock_is_released_and_with_power_it_holds(tmp_path: Path):
    """The lock hangs on the level that energises the relay; a freed line lets it fall."""
    from edge.settings.model import DoorSettings

    settings = DoorSettings(driver="relay", chip="/dev/gpiochip0", without_power="released")
    assert settings.released_high is False, "the relay holds the lock by a high level"
    bench = Bench(tmp_path / "chip", active_high=False, freed=0)
    try:
        with RelayDoor(bench.chip, pin=PIN, active_high=settings.released_high, pulse_s=0.3) as door:
            assert bench.chip.level(PIN) == 1, "held"
            door.act(ACCEPT)
            assert bench.chip.level(PIN) == 0, "released"
            bench.wait_locked(5)
        assert bench.chip.level(PIN) == 1, "the guard holds it, as long as there is power"
        bench.end()
        assert bench.chip.level(PIN) == 0, "nobody drives it any more: whoever is inside gets out"
    finally:
        bench.end()
