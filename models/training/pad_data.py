"""What the passive net learns from: views of people alive and of attacks, through cameras like each other.

    make_all(frames=4000, held_out=600)        # .train/pad-train/000.npz ...; resumable

A frame has 480 rows or about as many, as a door's has: what gives prints and displays away is finer than what fewer
rows keep. Half are people alive. Attacks show pictures of the same source before rooms of the same source: nothing but
the attack differs. Each frame gives several of the net's pictures: the face's box a little off, as detectors put it,
and some that are of anything in the frame, since the student has to answer as the teacher does everywhere.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from edge.face.passive import look
from edge.fictional.attack import PRINTS, SPECIES, Instrument
from edge.fictional.paint import Painter
from edge.fictional.scene import View
from models.training.optics import Optics
from models.training.pad_scenes import Person, Scenes
from models.training.paths import WORK
from models.training.progress import track

U8 = NDArray[np.uint8]
#: Frames of a block.
BLOCK = 100
#: Pictures of a frame: of its face, and of anything in it.
FACES, ANYTHING = 9, 3
SIDE = 80
#: Sides of the net's picture, times the face's box: the teacher's.
SCALE = 2.7
LIVE, PRINT, DISPLAY = range(3)
#: Species, as often as each is drawn.
_OFTEN = np.array([3, 3, 1, 3, 2, 2, 1.5])
Box = tuple[float, float, float, float]


class Looks:
    """Draws looks. ``split`` as of `Scenes`; ``seed``: everything random follows from it."""

    def __init__(self, work: Path, split: str, seed: int) -> None:
        self.scenes, self.rng = Scenes(work, split), np.random.default_rng(seed)
        self.before = [self.scenes.person(self.rng, self.scenes.size(self.rng)) for _ in range(8)]

    def draw(self, species: str | None) -> tuple[U8, Box, Person]:
        """A frame as a camera has taken it, the face's box about where a detector would put it, and who it is.

        An attack shows somebody of the last few who were alive, in a room of their like or before one of them.
        """
        rng = self.rng
        if species is None:
            person = self.scenes.person(rng, self.scenes.size(rng))
            self.before = [*self.before[1:], person]
            frame, box = person.frame, person.box
        else:
            shown, held = rng.choice(len(self.before), 2, replace=False)
            person, holder = self.before[shown], self.before[held].frame
            size = self.scenes.size(rng) if rng.random() < 0.5 else (holder.shape[1], holder.shape[0])
            share = float(np.clip(rng.normal(0.44, 0.12), 0.16, 0.75))
            place = (float(np.clip(rng.normal(0.5, 0.1), 0.25, 0.75)), float(np.clip(rng.normal(0.5, 0.07), 0.3, 0.7)))
            room = holder if size == holder.shape[1::-1] and rng.random() < 0.8 else self.scenes.room(rng, size)
            taken = Optics.drawn(rng).take(person.frame, rng) if rng.random() < 0.4 else person.frame
            frame = Instrument(species, taken, face=person.box, height=share, room=room, rng=rng).show(room, place)
            high = share * frame.shape[0]
            wide = high * person.box[2] / person.box[3]
            box = (place[0] * frame.shape[1] - wide / 2, place[1] * frame.shape[0] - high / 2, wide, high)
        frame = Optics.drawn(rng).take(frame, rng)
        return frame, box, person


def moved(box: Box, rng: np.random.Generator, much: float) -> Box:
    """A box about where a detector would put it; ``much``: 1 is its usual fault."""
    x, y, w, h = box
    grow, dx, dy = np.exp(rng.normal(0, 0.06 * much)), *rng.normal(0, 0.025 * much, 2)
    return x + dx * w - (grow - 1) * w / 2, y + dy * h - (grow - 1) * h / 2, w * grow, h * grow


def anything(shape: tuple[int, ...], rng: np.random.Generator) -> Box:
    """The box of a face that is not there, of any size a face has."""
    high = shape[0] * rng.uniform(0.12, 0.7)
    wide = min(high * rng.uniform(0.65, 0.95), 0.9 * shape[1])
    return float(rng.uniform(0, shape[1] - wide)), float(rng.uniform(0, shape[0] - high)), float(wide), float(high)


def block(looks: Looks, size: int = BLOCK, faces: int = FACES, others: int = ANYTHING) -> dict[str, Any]:
    """Pictures of ``size`` frames; ``label`` is -1 where there is no face."""
    rng, each = looks.rng, faces + others
    pictures = np.zeros((size * each, SIDE, SIDE, 3), np.uint8)
    rows: dict[str, list[Any]] = {name: [] for name in ("label", "species", "source", "group", "share")}
    for number in range(size):
        species = None if number % 2 == 0 else str(rng.choice(SPECIES, p=_OFTEN / _OFTEN.sum()))
        frame, box, person = looks.draw(species)
        label = LIVE if species is None else PRINT if species in PRINTS else DISPLAY
        for k in range(each):
            at = moved(box, rng, 1 if k < 5 else 2.5) if k < faces else anything(frame.shape, rng)
            look(frame, at, SCALE, pictures[number * each + k])
            rows["label"].append(label if k < faces else -1)
            rows["species"].append(species or "live")
            rows["source"].append(person.source)
            rows["group"].append(person.group)
            rows["share"].append(at[3] / frame.shape[0])
    return {"pictures": pictures} | {k: np.array(v) for k, v in rows.items()}


def make(folder: Path, split: str, frames: int, first_seed: int, faces: int, others: int) -> None:
    """Blocks that are not there yet, each whole or not at all."""
    folder.mkdir(parents=True, exist_ok=True)
    missing = [n for n in range(-(-frames // BLOCK)) if not (folder / f"{n:03d}.npz").exists()]
    for number in track(missing, len(missing), f"{folder.name}, blocks of {BLOCK} frames"):
        found = block(Looks(WORK / "data", split, first_seed + number), faces=faces, others=others)
        np.savez(folder / f"{number:03d}.tmp.npz", **found)
        (folder / f"{number:03d}.tmp.npz").replace(folder / f"{number:03d}.npz")


def sheet(path: Path, each: int = 3) -> None:
    """A contact sheet: a column a species, people who do not exist, before and through the same kind of cameras."""
    from edge import _resources
    from edge.face import Detector, load_card
    from edge.fictional import FictionalSource, OnePerson
    from edge.pictures import read_image

    detector, columns = Detector(load_card("detector")), []
    for number, species in enumerate(("live", *SPECIES)):
        column = []
        for row, name in enumerate(("ada", "goran", "hana", "isak")[:each]):
            rng = np.random.default_rng((7, number, row))
            source = FictionalSource((OnePerson(name, 9.0, walk_up=False, yaw=5, gain=(1, 1)),), seed=row + 1, noise=0)
            source.open()
            frame = source.read(1.0).image
            if species != "live":
                picture = read_image(_resources.path("people", f"{name}-1.jpg"))
                box = detector.detect(picture)[0].box
                backdrop = Painter((640, 480), row + 4, noise=0).paint(View("Nobody"), 0)
                shown = Instrument(species, picture, face=box, height=0.45, room=backdrop, rng=rng)
                frame = shown.show(backdrop, (0.5, 0.5))
            taken = Optics.drawn(rng).take(frame, rng)
            small = np.asarray(cv2.resize(taken, (216, 162), interpolation=cv2.INTER_AREA), np.uint8)
            column.append(cv2.copyMakeBorder(small, 0, 4, 0, 4, cv2.BORDER_CONSTANT, value=(255, 255, 255)))
        title = np.full((20, 220, 3), 255, np.uint8)
        cv2.putText(
            title, species.replace("_", " "), (4, 15), cv2.FONT_HERSHEY_SIMPLEX, 0.48, (0, 0, 0), 1, cv2.LINE_AA
        )
        columns.append(np.vstack([title, *column]))
    cv2.imwrite(str(path), np.hstack(columns), [cv2.IMWRITE_JPEG_QUALITY, 80])


def load(folder: Path, most: int = 1000) -> dict[str, NDArray[Any]]:
    """All blocks of a folder, one after the other."""
    parts = [dict(np.load(path)) for path in sorted(folder.glob("[0-9][0-9][0-9].npz"))[:most]]
    if not parts:
        raise SystemExit(f"{folder}: no blocks; run python -m models.training.pad make")
    return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}


def make_all(frames: int, held_out: int) -> None:
    """Frames to learn from, and of people, backgrounds and figures that are never learnt from, one picture each."""
    cv2.setNumThreads(1)
    make(WORK / "pad-train", "train", min(frames, 500), 100_000, FACES, ANYTHING)  # enough for a training to begin
    make(WORK / "pad-held-out", "held_out", held_out, 900_000, 1, 0)
    make(WORK / "pad-train", "train", frames, 100_000, FACES, ANYTHING)
