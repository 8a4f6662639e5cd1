"""The script of a generated kiosk sequence: who comes, when, how they stand - in a few frozen words.

    script = (Nobody(2.0), OnePerson("ada", 4.0), Nobody(1.0), TwoPeople("fara", "goran", 3.0))
    view = look_up(Timeline(script), 2.9)      # what is in front of the camera 2.9 s later

A `Scene` is one entry of a script; a `View` is one moment of it: the people in it with place, size and pose of the
head, the light, the blur, the card that is held up. All movement is a closed formula of the time and of the seed, so
any frame can be rendered at any time, in any order, and comes out the same. Every value is made one of Python's own
(`exact`): a number that answers for itself could be drawn as any picture.

Units: seconds; lengths as fractions of the frame's height; degrees. Positive yaw: the face turns to image right;
positive pitch: it looks down.
"""

from __future__ import annotations

import math
import zlib
from dataclasses import dataclass, field, replace

from edge.fictional.exact import exact

#: How long walking up takes, and how large the face is (height / frame height) when it comes into view.
WALK_S = 1.2
FAR = 0.08
_LEAVE_S = 0.7
_INSTANT = 1e-6  # 0.2 + 0.4 is a little more than 9 / 15: a frame on the edge of two scenes belongs to the later one


@dataclass(frozen=True, slots=True)
class Nobody:
    """An empty kiosk."""

    seconds: float = 2.0

    def __post_init__(self) -> None:
        exact(self)


@dataclass(frozen=True, slots=True)
class OnePerson:
    """One person walks up, stands and turns the head.

    Attributes:
        name: one of the fictional people; variant: which of their pictures (0, 1 or 2).
        walk_up: come from afar in the first `WALK_S`; else stand there at once.
        leave: step out of view in the last 0.7 s.
        height: face height (hairline to chin) when standing; place: its centre, as a fraction of the frame's width.
        yaw: the head turns to both sides by so many degrees; 0 keeps it still but for a natural tremor.
        side_light: 0..1, strength of a light from one side that comes and goes.
        gain: brightness at the start and at the end of the scene, 1 is normal.
        defocus: 0..1, how much of the time the picture is out of focus.
        flat: show a flat photograph of the person, tilted by hand, in place of a head with depth.
        attack: show the person's picture with this attack instrument (`attack.SPECIES`), held by hand.
        still: one frozen picture for the whole scene, bit-identical; noise_on_still: with fresh sensor noise on it.
    """

    name: str
    seconds: float = 4.0
    variant: int = 0
    walk_up: bool = True
    leave: bool = False
    height: float = 0.5
    place: float = 0.5
    yaw: float = 20.0
    side_light: float = 0.5
    gain: tuple[float, float] = (0.85, 1.1)
    defocus: float = 0.1
    flat: bool = False
    attack: str = ""
    still: bool = False
    noise_on_still: bool = False

    def __post_init__(self) -> None:
        exact(self)


@dataclass(frozen=True, slots=True)
class TwoPeople:
    """Two people side by side, of similar height; ``ratio`` is the second face's height over the first's."""

    first: str
    second: str
    seconds: float = 3.0
    ratio: float = 0.92
    height: float = 0.4
    walk_up: bool = True
    yaw: float = 10.0

    def __post_init__(self) -> None:
        exact(self)


@dataclass(frozen=True, slots=True)
class ShowCode:
    """A hand holds a card with a code into view; no face is seen.

    Attributes:
        text: of the code, which the painter draws: nothing that comes from outside is shown here as a picture.
        size: the card's width as a fraction of the frame's height; tilt: degrees out of the picture's plane.
    """

    text: str = field(repr=False)
    seconds: float = 2.0
    size: float = 0.62
    tilt: float = 12.0

    def __post_init__(self) -> None:
        exact(self)


Scene = Nobody | OnePerson | TwoPeople | ShowCode


@dataclass(frozen=True, slots=True)
class HeadInView:
    """One head at one moment: who, where (fractions of frame width and height), how large, turned how."""

    name: str
    variant: int
    x: float
    y: float
    height: float
    yaw: float
    pitch: float
    roll: float
    flat: bool = False
    attack: str = ""

    def __post_init__(self) -> None:
        exact(self)


@dataclass(frozen=True, slots=True)
class ShownCard:
    """A card held into view at one moment: ``turn`` in the picture's plane, ``tilt`` out of it, degrees."""

    text: str = field(repr=False)
    x: float = 0.5
    y: float = 0.52
    size: float = 0.62
    turn: float = 0.0
    tilt: float = 12.0

    def __post_init__(self) -> None:
        exact(self)


@dataclass(frozen=True, slots=True)
class View:
    """One moment in front of the camera.

    Attributes:
        heads: farthest first.
        gain: brightness; side: -1..1, light from image left (negative) or right; blur: sigma in pixels of 480 rows.
        shake: the camera's displacement, x and y, in pixels of 480 rows.
        frozen: the picture stands still until the scene ends.
    """

    scene: str
    heads: tuple[HeadInView, ...] = ()
    card: ShownCard | None = None
    gain: float = 1.0
    side: float = 0.0
    blur: float = 0.0
    shake: tuple[float, float] = (0.0, 0.0)
    frozen: bool = False


@dataclass(frozen=True, slots=True)
class Timeline:
    """A script with its scenes' beginnings.

    Attributes:
        scenes: played in order; again and again when ``loop``.
        seed: moves the phases of every swing.
    """

    scenes: tuple[Scene, ...]
    loop: bool = False
    seed: int = 0

    @property
    def seconds(self) -> float:
        return sum(scene.seconds for scene in self.scenes)

    def at(self, time_s: float) -> tuple[int, Scene, float] | None:
        """Which scene plays at a time: its running number, the scene, the time into it; None after the end."""
        if not self.scenes or self.seconds <= 0:
            return None
        round_, rest = divmod(time_s + _INSTANT, self.seconds)
        if round_ and not self.loop:
            return None
        for position, scene in enumerate(self.scenes):
            if rest < scene.seconds:
                return int(round_) * len(self.scenes) + position, scene, rest
            rest -= scene.seconds
        return int(round_ + 1) * len(self.scenes) - 1, self.scenes[-1], self.scenes[-1].seconds


def default_script() -> tuple[Scene, ...]:
    """What ``driver: fictional`` shows, endlessly: people come in turn, each for as long as an enrolment takes."""
    people = ("ada", "fara", "kenji", "dara", "goran", "hana", "emil", "chen")
    script: list[Scene] = []
    for name in people:
        script += [Nobody(2.0), OnePerson(name, 15.0, leave=True)]
    return tuple(script)


def one_who_stays(name: str) -> tuple[Scene, ...]:
    """A person comes and stands there for a day: an enrolment takes as long as the machine needs."""
    return (OnePerson(name, 86_400.0),)


def look_up(timeline: Timeline, time_s: float) -> View | None:
    """What is in front of the camera at a time, or None after the end of the script."""
    found = timeline.at(time_s)
    if found is None:
        return None
    number, scene, into = found
    wave = _Waves(timeline.seed, number)
    match scene:
        case OnePerson():
            view = _one(scene, 0.75 * scene.seconds if scene.still else into, wave)
        case TwoPeople():
            view = _two(scene, into, wave)
        case ShowCode():
            view = View("ShowCode", card=_held(scene, into, wave), gain=1.0)
        case _:
            view = View("Nobody")
    if view.frozen:
        return view
    # Fans, doors and steps shake every mounted camera a little; mains light and clouds make every light waver.
    world = _Waves(timeline.seed, -1)
    shake = (0.6 * world.swing(time_s, 1.7, 1) + view.shake[0], 0.5 * world.swing(time_s, 2.3, 2) + view.shake[1])
    return replace(view, shake=shake, gain=view.gain * (1 + 0.012 * world.swing(time_s, 0.9, 3)))


@dataclass(frozen=True, slots=True)
class _Waves:
    """Smooth movements without a visible period: two sines whose phases come from the seed."""

    seed: int
    number: int

    def phase(self, key: int) -> float:
        """0..1, fixed for this seed, scene and key."""
        return zlib.crc32(f"{self.seed}/{self.number}/{key}".encode()) / 2**32

    def swing(self, time_s: float, hertz: float, key: int) -> float:
        """-1..1 at about ``hertz``."""
        first, second = 2 * math.pi * self.phase(key), 2 * math.pi * self.phase(key + 100)
        angle = 2 * math.pi * hertz * time_s
        return 0.65 * math.sin(angle + first) + 0.35 * math.sin(1.618 * angle + second)

    def sign(self, key: int) -> int:
        return 1 if self.phase(key) < 0.5 else -1


def _smooth(value: float) -> float:
    """0 below 0, 1 above 1, with level ends between (3 v^2 - 2 v^3)."""
    value = min(1.0, max(0.0, value))
    return value * value * (3 - 2 * value)


def _one(scene: OnePerson, into: float, wave: _Waves) -> View:
    share = into / scene.seconds
    near = _smooth(into / WALK_S) if scene.walk_up else 1.0
    gone = _smooth((into - scene.seconds + _LEAVE_S) / _LEAVE_S) if scene.leave else 0.0
    standing = into - (WALK_S if scene.walk_up else 0.0)
    head = _head(scene.name, scene.height, scene.place, near, into, standing, scene.yaw, wave)
    head = replace(
        head, variant=scene.variant, flat=scene.flat, attack=scene.attack, x=head.x + wave.sign(9) * 0.9 * gone
    )
    walking = 4 * near * (1 - near)  # 1 in mid-walk, 0 at rest
    unfocused = scene.defocus > 0 and wave.swing(into, 0.45, 12) > 1 - 2 * scene.defocus
    return View(
        scene="OnePerson",
        heads=(head,),
        gain=scene.gain[0] + (scene.gain[1] - scene.gain[0]) * _smooth(share),
        side=scene.side_light * wave.swing(into, 0.3, 7),
        blur=1.0 * walking + 1.5 * gone + (1.8 if unfocused else 0.0),
        shake=(0.0, 0.8 * walking * wave.swing(into, 3.1, 8)),
        frozen=scene.still,
    )


def _two(scene: TwoPeople, into: float, wave: _Waves) -> View:
    near = _smooth(into / WALK_S) if scene.walk_up else 1.0
    standing = into - (WALK_S if scene.walk_up else 0.0)
    other = _Waves(wave.seed, wave.number + 50_000)
    gap = 0.48 * scene.height
    left = _head(scene.first, scene.height, 0.5 - gap, near, into, standing, scene.yaw, wave)
    right = _head(scene.second, scene.height * scene.ratio, 0.5 + gap, near, into, standing, scene.yaw, other)
    heads = tuple(sorted((left, right), key=lambda head: head.height))
    return View("TwoPeople", heads=heads, blur=4 * near * (1 - near), side=0.3 * wave.swing(into, 0.3, 7))


def _head(
    name: str, height: float, place: float, near: float, into: float, standing: float, yaw: float, wave: _Waves
) -> HeadInView:
    """Size, place and pose: growing while walking, then turning after a first half second of looking ahead."""
    size = math.exp(math.log(FAR) + (math.log(height) - math.log(FAR)) * near) if near < 1 else height
    walking = 1 - near
    turn = _smooth((standing - 0.5) / 0.6) * math.sin(2 * math.pi * (standing - 0.5) / 3.0) * wave.sign(4)
    return HeadInView(
        name=name,
        variant=0,
        x=0.5 + (place - 0.5) * (0.35 + 0.65 * near) + (0.012 + 0.02 * walking) * wave.swing(into, 0.8, 1) * size * 2,
        y=0.40 + 0.08 * near + (0.004 + 0.012 * walking) * wave.swing(into, 1.9, 2) * size * 2,
        height=size,
        yaw=yaw * turn + 2.0 * wave.swing(into, 0.7, 3),
        pitch=3.0 * wave.swing(into, 0.5, 5),
        roll=2.0 * wave.swing(into, 0.35, 6),
    )


def _held(scene: ShowCode, into: float, wave: _Waves) -> ShownCard:
    """A card held by hand: it trembles, and is brought in from below in the first 0.3 s."""
    rise = _smooth(into / 0.3)
    return ShownCard(
        text=scene.text,
        x=0.5 + 0.01 * wave.swing(into, 0.9, 1),
        y=1.4 - 0.88 * rise + 0.01 * wave.swing(into, 1.1, 2),
        size=scene.size,
        turn=4.0 * wave.swing(into, 0.4, 3),
        tilt=scene.tilt * (0.8 + 0.2 * wave.swing(into, 0.5, 4)),
    )
