"""From a frame to a decision: what a source delivers, what is in it, what follows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edge.types.enums import Advice

U8 = NDArray[np.uint8]
I8 = NDArray[np.int8]
F32 = NDArray[np.float32]


def _fixed(image: U8) -> U8:
    """The same pixels in `bytes`, which have no writable owner; itself where they are there already."""
    owner: object = image.base
    if type(owner) is bytes:
        return image
    return np.ndarray(image.shape, np.uint8, image.tobytes())


@dataclass(frozen=True, slots=True)
class Frame:
    """One picture of a source.

    Attributes:
        image: BGR uint8, (H, W, 3), C-contiguous; read only.
        monotonic_ns: when it was captured, on its stream's clock (`Stream.now_ns`).
        sequence: counts up by one per delivered frame of the source; gaps are dropped frames.
        source: the driver's name (``picamera2``, ``v4l2``, ``replay``, ``fictional``).
        luma: uint8 (h, w) brightness plane for the code reader and the difference test, or None (then made from image).
        meta: what the source says of the frame (exposure, gain, file name); never decides anything.
    """

    image: U8 = field(repr=False)
    monotonic_ns: int
    sequence: int
    source: str
    luma: U8 | None = field(default=None, repr=False)
    meta: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """No reader of a frame can change what a session sees in it, not even through its driver's buffer."""
        object.__setattr__(self, "image", _fixed(self.image))
        if self.luma is not None:
            object.__setattr__(self, "luma", _fixed(self.luma))

    def twin(self) -> Frame:
        """The same picture in another object: what one reader does to it, no other sees."""
        return replace(self)

    @property
    def height(self) -> int:
        return int(self.image.shape[0])

    @property
    def width(self) -> int:
        return int(self.image.shape[1])


@dataclass(frozen=True, slots=True)
class Face:
    """One detected face.

    Attributes:
        box: x, y, width, height in pixels of the frame; may reach outside it.
        landmarks: float32 (5, 2), pixels: left eye, right eye, nose, mouth corners left, right (left = image left).
        score: detector's confidence, 0..1.
    """

    box: tuple[float, float, float, float]
    landmarks: F32 = field(repr=False)
    score: float

    @property
    def height(self) -> float:
        return self.box[3]


@dataclass(frozen=True, slots=True)
class Crop:
    """An aligned face: uint8 (H, W, 3) as the card's ``align:`` says (template, size, channel order)."""

    image: U8 = field(repr=False)
    card: str


@dataclass(frozen=True, slots=True)
class Quality:
    """Is this face good enough to be compared? Every measure is published with its limit, so that advice follows.

    Attributes:
        score: 0 (useless) .. 1 (excellent).
        height_px: the face box's height in pixels; relative_height: as a fraction of the frame's height.
        yaw, roll, pitch: degrees, estimated from the landmarks (positive yaw: the person looks to image right).
        sharpness: variance of the crop's second derivative in its weaker direction over its luma's variance, without
            the sensor noise's share (see `edge.face.quality`).
        luminance, contrast: mean and standard deviation of the crop's luma, 0..255.
        occlusion: 0..1, the larger the more likely that something hides the face.
        advice: what to do; empty exactly when the face is acceptable.
        clipped: share of over-exposed pixels, 0..1.
    """

    score: float
    height_px: float
    relative_height: float
    yaw: float
    pitch: float
    roll: float
    sharpness: float
    luminance: float
    contrast: float
    occlusion: float
    advice: tuple[Advice, ...]
    clipped: float = 0.0

    @property
    def acceptable(self) -> bool:
        return not self.advice
