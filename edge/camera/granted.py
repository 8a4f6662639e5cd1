"""What a camera really granted: which one it is, and where it differs from what the settings asked for.

with open_stream(settings.camera) as stream:
    stream.granted.identity     # "imx219 (/base/soc/i2c0mux/i2c@1/imx219@10)"
    stream.granted.notes        # ("asked for 15 frames a second, the camera grants 30",)
"""

from __future__ import annotations

from dataclasses import dataclass

#: A rate within this share of the wish is the wish: 29.97 for 30, 14.93 for 15.
_RATE_SHARE = 0.03
#: The first stamp of a clock that is ours is younger: an exposure and four buffers at 5 frames a second, nanoseconds.
_FRESH_NS = 1_000_000_000


@dataclass(frozen=True, slots=True)
class Granted:
    """What an opened camera said of itself.

    Attributes:
        identity: the camera's name and where it is connected; the same camera has the same text at every start.
        format: of the pixels as delivered, in the driver's words.
        size: width and height of a frame, pixels.
        fps: frames per second; 0 when the camera does not say.
        notes: what a person should know: wishes that were not granted, a path that names another camera tomorrow.
    """

    identity: str
    format: str
    size: tuple[int, int]
    fps: float
    notes: tuple[str, ...] = ()


@dataclass(slots=True)
class DriverClock:
    """Whether a driver's timestamps are of our clock, monotonic nanoseconds; ``ours`` once one was fresh by it."""

    ours: bool = False

    def taken_ns(self, stamp: int | None, now: int) -> int:
        """When a picture was taken: by its stamp when that can be believed, else now.

        A picture that lay in a buffer while the camera froze keeps its age, and is none that came after a claim.
        """
        if stamp is None or stamp > now:
            return now
        self.ours = self.ours or now - stamp < _FRESH_NS
        return stamp if self.ours else now


def rate_notes(wanted: float, granted: float) -> tuple[str, ...]:
    """A sentence when the rate is another one than asked for; 0 stands for a camera that does not say."""
    if not granted or abs(granted - wanted) <= _RATE_SHARE * wanted:
        return ()
    return (f"asked for {wanted:g} frames a second, the camera grants {granted:.3g}",)
