"""What we are measured against: YuNet in OpenCV, the teacher 0095 in OpenVINO, our own weights in float.

None of them is in a wheel. Peers are read from the data folder beside the checkout, through the lab's own adapters
(`edge.lab.adapters`) and the descriptions in ``peers/``. Only our float weights need code of their own: PyTorch.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from edge.face.align import Aligner
from edge.face.card import Align
from edge.lab.adapters import YuNet, read_spec
from edge.lab.adapters.peer import Eyes, Peer
from edge.lab.adapters.runtimes import open_runtime

PEERS = Path(__file__).parent / "peers"
YUNET = "face_detection_yunet_2023mar.onnx"
TEACHER, ON_YUNET = PEERS / "teacher-0095.yaml", PEERS / "embedder-on-yunet.yaml"


def yunet(teachers: Path, size: tuple[int, int] | None = None) -> YuNet:
    """YuNet at the picture's own size, or a size given."""
    return YuNet(teachers / YUNET, size)


def aligner(template: Any, size: tuple[int, int], channels: str) -> Aligner:
    """Our own alignment, for another net's template."""
    return Aligner(Align.model_validate({"size": size, "channels": channels, "template": template}))


class Teacher:
    """face-reidentification-retail-0095: BGR 128x128 crop -> float32 (256,)."""

    def __init__(self, teachers: Path, threads: int = 1) -> None:
        spec = read_spec(TEACHER)
        assert spec.input is not None
        self.align = aligner(spec.template, spec.input.size, spec.input.channels)
        self.embed = open_runtime(spec, teachers / spec.file, threads)


def before_int8(weights: Path, eyes: Eyes, name: str) -> Peer:
    """The shipped embedder before quantisation, through PyTorch, on YuNet's landmarks."""
    import torch

    from models.training.embedder_net import SIZE, TEMPLATE, load

    net, _ = load(weights)

    def run(crop: np.ndarray) -> np.ndarray:
        with torch.inference_mode():
            pixels = torch.from_numpy(crop[None]).permute(0, 3, 1, 2).float()
            vector: np.ndarray = net((pixels - 128) / 128).numpy().ravel()
            return vector

    template = [[float(x), float(y)] for x, y in TEMPLATE]
    about = {"kind": "peer", "runtime": "PyTorch", "file": weights.name, "licence": "this project's own"}
    return Peer(name, eyes, aligner(template, (SIZE, SIZE), "RGB"), run, 128, about)
