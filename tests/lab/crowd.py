"""A small labelled set of people who do not exist, hard enough to make errors, on disk as the lab wants it."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np

from tests.conftest import PEOPLE

NAMES = sorted({path.stem.rsplit("-", 1)[0] for path in PEOPLE.glob("*.jpg")})


def worsened(image: np.ndarray, random: np.random.Generator, strength: float) -> np.ndarray:
    """Moved, turned, darkened, blurred and noisy; 0 leaves the picture nearly as it is."""
    height, width = image.shape[:2]
    turn = cv2.getRotationMatrix2D((width / 2, height / 2), float(random.normal(0, 6)), float(random.uniform(0.7, 1.0)))
    out = cv2.warpAffine(image, turn, (width, height), borderMode=cv2.BORDER_REPLICATE).astype(np.float32)
    out = cv2.GaussianBlur(out, (0, 0), 0.3 + 4.5 * strength * float(random.random()))
    out = out * float(1 - 0.6 * strength * random.random()) + random.normal(0, 25 * strength, out.shape)
    return np.clip(out, 0, 255).astype(np.uint8)


def make_crowd(folder: Path, each: int = 4, people: int = 6, strength: float = 0.0, side: int = 160) -> list[str]:
    """``folder/Ada/Ada_0001.jpg`` and so on; gives the names of all pictures, sorted."""
    random = np.random.default_rng(7)
    names = []
    for person in NAMES[:people]:
        title = person.capitalize()
        (folder / title).mkdir(parents=True)
        for number in range(1, each + 1):
            image = cv2.imread(str(PEOPLE / f"{person}-{number % 3}.jpg"))
            image = cv2.resize(worsened(image, random, strength), (side, side), interpolation=cv2.INTER_AREA)
            names.append(f"{title}/{title}_{number:04d}.jpg")
            cv2.imwrite(str(folder / names[-1]), image)
    return names


def write_pairs(path: Path, folds: int, each: int, people: int) -> None:
    """A list over a crowd of 2 or more pictures each: ``each`` pairs of both kinds in each of ``folds``."""
    titles = [name.capitalize() for name in NAMES[:people]]
    lines = [f"{folds}\t{each}"]
    for fold in range(folds):
        chosen = [titles[(fold * each + k) % people] for k in range(each)]
        lines += [f"{name}\t1\t2" for name in chosen]
        lines += [f"{name}\t1\t{titles[(titles.index(name) + 1) % people]}\t2" for name in chosen]
    path.write_text("\n".join(lines) + "\n")
