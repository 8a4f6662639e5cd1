"""A peer as a contender: YuNet's most central face, aligned to the peer's own template, through the peer's runtime.

    peer = load_peer(Path("teacher.yaml"), weights=Path("weights"), shared={})
    seen = peer.look(0, picture)
    rows = YuNet(Path("face_detection_yunet_2023mar.onnx")).faces(picture)        # float32 (n, 15)

YuNet (Wu et al. 2023, MIT) runs through ``cv2.FaceDetectorYN``.

Several peers of one run share their detector: a picture is searched once, and each of them is charged the same time.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from edge.errors import InputError
from edge.face import Embedder, load_card
from edge.face.align import Aligner
from edge.face.card import Align
from edge.lab.adapters.runtimes import PRECISION, PeerSpec, Run, open_runtime, read_spec
from edge.lab.extract import LookResult
from edge.pictures.decode import Complaints
from edge.types import U8

F32 = NDArray[np.float32]


class YuNet:
    """YuNet at the picture's own size, or a size given.

    Args:
        file: the ONNX file.
        size: width and height to resize to; None: the picture's own.
        score: least confidence, 0..1. nms: overlap above which two boxes are one face.

    Raises:
        InputError: OpenCV cannot read the file.
    """

    def __init__(self, file: Path, size: tuple[int, int] | None = None, score: float = 0.6, nms: float = 0.3) -> None:
        self.size = size
        if not file.is_file():
            raise InputError("there is no such file", where=str(file), remedy="put YuNet there, or give --weights")
        try:
            with Complaints():  # OpenCV 5 warns about a target that was never asked for
                self.net = cv2.FaceDetectorYN.create(str(file), "", size or (320, 240), score, nms, 5000)
        except cv2.error as error:
            first = str(error).splitlines()[0][:200]
            raise InputError(f"OpenCV refuses the file: {first}", where=str(file), remedy="check `detector`") from None

    def faces(self, image: U8) -> F32:
        """Faces in pixels of ``image``.

        Args:
            image: BGR uint8 (H, W, 3).

        Returns:
            float32 (n, 15): x, y, width, height, five landmarks as `edge.types.Face` has them, score.
        """
        high, wide = image.shape[:2]
        width, height = self.size or (wide, high)
        if self.size is None:
            self.net.setInputSize((width, height))
        elif (wide, high) != (width, height):
            image = np.asarray(cv2.resize(image, (width, height), interpolation=cv2.INTER_LINEAR), np.uint8)
        found = self.net.detect(image)[1]
        if found is None:
            return np.zeros((0, 15), np.float32)
        scaled: F32 = np.asarray(found, np.float32) * np.array([wide / width, high / height] * 7 + [1], np.float32)
        return scaled


def most_central(rows: F32, width: int, height: int) -> F32 | None:
    """The row whose box's centre is nearest to the picture's, or None; the rule of `edge.face.nearest_centre`."""
    if not len(rows):
        return None
    centre = rows[:, :2] + rows[:, 2:4] / 2 - np.array([width / 2, height / 2], np.float32)
    nearest: F32 = rows[int(np.argmin((centre**2).sum(1)))]
    return nearest


class Eyes:
    """YuNet's most central face of the picture looked at last, shared by peers."""

    def __init__(self, net: YuNet) -> None:
        self.net = net
        self._last: tuple[int, F32 | None, float] = (-1, None, 0.0)

    def face(self, index: int, image: U8) -> tuple[F32 | None, float]:
        """(row of `YuNet.faces` or None, milliseconds that the search took)."""
        if index < 0 or index != self._last[0]:
            started = time.perf_counter_ns()
            row = most_central(self.net.faces(image), image.shape[1], image.shape[0])
            self._last = (index, row, (time.perf_counter_ns() - started) / 1e6)
        return self._last[1], self._last[2]


class Peer:
    """One peer.

    Args:
        name: what the report calls it.
        eyes: where its faces come from.
        align: lays a face into its crop: (picture, landmarks) -> uint8 (H, W, 3).
        run: crop -> vector.
        dimension: length of the vector.
        about: what the report says of it.
    """

    def __init__(
        self,
        name: str,
        eyes: Eyes,
        align: Callable[[U8, F32], Any],
        run: Callable[[Any], NDArray[Any]],
        dimension: int,
        about: dict[str, Any],
    ) -> None:
        self.name, self.dimension = name, dimension
        self._eyes, self._align, self._run, self._about = eyes, align, run, about

    def look(self, index: int, image: U8) -> LookResult:
        """See `edge.lab.extract.Contender.look`."""
        row, searched = self._eyes.face(index, image)
        if row is None:
            return LookResult(None, "no face", timings_ms={"detect": searched})
        points = row[4:14].reshape(5, 2)
        face = (float(row[0]), float(row[1]), float(row[2]), float(row[3])), points
        started = time.perf_counter_ns()
        try:
            crop = self._align(image, points)
        except InputError:  # landmarks on one point
            return LookResult(None, "no face", *face, timings_ms={"detect": searched})
        aligned = time.perf_counter_ns()
        vector = self._run(crop)
        timings = {"detect": searched, "align": (aligned - started) / 1e6}
        timings["embed"] = (time.perf_counter_ns() - aligned) / 1e6
        return LookResult(vector, "", *face, None, timings)

    def about(self) -> dict[str, Any]:
        """Runtime, file, digest, licence."""
        return self._about

    def operating_points(self) -> dict[str, float]:
        """None: a peer comes without a calibration of ours."""
        return {}


def load_peer(path: Path, weights: Path | None = None, shared: dict[Path, Eyes] | None = None) -> Peer:
    """Load the peer that a YAML file describes.

    Args:
        path: the YAML file.
        weights: folder of the files that it names; None: beside it.
        shared: detectors of this run by file; filled and used, so that peers share them.

    Raises:
        InputError: description or files cannot be used.
        ModelError: with ``runtime: card``, that card or model cannot be used.
    """
    return make_peer(read_spec(path), weights or path.parent, shared)


def make_peer(spec: PeerSpec, folder: Path, shared: dict[Path, Eyes] | None = None) -> Peer:
    """The same from a description in memory; see `load_peer`."""
    shared = {} if shared is None else shared
    file = folder / spec.detector.file
    if file not in shared:
        shared[file] = Eyes(YuNet(file, score=spec.detector.score, nms=spec.detector.nms))
    about = {
        "kind": "peer",
        "runtime": spec.runtime,
        "detector": f"YuNet ({Path(spec.detector.file).name}), score {spec.detector.score:g}",
        "licence": spec.licence,
        **({"source": spec.source} if spec.source else {}),
    }
    if spec.runtime == "card":
        embedder = Embedder(load_card(spec.file), 1)
        about |= {"file": embedder.card.path.name, "sha256": embedder.model}
        return Peer(spec.name, shared[file], embedder.align, embedder.embed, embedder.dimension, about)
    run = open_runtime(spec, folder / spec.file)
    assert spec.input is not None
    align = Aligner(
        Align.model_validate({"size": spec.input.size, "channels": spec.input.channels, "template": spec.template})
    )
    width, height = spec.input.size
    dimension = len(_first(run, np.full((height, width, 3), 127, np.uint8), spec))
    about |= {"file": Path(spec.file).name, "sha256": digest(folder / spec.file)}
    if spec.runtime == "openvino":
        about["precision"] = PRECISION
    return Peer(spec.name, shared[file], align, run, dimension, about)


def _first(run: Run, crop: U8, spec: PeerSpec) -> F32:
    """The vector of a grey crop: shows that file and description fit."""
    try:
        vector = run(crop)
    except Exception as error:  # every runtime has its own classes
        first = (str(error).strip().splitlines() or [type(error).__name__])[0]
        raise InputError(
            f"the model does not take what `input` says: {first[:200]}", where=spec.name, remedy="check size and layout"
        ) from None
    if len(vector) < 2 or not np.isfinite(vector).all():
        raise InputError("the output is not a finite vector", where=spec.name, remedy="check `output`, mean and std")
    return vector


def digest(path: Path) -> str:
    """SHA-256 (hex) of a model's file; of OpenVINO's two files (.xml and .bin) that of both in a row."""
    total = hashlib.sha256()
    for part in (path, path.with_suffix(".bin")) if path.suffix == ".xml" else (path,):
        total.update(part.read_bytes())
    return total.hexdigest()
