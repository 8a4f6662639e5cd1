"""`edge compare`: two pictures, by the chain of a door. Left out of device builds by the build hook."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from edge.cli._common import EXIT, PATH, Answer, decision_json, shared

if TYPE_CHECKING:
    from edge.settings import Settings
    from edge.types import Decision


@click.command("compare")
@click.argument("reference", type=PATH)
@click.argument("probe", type=PATH)
@shared(json=True)
def command(reference: Path, probe: Path, settings: Settings) -> Answer:
    """Compare two pictures (development and lab builds only).

    Prints the comparison score, a cosine in -1..1 where LARGER means MORE SIMILAR, and the threshold that the
    configured target FMR leads to. Exit code 0 when it is reached, 1 when it is not.

    \b
    Example
      edge compare ada-0.jpg ada-1.jpg
    """
    decision = _decide(reference, probe, settings)
    relation = ">=" if decision.outcome.value == "accept" else "<"
    told = (
        f"{decision.reason.value.upper().replace('_', ' ')}: score {decision.score:.3f} {relation} "
        f"threshold {decision.threshold:.3f} (target FMR {decision.target_fmr:g})"
    )
    return Answer(decision_json(decision), told, EXIT[decision.outcome.value])


def _decide(reference: Path, probe: Path, settings: Settings) -> Decision:
    """Compare and judge at the configured target FMR."""
    from edge.errors import NotInThisBuild
    from edge.face import Chain
    from edge.lab.extract import compare_pictures
    from edge.profile import current
    from edge.types import Decision, Outcome, Reason

    if current().is_device:  # this file was copied into a device
        raise NotInThisBuild("pictures are not accepted by a device build", where="build", remedy="use its camera")
    chain = Chain.load(settings.face)
    target = settings.decision.target_fmr
    score, threshold = compare_pictures(chain, reference, probe), chain.threshold(target)
    passed = score >= threshold
    return Decision(
        Outcome.ACCEPT if passed else Outcome.REJECT,
        Reason.MATCHING if passed else Reason.NOT_MATCHING,
        target,
        frames_looked_at=2,
        looks=1,
        score=score,
        threshold=threshold,
    )
