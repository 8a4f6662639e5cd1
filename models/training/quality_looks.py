"""Looks of every quality at the held-out crops, through the whole chain: what the quality score is fitted on.

    looks = make(held, chain, lightqnet, seed=1)      # measures, comparison scores, LightQNet's scores

A crop is laid into a kiosk's frame, 15-90 % of its height, turned, in another light, blurred, in motion, noisy, partly
covered or compressed, each now and then and from hardly to hopelessly; then `Chain.look` without its gate. Its
comparison score is taken with what an enrolment of the same picture would hold: the mean of the clean view and its
mirror image, so that a face that looks aside loses as it would against a frontal template. No identity is needed.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from edge.face import Chain
from edge.face.align import Aligner
from edge.face.card import Align
from edge.face.match import average
from edge.face.quality import Assessor
from edge.face.quality_score import features
from edge.lab.pairing import unit
from edge.types import Frame
from models.training.data import MIRROR
from models.training.looks import HeldOut
from models.training.photometric import Photometric
from models.training.progress import track

U8 = NDArray[np.uint8]
F32 = NDArray[np.float32]
WIDTH, HEIGHT = 480, 360
#: Height of a face's box in a 128x128 crop, pixels (median of our detector's boxes over held-out crops).
FACE = 122.0
#: The usual alignment of 112x112 crops that LightQNet was trained on (data README: the crop's points less its margin).
ARCFACE = ((38.29, 51.70), (73.53, 51.50), (56.03, 71.74), (41.55, 92.37), (70.73, 92.20))
_SESSION = "quality"


class LightQNet:
    """A small net for face image quality (Chen, Yi, Lv 2021), to measure against; frozen TensorFlow graph, OpenVINO."""

    def __init__(self, data: Path) -> None:
        import openvino

        core = openvino.Core()
        net = core.read_model(data / "teachers" / "lightqnet-dm050.pb")
        net.reshape({0: [1, 96, 96, 3]})
        self.net = core.compile_model(net, "CPU", {"INFERENCE_NUM_THREADS": 1})
        points = [[float(x), float(y)] for x, y in ARCFACE]
        align = Align.model_validate({"size": (112, 112), "channels": "RGB", "template": points})
        self.align = Aligner(align)

    def __call__(self, image: U8, landmarks: F32) -> float:
        """Quality 0..1 of one face of a BGR picture; larger is better."""
        crop = cv2.resize(self.align(image, landmarks), (96, 96), interpolation=cv2.INTER_AREA)
        return float(self.net((crop[None].astype(np.float32) - 128) / 128)[0].ravel()[0])


@dataclass(frozen=True, slots=True)
class Looks:
    """What was seen, a row a look; looks without a face are not in it.

    Attributes:
        crop: row of the held-out crops. features: float32 (n, F), as `edge.face.quality_score.features` gives them.
        score: comparison score with the clean template. lightqnet: its score.
        acceptable: whether the gate's other rules let it pass. missed: looks without a face.
    """

    crop: NDArray[np.int64]
    features: F32
    score: F32
    lightqnet: F32
    acceptable: NDArray[np.bool_]
    missed: int


def make(held: HeldOut, chain: Chain, peer: LightQNet, seed: int, each: int = 1, step: int = 1) -> Looks:
    """Look at every ``step``-th crop ``each`` times."""
    cv2.setNumThreads(1)
    camera, assessor = Camera(seed), Assessor(chain.settings, chain.embedder.card.align)
    rows: list[tuple[int, F32, float, float, bool]] = []
    missed = 0
    wanted = range(0, len(held.names), step)
    for index in track(wanted, len(wanted), "crops looked at"):
        template = unit(_template(chain, held.pixels[index], held.landmarks[index])[None])[0]
        for _ in range(each):
            frame = Frame(camera(held.pixels[index]), 0, 0, "made")
            look = chain.look(frame, pick="central", gate=False)
            if look.face is None or look.crop is None or look.quality is None:
                missed += 1
                continue
            probe = unit(chain.embed(look, _SESSION).consume(_SESSION)[None])[0]
            row = features(look.face, assessor.measure(look.face, look.crop))
            other = peer(frame.image, look.face.landmarks)
            rows.append((index, row, float(template @ probe), other, look.quality.acceptable))
    crop, measures, score, lightqnet, acceptable = zip(*rows, strict=True)
    return Looks(
        np.array(crop),
        np.array(measures, np.float32),
        np.array(score, np.float32),
        np.array(lightqnet, np.float32),
        np.array(acceptable, bool),
        missed,
    )


def _template(chain: Chain, picture: U8, points: F32) -> NDArray[np.int8]:
    """The mean of the clean view and its mirror image."""
    mirrored = points[MIRROR].copy()
    mirrored[:, 0] = picture.shape[1] - 1 - mirrored[:, 0]
    views = ((picture, points), (np.ascontiguousarray(picture[:, ::-1]), mirrored))
    return average([chain.embedder.embed(chain.embedder.align(*view)) for view in views])


class Camera:
    """A door's camera on its good and its bad days.

    Args:
        seed: everything random follows from it.
    """

    def __init__(self, seed: int) -> None:
        self.random = np.random.default_rng(seed)
        self.light = Photometric(128, 128, seed + 1)

    def __call__(self, crop: U8) -> U8:
        """A frame, BGR uint8 (360, 480, 3), with the crop's person in it."""
        random = self.random
        if random.random() < 0.25:
            crop = self.cover(crop)
        if random.random() < 0.8:
            crop = self.light(crop)
        height = HEIGHT * float(np.exp(random.uniform(np.log(0.15), np.log(0.9))))
        frame = self.place(crop, height / FACE)
        eyes = height * 0.3
        chance = random.random()
        if chance < 0.35:
            frame = cv2.GaussianBlur(frame, (0, 0), max(0.3, eyes * float(random.exponential(0.05))))
        elif chance < 0.5:
            frame = self.motion(frame, eyes * float(random.exponential(0.2)))
        if random.random() < 0.5:
            noise = random.standard_normal((HEIGHT // 2, WIDTH // 2, 3), np.float32) * float(random.exponential(6))
            frame = np.clip(frame + np.repeat(np.repeat(noise, 2, 0), 2, 1), 0, 255).astype(np.uint8)
        if random.random() < 0.2:
            code = cv2.imencode(".jpg", frame, [cv2.IMWRITE_JPEG_QUALITY, int(random.integers(15, 80))])[1]
            frame = cv2.imdecode(code, cv2.IMREAD_COLOR)
        return frame

    def place(self, crop: U8, scale: float) -> U8:
        """Lay the crop into the frame, turned a little, its border repeated."""
        random, size = self.random, (WIDTH, HEIGHT)
        if scale < 0.5:
            crop, scale = cv2.resize(crop, (64, 64), interpolation=cv2.INTER_AREA), 2 * scale
        angle = float(random.normal(0, 9))
        matrix = cv2.getRotationMatrix2D((crop.shape[1] / 2, crop.shape[0] / 2), angle, scale)
        free = np.maximum(0, (np.array(size) - scale * crop.shape[0]) / 2)
        matrix[:, 2] += np.array(size) / 2 - crop.shape[0] / 2 + random.uniform(-1, 1, 2) * free
        return cv2.warpAffine(crop, matrix, size, borderMode=cv2.BORDER_REPLICATE)

    def motion(self, frame: U8, length: float) -> U8:
        """Blur along a line."""
        size = 2 * int(max(1, length / 2)) + 1
        kernel = np.zeros((size, size), np.float32)
        kernel[size // 2] = 1 / size
        turn = cv2.getRotationMatrix2D((size / 2 - 0.5, size / 2 - 0.5), float(self.random.uniform(0, 180)), 1)
        kernel = cv2.warpAffine(kernel, turn, (size, size))
        return cv2.filter2D(frame, -1, kernel / max(1e-6, float(kernel.sum())))

    def cover(self, crop: U8) -> U8:
        """Dark glasses, a mask, a hand, hair from above; places are those of an aligned crop."""
        random, crop = self.random, crop.copy()
        colour = [int(v) for v in random.integers(0, 256, 3)]
        kind = random.random()
        if kind < 0.35:
            dark, high = [v // 4 for v in colour], int(random.integers(7, 14))
            for x in (46, 82):
                cv2.ellipse(crop, (x, 60), (int(random.integers(12, 19)), high), 0, 0, 360, dark, -1)
        elif kind < 0.65:
            cv2.rectangle(crop, (15, int(random.integers(78, 112))), (113, 127), colour, -1)
        elif kind < 0.85:
            at = (int(random.integers(25, 104)), int(random.integers(40, 118)))
            cv2.ellipse(crop, at, (int(random.integers(10, 26)), int(random.integers(8, 22))), 0, 0, 360, colour, -1)
        else:
            crop[: int(random.integers(35, 66))] = [v // 3 for v in colour]
        return crop
