"""A second look at every face that was found: the same net, where the face fills its input.

    frame -> net: faces, some of them patterns on the wall, their landmarks as coarse as the input's pixels
          -> around each a part of the frame in which it fills three quarters of the height, turned upright for tilted
             heads -> net: yes or no, landmarks; where that leaves doubt, a third look, in a mirror

One pass over a whole frame sees a small face with few pixels: its landmarks are off by a sixth of the eye distance, and
curtains look like faces. Seen again at the size that the net knows best, the landmarks of a small face are as good as
those of a large one, and what was no face stops looking like one. So the first pass may be generous and the second
strict: more small faces are found, with a thirtieth of the false alarms or fewer (figures in models/training/NOTES.md).
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from typing import cast

import cv2
import numpy as np

from edge.face.align import across, lay
from edge.types import F32, U8, Face

#: Share of the part's height that a face fills: landmarks are best at 0.6 to 0.9 (models/training/NOTES.md).
FILLS = 0.75
#: A head tilted by more degrees is turned upright for the second look.
_TILTED = 15.0
#: A part that enlarges the face by less than this would show the same again; a face of which the first look is sure
#: must gain more than that, since its landmarks are as good already (models/training/NOTES.md).
_WORTHWHILE, _SURE, _WORTHWHILE_IF_SURE = 1.15, 0.97, 1.5
#: Candidates looked at again, the most certain first; a frame of a hundred patterns must not stall a device.
MOST_AGAIN = 6
#: Beside somebody who is confirmed, what the first look doubts is not worth a pass; it is generous for frames in which
#: nobody is seen yet.
_DOUBTED = 0.5
#: What the first look's log-odds count beside the second's. Held-out frames: with 0 more faces in profile and in the
#: dark were lost, with 1 more patterns passed (models/training/NOTES.md).
_FIRST = 0.5
#: Overlap (IoU) from which on the face of the second look is the face of the first, and two faces are one.
_SAME = 0.4
#: With both looks at less than this, a face is no face, and a third look would not change it.
_UNDECIDED = 0.5
#: The landmarks' order in a mirror.
_OTHER_SIDE = [1, 0, 2, 4, 3]


def confirmed(
    scan: Callable[[U8], list[Face]], image: U8, least: float, shape: tuple[int, int], *, exact: bool = False
) -> list[Face]:
    """The faces of an image that a second look confirms.

    Args:
        scan: one pass of the net: faces in pixels of the picture it is given.
        image: BGR uint8 (H, W, 3).
        least: score, 0..1, that all looks together must give.
        shape: (height, width) of the net's input.
        exact: parts are turned upright with the same bits on every machine (`edge.face.align`).

    Returns:
        Faces in pixels of ``image``, the highest first, with the landmarks of the second look and the score of all.
    """
    faces: list[Face] = []
    candidates = sorted(scan(image), key=lambda face: -face.score)
    for candidate in candidates[:MOST_AGAIN]:
        if faces and candidate.score < _DOUBTED:
            break
        face = _judged(scan, image, candidate, least, shape, alone=not faces, exact=exact)
        if face is not None and face.score >= least and all(overlap(face, other) <= _SAME for other in faces):
            faces.append(face)
    return sorted(faces, key=lambda face: -face.height)


def _judged(
    scan: Callable[[U8], list[Face]],
    image: U8,
    first: Face,
    least: float,
    shape: tuple[int, int],
    *,
    alone: bool,
    exact: bool,
) -> Face | None:
    """The face with the score of all looks at it; None when it is not seen again.

    Only while nobody is confirmed a doubtful face gets a third look: a bystander is not worth it.
    """
    second = _again(scan, image, first, shape, exact)
    if second is None:
        return None
    face = _together(first, second)
    if alone and second is not first and _UNDECIDED <= face.score < least:
        third = _again(mirrored(scan), image, first, shape, exact)
        return face if third is None else _together(first, second, third)
    return face


def _again(scan: Callable[[U8], list[Face]], image: U8, face: Face, shape: tuple[int, int], exact: bool) -> Face | None:
    """The same face, seen larger or upright; itself, where that would show nothing new; None when it is not seen."""
    height, width = image.shape[:2]
    if abs(tilt := roll(face)) > _TILTED:
        seen = _upright(scan, image, face, tilt, shape, exact)
    else:
        left, top, right, bottom = part_around(face, width, height, shape)
        whole = max(height / shape[0], width / shape[1])
        zoom = whole / max((bottom - top) / shape[0], (right - left) / shape[1])
        if zoom < (_WORTHWHILE_IF_SURE if face.score >= _SURE else _WORTHWHILE):
            return face
        seen = [_moved(other, left, top) for other in scan(image[top:bottom, left:right])]
    best = max(seen, key=lambda other: overlap(other, face), default=None)
    return best if best is not None and overlap(best, face) > _SAME else None


def _together(first: Face, *again: Face) -> Face:
    """The second look's face with the score of all: log-odds add up, as far as the looks are independent."""
    odds = sum(_log_odds(face.score) for face in again) / len(again) + _FIRST * _log_odds(first.score)
    return replace(again[0], score=1 / (1 + math.exp(-odds)))


def _log_odds(score: float) -> float:
    score = min(max(score, 1e-3), 1 - 1e-3)
    return math.log(score / (1 - score))


def mirrored(scan: Callable[[U8], list[Face]]) -> Callable[[U8], list[Face]]:
    """The same pass, of the mirror image; its faces come back where they are, and left is left."""

    def look(image: U8) -> list[Face]:
        last = image.shape[1] - 1
        return [_flipped(face, last) for face in scan(np.ascontiguousarray(image[:, ::-1]))]

    return look


def _flipped(face: Face, last: int) -> Face:
    x, y, w, h = face.box
    landmarks: F32 = face.landmarks[_OTHER_SIDE] * np.array([-1, 1], np.float32) + np.array([last, 0], np.float32)
    return Face((last - x - w, y, w, h), landmarks, face.score)


def roll(face: Face) -> float:
    """Tilt of the lines of eyes and mouth together, degrees, positive clockwise in the image."""
    x, y = across(face.landmarks)
    return math.degrees(math.atan2(y, x))


def _upright(
    scan: Callable[[U8], list[Face]], image: U8, face: Face, tilt: float, shape: tuple[int, int], exact: bool
) -> list[Face]:
    """The faces of the part around a face, turned so that its head is upright; in pixels of the frame."""
    x, y, w, h = face.box
    scale, turn = FILLS * shape[0] / max(h, w), math.radians(-tilt)
    p, q = scale * math.cos(turn), scale * math.sin(turn)
    x, y = x + w / 2, y + h / 2
    s, t = shape[1] / 2 - p * x + q * y, shape[0] / 2 - q * x - p * y
    turned = lay(image, (p, q, s, t), (shape[1], shape[0]), exact=exact)
    picture = cast(U8, cv2.cvtColor(turned, cv2.COLOR_BGRA2BGR))
    return [_turned_back(other, p, q, s, t) for other in scan(picture)]


def _turned_back(face: Face, p: float, q: float, s: float, t: float) -> Face:
    """A face of the upright picture in pixels of the frame; its box keeps its sides."""
    norm = p * p + q * q

    def back(u: float, v: float) -> tuple[float, float]:
        return (p * (u - s) + q * (v - t)) / norm, (p * (v - t) - q * (u - s)) / norm

    x, y, w, h = face.box
    (across, down), scale = back(x + w / 2, y + h / 2), 1 / math.sqrt(norm)
    landmarks: F32 = np.array([back(u, v) for u, v in face.landmarks.tolist()], np.float32)
    return Face((across - scale * w / 2, down - scale * h / 2, scale * w, scale * h), landmarks, face.score)


def part_around(face: Face, width: int, height: int, shape: tuple[int, int]) -> tuple[int, int, int, int]:
    """Left, top, right, bottom of the part to look at: the input's proportions, moved into the frame, cut to it."""
    x, y, w, h = face.box
    high = max(h / FILLS, w / FILLS * shape[0] / shape[1], 1.0)
    wide = high * shape[1] / shape[0]
    left = max(0, min(round(x + w / 2 - wide / 2), width - int(wide), width - 1))
    top = max(0, min(round(y + h / 2 - high / 2), height - int(high), height - 1))
    return left, top, max(left + 1, min(width, left + round(wide))), max(top + 1, min(height, top + round(high)))


def _moved(face: Face, right: int, down: int) -> Face:
    """A face of a part, in pixels of the frame."""
    x, y, w, h = face.box
    landmarks: F32 = face.landmarks + np.array([right, down], np.float32)
    return Face((x + right, y + down, w, h), landmarks, face.score)


def overlap(a: Face, b: Face) -> float:
    """Intersection over union of two faces' boxes, 0..1."""
    (ax, ay, aw, ah), (bx, by, bw, bh) = a.box, b.box
    width = min(ax + aw, bx + bw) - max(ax, bx)
    height = min(ay + ah, by + bh) - max(ay, by)
    if width <= 0 or height <= 0:
        return 0.0
    return width * height / (aw * ah + bw * bh - width * height)
