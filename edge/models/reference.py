"""Twelve people who do not exist, three pictures each: does an embedder tell them apart at all?

    try_people(card)["given"]           # {"same": 0.88, "different": 0.18, "separation": 8.6}

In lab builds and checkouts only: a device build compares no faces outside of a claim, not even these.

The three pictures of a person are made unlike each other here (dark and mirrored; coarse, noisy and lit from one side),
since undisturbed they are so alike that raw pixels, or a net of random weights, would tell these people apart. It shows
that pixels go into a model as it expects them. It says nothing about accuracy: see `edge lab`.

The separation is d' = (mean of same - mean of different) / sqrt((their variances) / 2). Measured on these pictures, one
net: 8.6; with its colours in the wrong order 8.2; pixels as 0..255 instead of -1..1 3.3; faces upside down 0.7. Another
net's weights replaced by random numbers 0.2; raw pixels 1.3.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from edge import _resources
from edge.errors import InputError, ModelError
from edge.face.align import Aligner
from edge.face.card import Align, Card, load_card
from edge.face.detect import Detector
from edge.face.embed import Embedder
from edge.types import I8, U8, Face

PEOPLE = ("ada", "bela", "chen", "dara", "emil", "fara", "goran", "hana", "isak", "jaya", "kenji", "lena")


@dataclass(frozen=True, slots=True)
class References:
    """36 pictures, BGR uint8, and the face that the shipped detector finds in each."""

    names: tuple[str, ...]
    pictures: tuple[U8, ...]
    faces: tuple[Face, ...]


def load_references() -> References:
    """The pictures, made unlike each other.

    Raises:
        InputError: a file of the product is missing or damaged.
    """
    names, pictures = [], []
    for name in PEOPLE:
        for variant in range(3):
            file = _resources.path("people", f"{name}-{variant}.jpg")
            picture = cv2.imread(str(file), cv2.IMREAD_COLOR)
            if picture is None:
                raise InputError("this picture of the product is damaged", where=file.name, remedy="reinstall it")
            names.append(name)
            pictures.append(_disturb(np.asarray(picture, np.uint8), variant))
    detector = Detector(load_card("detector"))
    found = [detector.detect(picture) for picture in pictures]
    return References(tuple(names), tuple(pictures), tuple(faces[0] for faces in found))


def try_people(card: Card) -> dict[str, Any]:
    """What a model makes of the reference people, with red and blue as its card says and exchanged.

    Returns:
        ``given`` and ``swapped``: of an embedder as `tell_apart`, of a detector ``found`` and ``of``.

    Raises:
        ModelError: it gives nothing, or no numbers, for a face.
    """
    seen, given = load_references(), card.input.channels
    other = "BGR" if given == "RGB" else "RGB"
    return {"given": _seen_by(card, seen), "swapped": _seen_by(_with_channels(card, other), seen)}


def _with_channels(card: Card, channels: str) -> Card:
    changed = {"channels": channels}
    align = card.align.model_copy(update=changed) if card.align is not None else None
    return replace(card, input=card.input.model_copy(update=changed), align=align)


def _seen_by(card: Card, seen: References) -> dict[str, float]:
    if card.kind == "detector":
        detector = Detector(card)
        return {"found": same_faces([detector.detect(p) for p in seen.pictures], seen), "of": len(seen.pictures)}
    embedder = Embedder(card)
    vectors = [embedder.embed(embedder.align(p, f.landmarks)) for p, f in zip(seen.pictures, seen.faces, strict=True)]
    if not all(vector.any() for vector in vectors):
        text = "it gives an embedding of nothing but zeros for a face"
        raise ModelError(text, remedy="export the model again, and compare the two files")
    return tell_apart(vectors, seen.names)


def _disturb(picture: U8, variant: int) -> U8:
    """Variant 0 as it is; 1 mirrored and dark; 2 coarse, lit from the right, noisy."""
    if variant == 0:
        return picture
    if variant == 1:
        return (picture[:, ::-1] * 0.45).astype(np.uint8)
    high, wide = picture.shape[:2]
    small = cv2.resize(picture, (72, 72), interpolation=cv2.INTER_AREA)
    coarse = cv2.resize(small, (wide, high), interpolation=cv2.INTER_LINEAR).astype(np.float64)
    light = np.linspace(0.6, 1.5, wide)[None, :, None]
    noise = np.random.default_rng(1).normal(0, 10, coarse.shape)
    return np.clip(coarse * light + noise, 0, 255).astype(np.uint8)


def tell_apart(vectors: NDArray[Any] | list[I8], names: tuple[str, ...]) -> dict[str, float]:
    """How well vectors tell their people apart.

    Args:
        vectors: (n, D), none of them all zero. names: n, whose each is.

    Returns:
        ``same`` and ``different``: mean cosines. ``separation``: d' (module docstring).
    """
    units = np.asarray(vectors, np.float64)
    units = units / np.linalg.norm(units, axis=1, keepdims=True)
    one, other = np.triu_indices(len(names), 1)
    people = np.array(names)
    cosines, alike = (units @ units.T)[one, other], people[one] == people[other]
    same, different = cosines[alike], cosines[~alike]
    spread = float(np.sqrt((same.var() + different.var()) / 2))
    apart = float(same.mean() - different.mean())
    return {
        "same": round(float(same.mean()), 3),
        "different": round(float(different.mean()), 3),
        "separation": round(apart / max(spread, 1e-6), 2),
    }


def same_faces(mine: list[list[Face]], seen: References) -> int:
    """In how many pictures a detector finds the face: IoU of 0.5, landmarks off by 0.2 eye distances at most."""
    found = 0
    for faces, known in zip(mine, seen.faces, strict=True):
        eyes = float(np.linalg.norm(known.landmarks[1] - known.landmarks[0]))
        found += any(
            _iou(face.box, known.box) >= 0.5
            and float(np.linalg.norm(face.landmarks - known.landmarks, axis=1).mean()) <= 0.2 * eyes
            for face in faces
        )
    return found


def _iou(a: tuple[float, ...], b: tuple[float, ...]) -> float:
    """Intersection over union of two boxes x, y, width, height."""
    width = min(a[0] + a[2], b[0] + b[2]) - max(a[0], b[0])
    height = min(a[1] + a[3], b[1] + b[3]) - max(a[1], b[1])
    shared = max(width, 0.0) * max(height, 0.0)
    return shared / (a[2] * a[3] + b[2] * b[3] - shared)


def sheet(seen: References, align: Align) -> U8:
    """What an embedder is shown of the reference people: a person a column, the template's points drawn in.

    Returns:
        BGR uint8. When eyes, nose and mouth do not lie on the points, the template is wrong.
    """
    aligner, columns = Aligner(align), []
    crops = []
    for picture, face in zip(seen.pictures, seen.faces, strict=True):
        crop = np.ascontiguousarray(aligner(picture, face.landmarks)[..., :: -1 if align.channels == "RGB" else 1])
        for x, y in align.template:
            cv2.circle(crop, (round(x), round(y)), max(1, align.size[0] // 56), (80, 255, 80), -1, cv2.LINE_AA)
        crops.append(cv2.copyMakeBorder(crop, 2, 2, 2, 2, cv2.BORDER_CONSTANT, value=(255, 255, 255)))
    for start in range(0, len(crops), 3):
        columns.append(np.vstack(crops[start : start + 3]))
    half = len(columns) // 2
    return np.asarray(np.vstack([np.hstack(columns[:half]), np.hstack(columns[half:])]), np.uint8)
