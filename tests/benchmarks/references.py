"""What we are measured against: YuNet in OpenCV, the teacher 0095 in OpenVINO, the bootstrap weights in float.

None of them is shipped; they are read from the data folder beside the checkout.
"""

from __future__ import annotations

import importlib.util
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from edge.face.align import Aligner
from edge.face.card import Align

#: Rows of YuNet: x, y, w, h, then the five landmarks in our order, then the score.
YUNET = "face_detection_yunet_2023mar.onnx"
YUNET_SCORE = 0.6
TEACHER = "omz_face-reid-retail-0095_FP16.xml"
#: The teacher's template in its 128x128 input (data/README.md).
TEACHER_TEMPLATE = 128 * np.array(
    [
        [0.31556875, 0.46157410],
        [0.68262291, 0.45983393],
        [0.50026249, 0.64050536],
        [0.34947187, 0.82469196],
        [0.65343645, 0.82325089],
    ]
)


class YuNet:
    """YuNet at the picture's own size, or a size given."""

    def __init__(self, teachers: Path, size: tuple[int, int] | None = None) -> None:
        self.size = size
        self.net = cv2.FaceDetectorYN.create(str(teachers / YUNET), "", size or (320, 240), YUNET_SCORE, 0.3, 5000)

    def faces(self, image: np.ndarray) -> np.ndarray:
        """float32 (n, 15), in pixels of ``image``."""
        high, wide = image.shape[:2]
        width, height = self.size or (wide, high)
        if self.size is None:
            self.net.setInputSize((width, height))
        elif (wide, high) != (width, height):
            image = cv2.resize(image, (width, height), interpolation=cv2.INTER_LINEAR)
        found = self.net.detect(image)[1]
        if found is None:
            return np.zeros((0, 15), np.float32)
        return found * np.array([wide / width, high / height] * 7 + [1], np.float32)


def most_central(rows: np.ndarray, width: int, height: int) -> np.ndarray | None:
    """The row whose box's centre is nearest to the picture's, or None."""
    if not len(rows):
        return None
    centre = rows[:, :2] + rows[:, 2:4] / 2 - np.array([width / 2, height / 2])
    return rows[np.argmin((centre**2).sum(1))]


def aligner(template: np.ndarray, size: int, channels: str) -> Aligner:
    """Our own alignment, for another net's template."""
    points = [[float(x), float(y)] for x, y in template]
    return Aligner(Align.model_validate({"size": (size, size), "channels": channels, "template": points}))


class Teacher:
    """face-reidentification-retail-0095 in OpenVINO: BGR 128x128 crop -> float32 (256,)."""

    def __init__(self, teachers: Path, threads: int = 1) -> None:
        import openvino

        options = {"INFERENCE_NUM_THREADS": threads, "PERFORMANCE_HINT": "LATENCY", "NUM_STREAMS": 1}
        self.request = openvino.Core().compile_model(str(teachers / TEACHER), "CPU", options).create_infer_request()
        self.align = aligner(TEACHER_TEMPLATE, 128, "BGR")

    def embed(self, crop: np.ndarray) -> np.ndarray:
        outputs = self.request.infer({0: crop.transpose(2, 0, 1)[None].astype(np.float32)})
        return np.asarray(next(iter(outputs.values()))).ravel().copy()


class Bootstrap:
    """The embedder's weights in float, through PyTorch: RGB 112x112 crops -> float32 (n, 128)."""

    def __init__(self, folder: Path) -> None:
        spec = importlib.util.spec_from_file_location("bootstrap_net", folder / "net.py")
        assert spec is not None
        assert spec.loader is not None
        module: Any = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        self.net = module.load(folder / "weights.pt")
        self.align = aligner(module.TEMPLATE, 112, "RGB")

    def embed(self, crops: list[np.ndarray]) -> np.ndarray:
        import torch

        with torch.inference_mode():
            pixels = torch.from_numpy(np.stack(crops)).permute(0, 3, 1, 2).float()
            return self.net((pixels - 127.5) / 128).numpy()
