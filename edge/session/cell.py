"""The cell: where the numbers of one face exist, for one claim or one enrolment, and end with it.

    cell.open(lock, ciphertext, model=m, references=1, threshold=0.41, most=3)    # one template, never another
    cell.compare(pixels).passed                     # an aligned face, embedded and compared: yes or no

    cell.keep(pixels, alike=0.2)                    # a capture that resembles those before is kept
    cell.settle(threshold)                          # they hold together, or the worst is left out
    cell.seal(lock, opened=False, kept=True)        # what leaves: a sealed template

On a device a cell is a process of its own (`edge.session.cells`), which can reach nothing and which ends with the
session. This is what happens inside, the same where tests and a lab have it in their own process.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from edge.errors import ModelMismatch, SpentError
from edge.face.match import average, compare, cosine
from edge.types import I8, U8, Probe, SealedTemplate, Template
from edge.types.wipe import wipe
from edge.vault.seal import Lock

#: An aligned face, uint8 (H, W, 3), to its embedding, int8 (D,).
Embed = Callable[[U8], I8]


@dataclass(frozen=True, slots=True)
class Compared:
    """What a cell says of one look. ``score``: cosine in -1..1; None on a device build, which tells nobody."""

    passed: bool
    score: float | None = None


class Opens(Protocol):
    """What a session needs of a cell, here or in a process of its own."""

    def open(
        self, lock: Lock, ciphertext: bytes, *, model: bytes, references: int, threshold: float, most: int
    ) -> None: ...

    def compare(self, pixels: U8) -> Compared: ...


class Keeps(Opens, Protocol):
    """What an enrolment needs of one."""

    def keep(self, pixels: U8, *, alike: float) -> bool: ...

    def settle(self, threshold: float) -> bool: ...

    def start_over(self) -> None: ...

    def seal(self, lock: Lock, *, opened: bool, kept: bool) -> SealedTemplate: ...


class Cell:
    """What happens in a cell; a context manager, whose end overwrites everything.

    Args:
        embed: by an embedder's identity (32 bytes); what the same network has under two names, stands here twice.
        model: of the embedder that captures are kept with.
        session: its identifier, for the audit event of a comparison.
    """

    def __init__(self, embed: Mapping[bytes, Embed], model: bytes, session: str = "cell") -> None:
        self._embed, self._model, self._session = embed, model, session
        self._template: Template | None = None
        self._kept: list[I8] = []
        self._references, self._threshold, self._left = 0, 2.0, 0

    def __enter__(self) -> Cell:
        return self

    def __exit__(self, *_: object) -> None:
        self.start_over()
        if self._template is not None:
            self._template.erase()

    def open(
        self, lock: Lock, ciphertext: bytes, *, model: bytes, references: int, threshold: float, most: int
    ) -> None:
        """Open the one template that this cell will ever hold.

        Args:
            lock, ciphertext: of the claim. model: the embedder that made it, 32 bytes.
            references: of the template, so many are compared. threshold: the score that passes, -1..1.
            most: comparisons that may be asked for.

        Raises:
            SealBroken: it does not open. ModelMismatch: another embedder made it. SpentError: there is one already.
        """
        if self._template is not None:
            raise SpentError("a template is open already", where="session", remedy="one session a claim")
        if model not in self._embed:
            raise ModelMismatch("no embedder of this name is here", where="session")
        self._template = lock.open(ciphertext, model_digest=model, session=self._session)
        self._references, self._threshold, self._left = references, threshold, most

    def compare(self, pixels: U8) -> Compared:
        """Compare an aligned face with the template.

        Raises:
            SpentError: there is no template, or it has had its comparisons.
        """
        template = self._template
        if template is None or self._left <= 0:
            raise SpentError("comparison limit reached", where="session", remedy="make a new claim")
        self._left -= 1
        vector = self._embed[bytes.fromhex(template.model)](pixels)
        probe = Probe(vector, model=template.model, session=self._session)
        wipe(vector)
        score = compare(template, probe, self._session, self._references)
        return Compared(score >= self._threshold, score)

    def keep(self, pixels: U8, *, alike: float) -> bool:
        """Keep a capture that resembles those before.

        Args:
            alike: the score with their mean that it needs, -1..1; the first one needs none.
        """
        vector = self._embed[self._model](pixels)
        if self._kept and cosine(average(self._kept), vector) < alike:
            wipe(vector)
            return False
        self._kept.append(vector)
        return True

    def settle(self, threshold: float) -> bool:
        """Whether each capture matches the mean of the others; where one does not, the worst is left out.

        Args:
            threshold: the score that it needs, -1..1. Of fewer than three nobody can say which one it is.
        """
        kept = self._kept
        if len(kept) < 3:
            return True
        scores = [cosine(average([*kept[:k], *kept[k + 1 :]]), kept[k]) for k in range(len(kept))]
        worst = min(range(len(kept)), key=scores.__getitem__)
        if scores[worst] >= threshold:
            return True
        wipe(kept.pop(worst))
        return False

    def start_over(self) -> None:
        """Overwrite the captures."""
        wipe(*self._kept)
        self._kept.clear()

    def seal(self, lock: Lock, *, opened: bool, kept: bool) -> SealedTemplate:
        """Seal the references of the opened template, the mean of the captures, or both of them, as one template.

        Raises:
            SpentError: there is none. ValueError: they are not what the lock's header says.
        """
        rows = []
        if opened and self._template is not None:
            rows.append(np.atleast_2d(self._template.unrotated(self._session)))
        if kept and self._kept:
            rows.append(np.atleast_2d(average(self._kept)).astype(np.float64))
        if len(rows) != opened + kept:
            raise SpentError("there is nothing to seal", where="session", remedy="start again")
        both = np.concatenate(rows)
        try:
            return lock.seal(both)
        finally:
            wipe(both, *rows)
