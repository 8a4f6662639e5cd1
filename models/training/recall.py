"""What the shipped detector is worth, both looks of it: recall by what makes a face hard, and its false alarms.

    found = measure(WORK / "data", each=150, seed=1)    # {group: {row: Tally}}; six minutes of one core
    recall_report.write(found, ...)                     # detector.json
    recall_plot.draw(...)                               # detector-recall.png, of the JSON

Every frame is 640x480 and goes through `edge.face.detect.Detector` as on a device, and through the same net looking
once (score 0.5, as it did before it looked twice). A face counts as found when a box overlaps the true one by an IoU
of at least 0.5; two people count as found when both are. Landmarks are compared with the labels (YuNet, averaged over
views), or with the mesh that was turned.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from edge import _resources
from edge.face import load_card
from edge.face.card import Card
from edge.face.detect import Detector
from edge.fictional.figure import PEOPLE, load_figure
from edge.fictional.sensor import Sensor
from edge.lab.intervals import wilson
from edge.types import F32, U8, Face
from models.training import recall_scenes as scenes
from models.training.compose import Composer
from models.training.data import Pictures, iou, open_pictures
from models.training.photometric import Photometric
from models.training.progress import track
from models.training.recall_covers import COVERS, wear
from models.training.recall_scenes import EDGES, HEIGHT, WIDTH, Scene
from models.training.turned import stand, turn
from models.training.turned_crops import looking

#: Edges of the bins of face height, shares of the frame's: 8.33 % is 40 px of 480, 20 % where verification starts.
SIZES = (0.06, 40 / 480, 0.10, 0.125, 0.16, 0.20, 0.30, 0.45, 0.65, 0.95)
YAWS = (-60, -45, -30, -15, 0, 15, 30, 45, 60)
ROLLS = (-40, -30, -20, -10, 0, 10, 20, 30, 40)
LUMINANCES = (10, 15, 25, 40, 80, 120, 180, 230)
#: Height of faces that are turned and tilted, and of those in other light, covered and cut.
FACE, NEAR = 0.40, (0.20, 0.60)
#: Height of faces in crops that fill the frame.
WILD = 0.45
#: Share of a face's box outside the frame.
CUT = (0.10, 0.35)
#: Height of the first of two people, and edges of the bins of the second's, shares of it: from 0.5 on
#: (`FaceSettings.second_face`) there is no decision.
FIRST, RATIOS = (0.35, 0.50), (0.5, 0.65, 0.8, 1.0)
#: A device that looked once asked for this score.
ONCE = 0.5
#: IoU with the true box from which on a face is found, and from which on the first look has led the second to it.
_FOUND, _LED = 0.5, 0.25
#: Heads there are to turn: twelve people in three variants.
_HEADS = tuple((name, variant) for variant in (0, 1, 2) for name in PEOPLE)


class Looks:
    """The shipped detector looking twice, its first look alone, and the same net looking once."""

    def __init__(self, card: Card) -> None:
        if card.decode is None:
            raise SystemExit(f"{card.name} is no detector")
        once = card.decode.model_copy(update={"confirm": None, "score_threshold": ONCE})
        self._twice, self._once = Detector(card), Detector(replace(card, decode=once))

    def see(self, image: U8) -> dict[str, list[Face]]:
        """``two``, ``first`` (what the second look is given to judge), ``one``."""
        return {"two": self._twice.detect(image), "first": self._twice.scan(image), "one": self._once.detect(image)}


@dataclass(slots=True)
class Tally:
    """Counts of one group of frames; landmark errors are shares of the distance between the eyes."""

    cases: int = 0
    found: dict[str, int] = field(default_factory=lambda: {"two": 0, "first": 0, "one": 0})
    errors: dict[str, list[float]] = field(default_factory=lambda: {"two": [], "one": []})

    def add(self, seen: dict[str, list[Face]], truths: Sequence[Scene]) -> None:
        """One frame, found when everybody in it is; without a truth, a face is a false alarm, counted as found."""
        self.cases += 1
        for look, faces in seen.items():
            least = _LED if look == "first" else _FOUND
            pairs = [(face, truth) for truth in truths if (face := best(faces, truth, least)) is not None]
            # one large box is not two people
            everybody = len({id(face) for face, _ in pairs}) == len(truths)
            self.found[look] += everybody if truths else bool(faces)
            if look in self.errors:
                self.errors[look] += [landmark_error(*pair) for pair in pairs if pair[1].visible.any()]

    def __add__(self, other: Tally) -> Tally:
        found = {look: count + other.found[look] for look, count in self.found.items()}
        errors = {look: values + other.errors[look] for look, values in self.errors.items()}
        return Tally(self.cases + other.cases, found, errors)

    def row(self, rate: str = "recall") -> dict[str, Any]:
        """The counts, their shares with Wilson's interval (95 %), the median error with its quartiles."""
        out: dict[str, Any] = {"cases": self.cases}
        for look, count in self.found.items():
            low, high = wilson(count, self.cases)
            part: dict[str, Any] = {"found": count, rate: round(count / max(1, self.cases), 5)}
            part |= {"low": round(low, 5), "high": round(high, 5)}
            if errors := self.errors.get(look):
                keys = ("landmark_error_1st_quartile", "landmark_error", "landmark_error_3rd_quartile")
                quartiles = np.percentile(errors, [25, 50, 75])
                part |= {key: round(float(value), 5) for key, value in zip(keys, quartiles, strict=True)}
            out[look] = part
        return out


def best(faces: Sequence[Face], truth: Scene, least: float) -> Face | None:
    """The face that overlaps the true one most, if by an IoU of ``least``."""
    if not faces:
        return None
    overlap, number = max((iou(np.array(face.box, np.float32), truth.box), k) for k, face in enumerate(faces))
    return faces[number] if overlap >= least else None


def landmark_error(face: Face, truth: Scene) -> float:
    """Mean distance of the landmarks that can be seen, as a share of the distance between the eyes."""
    off = np.linalg.norm(face.landmarks - truth.landmarks, axis=1)[truth.visible]
    return float(off.mean()) / truth.eyes


@dataclass(frozen=True, slots=True)
class Case:
    """A frame, the truth about each face in it, and the group and row that it counts for."""

    group: str
    key: str
    image: U8
    truths: tuple[Scene, ...]


class Bench:
    """Everything that the detector is shown, in one order that a seed fixes.

    Args:
        work: the cache of `models.training.data`.
        each: frames of each row.
        seed: everything random follows from it.
    """

    def __init__(self, work: Path, each: int, seed: int) -> None:
        self.each, self.seed = each, seed
        self.portraits: Pictures = open_pictures(work, "portraits")
        self.backgrounds: Pictures = open_pictures(work, "backgrounds")
        held = Composer(work, "held_out", seed)
        self.people, self.walls = held.portrait_ids, held.background_ids
        self.crops, self.meshes = held.crops, held.meshes
        known = held.crop_ids[np.isfinite(held.meshes[held.crop_ids, 0, 0])]
        self.wild = np.random.default_rng((seed, 8)).permutation(known)[: 6 * each]
        empty = np.flatnonzero(self.backgrounds.labels[:, 14] == 0)
        # the held-out ones first, so that a short run sees both kinds
        self.empty = sorted((int(index) for index in empty), key=lambda index: (index % 15 != 0, index))[: 10 * each]
        self.heads = _HEADS[: max(1, min(len(_HEADS), each // 2))]
        self.stands = max(1, round(each / 2 / len(_HEADS)))

    def __len__(self) -> int:
        rows = 2 * (len(SIZES) - 1) + len(ROLLS) + len(LUMINANCES) + len(COVERS) + len(EDGES) + len(RATIOS) - 1
        turned = len(YAWS) * len(self.heads) * self.stands
        return rows * self.each + 2 * (turned + len(self.wild) + len(self.empty))

    def cases(self) -> Iterator[Case]:
        yield from self.by_size()
        yield from self.by_yaw()
        yield from self.by_roll()
        yield from self.by_light()
        yield from self.by_cover()
        yield from self.by_edge()
        yield from self.by_second()
        yield from self.by_crop()
        yield from self.without_a_face()

    def background(self, rng: np.random.Generator) -> U8:
        return scenes.cover(self.backgrounds.picture(int(rng.choice(self.walls))), bool(rng.random() < 0.5))

    def portrait(self, rng: np.random.Generator, share: float, roll: float = 0.0) -> Scene:
        """Somebody held out, before a held-out background, so high."""
        person = int(rng.choice(self.people))
        return scenes.paste(self.background(rng), *self.person(person), share * HEIGHT, rng, roll)

    def person(self, index: int) -> tuple[U8, F32]:
        """A portrait and its label."""
        return self.portraits.picture(index), self.portraits.labels[index]

    def two(self, rng: np.random.Generator, ratio: float) -> tuple[Scene, Scene]:
        """Two held out, before one held-out background, the second so much as high as the first."""
        one, other = (self.person(int(index)) for index in rng.choice(self.people, 2, replace=False))
        frame, height = self.background(rng), float(rng.uniform(*FIRST)) * HEIGHT
        while True:
            first = scenes.paste(frame, *one, height, rng)
            second = scenes.paste(frame, *other, ratio * height, rng)
            if iou(first.box, second.box) == 0:
                return scenes.together(first, second)

    def by_size(self) -> Iterator[Case]:
        """The same frames plain and under the light and noise of training, a hard camera's."""
        rng, light = np.random.default_rng((self.seed, 1)), Photometric(HEIGHT, WIDTH, self.seed)
        for low, high in pairwise(SIZES):
            for _ in range(self.each):
                scene = self.portrait(rng, float(rng.uniform(low, high)))
                yield Case("size", f"{low:.4f}", scene.image, (scene,))
                yield Case("size_disturbed", f"{low:.4f}", light(scene.image), (scene,))

    def by_yaw(self) -> Iterator[Case]:
        """Fictional heads turned, before walls and before held-out backgrounds, with an ordinary sensor's noise."""
        rng, sensor = np.random.default_rng((self.seed, 2)), Sensor(self.seed, (WIDTH, HEIGHT))
        with np.load(_resources.path("people", "mesh.npz")) as file:
            meshes = {name: file[name].astype(np.float32) for name in PEOPLE}
        index = 0
        for name, variant in self.heads:
            figure = load_figure(name, variant)
            for yaw in YAWS:
                head = turn(figure, meshes[name], yaw)
                for number in range(2 * self.stands):
                    group, behind = (
                        ("yaw_plain", scenes.wall(rng)) if number % 2 else ("yaw_cluttered", self.background(rng))
                    )
                    at = (float(rng.uniform(0.35, 0.65)) * WIDTH, float(rng.uniform(0.38, 0.55)) * HEIGHT)
                    scene = stand(behind, figure, head, at, FACE * HEIGHT)
                    index += 1
                    yield Case(group, str(yaw), sensor.noise(scene.image, index), (scene,))

    def by_roll(self) -> Iterator[Case]:
        rng = np.random.default_rng((self.seed, 3))
        for roll in ROLLS:
            for _ in range(self.each):
                scene = self.portrait(rng, FACE, roll)
                yield Case("roll", str(roll), scene.image, (scene,))

    def by_light(self) -> Iterator[Case]:
        rng = np.random.default_rng((self.seed, 4))
        for luminance in LUMINANCES:
            for _ in range(self.each):
                scene = scenes.expose(self.portrait(rng, float(rng.uniform(*NEAR))), luminance, rng)
                yield Case("luminance", str(luminance), scene.image, (scene,))

    def by_cover(self) -> Iterator[Case]:
        rng = np.random.default_rng((self.seed, 5))
        for what in COVERS:
            for _ in range(self.each):
                scene = wear(self.portrait(rng, float(rng.uniform(*NEAR))), what, rng)
                yield Case("covered", what, scene.image, (scene,))

    def by_edge(self) -> Iterator[Case]:
        rng = np.random.default_rng((self.seed, 6))
        for edge in EDGES:
            for _ in range(self.each):
                person, height = self.person(int(rng.choice(self.people))), float(rng.uniform(*NEAR)) * HEIGHT
                scene = scenes.cut(self.background(rng), *person, height, edge, float(rng.uniform(*CUT)), rng)
                yield Case("cut", edge, scene.image, (scene,))

    def by_second(self) -> Iterator[Case]:
        rng = np.random.default_rng((self.seed, 7))
        for low, high in pairwise(RATIOS):
            for _ in range(self.each):
                both = self.two(rng, float(rng.uniform(low, high)))
                yield Case("second", f"{low:g}", both[0].image, both)

    def by_crop(self) -> Iterator[Case]:
        """Faces as they come, and the same heads turned by their meshes."""
        rng = np.random.default_rng((self.seed, 8))
        for index in self.wild.tolist():
            crop, row, mesh = self.crops.picture(index), self.crops.labels[index], self.meshes[index]
            aside = looking(crop, row, mesh.astype(np.float32), rng)
            for key, (picture, label) in (("as they are", (crop, row)), ("looking aside", aside)):
                scene = scenes.filled(picture, label, WILD * HEIGHT, rng)
                yield Case("crops", key, scene.image, (scene,))

    def without_a_face(self) -> Iterator[Case]:
        """Each photograph as it is, and the middle of it as a frame."""
        for index in self.empty:
            picture = np.ascontiguousarray(self.backgrounds.picture(index))
            key = "held out" if index % 15 == 0 else "seen in training"
            yield Case("empty_pictures", key, picture, ())
            yield Case("empty_frames", key, scenes.cover(picture), ())


def measure(work: Path, each: int, seed: int) -> dict[str, dict[str, Tally]]:
    """Show the detector every frame of the bench.

    Returns:
        {group: {row: tally}}, rows in the order in which they came.
    """
    cv2.setNumThreads(1)
    bench, looks = Bench(work, each, seed), Looks(load_card("detector"))
    found: dict[str, dict[str, Tally]] = {}
    for case in track(bench.cases(), len(bench), "frames seen"):
        tally = found.setdefault(case.group, {}).setdefault(case.key, Tally())
        tally.add(looks.see(case.image), case.truths)
    return found
