"""What is kept on disk while a measurement runs, so that it can be stopped and go on: sums, never an embedding.

    store = Checkpoint(out / "progress", key)
    state = store.load("embedder")                # arrays by name, or None
    store.save("embedder", state)

One file a contender, replaced as a whole. ``key`` stands for everything that the sums depend on (set, models, groups,
options); another key starts anew. What is kept: score histograms, error counts by person and group, and of every
picture whether a face was found, where, its quality and times. Embeddings are not among them (a test searches for
them), so that a stopped run looks at the pictures again: 2-5 ms each, while the pairs are done once.
"""

from __future__ import annotations

import contextlib
import hashlib
import io
import json
import re
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edge.errors import InputError
from edge.lab.extract import Looks
from edge.lab.tally import Counts, Detail

#: Raised whenever the meaning of what is kept changes.
FORMAT = 1
Arrays = dict[str, NDArray[Any]]


def key_of(parts: Mapping[str, Any]) -> str:
    """SHA-256 (hex) of plain JSON values."""
    text = json.dumps({**parts, "format": FORMAT}, sort_keys=True, default=str)
    return hashlib.sha256(text.encode()).hexdigest()


class Checkpoint:
    """The folder of one measurement.

    Args:
        folder: made when something is saved.
        key: see `key_of`.
    """

    def __init__(self, folder: Path, key: str) -> None:
        self.folder, self.key = folder, key

    def load(self, name: str) -> Arrays | None:
        """What was kept for a contender under this key; None when there is none, or it is damaged."""
        try:
            with np.load(self._path(name), allow_pickle=False) as stored:
                arrays = {field: stored[field] for field in stored.files}
        except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile):
            return None
        return arrays if str(arrays.pop("key", "")) == self.key else None

    def save(self, name: str, arrays: Arrays) -> None:
        """Keep the state of a contender in place of what was there.

        Raises:
            InputError: the folder cannot be written.
        """
        data = io.BytesIO()
        np.savez_compressed(data, key=np.array(self.key), **arrays)  # type: ignore[arg-type]
        path = self._path(name)
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            part = path.with_suffix(".part")
            part.write_bytes(data.getbuffer())
            part.replace(path)
        except OSError as error:
            raise InputError(
                f"cannot be written: {error.strerror}", where=str(path), remedy="choose another --out"
            ) from None

    def _path(self, name: str) -> Path:
        slug = re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")[:40]
        return self.folder / f"{slug}-{hashlib.sha256(name.encode()).hexdigest()[:8]}.npz"

    def clear(self) -> None:
        """Forget everything: the measurement is complete, and the next one shall be a new one."""
        for path in (*self.folder.glob("*.npz"), *self.folder.glob("*.part")):
            path.unlink(missing_ok=True)
        with contextlib.suppress(OSError):
            self.folder.rmdir()


_LOOKS = ("acquired", "boxes", "quality")
_COUNTS = ("genuine", "impostor", "pieces")
_DETAIL = tuple(Detail.__dataclass_fields__)


def looks_arrays(looks: Looks) -> Arrays:
    """Records of all pictures as arrays; the vectors are not among them."""
    arrays = {f"look.{name}": getattr(looks, name) for name in _LOOKS}
    arrays["look.reasons"] = np.array(looks.reasons, np.str_)
    return arrays | {f"time.{step}": values for step, values in looks.timings.items()}


def looks_of(arrays: Arrays) -> Looks:
    """The records again, with empty vectors."""
    return Looks(
        np.zeros((0, 0), np.float32),
        arrays["look.acquired"],
        [str(reason) for reason in arrays["look.reasons"]],
        arrays["look.boxes"],
        arrays["look.quality"],
        {name.removeprefix("time."): values for name, values in arrays.items() if name.startswith("time.")},
    )


def sums(counts: Counts, detail: Detail | None) -> Arrays:
    """Both passes as arrays."""
    arrays = {f"count.{name}": np.asarray(getattr(counts, name)) for name in _COUNTS}
    if detail is not None:
        arrays |= {f"detail.{name}": np.asarray(getattr(detail, name)) for name in _DETAIL}
    return arrays


def counts_of(arrays: Arrays | None) -> Counts:
    """Pass 1 again, empty when nothing was kept."""
    if arrays is None or "count.pieces" not in arrays:
        return Counts.empty()
    return Counts(arrays["count.genuine"], arrays["count.impostor"], int(arrays["count.pieces"]))


def detail_of(arrays: Arrays | None) -> Detail | None:
    """Pass 2 again, None when it had not begun."""
    if arrays is None or "detail.pieces" not in arrays:
        return None
    values = {name: arrays[f"detail.{name}"] for name in _DETAIL if name != "pieces"}
    return Detail(**values, pieces=int(arrays["detail.pieces"]))
