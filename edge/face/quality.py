"""Is this face good enough to be compared, and if not, what can the person do about it?

    assessor = Assessor(settings.face, card.align)
    quality = assessor(face, crop, frame.width, frame.height)
    quality.acceptable, quality.advice          # False, (Advice.STEP_CLOSER,)

Everything is computed from the five landmarks and the aligned crop, most of it at half the crop's size; the whole
assessment costs about 0.05 ms. Pose is in `pose`; the rest:

- *Sharpness*: the variance of the second derivative in the weaker of the two directions, over the luma's variance, at
  half size. Second derivatives as a focus measure: Pech-Pacheco et al. (2000). The weaker direction, because motion
  spares the other one. Sensor noise counts as sharp in that measure, so its share is taken off: Immerkaer's mask
  (1996), the outer product of (1, -2, 1) with itself, answers to white noise of variance v with 36 v and to real edges
  hardly at all; (1, -2, 1) answers with 6 v. Over 500 faces this told blurred from sharp with an area under the
  curve of 0.975, where the plain variance of the Laplacian reached 0.79.
- *Exposure*: mean luma, its standard deviation, and the share of pixels at 250 or more.
- *Score*: all of it in one number (`quality_score`), fitted to foretell the comparison score.
- *Occlusion*: luma deviation in small windows on the eyes and the mouth (noise taken off), relative to the whole crop.
  A window in which nothing happens is covered (sunglasses, mask, hand); of 1,200 uncovered faces 1 % lie below 0.2. It
  finds smooth covers only and is advice, no defence.
"""

from __future__ import annotations

import math

import cv2
import numpy as np

from edge.face.align import across
from edge.face.card import Align
from edge.face.quality_score import WEIGHTS, Measures, features, predict
from edge.settings.model import FaceSettings
from edge.types import F32, Advice, Crop, Face, Quality

#: Below: blurred. 500 faces: 1 % of the sharp ones below 0.030, blurred by 1 crop pixel 0.018; the median at 3 pixels
#: is 0.014, and there the embedding's cosine to the sharp face has fallen to 0.65.
MIN_SHARPNESS = 0.015
#: Standard deviation of the luma below which there is too little signal over the sensor's noise.
MIN_CONTRAST = 8.0
#: Share of over-exposed pixels above which parts of the face are missing (uncovered, well lit faces: 95 % below 0.06).
MAX_CLIPPED = 0.3
#: Occlusion above which a person is asked to uncover the face.
MAX_OCCLUSION = 0.7
#: Of the frame's height: a smaller face is asked to come closer when nothing else explains a low score.
_NEAR = 0.4
#: Luma deviation of an eye or mouth window, relative to the crop's, at which occlusion starts to count.
_BARE = 0.2
_IMMERKAER = np.array([[1, -2, 1], [-2, 4, -2], [1, -2, 1]], np.float32)


def pose(landmarks: F32) -> tuple[float, float, float]:
    """Yaw, pitch and roll in degrees from five landmarks.

    Roll is the angle of the eye line and the mouth line together. In the upright face the nose tip, which lies in front
    of the plane of eyes and mouth, moves sideways with yaw: ``tan(yaw) = 1.8 offset / eye distance``; and up and down
    with pitch: its place between eyes (0) and mouth (1) is 0.575 in a level face. Both factors were fitted here to the
    teacher head-pose-estimation-adas-0001 on 1,500 portraits: yaw differs from it by 2.7 degrees on average
    (correlation 0.94). Pitch is a least-squares guess, 7 degrees off on average: five points know little of it.

    Args:
        landmarks: float32 (5, 2), as `Face.landmarks`.

    Returns:
        yaw (positive: looks to image right), pitch (positive: looks down), roll (positive: clockwise in the image).
    """
    (ax, ay), (bx, by), (nx, ny), (cx, cy), (dx, dy) = landmarks.tolist()
    across_x, across_y = across(landmarks)
    length = math.hypot(across_x, across_y) or 1e-9
    c, s = across_x / length, across_y / length
    eyes = max(1e-6, c * (bx - ax) + s * (by - ay))
    # vectors from the middle of the eyes, turned upright
    mx, my = (ax + bx) / 2, (ay + by) / 2
    down_x, down_y = (cx + dx) / 2 - mx, (cy + dy) / 2 - my
    mouth_x, mouth_y = c * down_x + s * down_y, c * down_y - s * down_x
    nose_x, nose_y = c * (nx - mx) + s * (ny - my), c * (ny - my) - s * (nx - mx)
    place = nose_y / mouth_y if mouth_y > 1e-6 else 1.0
    yaw = math.degrees(math.atan(1.8 * (nose_x - place * mouth_x) / eyes))
    pitch = max(-90.0, min(90.0, 141.0 * (place - 0.575)))
    return yaw, pitch, math.degrees(math.atan2(across_y, across_x))


class Assessor:
    """Judges faces against one device's limits.

    Args:
        settings: the limits of size, pose and luminance.
        align: the embedder's template, from which the eye and mouth windows follow.
    """

    def __init__(self, settings: FaceSettings, align: Align) -> None:
        self.settings = settings
        self._limit = WEIGHTS.usual_limit if settings.min_quality is None else settings.min_quality
        self._grey = cv2.COLOR_RGB2GRAY if align.channels == "RGB" else cv2.COLOR_BGR2GRAY
        self._half = (align.size[0] // 2, align.size[1] // 2)
        self._inner = tuple(slice(side // 7, side - side // 7) for side in reversed(self._half))
        self._windows = _windows(align, self._half)

    def __call__(self, face: Face, crop: Crop, width: int, height: int) -> Quality:
        """Assess one face.

        Args:
            face: in pixels of the frame.
            crop: the same face, aligned.
            width, height: of the frame.
        """
        measures = self.measure(face, crop)
        m, relative = measures, face.height / height
        advice = self._advice(face, relative, (m.yaw, m.pitch, m.roll), (width, height))
        advice += self._picture_advice(m.luminance, m.contrast, m.clipped, m.sharpness, m.occlusion)
        score = predict(features(face, measures))
        if score < self._limit and not advice:
            # nothing stands out; a step towards the camera helps most of what is left (small, soft, faint)
            advice.append(Advice.STEP_CLOSER if relative < _NEAR else Advice.LOOK_HERE)
        return Quality(
            score,
            face.height,
            relative,
            m.yaw,
            m.pitch,
            m.roll,
            m.sharpness,
            m.luminance,
            m.contrast,
            m.occlusion,
            tuple(advice),
            m.clipped,
        )

    def measure(self, face: Face, crop: Crop) -> Measures:
        """What the landmarks and the pixels say, without judging it."""
        grey = cv2.cvtColor(crop.image, self._grey)
        small = cv2.resize(grey, self._half, interpolation=cv2.INTER_AREA)
        luminance, contrast = _mean_and_deviation(small)
        sharpness, noise, motion = self._sharpness(small)
        clipped = cv2.countNonZero(cv2.threshold(grey, 249, 255, cv2.THRESH_BINARY)[1]) / grey.size
        bare = [self._covered(small[window], noise, contrast) for window in self._windows]
        return Measures(
            sharpness, luminance, contrast, clipped, max(bare), *pose(face.landmarks), noise=noise, motion=motion
        )

    @staticmethod
    def _covered(window: np.ndarray, noise: float, contrast: float) -> float:
        """0..1: how little happens in an eye's or the mouth's window."""
        deviation = _mean_and_deviation(window)[1]
        return max(0.0, 1.0 - math.sqrt(max(0.0, deviation * deviation - noise)) / (_BARE * max(contrast, 1.0)))

    def _sharpness(self, small: np.ndarray) -> tuple[float, float, float]:
        """Of a half-size crop: sharpness, variance of the sensor noise, stronger direction over weaker."""
        inner = small[self._inner]
        deviation = _mean_and_deviation(inner)[1]
        across = _mean_and_deviation(cv2.Sobel(inner, cv2.CV_16S, 2, 0, ksize=1))[1] ** 2
        along = _mean_and_deviation(cv2.Sobel(inner, cv2.CV_16S, 0, 2, ksize=1))[1] ** 2
        noise = _mean_and_deviation(cv2.filter2D(inner, cv2.CV_16S, _IMMERKAER))[1] ** 2 / 36
        weaker, stronger = sorted((max(0.0, across - 6 * noise), max(0.0, along - 6 * noise)))
        return weaker / max(1.0, deviation * deviation), noise, (stronger + 1.0) / (weaker + 1.0)

    def _advice(
        self, face: Face, relative: float, angles: tuple[float, float, float], frame: tuple[int, int]
    ) -> list[Advice]:
        """What the landmarks say: distance, place, pose."""
        limits, found = self.settings, list[Advice]()
        if relative < limits.min_height:
            found.append(Advice.STEP_CLOSER)
        elif relative > limits.max_height:
            found.append(Advice.STEP_BACK)
        if any(not (0 <= x < frame[0] and 0 <= y < frame[1]) for x, y in face.landmarks.tolist()):
            found.append(Advice.CENTRE_FACE)
        yaw, pitch, roll = angles
        if abs(yaw) > limits.max_yaw or abs(pitch) > limits.max_pitch or abs(roll) > limits.max_roll:
            found.append(Advice.LOOK_HERE)
        return found

    def _picture_advice(
        self, luminance: float, contrast: float, clipped: float, sharpness: float, occlusion: float
    ) -> list[Advice]:
        """What the pixels say: one thing at a time, since each misleads the next (a cover changes sharpness...)."""
        limits = self.settings
        if luminance < limits.min_luminance or (contrast < MIN_CONTRAST and luminance < 128):
            return [Advice.MORE_LIGHT]
        if luminance > limits.max_luminance or clipped > MAX_CLIPPED or contrast < MIN_CONTRAST:
            return [Advice.LESS_LIGHT]
        if occlusion > MAX_OCCLUSION:
            return [Advice.UNCOVER_FACE]
        return [Advice.HOLD_STILL] if sharpness < MIN_SHARPNESS else []


def _mean_and_deviation(image: np.ndarray) -> tuple[float, float]:
    mean, deviation = cv2.meanStdDev(image)
    return mean.item(), deviation.item()


def _windows(align: Align, half: tuple[int, int]) -> list[tuple[slice, slice]]:
    """Rows and columns of the half-size crop that lie on the left eye, the right eye and the mouth."""
    left, right, _, corner_l, corner_r = align.template
    eyes = right[0] - left[0]
    mouth = ((corner_l[0] + corner_r[0]) / 2, (corner_l[1] + corner_r[1]) / 2)
    windows = []
    for (x, y), wide, high in ((left, 0.54, 0.34), (right, 0.54, 0.34), (mouth, 0.88, 0.39)):
        x0, x1 = (round((x + sign * wide * eyes / 2) / 2) for sign in (-1, 1))
        y0, y1 = (round((y + sign * high * eyes / 2) / 2) for sign in (-1, 1))
        x0, y0 = min(max(x0, 0), half[0] - 2), min(max(y0, 0), half[1] - 2)
        windows.append((slice(y0, max(y1, y0 + 2)), slice(x0, max(x1, x0 + 2))))
    return windows
