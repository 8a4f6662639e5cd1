"""Which mode of a Pi camera's sensor: the one that sees everything the lens shows, binned if it can be.

    best = full_view(camera.sensor_modes, (640, 480), 15)     # imx219: 1640 x 1232, not 640 x 480

Left alone, picamera2 takes the mode whose *size* is nearest to the picture's, and such a mode often reads the middle of
the sensor only: 39 % of an IMX219's width at 640 x 480, 67 % of an IMX708's at 1280 x 720. A face then has to stand
exactly in the middle, and a card has to be held farther away.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

#: Modes that show this share of the widest view see it all: an OV5647 bins 2560 of its 2592 columns into 640.
_ALL = 0.97


def full_view(modes: Sequence[Mapping[str, Any]], size: tuple[int, int], fps: float) -> Mapping[str, Any] | None:
    """The mode to ask for.

    Args:
        modes: as picamera2's ``sensor_modes`` lists them: ``size``, ``crop_limits`` (x, y, width, height on the
            sensor), ``fps`` (the most), ``bit_depth``. Others, such as those of USB cameras, are passed over.
        size: width and height of the picture.
        fps: wanted frames per second.

    Returns:
        Of the modes with the widest view: one with enough pixels, then fast enough, then with the fewest pixels to
        read, then with the finest steps; None when there is no mode.
    """
    known = [mode for mode in modes if "crop_limits" in mode]
    if not known:
        return None
    widest = max(_seen(mode, size) for mode in known)

    def order(mode: Mapping[str, Any]) -> tuple[bool, float, int, int]:
        width, height = mode["size"]
        pixels = width * _seen(mode, size) / mode["crop_limits"][2]  # of the mode's columns, those in the picture
        return pixels < size[0], max(0.0, fps - mode["fps"]), width * height, -mode["bit_depth"]

    return min((mode for mode in known if _seen(mode, size) >= _ALL * widest), key=order)


def _seen(mode: Mapping[str, Any], size: tuple[int, int]) -> float:
    """Columns of the sensor that a picture of this shape shows in this mode; the rest is cut off to fit the shape."""
    _, _, width, height = mode["crop_limits"]
    return float(min(width, height * size[0] / size[1]))
