"""Impostor comparisons in bulk: a histogram of all scores, and the highest ones with who was compared.

    trials = Trials(templates, probes, template_person, probe_person)
    tail = compare_all(trials, floor=0.4)

Everybody's templates meet everybody else's probes in blocks, so memory stays bounded whatever the number of pictures;
only comparisons that reach ``floor`` are listed, since the rates that a door runs at live there. `floor_for` finds a
floor that lists no more than a given number.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from edge.lab.bounds import Tell, _quiet
from edge.types import F32, I8

F64 = NDArray[np.float64]
I64 = NDArray[np.int64]
#: Bins of 1e-4 over -1..1.
BINS = 20_000
#: Scores that are held at once: 64 MB.
_AT_ONCE = 1 << 24


def unit(vectors: I8) -> F32:
    """Unit float32 rows, so that products are the cosines that a door computes; a zero row stays zero."""
    z = vectors.astype(np.float32)
    length: F32 = np.linalg.norm(z, axis=1, keepdims=True).astype(np.float32)
    length[length == 0] = 1
    rows: F32 = np.divide(z, length)
    return rows


@dataclass(frozen=True, slots=True)
class Trials:
    """Templates and probes of one set of people; held in memory only.

    Attributes:
        templates, probes: unit float32 rows (n, D) and (m, D).
        template_person, probe_person: int64 (n,) and (m,), whose they are: 0..people-1.
        template_names, probe_names: which picture each comes from, for lists of pairs.
        left_out: int64 (k, 2), template row and probe row of comparisons that do not count (one person, two names).
    """

    templates: F32
    probes: F32
    template_person: I64
    probe_person: I64
    template_names: tuple[str, ...] = ()
    probe_names: tuple[str, ...] = ()
    left_out: I64 | None = None

    @property
    def people(self) -> int:
        """How many."""
        return 1 + int(max(self.template_person.max(initial=-1), self.probe_person.max(initial=-1)))

    def of(self, people: I64) -> Trials:
        """The same with these people only; they keep their numbers."""
        wanted = np.zeros(self.people, bool)
        wanted[people] = True
        rows, columns = np.flatnonzero(wanted[self.template_person]), np.flatnonzero(wanted[self.probe_person])
        left = None
        if self.left_out is not None and len(self.left_out):
            row_at, column_at = np.full(len(self.templates), -1), np.full(len(self.probes), -1)
            row_at[rows], column_at[columns] = np.arange(len(rows)), np.arange(len(columns))
            moved = np.stack([row_at[self.left_out[:, 0]], column_at[self.left_out[:, 1]]], 1)
            left = moved[(moved >= 0).all(1)]
        return Trials(
            self.templates[rows],
            self.probes[columns],
            self.template_person[rows],
            self.probe_person[columns],
            tuple(self.template_names[i] for i in rows) if self.template_names else (),
            tuple(self.probe_names[i] for i in columns) if self.probe_names else (),
            left,
        )

    def without_exceptions(self) -> Trials:
        """The same, with nothing left out."""
        return replace(self, left_out=None)


@dataclass(frozen=True, slots=True)
class Tail:
    """All comparisons of a template with another person's probe.

    Attributes:
        histogram: int64 (BINS,), counts over the score.
        template, probe, score: the comparisons that reach ``floor``, as rows of the trials.
        template_person, probe_person: of the trials. people: how many numbers they use.
        total: comparisons in all.
    """

    histogram: I64
    template: NDArray[np.int32]
    probe: NDArray[np.int32]
    score: F32
    floor: float
    template_person: I64
    probe_person: I64
    people: int
    total: int

    def rate(self, threshold: float) -> float:
        """Share of comparisons that reach a threshold not below ``floor``."""
        return float(np.count_nonzero(self.score >= threshold)) / max(1, self.total)

    def counts(self) -> tuple[F64, F64]:
        """(templates, probes) of each person."""
        templates = np.bincount(self.template_person, minlength=self.people).astype(np.float64)
        return templates, np.bincount(self.probe_person, minlength=self.people).astype(np.float64)

    @property
    def pairs_of_people(self) -> float:
        """Unordered pairs of people who could be compared; at least 1."""
        templates, probes = self.counts()
        present = float(np.count_nonzero(templates + probes))
        return max(1.0, present * (present - 1) / 2)


def compare_all(trials: Trials, floor: float, tell: Tell = _quiet) -> Tail:
    """Compare every template with the probes of all other people, in blocks.

    Args:
        trials: of one set.
        floor: lowest score to list.
        tell: called after every block.
    """
    count, columns = len(trials.templates), len(trials.probes)
    block = max(1, min(512, _AT_ONCE // max(1, columns)))
    histogram = np.zeros(BINS + 1, np.int64)
    parts: list[tuple[NDArray[np.int32], NDArray[np.int32], F32]] = []
    exceptions = _by_row(trials)
    for start in range(0, count, block):
        scores = trials.templates[start : start + block] @ trials.probes.T
        scores[trials.template_person[start : start + block, None] == trials.probe_person[None, :]] = -2.0
        for row in range(len(scores)):
            if start + row in exceptions:
                scores[row, exceptions[start + row]] = -2.0
        # bin 0 takes what is no comparison, and is dropped
        bins = np.clip((scores + 1.0) * (BINS / 2) + 1.0, 0, BINS).astype(np.int32)
        histogram += np.bincount(bins.ravel(), minlength=BINS + 1)
        i, j = np.nonzero(scores >= floor)
        parts.append(((i + start).astype(np.int32), j.astype(np.int32), scores[i, j]))
        tell(min(count, start + block), count)
    empty: F32 = np.zeros(0, np.float32)
    parts.append((np.zeros(0, np.int32), np.zeros(0, np.int32), empty))
    template, probe, score = (np.concatenate(column) for column in zip(*parts, strict=True))
    total = int(histogram[1:].sum())
    own = (trials.template_person, trials.probe_person, trials.people)
    return Tail(histogram[1:], template, probe, score, floor, *own, total)


def floor_for(histogram: I64, rate: float) -> float:
    """A score that about this share of comparisons reaches."""
    above = histogram[::-1].cumsum()[::-1] / max(1, histogram.sum())
    return float(np.argmax(above <= rate) / (BINS / 2) - 1)


def sample(trials: Trials, people: int, seed: int) -> Trials:
    """At most so many people of the trials, drawn at random."""
    present = np.unique(np.concatenate([trials.template_person, trials.probe_person]))
    if len(present) <= people:
        return trials
    return trials.of(np.random.default_rng(seed).choice(present, people, replace=False))


def _by_row(trials: Trials) -> dict[int, I64]:
    """Probe rows left out, by template row."""
    if trials.left_out is None or not len(trials.left_out):
        return {}
    order = np.argsort(trials.left_out[:, 0], kind="stable")
    rows, columns = trials.left_out[order].T
    starts = np.flatnonzero(np.concatenate([[True], rows[1:] != rows[:-1]]))
    return {int(rows[s]): part for s, part in zip(starts, np.split(columns, starts[1:]), strict=True)}
