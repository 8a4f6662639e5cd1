"""From the false match rate that a deployer asks for to the comparison score that a probe must reach.

    threshold(card, 1e-4)        # 0.43: accept when score >= 0.43

The card holds measured pairs (fmr, threshold). Between two of them the threshold runs linearly in log10(fmr), because
the tail of impostor scores falls about exponentially. Beyond the smallest rate that the calibration set supports,
nothing is extrapolated: a target below it is refused. Above the largest listed rate the threshold of that rate is used,
which is stricter than asked.
"""

from __future__ import annotations

import math
from itertools import pairwise

from edge.errors import ModelError
from edge.face.card import Card


def threshold(card: Card, fmr: float) -> float:
    """The comparison score (cosine) above or at which a probe matches.

    Args:
        card: an embedder's card with a calibration.
        fmr: target false match rate of one comparison, 0..1.

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
    if fmr < table.smallest_fmr * (1 - 1e-9):
        raise ModelError(
            f"the calibration supports a false match rate of {table.smallest_fmr:.2g} per comparison, not {fmr:.2g}",
            where=card.where,
            remedy="ask for a larger decision.target_fmr, or fewer decision.looks",
        )
    rows = table.thresholds
    if fmr >= rows[0].fmr:
        return rows[0].threshold
    for above, below in pairwise(rows):
        if fmr >= below.fmr:
            share = math.log10(above.fmr / fmr) / math.log10(above.fmr / below.fmr)
            return above.threshold + share * (below.threshold - above.threshold)
    return rows[-1].threshold
