"""The self-test's checks of the camera. One watch of about two seconds serves them all, while other checks run."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from functools import partial
from itertools import pairwise

from edge.camera.granted import Granted
from edge.camera.health import Health, Motion, brightness, motion, sharpness, watch
from edge.errors import CameraError
from edge.selftest import Check
from edge.selftest.report import NOT_RUNNING
from edge.settings.model import CameraSettings
from edge.types import Fault, Frame, Stream

#: A sensor gives half of its rate in the dark; below a third of what was asked a look comes too seldom.
_LEAST_SHARE = 1 / 3
#: A session ends a second without a frame; two clocks of one machine agree far better.
_OLD_S, _AHEAD_S = 1.0, 0.1
#: Limits as the report shows them; the numbers are those of `edge.camera.health`.
_ALIVE = "frames that are not the same bit for bit"
_EXPOSED = "not 99 % of it darker than 24, not 70 % brighter than 249, of 255"
_FOCUSED = "steps between near pixels of the height that a sharp scene has"
_FLOW = f"{_OLD_S:g} s old, none the same for a second"


@dataclass(slots=True)
class Watched:
    """What a stream showed while it was watched.

    Attributes:
        frames: reduced, for `motion`. faults: how many frames had each. size: width and height of the last one.
        light, sharp: of each frame; see `brightness` and `sharpness` of `edge.camera.health`.
        ages_s: seconds between a frame's time stamp and its delivery.
        granted: what the camera says of itself; None for files and generated people.
    """

    frames: list[Frame] = field(default_factory=list)
    faults: Counter[Fault] = field(default_factory=Counter)
    light: list[int] = field(default_factory=list)
    sharp: list[float] = field(default_factory=list)
    ages_s: list[float] = field(default_factory=list)
    size: tuple[int, int] = (0, 0)
    meta: dict[str, object] = field(default_factory=dict)
    granted: Granted | None = None

    @property
    def fps(self) -> float:
        """Frames per second, by their own timestamps; also those that came while this process looked elsewhere."""
        span = self.frames[-1].monotonic_ns - self.frames[0].monotonic_ns
        return 1e9 * (self.frames[-1].sequence - self.frames[0].sequence) / span if span > 0 else 0.0

    @property
    def name(self) -> str:
        """Which camera it is."""
        return self.granted.identity if self.granted else self.frames[0].source


class _Watching:
    """One watch of a stream that serves every check; what went wrong is not tried again."""

    def __init__(self, watch: Callable[[], Watched], view: Callable[[Frame], object]) -> None:
        self._watch, self._view = watch, view
        self._running: Future[Watched] | None = None
        self._shown = False

    def begin(self) -> Future[Watched]:
        """Watch in a thread of its own, from the first call on."""
        if self._running is None:
            pool = ThreadPoolExecutor(1, "self-test-camera")
            self._running = pool.submit(self._watch)
            pool.shutdown(wait=False)
        return self._running

    def seen(self) -> Watched:
        """What was seen, once it was. Raises `CameraError`."""
        result = self.begin().result()
        if not self._shown:
            self._shown = True
            self._view(result.frames[-1])
        return result


def checks(
    open_stream: Callable[[], AbstractContextManager[Stream]],
    settings: CameraSettings,
    view: Callable[[Frame], object] = lambda _: None,
) -> list[Check]:
    """What is checked of the configured source.

    Args:
        open_stream: gives a stream, or raises; called from a thread. settings: what was asked of it.
        view: given the last frame that was watched, reduced.
    """

    def watch() -> Watched:
        with open_stream() as stream:
            return look(stream, settings)

    watching = _Watching(watch, view)

    def check(
        name: str, proves: str, judge: Callable[[Watched], str], limit: str = "", *, needed: bool = True
    ) -> Check:
        # while the device runs, each frame is judged by `Health`
        return Check(name, proves, lambda: judge(watching.seen()), limit, needed, NOT_RUNNING, watching.begin)

    asked = f"{settings.width} x {settings.height}, {settings.fps * _LEAST_SHARE:.1f} frames a second or more"
    named = f"holds {settings.identity!r}" if settings.identity else "any, for none is declared"
    found = [
        check(
            "source",
            "the camera delivers frames of the world in front of it: a still with added noise fails",
            moves,
            _ALIVE,
        ),
        check(
            "camera",
            "it is a camera that can be named, and it delivers what the settings ask for",
            partial(delivers, settings=settings),
            asked,
        ),
        check(
            "camera identity",
            "it is the camera that the settings name, and no other one in its place",
            partial(identity, settings=settings),
            named,
        ),
        # warnings: at night a hall is black, and must not keep a device from starting
        check("exposure", "the picture is neither black nor washed out", exposed, _EXPOSED, needed=False),
        check("focus", "the lens is focused, clean and not covered", focused, _FOCUSED, needed=False),
        check(
            "flow", "frames follow one another, fresh, and stamped by this machine's clock", flows, _FLOW, needed=False
        ),
    ]
    if settings.driver != "own":
        return found
    proves = "the camera's driver is part of this product"
    return [
        Check("own driver", proves, not_ours, "part of it", needed=False, levels=NOT_RUNNING, begin=watching.begin),
        *found,
    ]


def look(stream: Stream, settings: CameraSettings) -> Watched:
    """Watch a started stream. Raises `CameraError`: it stops."""
    watched, health = Watched(), Health(settings)

    def see(frame: Frame) -> None:
        watched.faults.update(health.check(frame))
        watched.light.append(brightness(frame.image))
        watched.sharp.append(sharpness(frame.image))
        watched.ages_s.append((stream.now_ns() - frame.monotonic_ns) / 1e9)
        watched.size, watched.meta = (frame.width, frame.height), dict(frame.meta)

    watched.frames = watch(stream, timeout_s=settings.timeout_s, see=see)
    watched.granted = getattr(stream, "granted", None)
    return watched


def not_ours() -> str:
    """What is said of every driver of the builder's own. Raises `CameraError`."""
    raise CameraError(
        "the camera's driver is the builder's own, and decides alone which frames are seen",
        where="edge/camera/own.py",
        remedy="read it, or have it reviewed; picamera2 and v4l2 need no such trust",
    )


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
    told = "really changing" if found is Motion.MOVING else "a camera's own noise, and no one in view is moving"
    return f"{count} frames in {seconds:.0f} s, {told}"


def delivers(seen: Watched, settings: CameraSettings) -> str:
    """Identity, size and rate. Raises `CameraError`: another size, or too slow."""
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
    notes = "".join(f"; {note}" for note in seen.granted.notes) if seen.granted else ""
    return f"{seen.name}: {seen.size[0]} x {seen.size[1]}{format_}, {seen.fps:.1f} frames a second{notes}"


def identity(seen: Watched, settings: CameraSettings) -> str:
    """Which camera it is. Raises `CameraError`: another one than declared."""
    found = seen.granted.identity if seen.granted else ""
    if settings.identity and settings.identity not in found:
        raise CameraError(
            f"this is {found or 'no camera that says which it is'}, and {settings.identity!r} is declared",
            where=seen.name,
            remedy="find out who changed the camera or its socket; if you did: set camera.identity to this one",
        )
    return f"{seen.name}, as declared" if settings.identity else f"{seen.name}; none is declared (camera.identity)"


def exposed(seen: Watched) -> str:
    """How light the picture is. Raises `CameraError`: black, or washed out."""
    light = f"half of the picture is brighter than {_middle(seen.light):g} of 255"
    _need(seen, Fault.BLACK, light, "take the lens cap off, and switch on a light")
    _need(seen, Fault.OVER_EXPOSED, light, "turn the camera away from the lamp or the sun")
    exposure = seen.meta.get("ExposureTime")
    return light + (f", exposed for {int(exposure) / 1000:.1f} ms" if isinstance(exposure, int) else "")


def focused(seen: Watched) -> str:
    """How sharp the picture is. Raises `CameraError`: blurred, or nothing in it to be sharp."""
    if seen.faults[Fault.BLACK] + seen.faults[Fault.OVER_EXPOSED] > len(seen.frames) / 2:
        raise CameraError("nothing can be seen in it", where=seen.name, remedy="see the check `exposure`")
    sharp = f"steps {_middle(seen.sharp):.1f} times as steep as they must be"
    remedy = "focus the lens, wipe it, and take off what covers it, such as the protective film"
    _need(seen, Fault.BLURRED, sharp, remedy)
    return sharp


def flows(seen: Watched) -> str:
    """How old frames are, how evenly they come. Raises `CameraError`: repeated frames, or stamps of another clock."""
    times = [frame.monotonic_ns for frame in seen.frames]
    longest, age = max(b - a for a, b in pairwise(times)) / 1e6, _middle(seen.ages_s)
    if not -_AHEAD_S <= age <= _OLD_S:
        raise CameraError(
            f"the time stamps of frames are {abs(age):.1f} s {'old' if age > 0 else 'ahead'}",
            where=seen.name,
            remedy="connect the camera to a port of its own; if that changes nothing, use another camera",
        )
    found = f"{1000 * age:.0f} ms old, at most {longest:.0f} ms from one to the next"
    _need(seen, Fault.FROZEN, found, "start the device again; if the picture stays frozen, replace the camera")
    return found


def _need(seen: Watched, fault: Fault, found: str, remedy: str) -> None:
    """Return unless many of the frames have a fault. Raises `CameraError`."""
    # frozen and blurred are told only once they have lasted a second
    least = len(seen.frames) / (4 if fault in (Fault.FROZEN, Fault.BLURRED) else 2)
    if seen.faults[fault] > least:
        raise CameraError(f"the picture is {fault.value.replace('_', ' ')}: {found}", where=seen.name, remedy=remedy)


def _middle(values: Sequence[float]) -> float:
    return sorted(values)[len(values) // 2]
