"""What is in a frame: model cards, detection, alignment, quality, embedding.

load_card -> Runner -> Detector, Embedder -> Chain -> Look -> Probe

`Chain` is what a session and every measurement use; `verify_golden` and `outside_delegate` are for the self-test.

Names are loaded on first use (PEP 562): a session's own process needs few of them.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from edge.face.calibration import threshold
    from edge.face.card import Card, load_card, parse_card
    from edge.face.chain import Chain, Detects, Embeds, Look, Pick, nearest_centre
    from edge.face.detect import Detector
    from edge.face.embed import Embedder
    from edge.face.golden import check_golden, golden_digest, verify_golden
    from edge.face.quality import Assessor, pose
    from edge.face.runner import Runner, check_delegation, outside_delegate

_HOMES = {
    "threshold": "edge.face.calibration",
    "Card": "edge.face.card",
    "load_card": "edge.face.card",
    "parse_card": "edge.face.card",
    "Chain": "edge.face.chain",
    "Detects": "edge.face.chain",
    "Embeds": "edge.face.chain",
    "Look": "edge.face.chain",
    "Pick": "edge.face.chain",
    "nearest_centre": "edge.face.chain",
    "Detector": "edge.face.detect",
    "Embedder": "edge.face.embed",
    "check_golden": "edge.face.golden",
    "golden_digest": "edge.face.golden",
    "verify_golden": "edge.face.golden",
    "Assessor": "edge.face.quality",
    "pose": "edge.face.quality",
    "Runner": "edge.face.runner",
    "check_delegation": "edge.face.runner",
    "outside_delegate": "edge.face.runner",
}

__all__ = [
    "Assessor",
    "Card",
    "Chain",
    "Detector",
    "Detects",
    "Embedder",
    "Embeds",
    "Look",
    "Pick",
    "Runner",
    "check_delegation",
    "check_golden",
    "golden_digest",
    "load_card",
    "nearest_centre",
    "outside_delegate",
    "parse_card",
    "pose",
    "threshold",
    "verify_golden",
]


def __getattr__(name: str) -> Any:
    if name in _HOMES:
        return getattr(import_module(_HOMES[name]), name)
    raise AttributeError(f"module 'edge.face' has no attribute {name!r}")
