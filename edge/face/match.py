"""The one place where a comparison score is computed: one template, one probe, one number.

Both vectors are integers with a scale of their own each (see `edge.face.embed`), so the score is their cosine; integer
dot products make it the same on every machine. A template is rotated by a key of its card (`edge.types.rotation`), and
the probe alike for its one comparison, so that a reference never stands without its rotation. No function here or
elsewhere takes a collection of templates.

Every comparison raises the audit event `COMPARED` with its session (`sys.addaudithook`), and every session the event
`edge.session`: whoever examines a device counts comparisons per claim from outside, without trusting what it tells of
itself. Nothing of the vectors or the score is in an event.
"""

from __future__ import annotations

import math
import sys
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edge.errors import ModelMismatch
from edge.types import I8, Probe, Template
from edge.types.inside import _aside, need_inside, need_kind
from edge.types.rotation import quantised
from edge.types.wipe import wipe

COMPARED = "edge.compare"
"""Audit event of one comparison; its argument is the session's identifier."""


def compare(template: Template, probe: Probe, session: str, references: int | None = None) -> float:
    """The comparison score of one probe with one template: that of its best reference. The probe is spent by it.

    Args:
        template: int8 (n, D), opened for this session; n references of its one person.
        probe: int8 (D,), captured for this session.
        session: the session's identifier.
        references: compare the first so many only; None: all. Whoever sets the threshold counts them.

    Returns:
        Cosine in -1..1; larger is more similar. 0.0 when either vector is all zero.

    Raises:
        ModelMismatch: the two come from different embedders.
        SpentError: the probe was compared before, or either belongs to another session; a device build, outside of one.
    """
    need_kind(template, Template)
    need_kind(probe, Probe)
    if template.model != probe.model or template.dimension != probe.dimension:
        probe.erase()
        raise ModelMismatch(
            "the template was made by another embedder than the one that looks now",
            where="template",
            remedy="enrol again: edge enrol --renew",
        )
    need_inside("a comparison")
    with _aside():
        sys.audit(COMPARED, session)
    seen = probe.consume(session)
    turned = template.turn(seen)
    try:
        return max(cosine(reference, turned) for reference in template.read(session)[:references])
    finally:
        wipe(seen, turned)


def cosine(a: I8, b: I8 | NDArray[np.int32]) -> float:
    """Cosine of two integer vectors (D,), for this file and for the captures of one enrolment; all others `compare`.

    Raises:
        SpentError: a device build, outside of a session.
    """
    need_inside("a comparison")
    x, y = a.astype(np.int64), b.astype(np.int64)
    norm = math.sqrt(int(x @ x)) * math.sqrt(int(y @ y))
    score = int(x @ y) / norm if norm else 0.0
    wipe(x, y)
    return score


def average(vectors: Sequence[I8]) -> I8:
    """The reference of several int8 embeddings: mean of unit vectors, symmetric int8 with its largest entry at 127.

    Args:
        vectors: at least one int8 (D,), none of them all zero.
    """
    units = [v.astype(np.float64) / np.linalg.norm(v.astype(np.float64)) for v in vectors]
    mean: NDArray[np.float64] = np.mean(units, axis=0)
    return quantised(mean)


def symmetric(raw: NDArray[Any], zero_point: int) -> I8:
    """Take the zero point off and scale so that the largest magnitude is 127: ``round(127 z / max|z|)``.

    Args:
        raw: int8, uint8 or float32 (D,), the net's output, finite.
        zero_point: of that output; 0 for float32.
    """
    # int16 holds every difference; float64, because 127 over a small float32 would overflow
    wide = np.float64 if raw.dtype == np.float32 else np.int16
    z: NDArray[Any] = np.subtract(raw, zero_point, dtype=wide)
    largest = max(z.max(), -z.min())
    if largest == 0:
        return np.zeros(raw.shape, np.int8)
    scaled: NDArray[Any] = z * (127.0 / float(largest))
    vector: I8 = np.rint(scaled, out=scaled).astype(np.int8)
    wipe(z, scaled)
    return vector
