"""Doors: an accept releases for one pulse; everything else, and everything that goes wrong, is locked."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap
import threading
import time
from pathlib import Path

import pytest
from gpiozero.pins.mock import MockFactory

from edge.door import LogDoor, RelayDoor, open_door
from edge.errors import DoorError
from edge.settings.model import DoorSettings
from edge.types import Decision, Outcome, Reason

ROOT = Path(__file__).resolve().parents[2]
ACCEPT = Decision(Outcome.ACCEPT, Reason.MATCHING, 1e-4, serial="0" * 32)
REJECT = Decision(Outcome.REJECT, Reason.NOT_MATCHING, 1e-4)
NO_DECISION = Decision(Outcome.NO_DECISION, Reason.NO_FACE, 1e-4)
PIN = 17


class Bench:
    """A relay on a mock pin, with the pin's own view of its level."""

    def __init__(self, pulse_s: float = 0.3, active_high: bool = True) -> None:
        self.factory = MockFactory()
        self.door = RelayDoor(lambda: self.factory, pin=PIN, pulse_s=pulse_s, active_high=active_high)
        self.active_high = active_high

    @property
    def energised(self) -> bool:
        return bool(self.factory.pin(PIN).state) is self.active_high

    def wait_locked(self, at_most_s: float) -> float:
        started = time.monotonic()
        while self.energised and time.monotonic() - started < at_most_s:
            time.sleep(0.002)
        assert not self.energised, "still energised"
        return time.monotonic() - started


@pytest.fixture
def bench():
    bench = Bench()
    bench.door.open()
    yield bench
    bench.door.close()


# -- log -------------------------------------------------------------------------------------------------------------


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


def test_the_log_door_writes_to_standard_output_by_itself(capsys):
    door = open_door(DoorSettings())
    door.open()
    assert "locked" in capsys.readouterr().out


def test_a_door_that_was_not_opened_does_not_act():
    for door in (LogDoor(print), Bench().door):
        with pytest.raises(DoorError):
            door.act(ACCEPT)


# -- who may drive what ----------------------------------------------------------------------------------------------


def test_a_build_without_the_right_to_drives_no_relay():
    with pytest.raises(DoorError, match="only the log door") as refused:
        open_door(DoorSettings(driver="relay"))
    assert "signed" in refused.value.remedy


def test_a_mock_relay_is_allowed_everywhere():
    door = open_door(DoorSettings(driver="relay", pulse_s=0.1), mock=True)
    assert isinstance(door, RelayDoor)
    door.open()
    door.act(ACCEPT)
    door.close()


def test_a_machine_without_pins_is_a_typed_error_that_names_the_package(monkeypatch):
    monkeypatch.setitem(sys.modules, "lgpio", None)
    monkeypatch.delitem(sys.modules, "gpiozero.pins.lgpio", raising=False)
    door = open_door(DoorSettings(driver="relay"), allow_hardware=True)
    with pytest.raises(DoorError) as refused:
        door.open()
    assert "apt install python3-lgpio" in refused.value.remedy
    with pytest.raises(DoorError):
        door.act(ACCEPT)
    door.close()


def test_gpiozero_is_imported_only_when_a_relay_is_chosen():
    program = (
        "import sys; from edge.door import open_door; from edge.settings.model import DoorSettings;"
        "open_door(DoorSettings()).open(); sys.exit('gpiozero' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True).returncode == 0


# -- relay -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("active_high", [True, False])
def test_an_accept_releases_for_one_pulse(active_high):
    bench = Bench(active_high=active_high)
    with bench.door as door:
        assert not bench.energised
        door.act(ACCEPT)
        assert bench.energised
        assert door.released
        assert 0.2 < bench.wait_locked(3) < 2
    assert not bench.energised


@pytest.mark.parametrize("decision", [REJECT, NO_DECISION])
def test_anything_else_leaves_it_locked(bench, decision):
    bench.door.act(decision)
    assert not bench.energised


def test_a_second_accept_extends_the_pulse_and_does_not_add_to_it():
    bench = Bench(pulse_s=0.5)
    with bench.door as door:
        started = time.monotonic()
        for _ in range(5):
            door.act(ACCEPT)
        time.sleep(0.25)
        door.act(ACCEPT)
        bench.wait_locked(3)
        assert 0.7 < time.monotonic() - started < 2.4


def test_a_rejection_during_a_pulse_does_not_prolong_it():
    bench = Bench(pulse_s=1.0)
    with bench.door as door:
        door.act(ACCEPT)
        time.sleep(0.8)
        door.act(REJECT)
        assert bench.wait_locked(3) < 0.8


def test_it_can_be_opened_and_closed_again(bench):
    bench.door.open()
    bench.door.act(ACCEPT)
    bench.door.close()
    bench.door.close()
    assert not bench.energised
    bench.door.open()
    bench.door.act(ACCEPT)
    assert bench.energised
    bench.wait_locked(2)


def test_closing_while_energised_locks_at_once():
    bench = Bench(pulse_s=30)
    bench.door.open()
    bench.door.act(ACCEPT)
    level = bench.factory.pin(PIN)
    bench.door.close()
    assert not level.state


def test_leaving_the_block_by_an_exception_locks():
    bench = Bench(pulse_s=30)

    def session() -> None:
        with bench.door as door:
            door.act(ACCEPT)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        session()
    assert not bench.energised


def test_a_fault_while_energising_locks_and_is_typed(bench, monkeypatch):
    device = bench.door._device
    real = type(device).on

    def faulty(self) -> None:
        real(self)
        raise OSError(5, "Input/output error")

    monkeypatch.setattr(type(device), "on", faulty)
    with pytest.raises(DoorError, match="cannot be driven"):
        bench.door.act(ACCEPT)
    assert not bench.energised


def test_a_relay_that_cannot_be_locked_lets_go_of_the_pin_and_serves_no_more(bench, monkeypatch):
    def faulty(self) -> None:
        raise OSError(5, "Input/output error")

    bench.door.act(ACCEPT)
    monkeypatch.setattr(type(bench.door._device), "off", faulty)
    for _ in range(200):
        if bench.door._device is None:
            break
        time.sleep(0.01)
    assert bench.factory.pin(PIN).function == "input", "the pin was given back"
    with pytest.raises(DoorError, match="could not be locked"):
        bench.door.act(ACCEPT)


def test_nothing_is_released_without_the_watchdog(bench):
    watchdog = bench.door._watchdog
    bench.door._closing = True
    with bench.door._change:
        bench.door._change.notify_all()
    watchdog.join(2)
    with pytest.raises(DoorError, match="watchdog"):
        bench.door.act(ACCEPT)
    assert not bench.energised


def test_nothing_is_released_without_the_guard():
    class Gone:
        def alive(self) -> bool:
            return False

        def dismiss(self) -> None:
            pass

    factory = MockFactory()
    with RelayDoor(lambda: factory, pin=PIN, guard=Gone) as door:
        with pytest.raises(DoorError, match="guard"):
            door.act(ACCEPT)
        assert not factory.pin(PIN).state


def test_a_pin_in_use_is_a_typed_error():
    bench = Bench()
    other = RelayDoor(lambda: bench.factory, pin=PIN)
    with bench.door, pytest.raises(DoorError, match="cannot be driven"):
        other.open()


def test_threads_may_act_at_once(bench):
    threads = [threading.Thread(target=bench.door.act, args=(ACCEPT,)) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert bench.wait_locked(2) < 2


# -- the end of the process ------------------------------------------------------------------------------------------


def run(program: str, **arguments: object) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(program)],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        **arguments,  # type: ignore[arg-type]
    )


ENERGISED = """
    import os, signal, sys, time
    from gpiozero.pins.mock import MockFactory
    from edge.door import RelayDoor
    from edge.types import Decision, Outcome, Reason
    factory = MockFactory()
    pin = factory.pin(17)
    real = type(pin)._set_state
    def told(self, value):
        real(self, value)
        os.write(1, b"pin %d\\n" % int(value))
    type(pin)._set_state = told
    type(pin).state = property(type(pin)._get_state, told)
    door = RelayDoor(lambda: factory, pin=17, pulse_s=30)
    door.open()
    door.act(Decision(Outcome.ACCEPT, Reason.MATCHING, 1e-4))
"""


@pytest.mark.parametrize(
    "ending",
    [
        "sys.exit(0)",
        "1 / 0",
        "signal.signal(signal.SIGTERM, lambda *_: sys.exit(0)); os.kill(os.getpid(), signal.SIGTERM); time.sleep(9)",
    ],
)
def test_a_process_that_ends_while_energised_locks(ending):
    process = run(ENERGISED + "    " + ending)
    out, _ = process.communicate(timeout=30)
    levels = [line for line in out.splitlines() if line.startswith("pin")]
    assert "pin 1" in levels
    assert levels[-1] == "pin 0"


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_the_guard_locks_when_the_process_is_killed(number):
    """The process dies where no code of its own runs; another one takes the pin."""
    process = run(
        """
        import time
        from edge.door.guard import GuardProcess
        guard = GuardProcess(17, mock=True)
        print(guard.alive(), flush=True)
        time.sleep(60)
        """
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "True\n"
    process.send_signal(number)
    process.wait(10)
    assert process.stderr is not None
    assert "guard: locked GPIO 17" in process.stderr.read()


def test_a_guard_that_is_dismissed_says_nothing():
    process = run("from edge.door.guard import GuardProcess; GuardProcess(17, mock=True).dismiss()")
    _, errors = process.communicate(timeout=30)
    assert errors == ""


def test_the_guard_ignores_the_signals_meant_for_the_service():
    process = run("from edge.door.guard import main; main(['--pin', '17', '--mock'])", stdin=subprocess.PIPE)
    status = Path(f"/proc/{process.pid}/status")
    for _ in range(1000):
        ignored = int(
            next(line for line in status.read_text().splitlines() if line.startswith("SigIgn")).split()[1], 16
        )
        if ignored >> (signal.SIGHUP - 1) & 1 and ignored >> (signal.SIGTERM - 1) & 1:
            break
        time.sleep(0.01)
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        process.send_signal(number)
    _, errors = process.communicate(timeout=30)
    assert "locked GPIO 17" in errors


def test_the_guard_locks_at_once_for_systemd():
    program = [sys.executable, "-m", "edge.door.guard", "--pin", "4", "--now", "--mock", "--active-low"]
    ended = subprocess.run(program, cwd=ROOT, capture_output=True, text=True)
    assert (ended.returncode, "locked GPIO 4" in ended.stderr) == (0, True)


def test_the_guard_without_pins_says_so_with_exit_code_4():
    program = [sys.executable, "-m", "edge.door.guard", "--pin", "4", "--now"]
    ended = subprocess.run(program, cwd=ROOT, capture_output=True, text=True)
    assert ended.returncode == 4
    assert "Traceback" not in ended.stderr


def test_the_waiting_guard_is_small():
    program = "import sys; import edge.door.guard; sys.exit('numpy' in sys.modules or 'pydantic' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", program], cwd=ROOT).returncode == 0
