"""A camera without a camera: frames of a generated kiosk sequence with people who do not exist.

    source = FictionalSource((Nobody(1.0), OnePerson("ada", 4.0)), seed=1)
    with Pulled(source) as stream:
        frame = stream.next(stream.now_ns(), timeout_s=1.0)

What happens when is the script's (`scene`), what it looks like the painter's (`paint`). The same script and seed give
the same frames, in any order. This shows that the chain works; it says nothing about accuracy, and the settings let a
fictional source drive the log door only.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import replace

from edge.errors import CameraError, SourceEnded
from edge.fictional.actor import Actor
from edge.fictional.figure import KEPT, load_figure
from edge.fictional.pace import Pace
from edge.fictional.paint import Painter
from edge.fictional.scene import OnePerson, Scene, ShownCard, Timeline, View, default_script, look_up
from edge.types import U8, Frame


class FictionalSource:
    """The generated kiosk sequence. A `Source`.

    Args:
        script: the scenes; None for the endless default.
        width, height: of a frame, pixels.
        fps: frames per second of the sequence's time.
        seed: another room, other movements, other noise.
        loop: begin again at the end; else `SourceEnded`.
        real: sleep until a frame is due (a camera's pace); else as fast as asked, with timestamps as if on time.
        noise: strength of the sensor noise, 1 is normal.
        clock: monotonic nanoseconds; sleep: waits so many seconds. Both are used only when ``real``.
        start_ns: the time before the first frame when not ``real``.
        actor: moves the nearest head, in the place of the script.
    """

    #: No attribute can be put in the place of what draws the frames.
    __slots__ = (
        "_actor",
        "_card",
        "_clock",
        "_fps",
        "_frozen",
        "_pace",
        "_painter",
        "_real",
        "_sleep",
        "_start_ns",
        "_timeline",
    )
    name = "fictional"

    def __init__(
        self,
        script: Sequence[Scene] | None = None,
        *,
        width: int = 640,
        height: int = 480,
        fps: float = 15.0,
        seed: int = 0,
        loop: bool = False,
        real: bool = False,
        noise: float = 1.0,
        clock: Callable[[], int] = time.monotonic_ns,
        sleep: Callable[[float], None] = time.sleep,
        start_ns: int = 0,
        actor: Actor | None = None,
    ) -> None:
        scenes = default_script() if script is None else tuple(script)
        self._timeline = Timeline(scenes, loop=loop or script is None, seed=seed)
        self._fps, self._real, self._clock, self._sleep, self._start_ns = fps, real, clock, sleep, start_ns
        self._painter = Painter((width, height), seed, noise=noise)
        self._actor = actor
        self._pace: Pace | None = None
        self._card: ShownCard | None = None
        self._frozen: tuple[int, U8] | None = None

    def open(self) -> None:
        """Draw who will come, then start the sequence at its first frame.

        Drawn when they come, on a busy machine the first people would be seconds of silence in the middle of a claim.
        """
        begin, who = 0.0, list[tuple[str, int]]()
        for scene in self._timeline.scenes:
            view = look_up(self._timeline, begin + scene.seconds / 2)
            who += [(head.name, head.variant) for head in view.heads] if view is not None else []
            begin += scene.seconds
        for name, variant in list(dict.fromkeys(who))[:KEPT]:
            load_figure(name, variant)
        self._pace = Pace(self._fps, real=self._real, clock=self._clock, sleep=self._sleep, start_ns=self._start_ns)

    def read(self, timeout_s: float) -> Frame:
        """The next frame.

        Raises:
            SourceTimeout: none is due within ``timeout_s`` (only when ``real``).
            SourceEnded: the script is over.
            CameraError: not open.
        """
        if self._pace is None:
            raise CameraError("the source is not open", where=self.name, remedy="open it first")
        index, stamp = self._pace.next(timeout_s, self.name)
        view = look_up(self._timeline, index / self._fps)
        if view is None:
            raise SourceEnded("the script is over", where=self.name, remedy="loop it, or write a longer one")
        people = tuple(head.name for head in view.heads)
        meta = {"scene": view.scene, "people": people}
        return Frame(self._picture(index, view), stamp, index + 1, self.name, meta=meta)

    def close(self) -> None:
        """Stop. Harmless when repeated. A door keeps none of the people that its self-test has shown."""
        self._pace = self._frozen = None
        load_figure.cache_clear()

    def show_code(self, text: str | None, *, size: float = 0.62, tilt: float = 12.0, turn: float = 4.0) -> None:
        """Hold a card with a code into every following frame, over whatever the script shows; None takes it away.

        Args:
            text: of the code, which is drawn here.
            size: the card's width as a fraction of the frame's height.
            tilt: degrees out of the picture's plane; turn: degrees in it.
        """
        self._card = None if text is None else ShownCard(text, size=size, tilt=tilt, turn=turn)

    def _picture(self, index: int, view: View) -> U8:
        if self._card is not None:
            view = replace(view, card=self._card)
        if self._actor is not None and view.heads:
            pose = self._actor.pose(index / self._fps)
            nearest = replace(view.heads[-1], yaw=pose.yaw, pitch=pose.pitch, roll=pose.roll)
            view = replace(view, heads=(*view.heads[:-1], nearest))
        if not view.frozen:
            return self._painter.paint(view, index)
        found = self._timeline.at(index / self._fps)
        assert found is not None
        number, scene, _ = found
        if self._frozen is None or self._frozen[0] != number:
            self._frozen = number, self._painter.paint(view, index)
        still = self._frozen[1]
        noisy = isinstance(scene, OnePerson) and scene.noise_on_still
        return self._painter.sensor.noise(still, index + 1) if noisy else still.copy()
