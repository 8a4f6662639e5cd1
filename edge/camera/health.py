"""Is this stream of frames fit to decide on? Cheap checks for every frame, and one careful look over two seconds.

    health = Health(settings.camera)
    faults = health.check(frame)            # in the idle loop, well under 0.1 ms
    motion(watch(stream))                   # in the self-test, about two seconds: moving, steady or still

`Health.check` looks at every eighth pixel of every eighth row of the green plane. BLACK, OVER_EXPOSED, WRONG_SIZE and
TIME_BACKWARDS are said of a frame at once; FROZEN (bit-identical) and BLURRED only after they have lasted
`LASTING_S`.

`changing` answers a harder question: does the source really look at the world, or is it one still picture, possibly
with noise added so that no two frames are equal? *Noise has no memory, scenes do.* For a still with noise that is
drawn anew for each frame - whatever its distribution and strength, however it depends on the signal, however
neighbouring pixels share it - the order of the frames says nothing: shuffled, they look just the same. Whatever
moves, drifts, breathes, shakes or flickers has an order. So the means of blocks of 32 x 32 pixels are taken (which
averages pixel noise away), and the sum of squared differences between successive frames (von Neumann's statistic) is
compared with the same sum over `_SHUFFLES` random orders: an exact permutation test, two-sided, at `_LEVEL`.

That shows that something moves; it cannot show that nothing looks. A real camera that sees an empty hall at night is
also a still with fresh noise, the more so when it codes its pictures as JPEG, which takes small changes away. So
`motion` calls a picture *still* only when it is told exactly: frames repeat bit for bit. What is new in every frame and
has no order is *steady* if it comes from a camera: fit, and worth a word to the person who installs it. Generated and
replayed people are never steady, so a still with noise among them is told.

Limits, honestly: a still with added noise that a virtual camera shows is steady, too (`Granted.notes` says that a
camera is virtual), and a replayed video moves: those need liveness and a camera that signs its frames.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable, Sequence
from dataclasses import replace
from enum import StrEnum

import cv2
import numpy as np
from numpy.typing import NDArray

from edge.settings.model import CameraSettings
from edge.types import U8, Fault, Frame, Stream

#: Frozen and blurred must last so long, seconds: a motion-blurred or doubled frame is no fault.
LASTING_S = 1.0
#: `changing` needs so many different frames: 1.1 s at 15 frames a second.
MIN_FRAMES = 16
#: How long the self-test watches, and how many frames at least: a busy machine, or a camera of 7 frames a second in the
#: dark, takes longer. A slow movement is told from noise by 24 frames, and not always by 16.
WATCH_S, WATCH_FRAMES = 2.0, 24
# Of the watched frames so many, and this share, are different ones: a slow sensor's frames may come three times each.
_DIFFERENT, _DIFFERENT_SHARE = 4, 0.25
# Drivers of real cameras, which may look at a place where nothing happens.
_CAMERAS = frozenset({"picamera2", "v4l2"})
_STEP = 8
# Luma levels and shares. A lens cap gives 0-12 plus noise; a lamp in the lens clips nearly everything.
_DARK, _DARK_SHARE = 24, 0.99
_BRIGHT, _BRIGHT_SHARE = 250, 0.70
# A sharp scene has some steep steps between near pixels; of Gaussian noise the 99th percentile is 3.8 medians.
_STEEP, _STEEP_TO_MEDIAN = 8, 4.5
# `changing`: the side of a block in pixels; how many orders are tried; a still with noise passes with this probability.
_BLOCK = 32
_SHUFFLES, _LEVEL = 4000, 0.001
# Change of a block's mean, root mean square in grey levels: below the first it is rounding; above the second no still,
# whatever noise it wears: pictures taken a second apart have no order, but little in common either.
_LEAST, _MUCH = 0.02, 12.0


class Health:
    """Checks one stream, frame by frame.

    Args:
        settings: ``width``, ``height`` and ``rotate`` say which size is right.
    """

    def __init__(self, settings: CameraSettings) -> None:
        turned = settings.rotate in (90, 270)
        self._size = (settings.width, settings.height) if turned else (settings.height, settings.width)
        self._last_ns = -1
        self._sample: U8 | None = None
        self._checksum: int | None = None
        self._same_since: int | None = None
        self._blurred_since: int | None = None

    def check(self, frame: Frame) -> tuple[Fault, ...]:
        """Check the next frame of the stream.

        Returns:
            Every fault of this frame, in the order of `Fault`; empty for a good one.
        """
        sample = np.ascontiguousarray(frame.image[::_STEP, ::_STEP, 1])
        found = {
            Fault.FROZEN: self._frozen(frame, sample),
            Fault.BLACK: np.count_nonzero(sample < _DARK) >= _DARK_SHARE * sample.size,
            Fault.OVER_EXPOSED: np.count_nonzero(sample >= _BRIGHT) >= _BRIGHT_SHARE * sample.size,
            Fault.BLURRED: self._blurred(frame),
            Fault.WRONG_SIZE: frame.image.shape[:2] != self._size,
            Fault.TIME_BACKWARDS: frame.monotonic_ns <= self._last_ns,
        }
        self._last_ns = frame.monotonic_ns
        if found[Fault.BLACK] or found[Fault.OVER_EXPOSED]:
            found[Fault.BLURRED] = False  # there is nothing to be sharp
        return tuple(fault for fault, present in found.items() if present)

    def _frozen(self, frame: Frame, sample: U8) -> bool:
        """Bit-identical for `LASTING_S`. The whole picture is looked at only when the sample is equal."""
        same = self._sample is not None and np.array_equal(sample, self._sample)
        self._sample = sample
        if not same:
            self._checksum = self._same_since = None
            return False
        checksum = zlib.crc32(np.ascontiguousarray(frame.image).data)
        if self._checksum is not None and checksum != self._checksum:
            self._same_since = None
        self._checksum = checksum
        if self._same_since is None:
            self._same_since = frame.monotonic_ns
        return frame.monotonic_ns - self._same_since >= LASTING_S * 1e9

    def _blurred(self, frame: Frame) -> bool:
        """No steep step between neighbouring pixels beyond what noise makes, for `LASTING_S`."""
        if sharpness(frame.image) >= 1:
            self._blurred_since = None
            return False
        if self._blurred_since is None:
            self._blurred_since = frame.monotonic_ns
        return frame.monotonic_ns - self._blurred_since >= LASTING_S * 1e9


def brightness(image: U8) -> int:
    """The median grey level of a picture, 0 to 255, of every eighth pixel of every eighth row."""
    return _quantiles(np.ascontiguousarray(image[::_STEP, ::_STEP, 1]), 0.5)[0]


def sharpness(image: U8) -> float:
    """How steep the steepest steps between near pixels are, over what a sharp scene has: below 1 it is blurred."""
    rows = image[::_STEP, :, 1]
    columns = rows.shape[1] // _STEP * _STEP
    steps = cv2.absdiff(
        np.ascontiguousarray(rows[:, 0:columns:_STEP]), np.ascontiguousarray(rows[:, 2 : columns + 2 : _STEP])
    )
    median, steep = _quantiles(np.asarray(steps, np.uint8), 0.5, 0.99)
    return steep / max(_STEEP, _STEEP_TO_MEDIAN * median)


class Motion(StrEnum):
    """What two seconds of frames show: something moves; fresh pictures of nothing that moves; one picture."""

    MOVING = "moving"
    STEADY = "steady"
    STILL = "still"


def watch(
    stream: Stream,
    *,
    seconds: float = WATCH_S,
    timeout_s: float = 3.0,
    see: Callable[[Frame], object] = lambda _: None,
) -> list[Frame]:
    """Frames for `motion`, at a quarter of their size: enough to see change in, and two seconds of them stay small.

    Args:
        stream: started.
        seconds: of its time, at least, and until there are `WATCH_FRAMES`.
        timeout_s: for the next frame.
        see: shown every frame at its full size.

    Raises:
        CameraError: what the stream raises.
    """
    frames: list[Frame] = []
    frame = stream.next(stream.now_ns(), timeout_s)
    until = frame.monotonic_ns + int(seconds * 1e9)
    while frame.monotonic_ns < until or len(frames) < WATCH_FRAMES:
        see(frame)
        frames.append(replace(frame, image=np.ascontiguousarray(frame.image[::2, ::2]), luma=None))
        frame = stream.next(frame.monotonic_ns, timeout_s)
    return frames


def motion(frames: Sequence[Frame]) -> Motion:
    """Does the source look at the world? See the module's docstring.

    Args:
        frames: as `watch` collects them; fewer than `MIN_FRAMES` are STILL.
    """
    different = len({zlib.crc32(np.ascontiguousarray(frame.image).data) for frame in frames})
    if len(frames) < MIN_FRAMES or different < max(_DIFFERENT, _DIFFERENT_SHARE * len(frames)):
        return Motion.STILL
    if changing(frames):
        return Motion.MOVING
    return Motion.STEADY if frames[0].source in _CAMERAS else Motion.STILL


def changing(frames: Sequence[Frame]) -> bool:
    """Do these frames really change, beyond noise that is drawn anew for each frame? See the module's docstring.

    Args:
        frames: about two seconds of consecutive frames of one size, at least `MIN_FRAMES` different ones.

    Returns:
        True when the scene changes; False for a frozen picture, with or without added noise, and for too few frames.
    """
    means = _block_means(frames)
    count = len(means)
    change = float(means.std(axis=0).max()) if count >= MIN_FRAMES else 0.0
    if change < _LEAST or change > _MUCH:
        return change > _MUCH
    means = means - means.mean(axis=0)
    squares = np.square(means).sum(axis=1)
    distance = squares[:, None] + squares[None, :] - 2 * means @ means.T  # (T, T), between any two frames
    orders = np.random.default_rng(0).random((_SHUFFLES, count)).argsort(axis=1)
    shuffled = distance[orders[:, :-1], orders[:, 1:]].sum(axis=1)
    observed = float(np.trace(distance, offset=1))
    tail = min(np.count_nonzero(shuffled <= observed), np.count_nonzero(shuffled >= observed))
    return 2 * (int(tail) + 1) / (_SHUFFLES + 1) <= _LEVEL


def _block_means(frames: Sequence[Frame]) -> NDArray[np.float64]:
    """(T, B) means of the green plane over blocks; of bit-identical neighbours only the first counts."""
    rows: list[NDArray[np.float64]] = []
    previous: U8 | None = None
    for frame in frames:
        plane = np.ascontiguousarray(frame.image[..., 1])
        if previous is not None and (plane.shape != previous.shape or np.array_equal(plane, previous)):
            continue
        previous = plane
        size = (max(1, plane.shape[1] // _BLOCK), max(1, plane.shape[0] // _BLOCK))
        blocks = cv2.resize(plane.astype(np.float32), size, interpolation=cv2.INTER_AREA)
        rows.append(blocks.ravel().astype(np.float64))
    return np.array(rows)


def _quantiles(values: U8, *shares: float) -> list[int]:
    sums = np.cumsum(np.bincount(values.ravel(), minlength=256))
    return [int(place) for place in np.searchsorted(sums, np.array(shares) * values.size)]
