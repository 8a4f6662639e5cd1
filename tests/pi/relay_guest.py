"""The relay door on a GPIO chip of the kernel (gpio-sim), with the level that a voltmeter would show beside it.

    python relay_guest.py FOLDER_OF_THE_LINE --high|--low       # /sys/devices/platform/gpio-sim.0/gpiochip0/sim_gpio17

Runs in the guest of `tests/pi/guest.py`; prints one JSON object: what was seen in each case. For the active-low relay a
freed line falls, which energises it: the worst board.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from itertools import pairwise
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from edge.door.gpio import KernelChip
from edge.door.hold import main as hold
from edge.door.holders import dismiss, holders
from edge.door.relay import RelayDoor
from edge.door.sight import Sight
from edge.errors import DoorError
from edge.types import Decision, Outcome, Reason

LINE, HIGH = Path(sys.argv[1]), sys.argv[2] == "--high"
ACCEPT = Decision(Outcome.ACCEPT, Reason.MATCHING, 1e-4)
CHIP = KernelChip("/dev/gpiochip0")
DRIVER = f"""
import sys, time
from edge.door.gpio import KernelChip
from edge.door.relay import RelayDoor
from edge.types import Decision, Outcome, Reason
way_out = (22, False) if sys.argv[2] else None
door = RelayDoor(
    KernelChip("/dev/gpiochip0"), pin=17, active_high={HIGH}, pulse_s=float(sys.argv[1]), way_out=way_out
)
door.open()
door.act(Decision(Outcome.ACCEPT, Reason.MATCHING, 1e-4))
print("acted", flush=True)
time.sleep(100)
"""


def energised() -> bool:
    return ((LINE / "value").read_text()[0] == "1") is HIGH


class Watch:
    """A process that watches the level."""

    def __init__(self) -> None:
        command = [sys.executable, "-I", "-S", str(Path(__file__).with_name("watch_guest.py")), *sys.argv[1:3]]
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        assert self._process.stdout is not None
        assert self._process.stdout.readline() == "watching\n"

    def end(self) -> dict[str, Any]:
        """When and for how long it was energised, and how finely it was looked at."""
        told, _ = self._process.communicate()
        changes, reads, last = json.loads(told)
        began = changes[0][0]
        spans = [(a - began, b - a) for (a, on), (b, _) in pairwise([*changes, (last, False)]) if on]
        return {
            "energised": [(round(at, 3), round(length, 4)) for at, length in spans],
            "locked_at_end": not changes[-1][1],
            "grain_ms": round(1000 * (last - began) / reads, 3),
        }


def worst() -> None:
    """A freed line goes to the level that energises, whatever pull the request asked for."""
    (LINE / "pull").write_text("pull-up" if HIGH else "pull-down")


def driver(pulse_s: float, way_out: str = "") -> subprocess.Popen[str]:
    process = subprocess.Popen(
        [sys.executable, "-c", DRIVER, str(pulse_s), way_out],
        stdout=subprocess.PIPE,
        text=True,
        env=os.environ | {"RUNTIME_DIRECTORY": "/run"},
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "acted\n"
    worst()
    return process


def guard() -> int:
    return next(found.pid for found in holders(CHIP, 17))


def clear() -> None:
    """The line is free, and rests where it locks."""
    dismiss(CHIP, 17)
    (LINE / "pull").write_text("pull-down" if HIGH else "pull-up")
    time.sleep(0.3)


def opened() -> RelayDoor:
    return RelayDoor(CHIP, pin=17, active_high=HIGH, pulse_s=2.0)


def case_open_pulse_close() -> dict[str, Any]:
    seen = Watch()
    with opened() as door:
        time.sleep(0.5)
        worst()
        door.act(ACCEPT)
        time.sleep(3)
    time.sleep(0.5)
    return seen.end() | {"held": bool(list(holders(CHIP, 17)))}


def case_killed() -> dict[str, Any]:
    seen = Watch()
    process = driver(30)
    time.sleep(0.5)
    process.kill()
    process.wait()
    time.sleep(2)
    return seen.end() | {"held": bool(list(holders(CHIP, 17)))}


def case_stopped() -> dict[str, Any]:
    """A hung process half a second into a pulse of 30 s."""
    seen = Watch()
    process = driver(30)
    time.sleep(0.5)
    process.send_signal(signal.SIGSTOP)
    time.sleep(4)
    process.kill()
    process.wait()
    return seen.end()


def case_stopped_in_a_short_pulse() -> dict[str, Any]:
    seen = Watch()
    process = driver(0.6)
    process.send_signal(signal.SIGSTOP)
    time.sleep(3)
    process.kill()
    process.wait()
    return seen.end()


def guard_gets(number: signal.Signals) -> dict[str, Any]:
    door = RelayDoor(CHIP, pin=17, active_high=HIGH, pulse_s=30)
    door.open()
    worst()
    seen = Watch()
    door.act(ACCEPT)
    time.sleep(0.5)
    os.kill(guard(), number)
    time.sleep(3)
    refused = ""
    try:
        door.act(ACCEPT)
    except DoorError as error:
        refused = str(error)
    door.close()
    time.sleep(1)
    return seen.end() | {"held": bool(list(holders(CHIP, 17))), "refused": refused}


def case_guard_killed() -> dict[str, Any]:
    return guard_gets(signal.SIGKILL)


def case_guard_stopped() -> dict[str, Any]:
    return guard_gets(signal.SIGSTOP)


def case_taken_over() -> dict[str, Any]:
    """The next owner: the line is free for the moment between two requests, and falls in it."""
    process = driver(0.2)
    time.sleep(1)
    process.kill()
    process.wait()
    time.sleep(0.5)
    seen = Watch()
    with opened():
        time.sleep(0.5)
    return seen.end()


def case_both_killed() -> dict[str, Any]:
    """Nobody holds the line; systemd's ExecStopPost does."""
    process = driver(30)
    os.kill(guard(), signal.SIGSTOP)
    last = guard()
    process.kill()
    process.wait()
    os.kill(last, signal.SIGKILL)
    time.sleep(0.5)
    before = energised()
    seen = Watch()
    code = hold(["/run/door"])
    time.sleep(0.5)
    return seen.end() | {"energised_before": before, "code": code, "held": bool(list(holders(CHIP, 17)))}


def case_freed() -> dict[str, Any]:
    """A line that is freed keeps the pull towards locked that its request asked for."""
    with opened():
        pull = (LINE / "pull").read_text().strip()
    dismiss(CHIP, 17)
    time.sleep(0.5)
    seen = Watch()
    return seen.end() | {"pull": pull}


def case_let_out() -> dict[str, Any]:
    """A button on another line, pressed while the door's process hangs, and again when it is gone."""
    button = LINE.parent / "sim_gpio22" / "pull"
    button.write_text("pull-up")
    process = driver(0.2, "way out")
    time.sleep(2)
    process.send_signal(signal.SIGSTOP)
    time.sleep(1)
    seen = Watch()
    for _ in range(2):
        button.write_text("pull-down")
        time.sleep(0.2)
        button.write_text("pull-up")
        time.sleep(1.5)
        process.kill()
        process.wait()
        time.sleep(1.0)
    return seen.end()


def case_contact() -> dict[str, Any]:
    """The kernel's own debounced edges of a contact, and a line that somebody has."""
    switch = LINE.parent / "sim_gpio27" / "pull"
    told: list[str] = []
    # as the settings' model makes it; open at rest: a request pulls the line up, which gpio-sim takes for a level
    contact = SimpleNamespace(pin=27, active_high=False, held_s=2.0, forced=True)
    settings: Any = SimpleNamespace(contact=contact, tamper=None)
    sight = Sight(CHIP, settings, tell=lambda event: told.append(event.kind), now_ns=time.monotonic_ns)
    sight.open()
    at_rest = sight.standing
    switch.write_text("pull-down")
    time.sleep(5)
    opened = sight.standing
    switch.write_text("pull-up")
    time.sleep(1)
    sight.close()
    return {"told": told, "at_rest": at_rest, "opened": opened}


def case_errors() -> dict[str, Any]:
    told = {}

    def note(name: str, chip: str, pin: int) -> None:
        try:
            RelayDoor(KernelChip(chip), pin=pin).open()
        except DoorError as error:
            told[name] = str(error)

    note("no such line", "/dev/gpiochip0", 99)
    note("no header", "", 17)
    note("no chip", "/dev/gpiochip9", 17)
    note("not a chip", "/dev/null", 17)
    with opened():
        note("driven", "/dev/gpiochip0", 17)
    clear()
    other = CHIP.request(17, active_high=True)
    note("in use", "/dev/gpiochip0", 17)
    os.close(other)
    child = os.fork()
    if not child:
        os.setuid(65534)
        note("no permission", "/dev/gpiochip0", 17)
        Path("/tmp/told").write_text(told["no permission"])
        os._exit(0)
    os.waitpid(child, 0)
    told["no permission"] = Path("/tmp/told").read_text()
    return told


if __name__ == "__main__":
    rows = {}
    for name, case in [(n, c) for n, c in list(globals().items()) if n.startswith("case_")]:
        clear()
        rows[name.removeprefix("case_")] = case()
    clear()
    print(json.dumps(rows))
