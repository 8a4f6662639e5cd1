"""The teacher of the embedder (Open Model Zoo face-reidentification-retail-0095) over the training crops.

    vectors = teacher_vectors(data, work)     # unit float32 (n, 256), cached; about two minutes the first time

Never shipped. Here it answers one question only: which pictures of a set show the same person, although the set says
that they do not?
"""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from models.training.compose import similarity
from models.training.crops import open_crops
from models.training.embedder_net import FRACTIONS
from models.training.progress import track

F32 = NDArray[np.float32]
FILE = "teachers/omz_face-reid-retail-0095_FP16.xml"
SIDE = 128


def teacher_vectors(data: Path, work: Path) -> F32:
    """Unit embeddings of all crops, in the cache's order."""
    cache = work / "teacher-0095.npy"
    if not cache.exists():
        import openvino

        core = openvino.Core()
        model = core.compile_model(core.read_model(data / FILE), "CPU", {"INFERENCE_NUM_THREADS": 1})
        crops, rows = open_crops(work), []
        template = SIDE * np.array(FRACTIONS, np.float32)
        for picture, points in track(zip(crops.pixels, crops.landmarks, strict=True), len(crops.names), "teacher"):
            crop = cv2.warpAffine(picture, similarity(points, template), (SIDE, SIDE), borderMode=cv2.BORDER_REPLICATE)
            z = model(crop.transpose(2, 0, 1)[None].astype(np.float32))[0].reshape(-1)
            rows.append(z / np.linalg.norm(z))
        np.save(cache, np.array(rows, np.float32))
    return np.load(cache)
