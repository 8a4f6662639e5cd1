"""One claim, one capture, one decision.

Admission       text of a token -> a claim that may be looked at
Verifier   claim + stream  -> a Decision
Enrolment  stream          -> a reference, for the vault to seal
other_way  the answer to a card without a template
compare    one template, one probe, one score
"""

from edge.face.match import average, compare
from edge.session.admission import Admission, other_way
from edge.session.enrolment import Enrolment, Progress
from edge.session.pin import PinGate, Typed
from edge.session.run import Glimpse
from edge.session.verifier import Liveness, Verifier

__all__ = [
    "Admission",
    "Enrolment",
    "Glimpse",
    "Liveness",
    "PinGate",
    "Progress",
    "Typed",
    "Verifier",
    "average",
    "compare",
    "other_way",
]
