"""What exact arithmetic changes: templates made before it against probes of now, on lfw-dev.

    python -m tests.benchmarks.arithmetic --people 400 --json OUT

Of each person the first picture is the template, the second the probe; every template meets every probe. Three rows:
both with arithmetic 1, both with 2 (exact), and a template of 1 with a probe of 2, as after an update; each at the
card's thresholds. Bar: the third row's FNMR lies at most one point above the first's.
"""

from __future__ import annotations

import argparse
import shlex
import sys
import tarfile
from dataclasses import replace
from itertools import groupby
from pathlib import Path

import cv2
import numpy as np

from edge.face import Chain, load_card
from edge.settings.model import FaceSettings
from edge.types import Frame
from tests.benchmarks import report

FMRS = (1e-3, 1e-4)
BAR = 0.01


def pictures(data: Path, people: int) -> list[tuple[np.ndarray, np.ndarray]]:
    """The first two pictures of the first so many people who have two."""
    found = []
    with tarfile.open(data / "images.tar") as archive:
        members = sorted((m for m in archive if m.name.endswith(".jpg")), key=lambda m: Path(m.name).name)
        for _, group in groupby(members, key=lambda m: Path(m.name).stem.rsplit("_", 1)[0]):
            two = list(group)[:2]
            if len(two) == 2 and len(found) < people:
                found.append(tuple(_read(archive, member) for member in two))
    return found


def _read(archive: tarfile.TarFile, member: tarfile.TarInfo) -> np.ndarray:
    file = archive.extractfile(member)
    assert file is not None
    image = cv2.imdecode(np.frombuffer(file.read(), np.uint8), cv2.IMREAD_COLOR)
    assert image is not None
    return image


def vectors(chain: Chain, images: list[np.ndarray]) -> np.ndarray:
    """float64 (n, D) of unit length; a row of zeros where no face was found."""
    rows = []
    for number, image in enumerate(images):
        look = chain.look(Frame(image, number, number, "benchmark"), pick="central", gate=False)
        rows.append(np.zeros(chain.dimension) if look.crop is None else chain.embedder.embed(look.crop).astype(float))
    found = np.array(rows)
    norm = np.linalg.norm(found, axis=1, keepdims=True)
    return found / np.where(norm > 0, norm, 1)


def figures(templates: np.ndarray, probes: np.ndarray, chain: Chain) -> dict[str, float]:
    """FNMR and FMR at the card's thresholds."""
    scores = templates @ probes.T
    genuine, impostor = np.diag(scores), scores[~np.eye(len(scores), dtype=bool)]
    told = {}
    for fmr in FMRS:
        threshold = chain.threshold(fmr)
        told[f"fnmr_{fmr:g}"] = float(np.mean(genuine < threshold))
        told[f"fmr_{fmr:g}"] = float(np.mean(impostor >= threshold))
    return told


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=Path("../shared/data/lfw-dev"), help="images.tar (%(default)s)")
    parser.add_argument("--people", type=int, default=400, help="people with two pictures (default 400)")
    parser.add_argument("--json", type=Path, help="write the figures to this file")
    options = parser.parse_args()
    pairs = pictures(options.data, options.people)
    first, second = (
        Chain.load(FaceSettings(threads=1), lambda name, n=n: replace(load_card(name), arithmetic=n)) for n in (1, 2)
    )
    seen = {n: [vectors(c, [pair[k] for pair in pairs]) for k in (0, 1)] for n, c in ((1, first), (2, second))}
    same = float(np.mean(np.sum(seen[1][1] * seen[2][1], axis=1)))
    rows = {
        name: figures(seen[a][0], seen[b][1], first) for name, a, b in (("1-1", 1, 1), ("2-2", 2, 2), ("1-2", 1, 2))
    }
    print(f"{len(pairs)} people; cosine of the two arithmetics' probes, mean {same:.4f}")
    for name, row in rows.items():
        print(f"template-probe {name}: " + "  ".join(f"{key} {value:.3%}" for key, value in row.items()))
    worse = max(rows["1-2"][f"fnmr_{fmr:g}"] - rows["1-1"][f"fnmr_{fmr:g}"] for fmr in FMRS)
    print(f"FNMR of old templates: {worse:+.2%} at most (bar {BAR:+.0%}: {'met' if worse <= BAR else 'MISSED'})")
    if options.json:
        flat = {f"{name}_{key}": value for name, row in rows.items() for key, value in row.items()}
        report.write(
            options.json,
            schema="edge/benchmark/arithmetic/v1",
            command=shlex.join(["python", "-m", "tests.benchmarks.arithmetic", *sys.argv[1:]]),
            models={name: load_card(name).sha256 for name in ("detector", "embedder")},
            figures={"people": len(pairs), "cosine": same, **flat},
        )
    return 0 if worse <= BAR else 1


if __name__ == "__main__":
    sys.exit(main())
