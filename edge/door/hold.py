"""Lock a relay door and leave a guard that holds it, when the process that drove it is gone (systemd's ExecStopPost).

    python -I -m edge.door.hold /run/edge/door

The file is the note that `edge.door.relay` leaves in the service's folder in /run: which line it drives. The settings
are not asked: they may have changed, and to read them takes seconds on a small board. Without a note no relay was
driven. A door whose guard is there is left alone. A request to exit is answered by the new guard as well. Exit code 4,
with the reason: no line could be locked, or one was and that request goes unanswered.
"""

from __future__ import annotations

import contextlib
import json
import os
import sys
from pathlib import Path
from typing import Any

from edge.door.asking import Asking
from edge.door.fake import chip_at
from edge.door.gpio import Chip
from edge.door.holders import holders, take_input, take_over
from edge.errors import DoorError, EdgeError

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
            draft = Path(folder, f"{NOTE}.new")
            draft.write_text(text, encoding="utf-8")
            draft.replace(Path(folder, NOTE))  # whole or not at all: a half note names no line


def hold(file: Path) -> str:
    """Make sure that a guard holds the line of a note, locked; returns what was done, in words.

    Raises:
        DoorError: the note is damaged; the line cannot be had; the request to exit cannot, and the line is locked.
    """
    if not file.exists():
        return "no relay was driven, nothing to lock"
    noted = _noted(file)
    chip, pin = chip_at(noted["chip"]), noted["pin"]
    for found in holders(chip, pin):
        if not found.stopped:
            return f"GPIO {pin} is held by its guard, process {found.pid}"
    line, way_out, trouble = take_over(chip, pin, active_high=noted["active_high"]), None, None
    if noted["way_out"] is not None:
        pressed, high, milliseconds = noted["way_out"]
        try:
            way_out = take_input(chip, pressed, active_high=high), milliseconds
        except DoorError as error:
            trouble = error
    Asking(line, chip, pin, way_out=way_out).leave()
    if trouble is not None:
        raise trouble
    return f"locked GPIO {pin}; a guard holds it"


def _noted(file: Path) -> dict[str, Any]:
    """What a note says.

    Raises:
        DoorError: it says no line, or cannot be read.
    """
    try:
        said = json.loads(file.read_text(encoding="utf-8"))
        kinds = [type(said[key]) for key in ("chip", "pin", "active_high")]
        way_out = said["way_out"]
        if kinds == [str, int, bool] and (way_out is None or [type(one) for one in way_out] == [int, bool, int]):
            return dict(said)
    except (OSError, ValueError, TypeError, KeyError):
        pass
    raise DoorError(
        "this note is damaged, so which line to lock is not known, and none was locked",
        where=str(file),
        remedy="start the service, which locks its line and writes the note anew; until then cut the relay's power",
    )


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
