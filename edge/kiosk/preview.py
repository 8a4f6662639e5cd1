"""What people see of themselves while the device looks: mirrored, blurred outside the oval, in memory only.

    jpeg = preview(frame.image)

A face is centred by looking into a mirror; whoever stands behind is none of anybody's business. The picture goes to the
page's process for the screen and is forgotten there with the next one.
"""

from __future__ import annotations

import cv2
import numpy as np

from edge.types import U8

#: Pixels; the shape of the page's oval (``page/index.html``: 300 x 380).
WIDTH, HEIGHT = 300, 380
#: The oval's half axes there, and how softly it ends, pixels.
_AXES, _FEATHER = (130, 170), 21


def preview(image: U8) -> bytes:
    """A frame as JPEG.

    Args:
        image: BGR uint8 (H, W, 3); the middle of it is shown.
    """
    height, width = image.shape[:2]
    side = min(width, height * WIDTH // HEIGHT)
    left = (width - side) // 2
    cut = np.ascontiguousarray(image[:, left : left + side][:, ::-1])
    small = np.asarray(cv2.resize(cut, (WIDTH, HEIGHT), interpolation=cv2.INTER_AREA), np.uint8)
    # as small as a thumb nail and back: nobody behind can be made out
    coarse = cv2.resize(small, (WIDTH // 25, HEIGHT // 25), interpolation=cv2.INTER_AREA)
    blurred = np.asarray(cv2.resize(coarse, (WIDTH, HEIGHT), interpolation=cv2.INTER_CUBIC), np.float32)
    inside = _oval()
    mixed = (small * inside + blurred * (1.0 - inside)).astype(np.uint8)
    return bytes(np.asarray(cv2.imencode(".jpg", mixed, (cv2.IMWRITE_JPEG_QUALITY, 70))[1]))


def _oval() -> np.ndarray[tuple[int, ...], np.dtype[np.float32]]:
    """1 inside, 0 outside, (H, W, 1)."""
    mask = np.zeros((HEIGHT, WIDTH), np.float32)
    cv2.ellipse(mask, (WIDTH // 2, HEIGHT // 2), _AXES, 0, 0, 360, 1.0, -1)
    return np.asarray(cv2.GaussianBlur(mask, (_FEATHER, _FEATHER), 0), np.float32)[:, :, None]
