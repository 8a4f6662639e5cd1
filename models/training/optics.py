"""What any camera does to what stands before it: one model for people and for attacks, so that only the attack differs.

    optics = Optics.drawn(rng)
    frame = optics.take(picture, rng)          # BGR uint8 (H, W, 3) -> another of the same size

Defocus and movement, vignetting, exposure, gamma, white balance and colour, shot and read noise, sharpening, JPEG, in
the order in which a camera does them. The demo's camera (`edge.fictional.sensor`) is steadier; this one is another at
each draw.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from edge.types import F32, U8


@dataclass(frozen=True, slots=True)
class Optics:
    """One camera at one moment.

    Attributes:
        blur: sigma of the defocus; move: pixels of movement in x and y; both in pixels of 480 rows.
        vignette: light lost in the corners, 0..1; gain, gamma: of the exposure; balance: gain of B, G and R.
        colour: saturation, 1 is unchanged; noise: standard deviation in mid grey, grey levels.
        sharpen: amount of unsharp masking; quality: of the JPEG, 100 for none.
    """

    blur: float
    move: tuple[float, float]
    vignette: float
    gain: float
    gamma: float
    balance: tuple[float, float, float]
    colour: float
    noise: float
    sharpen: float
    quality: int

    @classmethod
    def drawn(cls, rng: np.random.Generator) -> Optics:
        """A webcam, a phone's front camera or a cheap sensor under some light, focused well or less well."""
        harsh = float(rng.uniform(0.3, 1.1))  # a good camera is good at everything
        moving, dark = rng.random() < 0.3 * harsh, rng.random() < 0.12 * harsh
        return cls(
            blur=harsh * float(rng.gamma(1.6, 0.6)),
            move=(harsh * float(rng.normal(0, 3)), harsh * float(rng.normal(0, 2))) if moving else (0.0, 0.0),
            vignette=harsh * float(rng.uniform(0, 0.25)),
            gain=float(np.exp(rng.uniform(-1.3, -0.4) if dark else rng.normal(0.05, 0.2 * harsh))),
            gamma=float(np.exp(rng.normal(0, 0.2 * harsh))),
            balance=tuple(np.exp(rng.normal(0, 0.09 * harsh, 3)).tolist()),
            colour=float(np.clip(rng.normal(1 - 0.15 * harsh, 0.25 * harsh), 0.0, 1.5)),
            noise=harsh * float(rng.gamma(1.5, 1.6)),
            sharpen=max(0.0, float(rng.normal(0.2, 0.4 * harsh))),
            quality=int(rng.integers(45, 100)),
        )

    def take(self, picture: U8, rng: np.random.Generator) -> U8:
        """One exposure of a noiseless BGR uint8 (H, W, 3) picture; ``rng`` draws the noise."""
        unit = picture.shape[0] / 480
        seen = self._focused(picture, unit)
        if abs(self.colour - 1) > 0.02:
            grey = cv2.cvtColor(cv2.cvtColor(seen, cv2.COLOR_BGR2GRAY), cv2.COLOR_GRAY2BGR)
            seen = np.asarray(cv2.addWeighted(seen, self.colour, grey, 1 - self.colour, 0), np.uint8)
        light = np.asarray(cv2.LUT(seen, self._tones()), np.float32)
        light *= _vignette(picture.shape[0], picture.shape[1], self.vignette)
        if self.noise > 0.2:
            light += _noise(rng, (picture.shape[0], picture.shape[1]), self.noise)
        taken = np.asarray(cv2.convertScaleAbs(np.maximum(light, 0)), np.uint8)
        if self.sharpen > 0.05:
            soft = cv2.GaussianBlur(taken, (0, 0), max(0.6, 1.2 * unit))
            taken = np.asarray(cv2.addWeighted(taken, 1 + self.sharpen, soft, -self.sharpen, 0), np.uint8)
        if self.quality < 98:
            code = cv2.imencode(".jpg", taken, [cv2.IMWRITE_JPEG_QUALITY, self.quality])[1]
            taken = np.asarray(cv2.imdecode(code, cv2.IMREAD_COLOR), np.uint8)
        return taken

    def _focused(self, picture: U8, unit: float) -> U8:
        seen = picture
        if self.blur * unit > 0.25:
            seen = np.asarray(cv2.GaussianBlur(seen, (0, 0), self.blur * unit), np.uint8)
        length = float(np.hypot(*self.move)) * unit
        if length > 1:
            size = 2 * int(np.ceil(length / 2)) + 1
            kernel = np.zeros((size, size), np.float32)
            middle, step = size // 2, np.array(self.move, np.float32) * unit / 2
            cv2.line(kernel, _pixel(middle - step), _pixel(middle + step), 1.0, 1)
            seen = np.asarray(cv2.filter2D(seen, -1, kernel / max(float(kernel.sum()), 1.0)), np.uint8)
        return seen

    def _tones(self) -> F32:
        """One table a channel, float32 (1, 256, 3); bright light saturates softly."""
        tone = np.linspace(0, 1, 256, dtype=np.float32)[:, None] ** self.gamma
        table = tone * self.gain * np.array(self.balance, np.float32)
        return (255 * np.where(table > 0.8, 0.8 + 0.2 * np.tanh((table - 0.8) / 0.2), table)).reshape(1, 256, 3)


def _pixel(point: NDArray[np.floating]) -> tuple[int, int]:
    return round(float(point[0])), round(float(point[1]))


def _vignette(height: int, width: int, amount: float) -> F32:
    """float32 (H, W, 1), 1 in the middle."""
    y, x = np.linspace(-1, 1, height, dtype=np.float32)[:, None], np.linspace(-1, 1, width, dtype=np.float32)[None]
    return np.asarray(1 - amount / 2 * (x * x + y * y), np.float32)[..., None]


def _noise(rng: np.random.Generator, shape: tuple[int, int], deviation: float) -> F32:
    """Grain that demosaicing has smeared a little, float32 (H, W, 3): mostly of brightness, some of colour."""
    rows, columns = shape
    small = rng.standard_normal((rows, columns), np.float32)
    colour = rng.standard_normal((rows // 2 + 1, columns // 2 + 1, 3), np.float32)
    colour = np.asarray(cv2.resize(colour, (columns, rows), interpolation=cv2.INTER_LINEAR), np.float32)
    return np.asarray(deviation * (0.8 * small[..., None] + 0.6 * colour), np.float32)
