"""Light, colour and sensor noise: everything tonal goes through one lookup table a channel, for next to nothing."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

U8 = NDArray[np.uint8]


class Photometric:
    """Random exposure (down to a kiosk's dark end), gamma, contrast, colour cast, uneven light, greyscale, noise.

    Args:
        height: of the pictures.
        width: of the pictures.
        seed: everything random follows from it.
    """

    def __init__(self, height: int, width: int, seed: int) -> None:
        self.rng = np.random.default_rng(seed)
        self.pool = self.rng.standard_normal(1 << 21, dtype=np.float32)
        self.x = np.linspace(-1, 1, width, dtype=np.float32)[None, :, None]
        self.y = np.linspace(-1, 1, height, dtype=np.float32)[:, None, None]

    def __call__(self, image: U8) -> U8:
        """BGR uint8 (h, w, 3) -> the same, as another camera under other light would have taken it."""
        rng = self.rng
        if rng.random() < 0.12:
            image = cv2.cvtColor(cv2.cvtColor(image, cv2.COLOR_BGR2GRAY), cv2.COLOR_GRAY2BGR)
        mean = float(image[::8, ::8].mean()) / 255
        tone = np.linspace(0, 1, 256, dtype=np.float32)[:, None] ** np.exp(rng.uniform(-0.55, 0.55))
        centre = mean ** np.exp(rng.uniform(-0.2, 0.2))
        tone = (tone - centre) * rng.uniform(0.6, 1.35) + centre
        exposure = np.exp(rng.uniform(-0.5, 0.5))
        if rng.random() < 0.17:
            exposure = min(exposure, rng.uniform(0.04, 0.25) / max(0.02, mean))
        table = tone * exposure * np.exp(rng.uniform(-0.18, 0.18, 3)) * 255
        light = cv2.LUT(image, table.astype(np.float32).reshape(1, 256, 3))
        if rng.random() < 0.4:
            slope = rng.uniform(-0.45, 0.45, 2).astype(np.float32)
            light *= 1 + slope[0] * self.x + slope[1] * self.y
        sigma = float(rng.random() ** 3 * 18)
        if sigma > 0.5:
            start = int(rng.integers(self.pool.size - image.size))
            noise = self.pool[start : start + image.size].reshape(image.shape)
            light = cv2.addWeighted(light, 1.0, noise, sigma, 0.0)
        return np.clip(light + 0.5, 0, 255).astype(np.uint8)
