"""The self-test's checks of models: digest, golden output, delegation, calibration."""

from __future__ import annotations

from collections.abc import Callable

from edge.errors import Unfit
from edge.face.calibration import threshold
from edge.face.card import Card
from edge.face.golden import check_golden
from edge.face.runner import Runner, check_delegation
from edge.selftest import Check
from edge.settings.model import DecisionSettings, FaceSettings


def checks(
    face: FaceSettings,
    decision: DecisionSettings,
    find: Callable[[str], Card],
    *,
    passive: Callable[[], bool] = lambda: False,
    active: str = "off",
    flash: bool = False,
) -> list[Check]:
    """What is checked of the models that the settings name.

    Args:
        find: from a name to a card. passive: whether a passive network judges looks, or raises. active: when a
            challenge is asked. flash: whether the screen shows colours.
    """
    names = {"detector": face.detector, "embedder": face.embedder}
    if face.passive is not None:
        names["passive"] = face.passive
    if face.previous_embedder is not None:
        names["previous embedder"] = face.previous_embedder

    def model(name: str) -> Callable[[], str]:
        return lambda: _model(find(name), face.threads)

    def calibration() -> str:
        value = threshold(find(face.embedder), decision.target_fmr, decision.looks)
        return f"target FMR {decision.target_fmr:g} in {decision.looks} looks: threshold {value:.3f}"

    return [
        *(
            Check(
                f"model {role}" if role in ("detector", "embedder", "passive") else role,
                f"the {role} is the one that its card describes, and this machine computes with it what it should",
                model(name),
                limit="SHA-256, golden output and delegated nodes of its card",
            )
            for role, name in names.items()
        ),
        Check(
            "liveness",
            "what this door asks for against photographs, screens and recordings",
            lambda: _liveness(passive=passive(), active=active, flash=flash),
            limit="a gate that a photograph does not pass",
            needed=False,
        ),
        Check(
            "calibration",
            "the embedder's calibration supports the false match rate asked for",
            calibration,
            limit="its table holds it",
        ),
    ]


def _liveness(*, passive: bool, active: str, flash: bool) -> str:
    """What passes here: RGB alone is a deterrent whatever is on. Raises `Unfit`: no gate at all."""
    network = "the passive network judges every look" if passive else "no passive network judges looks"
    network += "; the face must reflect the screen's colours" if flash else ""
    if active == "off" and not passive and not flash:
        raise Unfit(
            f"{network} and no challenge is asked for: a photograph, held up with its card, passes here",
            where="liveness",
            remedy="switch the passive network on (liveness.passive), or a challenge (door.shows, liveness.active)",
        )
    if active == "off":
        return f"{network} and no challenge is asked for: some prints and displays pass here; so does a mask"
    asked = "every claim" if active == "always" or not passive else "a claim in doubt"
    return f"{network}; {asked} must turn the head as told; a puppeteered display and a worn mask pass"


def _model(card: Card, threads: int) -> str:
    runner = Runner(card, threads)
    outside = check_delegation(runner)
    check_golden(runner)
    beside = "" if not outside else f"; {outside} nodes run outside XNNPACK, as the card says"
    return f"digest, golden output and delegation of {card.sha256[:12]} are right{beside}"
