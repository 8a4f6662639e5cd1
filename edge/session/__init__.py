"""One claim, one capture, one decision.

Admission       text of a token -> a claim that may be looked at
Verifier   claim + stream  -> a Decision
Enrolment  stream          -> a reference in a cell, which seals it
Cells      a process of its own for each session: what is compared is compared there
other_way  the answer to a card without a template

Names are loaded on first use (PEP 562): a session's own process needs few of them.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from edge.session.admission import Admission, other_way
    from edge.session.cells import Cells
    from edge.session.enrolment import Enrolment, Progress
    from edge.session.pin import PinGate, Typed
    from edge.session.run import Glimpse
    from edge.session.verifier import Liveness, Verifier

_HOMES = {
    "Admission": "edge.session.admission",
    "other_way": "edge.session.admission",
    "Cells": "edge.session.cells",
    "Enrolment": "edge.session.enrolment",
    "Progress": "edge.session.enrolment",
    "PinGate": "edge.session.pin",
    "Typed": "edge.session.pin",
    "Glimpse": "edge.session.run",
    "Liveness": "edge.session.verifier",
    "Verifier": "edge.session.verifier",
}

__all__ = [
    "Admission",
    "Cells",
    "Enrolment",
    "Glimpse",
    "Liveness",
    "PinGate",
    "Progress",
    "Typed",
    "Verifier",
    "other_way",
]


def __getattr__(name: str) -> Any:
    if name in _HOMES:
        return getattr(import_module(_HOMES[name]), name)
    raise AttributeError(f"module 'edge.session' has no attribute {name!r}")
