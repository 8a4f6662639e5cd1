"""Lock a relay door and leave a guard that holds it, when the process that drove it is gone (systemd's ExecStopPost).

    python -I -m edge.door.hold /run/edge/door

The file is the note that `edge.door.relay` leaves in the service's folder in /run: which line it drives. The settings
are not asked: they may have changed, and to read them takes seconds on a small board. Without a note no relay was
driven. A door whose guard is there is left alone. A request to exit is
answered by the new guard as well. Exit code 4, with the reason: the line cannot be locked.
"""

from __future__ import annotations

import contextlib
import json
import os
import sys
from pathlib import Path

from edge.door.asking import Asking
from edge.door.fake import chip_at
from edge.door.gpio import Chip
from edge.door.holders import holders, take_input, take_over
from edge.errors import EdgeError

NOTE = "door"


def note(chip: Chip, pin: int, *, active_high: bool, way_out: tuple[int, bool, int] | None = None) -> None:
    """Write down which line is driven, where systemd gives the service a folder (RuntimeDirectory).

    Args:
        way_out: of the request to exit: its line, whether it is active at a high level, milliseconds.
    """
    folder = os.environ.get("RUNTIME_DIRECTORY", "").split(":")[0]
    if folder:
        text = json.dumps({"chip": chip.path, "pin": pin, "active_high": active_high, "way_out": way_out})
        with contextlib.suppress(OSError):  # a door without the second net is still a door
            Path(folder, NOTE).write_text(text, encoding="utf-8")


def hold(file: Path) -> str:
    """Make sure that a guard holds the line of a note, locked; returns what was done, in words.

    Raises:
        DoorError: the line cannot be had.
    """
    if not file.exists():
        return "no relay was driven, nothing to lock"
    noted = json.loads(file.read_text(encoding="utf-8"))
    chip, pin = chip_at(noted["chip"]), noted["pin"]
    for found in holders(chip, pin):
        if not found.stopped:
            return f"GPIO {pin} is held by its guard, process {found.pid}"
    line, way_out = take_over(chip, pin, active_high=noted["active_high"]), None
    if noted["way_out"] is not None:
        pressed, high, milliseconds = noted["way_out"]
        way_out = take_input(chip, pressed, active_high=high), milliseconds
    Asking(line, chip, pin, way_out=way_out).leave()
    return f"locked GPIO {pin}; a guard holds it"


def main(arguments: list[str]) -> int:
    """The command; returns an exit code."""
    if len(arguments) != 1:
        sys.stderr.write("usage: python -I -m edge.door.hold /run/edge/door\n")
        return 3
    try:
        sys.stderr.write(f"edge: {hold(Path(arguments[0]))}\n")
    except EdgeError as error:
        sys.stderr.write(f"edge: {error}\n")
        return 4
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
