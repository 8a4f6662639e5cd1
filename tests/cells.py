"""Cells in the tests' own process: captures that are given, networks that are made up, templates that are opened."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import pytest

from edge.session.cell import Cell, Embed
from edge.session.cells import Cells
from edge.types import Claim, Template
from edge.vault import Vault


def holding(vector: np.ndarray) -> Cell:
    """A cell that has an embedding as its one capture, int8 (D,)."""
    cell = Cell({}, b"")
    cell._kept.append(np.array(vector, np.int8))
    return cell


def cells(model: str, embed: Embed):
    """What `Verifier` begins its cells with: a network of one's own."""
    return lambda session: Cell({bytes.fromhex(model): embed}, bytes.fromhex(model), session)


def opened(vault: Vault, claim: Claim, model: bytes, session: str = "s") -> Template:
    """The template of a claim, here."""
    lock, ciphertext = vault.lock(claim)
    return lock.open(ciphertext, model_digest=model, session=session)


#: As the product does it.
OWN = Cells._start, Cells._stop


@contextmanager
def kept_waiting() -> Iterator[None]:
    """Processes that wait outlive their device and serve the next one: to load the networks takes 0.3 s each time.

    Sessions fork from them as ever. What waits itself is tested without this (`tests/session/test_cells.py`).
    """
    (start, stop), spare = OWN, dict[str, list[tuple]]()

    def reuse(self: Cells) -> None:
        waiting = spare.get(json.dumps(self._told), [])
        if self._process is None and waiting:
            self._process, self._control, self._ready = waiting.pop()
        start(self)

    def keep(self: Cells) -> None:
        if self._process is not None and self._process.poll() is None and self._ready:
            spare.setdefault(json.dumps(self._told), []).append((self._process, self._control, self._ready))
            self._control = self._process = None
        stop(self)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Cells, "_start", reuse)
        patch.setattr(Cells, "_stop", keep)
        yield
    for _, control, _ in [row for rows in spare.values() for row in rows]:
        control.close()
