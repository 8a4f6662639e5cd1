"""The shipped chain, the fictional people with landmarks of their own meshes, and cards made for a test."""

from __future__ import annotations

import copy
import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
import yaml

from edge import _resources
from edge.face import Chain, load_card
from edge.settings.model import FaceSettings
from edge.types import Frame

#: MediaPipe's numbers of: corners of the image-left eye, of the image-right eye, nose tip, mouth corners.
MESH = ((33, 133), (362, 263), (4,), (61,), (291,))
PEOPLE = ("ada", "bela", "chen", "dara", "emil", "fara", "goran", "hana", "isak", "jaya", "kenji", "lena")


@pytest.fixture(scope="session")
def chain() -> Chain:
    """The shipped models with default settings."""
    return Chain.load(FaceSettings(threads=1))


@pytest.fixture(scope="session")
def mesh_landmarks() -> Callable[[str], np.ndarray]:
    """float32 (5, 2) of a person's variant 0, from the mesh that the picture was made with; no detector involved."""
    meshes = np.load(_resources.path("people", "mesh.npz"))

    def landmarks(name: str) -> np.ndarray:
        return np.array([meshes[name][list(points), :2].mean(0) for points in MESH], np.float32)

    return landmarks


@pytest.fixture(scope="session")
def scene(picture) -> Callable[..., Frame]:
    """``scene(("ada", 0, 320, 240, 0.5), ...)``: 640x480, each person's face centred at x, y, so high a share of it."""

    def make(*people: tuple[str, int, float, float, float], size: tuple[int, int] = (640, 480)) -> Frame:
        noise = np.random.default_rng(5).normal(0, 4, (size[1], size[0], 3))
        wall = np.clip(125 + noise, 0, 255).astype(np.uint8)
        for name, variant, x, y, share in people:
            person = picture(name, variant)
            if share * size[1] < 106:  # halve first, or the warp would skip pixels
                person = cv2.resize(person, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA)
            # in the 384x384 pictures the face is about 212 pixels high, its centre at (193, 196)
            shrunk = person.shape[0] / 384
            scale, middle = share * size[1] / (212 * shrunk), np.array([193, 196]) * shrunk
            matrix = np.array([[scale, 0, x - scale * middle[0]], [0, scale, y - scale * middle[1]]])
            mode = cv2.BORDER_TRANSPARENT
            cv2.warpAffine(person, matrix, size, dst=wall, flags=cv2.INTER_LINEAR, borderMode=mode)
        return Frame(wall, 0, 0, "test")

    return make


@pytest.fixture
def write_card(tmp_path: Path) -> Callable[..., Path]:
    """``write_card(model_bytes, base="embedder", **changes)``: a model and its card in a folder of their own.

    The card is the shipped one of ``base`` with digest and size of the given bytes, then ``changes``.
    """

    def write(model: bytes, base: str = "embedder", **changes: Any) -> Path:
        raw = copy.deepcopy(dict(load_card(base).raw))
        raw |= {"file": "model.tflite", "sha256": hashlib.sha256(model).hexdigest(), "size_bytes": len(model)}
        if "calibration" in raw:
            raw["calibration"]["sha256"] = raw["sha256"]
        (tmp_path / "model.tflite").write_bytes(model)
        path = tmp_path / "model.card.yaml"
        path.write_text(yaml.safe_dump(raw | changes), encoding="utf-8")
        return path

    return write
