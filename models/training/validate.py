"""What the detector is worth on pictures it never saw: recall by size, false alarms, landmark error by eye distance."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import torch
from numpy.typing import NDArray

from models.training.affine import transform
from models.training.compose import HEIGHT, WIDTH, Composer
from models.training.data import iou
from models.training.decode import decode
from models.training.detector_net import OUTPUTS, Detector
from models.training.photometric import Photometric

U8 = NDArray[np.uint8]
F32 = NDArray[np.float32]
#: Face heights as fractions of the frame; 8 % is 40 px of 480, 20 % is where verification starts.
BINS = ((0.085, 0.12), (0.12, 0.2), (0.2, 0.35), (0.35, 0.6), (0.6, 0.93))


@dataclass(frozen=True, slots=True)
class Case:
    """One validation picture; `face` is (14,) centre x, y, w, h, landmarks, or None when it holds no face."""

    group: str
    image: U8
    face: F32 | None


def cases(work: Path, each: int = 60) -> list[Case]:
    """The fixed validation set: synthetic scenes by size, clean portraits, empty backgrounds; all held out."""
    composer, light = Composer(work, "held_out", 11), Photometric(HEIGHT, WIDTH, 12)
    rng = np.random.default_rng(13)
    out = []
    for low, high in BINS:
        for _ in range(each):
            image, faces = composer.scene(float(rng.uniform(low, high)) * HEIGHT)
            out.append(Case(f"{100 * low:.0f}-{100 * high:.0f}%", light(image), faces[0]))
    for index in composer.portrait_ids:
        picture, row = composer.portraits.picture(index), composer.portraits.labels[index]
        scale = min(HEIGHT / picture.shape[0], WIDTH / picture.shape[1])
        small = cv2.resize(picture, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)[:HEIGHT, :WIDTH]
        left = (WIDTH - small.shape[1]) // 2
        full = np.zeros((HEIGHT, WIDTH, 3), np.uint8)
        full[: small.shape[0], left : left + small.shape[1]] = small
        half = 0.5 * (scale - 1)  # coordinates are pixel centres
        out.append(
            Case("portraits", full, transform(np.array([[scale, 0, left + half], [0, scale, half]]), row, False))
        )
    for _ in range(4 * each):
        out.append(Case("empty", light(composer.background()), None))
    return out


def measure(maps: list[dict[str, F32]], truth: list[Case], threshold: float = 0.5) -> dict[str, float]:
    """Recall (%) and median landmark error (% of the eye distance) per group, false alarms per empty picture."""
    found: dict[str, list[bool]] = {}
    error: dict[str, list[float]] = {}
    alarms = []
    for output, case in zip(maps, truth, strict=True):
        faces = decode(output, threshold=threshold)
        if case.face is None:
            alarms.append(len(faces))
            continue
        box = np.concatenate([case.face[0:2] - case.face[2:4] / 2, case.face[2:4]])
        hits = [face for face in faces if iou(face, box) >= 0.5]
        found.setdefault(case.group, []).append(bool(hits))
        if hits:
            truth_points = case.face[4:].reshape(5, 2)
            eyes = float(np.linalg.norm(truth_points[1] - truth_points[0]))
            off = np.linalg.norm(hits[0][4:14].reshape(5, 2) - truth_points, axis=1).mean() / eyes
            error.setdefault(case.group, []).append(float(off))
    out = {f"recall {group}": 100 * float(np.mean(hits)) for group, hits in found.items()}
    out |= {f"error {group}": 100 * float(np.median(values)) for group, values in error.items()}
    out["alarms"] = float(np.mean(alarms))
    out["alarmed"] = 100 * float(np.mean(np.array(alarms) > 0))
    return out


def maps_of(net: Detector, truth: list[Case], device: torch.device) -> list[dict[str, F32]]:
    """Float maps of every case."""
    out = []
    net.eval()
    with torch.no_grad():
        for start in range(0, len(truth), 64):
            images = np.stack([case.image for case in truth[start : start + 64]])
            x = (torch.from_numpy(images).to(device).permute(0, 3, 1, 2).float() - 128) / 128
            maps = [o.float().permute(0, 2, 3, 1).cpu().numpy() for o in net(x)]
            out += [dict(zip(OUTPUTS, row, strict=True)) for row in zip(*maps, strict=True)]
    net.train()
    return out
