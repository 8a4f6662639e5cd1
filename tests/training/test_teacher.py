"""The teacher beside a training run: OpenVINO on a CPU and PyTorch on a GPU say the same. Needs torch, openvino."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="the recipes need the `train` extra (torch)")
pytest.importorskip("openvino", reason="the recipes need the `train` extra (openvino)")

from models.training.ir_torch import Graph  # noqa: E402
from models.training.teacher import EARLY, EMBEDDING, FILE, LAST, MIDDLE, OnlineTeacher  # noqa: E402


def cosine(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    a, b = a.reshape(len(a), -1), b.reshape(len(b), -1)
    return (a * b).sum(1) / np.linalg.norm(a, axis=1) / np.linalg.norm(b, axis=1)


def test_both_ways_to_run_the_teacher_give_the_same_embedding_and_maps(shared: Path, picture):
    """PyTorch runs on the CPU here: the graph and the maps on its way are what is compared."""
    import cv2

    faces = np.stack([cv2.resize(picture(name, 0)[70:330, 60:320], (128, 128)) for name in ("ada", "bela", "lena")])
    z, maps = OnlineTeacher(shared / "data", "cpu", 1)(faces)
    graph = Graph(shared / "data" / FILE, (EMBEDDING, EARLY, MIDDLE, LAST))
    batch = torch.from_numpy(faces.transpose(0, 3, 1, 2).astype(np.float32))
    with torch.no_grad():
        found = [part.numpy() for part in graph(batch)]
    assert z.shape == (3, 256)
    assert [m.shape[1:] for m in maps] == [(64, 32, 32), (128, 16, 16), (128, 8, 8)]
    for mine, other in zip((z, *maps), found, strict=True):
        assert cosine(mine, other).min() > 0.999
