"""What a device build takes from nobody: frames, keys, a clock, the name of its build, a folder that others can change.

parts = own.parts_of(parts)
own.need_folder(settings.device.state_dir)

Without this, whoever has the settings, a card and a Python that imports `edge` would have a way from any picture to a
decision, and from many cards to a search. What they can still do, by changing files, is in ``deploy/THREATS.md``.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from pathlib import Path

from edge._resources import is_device
from edge.door.log import to
from edge.errors import NotInThisBuild
from edge.face import Look
from edge.service.parts import Parts
from edge.service.wire import DOOR_SOCKET
from edge.session import Enrolment
from edge.session.cell import Keeps
from edge.state.folder import WAIT_S, FolderLock, need_own_folder
from edge.trust import IssuerKey, Keyring
from edge.types import Frame, Source

#: Parts of a demo, each until its device is opened, and for that one device: told apart by what they are.
_STAGED: list[Parts] = []


#: What a device build takes from nobody.
_OURS = ("source", "keyring", "system_clock", "now_ns", "random_bytes", "fast")


def parts_of(given: Parts | None) -> Parts:
    """The parts that a device opens with. Of what is handed to a device build only a door and a name are kept, and
    everything else is made anew, so that nothing which claims to be equal to it takes its place.

    A source of one's own would be a way from any picture to a decision, a keyring one past the waits that the state
    beside its file remembers, and another `Parts.build` one to scores. The demo's are made here (`_stage`).

    Raises:
        NotInThisBuild: something stands in for what the build or its settings declare.
    """
    parts = Parts() if given is None else given
    if not is_device():
        return parts
    for number, staged in enumerate(_STAGED):
        if staged is parts:
            return _STAGED.pop(number)
    mine = Parts(door=parts.door, acknowledged_by="".join([*parts.acknowledged_by]))
    stands_in = any(getattr(parts, name) is not getattr(mine, name) for name in _OURS)
    if type(parts) is not Parts or stands_in or parts.build != mine.build:
        raise NotInThisBuild(
            "a device build looks through its own camera, with its own keys and clock",
            where="Parts",
            remedy="name a camera in the settings; a camera of your own is a driver in edge/camera of a build you sign",
        )
    return mine


def _stage(source: Callable[[], Source], *, fast: bool = False) -> tuple[Parts, IssuerKey]:
    """Parts of a demo, for one device: its source, keys that exist as long as it runs, and the issuer that they trust.

    For `edge.service` itself: on a device build no caller's source, keys or scenes get here.
    """
    keyring, issuer = Keyring.ephemeral(os.urandom)
    parts = Parts(source=source, keyring=keyring, fast=fast)
    if is_device():
        _STAGED.append(parts)
    return parts, issuer


def need_folder(state_dir: Path) -> None:
    """Return when a device build's state folder is its user's own. Raises `StateError`; see `need_own_folder`."""
    if is_device():
        need_own_folder(state_dir)


def held(folder: Path, name: str) -> FolderLock:
    """The state folder for this process; it waits for a command that is about to end, not for a running door."""
    wait_s = 0.0 if (folder / DOOR_SOCKET).exists() else WAIT_S
    return FolderLock(folder, name, wait_s=wait_s, waiting=lambda holder: to(2)(f"edge: waiting for {holder}"))


def of_pictures(
    enrolment: Enrolment, pictures: Sequence[Frame], cell: Keeps, same_as: Callable[[Frame, Look], bool] | None = None
) -> None:
    """The reference of pictures, in a cell. Raises NotInThisBuild: no wheel holds the file that makes one."""
    try:
        from edge.session.pictures import from_pictures
    except ModuleNotFoundError:
        raise NotInThisBuild(
            "a device build enrols the person in front of its camera, never from pictures",
            where="enrolment",
            remedy="leave the pictures out",
        ) from None
    from_pictures(enrolment, pictures, cell, same_as=same_as)
