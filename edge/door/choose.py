"""Which door: settings name the driver, the build decides whether it may drive hardware.

An unsigned device build drives only the log door, a development build only log and mock doors. The caller knows the
build (`edge.build.attest.verified`) and passes ``allow_hardware``; nothing here can be switched on by the settings.
"""

from __future__ import annotations

import sys
from collections.abc import Callable

from edge.door.guard import GuardProcess
from edge.door.log import LogDoor
from edge.door.pins import hardware_factory, mock_factory
from edge.door.relay import RelayDoor
from edge.errors import DoorError
from edge.settings.model import DoorSettings
from edge.types import Door


def open_door(
    settings: DoorSettings,
    *,
    allow_hardware: bool = False,
    why: str = "",
    mock: bool = False,
    write: Callable[[str], None] | None = None,
) -> Door:
    """The door that the settings name; call its ``open`` to take the hardware.

    Args:
        settings: ``settings.door``.
        allow_hardware: whether this build may drive a relay (a device build under a trusted signature).
        why: the reason when it may not, in words.
        mock: drive gpiozero's mock pins instead of real ones; allowed in every build.
        write: takes the log door's lines; None: standard output.

    Raises:
        DoorError: this build may not drive the door that the settings name.
    """
    if settings.driver == "log":
        return LogDoor(write or _line)
    if not (mock or allow_hardware):
        raise DoorError(
            f"this build may drive only the log door: {why or 'it is not a device build under a trusted signature'}",
            where="door.driver",
            remedy="set door.driver to log, or install a signed device build (`edge build show` says what is here)",
        )
    pin, active_high = settings.pin, settings.active_high
    return RelayDoor(
        mock_factory if mock else hardware_factory,
        pin=pin,
        active_high=active_high,
        pulse_s=settings.pulse_s,
        guard=None if mock else lambda: GuardProcess(pin, active_high=active_high),
    )


def _line(text: str) -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()
