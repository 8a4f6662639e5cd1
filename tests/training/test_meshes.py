"""Meshes of crops: what the teacher says of people whose mesh is known, and nothing where there is no face."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from edge import _resources
from models.training.affine import similarity
from models.training.crops import POINTS
from models.training.meshes import list_meshes, open_meshes
from models.training.turned import LANDMARKS

pytest.importorskip("ai_edge_litert", reason="the mesh's teacher runs in LiteRT")
NAMES = ("ada", "bela", "chen")


def cache(work: Path, pictures: list[np.ndarray]) -> None:
    """What `detector prepare` would have made of these crops."""
    (work / "data").mkdir(parents=True)
    np.stack(pictures).tofile(work / "data" / "crops.u8")
    shapes = np.array([picture.shape[:2] for picture in pictures], np.int64)
    np.savez(work / "data" / "crops.npz", shapes=shapes, names=np.array([f"{n}.jpg" for n in range(len(pictures))]))


def test_the_mesh_of_a_crop_is_the_persons_and_an_empty_crop_has_none(shared: Path, picture, tmp_path: Path):
    crops, wanted = [], []
    with np.load(_resources.path("people", "mesh.npz")) as meshes:
        for name in NAMES:
            mesh = meshes[name].astype(np.float32)
            matrix = similarity(np.array([mesh[list(group), :2].mean(0) for group in LANDMARKS]), POINTS)
            crops.append(cv2.warpAffine(picture(name), matrix, (128, 128), borderMode=cv2.BORDER_REPLICATE))
            wanted.append(mesh[:, :2] @ matrix[:, :2].T + matrix[:, 2])
    cache(tmp_path, [*crops, np.full((128, 128, 3), 90, np.uint8)])
    list_meshes(shared / "data", tmp_path)
    found = open_meshes(tmp_path / "data").astype(np.float32)
    for mesh, true in zip(found, wanted, strict=False):
        assert np.linalg.norm(mesh[:, :2] - true, axis=1).mean() < 2.5
        assert mesh[4, 2] < mesh[[234, 454], 2].min() - 15, "the nose is nearer to the camera than the cheeks"
    assert np.isnan(found[3]).all()


def test_without_meshes_it_is_said_what_writes_them(tmp_path: Path):
    with pytest.raises(FileNotFoundError, match="detector prepare"):
        open_meshes(tmp_path)
