"""Simulated challenge sequences: heads that turn in 3-D, prints moved by hand, recordings; real detector and embedder.

    python -m tests.benchmarks.challenge --lines played.jsonl --json tests/benchmarks/results/challenge.json    # hours
    python -m tests.benchmarks.challenge --each 20 --kind live flat

Each sequence is a whole session of `edge.face.rule` with the challenge always on and no passive network: an enrolled
fictional person before a rendered room, 480x360, people alive at 15 frames a second and attacks, whose time nobody
asks for, at 10. Sensor noise changes where the face is and stands still elsewhere; no hand is drawn that holds a sheet.
``live`` follows what it is told, at a person's pace, and now and then mistakes left for right. ``flat``, ``bent`` and
``twisted`` are prints of the holder that are moved as told, by up to 70 degrees; ``recording`` is the holder doing
three turns in another order than either attempt asks for, again and again; ``lottery`` is the same in any order, which
is the right one now and then. Every sequence follows from its number; a run that was ended goes on from its lines.
A sheet that is never compared, since the gate refuses it or it does not match, counts as refused, and is told apart
(``challenged``). Exit code 1 when a bar is missed.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections import Counter
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from edge import _resources
from edge.face import Chain
from edge.face.challenge import Plan
from edge.face.match import average
from edge.face.rule import ATTEMPTS, Active, Rule
from edge.fictional.actor import Actor
from edge.fictional.attack import Box, Hold, Instrument
from edge.fictional.figure import PEOPLE, Figure, load_figure
from edge.fictional.mesh import Pose
from edge.fictional.paint import MARGIN, draw_backdrop, draw_body, draw_head, placed
from edge.fictional.scene import HeadInView
from edge.fictional.sensor import Sensor
from edge.lab.intervals import clopper_pearson
from edge.lab.sessions import EnrolledPerson, SessionPlayed, play
from edge.pictures import read_image
from edge.settings.model import DecisionSettings, FaceSettings
from edge.types import U8, Direction, Frame, Outcome
from tests.benchmarks import report

KINDS = ("live", "flat", "bent", "twisted", "recording", "lottery")
SIZE, ROOMS = (480, 360), 8
FPS = {"live": 15.0, "recording": 10.0, "lottery": 10.0, "flat": 10.0, "bent": 10.0, "twisted": 10.0}
#: Bars: shares of living people accepted, and of each attack; sequences of each kind; seconds of the median person.
LIVE, ATTACK, NEEDED, LIVE_S = 0.97, 0.01, 2000, 4.0
SHEETS = ("flat", "bent", "twisted")
ATTACKS = (*SHEETS, "recording")
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
    frames = _sheets(kind, name, actor, rng) if kind in SHEETS else _heads(kind, name, actor, rng)
    return play(rule, holder(name), frames, told=lambda prompt, at_s: actor.told(prompt.direction, at_s))


def _order(rng: np.random.Generator) -> tuple[Direction, ...]:
    return tuple(Direction(value) for value in rng.permutation([value.value for value in Direction])[:3])


@cache
def _figure(name: str) -> Figure:
    return load_figure(name, 0)


@cache
def _room(seed: int) -> U8:
    return np.ascontiguousarray(draw_backdrop(seed, SIZE)[MARGIN:-MARGIN, MARGIN:-MARGIN])


@cache
def _sensor(seed: int) -> Sensor:
    return Sensor(seed, SIZE)


def _heads(kind: str, name: str, actor: Actor, rng: np.random.Generator) -> Iterator[Frame]:
    """A head that turns on a body that stands still: as `Painter` draws it, the room and the body once."""
    fps = FPS[kind]
    room, height = int(rng.integers(ROOMS)), float(rng.uniform(0.3, 0.6))
    x, side = float(rng.uniform(0.42, 0.58)), float(rng.uniform(-0.4, 0.4))
    figure, ground = _figure(name), _room(room).copy()
    scale, origin = placed(figure, HeadInView(name, 0, x, 0.48, height, 0, 0, 0), SIZE)
    draw_body(ground, figure, origin, scale)
    sensor = _sensor(room)
    for index in range(1, int(_LONGEST * fps)):
        head = ground.copy()
        draw_head(head, figure, origin, scale, actor.pose(index / fps))
        yield _taken(sensor, sensor.lit(head, 1.0, side), index, fps, (x, height))


def _taken(sensor: Sensor, light: U8, index: int, fps: float, place: tuple[float, float]) -> Frame:
    """A frame whose noise changes where the face is, and stands still elsewhere."""
    wide, high = SIZE
    reach = 0.8 * place[1] * high
    across, down = (
        slice(max(0, int(middle - reach)), int(middle + reach)) for middle in (place[0] * wide, 0.48 * high)
    )
    light[down, across] = sensor.noise(light[down, across], index)
    return Frame(light, int(index / fps * 1e9), index, "rendered")


@cache
def _portrait(name: str) -> tuple[U8, Box]:
    portrait = read_image(_resources.path("people", f"{name}-0.jpg"))
    face = chain().look(Frame(portrait, 1, 1, "picture"), gate=False).face
    assert face is not None
    return portrait, face.box


def _sheets(kind: str, name: str, actor: Actor, rng: np.random.Generator) -> Iterator[Frame]:
    """A print, moved as told: turned with its pose, bent or twisted as well while it turns."""
    portrait, face = _portrait(name)
    fps = FPS[kind]
    room = _room(int(rng.integers(ROOMS)))
    species = "borderless_print" if kind == "flat" and rng.random() < 0.3 else "print"
    height = float(rng.uniform(0.3, 0.6))
    sheet = Instrument(species, portrait, face=face, height=height, room=room, rng=rng, hands=False)
    sensor = _sensor(int(rng.integers(ROOMS)))
    bend, twist = (
        float(rng.choice((-1, 1)) * rng.uniform(0.3, 1.2)),
        float(rng.choice((-1, 1)) * rng.uniform(0.1, 0.4)),
    )
    for index in range(1, int(_LONGEST * fps)):
        pose = actor.pose(index / fps)
        effort = min(1.0, np.hypot(pose.yaw, pose.pitch) / 30.0)
        axis = float(np.arctan2(abs(pose.yaw), abs(pose.pitch)))
        hold = Hold(
            Pose(pose.yaw, pose.pitch, pose.roll),
            bend * effort if kind == "bent" else 0.0,
            axis,
            twist * effort if kind == "twisted" else 0.0,
        )
        yield _taken(sensor, sheet.show(room, (0.5, 0.48), hold), index, fps, (0.5, height))


def main() -> None:
    parser = argparse.ArgumentParser(
        prog="python -m tests.benchmarks.challenge",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--each", type=int, default=2000, help="sequences of each kind (default 2000)")
    parser.add_argument("--kind", nargs="*", choices=KINDS, default=list(KINDS))
    parser.add_argument("--minutes", type=float, default=1e9, help="begin none after so many")
    parser.add_argument("--lines", type=Path, help="one JSON line a sequence; what it holds is not played again")
    parser.add_argument("--json", type=Path, help="write the figures")
    given = parser.parse_args()
    cv2.setNumThreads(1)
    began = time.monotonic()
    lines = given.lines.read_text().splitlines() if given.lines and given.lines.exists() else []
    played = {(one["kind"], one["number"]): one for one in map(json.loads, lines)}
    for number in range(given.each):
        for kind in given.kind:
            if (kind, number) in played or time.monotonic() - began > 60 * given.minutes:
                continue
            one = session(kind, number)
            line = {"kind": kind, "number": number, "ending": said(one), "attempts": one.attempts}
            played[kind, number] = line | {"seconds": round(one.challenge_s, 2)}
            if given.lines:
                with given.lines.open("a") as file:
                    print(json.dumps(played[kind, number]), file=file)
    found = {
        kind: told for kind in given.kind if (told := figures([one for one in played.values() if one["kind"] == kind]))
    }
    for kind, told in found.items():
        print(f"{kind:<10} accepted {told['accepted']} of {told['sequences']} {told['interval']}; {told}")
    missed = [f"{kind}: {text}" for kind, told in found.items() for text in _missed(kind, told)]
    print(*missed, sep="\n")
    if given.json:
        report.write(
            given.json,
            schema="edge/benchmark-challenge/v1",
            command=f"python -m tests.benchmarks.challenge --kind {' '.join(given.kind)} --json {given.json}",
            models={"detector": chain().detector.card.sha256, "embedder": chain().embedder.card.sha256},
            figures={f"{kind}_accepted": told["accepted"] for kind, told in found.items()},
            kinds=found,
            missed=missed,
        )
    sys.exit(1 if missed else 0)


def figures(played: list[dict[str, Any]]) -> dict[str, Any] | None:
    """What came of the sequences of one kind; None of none."""
    if not played:
        return None
    accepted = [one for one in played if one["ending"].startswith(Outcome.ACCEPT.value)]
    low, high = clopper_pearson(len(accepted), len(played))
    told: dict[str, Any] = {"sequences": len(played), "challenged": sum(one["attempts"] > 0 for one in played)}
    told["accepted"] = len(accepted)
    told |= {"interval": [round(low, 4), round(high, 4)], "endings": dict(Counter(one["ending"] for one in played))}
    if accepted:
        times = [one["seconds"] for one in accepted]
        told["at_first"] = sum(one["attempts"] == 1 for one in accepted)
        told |= {"median_s": float(np.median(times)), "within_s": round(float(np.quantile(times, 0.95)), 2)}
    return told


def _missed(kind: str, told: dict[str, Any]) -> Iterator[str]:
    """In words, what misses its bar."""
    share = told["accepted"] / told["sequences"]
    if kind == "live" and share < LIVE:
        yield f"{share:.1%} accepted (at least {LIVE:.0%})"
    if kind == "live" and told.get("median_s", 0) >= LIVE_S:
        yield f"median {told['median_s']:.1f} s (below {LIVE_S:.0f})"
    if kind in ATTACKS and share > ATTACK:
        yield f"{share:.1%} accepted (at most {ATTACK:.0%})"
    if told["sequences"] < NEEDED and kind != "lottery":
        yield f"{told['sequences']} sequences (at least {NEEDED:,})"


def said(one: SessionPlayed) -> str:
    return "none" if one.ending is None else f"{one.ending.outcome.value}: {one.ending.reason.value}"


if __name__ == "__main__":
    main()
