"""The teacher of the embedder (Open Model Zoo face-reidentification-retail-0095) over the training crops.

    vectors = teacher_vectors(data, work)     # unit float32 (n, 256), cached; about two minutes the first time

Never shipped. Here it answers one question only: which pictures of a set show the same person, although the set says
that they do not?
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch
from numpy.typing import NDArray

from models.training.affine import similarity
from models.training.blind import blinding, groups_of
from models.training.crops import open_crops
from models.training.embedder_net import FRACTIONS
from models.training.ir_torch import Graph
from models.training.progress import track
from models.training.split import held_out

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
            crop = cv2.warpAffine(picture, similarity(points, template), (SIDE, SIDE))  # black outside (data README)
            z = model(crop.transpose(2, 0, 1)[None].astype(np.float32))[0].reshape(-1)
            rows.append(z / np.linalg.norm(z))
        np.save(cache, np.array(rows, np.float32))
    return np.load(cache)


def blind_vectors(data: Path, work: Path) -> F32:
    """The same without sex and origin, as they show in crops that are not held out (`blind`); shorter than 1."""
    vectors, names = teacher_vectors(data, work), open_crops(work).names
    known = np.array([i for i, name in enumerate(names) if not held_out(name)], np.int64)
    left: F32 = vectors @ blinding(vectors[known], groups_of([names[i] for i in known]))
    return left


#: Names in the teacher's graph: the embedding, and the maps at the end of its stages.
EMBEDDING, LAST, MIDDLE, EARLY = "658", "652", "605", "494"


class OnlineTeacher:
    """The teacher beside a training run: embedding and maps of a batch.

    On a CPU it runs in OpenVINO, in bfloat16 where the CPU has it (twice as fast, cosine 0.9998 to float32); on CUDA in
    PyTorch in bfloat16 (`ir_torch`).

    Args:
        data: folder with ``teachers/``.
        device: where the student trains.
        threads: of OpenVINO.
    """

    def __init__(self, data: Path, device: str, threads: int = 2) -> None:
        self.device = device
        self.requests: dict[int, Any] = {}
        if device == "cpu":
            import openvino

            self.core, self.threads = openvino.Core(), threads
            self.model = self.core.read_model(data / FILE)
            self.model.add_outputs([LAST, MIDDLE, EARLY])
        else:
            self.graph = Graph(data / FILE, (EMBEDDING, EARLY, MIDDLE, LAST)).to(device, torch.bfloat16)

    def __call__(self, pictures: NDArray[np.uint8]) -> tuple[F32, list[F32]]:
        """Embeddings (N, 256) and maps (N, 64, 32, 32), (N, 128, 16, 16), (N, 128, 8, 8) of BGR uint8 (N, 128, 128, 3).

        The arrays are valid until the next call.
        """
        batch = np.ascontiguousarray(pictures.transpose(0, 3, 1, 2), np.float32)
        if self.device == "cpu":
            request = self._request(len(batch))
            request.infer(batch)
            outputs = [request.get_output_tensor(i).data for i in range(4)]
            return outputs[0].reshape(len(batch), -1), [outputs[3], outputs[2], outputs[1]]
        z, maps = self.on_device(torch.from_numpy(batch).to(self.device))
        return z.float().cpu().numpy(), [m.float().cpu().numpy() for m in maps]

    def on_device(self, pictures: torch.Tensor) -> tuple[torch.Tensor, list[torch.Tensor]]:
        """The same on CUDA, bfloat16, of BGR (N, 3, 128, 128), 0-255."""
        with torch.no_grad():
            z, *maps = self.graph(pictures.bfloat16().contiguous(memory_format=torch.channels_last))
        return z.flatten(1), maps

    def _request(self, count: int) -> Any:
        """The graph for batches of one size; dynamic shapes are slower."""
        if count not in self.requests:
            self.model.reshape([count, 3, SIDE, SIDE])
            hints = {"INFERENCE_NUM_THREADS": self.threads, "INFERENCE_PRECISION_HINT": "bf16"}
            compiled = self.core.compile_model(self.model, "CPU", hints)
            self.requests[count] = compiled.create_infer_request()
        return self.requests[count]
