"""What a device build takes from nobody: frames, keys, a clock, the name of its build, a folder that others can change.

own.need_parts(parts, settings)
own.need_folder(settings.device.state_dir)
streams = own.Streams()
streams.need(streams.add(stream_of(camera, parts), handed_in=False))   # raises for a stream that was made elsewhere

Without this, whoever has the settings, a card and a Python that imports `edge` would have a way from any picture to a
decision, and from many cards to a search. What they can still do, by changing files, is in ``deploy/THREATS.md``.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from weakref import WeakSet

from edge._resources import is_device
from edge.camera import Capture, Pulled
from edge.door.log import to
from edge.errors import NotInThisBuild
from edge.face import Look
from edge.fictional import FictionalSource
from edge.profile import current
from edge.service.parts import Parts
from edge.service.wire import DOOR_SOCKET
from edge.session import Enrolment
from edge.settings.model import Settings
from edge.state.folder import WAIT_S, FolderLock, need_own_folder
from edge.types import I8, Frame, Stream


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
    if parts != own or parts.build != build:
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


class Streams:
    """The streams of one device. On a device build nothing is decided, and nobody enrolled, on any other one."""

    def __init__(self) -> None:
        self._made: WeakSet[Capture | Pulled] = WeakSet()

    def add(self, stream: Capture | Pulled, *, handed_in: bool) -> Capture | Pulled:
        """Remember a stream that the device has made.

        Args:
            stream: of the source that its settings declare, or of one that was handed in.

        Raises:
            NotInThisBuild: a device build, and what was handed in as a source shows more than people who do not exist.
        """
        if handed_in and type(stream.source) is not FictionalSource:
            self._refuse()
        self._made.add(stream)
        return stream

    def need(self, stream: Stream) -> None:
        """Return when a stream shows what stands in front of this device's camera.

        Raises:
            NotInThisBuild: it was made elsewhere; a device build decides on nothing that somebody hands it.
        """
        if stream not in self._made:
            self._refuse()

    @staticmethod
    def _refuse() -> None:
        if current().is_device:
            raise NotInThisBuild(
                "a device build decides on frames of its own camera only",
                where="stream",
                remedy="use Device.stream() of this very device",
            )


def of_pictures(
    enrolment: Enrolment, pictures: Sequence[Frame], same_as: Callable[[Frame, Look], bool] | None = None
) -> I8:
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
