"""Lock a relay door and leave a guard that holds it, when the process that drove it is gone (systemd's ExecStopPost).

    python -I -m edge.door.hold /etc/edge/device.yaml

A door whose guard is there is left alone, and so is a log door. Exit code 4, with the reason: it cannot be locked.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from edge.door.choose import chip_of
from edge.door.holders import holders
from edge.door.relay import RelayDoor
from edge.errors import EdgeError
from edge.settings import load_settings
from edge.settings.model import DoorSettings


def hold(settings: DoorSettings) -> str:
    """Make sure that a guard holds the line, locked; returns what was done, in words.

    Raises:
        DoorError: the line cannot be had.
    """
    if settings.driver == "log":
        return "the settings name a log door, nothing to lock"
    chip = chip_of(settings)
    for found in holders(chip, settings.pin):
        if not found.stopped:
            return f"GPIO {settings.pin} is held by its guard, process {found.pid}"
    door = RelayDoor(chip, pin=settings.pin, active_high=settings.active_high)
    door.open()
    door.close()
    return f"locked GPIO {settings.pin}; a guard holds it"


def main(arguments: list[str]) -> int:
    """The command; returns an exit code."""
    parser = argparse.ArgumentParser(prog="python -I -m edge.door.hold", description="Lock a door and hold it.")
    parser.add_argument("config", type=Path, help="settings of the device")
    try:
        sys.stderr.write(f"edge: {hold(load_settings(parser.parse_args(arguments).config).door)}\n")
    except EdgeError as error:
        sys.stderr.write(f"edge: {error}\n")
        return 4
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
