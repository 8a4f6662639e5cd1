"""The flash on rendered faces: people alive under a screen's light against replays and injected video.

    python -m tests.benchmarks.flash --each 300 --json tests/benchmarks/results/flash.json

Each sequence is one flash of `edge.face.flash` at 15 frames a second: a fictional person before a rendered room,
found by the real detector. A screen adds its colour to the light on the face, less towards the head's edges and less
on what is behind it (inverse square of the distance); display and camera come 40 to 140 ms late, the camera's
exposure and white balance drift after what they see, its noise and its JPEG are those of the product's other
simulations.

``live``: indoors, a white screen gives 6 to 60 % of the room's light at the face. ``bright``: below 1 %, as by a
window: nothing can be seen, and the right answer is that nothing can be said. ``recording``: a display shows the
person under another sequence of colours, and mirrors 1 to 6 % of the screen's light; ``injected``: that recording in
place of the camera. ``still``: a recording without any flash. ``print``: a photograph on paper before the room, which
takes the colours as a face does; no bar, other lines are there for it. Exit code 1 when a bar is missed.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections import Counter
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from edge.face import Chain
from edge.face.flash import SHOWN, STEP_S, STEPS, Colour, Flash, drawn, tint
from edge.fictional.figure import PEOPLE
from edge.fictional.mesh import Pose
from edge.fictional.paint import Painter
from edge.fictional.scene import HeadInView, View
from edge.fictional.sensor import Sensor
from edge.lab.intervals import clopper_pearson
from edge.settings.model import FaceSettings
from edge.types import U8, Attack, Frame, Pass
from tests.benchmarks import report

KINDS = ("live", "bright", "recording", "injected", "still", "print")
#: Shares that may be wrong: people alive who do not pass, attacks that do.
BARS = {"live": 0.02, "recording": 0.03, "injected": 0.03, "still": 0.03}
#: Sequences of each kind, for those bars to be shown by exact bounds.
NEEDED = 300
SIZE, FPS = (320, 240), 15.0
F32 = NDArray[np.float32]
#: Light of each value of a pixel, 0..1.
_LIGHT = (np.arange(256, dtype=np.float32) / 255) ** np.float32(2.2)
#: What of a pure colour a display lets into the other two channels.
_LEAK = 0.06


@cache
def chain() -> Chain:
    return Chain.load(FaceSettings(threads=1, passive=None))


class Scene:
    """Somebody before a room, under the room's light and a screen's; light is linear, 1 is the room's white."""

    def __init__(self, rng: np.random.Generator, *, flat: bool = False) -> None:
        self._rng, self._seed = rng, int(rng.integers(8))
        self._painter = Painter(SIZE, self._seed, noise=0)
        self._name = PEOPLE[int(rng.integers(len(PEOPLE)))]
        self._height, self._x = float(rng.uniform(0.3, 0.55)), float(rng.uniform(0.42, 0.58))
        self._gain, self._flat = float(rng.uniform(0.55, 0.95)), flat
        self._sway = rng.normal(0, [0.006, 0.004]), rng.uniform(0.2, 0.6, 2), rng.uniform(0, 6, 2)
        apart = float(rng.uniform(0.8, 4.0))  # metres from the face to what is behind it, the face at 0.5 m
        self._behind = (0.5 / (0.5 + apart)) ** 2
        self._room = self._painter.paint(View("flash", heads=(), gain=self._gain), 0)
        self._places = np.mgrid[: SIZE[1], : SIZE[0]].astype(np.float32)

    def light(self, at_s: float, screen: F32) -> F32:
        """Float32 (H, W, 3), BGR; ``screen``: its light at the face, BGR, of the room's."""
        (dx, dy), pace, phase = self._sway
        moved = self._x + dx * np.sin(pace[0] * 6.28 * at_s + phase[0]), 0.5 + dy * np.sin(pace[1] * 6.28 * at_s)
        pose = Pose(3 * np.sin(0.4 * at_s + phase[1]), 2 * np.sin(0.5 * at_s + phase[0]), 0)
        head = HeadInView(self._name, 0, *moved, self._height, pose.yaw, pose.pitch, pose.roll, flat=self._flat)
        with_them = self._painter.paint(View("flash", heads=(head,), gain=self._gain), 0)
        blue, green, red = cv2.split(cv2.absdiff(with_them, self._room))
        mask = (cv2.max(cv2.max(blue, green), red) > 6).astype(np.float32)
        mask = cv2.GaussianBlur(mask, (0, 0), 2)
        v, u = self._places
        radius = np.hypot(u - moved[0] * SIZE[0], v - moved[1] * SIZE[1]) / (0.5 * self._height * SIZE[1])
        facing = np.ones_like(radius) if self._flat else np.clip(1.1 - 0.35 * radius**2, 0.25, 1)
        near = (mask * facing + (1 - mask) * self._behind)[..., None]
        return np.asarray(_LIGHT[with_them] * (1 + near.astype(np.float32) * screen))


class Camera:
    """From light to a frame: exposure and white balance follow what is seen, slowly; noise; JPEG."""

    def __init__(self, rng: np.random.Generator) -> None:
        self._sensor, self._index = Sensor(int(rng.integers(1000)), SIZE), 0
        self._follow, self._quality = float(rng.uniform(0.02, 0.15)), int(rng.integers(60, 98))
        self._balance, self._exposure = np.ones(3), 1.0
        self._first: F32 | None = None

    def take(self, light: F32) -> U8:
        mean = np.array(cv2.mean(light)[:3], np.float32)
        self._first = mean if self._first is None else self._first
        wanted = (self._first / self._first.mean()) / (mean / mean.mean())
        self._balance = self._balance + self._follow * (wanted - self._balance)
        self._exposure += self._follow * (float(self._first.mean() / mean.mean()) - self._exposure)
        value = cv2.pow(np.clip(light * np.float32(self._balance * self._exposure), 0, 1), 1 / 2.2)
        self._index += 1
        taken = self._sensor.noise(cv2.convertScaleAbs(value, alpha=255), self._index)
        code = cv2.imencode(".jpg", taken, [cv2.IMWRITE_JPEG_QUALITY, self._quality])[1]
        return np.asarray(cv2.imdecode(code, cv2.IMREAD_COLOR), np.uint8)


def shining(colours: tuple[Colour, ...], at_s: float, white: float) -> F32:
    """A screen's light, BGR, ``at_s`` after its first colour; dark before and after."""
    step = int(at_s / STEP_S)
    if at_s < 0 or step >= len(colours):
        return np.zeros(3, np.float32)
    pure = np.array(SHOWN[colours[step]][::-1], np.float32) / 255
    return np.asarray(white * (pure * (1 - _LEAK) + _LEAK * pure.sum() / 3), np.float32)


def frames(kind: str, rng: np.random.Generator, colours: tuple[Colour, ...]) -> Iterator[tuple[int, U8]]:
    """(time in nanoseconds, BGR) of one sequence, from the frame in which the flash begins."""
    other = drawn(rng.random)
    while other == colours:
        other = drawn(rng.random)
    white = float(np.exp(rng.uniform(np.log(0.06), np.log(0.6))))
    scene, late = Scene(rng, flat=kind == "print"), float(rng.uniform(0.04, 0.14))
    camera, first = Camera(rng), Camera(rng)
    shift, mirrored = float(rng.uniform(-STEP_S, STEP_S)), float(rng.uniform(0.01, 0.06))
    if kind == "bright":
        white = float(rng.uniform(0, 0.01))
    for index in range(int(STEPS * STEP_S * FPS) + 4):
        at_s = index / FPS
        now = shining(colours, at_s - late, white)
        if kind in ("live", "bright", "print"):
            picture = camera.take(scene.light(at_s, now))
        else:
            then = np.zeros(3, np.float32) if kind == "still" else shining(other, at_s - late - shift, white)
            picture = first.take(scene.light(at_s, then))
            if kind != "injected":
                picture = camera.take(_LIGHT[picture] * np.float32(0.9) + np.float32(mirrored) * now)
        yield int(at_s * 1e9) + 1, picture


def sequence(kind: str, number: int) -> str:
    """``pass``, ``attack``, ``unclear`` or ``no face``."""
    rng = np.random.default_rng((number, KINDS.index(kind)))
    colours, flash = drawn(rng.random), None
    for at_ns, picture in frames(kind, rng, colours):
        look = chain().look(Frame(picture, at_ns, at_ns, "rendered"), gate=False)
        if flash is None:
            if look.face is None:
                return "no face"
            flash = Flash(colours, at_ns, look.face)
            continue
        flash.see(at_ns, look, None if look.face is None else tint(picture, look.face))
        if flash.verdict is not None:
            break
    verdict = None if flash is None else flash.verdict
    return "pass" if isinstance(verdict, Pass) else "attack" if isinstance(verdict, Attack) else "unclear"


def main() -> None:
    parser = argparse.ArgumentParser(
        prog="python -m tests.benchmarks.flash",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--each", type=int, default=300, help="sequences of each kind (default 300)")
    parser.add_argument("--kind", nargs="*", default=list(KINDS), choices=KINDS)
    parser.add_argument("--first", type=int, default=0, help="number of the first sequence")
    parser.add_argument("--minutes", type=float, default=1e9, help="begin none after so many")
    parser.add_argument("--json", type=Path, help="write the figures")
    options = parser.parse_args()
    told, missed, began = {}, [], time.monotonic()
    came = {kind: Counter[str]() for kind in options.kind}
    for number in range(options.first, options.first + options.each):
        if time.monotonic() - began < 60 * options.minutes:
            for kind in options.kind:
                came[kind][sequence(kind, number)] += 1
    for kind, ends in came.items():
        ends.pop("no face", None)
        total = ends.total()
        wrong = total - ends["pass"] if kind == "live" else ends["pass"]
        low, high = clopper_pearson(wrong, total)
        percent = f"{100 * wrong / total:.1f} % [{100 * low:.1f}, {100 * high:.1f}]"
        told[kind] = {"sequences": total, "wrong": wrong, "interval": [round(low, 4), round(high, 4)], **ends}
        print(f"{kind:10} {dict(ends)}: wrong {wrong} of {total} = {percent}")
        if kind in BARS and wrong > BARS[kind] * total:
            missed.append(f"{kind}: {wrong} of {total} wrong (at most {100 * BARS[kind]:.0f} %)")
        if kind in BARS and total < NEEDED:
            missed.append(f"{kind}: {total} sequences (at least {NEEDED})")
    if options.json:
        report.write(
            options.json,
            schema="edge/benchmark-flash/v1",
            command=f"python -m tests.benchmarks.flash --kind {' '.join(options.kind)} --json {options.json}",
            models={"detector": chain().detector.card.sha256},
            figures={f"{kind}_wrong": row["wrong"] for kind, row in told.items()},
            kinds=told,
            missed=missed,
        )
    print(*missed, sep="\n")
    sys.exit(1 if missed else 0)


if __name__ == "__main__":
    main()
