"""A whole device on a GPIO chip of the kernel (gpio-sim): what its contact, its button and its housing lead to.

    python inputs_guest.py FOLDER_OF_THE_LINE --high        # prints one JSON object; beside `relay_guest.py`

Levels are set as wires would set them, through the chip's ``pull``; what the lock's line does and what the journal
holds is read back. The switches are open at rest: each request pulls its line up, and gpio-sim takes that for a level.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from relay_guest import LINE, Watch, clear

from edge.fictional import FictionalSource, OnePerson
from edge.profile import BuildInfo
from edge.service import Device, Parts
from edge.settings.model import (
    CameraSettings,
    ContactSettings,
    DeviceSettings,
    DoorSettings,
    ExitSettings,
    InputSettings,
    Settings,
)
from edge.trust import Keyring
from edge.types import Decision, Outcome, Reason

CONTACT, BUTTON, TAMPER = 27, 22, 23
PULSE_S = 3.0
#: What a bounce of a switch may last is settled long after it, on an emulated machine.
SETTLED_S = 0.3
SIGNED = BuildInfo("device", "0", signed=True, statement={"policy": {"standing": "declared"}})


def put(pin: int, active: bool) -> None:
    """Close a switch to ground, or open it."""
    (LINE.parent / f"sim_gpio{pin}" / "pull").write_text("pull-down" if active else "pull-up")
    time.sleep(SETTLED_S)


def site(folder: Path) -> None:
    """The device, in a process of its own: obeys words on standard input, answers each with a line."""
    settings = Settings(
        device=DeviceSettings(state_dir=folder / "state", trust_dir=folder / "trust"),
        camera=CameraSettings(driver="v4l2", device="/dev/v4l/by-id/none"),
        door=DoorSettings(
            driver="relay",
            chip="/dev/gpiochip0",
            pin=17,
            pulse_s=PULSE_S,
            contact=ContactSettings(pin=CONTACT, at_rest="open", held_s=2.0),
            exit=ExitSettings(pin=BUTTON),
            tamper=InputSettings(pin=TAMPER, at_rest="open"),
        ),
        alternative="Ring the bell.",
    )
    source = lambda: FictionalSource((OnePerson("ada", 600.0),))  # noqa: E731
    parts = Parts(source=source, keyring=Keyring.ephemeral(os.urandom)[0], build=SIGNED, fast=True)
    with Device.open(settings, parts) as device:
        _ = device._door
        print("open", flush=True)
        for word in map(str.strip, sys.stdin):
            if word == "release":
                device._doorway.act(Decision(Outcome.ACCEPT, Reason.MATCHING, 1e-4))
            told = [entry.fields for entry in device._ledger.journal.last(100) if entry.kind in ("door", "tamper")]
            standing = device._doorway.standing()
            print(json.dumps({"told": [one.get("change", one.get("open")) for one in told], **standing}), flush=True)


class Site:
    """That process."""

    def __init__(self, folder: str) -> None:
        command = [sys.executable, __file__, *sys.argv[1:3], "site", folder]
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        assert self.process.stdout is not None
        assert self.process.stdout.readline() == "open\n"
        self._seen = 0

    def ask(self, word: str = "") -> dict[str, Any]:
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write(word + "\n")
        self.process.stdin.flush()
        return dict(json.loads(self.process.stdout.readline()))

    def told(self, last: object) -> dict[str, Any]:
        """What the journal holds more than before, once it ends so, or after ten seconds; and how the inputs stand."""
        until = time.monotonic() + 10
        while True:
            answer = self.ask()
            new = answer["told"][self._seen :]
            if new[-1:] == [last] or time.monotonic() > until:
                self._seen += len(new)
                return {**answer, "told": new}
            time.sleep(0.1)


def press(pin: int = BUTTON) -> dict[str, Any]:
    """What the lock's line does when the button is pressed."""
    seen = Watch()
    put(pin, True)
    put(pin, False)
    time.sleep(PULSE_S + 1)
    return seen.end()


def through() -> None:
    """Somebody goes through the door."""
    put(CONTACT, True)
    put(CONTACT, False)


def main() -> None:
    rows: dict[str, Any] = {}
    door = Site("/run/site-1")
    rows["at_rest"] = door.ask()
    door.ask("release")
    through()
    rows["let_in"] = door.told("locked")
    time.sleep(2)  # a hand that is still on the door
    put(CONTACT, True)
    rows["forced"] = door.told("held")
    put(CONTACT, False)
    rows["shut"] = door.told("closed")
    put(BUTTON, True)
    put(BUTTON, False)
    through()
    rows["exit"] = door.told("locked")
    put(TAMPER, True)
    rows["housing_open"] = door.told(True)
    put(TAMPER, False)
    rows["housing_shut"] = door.told(False)
    door.process.send_signal(signal.SIGSTOP)
    time.sleep(2)  # a guard takes silence for a hang after one
    rows["exit_while_it_hangs"] = press()
    door.process.send_signal(signal.SIGCONT)
    rows["told_of_it_afterwards"] = door.told("locked")
    assert door.process.stdin is not None
    door.process.stdin.close()
    rows["ended"] = {"code": door.process.wait()}
    rows["exit_when_it_has_ended"] = press()
    clear()
    door = Site("/run/site-2")
    door.process.kill()
    door.process.wait()
    time.sleep(1)
    rows["exit_when_it_was_killed"] = press()
    clear()
    print(json.dumps(rows))


if __name__ == "__main__":
    site(Path(sys.argv[4])) if sys.argv[3:4] == ["site"] else main()
