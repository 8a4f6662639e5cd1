"""One claim, one capture, one decision.

Desk       text of a token -> a claim that may be looked at
Verifier   claim + stream  -> a Decision
Enrolment  stream          -> a reference, for the vault to seal
compare    one template, one probe, one score
"""

from edge.session.compare import compare
from edge.session.desk import Desk
from edge.session.enrolment import Enrolment, Progress, average
from edge.session.verifier import Glimpse, Verifier

__all__ = ["Desk", "Enrolment", "Glimpse", "Progress", "Verifier", "average", "compare"]
