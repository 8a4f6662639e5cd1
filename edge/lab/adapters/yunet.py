"""YuNet (Wu et al. 2023, MIT) through ``cv2.FaceDetectorYN``: the faces and landmarks of peers.

net = YuNet(Path("face_detection_yunet_2023mar.onnx"))
rows = net.faces(picture)                       # float32 (n, 15)
face = most_central(rows, width, height)        # or None
"""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from edge.errors import InputError
from edge.pictures.decoder_warnings import Complaints
from edge.types import U8

F32 = NDArray[np.float32]


class YuNet:
    """YuNet at the picture's own size, or a size given.

    Args:
        file: the ONNX file.
        size: width and height to resize to; None: the picture's own.
        score: least confidence, 0..1. nms: overlap above which two boxes are one face.

    Raises:
        InputError: OpenCV cannot read the file.
    """

    def __init__(self, file: Path, size: tuple[int, int] | None = None, score: float = 0.6, nms: float = 0.3) -> None:
        self.size = size
        if not file.is_file():
            raise InputError("there is no such file", where=str(file), remedy="put YuNet there, or give --weights")
        try:
            with Complaints():  # OpenCV 5 warns about a target that nobody asked for
                self.net = cv2.FaceDetectorYN.create(str(file), "", size or (320, 240), score, nms, 5000)
        except cv2.error as error:
            first = str(error).splitlines()[0][:200]
            raise InputError(f"OpenCV refuses the file: {first}", where=str(file), remedy="check `detector`") from None

    def faces(self, image: U8) -> F32:
        """Faces in pixels of ``image``.

        Args:
            image: BGR uint8 (H, W, 3).

        Returns:
            float32 (n, 15): x, y, width, height, five landmarks as `edge.types.Face` has them, score.
        """
        high, wide = image.shape[:2]
        width, height = self.size or (wide, high)
        if self.size is None:
            self.net.setInputSize((width, height))
        elif (wide, high) != (width, height):
            image = np.asarray(cv2.resize(image, (width, height), interpolation=cv2.INTER_LINEAR), np.uint8)
        found = self.net.detect(image)[1]
        if found is None:
            return np.zeros((0, 15), np.float32)
        scaled: F32 = np.asarray(found, np.float32) * np.array([wide / width, high / height] * 7 + [1], np.float32)
        return scaled


def most_central(rows: F32, width: int, height: int) -> F32 | None:
    """The row whose box's centre is nearest to the picture's, or None; the rule of `edge.face.nearest_centre`."""
    if not len(rows):
        return None
    centre = rows[:, :2] + rows[:, 2:4] / 2 - np.array([width / 2, height / 2], np.float32)
    nearest: F32 = rows[int(np.argmin((centre**2).sum(1)))]
    return nearest
