"""Simulated challenge sequences: heads that turn in 3-D, prints moved by hand, recordings; real detector and embedder.

    python -m tests.benchmarks.challenge --each 2000                 # hours on one core; --first continues
    python -m tests.benchmarks.challenge --each 20 --kind live flat

Each sequence is a whole session of `edge.face.rule` with the challenge always on and no passive network: an enrolled
fictional person before a rendered room, 640x480 at 15 frames a second. ``live`` follows what it is told, at a person's
pace, and now and then mistakes left for right. ``flat``, ``bent`` and ``twisted`` are prints of the holder that are
moved as told, by up to 70 degrees; ``recording`` is the holder doing three turns in another order than either attempt
asks for, again and again; ``lottery`` is the same in any order, which is the right one now and then.
Every sequence follows from its number, so parts of a run can be put together.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections import Counter
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import cv2
import numpy as np

from edge import _resources
from edge.face import Chain
from edge.face.challenge import Plan
from edge.face.match import average
from edge.face.rule import ATTEMPTS, Active, Rule
from edge.fictional.actor import Actor
from edge.fictional.figure import PEOPLE
from edge.fictional.mesh import Pose
from edge.fictional.paint import MARGIN, Painter, draw_backdrop
from edge.fictional.scene import HeadInView, View
from edge.fictional.sensor import Sensor
from edge.lab.intervals import clopper_pearson
from edge.lab.sessions import EnrolledPerson, SessionPlayed, play
from edge.pictures import read_image
from edge.settings.model import DecisionSettings, FaceSettings
from edge.types import Direction, Frame, Outcome

KINDS = ("live", "flat", "bent", "twisted", "recording", "lottery")
SIZE, FPS = (640, 480), 15.0
_LONGEST = 45.0  # seconds; two attempts end long before


@cache
def chain() -> Chain:
    return Chain.load(FaceSettings(threads=1))


@cache
def holder(name: str) -> EnrolledPerson:
    """Enrolled from pictures 1 and 2; picture 0 comes to the door."""
    looks = [
        chain().look(Frame(read_image(_resources.path("people", f"{name}-{k}.jpg")), k, k, "picture"), gate=False)
        for k in (1, 2)
    ]
    vectors = [chain().embedder.embed(look.crop) for look in looks if look.crop is not None]
    settings = DecisionSettings()
    return EnrolledPerson(chain(), average(vectors), chain().threshold(settings.target_fmr, settings.looks))


def session(kind: str, number: int) -> SessionPlayed:
    """One sequence."""
    rng = np.random.default_rng((number, KINDS.index(kind)))
    name = PEOPLE[number % len(PEOPLE)]
    align = chain().embedder.card.align
    assert align is not None
    rule = Rule(DecisionSettings(), None, Active("always", align, np.random.default_rng((number, 99)).random))
    if kind in ("recording", "lottery"):
        random = np.random.default_rng((number, 99)).random
        asked = [Plan.drawn(random).directions for _ in range(ATTEMPTS)] if kind == "recording" else []
        order = _order(rng)
        while any(order[k:] + order[:k] in asked for k in range(3)):
            order = _order(rng)
        actor = Actor.recorded(rng, order, float(rng.uniform(0.3, 1.2)), _LONGEST)
    else:
        actor = Actor.living(rng, left_right=0.01 if kind == "live" else 0.0)
        actor.reach = 1.0 if kind == "live" else float(rng.uniform(0.7, 1.6))
    frames = _heads(name, actor, rng) if kind in ("live", "recording", "lottery") else _sheets(kind, name, actor, rng)
    return play(rule, holder(name), frames, told=lambda prompt, at_s: actor.told(prompt.direction, at_s))


def _order(rng: np.random.Generator) -> tuple[Direction, ...]:
    return tuple(Direction(value) for value in rng.permutation([value.value for value in Direction])[:3])


def _heads(name: str, actor: Actor, rng: np.random.Generator) -> Iterator[Frame]:
    painter, height = Painter(SIZE, int(rng.integers(8))), float(rng.uniform(0.3, 0.6))
    x, side = float(rng.uniform(0.42, 0.58)), float(rng.uniform(-0.4, 0.4))
    for index in range(1, int(_LONGEST * FPS)):
        pose = actor.pose(index / FPS)
        head = HeadInView(name, 0, x, 0.48, height, pose.yaw, pose.pitch, pose.roll)
        view = View("challenge", heads=(head,), side=side)
        yield Frame(painter.paint(view, index), int(index / FPS * 1e9), index, "rendered")


def _sheets(kind: str, name: str, actor: Actor, rng: np.random.Generator) -> Iterator[Frame]:
    """A print, moved as told: turned with its pose, bent or twisted as well while it turns."""
    from edge.fictional.attack import Hold, Instrument

    portrait = read_image(_resources.path("people", f"{name}-0.jpg"))
    face = chain().look(Frame(portrait, 1, 1, "picture"), gate=False).face
    assert face is not None
    backdrop = draw_backdrop(int(rng.integers(8)), SIZE)
    room = np.ascontiguousarray(backdrop[MARGIN:-MARGIN, MARGIN:-MARGIN])
    species = "borderless_print" if kind == "flat" and rng.random() < 0.3 else "print"
    height = float(rng.uniform(0.3, 0.6))
    sheet = Instrument(species, portrait, face=face.box, height=height, room=room, rng=rng)
    sensor = Sensor(int(rng.integers(1000)), SIZE)
    bend, twist = (
        float(rng.choice((-1, 1)) * rng.uniform(0.3, 1.2)),
        float(rng.choice((-1, 1)) * rng.uniform(0.1, 0.4)),
    )
    for index in range(1, int(_LONGEST * FPS)):
        pose = actor.pose(index / FPS)
        effort = min(1.0, np.hypot(pose.yaw, pose.pitch) / 30.0)
        axis = float(np.arctan2(abs(pose.yaw), abs(pose.pitch)))
        hold = Hold(
            Pose(pose.yaw, pose.pitch, pose.roll),
            bend * effort if kind == "bent" else 0.0,
            axis,
            twist * effort if kind == "twisted" else 0.0,
        )
        light = sheet.show(room, (0.5, 0.48), hold)
        yield Frame(sensor.noise(np.ascontiguousarray(light), index), int(index / FPS * 1e9), index, "rendered")


def main() -> None:
    parser = argparse.ArgumentParser(description="simulated challenge sequences")
    parser.add_argument("--each", type=int, default=2000)
    parser.add_argument("--first", type=int, default=0)
    parser.add_argument("--kind", nargs="*", choices=KINDS, default=list(KINDS))
    parser.add_argument("--out", type=Path, help="append one JSON line a sequence")
    given = parser.parse_args()
    cv2.setNumThreads(1)
    for kind in given.kind:
        played = []
        for number in range(given.first, given.first + given.each):
            one = session(kind, number)
            played.append(one)
            if given.out:
                with given.out.open("a") as file:
                    print(json.dumps({"kind": kind, "number": number, "ending": said(one), "attempts": one.attempts,
                                      "seconds": round(one.challenge_s, 2)}), file=file)  # fmt: skip
        report(kind, played)
        sys.stdout.flush()


def said(one: SessionPlayed) -> str:
    return "none" if one.ending is None else f"{one.ending.outcome.value}: {one.ending.reason.value}"


def report(kind: str, played: list[SessionPlayed]) -> None:
    accepted = [one for one in played if one.ending is not None and one.ending.outcome is Outcome.ACCEPT]
    low, high = clopper_pearson(len(accepted), len(played))
    times = [one.challenge_s for one in accepted] or [0.0]
    print(
        f"{kind:<10} accepted {len(accepted)} of {len(played)}: {len(accepted) / len(played):.2%} "
        f"[{low:.2%}, {high:.2%}]; at the first attempt {sum(one.attempts == 1 for one in accepted)}; "
        f"seconds {np.median(times):.1f} (95 % within {np.quantile(times, 0.95):.1f}); "
        f"{dict(Counter(said(one) for one in played))}"
    )


if __name__ == "__main__":
    main()
