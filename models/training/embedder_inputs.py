"""What the embedder learns from: aligned crops, composites of two, and the same face as a door's camera would give it.

    inputs = Inputs(work, seed=1)
    clean, views, thetas, who = inputs.sample(size=112)

Workflow: a crop is warped onto a canvas, 160x160, whose middle 128x128 is the teacher's alignment. Some canvases are a
composite of two crops, even or through a soft random mask; tight crops often get another's hair, and half of all are
changed besides, for both nets (`embedder_faces`). The teacher sees the middle as it is, black where the picture ends;
the student sees it moved a little (as a detector's landmarks would), turned and with another mien (`heads`), with
something else outside the picture, with spectacles, in other light, blurred, or partly covered, and is told the same
answer. Small groups of people are drawn more often than their share. Held-out pictures never appear (`split`).
"""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from models.training.affine import chain, similarity
from models.training.blind import groups_of
from models.training.crops import open_crops
from models.training.embedder_faces import LIT, WARPED, crowned, filled, lit, warped
from models.training.embedder_net import FRACTIONS
from models.training.heads import Head, drawn
from models.training.meshes import open_meshes
from models.training.photometric import Photometric
from models.training.spectacles import put_on
from models.training.split import held_out_names

U8 = NDArray[np.uint8]
F32 = NDArray[np.float32]
CANVAS, MIDDLE, MARGIN = 160, 128, 16
TEMPLATE = MIDDLE * np.array(FRACTIONS, np.float32) + MARGIN
#: Shares of inputs that are a plain crop and an even blend; the rest is composed through a mask.
PLAIN, EVEN = 0.7, 0.15
#: Share of FairFace's tight crops that get the hair of somebody in All-Age-Faces; share of the faces with an end in
#: sight where the student sees something else than black outside.
CROWNED, FILLED = 0.5, 0.7
#: Side of the pictures that `Crops.frames` speaks of.
FRAME = 224
#: Share of views that are turned, of faces that both nets see as they are; and of disturbed views with spectacles.
TURNED, SPECTACLES = 0.6, 0.25


def split_of(work: Path) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """(indices to train on, held-out indices) into the crops of `open_crops`."""
    names = open_crops(work).names
    held = held_out_names(names, work / "same-person.csv")
    out = np.array([name in held for name in names])
    return np.flatnonzero(~out), np.flatnonzero(out)


def weights_of(groups: list[str]) -> NDArray[np.float64]:
    """How often each of these crops is drawn: a group as often as the root of its size, so small ones count more."""
    _, place, sizes = np.unique(np.array(groups), return_inverse=True, return_counts=True)
    weights = sizes[place] ** -0.5
    return np.asarray(weights / weights.sum(), np.float64)


class Inputs:
    """Endless training inputs.

    Args:
        work: folder of the crops' cache.
        seed: everything random follows from it.
        indices: crops to draw from; by default all that may be trained on.
    """

    def __init__(self, work: Path, seed: int, indices: NDArray[np.int64] | None = None) -> None:
        self.crops, self.meshes = open_crops(work), open_meshes(work / "data")
        self.indices = split_of(work)[0] if indices is None else indices
        self.tight = frozenset(self.crops.of("ff").tolist())
        self.whole = np.setdiff1d(self.indices, self.crops.of("ff"))
        self.chances = np.cumsum(weights_of(groups_of([self.crops.names[i] for i in self.indices])))
        self.rng = np.random.default_rng(seed)
        self.lights: dict[int, Photometric] = {}
        self.seed = seed

    def canvas(self, index: int, mirror: bool) -> U8:
        """One crop on the canvas, BGR uint8 (160, 160, 3), black outside."""
        matrix = similarity(self.crops.landmarks[index], TEMPLATE)
        out = cv2.warpAffine(self.crops.pixels[index], matrix, (CANVAS, CANVAS))
        return out[:, ::-1] if mirror else out

    def known(self, index: int, mirror: bool) -> U8:
        """Where on the canvas a crop's picture is: uint8 (160, 160), 255 inside and 0 outside."""
        matrix, frame = similarity(self.crops.landmarks[index], TEMPLATE), self.crops.frames[index]
        whole = np.full((FRAME, FRAME), 255, np.uint8)
        out = cv2.warpAffine(whole[:MIDDLE, :MIDDLE], matrix, (CANVAS, CANVAS))
        if np.isfinite(frame).all():
            out = cv2.min(out, cv2.warpAffine(whole, chain(matrix, frame.astype(np.float64)), (CANVAS, CANVAS)))
        return out[:, ::-1] if mirror else out

    def any_of_all(self) -> int:
        """A crop, each with the chance of its group (`weights_of`)."""
        return int(self.indices[min(len(self.indices) - 1, np.searchsorted(self.chances, self.rng.random()))])

    def head(self, index: int, mirror: bool) -> Head | None:
        """The depth of a crop's canvas; None where the mesh's teacher saw no face."""
        mesh = self.meshes[index].astype(np.float32)
        if not np.isfinite(mesh).all():
            return None
        matrix = similarity(self.crops.landmarks[index], TEMPLATE)
        flat = mesh[:, :2] @ matrix[:, :2].T + matrix[:, 2]
        deep = mesh[:, 2:] * np.sqrt(np.linalg.det(matrix[:, :2]))
        if mirror:
            flat[:, 0] = CANVAS - 1 - flat[:, 0]
        return Head(np.hstack([flat, deep]).astype(np.float32), TEMPLATE, CANVAS)

    def face(self) -> tuple[U8, Head | None, int]:
        """A canvas with what is known of it, its depth, and whose face it is.

        Returns:
            BGR and, as `known` gives it, where the picture is, uint8 (160, 160, 4); the depth, but of the half that is
            warped as both nets will see it (`embedder_faces`); the crop's index, -1 where it is nobody's own face.
        """
        canvas, index, mirror, own = self.blended()
        bent = self.rng.random() < WARPED
        canvas = warped(canvas, self.rng) if bent else canvas
        if self.rng.random() < LIT:
            known = canvas[..., 3]
            bright = cv2.multiply(lit(canvas[..., :3], self.rng), cv2.merge([known] * 3), scale=1 / 255)
            canvas = cv2.merge([bright, known])
        return canvas, None if bent else self.head(index, mirror), index if own and not bent else -1

    def person(self) -> tuple[U8, int, bool]:
        """A crop with what is known of it, (160, 160, 4); whose face it is, and whether it is seen in a mirror.

        Many of the tight ones have another's hair.
        """
        rng = self.rng
        index, mirror = self.any_of_all(), bool(rng.random() < 0.5)
        one, known = (np.ascontiguousarray(part(index, mirror)) for part in (self.canvas, self.known))
        if index in self.tight and len(self.whole) and rng.random() < CROWNED:
            one = crowned(one, self.canvas(int(rng.choice(self.whole)), rng.random() < 0.5), rng, known)
            known = np.full_like(known, 255)
        return cv2.merge([one, known]), index, mirror

    def blended(self) -> tuple[U8, int, bool, bool]:
        """One person, an even blend of two, or two through a soft mask; the first one's depth serves for both.

        As `person` gives it, and whether it is one person.
        """
        rng = self.rng
        (one, *who), kind = self.person(), rng.random()
        if kind < PLAIN:
            return one, *who, True
        two, *_ = self.person()
        if kind < PLAIN + EVEN:
            share = float(rng.uniform(0.3, 0.7))
            return cv2.addWeighted(one, share, two, 1 - share, 0.0), *who, False
        cells = rng.standard_normal((int(rng.integers(2, 5)), int(rng.integers(2, 5)))).astype(np.float32) * 2.5
        mask = 1 / (1 + np.exp(-cv2.resize(cells, (CANVAS, CANVAS), interpolation=cv2.INTER_CUBIC)))
        return cv2.blendLinear(one, two, mask, 1 - mask), *who, False

    def jitter(self, size: int) -> F32:
        """A similarity (2, 3) from canvas pixels to the student's (size, size) picture, near the plain alignment.

        Spread: one in five is three times a small error (2 degrees, 3 %, 1.2 % of the width), the rest 1.5 times; the
        small error is what landmark noise of 5 % of the eye distance makes of a five-point fit.
        """
        rng = self.rng
        wide = 3.0 if rng.random() < 0.2 else 1.5
        angle = np.deg2rad(rng.normal(0, 2.0) * wide)
        scale = size / MIDDLE * np.exp(rng.normal(0, 0.03) * wide)
        turn = scale * np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
        shift = rng.normal(0, 0.012, 2) * wide * size
        centre = np.full(2, CANVAS / 2 - 0.5)
        offset = np.full(2, size / 2 - 0.5) + shift - turn @ centre
        return np.column_stack([turn, offset]).astype(np.float32)

    def sample(self, size: int, views: int = 1, mild: float = 0.0) -> tuple[U8, U8, F32, int]:
        """One face.

        Args:
            size: side of the student's picture.
            views: how many looks the student takes at it.
            mild: share of views that are moved and differently lit a little, and not disturbed otherwise.

        Returns:
            the teacher's view, BGR uint8 (128, 128, 3); the student's, RGB uint8 (views, size, size, 3); for each of
            them theta (2, 3), which says in the [-1, 1] coordinates of `torch.nn.functional.affine_grid` where the
            student's places lie in the teacher's picture; and the index of the crop whose person it is, or -1.
        """
        canvas, head, who = self.face()
        clean = canvas[MARGIN : MARGIN + MIDDLE, MARGIN : MARGIN + MIDDLE, :3]
        shrink, source = size / MIDDLE, self.beyond(canvas)
        source = cv2.GaussianBlur(source, (0, 0), 0.35 / shrink) if shrink < 0.75 else source
        seen = [self.view(source, size, self.rng.random() < mild, head) for _ in range(views)]
        views_, thetas = (np.stack(column) for column in zip(*seen, strict=True))
        return np.ascontiguousarray(clean), views_, thetas, who

    def beyond(self, canvas: U8) -> U8:
        """What the student sees of `face`'s canvas, BGR: mostly something in place of the black outside (`filled`)."""
        bgr, known = np.ascontiguousarray(canvas[..., :3]), canvas[..., 3]
        if known.min() == 255 or self.rng.random() >= FILLED:
            return bgr
        other = int(self.rng.choice(self.whole)) if len(self.whole) else self.any_of_all()
        return filled(bgr, known, self.canvas(other, False), self.rng)

    def twins(
        self, size: int, views: int = 1, mild: float = 0.0
    ) -> tuple[tuple[U8, U8, F32, int], tuple[U8, U8, F32, int]]:
        """One face as `sample` gives it, and its mirror image with views of its own."""
        clean, seen, thetas, who = self.sample(size, 2 * views, mild)
        return (clean, seen[:views], thetas[:views], who), (*mirrored(clean, seen[views:], thetas[views:]), who)

    def view(self, source: U8, size: int, mild: bool = False, head: Head | None = None) -> tuple[U8, F32]:
        """A canvas as a door's camera would give it, and its theta (of a turned head as if it were straight)."""
        matrix = self.jitter(size)
        if head and self.rng.random() < TURNED:
            view = turned(source, head, matrix, size, self.rng)
        else:
            view = cv2.warpAffine(source, matrix, (size, size), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
        if mild:
            gain, lift = float(self.rng.uniform(0.85, 1.15)), float(self.rng.uniform(-12, 12))
            lit = cv2.addWeighted(view, gain, view, 0.0, lift)
            return np.ascontiguousarray(lit[:, :, ::-1]), theta_of(matrix, size)
        if size not in self.lights:
            self.lights[size] = Photometric(size, size, self.seed + size)
        view = self.wear(self.cover(self.dressed(view, matrix), size), size)
        view = self.lights[size](view) if self.rng.random() < 0.85 else view
        return np.ascontiguousarray(view[:, :, ::-1]), theta_of(matrix, size)

    def dressed(self, view: U8, matrix: F32) -> U8:
        """Sometimes with spectacles; in place."""
        if self.rng.random() < SPECTACLES:
            put_on(view, TEMPLATE[:2] @ matrix[:, :2].T + matrix[:, 2], self.rng)
        return view

    def cover(self, view: U8, size: int) -> U8:
        """Sometimes something in front of the face: a hand, a scarf, hair; never more than a third of it."""
        rng = self.rng
        if rng.random() > 0.15:
            return view
        view = view.copy()
        centre = (int(rng.uniform(0, size)), int(rng.uniform(0, size)))
        axes = (int(rng.uniform(0.05, 0.25) * size), int(rng.uniform(0.05, 0.25) * size))
        colour = tuple(float(c) for c in rng.uniform(10, 230, 3))
        cv2.ellipse(view, centre, axes, float(rng.uniform(0, 180)), 0, 360, colour, -1, cv2.LINE_AA)
        return view

    def wear(self, view: U8, size: int) -> U8:
        """Sometimes out of focus, moved while exposed, small and enlarged, or through JPEG."""
        rng = self.rng
        kind = rng.random()
        if kind < 0.15:
            return cv2.GaussianBlur(view, (0, 0), float(rng.uniform(0.4, 1.6)) * size / 112)
        if kind < 0.22:
            length = int(rng.integers(2, max(3, size // 16)))
            kernel = np.zeros((length, length), np.float32)
            end = (int(rng.integers(length)), length - 1)
            cv2.line(kernel, (length - 1 - end[0], 0), end, 1.0)
            return cv2.filter2D(view, -1, kernel / kernel.sum())
        if kind < 0.37:
            small = int(size * rng.uniform(0.3, 0.8))
            return cv2.resize(cv2.resize(view, (small, small), interpolation=cv2.INTER_AREA), (size, size))
        if kind < 0.5:
            _, data = cv2.imencode(".jpg", view, [cv2.IMWRITE_JPEG_QUALITY, int(rng.integers(20, 85))])
            return cv2.imdecode(data, cv2.IMREAD_COLOR)
        return view


def turned(source: U8, head: Head, matrix: F32, size: int, rng: np.random.Generator) -> U8:
    """A canvas's head, turned and with another mien, in the student's (size, size) picture."""
    places = head.places(matrix, size, *drawn(head, rng))
    return cv2.remap(source, places[..., 0], places[..., 1], cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)


def mirrored(clean: U8, views: U8, thetas: F32) -> tuple[U8, U8, F32]:
    """What `Inputs.sample` gives, seen in a mirror: pictures are flipped, and so are both ends of each theta."""
    flip = np.array([[1, -1, -1], [-1, 1, 1]], np.float32)
    return np.ascontiguousarray(clean[:, ::-1]), np.ascontiguousarray(views[:, :, ::-1]), thetas * flip


def theta_of(matrix: F32, size: int) -> F32:
    """From the student's normalised coordinates to the teacher's, both as `affine_grid` has them."""
    to_pixel = np.array([[size / 2, 0, size / 2 - 0.5], [0, size / 2, size / 2 - 0.5], [0, 0, 1]])
    back = np.linalg.inv(np.vstack([matrix, [0, 0, 1]]))
    half = MIDDLE / 2
    shift = MARGIN + half - 0.5
    to_unit = np.array([[1 / half, 0, -shift / half], [0, 1 / half, -shift / half], [0, 0, 1]])
    return (to_unit @ back @ to_pixel)[:2].astype(np.float32)
