"""Whoever dies or hangs, the door locks, and somebody goes on holding the line.

The chips here free a line to the level that energises it: a relay that is active low on a line that falls.
"""

from __future__ import annotations

import os
import resource
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from edge.door import RelayDoor
from edge.door import guard as guard_module
from edge.door.hold import NOTE, note
from edge.door.hold import main as hold
from edge.door.holders import dismiss
from edge.errors import DoorError
from tests.door.bench import ACCEPT, PIN, Bench, until

#: A heartbeat, and what a busy machine adds.
SOON_S = guard_module.SILENCE_S + 2.0


@pytest.fixture
def worst(benches) -> Bench:
    """An active-low relay on a line that falls when it is freed."""
    return benches(active_high=False, freed=0)


def door_of(bench: Bench, pulse_s: float = 30.0) -> RelayDoor:
    return RelayDoor(bench.chip, pin=PIN, active_high=bench.active_high, pulse_s=pulse_s)


# -- the process that asks -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_a_process_that_is_killed_leaves_the_door_locked_and_held(worst, number):
    with worst.process() as process:
        assert worst.energised
        process.send_signal(number)
        assert worst.wait_locked(5) < 1
        process.wait()
        assert worst.held
        assert process.stderr is not None
        told = process.stderr.read()  # ends: the guard holds the line, and nobody's pipes
    assert told == (
        f"edge: guard: process {process.pid}, which drove the door, has ended without closing it; "
        f"GPIO 17 of {worst.chip.name} is locked\n"
    )
    time.sleep(0.2)
    assert worst.held
    assert not worst.energised


@pytest.mark.parametrize("ending", ["sys.exit(0)", "1 / 0"])
def test_a_process_that_ends_while_the_lock_is_released_locks(worst, ending):
    with pytest.raises(AssertionError), worst.process(acts=f"door.act(ACCEPT); {ending}"):
        pass
    assert any(energised for _, energised in worst.chip.history(PIN)), "it was released"
    assert not worst.energised
    assert worst.held


def test_a_process_that_is_stopped_in_a_pulse_locks_within_a_heartbeat_and_goes_on_afterwards(worst):
    with worst.process() as process:
        process.send_signal(signal.SIGSTOP)
        assert worst.wait_locked(10) < SOON_S
        process.send_signal(signal.SIGCONT)
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write("again\n")
        process.stdin.flush()
        assert process.stdout.readline() == "acted\n", "it serves again"
        assert worst.energised


def test_a_pulse_ends_in_time_though_its_process_is_stopped(worst):
    with worst.process(pulse_s=0.5) as process:
        process.send_signal(signal.SIGSTOP)
        assert worst.wait_locked(10) < 1.5


@pytest.mark.parametrize("pulse_s", [0.5, 30.0])
def test_a_machine_that_pauses_as_a_whole_goes_on(worst, pulse_s):
    with worst.process(pulse_s=pulse_s) as process:
        (guard,) = worst.guards
        os.kill(guard.pid, signal.SIGSTOP)
        process.send_signal(signal.SIGSTOP)
        time.sleep(2.5)
        process.send_signal(signal.SIGCONT)
        os.kill(guard.pid, signal.SIGCONT)
        time.sleep(0.5)
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write("again\n")
        process.stdin.flush()
        assert process.stdout.readline() == "acted\n"


# -- the guard -------------------------------------------------------------------------------------------------------


def test_a_guard_that_reads_several_commands_at_once_obeys_them_all_and_nothing_after_hold(worst):
    line = worst.chip.request(PIN, active_high=worst.active_high)
    command = [sys.executable, "-I", "-S", guard_module.__file__, str(line), "GPIO 17 of a test", str(os.getpid())]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, pass_fds=(line,)) as guard:
        os.close(line)
        assert guard.stdin is not None
        assert guard.stdout is not None
        guard.stdin.write(b"open 30000\nhold\nbeat\nopen 30000\n")
        guard.stdin.flush()
        try:
            answers = [guard.stdout.readline() for _ in range(5)]
            assert answers == [b"locked\n", b"ready\n", b"open\n", b"locked\n", b"held\n"]
            assert not worst.energised
            assert worst.held
        finally:
            guard.kill()


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGSTOP])
def test_a_guard_that_dies_or_hangs_in_a_pulse_is_noticed_and_the_asking_process_locks(worst, number):
    door = door_of(worst)
    door.open()
    door.act(ACCEPT)
    (guard,) = worst.guards
    os.kill(guard.pid, number)
    assert worst.wait_locked(10) < SOON_S
    for _ in range(2):
        with pytest.raises(DoorError, match="the guard process") as refused:
            door.act(ACCEPT)
    assert "restart" in refused.value.remedy
    assert worst.held, "by the process that asks"
    assert not worst.guards, "a guard that does not answer is ended"
    door.close()
    assert worst.held, "by a guard that does nothing else"
    assert not worst.energised
    door.open()
    door.act(ACCEPT)
    assert worst.energised
    door.close()
    assert not worst.energised


def test_a_guard_that_is_stopped_while_the_door_is_locked_releases_nothing(worst):
    with door_of(worst) as door:
        (guard,) = worst.guards
        os.kill(guard.pid, signal.SIGSTOP)
        with pytest.raises(DoorError, match="does not answer"):
            door.act(ACCEPT)
        assert not any(energised for _, energised in worst.chip.history(PIN))


def test_the_guard_ignores_the_signals_meant_for_the_service(worst):
    with door_of(worst) as door:
        (guard,) = worst.guards
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            os.kill(guard.pid, number)
        door.act(ACCEPT)
        assert worst.energised


def test_a_line_that_cannot_be_driven_is_a_typed_error(worst, monkeypatch):
    """The guard's descriptor is read-only here; this process can still lock."""
    real = subprocess.Popen

    def read_only(command, *arguments, pass_fds, **options):
        line = os.open(f"/proc/self/fd/{pass_fds[0]}", os.O_RDONLY)
        return real([*command[:4], str(line), *command[5:]], *arguments, pass_fds=(line, *pass_fds), **options)

    monkeypatch.setattr(subprocess, "Popen", read_only)
    with pytest.raises(DoorError, match="cannot be driven"):
        door_of(worst).open()
    assert not worst.energised


def test_the_guard_imports_next_to_nothing_and_is_isolated(worst):
    with door_of(worst):
        (guard,) = worst.guards
        folder = Path(f"/proc/{guard.pid}")
        words = (folder / "cmdline").read_bytes().split(b"\0")
        assert words[1:3] == [b"-I", b"-S"]
        assert (folder / "cwd").readlink() == Path("/")
        assert (folder / "environ").read_bytes() == b""
        mapped = (folder / "maps").read_text()
        assert "site-packages" not in mapped
        resident = next(row for row in (folder / "status").read_text().splitlines() if row.startswith("VmRSS"))
        assert int(resident.split()[1]) < 25_000


# -- who holds the line next -----------------------------------------------------------------------------------------


def test_the_next_owner_takes_the_line_over_and_the_door_stays_locked(worst):
    with worst.process() as process:
        process.kill()
        worst.wait_locked(5)
    rows = len(worst.chip.history(PIN))
    with door_of(worst):
        (guard,) = worst.guards
        assert guard.asking == os.getpid()
        assert not any(energised for _, energised in worst.chip.history(PIN)[rows:])


def test_the_next_owner_ends_a_guard_that_was_stopped_before_its_process_died(worst):
    """Both can do nothing: the line is energised until somebody comes."""
    with worst.process() as process:
        (guard,) = worst.guards
        os.kill(guard.pid, signal.SIGSTOP)
        process.kill()
        process.wait()
    assert worst.energised
    with door_of(worst):
        assert not worst.energised
        assert len(worst.guards) == 1


def test_a_guard_at_work_does_not_go(worst):
    with door_of(worst) as door:
        with pytest.raises(DoorError, match="driven by process"):
            door_of(worst).open()
        dismiss(worst.chip, PIN)
        time.sleep(0.1)
        assert worst.held
        door.act(ACCEPT)


def test_a_left_guard_goes_on_sigterm(worst):
    with door_of(worst):
        pass
    assert worst.held
    dismiss(worst.chip, PIN)
    until(lambda: not worst.held, 5, "still held")


@pytest.fixture
def noted(worst, tmp_path, monkeypatch) -> str:
    """What a door that was opened by a service leaves in its folder in /run; the door is open in another process."""
    monkeypatch.setenv("RUNTIME_DIRECTORY", str(tmp_path))
    with worst.process() as process:
        yield str(tmp_path / NOTE)
        process.kill()


def test_systemd_locks_and_holds_when_both_were_killed(worst, noted, capfd):
    (guard,) = worst.guards
    os.kill(guard.pid, signal.SIGSTOP)
    os.kill(guard.asking, signal.SIGKILL)
    os.kill(guard.pid, signal.SIGKILL)
    until(lambda: not worst.held, 5, "held")
    assert worst.energised, "nobody holds the line, and it falls"
    command = [sys.executable, "-I", "-m", "edge.door.hold", noted]
    done = subprocess.run(command, cwd="/", capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stderr) == (0, "edge: locked GPIO 17; a guard holds it\n")
    assert worst.held
    assert not worst.energised
    (guard,) = worst.guards
    assert hold([noted]) == 0
    assert "is held by its guard" in capfd.readouterr().err
    assert [found.pid for found in worst.guards] == [guard.pid], "it is left alone"


def test_systemd_has_nothing_to_do_where_no_relay_was_driven(tmp_path, capfd):
    assert hold([str(tmp_path / NOTE)]) == 0
    assert "nothing to lock" in capfd.readouterr().err


def test_what_cannot_be_locked_is_told_with_exit_code_4(tmp_path, capfd):
    file = tmp_path / NOTE
    file.write_text('{"chip": "/dev/gpiochip99", "pin": 17, "active_high": true, "way_out": null}')
    assert hold([str(file)]) == 4
    assert "no such GPIO chip" in capfd.readouterr().err
    assert hold([]) == 3


@pytest.mark.parametrize("text", [b"", b"[]", b'{"chip": "/dev/gpio', b'{"chip": "", "pin": 17}', b"\xff"])
def test_a_note_that_names_no_line_is_told_with_exit_code_4_and_what_to_do(tmp_path, capfd, text):
    (tmp_path / NOTE).write_bytes(text)
    assert hold([str(tmp_path / NOTE)]) == 4
    (told,) = capfd.readouterr().err.splitlines()
    assert "this note is damaged" in told
    assert "cut the relay's power" in told


def test_a_note_that_cannot_be_written_whole_leaves_the_one_before(worst, tmp_path, monkeypatch):
    monkeypatch.setenv("RUNTIME_DIRECTORY", str(tmp_path))
    note(worst.chip, PIN, active_high=False)
    before = (tmp_path / NOTE).read_bytes()
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (10, hard))  # as a full disk: ten bytes of the next one
    try:
        note(worst.chip, 27, active_high=True)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert (tmp_path / NOTE).read_bytes() == before


def test_the_command_for_systemd_loads_neither_settings_nor_arrays():
    program = "import sys, edge.door.hold; sys.exit(bool({'numpy', 'pydantic', 'yaml'} & set(sys.modules)))"
    assert subprocess.run([sys.executable, "-I", "-c", program], cwd="/").returncode == 0


def test_a_guard_that_answers_and_does_not_end_a_release_is_noticed(worst, monkeypatch):
    """Its clock is broken: it takes every release for the longest."""
    text = Path(guard_module.__file__).read_text().replace("min(int(value), LONGEST_MS)", "LONGEST_MS")
    broken = Path(worst.chip.name, "edge", "door", "guard.py")
    broken.parent.mkdir(parents=True)
    broken.write_text(text)
    monkeypatch.setattr(guard_module, "__file__", str(broken))
    with door_of(worst, pulse_s=0.3) as door:
        door.act(ACCEPT)
        assert 0.3 < worst.wait_locked(5) < 0.3 + SOON_S
        with pytest.raises(DoorError, match="did not end the release"):
            door.act(ACCEPT)
