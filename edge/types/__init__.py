"""The types that carry the flow, and the protocols at which hardware is swapped.

    Frame -> Face -> Crop -> Quality -> Probe
    Claim -> SealedTemplate -> Template
    Template + Probe -> Decision

All of them are frozen dataclasses with slots. `Probe` and `Template` own a secret and have a lifetime: a probe is
consumed by its one comparison, a template is overwritten when its session ends. Their ``repr`` shows no content.
"""

from edge.types.claims import Claim, Decision, SealedTemplate, Token
from edge.types.enums import Advice, Custody, Direction, Fault, Outcome, Profile, Reason
from edge.types.frames import F32, I8, U8, Crop, Face, Frame, Quality
from edge.types.gates import Attack, Pass, Retry, Species, Verdict, both
from edge.types.protocols import Door, Reader, Source, Stream
from edge.types.vectors import Probe, Template

__all__ = [
    "F32",
    "I8",
    "U8",
    "Advice",
    "Attack",
    "Claim",
    "Crop",
    "Custody",
    "Decision",
    "Direction",
    "Door",
    "Face",
    "Fault",
    "Frame",
    "Outcome",
    "Pass",
    "Probe",
    "Profile",
    "Quality",
    "Reader",
    "Reason",
    "Retry",
    "SealedTemplate",
    "Source",
    "Species",
    "Stream",
    "Template",
    "Token",
    "Verdict",
    "both",
]
