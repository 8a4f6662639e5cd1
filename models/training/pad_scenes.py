"""People alive before a camera, with all that surrounds them: what the passive net learns from, and what attacks show.

    prepare(work / "data")                          # once: cut 1,500 portraits out of their backgrounds, 3 minutes
    scenes = Scenes(work / "data", "train")
    person = scenes.person(rng)                     # a frame before the camera, the face's box, whose face it is
    room = scenes.room(rng)                         # the same without anybody

Aligned crops have no surroundings, and a rectangle pasted on a background is a print. So a person is a portrait: as it
is, its background continued; or cut out and set before another background, in which there may be posters, screens and
windows like any attack's; with its own face or with another person's laid over it, since portraits are of few people.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from edge.fictional.paint import Painter
from edge.fictional.scene import HeadInView, View
from models.training.affine import chain, similarity, transform
from models.training.compose import split_indices
from models.training.crops import rows_of, source_of
from models.training.data import open_pictures
from models.training.progress import track

U8 = NDArray[np.uint8]
F32 = NDArray[np.float32]
Box = tuple[float, float, float, float]
#: The cut-outs are made and kept at this share of a portrait's size.
_SMALL = 0.3
#: Height of the detector's box of a fictional person over the figure's own, hairline to chin.
_BOX = 1.17
#: Fictional people that the net never sees: the self-test's known answers and the demo's first person are of these.
HELD_OUT_PEOPLE = ("ada", "chen", "goran", "lena")
_PEOPLE = ("bela", "dara", "emil", "fara", "hana", "isak", "jaya", "kenji")
#: Sizes of frames, width and height: webcams, a door's upright camera, wide ones.
SIZES = ((640, 480), (640, 480), (720, 540), (480, 640), (450, 800), (854, 480), (960, 720))


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody before a camera: the light before it, the face's box in it (x, y, w, h), the source and the group."""

    frame: U8
    box: Box
    source: str
    group: str


def prepare(work: Path) -> Path:
    """Cut every portrait out of its background (Rother et al. 2004, GrabCut), once.

    Returns:
        an .npz: ``mask``, all masks one after the other, uint8 at `_SMALL` of the portraits' size; ``at``, offsets.
    """
    path = work / "portraits.cut.npz"
    if not path.exists():
        portraits, masks = open_pictures(work, "portraits"), []
        for index in track(range(len(portraits)), len(portraits), "portraits cut out"):
            masks.append(_cut_out(portraits.picture(index), portraits.labels[index]))
        at = np.concatenate([[0], np.cumsum([mask.size for mask in masks])])
        np.savez(path.with_suffix(".tmp.npz"), mask=np.concatenate([mask.ravel() for mask in masks]), at=at)
        path.with_suffix(".tmp.npz").replace(path)
    return path


def _cut_out(portrait: U8, label: F32) -> U8:
    small = np.asarray(cv2.resize(portrait, None, fx=_SMALL, fy=_SMALL, interpolation=cv2.INTER_AREA), np.uint8)
    rows, columns = small.shape[:2]
    x, y, w, h = (float(value) * _SMALL for value in label[:4])
    middle, centre = (int(x + w / 2), int(y + h / 2)), y + h / 2
    mask = np.full((rows, columns), cv2.GC_PR_BGD, np.uint8)
    cv2.ellipse(mask, (middle[0], int(centre - 0.08 * h)), (int(0.85 * w), int(0.85 * h)), 0, 0, 360, cv2.GC_PR_FGD, -1)
    shoulders = [(x + w / 2 + a * w, b) for a, b in ((-0.5, y + h), (0.5, y + h), (1.6, y + 1.7 * h), (2, rows + h))]
    shoulders += [(x + w / 2 - 2 * w, rows + h), (x + w / 2 - 1.6 * w, y + 1.7 * h)]
    cv2.fillPoly(mask, [np.array(shoulders, np.int32)], cv2.GC_PR_FGD)
    edge = max(2, columns // 30)
    mask[: int(max(edge, y - 0.2 * h)), :edge] = mask[: int(max(edge, y - 0.2 * h)), -edge:] = cv2.GC_BGD
    cv2.ellipse(mask, middle, (int(0.42 * w), int(0.5 * h)), 0, 0, 360, cv2.GC_FGD, -1)
    neck = [(x + 0.3 * w, y + h), (x + 0.7 * w, y + h), (x + 0.9 * w, rows + 1), (x + 0.1 * w, rows + 1)]
    cv2.fillPoly(mask, [np.array(neck, np.int32)], cv2.GC_FGD)
    try:
        cv2.grabCut(small, mask, None, np.zeros((1, 65)), np.zeros((1, 65)), 2, cv2.GC_INIT_WITH_MASK)
    except cv2.error:
        return np.zeros((rows, columns), np.uint8)
    found = np.where((mask == cv2.GC_FGD) | (mask == cv2.GC_PR_FGD), 255, 0).astype(np.uint8)
    found = cv2.morphologyEx(found, cv2.MORPH_OPEN, np.ones((3, 3), np.uint8))
    return np.asarray(cv2.GaussianBlur(found, (0, 0), 0.8), np.uint8)


class Scenes:
    """An endless source of people and rooms.

    Args:
        work: the cache that `data.prepare` and `prepare` made.
        split: ``train`` or ``held_out``; pictures of one are never in the other (`compose.split_indices`).
    """

    def __init__(self, work: Path, split: str) -> None:
        self.portraits, self.crops = open_pictures(work, "portraits"), open_pictures(work, "crops")
        self.backgrounds = open_pictures(work, "backgrounds")
        cut = np.load(prepare(work))
        self.masks, self.at = cut["mask"], cut["at"]
        self.portrait_ids = split_indices(self.portraits, "portraits", split)
        self.crop_ids = split_indices(self.crops, "crops", split)
        self.background_ids = split_indices(self.backgrounds, "backgrounds", split)
        table = rows_of(work / "fairface.csv")
        groups = [table[name]["origin"] if name in table else source_of(name) for name in self.crops.names]
        self.groups = np.array(groups)[self.crop_ids]
        self.by_group = {name: self.crop_ids[self.groups == name] for name in sorted(set(self.groups))}
        self.people = _PEOPLE if split == "train" else HELD_OUT_PEOPLE
        self.painters: dict[int, Painter] = {}

    def size(self, rng: np.random.Generator) -> tuple[int, int]:
        """Width and height of a frame."""
        return SIZES[int(rng.integers(len(SIZES)))]

    def room(self, rng: np.random.Generator, size: tuple[int, int]) -> U8:
        """A photograph without a face, near or whole, sharp or not, or a plain wall; with what hangs on walls."""
        width, height = size
        if rng.random() < 0.2:
            low = rng.uniform(20, 235, 3)
            ramp = np.linspace(0, 1, width)[None, :, None] * rng.normal(0, 45, 3)
            room = np.clip(np.broadcast_to(low + ramp, (height, width, 3)), 0, 255).astype(np.uint8)
        else:
            picture = self.backgrounds.picture(int(rng.choice(self.background_ids)))
            h, w = picture.shape[:2]
            scale = max(width / w, height / h) * float(np.exp(rng.uniform(0, 0.9)))
            x, y = rng.uniform(0, max(1e-3, w * scale - width)), rng.uniform(0, max(1e-3, h * scale - height))
            matrix = np.array([[scale, 0, -x], [0, scale, -y]])
            if rng.random() < 0.5:
                matrix = chain(np.array([[-1.0, 0, width - 1], [0, 1, 0]]), matrix)
            room = np.asarray(cv2.warpAffine(picture, matrix, size, borderMode=cv2.BORDER_REFLECT), np.uint8)
        room = np.ascontiguousarray(room)
        for _ in range(int(rng.poisson(0.8))):
            self._hung(room, rng)
        if rng.random() < 0.6:
            room = np.asarray(cv2.GaussianBlur(room, (0, 0), float(rng.uniform(0.4, 4.0))), np.uint8)
        return room

    def _hung(self, room: U8, rng: np.random.Generator) -> None:
        """A poster, a door, a window or a screen on the wall, in place: what is also around people alive."""
        rows, columns = room.shape[:2]
        wide, high = rng.uniform(0.1, 0.75, 2) * [columns, rows]
        middle = (float(rng.uniform(0, columns)), float(rng.uniform(0, rows)))
        box = cv2.boxPoints((middle, (float(wide), float(high)), float(rng.normal(0, 3))))
        corners = np.round(box).astype(np.int32)
        if rng.random() < 0.5:
            cv2.fillConvexPoly(room, corners, rng.uniform(0, 255, 3).tolist(), cv2.LINE_AA)
        else:
            other = self.backgrounds.picture(int(rng.choice(self.background_ids)))
            flat = np.array([[0, 1], [0, 0], [1, 0], [1, 1]], np.float32) * [other.shape[1], other.shape[0]]
            place = cv2.getPerspectiveTransform(flat.astype(np.float32), box.astype(np.float32))
            cv2.warpPerspective(other, place, (columns, rows), dst=room, borderMode=cv2.BORDER_TRANSPARENT)
        if rng.random() < 0.6:
            edge = rng.uniform(0, 255, 3).tolist() if rng.random() < 0.5 else [float(rng.uniform(0, 255))] * 3
            cv2.polylines(room, [corners], True, edge, int(rng.integers(1, 9)), cv2.LINE_AA)

    def person(self, rng: np.random.Generator, size: tuple[int, int], face: float | None = None) -> Person:
        """Somebody in a frame of this size; ``face``: height as a share of the frame's."""
        if rng.random() < 0.07:
            return self._drawn(rng, size, face)
        if rng.random() < 0.35:
            return self._whole(rng)
        width, height = size
        index = int(rng.choice(self.portrait_ids))
        picture, label, group = self._somebody(index, rng)
        natural = float(label[3]) / picture.shape[0]
        share = face or float(np.clip(rng.normal(max(0.44, 0.85 * natural), 0.11), 0.2, 0.8))
        scale = share * height / float(label[3])
        x = width * float(np.clip(rng.normal(0.5, 0.1), 0.25, 0.75))
        y = height * float(np.clip(rng.normal(0.5, 0.07), 0.5 * share + 0.02, 1 - 0.4 * share))
        own = label[0:2] + label[2:4] / 2
        angle = np.deg2rad(rng.normal(0, 4))
        turn = scale * np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
        if rng.random() < 0.5:
            turn = turn @ np.diag([-1.0, 1.0])
        matrix = np.hstack([turn, (np.array([x, y]) - turn @ own)[:, None]])
        if scale < 0.6:
            picture = np.asarray(cv2.resize(picture, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA), np.uint8)
            matrix, shrunk = chain(matrix, np.array([[2.0, 0, 0.5], [0, 2.0, 0.5]])), 0.5
        else:
            shrunk = 1.0
        whole = cv2.warpAffine(picture, matrix, size, flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
        there = chain(matrix, np.diag([shrunk, shrunk, 1.0])[:2])
        row = transform(there, label, False)
        box = (float(row[0] - row[2] / 2), float(row[1] - row[3] / 2), float(row[2]), float(row[3]))
        mask = self._mask(index) if rng.random() < 0.7 else None
        if mask is None:
            room, alpha = self._continued(np.asarray(whole, np.uint8), rng), _inside(picture.shape, matrix, size)
        else:
            room = self.room(rng, size).astype(np.float32)
            room *= float(np.clip(whole.mean() / (room.mean() + 1), 0.4, 2.5)) ** rng.uniform(0, 0.8)
            there = chain(there, np.diag([1 / _SMALL, 1 / _SMALL, 1.0])[:2])
            found = np.asarray(cv2.warpAffine(mask, there, size, flags=cv2.INTER_LINEAR), np.uint8)
            alpha = _settled(found, box, rng)
        body = _body(size, box, rng)
        room += (_clothes(whole, box, rng) - room) * body
        if mask is not None:
            alpha = alpha * np.maximum(body, _around(size, box))  # GrabCut takes a portrait's corners for shoulders
        frame = np.clip(room + (whole - room) * alpha, 0, 255).astype(np.uint8)
        return Person(frame, box, "portrait" if mask is None else "cut", group)

    def _whole(self, rng: np.random.Generator) -> Person:
        """A portrait and nothing else, cut to a frame's proportions: small, near, and all of it real."""
        picture, label, group = self._somebody(int(rng.choice(self.portrait_ids)), rng)
        rows, columns = picture.shape[:2]
        wide = float(rng.choice([4 / 3, 1.0, 3 / 4, columns / rows]))
        high = min(rows, int(columns / wide), int(label[3] * rng.uniform(1.2, 2.2)))
        wide_px = min(columns, int(high * wide))
        x, y = label[0] + label[2] / 2 - wide_px / 2, label[1] + label[3] / 2 - high / 2
        left = int(np.clip(x + 0.08 * wide_px * rng.normal(), 0, columns - wide_px))
        top = int(np.clip(y + 0.04 * high * rng.normal(), 0, rows - high))
        part = np.ascontiguousarray(picture[top : top + high, left : left + wide_px])
        if rng.random() < 0.5:
            part, left, label[0] = part[:, ::-1].copy(), columns - left - wide_px, columns - label[0] - label[2]
        return Person(part, (label[0] - left, label[1] - top, float(label[2]), float(label[3])), "whole", group)

    def _somebody(self, index: int, rng: np.random.Generator) -> tuple[U8, F32, str]:
        """A portrait, in three of five another person's face on it, origins alike often; label and group."""
        picture, label = self.portraits.picture(index), self.portraits.labels[index][:14].copy()
        if rng.random() < 0.4:
            return picture, label, "portrait"
        group = list(self.by_group)[int(rng.integers(len(self.by_group)))]
        other = int(rng.choice(self.by_group[group]))
        crop, row = self.crops.picture(other), self.crops.labels[other]
        inner = similarity(row[4:14].reshape(5, 2), label[4:14].reshape(5, 2))
        x, y, w, h = label[:4]
        size = (picture.shape[1], picture.shape[0])
        face = cv2.warpAffine(crop, inner, size, borderMode=cv2.BORDER_REPLICATE).astype(np.float32)
        mask = np.zeros((128, 128), np.uint8)
        centre = row[4:14].reshape(5, 2).mean(0)
        axes = (int(0.46 * row[2] + rng.integers(0, 5)), int(0.46 * row[3] + rng.integers(0, 5)))
        cv2.ellipse(mask, (int(centre[0]), int(centre[1] - 0.06 * row[3])), axes, 0, 0, 360, 255, -1)
        mask[:3] = mask[-3:] = mask[:, :3] = mask[:, -3:] = 0
        mask[crop.max(-1) == 0] = 0  # where the crop's own picture ended
        alpha = cv2.warpAffine(cv2.GaussianBlur(mask, (0, 0), 5), inner, size).astype(np.float32)[..., None] / 255
        under = picture[max(0, int(y)) : int(y + h), max(0, int(x)) : int(x + w)].reshape(-1, 3).mean(0)
        skin = crop[40:110, 40:88].reshape(-1, 3).mean(0)
        keep = rng.uniform(0.2, 1.0)
        body = picture.astype(np.float32) * np.clip((skin / (under + 1)) ** keep, 0.35, 1.8)
        shown = self._skin(picture, body, under) if skin.mean() < under.mean() else picture.astype(np.float32)
        face += (1 - keep) * (under - skin) * 0.5
        mixed = np.clip(shown + (face - shown) * alpha, 0, 255).astype(np.uint8)
        label[4:14] = transform(inner, row, False)[4:14]
        return mixed, label, group

    def _skin(self, picture: U8, darker: F32, tone: F32) -> F32:
        """Neck and ears take the new face's tone: what is as coloured as the face was becomes ``darker``."""
        away = np.abs(picture.astype(np.float32) - tone).sum(-1)
        share = np.clip(1.4 - away / 90, 0, 1)
        share = cv2.GaussianBlur(share, (0, 0), 3)[..., None]
        return np.asarray(picture + (darker - picture) * share, np.float32)

    def _mask(self, index: int) -> U8 | None:
        """The portrait's cut-out; None where cutting out has found next to nothing or everything."""
        rows, columns = (round(side * _SMALL) for side in self.portraits.shapes[index])
        flat = self.masks[self.at[index] : self.at[index + 1]]
        if flat.size != rows * columns:
            rows, columns = (int(np.rint(side * _SMALL)) for side in self.portraits.shapes[index])
        if flat.size != rows * columns or not 0.25 < flat.mean() / 255 < 0.85:
            return None
        return flat.reshape(rows, columns)

    def _continued(self, whole: U8, rng: np.random.Generator) -> F32:
        """The portrait's own background, continued beyond its edges, out of focus."""
        rows, columns = whole.shape[:2]
        small = cv2.resize(whole, (columns // 8, rows // 8), interpolation=cv2.INTER_AREA)
        soft = cv2.GaussianBlur(small, (0, 0), rng.uniform(1, 4))
        return np.asarray(cv2.resize(soft, (columns, rows)), np.float32)

    def _drawn(self, rng: np.random.Generator, size: tuple[int, int], face: float | None) -> Person:
        """One of the fictional people in the demo's own room."""
        key = hash((size, int(rng.integers(6)))) & 0xFFFF
        if key not in self.painters:
            self.painters[key] = Painter(size, int(rng.integers(1000)), noise=0)
        name = self.people[int(rng.integers(len(self.people)))]
        share = face or float(np.clip(rng.normal(0.46, 0.1), 0.25, 0.7))
        head = HeadInView(
            name,
            int(rng.integers(3)),
            0.5 + rng.normal(0, 0.06),
            0.5 + rng.normal(0, 0.04),
            share / _BOX,
            *(float(rng.normal(0, spread)) for spread in (9, 3, 3)),
        )
        frame = self.painters[key].paint(View("OnePerson", (head,), side=float(rng.uniform(-0.5, 0.5))), 0)
        high, wide = share * size[1], 0.78 * share * size[1]
        return Person(frame, (head.x * size[0] - wide / 2, head.y * size[1] - high / 2, wide, high), "drawn", name)


def _settled(alpha: U8, box: Box, rng: np.random.Generator) -> F32:
    """A cut-out's edge, somewhat soft and shrunk, and never a hole in the face; float32 (H, W, 1)."""
    x, y, w, h = box
    cv2.ellipse(alpha, (int(x + w / 2), int(y + h / 2)), (int(0.42 * w), int(0.5 * h)), 0, 0, 360, 255, -1)
    soft = cv2.GaussianBlur(alpha, (0, 0), float(rng.uniform(0.5, 0.012 * h + 0.8))).astype(np.float32) / 255
    return np.clip(soft * 1.4 - 0.3, 0, 1)[..., None]


def _inside(shape: tuple[int, ...], matrix: F32, size: tuple[int, int]) -> F32:
    """Where a portrait has pixels, feathered at its edges; float32 (H, W, 1)."""
    mask = np.zeros(shape[:2], np.uint8)
    edge = max(2, min(mask.shape) // 14)
    mask[edge:-edge, edge:-edge] = 255
    soft = cv2.GaussianBlur(mask, (0, 0), 0.6 * edge)
    return np.asarray(cv2.warpAffine(soft, matrix, size), np.float32)[..., None] / 255


def _clothes(whole: F32, box: Box, rng: np.random.Generator) -> F32:
    """What is worn, float32 (H, W, 3): the colour under the chin or any, with folds."""
    rows, columns = whole.shape[:2]
    x, y, w, h = (int(value) for value in box)
    below = whole[min(rows - 1, y + int(1.25 * h)) : y + int(1.6 * h), max(0, x - w // 2) : x + w + w // 2]
    colour = below.reshape(-1, 3).mean(0) if below.size and rng.random() < 0.7 else rng.uniform(10, 220, 3)
    noise = rng.standard_normal((rows // 4 + 1, columns // 4 + 1)).astype(np.float32)
    folds = cv2.GaussianBlur(noise, (0, 0), 3, sigmaY=9)
    folds = cv2.resize(folds / (folds.std() + 1e-6), (columns, rows))
    return np.asarray(colour * (1 + 0.1 * folds[..., None]), np.float32)


def _body(size: tuple[int, int], box: Box, rng: np.random.Generator) -> F32:
    """Neck, shoulders and what is below them, float32 (H, W, 1)."""
    x, y, w, h = box
    middle, wide = x + w / 2, w * rng.uniform(1.15, 1.6)
    points = [(0.25 * w, 0.9 * h), (0.33 * w, 1.15 * h), (0.75 * wide, 1.35 * h), (wide, 1.65 * h), (1.1 * wide, 5 * h)]
    outline = [(middle + a, y + b) for a, b in points] + [(middle - a, y + b) for a, b in reversed(points)]
    mask = np.zeros((size[1], size[0]), np.uint8)
    cv2.fillPoly(mask, [np.array(outline, np.int32)], 255, cv2.LINE_AA)
    return np.asarray(cv2.GaussianBlur(mask, (0, 0), 0.02 * h + 0.5), np.float32)[..., None] / 255


def _around(size: tuple[int, int], box: Box) -> F32:
    """Where a head and its hair may be, float32 (H, W, 1)."""
    x, y, w, h = box
    mask = np.zeros((size[1], size[0]), np.uint8)
    middle, axes = (int(x + w / 2), int(y + 0.44 * h)), (int(0.92 * w), int(0.95 * h))
    cv2.ellipse(mask, middle, axes, 0, 0, 360, 255, -1, cv2.LINE_AA)
    return np.asarray(cv2.GaussianBlur(mask, (0, 0), 0.03 * h + 0.5), np.float32)[..., None] / 255
