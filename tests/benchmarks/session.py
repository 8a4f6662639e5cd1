"""False match rate of whole sessions against the target: do the card's thresholds keep it, and how much do they use?

    python -m tests.benchmarks.session --data ../shared/data/train --json OUT

An impostor session: one person's template is claimed by another person, who is looked at K times, each look compared
at the card's threshold for sessions of K; accepted at the first look that passes. Pictures are the All-Age-Faces
crops, one a person; the template is the mean of three views in good light; a session has one light for all its looks
and fresh noise, blur and landmark error for each, so that looks are as dependent as in front of a camera. Vectors come
from the shipped int8 embedder, thresholds from its card; every ordered pair of the sample is a session.

The set holds some people twice (the calibration's contact sheet shows them). Pairs of pictures that the teacher, blind
to sex, scores 0.60 or more are taken for one person, as the calibration does, and are no impostor sessions; the rate
with them is given beside it.

Bar: session FMR <= target over at least 30,000 sessions, by the point estimate; the 95 % upper bound (Wilson) is given
beside it. The pictures are of the held-out fifth, which the embedder has not learnt from; its calibration used the same
people in other views.
"""

from __future__ import annotations

import argparse
import math
import shlex
import sys
import tarfile
from pathlib import Path

import cv2
import numpy as np
from rich.console import Console
from rich.progress import track
from rich.table import Table

from edge.face import Embedder, load_card, threshold
from edge.face.match import average
from edge.types import I8, U8
from models.training.blind import blinding, groups_of
from models.training.impostors import SAME_PERSON
from models.training.split import held_out
from tests.benchmarks import references, report

#: Landmarks of the 128x128 crops (data README).
POINTS = np.array([[46.29, 59.70], [81.53, 59.50], [64.03, 79.74], [49.55, 100.37], [78.73, 100.20]], np.float32)
EYES = 35.2  # distance of the eyes in those crops, pixels
LOOKS = (1, 3, 5)
TARGETS = (1e-2, 1e-3, 1e-4)
TEMPLATE_VIEWS = 3


def pictures(folder: Path, count: int, seed: int) -> dict[str, U8]:
    """``count`` random held-out crops of different people by name, BGR uint8 (128, 128, 3)."""
    data: list[tuple[str, bytes]] = []
    for part in ("aaf-0.tar", "aaf-1.tar"):
        with tarfile.open(folder / part) as tar:
            data += [(m.name, tar.extractfile(m).read()) for m in tar if m.isfile() and held_out(m.name)]
    chosen = np.random.default_rng(seed).permutation(len(data))[:count]
    return {data[k][0]: cv2.imdecode(np.frombuffer(data[k][1], np.uint8), cv2.IMREAD_COLOR) for k in chosen}


class Camera:
    """Views of a crop as a door's camera would have them."""

    def __init__(self, embedder: Embedder, seed: int, landmarks: float) -> None:
        self.embedder, self.random = embedder, np.random.default_rng(seed)
        self.landmarks = landmarks * EYES

    def light(self, picture: U8) -> U8:
        """Another light: exposure, contrast, a side light, a colour cast."""
        random = self.random
        ramp = np.linspace(-1, 1, 128, dtype=np.float32)[None, :, None] * random.uniform(-0.25, 0.25)
        cast = random.uniform(0.92, 1.08, 3).astype(np.float32)
        scaled = (picture.astype(np.float32) / 255) ** random.uniform(0.7, 1.5) * random.uniform(0.7, 1.15)
        return np.clip(scaled * (1 + ramp) * cast * 255, 0, 255).astype(np.uint8)

    def view(self, picture: U8, sigma: float) -> I8:
        """One look: sensor noise, a little blur, the detector's landmark error; embedded."""
        random = self.random
        if random.random() < 0.5:
            picture = cv2.GaussianBlur(picture, (0, 0), random.uniform(0.3, 1.0))
        noise = random.normal(0, sigma, picture.shape).astype(np.float32)
        noisy = np.clip(picture.astype(np.float32) + noise, 0, 255).astype(np.uint8)
        moved = POINTS + random.normal(0, self.landmarks, POINTS.shape).astype(np.float32)
        return self.embedder.embed(self.embedder.align(noisy, moved))


def vectors(
    people: list[U8], embedder: Embedder, looks: int, seed: int, landmarks: float
) -> tuple[np.ndarray, np.ndarray]:
    """Unit templates (n, d) and unit looks (n, looks, d) of everybody."""
    camera = Camera(embedder, seed, landmarks)
    templates, probes = [], []
    for picture in track(people, description="embedding"):
        templates.append(average([camera.view(picture, 2.0) for _ in range(TEMPLATE_VIEWS)]))
        lit = camera.light(picture)
        probes.append([camera.view(lit, 6.0) for _ in range(looks)])
    return _unit(np.array(templates)), _unit(np.array(probes))


def _unit(values: np.ndarray) -> np.ndarray:
    values = values.astype(np.float32)
    return values / np.linalg.norm(values, axis=-1, keepdims=True)


def alike(people: dict[str, U8], teachers: Path) -> np.ndarray:
    """Which pairs the teacher, blind to sex, takes for one person: bool (n, n), the diagonal included."""
    teacher = references.Teacher(teachers)
    crops = (teacher.align(picture, POINTS) for picture in track(people.values(), description="teacher"))
    found = _unit(np.array([teacher.embed(crop) for crop in crops]))
    found = _unit(found @ blinding(found, groups_of(list(people))))
    same: np.ndarray = found @ found.T >= SAME_PERSON
    np.fill_diagonal(same, True)
    return same


def accepted(templates: np.ndarray, probes: np.ndarray, looks: int, level: float, same: np.ndarray) -> tuple[int, int]:
    """Sessions of two people that are accepted, and those of ``same`` that are, over all ordered pairs."""
    impostors = others = 0
    for begin in range(0, len(templates), 256):
        block = templates[begin : begin + 256]
        passed = np.max([block @ probes[:, k].T for k in range(looks)], axis=0) >= level
        twice = same[begin : begin + 256]
        impostors += int((passed & ~twice).sum())
        others += int((passed & twice).sum()) - int(np.diagonal(passed, begin).sum())
    return impostors, others


def wilson(errors: int, trials: int, z: float = 1.645) -> float:
    """One-sided 95 % upper bound of a rate (Wilson score). Pairs share people, so this is the optimistic bound."""
    p = errors / trials
    centre = p + z * z / (2 * trials)
    spread = z * math.sqrt(p * (1 - p) / trials + z * z / (4 * trials * trials))
    return (centre + spread) / (1 + z * z / trials)


def measure(folder: Path, teachers: Path, people: int, seed: int, landmarks: float) -> dict:
    """Every target with every number of looks."""
    card = load_card("embedder")
    embedder = Embedder(card, threads=1)
    chosen = pictures(folder, people, seed)
    same = alike(chosen, teachers)
    templates, probes = vectors(list(chosen.values()), embedder, max(LOOKS), seed, landmarks)
    sessions = int((~same).sum())
    rows = []
    for target in TARGETS:
        for looks in LOOKS:
            level = threshold(card, target, looks)
            errors, twice = accepted(templates, probes, looks, level, same)
            genuine = np.max([(templates * probes[:, k]).sum(1) for k in range(looks)], axis=0)
            rows.append(
                {
                    "target_fmr": target,
                    "looks": looks,
                    "threshold": round(level, 4),
                    "sessions": sessions,
                    "accepted": errors,
                    "session_fmr": errors / sessions,
                    "upper_95": wilson(errors, sessions),
                    "ratio_to_target": errors / sessions / target,
                    "session_fmr_with_same_person": (errors + twice) / (len(same) * (len(same) - 1)),
                    "same_picture_fnmr": float((genuine < level).mean()),
                }
            )
    return {"model": card.sha256, "people": len(templates), "seed": seed, "landmark_sigma": landmarks, "rows": rows}


def show(result: dict) -> bool:
    """Print the table; whether the bar is met everywhere."""
    table = Table(title=f"Impostor sessions, {result['people']} people, embedder {result['model'][:12]}")
    for name in ("target FMR", "looks", "threshold", "sessions", "accepted", "session FMR", "/ target", "bar"):
        table.add_column(name, justify="right")
    met = True
    for row in result["rows"]:
        fine = row["session_fmr"] <= row["target_fmr"] and row["sessions"] >= 30_000
        met &= fine
        cells = (f"{row['target_fmr']:g}", row["looks"], row["threshold"], f"{row['sessions']:,}", row["accepted"])
        rate = (f"{row['session_fmr']:.2e}", f"{row['ratio_to_target']:.2f}")
        table.add_row(*(str(cell) for cell in (*cells, *rate, "met" if fine else "MISSED")))
    Console().print(table)
    return met


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "--data", type=Path, default=Path("../shared/data/train"), help="folder with aaf-0.tar, aaf-1.tar"
    )
    parser.add_argument("--teachers", type=Path, default=Path("../shared/data/teachers"), help="folder of 0095")
    parser.add_argument("--people", type=int, default=2400, help="people in the sample (default 2400: 5.8 M sessions)")
    parser.add_argument("--seed", type=int, default=7, help="sample and noise")
    parser.add_argument(
        "--landmarks", type=float, default=0.035, help="landmark error by coordinate, in eye distances (default 0.035)"
    )
    parser.add_argument("--json", type=Path, help="write the result here")
    arguments = parser.parse_args()
    result = measure(arguments.data, arguments.teachers, arguments.people, arguments.seed, arguments.landmarks)
    met = show(result)
    if arguments.json:
        figures = {f"session_fmr_{r['target_fmr']:g}_{r['looks']}": r["session_fmr"] for r in result["rows"]}
        report.write(
            arguments.json,
            schema="edge/benchmark/session/v1",
            command=shlex.join(["python", "-m", "tests.benchmarks.session", *sys.argv[1:]]),
            models={"embedder": result["model"]},
            figures=figures,
            met=met,
            **{key: value for key, value in result.items() if key != "model"},
        )
    return 0 if met else 1


if __name__ == "__main__":
    sys.exit(main())
