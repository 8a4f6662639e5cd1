"""The self-test's checks of the camera. One watch of about two seconds serves them all."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass, field

from edge.camera.granted import Granted
from edge.camera.health import Health, Motion, motion, watch
from edge.errors import CameraError
from edge.selftest import Check
from edge.selftest.report import NOT_RUNNING
from edge.settings.model import CameraSettings
from edge.types import Fault, Frame, Stream

#: A sensor gives half of its rate in the dark; below a third of what was asked a look comes too seldom.
_LEAST_SHARE = 1 / 3
#: What a frame may show, and what helps.
_PICTURE = {
    Fault.BLACK: "take the lens cap off, and switch on a light",
    Fault.OVER_EXPOSED: "turn the camera away from the lamp or the sun",
    Fault.BLURRED: "focus the lens, wipe it, and take the protective film off",
    Fault.FROZEN: "start the device again; if the picture stays frozen, replace the camera",
}


@dataclass(slots=True)
class Watched:
    """What a stream showed while it was watched.

    Attributes:
        frames: reduced, for `motion`. faults: how many frames had each. size: width and height of the last one.
        granted: what the camera says of itself; None for files and generated people.
    """

    frames: list[Frame] = field(default_factory=list)
    faults: Counter[Fault] = field(default_factory=Counter)
    size: tuple[int, int] = (0, 0)
    meta: dict[str, object] = field(default_factory=dict)
    granted: Granted | None = None

    @property
    def fps(self) -> float:
        """Frames per second, by their own timestamps."""
        span = self.frames[-1].monotonic_ns - self.frames[0].monotonic_ns
        return 1e9 * (len(self.frames) - 1) / span if span > 0 else 0.0

    @property
    def name(self) -> str:
        """Which camera it is."""
        return self.granted.identity if self.granted else self.frames[0].source


def checks(open_stream: Callable[[], AbstractContextManager[Stream]], settings: CameraSettings) -> list[Check]:
    """What is checked of the configured source.

    Args:
        open_stream: gives a stream, or raises. settings: what was asked of it.
    """

    found: list[Watched | CameraError] = []

    def seen() -> Watched:
        """One watch for all; what went wrong is told once, and not tried again."""
        if not found:
            try:
                with open_stream() as stream:
                    found.append(look(stream, settings))
            except CameraError as error:
                found.append(error)
                raise
        if isinstance(found[0], Watched):
            return found[0]
        first = found[0]
        raise CameraError(f"not looked at: {first.what}", where=first.where, remedy="do first what is said above")

    return [
        Check(
            "source",
            "the camera delivers frames of the world in front of it: a still with added noise fails",
            lambda: moves(seen()),
            levels=NOT_RUNNING,  # while the device runs, each frame is judged by `Health`
        ),
        Check(
            "camera",
            "it is a camera that can be named, and it delivers what the settings ask for",
            lambda: delivers(seen(), settings),
            limit=f"{settings.width} x {settings.height}, {settings.fps * _LEAST_SHARE:.1f} frames a second or more",
            levels=NOT_RUNNING,
        ),
        Check(
            "picture",
            "the picture is neither black nor covered, over-exposed, frozen or out of focus",
            lambda: shows(seen()),
            needed=False,  # at night a hall is black, and must not keep a device from starting
            levels=NOT_RUNNING,
        ),
    ]


def look(stream: Stream, settings: CameraSettings) -> Watched:
    """Watch a started stream. Raises `CameraError`: it stops."""
    watched, health = Watched(), Health(settings)

    def see(frame: Frame) -> None:
        watched.faults.update(health.check(frame))
        watched.size, watched.meta = (frame.width, frame.height), dict(frame.meta)

    watched.frames = watch(stream, timeout_s=settings.timeout_s, see=see)
    watched.granted = getattr(stream, "granted", None)
    return watched


def moves(seen: Watched) -> str:
    """The source looks at the world; see `edge.camera.health.motion`. Raises `CameraError`: it shows a still."""
    found, count = motion(seen.frames), len(seen.frames)
    seconds = (seen.frames[-1].monotonic_ns - seen.frames[0].monotonic_ns) / 1e9
    if found is Motion.STILL:
        raise CameraError(
            f"{count} frames in {seconds:.0f} s, and nothing in them really changes",
            where=seen.frames[0].source,
            remedy="move in front of the camera while it is tested; a still picture is no camera",
        )
    told = "really changing" if found is Motion.MOVING else "a camera's own noise, and nobody in view who moves"
    return f"{count} frames in {seconds:.0f} s, {told}"


def delivers(seen: Watched, settings: CameraSettings) -> str:
    """Identity, size, rate and exposure. Raises `CameraError`: another size, or too slow."""
    if seen.faults[Fault.WRONG_SIZE]:
        raise CameraError(
            f"frames of {seen.size[0]} x {seen.size[1]} in place of {settings.width} x {settings.height}",
            where=seen.name,
            remedy="set camera.width and camera.height to what it delivers",
        )
    if seen.fps < settings.fps * _LEAST_SHARE:
        raise CameraError(
            f"{seen.fps:.1f} frames a second where {settings.fps:g} were asked for",
            where=seen.name,
            remedy="more light (a dark sensor is slow), a smaller camera.width, or a lower camera.fps",
        )
    format_ = f", {seen.granted.format}" if seen.granted else ""
    exposure = seen.meta.get("ExposureTime")
    light = f", exposed for {int(exposure) / 1000:.1f} ms" if isinstance(exposure, int) else ""
    notes = "".join(f"; {note}" for note in seen.granted.notes) if seen.granted else ""
    return f"{seen.name}: {seen.size[0]} x {seen.size[1]}{format_}, {seen.fps:.1f} frames a second{light}{notes}"


def shows(seen: Watched) -> str:
    """Raises `CameraError`: more than half of the frames have a fault that spoils the picture."""
    for fault, remedy in _PICTURE.items():
        # frozen and blurred are told only once they have lasted a second
        least = len(seen.frames) / (4 if fault in (Fault.FROZEN, Fault.BLURRED) else 2)
        if seen.faults[fault] > least:
            told = fault.value.replace("_", " ")
            raise CameraError(f"the picture is {told}", where=seen.name, remedy=remedy)
    return "light enough, sharp enough, and never the same"
