"""The self-test's checks of models: digest, golden output, delegation, calibration."""

from __future__ import annotations

from collections.abc import Callable

from edge.face.calibration import threshold
from edge.face.card import Card
from edge.face.golden import check_golden
from edge.face.runner import Runner, check_delegation
from edge.selftest import Check
from edge.settings.model import DecisionSettings, FaceSettings


def checks(face: FaceSettings, decision: DecisionSettings, find: Callable[[str], Card]) -> list[Check]:
    """What is checked of the models that the settings name. ``find``: from a name to a card."""
    names = {"detector": face.detector, "embedder": face.embedder}
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
                f"model {role}" if role in ("detector", "embedder") else role,
                f"the {role} is the one that its card describes, and this machine computes with it what it should",
                model(name),
                limit="SHA-256, golden output and delegated nodes of its card",
            )
            for role, name in names.items()
        ),
        Check("calibration", "the embedder's calibration supports the false match rate asked for", calibration),
    ]


def _model(card: Card, threads: int) -> str:
    runner = Runner(card, threads)
    outside = check_delegation(runner)
    check_golden(runner)
    beside = "" if not outside else f"; {outside} nodes run outside XNNPACK, as the card says"
    return f"digest, golden output and delegation of {card.sha256[:12]} are right{beside}"
