"""Looks at the held-out crops, as enrolments and doors take them, through our embedder and the teacher alike.

    held = open_held_out(WORK)
    ours = embed(held, ours_of("embedder"), seed=1)          # Vectors: templates, probes, unit float32
    teacher = embed(held, teacher_of(DATA), seed=1)          # of the very same looks

A look is a crop whose known landmarks are moved by a detector's error; a probe has another camera's light, blur and
noise on top; a template is the mean of three looks. Kept in .train/ by the model's digest, since they are only made of
research pictures; nothing of a device does that.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from models.training.crops import of_source
from models.training.paths import WORK
from models.training.progress import track

U8 = NDArray[np.uint8]
F32 = NDArray[np.float32]
#: Landmark error of the detector, standard deviation by coordinate, in eye distances. Held-out scenes, faces of 35-60 %
#: of the frame's height (`models.training.detector measure`): 5.8 % on average over the
#: five points (median picture), over 1.25 (the mean of Rayleigh's distribution), rounded up.
LANDMARK_SIGMA = 0.05
#: Looks that a template is the mean of; an enrolment takes five, from pictures as few as two.
TEMPLATE_VIEWS = 3


@dataclass(frozen=True, slots=True)
class HeldOut:
    """The held-out crops: pixels (n, 128, 128, 3) BGR, landmarks (n, 5, 2), names, place in the cache of all crops."""

    pixels: U8
    landmarks: F32
    names: list[str]
    index: NDArray[np.int64]

    def of(self, source: str) -> NDArray[np.int64]:
        """Rows of one source; see `models.training.crops.of_source`."""
        return of_source(self.names, source)


@dataclass(frozen=True, slots=True)
class Net:
    """A model as a function: BGR picture and landmarks -> unit or int8-rounded unit vector; ``digest`` of its file."""

    digest: str
    vector: Callable[[U8, F32], F32]
    mean: Callable[[list[F32]], F32]


@dataclass(frozen=True, slots=True)
class Vectors:
    """Unit float32 rows of the held-out crops."""

    templates: F32
    probes: F32


def open_held_out(work: Path = WORK) -> HeldOut:
    """The crops that no model of this project was trained on."""
    from models.training.crops import open_crops
    from models.training.split import held_out_names

    crops = open_crops(work)
    held = held_out_names(crops.names, work / "same-person.csv")
    index = np.array([i for i, name in enumerate(crops.names) if name in held], np.int64)
    return HeldOut(crops.pixels[index], crops.landmarks[index], [crops.names[i] for i in index], index)


def looks(picture: U8, points: F32, random: np.random.Generator, light: Callable[[U8], U8]) -> Iterator[tuple[U8, F32]]:
    """`TEMPLATE_VIEWS` looks in good light, then one as a door sees it: (picture, landmarks as a detector errs)."""
    eyes = float(np.linalg.norm(points[1] - points[0]))
    for number in range(TEMPLATE_VIEWS + 1):
        seen = picture
        if number == TEMPLATE_VIEWS:
            seen = light(picture)
            if random.random() < 0.5:
                seen = cv2.GaussianBlur(seen, (0, 0), float(random.uniform(0.4, 1.0)))
        yield seen, points + random.normal(0, LANDMARK_SIGMA * eyes, points.shape).astype(np.float32)


def ours_of(card: str | Path) -> Net:
    """An embedder of this project, exactly as a door runs it; means are an enrolment's."""
    from edge.face.card import load_card
    from edge.face.embed import Embedder
    from edge.face.match import average
    from edge.lab.pairing import unit

    embedder = Embedder(load_card(card), 1)

    def vector(picture: U8, points: F32) -> F32:
        return unit(embedder.embed(embedder.align(picture, points))[None])[0]

    def mean(vectors: list[F32]) -> F32:
        # back to the int8 vectors they came from: each has an entry of 127
        rows = [np.rint(v * (127 / np.abs(v).max())).astype(np.int8) for v in vectors]
        return unit(average(rows)[None])[0]

    return Net(embedder.model, vector, mean)


def teacher_of(data: Path) -> Net:
    """The teacher, Open Model Zoo face-reidentification-retail-0095, in float."""
    import openvino

    from models.training.affine import similarity
    from models.training.embedder_net import FRACTIONS
    from models.training.teacher import FILE, SIDE

    core, path = openvino.Core(), data / FILE
    net = core.compile_model(core.read_model(path), "CPU", {"INFERENCE_NUM_THREADS": 1})
    template = SIDE * np.array(FRACTIONS, np.float32)

    def vector(picture: U8, points: F32) -> F32:
        crop = cv2.warpAffine(picture, similarity(points, template), (SIDE, SIDE))  # black outside (data README)
        z: F32 = net(crop.transpose(2, 0, 1)[None].astype(np.float32))[0].reshape(-1)
        return z / np.linalg.norm(z)

    def mean(vectors: list[F32]) -> F32:
        total: F32 = np.sum(vectors, axis=0)
        return total / np.linalg.norm(total)

    return Net(hashlib.sha256(path.with_suffix(".bin").read_bytes()).hexdigest(), vector, mean)


def embed(held: HeldOut, net: Net, seed: int, work: Path = WORK) -> Vectors:
    """Templates and probes of every held-out crop; the same looks for every net of the same seed."""
    from models.training.photometric import Photometric

    cache = work / f"held-out-{net.digest[:12]}-{seed}.npz"
    if not cache.exists():
        cv2.setNumThreads(1)
        random, light = np.random.default_rng(seed), Photometric(128, 128, seed + 1)
        rows: list[list[F32]] = [[], []]
        for picture, points in track(zip(held.pixels, held.landmarks, strict=True), len(held.names), "crops embedded"):
            vectors = [net.vector(*look) for look in looks(picture, points, random, light)]
            rows[0].append(net.mean(vectors[:-1]))
            rows[1].append(vectors[-1])
        np.savez(cache, templates=np.array(rows[0], np.float32), probes=np.array(rows[1], np.float32))
    stored = np.load(cache)
    return Vectors(stored["templates"], stored["probes"])
