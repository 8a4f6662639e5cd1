"""What the passive net learns from, made once: people alive and as attacks, through cameras like each other.

    make_all(blocks=40, held_out=2)            # .train/pad-train/000.npz ...; resumable

A block has `BLOCK` looks: the net's picture, its class, the teacher pair's answers, who and what it is. Half are alive.
Attacks show pictures of the same source before rooms of the same source: nothing but the attack differs.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np
from numpy.typing import NDArray

from edge.face.card import Views
from edge.face.passive import look
from edge.fictional.attack import PRINTS, SPECIES, Instrument
from edge.fictional.optics import Optics
from edge.fictional.paint import Painter
from edge.fictional.scene import View
from models.training.pad_scenes import Person, Scenes
from models.training.paths import DATA, WORK
from models.training.progress import track

if TYPE_CHECKING:
    from models.training.pad_teacher import Pair

U8 = NDArray[np.uint8]
BLOCK = 500
#: The net's picture: 80 rows; 112 columns of the frame, 4 x 3 face heights of it; 80 columns of the face, 1.6 heights.
HEIGHT, WIDTH = 80, 192
VIEWS = Views(around=(4.0, 3.0), near=1.6, split=112)
LIVE, PRINT, DISPLAY = range(3)
#: Species, as often as each is drawn.
_OFTEN = np.array([3, 3, 1, 3, 2, 2, 1.5])


class Looks:
    """Draws looks. ``split`` as of `Scenes`; ``seed``: everything random follows from it."""

    def __init__(self, work: Path, split: str, seed: int) -> None:
        self.scenes, self.rng = Scenes(work, split), np.random.default_rng(seed)
        self.before = [self.scenes.person(self.rng, self.scenes.size(self.rng)) for _ in range(8)]

    def draw(self, species: str | None) -> tuple[U8, tuple[float, float, float, float], Person]:
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
        x, y, w, h = box
        grow, dx, dy = np.exp(rng.normal(0, 0.06)), *rng.normal(0, 0.025, 2)
        return frame, (x + dx * w - (grow - 1) * w / 2, y + dy * h - (grow - 1) * h / 2, w * grow, h * grow), person


def block(looks: Looks, pair: Pair, size: int = BLOCK) -> dict[str, Any]:
    """One block of looks with the teachers' answers."""
    rng = looks.rng
    pictures, views = np.zeros((size, HEIGHT, WIDTH, 3), np.uint8), np.zeros((size, 2, 80, 80, 3), np.uint8)
    rows: dict[str, list[Any]] = {name: [] for name in ("label", "species", "source", "group", "share")}
    for number in range(size):
        species = None if number % 2 == 0 else str(rng.choice(SPECIES, p=_OFTEN / _OFTEN.sum()))
        frame, box, person = looks.draw(species)
        look(frame, box, VIEWS, pictures[number])
        views[number] = pair.views(frame, box)
        rows["label"].append(LIVE if species is None else PRINT if species in PRINTS else DISPLAY)
        rows["species"].append(species or "live")
        rows["source"].append(person.source)
        rows["group"].append(person.group)
        rows["share"].append(box[3] / frame.shape[0])
    answers = [pair(part) for part in np.array_split(views, max(1, size // 64))]
    logits, features = (np.concatenate([answer[k] for answer in answers]).astype(np.float16) for k in (0, 1))
    return {"pictures": pictures, "logits": logits, "features": features} | {k: np.array(v) for k, v in rows.items()}


def make(folder: Path, split: str, blocks: int, first_seed: int) -> None:
    """Blocks that are not there yet, each whole or not at all."""
    from models.training.pad_teacher import Pair

    folder.mkdir(parents=True, exist_ok=True)
    missing = [n for n in range(blocks) if not (folder / f"{n:03d}.npz").exists()]
    pair = Pair(DATA / "teachers")
    for number in track(missing, len(missing), f"{folder.name}, blocks of {BLOCK}"):
        found = block(Looks(WORK / "data", split, first_seed + number), pair)
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


def make_all(blocks: int, held_out: int) -> None:
    """Blocks to learn from, and of people, backgrounds and figures that are never learnt from."""
    cv2.setNumThreads(1)
    make(WORK / "pad-train", "train", min(blocks, 4), 100_000)  # enough for a training to begin
    make(WORK / "pad-held-out", "held_out", held_out, 900_000)
    make(WORK / "pad-train", "train", blocks, 100_000)
