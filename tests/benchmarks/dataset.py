"""LFW's development half: pictures out of a tar file, the pairs of its view 2, and all pairs there are.

lfw = Lfw(folder)                 # ../shared/data/lfw-dev
lfw.names[0], lfw.people[0]       # 'Aaron_Patterson/Aaron_Patterson_0001.jpg', 0
picture = lfw.picture(0)          # BGR uint8 (250, 250, 3)
lfw.pairs                         # int (3000, 4): first, second, same person, fold
"""

from __future__ import annotations

import hashlib
import tarfile
from pathlib import Path

import cv2
import numpy as np


class Lfw:
    """Pictures and pairs.

    Args:
        folder: holds ``images.tar`` and ``pairs.txt``.
        limit: use only the first so many pictures (a quick look; the figures then mean nothing).
    """

    def __init__(self, folder: Path, limit: int | None = None) -> None:
        self.folder = folder
        with tarfile.open(folder / "images.tar") as tar:
            members = sorted((m for m in tar if m.isfile()), key=lambda m: m.name)[:limit]
            self._data = [tar.extractfile(member).read() for member in members]
        self.names = [member.name for member in members]
        folders = [name.split("/")[0] for name in self.names]
        order = {person: number for number, person in enumerate(dict.fromkeys(folders))}
        self.people = np.array([order[person] for person in folders])
        self.pairs = self._read_pairs((folder / "pairs.txt").read_text())
        self.digest = hashlib.sha256("\n".join(self.names).encode()).hexdigest()

    def __len__(self) -> int:
        return len(self.names)

    def picture(self, index: int) -> np.ndarray:
        """BGR uint8 (250, 250, 3)."""
        image = cv2.imdecode(np.frombuffer(self._data[index], np.uint8), cv2.IMREAD_COLOR)
        assert image is not None, self.names[index]
        return image

    def _read_pairs(self, text: str) -> np.ndarray:
        """LFW's format: a head ``folds<TAB>n``, then per fold n lines of one person and n lines of two."""
        head, *lines = text.splitlines()
        folds, each = (int(word) for word in head.split())
        assert len(lines) == folds * each * 2, "pairs.txt is not in LFW's format"
        index = {name: number for number, name in enumerate(self.names)}
        rows = []
        for number, line in enumerate(lines):
            words = line.split()
            first = index.get(f"{words[0]}/{words[0]}_{int(words[1]):04d}.jpg")
            other = words[0] if len(words) == 3 else words[2]
            second = index.get(f"{other}/{other}_{int(words[-1]):04d}.jpg")
            if first is not None and second is not None:
                rows.append((first, second, len(words) == 3, number // (2 * each)))
        return np.array(rows, int).reshape(-1, 4)

    def all_pairs(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Every pair of pictures once: rows, columns, and whether both show the same person."""
        rows, columns = np.triu_indices(len(self), 1)
        return rows, columns, self.people[rows] == self.people[columns]
