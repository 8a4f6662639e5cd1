"""From the false match rate that a deployer asks for to the comparison score that a probe must reach.

    threshold(card, 1e-4)             # 0.52: one comparison matches when its score >= 0.52
    threshold(card, 1e-4, looks=3)    # 0.56: a session accepts when one of at most three scores >= 0.56

The card holds measured pairs (fmr, threshold). Between two of them the threshold runs linearly in log10(fmr), because
the tail of impostor scores falls about exponentially. Beyond the smallest rate that the calibration set supports,
nothing is extrapolated: a target below it is refused. Above the largest listed rate the threshold of that rate is used,
which is stricter than asked.

Looks of one session resemble each other, and how much is measured, not assumed: a card may hold a curve of whole
sessions for a number of looks. Without one, or below the rates that it was measured at, each look is compared at the
threshold for ``fmr / looks``: the union bound, which holds however the looks depend on each other, and is too strict.
"""

from __future__ import annotations

import math
from itertools import pairwise

from edge.errors import ModelError
from edge.face.card import Card, FmrThreshold


def threshold(card: Card, fmr: float, looks: int = 1) -> float:
    """The comparison score (cosine) above or at which a probe matches.

    Args:
        card: an embedder's card with a calibration.
        fmr: target false match rate of one session, 0..1.
        looks: how many probes a session compares at most; any one of them may match.

    Raises:
        ModelError: no calibration, or a target that it does not support.
    """
    table = card.calibration
    if table is None:
        raise ModelError(
            "this model was never calibrated and cannot decide",
            where=card.where,
            remedy=f"calibrate it: edge lab calibrate --model {card.where} --images DIR, then sign it",
        )
    if not 0 < fmr <= 1:
        raise ModelError(f"a false match rate lies between 0 and 1, not at {fmr}", where=card.where, remedy="")
    # a session of fewer looks than were measured has fewer chances: its rate is no higher
    measured = next((curve.thresholds for curve in table.sessions if curve.looks >= looks), None)
    if measured is not None and fmr >= measured[-1].fmr * (1 - 1e-9):
        return _between(measured, fmr)
    floor = measured[-1].threshold if measured else -1.0  # a rarer rate never asks for less
    each = fmr / looks
    if each < table.smallest_fmr * (1 - 1e-9):
        raise ModelError(
            f"the calibration supports a false match rate of {table.smallest_fmr:.2g} per comparison, not {each:.2g}",
            where=card.where,
            remedy="ask for a larger decision.target_fmr, or fewer decision.looks",
        )
    return max(floor, _between(table.thresholds, each))


def _between(rows: tuple[FmrThreshold, ...], fmr: float) -> float:
    """Linear in log10(fmr) between two rows; the first row's above, the last row's at the end."""
    if fmr >= rows[0].fmr:
        return rows[0].threshold
    for above, below in pairwise(rows):
        if fmr >= below.fmr:
            share = math.log10(above.fmr / fmr) / math.log10(above.fmr / below.fmr)
            return above.threshold + share * (below.threshold - above.threshold)
    return rows[-1].threshold
