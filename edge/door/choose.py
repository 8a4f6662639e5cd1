"""Which door: settings name the driver, the build decides whether it may drive hardware.

An unsigned device build drives only the log door, a development build only log and fake doors. The caller knows the
build (`edge.build.attest.verified`) and passes ``allow_hardware``; nothing here can be switched on by the settings.
"""

from __future__ import annotations

from collections.abc import Callable

from edge.door.fake import FakeChip, chip_at
from edge.door.log import LogDoor, to
from edge.door.relay import RelayDoor
from edge.errors import DoorError
from edge.settings.model import DoorSettings
from edge.types import Door


def open_door(
    settings: DoorSettings,
    *,
    allow_hardware: bool = False,
    why: str = "",
    write: Callable[[str], None] | None = None,
    locked: Callable[[], None] | None = None,
    left: Callable[[], None] | None = None,
) -> Door:
    """The door that the settings name; call its ``open`` to take the hardware.

    Args:
        settings: ``settings.door``. A chip that is a folder made by `FakeChip` is allowed in every build.
        allow_hardware: whether this build may drive a relay (a device build under a trusted signature).
        why: the reason when it may not, in words.
        write: takes the log door's lines; None: standard output.
        locked: called, on a thread of the door, when a release has ended and the lock holds again; must not block.
        left: called, on that thread, when somebody asked to be let out, and was.

    Raises:
        DoorError: this build may not drive the door that the settings name.
    """
    if settings.driver == "log":
        return LogDoor(write or to(1), pulse_s=settings.pulse_s, locked=locked)
    if not (allow_hardware or FakeChip.is_there(settings.chip)):
        raise DoorError(
            f"this build may drive only the log door: {why or 'it is not a device build under a trusted signature'}",
            where="door.driver",
            remedy="set door.driver to log, or install a signed device build (`edge build show` says what is here)",
        )
    return RelayDoor(
        chip_at(settings.chip),
        pin=settings.pin,
        active_high=settings.released_high,
        pulse_s=settings.pulse_s,
        way_out=None if settings.exit is None else (settings.exit.pin, settings.exit.active_high),
        locked=locked,
        left=left,
    )
