"""The protocols at which hardware is swapped; each driver has an in-tree stand-in."""

from __future__ import annotations

from typing import Protocol, runtime_checkable

from edge.types.claims import Decision
from edge.types.frames import Frame


@runtime_checkable
class Source(Protocol):
    """A camera or its stand-in: one driver, opened once, read by one thread."""

    name: str

    def open(self) -> None:
        """Start. Raises `SourceUnavailable`."""

    def read(self, timeout_s: float) -> Frame:
        """Block until the next frame. Raises `SourceTimeout`, `SourceEnded`, `CameraError`."""

    def close(self) -> None:
        """Stop and free the hardware. Harmless when repeated."""


class Stream(Protocol):
    """Frames with a time base, as a session sees them."""

    def now_ns(self) -> int:
        """The stream's clock; `Frame.monotonic_ns` is on it."""

    def next(self, after_ns: int, timeout_s: float) -> Frame:
        """The newest frame captured later than ``after_ns``. Raises `SourceTimeout`, `SourceEnded`, `CameraError`."""


class Door(Protocol):
    """What a decision does."""

    name: str

    def open(self) -> None:
        """Take the hardware; the door is locked afterwards. Raises `DoorError`."""

    def act(self, decision: Decision) -> None:
        """Release the lock for the configured pulse on an accept; anything else leaves it locked."""

    def close(self) -> None:
        """Lock and give the hardware back. Harmless when repeated."""


class Reader(Protocol):
    """Delivers the text of tokens: a code in view, a wedge scanner, standard input."""

    name: str

    def poll(self, frame: Frame | None) -> str | None:
        """The text of a newly presented token, or None. Never blocks. ``frame`` is the idle stream's newest."""

    def close(self) -> None:
        """Give the hardware back."""
