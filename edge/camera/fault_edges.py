"""Faults are told when they begin and when they end, with a count, and never once a frame.

    edges = FaultEdges()
    for told in edges.frame(frame, health.check(frame)):      # every frame
        journal(told.error, told.faults)                      # "the pictures are black (22 of 31 frames in 2 s)"
    for told in edges.failed(error, time.monotonic_ns()):     # every time the source fails or does not open
        ...

An infrared light that fires in every other frame makes every other frame black: told frame by frame, an idle door wrote
170 to 340 MB of journal a day. So a fault *begins* when it has been seen for `LASTS_S`, in several frames, and *ends*
when it has not been seen for a while. That while is `CLEAR_S` at first and doubles each time the fault comes back
within the hour, up to `CLEAR_MOST_S`: a loose cable writes some hundred entries a day, whatever it does.

A source that fails is told at once, each kind of failure once an outage, and again at growing distances; that it has
recovered is told only after frames.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field

from edge.errors import CameraError
from edge.types import Fault, Frame

#: A fault of frames must last so long, and be seen so often, before it is told: the first frames after a start are
#: black, a lamp that is switched on dazzles.
LASTS_S, LEAST = 1.0, 3
#: Not seen for so long: over. Doubled with each return.
CLEAR_S, CLEAR_MOST_S = 3.0, 300.0
#: A fault that stayed away for so long starts with `CLEAR_S` again.
_FORGOTTEN_S = 3600.0
#: An outage is told again after so long, then after twice as long, up to the hour.
_AGAIN_S, _AGAIN_MOST_S = 60.0, 3600.0

_WORDS = {
    Fault.FROZEN: ("frozen", "the camera repeats one picture: reconnect it, then start again"),
    Fault.BLACK: ("black", "take the cap off the lens, or give the place light"),
    Fault.OVER_EXPOSED: ("over-exposed", "turn the camera away from the lamp or the sun"),
    Fault.BLURRED: ("blurred", "wipe the lens, and turn its focus"),
    Fault.WRONG_SIZE: ("of the wrong size", "set camera.width and camera.height to the camera's"),
    Fault.TIME_BACKWARDS: ("out of order in time", "reconnect the camera, then start again"),
}


@dataclass(frozen=True, slots=True)
class Told:
    """One thing to journal and to show.

    Attributes:
        error: what, where, remedy; of a fault that is over, what it was.
        faults: of the frames; STOPPED of a source that fails.
        over: it has ended; else it has begun, or goes on.
        count: frames with the fault, or failures of the source, since it began.
        seconds: since it began.
    """

    error: CameraError
    faults: frozenset[Fault]
    over: bool
    count: int
    seconds: float


@dataclass(slots=True)
class _Course:
    """A fault from its first sign to its end."""

    first_ns: int
    last_ns: int
    count: int = 0
    frames: int = 0  # all of them since the first sign
    clean: int = 0  # those since the last sign
    told: bool = False
    kinds: set[str] = field(default_factory=set)
    again_s: float = _AGAIN_S
    again_ns: int = 0


class FaultEdges:
    """What to tell of one camera, from what its frames and its failures show. Outlives streams: one for a device."""

    def __init__(self) -> None:
        self._courses: dict[Fault, _Course] = {}
        self._clear_s: dict[Fault, float] = {}
        self._ended_ns: dict[Fault, int] = {}

    @property
    def standing(self) -> frozenset[Fault]:
        """What was told and is not over."""
        return frozenset(fault for fault, course in self._courses.items() if course.told)

    def frame(self, frame: Frame, faults: Iterable[Fault]) -> tuple[Told, ...]:
        """A frame came, with these faults (`Health.check`).

        Returns:
            What is to be told now; nearly always nothing.
        """
        now, seen, tell = frame.monotonic_ns, frozenset(faults), []
        for fault in seen:
            self._sign(fault, now)
        for fault, course in list(self._courses.items()):
            course.frames += 1
            course.clean = 0 if fault in seen else course.clean + 1
            lasts = course.count >= LEAST and _seconds(course, now) >= LASTS_S
            if fault in seen and lasts and not course.told:
                course.told = True
                tell.append(self._begun(fault, course, now, frame.source))
            elif course.clean >= LEAST and now - course.last_ns >= self._clear_s[fault] * 1e9:
                del self._courses[fault]
                if course.told:
                    self._ended_ns[fault] = now
                    tell.append(self._over(fault, course, now, frame.source))
        return tuple(tell)

    def failed(self, error: CameraError, now_ns: int) -> tuple[Told, ...]:
        """The source failed, or did not open.

        Args:
            error: as raised.
            now_ns: on the clock of the frames (``time.monotonic_ns`` for a camera).
        """
        course = self._sign(Fault.STOPPED, now_ns)
        course.clean = 0
        kind = f"{type(error).__name__} {error.where} {re.sub('[0-9.]+', '', error.what)}"
        if kind in course.kinds and now_ns < course.again_ns:
            return ()
        if kind in course.kinds:
            course.again_s = min(2 * course.again_s, _AGAIN_MOST_S)
        course.kinds.add(kind)
        course.told, course.again_ns = True, now_ns + int(course.again_s * 1e9)
        seconds = _seconds(course, now_ns)
        if course.count > 1:
            what = f"{error.what} (failure {course.count} in {seconds:.0f} s)"
            error = type(error)(what, where=error.where, remedy=error.remedy)
        return (Told(error, frozenset({Fault.STOPPED}), False, course.count, seconds),)

    def _sign(self, fault: Fault, now_ns: int) -> _Course:
        course = self._courses.get(fault)
        if course is None:
            course = self._courses[fault] = _Course(now_ns, now_ns)
            ended = self._ended_ns.get(fault)
            soon = ended is not None and now_ns - ended < _FORGOTTEN_S * 1e9
            self._clear_s[fault] = min(2 * self._clear_s[fault], CLEAR_MOST_S) if soon else CLEAR_S
        course.count += 1
        course.last_ns = now_ns
        return course

    def _begun(self, fault: Fault, course: _Course, now_ns: int, source: str) -> Told:
        word, remedy = _WORDS[fault]
        seconds = _seconds(course, now_ns)
        what = f"the pictures are {word} ({course.count} of {course.frames} frames in {seconds:.0f} s)"
        error = CameraError(what, where=source, remedy=remedy)
        return Told(error, frozenset({fault}), False, course.count, seconds)

    def _over(self, fault: Fault, course: _Course, now_ns: int, source: str) -> Told:
        seconds = (course.last_ns - course.first_ns) / 1e9
        if fault is Fault.STOPPED:
            what = f"frames come again, after {course.count} failures in {_seconds(course, now_ns):.0f} s"
        else:
            what = f"the pictures are no longer {_WORDS[fault][0]}: {course.count} frames in {seconds:.0f} s were"
        return Told(CameraError(what, where=source), frozenset({fault}), True, course.count, seconds)


def _seconds(course: _Course, now_ns: int) -> float:
    return max(0.0, (now_ns - course.first_ns) / 1e9)
