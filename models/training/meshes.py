"""The depth of every training crop: 468 points of MediaPipe's face mesh, so that a crop's head can be turned.

    list_meshes(data, work)              # once; two minutes; .train/data/crops.mesh.npy
    meshes = open_meshes(work / "data")  # float16 (n, 468, 3), memory-mapped; NaN where the teacher saw no face

The mesh is a teacher's answer like the landmarks of `data`: it teaches and is never shipped.
"""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from models.training.crops import open_crops
from models.training.progress import track

F16 = NDArray[np.float16]
FILE = "teachers/mp_face_landmark.tflite"
#: Side of the teacher's picture, and what is added around a crop: the teacher is used to a quarter of a face's width.
_SIDE, _PAD = 192, 24
#: The teacher's logit for "a face is there" from which its mesh is believed; clear crops have 10 to 27.
_SURE = 5.0


def list_meshes(data: Path, work: Path) -> Path:
    """Ask the teacher for every crop's mesh, once.

    Args:
        data: folder with ``teachers/``. work: the crops' cache.

    Returns:
        the file: float16 (n, 468, 3) in the cache's order; x, y and z (away from the camera) in pixels of the crop.
    """
    path = work / "data" / "crops.mesh.npy"
    if not path.exists():
        from ai_edge_litert.interpreter import Interpreter

        teacher = Interpreter(str(data / FILE), num_threads=1)
        teacher.allocate_tensors()
        place, (points, there) = teacher.get_input_details()[0]["index"], teacher.get_output_details()
        crops, rows = open_crops(work), []
        side = crops.pixels.shape[1] + 2 * _PAD
        for crop in track(crops.pixels, len(crops.names), "meshes"):
            wide = cv2.copyMakeBorder(crop, _PAD, _PAD, _PAD, _PAD, cv2.BORDER_REPLICATE)
            picture = cv2.resize(wide, (_SIDE, _SIDE))[:, :, ::-1]
            teacher.set_tensor(place, picture[None].astype(np.float32) / 255)
            teacher.invoke()
            mesh = teacher.get_tensor(points["index"]).reshape(-1, 3) * (side / _SIDE) - np.array([_PAD, _PAD, 0])
            sure = float(teacher.get_tensor(there["index"]).ravel()[0]) >= _SURE
            rows.append((mesh if sure else np.full_like(mesh, np.nan)).astype(np.float16))
        np.save(path.with_suffix(".tmp.npy"), np.stack(rows))
        path.with_suffix(".tmp.npy").replace(path)
    return path


def open_meshes(cache: Path) -> F16:
    """The meshes that `list_meshes` wrote into the folder of the crops.

    Raises:
        FileNotFoundError: it has not been called yet.
    """
    path = cache / "crops.mesh.npy"
    if not path.exists():
        raise FileNotFoundError(f"{path}: `python -m models.training.detector prepare` writes it")
    meshes: F16 = np.load(path, mmap_mode="r")
    return meshes
