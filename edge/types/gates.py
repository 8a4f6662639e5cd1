"""What a gate answers: `Pass`, `Retry` or `Attack`; and how several answers become one.

    verdict = both(look.verdict, injection.check(frame), suspicion.verdict)
    match verdict:
        case Pass(): ...
        case Retry(reason, advice): ...       # not now: the person can do something, or the gate could not judge
        case Attack(species): ...             # the session ends

Gates only ever take away: a session passes when every gate passes (AND), and an answer that was no pass is never undone
by trying the same gate again until it passes (no OR over retries). A gate that cannot judge says retry, never pass.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from edge.types.enums import Advice, Reason


class Species(StrEnum):
    """What a presentation attack is made with, as far as a device can tell (ISO/IEC 30107-3; injection: CEN/TS 18099).

    INSTRUMENT: a print or a display, seen by the passive network. EXCHANGED: another face than the claim's inside a
    challenge. REPLAYED: the face does not reflect the colours that the screen shows. INJECTED: frames that no camera
    delivers.
    """

    INSTRUMENT = "instrument"
    EXCHANGED = "exchanged"
    REPLAYED = "replayed"
    INJECTED = "injected"


#: Folders of a set of attacks beside those of its species: pictures to enrol from, and living people (ISO/IEC 30107-3
#: calls them bona fide presentations). `edge attack record` writes them, `edge lab attack` reads them.
ENROL, BONA_FIDE = "enrol", "bona_fide"


@dataclass(frozen=True, slots=True)
class Pass:
    """Nothing against it."""


@dataclass(frozen=True, slots=True)
class Retry:
    """Not so: ``reason``, and what the person can do about it (``advice``, may be empty)."""

    reason: Reason
    advice: tuple[Advice, ...] = ()


@dataclass(frozen=True, slots=True)
class Attack:
    """A presentation attack is suspected; the session ends as `Reason.PRESENTATION_ATTACK_SUSPECTED`."""

    species: Species


Verdict = Pass | Retry | Attack


def both(*verdicts: Verdict) -> Verdict:
    """All gates together: the first attack, else the first retry, else a pass."""
    for kind in (Attack, Retry):
        for verdict in verdicts:
            if isinstance(verdict, kind):
                return verdict
    return Pass()
