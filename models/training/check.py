"""A quick look at the chain's parts on lfw-dev: found rate, landmark error, pairs accuracy. For measuring only.

    python -m models.training.check            # about a minute; the first time two

The official figures come from tests/benchmarks; this is what one looks at between two exports. Nothing may be trained,
calibrated or chosen by it beyond "is this export better than the last": count the looks in NOTES.md.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from models.training.crops import aligned
from models.training.data import YUNET, Teacher, iou, read_tar
from models.training.embedder_net import TEMPLATE
from models.training.paths import BOOTSTRAP, DATA, WORK
from models.training.progress import track

U8 = NDArray[np.uint8]
F32 = NDArray[np.float32]


def central(faces: F32, width: int, height: int) -> F32:
    """The face whose centre is nearest the picture's centre; zeros when there is none."""
    if not len(faces):
        return np.zeros(15, np.float32)
    centre = faces[:, 0:2] + faces[:, 2:4] / 2
    return faces[np.argmin(np.linalg.norm(centre - [width / 2, height / 2], axis=1))]


def read_pairs(path: Path) -> list[tuple[str, str, bool]]:
    """LFW's format: ``folds n`` then per fold n genuine lines (name a b) and n impostor lines (name a name b)."""
    lines = [line.split() for line in path.read_text().splitlines()[1:]]
    pairs = []
    for row in lines:
        if len(row) == 3:
            pairs.append((f"{row[0]}/{row[0]}_{int(row[1]):04d}.jpg", f"{row[0]}/{row[0]}_{int(row[2]):04d}.jpg", True))
        else:
            pairs.append(
                (f"{row[0]}/{row[0]}_{int(row[1]):04d}.jpg", f"{row[2]}/{row[2]}_{int(row[3]):04d}.jpg", False)
            )
    return pairs


def fold_accuracy(scores: F32, same: NDArray[np.bool_], folds: int = 5) -> float:
    """Mean accuracy (%) over folds, each at the threshold that is best on the others (LFW, unrestricted protocol)."""
    blocks = np.array_split(np.arange(len(scores)), folds)
    rates = []
    for block in blocks:
        rest = np.setdiff1d(np.arange(len(scores)), block)
        candidates = np.sort(scores[rest])
        right = [np.mean((scores[rest] >= t) == same[rest]) for t in candidates[:: max(1, len(candidates) // 800)]]
        best = candidates[:: max(1, len(candidates) // 800)][int(np.argmax(right))]
        rates.append(np.mean((scores[block] >= best) == same[block]))
    return 100 * float(np.mean(rates))


def yunet(data: Path, work: Path) -> F32:
    """YuNet's central face of every picture, from its cache."""
    cache = work / "lfw-yunet.npy"
    if not cache.exists():
        teacher, rows = Teacher(data / YUNET), []
        for _, picture in track(read_tar(data / "lfw-dev" / "images.tar"), 5373, "YuNet"):
            teacher.net.setScoreThreshold(0.6)
            rows.append(central(teacher.faces(picture), picture.shape[1], picture.shape[0]))
        np.save(cache, np.array(rows, np.float32))
    return np.load(cache)


def ours(data: Path, detector: Any) -> F32:
    """Our central face of every picture, as rows x, y, w, h, landmarks, score."""
    rows = []
    for _, picture in track(read_tar(data / "lfw-dev" / "images.tar"), 5373, "our detector"):
        faces = [[*face.box, *np.ravel(face.landmarks), face.score] for face in detector.detect(picture)]
        rows.append(central(np.array(faces, np.float32).reshape(-1, 15), picture.shape[1], picture.shape[0]))
    return np.array(rows, np.float32)


def embed(data: Path, faces: F32, runner: Any) -> F32:
    """Unit embeddings (n, 128) of the given faces by the shipped embedder; zeros where there is no face."""
    spec, rows = runner.card.outputs[0], []
    for (_, picture), face in zip(
        track(read_tar(data / "lfw-dev" / "images.tar"), 5373, "embeddings"), faces, strict=True
    ):
        if face[14] == 0:
            rows.append(np.zeros(spec.shape[1], np.float32))
            continue
        z = (
            runner.run(aligned(picture, face[4:14].reshape(5, 2), TEMPLATE))[spec.name][0].astype(np.float32)
            - spec.zero_point
        )
        rows.append(z / np.linalg.norm(z))
    return np.array(rows)


def embed_float(data: Path, faces: F32, weights: Path) -> F32:
    """The same with the bootstrap weights in float."""
    import torch

    from models.training.embedder_net import load

    net, rows, batch = load(weights), [], []
    with torch.no_grad():
        for (_, picture), face in zip(read_tar(data / "lfw-dev" / "images.tar"), faces, strict=True):
            batch.append(aligned(picture, face[4:14].reshape(5, 2) if face[14] else TEMPLATE, TEMPLATE))
            if len(batch) == 64 or len(rows) * 64 + len(batch) == len(faces):
                x = (torch.from_numpy(np.stack(batch)).permute(0, 3, 1, 2).float() - 127.5) / 128
                rows.append(torch.nn.functional.normalize(net(x)).numpy())
                batch = []
    return np.concatenate(rows)


def pairs_accuracy(embeddings: F32, names: dict[str, int], pairs: list[tuple[str, str, bool]]) -> float:
    """Five-fold accuracy; a picture without a face scores -1 in all its pairs."""
    a, b = (embeddings[[names[pair[k]] for pair in pairs]] for k in (0, 1))
    scores = (a * b).sum(1)
    scores[(np.abs(a).sum(1) == 0) | (np.abs(b).sum(1) == 0)] = -1
    return fold_accuracy(scores.astype(np.float32), np.array([pair[2] for pair in pairs]))


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(
        prog="python -m models.training.check",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--data", type=Path, default=DATA)
    parser.add_argument("--reference", action="store_true", help="also measure YuNet alignment, int8 and float")
    options = parser.parse_args(arguments)
    from edge.face.card import load_card
    from edge.face.detect import Detector
    from edge.face.runner import Runner

    cv2.setNumThreads(1)
    theirs, mine = yunet(options.data, WORK), ours(options.data, Detector(load_card("detector")))
    match = np.array([iou(a, b) if a[14] and b[14] else 0 for a, b in zip(mine, theirs, strict=True)])
    judged = theirs[:, 14] > 0
    points = (mine[:, 4:14] - theirs[:, 4:14]).reshape(-1, 5, 2)
    eyes = np.linalg.norm(theirs[:, 6:8] - theirs[:, 4:6], axis=1)
    hit = judged & (match >= 0.5)
    error = np.linalg.norm(points, axis=2)[hit] / eyes[hit, None]
    print(f"found (IoU >= 0.5 with YuNet's central face): {100 * hit.sum() / judged.sum():.2f} % of {judged.sum()}")
    print(f"no face at all: {(mine[:, 14] == 0).sum()}")
    print(
        f"landmark error, % of eye distance: median {100 * np.median(error.mean(1)):.2f}, "
        f"95 % {100 * np.percentile(error.mean(1), 95):.2f}"
    )
    print(
        f"  by point (median): {np.round(100 * np.median(error, 0), 2)}; bias x, y by point: "
        f"{np.round(100 * np.median(points[hit] / eyes[hit, None, None], 0), 2).tolist()}"
    )
    names = {name: i for i, (name, _) in enumerate(read_tar(options.data / "lfw-dev" / "images.tar"))}
    pairs, runner = read_pairs(options.data / "lfw-dev" / "pairs.txt"), Runner(load_card("embedder"))
    np.save(WORK / "lfw-embeddings.npy", embed(options.data, mine, runner))
    mine_embedded = np.load(WORK / "lfw-embeddings.npy")
    print(f"pairs accuracy, int8, our detector: {pairs_accuracy(mine_embedded, names, pairs):.2f} %")
    if options.reference:
        print(f"pairs accuracy, int8, YuNet: {pairs_accuracy(embed(options.data, theirs, runner), names, pairs):.2f} %")
        reference = embed_float(options.data, theirs, BOOTSTRAP / "weights.pt")
        print(f"pairs accuracy, float, YuNet: {pairs_accuracy(reference, names, pairs):.2f} %")


if __name__ == "__main__":
    main()
