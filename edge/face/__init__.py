"""What is in a frame: model cards, detection, alignment, quality, embedding.

load_card -> Runner -> Detector, Embedder -> Chain -> Look -> Probe

`Chain` is what a session and every measurement use; `verify_golden` and `outside_delegate` are for the self-test.
"""

from edge.face.calibration import threshold
from edge.face.card import Card, load_card, parse_card
from edge.face.chain import Chain, Detects, Embeds, Look, Pick, nearest_centre
from edge.face.detect import Detector
from edge.face.embed import Embedder
from edge.face.golden import check_golden, golden_digest, verify_golden
from edge.face.quality import Assessor, pose
from edge.face.runner import Runner, check_delegation, outside_delegate

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
