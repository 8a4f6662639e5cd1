"""The teacher beside a training run: OpenVINO on a CPU and PyTorch on a GPU say the same. Needs torch, openvino."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="the recipes need the `train` extra (torch)")
pytest.importorskip("openvino", reason="the recipes need the `train` extra (openvino)")

from models.training.teacher import FILE, OnlineTeacher, _torch_graphs  # noqa: E402


def cosine(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    a, b = a.reshape(len(a), -1), b.reshape(len(b), -1)
    return (a * b).sum(1) / np.linalg.norm(a, axis=1) / np.linalg.norm(b, axis=1)


def test_both_ways_to_run_the_teacher_give_the_same_embedding_and_maps(shared: Path, picture):
    """PyTorch runs on the CPU here, in half precision as on a GPU: the graph and its cuts are what is compared."""
    import cv2

    faces = np.stack([cv2.resize(picture(name, 0)[70:330, 60:320], (128, 128)) for name in ("ada", "bela", "lena")])
    z, maps = OnlineTeacher(shared / "data", shared / "tools", "cpu", 1)(faces)
    graphs = _torch_graphs(shared / "data" / FILE, shared / "tools", "cpu")
    batch = torch.from_numpy(faces.transpose(0, 3, 1, 2).astype(np.float32)).half()
    with torch.no_grad():
        found = [graph(batch).float().numpy() for graph in graphs]
    assert z.shape == (3, 256)
    assert [m.shape[1:] for m in maps] == [(64, 32, 32), (128, 16, 16), (128, 8, 8)]
    for mine, other in zip((z, maps[2], maps[1], maps[0]), found, strict=True):
        assert cosine(mine, other).min() > 0.999
