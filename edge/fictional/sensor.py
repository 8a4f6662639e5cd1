"""What a cheap camera does to light: brightness, defocus, shot and read noise.

    picture = Sensor(seed=0, size=(640, 480)).expose(picture, gain=1.0, side=0.3, blur=0.0, index=17)

Noise follows the photon transfer curve: the variance of a pixel is ``read^2 + shot * level`` (EMVA 1288), here in
grey levels after gamma, with figures of a small sensor indoors. Drawing 900,000 Gaussian numbers takes longer than
all the rest of a frame, so one sheet of noise is drawn once, and each frame takes a window of it at a place of its
own.
"""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np

from edge.types import U8

READ, SHOT = 1.6, 0.035  # standard deviation 1.6 in black, 3.3 at level 235
_UNIT = 24  # one standard deviation in the int8 sheet
_FINE = 16  # steps of a grey level in the strength table
_ROOM = 96  # how much larger than a frame the sheet is


class Sensor:
    """Light and noise of one camera.

    Args:
        seed: of the noise.
        size: width and height of a frame.
        noise: 1 is normal, 0 is none.
    """

    def __init__(self, seed: int, size: tuple[int, int], *, noise: float = 1.0) -> None:
        self._seed, self._size, self._noise = seed, size, noise
        self._ramp: tuple[tuple[float, float], Any] | None = None  # the newest light
        sheet = np.random.default_rng((seed, 1)).standard_normal((size[1] + _ROOM, size[0] + _ROOM, 3), np.float32)
        self._sheet = np.clip(sheet * _UNIT, -127, 127).astype(np.int8)
        levels = np.arange(256, dtype=np.float32)
        strength = noise * np.sqrt(READ**2 + SHOT * levels) * _FINE
        self._strength = np.clip(np.round(strength), 0, 255).astype(np.uint8)

    def expose(self, picture: U8, *, gain: float, side: float, blur: float, index: int) -> U8:
        """One exposure.

        Args:
            picture: BGR uint8 (H, W, 3), noiseless.
            gain: brightness, 1 is unchanged.
            side: -1..1, light from image left (negative) or right.
            blur: sigma of the defocus in pixels.
            index: of the frame; the same index has the same noise.

        Returns:
            A new BGR uint8 picture.
        """
        if blur > 0.3:
            picture = np.asarray(cv2.GaussianBlur(picture, (0, 0), blur), np.uint8)
        return self.noise(self.lit(picture, gain, side), index)

    def noise(self, picture: U8, index: int) -> U8:
        """Add one frame's noise to it, or to a part of it."""
        if self._noise <= 0:
            return picture.copy()
        rng = np.random.default_rng((self._seed, 2, index))
        left, top = (int(place) for place in rng.integers(0, _ROOM, 2))
        window = self._sheet[top : top + picture.shape[0], left : left + picture.shape[1]]
        strength = cv2.LUT(picture, self._strength)
        grain = cv2.multiply(window, strength, scale=1.0 / (_UNIT * _FINE), dtype=cv2.CV_8S)
        return np.asarray(cv2.add(picture, grain, dtype=cv2.CV_8U), np.uint8)

    def lit(self, picture: U8, gain: float, side: float) -> U8:
        """Multiply a frame by a gain that is brighter towards one side."""
        if abs(side) < 0.01:
            return np.asarray(cv2.convertScaleAbs(picture, alpha=gain), np.uint8)
        if self._ramp is None or self._ramp[0] != (gain, side):
            across = np.linspace(-1, 1, 33, dtype=np.float32)
            ramp = gain * (1 + 0.45 * side * across - 0.06 * abs(side))
            row = cv2.resize(np.clip(ramp * 96, 0, 255).astype(np.uint8)[None], (self._size[0], 1))
            self._ramp = (gain, side), cv2.repeat(cv2.cvtColor(row, cv2.COLOR_GRAY2BGR), self._size[1], 1)
        return np.asarray(cv2.multiply(picture, self._ramp[1], scale=1 / 96), np.uint8)
