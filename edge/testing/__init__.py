"""For integrators and our own tests: a scripted camera, a fake door, a device in a folder with people who do not exist.

    with site(tmp_path, door=FakeDoor()) as here:
        token = here.enrol("ada")                     # through `Operator`, in front of the scripted camera
        decision = here.device.verify(token)
        here.device.act(decision)
        assert here.door.released == 1

In development builds only: no wheel holds this room.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from edge.errors import SourceEnded
from edge.fictional import FictionalSource, OnePerson, Scene
from edge.service import Device, Operator, Parts
from edge.settings.model import CameraSettings, DeviceSettings, Settings
from edge.trust import IssuerKey, Keyring
from edge.types import U8, Decision, Door, Frame, Outcome, Source
from edge.types.events import Event
from edge.vault import ConsentReceipt, Issued


class ScriptedCamera:
    """A camera that shows the frames it was given. A `Source`.

    Args:
        frames: (picture, seconds): BGR uint8 (H, W, 3), and when it was taken on a clock of its own, rising.
    """

    name = "scripted"

    def __init__(self, frames: Iterable[tuple[U8, float]]) -> None:
        self._frames, self._count = iter(frames), 0

    def open(self) -> None:
        """Nothing to open."""

    def read(self, timeout_s: float) -> Frame:
        """The next frame. Raises `SourceEnded` when there is none left."""
        try:
            picture, seconds = next(self._frames)
        except StopIteration:
            raise SourceEnded("the script is over", where=self.name, remedy="give it more frames") from None
        self._count += 1
        return Frame(picture, int(seconds * 1e9), self._count, self.name)

    def close(self) -> None:
        """Nothing to close."""


class FakeDoor:
    """A door that remembers what it was told. A `Door`.

    Attributes:
        released: how often the lock was released. open_now: whether the door is in use.
    """

    name = "fake"

    def __init__(self) -> None:
        self.released, self.open_now = 0, False

    def open(self) -> None:
        """Take the door."""
        self.open_now = True

    def act(self, decision: Decision) -> None:
        """Release the lock on an accept."""
        self.released += decision.outcome is Outcome.ACCEPT

    def close(self) -> None:
        """Give the door back."""
        self.open_now = False


@dataclass(slots=True)
class Site:
    """A device in a folder, its issuer, and what stands in front of its camera.

    Attributes:
        device: opened. issuer: signs its cards. door: what was handed in, else None.
        script: what the camera sees from the next opening of the stream on.
        events: everything that the device has told; complete once it is closed.
    """

    device: Device
    issuer: IssuerKey
    door: Any
    script: Sequence[Scene]
    events: list[Event] = field(default_factory=list)

    def enrol(self, name: str, *, operator: str = "kim") -> str:
        """Enrol a fictional person in front of the camera; the text of their card.

        Args:
            name: one of `edge.fictional.figure.PEOPLE`. operator: who enrols.
        """
        before, self.script = self.script, (OnePerson(name, 60.0),)
        cards: list[str] = []

        def take(issued: Issued, consent: Mapping[str, Any]) -> Callable[[], None]:
            cards.append(issued.text or "")
            return cards.clear

        given = self.device._clock.now().utc_s
        consent = ConsentReceipt(f"{name} (does not exist)", "test", "en", given, "delete the folder")
        Operator(self.device, operator).enrol(issuer=self.issuer, consent=consent, hand_over=take)
        self.script = before
        return cards[0]


@contextmanager
def site(
    folder: Path,
    *,
    script: Sequence[Scene] = (OnePerson("ada", 600.0),),
    camera: Callable[[], Source] | None = None,
    door: Door | None = None,
    **settings: Any,
) -> Iterator[Site]:
    """A device in a folder, with keys of its own that go with it.

    Args:
        folder: for its state; empty, or of an earlier site only when its keys are still known, which they are not.
        script: what its fictional camera sees. camera: makes another source in its place.
        door: in the place of the log door.
        settings: of `edge.settings.Settings`, in the place of the defaults.
    """
    keyring, issuer = Keyring.ephemeral(os.urandom)
    values: dict[str, Any] = {
        "device": DeviceSettings(name="test", state_dir=folder / "state", trust_dir=folder / "trust"),
        "camera": CameraSettings(driver="fictional", pace="fast"),
        "alternative": "Ring the bell.",
        **settings,
    }

    def source() -> Source:
        return camera() if camera is not None else FictionalSource(here.script)

    parts = Parts(source=source, keyring=keyring, door=door, fast=True)
    with Device.open(Settings(**values), parts, hold="edge.testing") as device:
        here = Site(device, issuer, door, script)
        device.observe(here.events.append, name="site")
        yield here


__all__ = ["FakeDoor", "ScriptedCamera", "Site", "site"]
