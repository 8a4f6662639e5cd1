"""The detector's data: decode every picture once, label it with YuNet, keep both in a memory-mapped cache.

    prepare(data, work)         # minutes; run once
    cache = Cache.open(work)    # instant; shared by all worker processes through the page cache
    picture = cache.portraits.picture(7)

The labels are averages of YuNet over several views (mirrored, two scales), which are steadier than one look. A label is
a row of 15 floats: box x, y, w, h, then five landmarks x, y (left eye, right eye, nose, left and right mouth corner;
left = image left), then the mean score. Pictures with no confident face have score 0 and are not used.
"""

from __future__ import annotations

import io
import shutil
import tarfile
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from models.training.progress import track

U8 = NDArray[np.uint8]
F32 = NDArray[np.float32]
YUNET = "teachers/face_detection_yunet_2023mar.onnx"
#: Swaps left and right when a picture is mirrored.
MIRROR = [1, 0, 2, 4, 3]
CROP_PAD = 48
CONFIDENT = 0.7


def read_tar(path: Path) -> Iterator[tuple[str, U8]]:
    """Yield (name, BGR picture) for each decodable picture of a tar file."""
    with tarfile.open(path) as tar:
        for member in tar:
            handle = tar.extractfile(member) if member.isfile() else None
            if handle is None:
                continue
            picture = cv2.imdecode(np.frombuffer(io.BytesIO(handle.read()).getbuffer(), np.uint8), cv2.IMREAD_COLOR)
            if picture is not None:
                yield member.name, picture


@dataclass(frozen=True, slots=True)
class Pictures:
    """Decoded pictures of differing sizes, one after the other in one memory-mapped file."""

    pixels: U8
    shapes: NDArray[np.int64]
    offsets: NDArray[np.int64]
    names: list[str]
    labels: F32

    def __len__(self) -> int:
        return len(self.shapes)

    def picture(self, index: int) -> U8:
        """BGR picture (h, w, 3), a view into the cache."""
        height, width = self.shapes[index]
        start = self.offsets[index]
        return self.pixels[start : start + height * width * 3].reshape(height, width, 3)


def _write(work: Path, kind: str, source: Iterator[tuple[str, U8]]) -> None:
    shapes, names = [], []
    with (work / f"{kind}.u8").open("wb") as file:
        for name, picture in source:
            shapes.append(picture.shape[:2])
            names.append(name)
            file.write(np.ascontiguousarray(picture).tobytes())
    np.savez(work / f"{kind}.npz", shapes=np.array(shapes, np.int64), names=np.array(names))


def open_pictures(work: Path, kind: str) -> Pictures:
    """Open one part of the cache: ``crops``, ``portraits`` or ``backgrounds``."""
    index = np.load(work / f"{kind}.npz")
    shapes = index["shapes"]
    offsets = np.concatenate([[0], np.cumsum(shapes[:, 0] * shapes[:, 1] * 3)])
    labels_file = work / f"{kind}.labels.npy"
    labels = np.load(labels_file) if labels_file.exists() else np.zeros((len(shapes), 15), np.float32)
    pixels = np.memmap(work / f"{kind}.u8", np.uint8, "r")
    return Pictures(pixels, shapes, offsets, [str(name) for name in index["names"]], labels)


class Teacher:
    """YuNet over several views of a picture."""

    def __init__(self, model: Path) -> None:
        cv2.setNumThreads(1)
        self.net = cv2.FaceDetectorYN.create(str(model), "", (320, 320), 0.5, 0.3, 50)

    def faces(self, picture: U8) -> F32:
        """Rows of YuNet: x, y, w, h, five landmarks, score; YuNet's landmark order is image left first."""
        self.net.setInputSize((picture.shape[1], picture.shape[0]))
        found = self.net.detect(picture)[1]
        return np.zeros((0, 15), np.float32) if found is None else np.asarray(found, np.float32)

    def label(self, picture: U8, scales: tuple[float, ...] = (1.0, 0.7)) -> F32:
        """The most confident face, averaged over mirrored and scaled views; zeros when unsure."""
        first = self.faces(picture)
        if not len(first):
            return np.zeros(15, np.float32)
        best = first[np.argmax(first[:, 14])]
        rows = [best]
        rows += [mirror_label(row, picture.shape[1]) for row in self.faces(np.ascontiguousarray(picture[:, ::-1]))]
        for scale in scales[1:]:
            small = cv2.resize(picture, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
            ratio = np.array([picture.shape[1] / small.shape[1], picture.shape[0] / small.shape[0]], np.float32)
            rows += [np.concatenate([row[:14] * np.tile(ratio, 7), row[14:]]) for row in self.faces(small)]
        same = np.array([row for row in rows if iou(row, best) > 0.5], np.float32)
        return np.average(same, 0, same[:, 14]).astype(np.float32)


def mirror_label(row: F32, width: int) -> F32:
    """The label of the mirrored picture."""
    row = row.copy()
    row[0] = width - row[0] - row[2]
    points = row[4:14].reshape(5, 2)[MIRROR]
    points[:, 0] = width - points[:, 0]
    row[4:14] = points.ravel()
    return row


def iou(a: F32, b: F32) -> float:
    """Intersection over union of two boxes x, y, w, h."""
    left, top = max(a[0], b[0]), max(a[1], b[1])
    right, bottom = min(a[0] + a[2], b[0] + b[2]), min(a[1] + a[3], b[1] + b[3])
    inter = max(0.0, right - left) * max(0.0, bottom - top)
    return float(inter / (a[2] * a[3] + b[2] * b[3] - inter + 1e-9))


def _label_portraits(indices: list[int], work: Path, model: Path) -> F32:
    teacher, pictures = Teacher(model), open_pictures(work, "portraits")
    return np.array([teacher.label(pictures.picture(i), (1.0, 0.6)) for i in indices], np.float32)


def _label_crops(indices: list[int], work: Path, model: Path) -> F32:
    """Crops are tight, so a border is added for YuNet and taken off the labels again."""
    teacher, pictures = Teacher(model), open_pictures(work, "crops")
    rows = []
    for i in indices:
        padded = cv2.copyMakeBorder(pictures.picture(i), *[CROP_PAD] * 4, cv2.BORDER_REPLICATE)
        row = teacher.label(padded)
        row[0:2] -= CROP_PAD
        row[4:14] -= CROP_PAD
        rows.append(row)
    return np.array(rows, np.float32)


def _label_backgrounds(indices: list[int], work: Path, model: Path) -> F32:
    """Only the score matters: a background in which YuNet sees something is not used."""
    teacher, pictures = Teacher(model), open_pictures(work, "backgrounds")
    return np.array([teacher.label(pictures.picture(i), (1.0,)) for i in indices], np.float32)


def _label(work: Path, kind: str, work_on: Callable[[list[int]], F32], processes: int) -> None:
    count = len(open_pictures(work, kind))
    chunks = [list(range(start, min(count, start + 250))) for start in range(0, count, 250)]
    with ProcessPoolExecutor(processes) as pool:
        rows = list(track(pool.map(work_on, chunks), len(chunks), f"{kind} labelled, blocks of 250"))
    np.save(work / f"{kind}.labels.npy", np.concatenate(rows))


def prepare(data: Path, work: Path, processes: int = 2) -> None:
    """Decode and label everything the detector learns from, and keep the tables of the crops beside it.

    Args:
        data: folder with ``train/``, ``scenes/`` and ``teachers/``.
        work: folder for the cache (about 2.3 GB).
        processes: labelling processes.
    """
    work.mkdir(parents=True, exist_ok=True)
    if not (work / "portraits.npz").exists():
        _write(work, "portraits", read_tar(data / "scenes" / "portraits.tar"))
    if not (work / "backgrounds.npz").exists():
        _write(work, "backgrounds", _limited(read_tar(data / "scenes" / "backgrounds.tar"), 420))
    for table in (data / "train").glob("*.csv"):
        shutil.copyfile(table, work / table.name)
    if not (work / "crops.npz").exists():
        tars = sorted((data / "train").glob("*.tar"))
        _write(work, "crops", (item for tar in tars for item in read_tar(tar)))
    steps = {"portraits": _label_portraits, "backgrounds": _label_backgrounds, "crops": _label_crops}
    for kind, step in steps.items():
        if not (work / f"{kind}.labels.npy").exists():
            _label(work, kind, partial(step, work=work, model=data / YUNET), processes)


def _limited(source: Iterator[tuple[str, U8]], longest: int) -> Iterator[tuple[str, U8]]:
    for name, picture in source:
        scale = longest / max(picture.shape[:2])
        if scale < 1:
            picture = cv2.resize(picture, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
        yield name, picture
