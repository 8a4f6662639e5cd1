"""Scenes for the detector, composed at the network's input resolution with one affine warp a face.

    composer = Composer(cache_folder, split="train", seed=1)
    image, faces = composer.scene()

`image` is BGR uint8 (144, 192, 3); `faces` is float32 (MOST_FACES, 14): centre x, y, width, height, then five landmarks
x, y in pixels of the image; unused rows are zero. What a scene may hold: a portrait (as it is, or with another person's
face laid over it: hair, neck and shoulders stay real), crops under soft masks on a background, several faces, faces
partly outside, bars as a letterboxed square picture has, occluders, blur, or no face at all.
"""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from models.training.affine import chain, similarity, transform
from models.training.covers import occlude
from models.training.data import CONFIDENT, Pictures, open_pictures
from models.training.meshes import open_meshes
from models.training.turned_crops import looking

U8 = NDArray[np.uint8]
F32 = NDArray[np.float32]
F64 = NDArray[np.float64]
WIDTH, HEIGHT = 192, 144
MOST_FACES = 5
#: The second look (`edge.face.second_pass`) sees a pattern of 12 pixels nine times enlarged: log of the largest scale.
NEAREST = 2.2
#: Share of faces with something in front of them, and of crops on a background whose heads look aside.
COVERED, LOOKING = 0.33, 0.4
#: Share of scenes in which the face is as large as a second look sees it.
SECOND = 0.3
#: Pictures with index % 15 == 0 (portraits, backgrounds) or % 40 == 0 (crops) are held out for validation.
HELD_OUT = {"portraits": 15, "backgrounds": 15, "crops": 40}


def split_indices(pictures: Pictures, kind: str, split: str) -> NDArray[np.int64]:
    """Indices of one split: ``train``, ``held_out`` or ``all``; faces must be confident, backgrounds empty."""
    score = pictures.labels[:, 14]
    keep = score == 0 if kind == "backgrounds" else score >= CONFIDENT
    held = np.arange(len(score)) % HELD_OUT[kind] == 0
    if split == "train":
        keep = keep & ~held
    elif split == "held_out":
        keep = keep & held
    return np.flatnonzero(keep)


def _masks(rng: np.random.Generator) -> list[U8]:
    """Soft ovals and rounded rectangles that hide a crop's straight border, (128, 128)."""
    masks = []
    for number in range(32):
        mask = np.zeros((128, 128), np.uint8)
        centre = (int(rng.integers(61, 68)), int(rng.integers(64, 72)))
        if number % 4:
            axes = (int(rng.integers(42, 60)), int(rng.integers(54, 66)))
            cv2.ellipse(mask, centre, axes, 0, 0, 360, 255, -1)
        else:
            inset = int(rng.integers(1, 8))
            mask[inset : 128 - inset, inset : 128 - inset] = 255
        size = 2 * int(rng.integers(1, 8)) + 1
        mask[0], mask[-1], mask[:, 0], mask[:, -1] = 0, 0, 0, 0
        masks.append(cv2.GaussianBlur(mask, (size, size), 0))
    return masks


class Composer:
    """An endless source of labelled scenes.

    Args:
        work: folder of the cache that `data.prepare` made.
        split: ``train`` or ``held_out``.
        seed: everything random follows from it.
    """

    def __init__(self, work: Path, split: str, seed: int) -> None:
        self.rng = np.random.default_rng(seed)
        self.portraits, self.crops = open_pictures(work, "portraits"), open_pictures(work, "crops")
        self.backgrounds, self.meshes = open_pictures(work, "backgrounds"), open_meshes(work)
        self.portrait_ids = split_indices(self.portraits, "portraits", split)
        self.crop_ids = split_indices(self.crops, "crops", split)
        self.background_ids = split_indices(self.backgrounds, "backgrounds", split)
        self.masks = _masks(np.random.default_rng(7))

    def scene(self, face_height: float | None = None) -> tuple[U8, F32]:
        """One scene. With ``face_height`` (pixels of the input) exactly one face of that height, well inside."""
        rng = self.rng
        canvas = self.background()
        left, right = self.window()
        faces: list[F32] = []
        kind = rng.random()
        if face_height is not None or kind < 0.86:
            height = face_height or self.height()
            make = self.portrait if rng.random() < 0.5 else self.crop
            faces.append(make(canvas, height, left, right, inside=face_height is not None))
            if face_height is None and kind < 0.22:
                for _ in range(int(rng.integers(1, MOST_FACES))):
                    self.another(canvas, faces, left, right)
        elif kind < 0.90:
            self.broken_face(canvas)
        self.finish(canvas, faces, left, right)
        rows = np.zeros((MOST_FACES, 14), np.float32)
        if faces:
            rows[: len(faces)] = faces
        return canvas, rows

    def height(self) -> float:
        """Face height in the input: 12 px (8 % of the frame) to 140 px, most of them where faces are verified."""
        kind = self.rng.random()
        if kind < SECOND:
            return float(np.clip(self.rng.normal(0.75 * HEIGHT, 10), 80, 140))
        low, high = (11.0, 30.0) if kind < SECOND + 0.2 else (26.0, 142.0)
        return float(np.exp(self.rng.uniform(np.log(low), np.log(high))))

    def window(self) -> tuple[int, int]:
        """Columns that hold the picture; the rest is bars, as when a square or upright picture is letterboxed."""
        if self.rng.random() > 0.2:
            return 0, WIDTH
        width = int(self.rng.choice([144, 144, 144, 108, 81, 128]))
        left = (WIDTH - width) // 2 if self.rng.random() < 0.6 else 0
        return left, left + width

    def background(self) -> U8:
        """A piece of a photograph without a face, at times as near as a second look sees it; now and then a wall."""
        rng = self.rng
        if rng.random() < 0.08:
            a, b = rng.integers(0, 256, (2, 3))
            ramp = np.linspace(0, 1, WIDTH)[None, :, None]
            return np.ascontiguousarray(np.broadcast_to((a + (b - a) * ramp).astype(np.uint8), (HEIGHT, WIDTH, 3)))
        picture = self.backgrounds.picture(int(rng.choice(self.background_ids)))
        h, w = picture.shape[:2]
        cover = max(WIDTH / w, HEIGHT / h)
        scale = cover * float(np.exp(rng.uniform(0, 0.9 if rng.random() < 0.6 else NEAREST)))
        x = rng.uniform(0, max(1e-3, w * scale - WIDTH))
        y = rng.uniform(0, max(1e-3, h * scale - HEIGHT))
        matrix = np.array([[scale, 0, -x], [0, scale, -y]])
        if rng.random() < 0.5:
            matrix = chain(np.array([[-1.0, 0, WIDTH - 1], [0, 1, 0]]), matrix)
        return cv2.warpAffine(picture, matrix, (WIDTH, HEIGHT), borderMode=cv2.BORDER_REFLECT)

    def pose(self, row: F32, height: float, left: int, right: int, inside: bool) -> tuple[F64, bool]:
        """A random affine that puts the face `row` into the window at about the given height."""
        rng = self.rng
        scale = height / float(row[3])
        tilt = rng.normal(0, 11) if rng.random() < 0.7 else rng.uniform(-42, 42)
        angle = np.deg2rad(np.clip(tilt, -42, 42))
        narrow = 1.0 if inside else float(np.exp(rng.normal(0, 0.06)))
        shear = 0.0 if inside else float(rng.normal(0, 0.05))
        mirrored = bool(rng.random() < 0.5)
        linear = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
        linear = linear @ np.array([[1, shear], [0, 1.0]]) @ np.diag([scale * narrow, scale / narrow])
        if mirrored:
            linear = linear @ np.diag([-1.0, 1.0])
        half_w, half_h = 0.4 * height, 0.5 * height
        if inside or rng.random() < 0.8:
            free = 0.0 if inside else 0.15
            low = [left + half_w * (1 - free), half_h * (1 - free)]
            high = [right - half_w * (1 - free), HEIGHT - half_h * (1 - free)]
        else:
            low, high = [left + 2.0, 2.0], [right - 2.0, HEIGHT - 2.0]
        at = [rng.uniform(min(a, b), max(a, b)) if b > a else (a + b) / 2 for a, b in zip(low, high, strict=True)]
        if not inside and rng.random() < 0.25:
            at = [(left + right) / 2 + rng.normal(0, 6), HEIGHT / 2 + rng.normal(0, 6)]
        centre = linear @ (row[0:2] + row[2:4] / 2)
        return np.hstack([linear, (np.array(at) - centre)[:, None]]), mirrored

    def portrait(self, canvas: U8, height: float, left: int, right: int, inside: bool = False) -> F32:
        """Lay a whole portrait over the canvas, half of the time with another person's face on it."""
        rng = self.rng
        index = int(rng.choice(self.portrait_ids))
        picture, row = self.portraits.picture(index), self.portraits.labels[index]
        matrix, mirrored = self.pose(row, height, left, right, inside)
        border = cv2.BORDER_REPLICATE if rng.random() < 0.15 else cv2.BORDER_TRANSPARENT
        warp(picture, matrix, canvas, border)
        if rng.random() < 0.45:
            return transform(matrix, row, mirrored)
        other = int(rng.choice(self.crop_ids))
        crop, crop_row = self.crops.picture(other), self.crops.labels[other]
        inner = similarity(crop_row[4:14].reshape(5, 2), row[4:14].reshape(5, 2))
        x, y, w, h = row[0:4].astype(int)
        tone = picture[max(0, y + h // 4) : y + 3 * h // 4 : 8, max(0, x + w // 4) : x + 3 * w // 4 : 8]
        full = chain(matrix, inner)
        self.blend(canvas, crop, full, tone.reshape(-1, 3).mean(0) if rng.random() < 0.7 and tone.size else None, True)
        swapped, own = transform(full, crop_row, mirrored), transform(matrix, row, mirrored)
        swapped[0:4] = (swapped[0:4] + own[0:4]) / 2
        return swapped

    def head(self, index: int) -> tuple[U8, F32]:
        """A crop and its label; some heads look aside (`turned_crops`)."""
        picture, row, mesh = self.crops.picture(index), self.crops.labels[index], self.meshes[index]
        if self.rng.random() > LOOKING or np.isnan(mesh[0, 0]):
            return picture, row
        return looking(picture, row, mesh.astype(np.float32), self.rng)

    def crop(self, canvas: U8, height: float, left: int, right: int, inside: bool = False) -> F32:
        """Lay a tight crop over the canvas under a soft mask, or let it fill the frame by replicating its border."""
        rng = self.rng
        picture, row = self.head(int(rng.choice(self.crop_ids)))
        matrix, mirrored = self.pose(row, height, left, right, inside)
        if rng.random() < 0.2:
            warp(picture, matrix, canvas, cv2.BORDER_REPLICATE)
        else:
            self.blend(canvas, picture, matrix, None, False)
        return transform(matrix, row, mirrored)

    def blend(self, canvas: U8, crop: U8, matrix: F64, tone: F64 | None, oval: bool) -> None:
        """Alpha-blend a crop under one of the masks, optionally shifted towards a mean colour."""
        number = int(self.rng.integers(len(self.masks)))
        mask = self.masks[number + 1 if oval and number % 4 == 0 else number]
        corners = matrix[:, :2] @ np.array([[0, 128, 0, 128], [0, 0, 128, 128.0]]) + matrix[:, 2:]
        x0, y0 = np.maximum(np.floor(corners.min(1)).astype(int), 0)
        x1, y1 = np.minimum(np.ceil(corners.max(1)).astype(int) + 1, [WIDTH, HEIGHT])
        if x1 <= x0 or y1 <= y0:
            return
        local = matrix.copy()
        local[:, 2] -= [x0, y0]
        size = (int(x1 - x0), int(y1 - y0))
        crop, mask, local = shrink(crop, mask, local)
        face = cv2.warpAffine(crop, local, size, borderMode=cv2.BORDER_REPLICATE)
        alpha = cv2.warpAffine(mask, local, size)
        area = canvas[y0:y1, x0:x1]
        delta = face.astype(np.float32) - area
        if tone is not None:
            delta += (tone - crop[::8, ::8].reshape(-1, 3).mean(0)).astype(np.float32)
        delta *= (alpha.astype(np.float32) * (1 / 255))[..., None]
        area[:] = np.clip(area + delta, 0, 255).astype(np.uint8)

    def another(self, canvas: U8, faces: list[F32], left: int, right: int) -> None:
        """A further crop, where it does not hide a face that is already there."""
        for _ in range(6):
            height = float(np.exp(self.rng.uniform(np.log(11), np.log(80))))
            x, y = self.rng.uniform(left, right), self.rng.uniform(0, HEIGHT)
            apart = [np.hypot(x - f[0], y - f[1]) > 0.62 * (height + max(f[2], f[3])) for f in faces]
            if all(apart):
                picture, row = self.head(int(self.rng.choice(self.crop_ids)))
                matrix, mirrored = self.pose(row, height, left, right, False)
                own = transform(matrix, row, mirrored)
                matrix[:, 2] += [x - own[0], y - own[1]]
                self.blend(canvas, picture, matrix, None, True)
                faces.append(transform(matrix, row, mirrored))
                return

    def broken_face(self, canvas: U8) -> None:
        """A hard negative: skin and hair without a face (a portrait whose face is painted over)."""
        index = int(self.rng.choice(self.portrait_ids))
        picture, row = self.portraits.picture(index).copy(), self.portraits.labels[index]
        x, y, w, h = row[0:4]
        shift = self.background()[: max(1, int(h * 1.2)), : max(1, int(w * 1.2))]
        y0, x0 = max(0, int(y - 0.1 * h)), max(0, int(x - 0.1 * w))
        area = picture[y0 : y0 + int(1.2 * h), x0 : x0 + int(1.2 * w)]
        area[:] = cv2.resize(shift, (area.shape[1], area.shape[0]))
        matrix, _ = self.pose(row, self.height(), 0, WIDTH, False)
        warp(picture, matrix, canvas, cv2.BORDER_TRANSPARENT)

    def finish(self, canvas: U8, faces: list[F32], left: int, right: int) -> None:
        """Occluders, blur, coding, bars; in place."""
        rng = self.rng
        for face in faces:
            if rng.random() < COVERED:
                occlude(canvas, face, rng, self.background() if rng.random() < 0.5 else None)
        chance = rng.random()
        if chance < 0.15:
            canvas[:] = cv2.GaussianBlur(canvas, (0, 0), float(rng.uniform(0.4, 1.3)))
        elif chance < 0.2:
            small = cv2.resize(canvas, (WIDTH // 2, HEIGHT // 2), interpolation=cv2.INTER_AREA)
            canvas[:] = cv2.resize(small, (WIDTH, HEIGHT))
        elif chance < 0.25:
            kernel = np.zeros((5, 5), np.float32)
            kernel[(2, slice(None)) if rng.random() < 0.5 else (slice(None), 2)] = 0.2
            canvas[:] = cv2.filter2D(canvas, -1, kernel)
        elif chance < 0.3:
            code = cv2.imencode(".jpg", canvas, [cv2.IMWRITE_JPEG_QUALITY, int(rng.integers(35, 90))])[1]
            canvas[:] = cv2.imdecode(code, cv2.IMREAD_COLOR)
        if (left, right) != (0, WIDTH):
            fill = int(rng.choice([0, 0, 0, 114, 128, int(rng.integers(256))]))
            canvas[:, :left], canvas[:, right:] = fill, fill


def shrink(crop: U8, mask: U8 | None, matrix: F64) -> tuple[U8, U8 | None, F64]:
    """Halve the source while the warp would skip pixels (a cheap mip map, so that small faces do not alias)."""
    scale = float(np.sqrt(abs(np.linalg.det(matrix[:, :2]))))
    while scale < 0.6:
        h, w = crop.shape[0] // 2, crop.shape[1] // 2
        # exact halves only: anything else leaves OpenCV's fast path
        crop = cv2.resize(crop[: 2 * h, : 2 * w], (w, h), interpolation=cv2.INTER_AREA)
        mask = None if mask is None else cv2.resize(mask[: 2 * h, : 2 * w], (w, h), interpolation=cv2.INTER_AREA)
        # a pixel centre at u in the half picture lies at 2u + 0.5 in the full one
        matrix = chain(matrix, np.array([[2, 0, 0.5], [0, 2, 0.5]]))
        scale *= 2
    return crop, mask, matrix


def warp(picture: U8, matrix: F64, canvas: U8, border: int) -> None:
    """Warp a picture onto the canvas, in place."""
    picture, _, matrix = shrink(picture, None, matrix)
    cv2.warpAffine(picture, matrix, (WIDTH, HEIGHT), dst=canvas, borderMode=border)
