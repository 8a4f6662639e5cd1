"""What a device build takes from nobody: frames, keys, a clock, the name of its build, a folder that others can change.

own.need_parts(parts, settings)
own.need_folder(settings.device.state_dir)

Without this, whoever has the settings, a card and a Python that imports `edge` would have a way from any picture to a
decision, and from many cards to a search. What they can still do, by changing files, is in ``deploy/THREATS.md``.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

from edge._resources import is_device
from edge.door.log import to
from edge.errors import NotInThisBuild
from edge.face import Look
from edge.profile import current
from edge.service.parts import Parts
from edge.service.wire import DOOR_SOCKET
from edge.session import Enrolment
from edge.settings.model import Settings
from edge.state.folder import WAIT_S, FolderLock, need_own_folder
from edge.trust.ring import DEVICE_FILE
from edge.types import Frame, Template


def need_parts(parts: Parts, settings: Settings) -> None:
    """Return when a device build looks through the camera that it declares, with its own keys, clock and name.

    A source of one's own would be a way from any picture to a decision, and another `Parts.build` one to scores. The
    demo's is neither: people who do not exist, keys of their own, and a door that writes a line.

    Raises:
        NotInThisBuild: something stands in for what the build or its settings declare.
    """
    build = current()
    if not build.is_device:
        return
    own = Parts(door=parts.door, acknowledged_by=parts.acknowledged_by, build=parts.build)
    demo = parts.source is not None and parts.keyring is not None and parts.door is None
    if demo and settings.door.driver == "log":
        own = replace(own, source=parts.source, keyring=parts.keyring, fast=parts.fast)
    mixed = own.source is not None and (settings.device.state_dir / DEVICE_FILE).exists()  # a door's, not the demo's
    if parts != own or parts.build != build or mixed:
        raise NotInThisBuild(
            "a device build looks through its own camera, with its own keys and clock",
            where="Parts",
            remedy="name a camera in the settings; a camera of your own is a driver in edge/camera of a build you sign",
        )


def need_folder(state_dir: Path) -> None:
    """Return when a device build's state folder is its user's own. Raises `StateError`; see `need_own_folder`."""
    if is_device():
        need_own_folder(state_dir)


def held(folder: Path, name: str) -> FolderLock:
    """The state folder for this process; it waits for a command that is about to end, not for a running door."""
    wait_s = 0.0 if (folder / DOOR_SOCKET).exists() else WAIT_S
    return FolderLock(folder, name, wait_s=wait_s, waiting=lambda holder: to(2)(f"edge: waiting for {holder}"))


def of_pictures(
    enrolment: Enrolment, pictures: Sequence[Frame], same_as: Callable[[Frame, Look], bool] | None = None
) -> Template:
    """The reference of pictures. Raises NotInThisBuild: no wheel holds the file that makes one."""
    try:
        from edge.session.pictures import from_pictures
    except ModuleNotFoundError:
        raise NotInThisBuild(
            "a device build enrols the person in front of its camera, never from pictures",
            where="enrolment",
            remedy="leave the pictures out",
        ) from None
    return from_pictures(enrolment, pictures, same_as=same_as)
