"""From the bytes of a camera's buffer to BGR, for every layout that a camera here may deliver.

    image, luma = to_bgr("NV12", buffer, width=640, height=480, stride=704)

Names are V4L2's (linux/videodev2.h). A *stride* is the length of a row in bytes, padding included; planes of colour
have rows of half of it. Colours follow BT.601 with limited range, OpenCV's only one.
"""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np

from edge.errors import CameraError
from edge.types import U8

#: Bytes between two pixels of the first plane.
_STEP = {"YUYV": 2, "UYVY": 2, "Y16 ": 2, "BGR3": 3, "RGB3": 3}
LAYOUTS = frozenset({"NV12", "YU12", "YUYV", "UYVY", "GREY", "Y16 ", "BGR3", "RGB3"})


def to_bgr(layout: str, buffer: U8, *, width: int, height: int, stride: int) -> tuple[U8, U8 | None]:
    """Decode one picture.

    Args:
        layout: one of `LAYOUTS`.
        buffer: uint8, any shape; at least the picture's bytes in the order of memory.
        width, height: of the picture, even where colour is shared by neighbours.
        stride: bytes of a row of the first plane.

    Returns:
        BGR uint8 (height, width, 3), and the brightness plane (height, width) where the layout has one, else None.

    Raises:
        CameraError: the buffer is too small for what it is said to hold.
    """
    flat = np.ascontiguousarray(buffer).reshape(-1)
    least, rows = width * _STEP.get(layout, 1), height * 3 // 2 if layout in ("NV12", "YU12") else height
    if stride < least or flat.size < stride * (rows - 1) + least:
        raise CameraError(
            f"{flat.size} bytes are too few for {width} x {height} pixels of {layout} in rows of {stride} bytes",
            where="camera",
            remedy="ask for another size or format (camera.width, camera.height, camera.fourcc)",
        )
    if flat.size < stride * rows:  # the last row may come without its padding
        flat = np.pad(flat, (0, stride * rows - flat.size))
    plane = flat[: stride * height].reshape(height, stride)[:, :least]
    if rows > height:  # the plane of brightness, then those of colour, without the padding of their rows
        shape, columns = ((height // 2, stride), width) if layout == "NV12" else ((height, stride // 2), width // 2)
        colour = flat[stride * height : stride * rows].reshape(shape)[:, :columns]
        packed = np.concatenate([plane.reshape(-1), colour.reshape(-1)]).reshape(rows, width)
        way = cv2.COLOR_YUV2BGR_NV12 if layout == "NV12" else cv2.COLOR_YUV2BGR_I420
        return _u8(cv2.cvtColor(packed, way)), _u8(plane)
    if layout in ("YUYV", "UYVY"):
        pairs = np.ascontiguousarray(plane).reshape(height, width, 2)
        way = cv2.COLOR_YUV2BGR_YUYV if layout == "YUYV" else cv2.COLOR_YUV2BGR_UYVY
        return _u8(cv2.cvtColor(pairs, way)), _u8(pairs[..., 0 if layout == "YUYV" else 1])
    if layout in ("GREY", "Y16 "):
        grey = _u8(plane if layout == "GREY" else plane[:, 1::2])  # little endian: the upper byte comes second
        return _u8(cv2.cvtColor(grey, cv2.COLOR_GRAY2BGR)), grey
    colours = plane.reshape(height, width, 3)
    return _u8(colours if layout == "BGR3" else colours[..., ::-1]), None


def _u8(picture: Any) -> U8:
    return np.ascontiguousarray(picture, dtype=np.uint8)
