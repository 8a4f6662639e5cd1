"""Known answers on people: the chain that decides here, asked about people who do not exist.

A reference is made of two looks at one of them, sealed, and opened again; somebody stands in front of a generated
camera; each look is compared at this device's own threshold. The right person must be accepted, and the one who of all
of them looks most like that person must not be; the right person's picture on a tablet must not be accepted either,
whatever it matches. Each plays a session's own rule. Nothing of it comes from outside, and nothing is kept.

Comparisons are those of any session (`edge.face.match`), under the session `SESSION`, so whoever counts them from
outside can tell them apart.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from dataclasses import dataclass

from edge.camera import Pulled
from edge.camera.owned import _own
from edge.errors import Unfit
from edge.face import Chain, Look
from edge.face.rule import WARM_FRAMES, Rule
from edge.fictional import FictionalSource, OnePerson
from edge.selftest import Check
from edge.session import Cells, Enrolment
from edge.session.cell import Keeps, Opens
from edge.settings.model import DecisionSettings
from edge.types import Custody, Frame, Reason
from edge.vault.seal import Header, Lock, new_lock

SESSION = "known answer"
#: Whose template is opened, and the one who looks most like her of all the fictional people.
HOLDER, NEAREST = "hana", "fara"
#: Frames a second of the generated camera: looks of a session are at least 150 ms apart.
_FPS = 5.0
#: Small pictures are drawn in half the time; the face is 180 pixels high.
_SIZE = (480, 360)
#: A look and its comparison, milliseconds: three looks of a slow device still end within a second.
MOST_MS = 300.0


@dataclass(frozen=True, slots=True)
class Known:
    """Somebody who stands there, and what has to come of it: accepted, rejected, suspected, or why not to look."""

    name: str
    proves: str
    scene: OnePerson
    wanted: str


KNOWN = (
    Known(
        "known person",
        "the person whose template is opened is accepted",
        OnePerson(HOLDER, 60.0, walk_up=False),
        "accepted",
    ),
    Known(
        "known impostor",
        "the one who looks most like that person is not accepted",
        OnePerson(NEAREST, 60.0, walk_up=False),
        "rejected",
    ),
    Known(
        "known attack",
        "the holder's picture on a tablet is not taken for the holder",
        OnePerson(HOLDER, 60.0, walk_up=False, attack="tablet"),
        "suspected",
    ),
)


def checks(chain: Callable[[], Chain], decision: DecisionSettings, cells: Callable[[], Cells]) -> list[Check]:
    """What is checked.

    Args:
        chain, cells: those that decide here, or raises. decision: its target and number of looks.
    """
    spent: list[float] = []
    made: list[tuple[Lock, bytes]] = []

    def answer(scene: OnePerson) -> str:
        eyes = chain()
        if not made:
            with cells()._begin(SESSION) as cell:
                made.append(_reference(eyes, cell, eyes.threshold(decision.target_fmr, decision.looks)))
        with cells()._begin(SESSION) as cell:
            return _answer(eyes, decision, scene, cell, made[0], spent)

    def answered(known: Known) -> str:
        found = answer(known.scene)
        shown = f"{known.scene.name} on a {known.scene.attack}" if known.scene.attack else known.scene.name
        if found != known.wanted:
            raise Unfit(
                f"{shown} before {HOLDER}'s template: {found}, and {known.wanted} was to come",
                where="chain",
                remedy="install the product again; a model or a limit of one's own (`face:`) that is wrong does this",
            )
        return f"{shown} before {HOLDER}'s template: {found}"

    def fast_enough() -> str:
        if not spent:
            answer(KNOWN[0].scene)
        middle = sorted(spent)[len(spent) // 2]
        if middle > MOST_MS:
            raise Unfit(
                f"a look takes {middle:.0f} ms",
                where="chain",
                remedy="look what else runs (`top`), whether the processor is too hot, and at face.threads",
            )
        return f"a look and its comparison take {middle:.0f} ms"

    return [
        *(Check(known.name, known.proves, lambda known=known: answered(known), limit=known.wanted) for known in KNOWN),  # type: ignore[misc]
        Check(
            "look time",
            "this machine is fast enough for people who wait",
            fast_enough,
            limit=f"{MOST_MS:.0f} ms",
            needed=False,
        ),
    ]


@dataclass(frozen=True, slots=True)
class _Eye:
    """What a session's rule asks about one frame."""

    chain: Chain
    cell: Opens
    frame: Frame

    def judge(self, look: Look) -> float:
        return self.chain.judge(self.frame, look)

    def compare(self, look: Look) -> bool:
        return self.cell.compare(self.chain.pixels(look)).passed

    def tint(self, look: Look) -> None:
        """Nothing flashes at people who do not exist."""


def _answer(
    chain: Chain,
    decision: DecisionSettings,
    scene: OnePerson,
    cell: Opens,
    sealed: tuple[Lock, bytes],
    spent: list[float],
) -> str:
    """What a session without a challenge would answer about somebody, or why the last frame was not compared."""
    threshold, model = chain.threshold(decision.target_fmr, decision.looks), bytes.fromhex(chain.model)
    cell.open(*sealed, model=model, references=1, threshold=threshold, most=decision.looks)
    source = FictionalSource((scene,), width=_SIZE[0], height=_SIZE[1], fps=_FPS, seed=1)
    rule, found = Rule(decision, None if chain.passive is None else chain.passive.limits), "nothing seen"
    between = 1 + int(decision.spacing_ms * _FPS / 1000)
    source.open()
    try:
        for _ in range(WARM_FRAMES + decision.looks * between):
            frame, started = source.read(1.0), time.perf_counter()
            look = chain.look(frame)
            ending = rule.see(frame.monotonic_ns, look, _Eye(chain, cell, frame))
            if rule.newest is not None:
                spent.append(1e3 * (time.perf_counter() - started))
            if look.reason is not None:
                found = look.reason.value
            if ending is not None:
                return _ENDS.get(ending.reason, "rejected")
    finally:
        source.close()
    return found


#: How an ending is called; any other one is a rejection.
_ENDS = {
    Reason.MATCHING: "accepted",
    Reason.LIVENESS_UNCLEAR: "suspected",
    Reason.PRESENTATION_ATTACK_SUSPECTED: "suspected",
}


def _reference(chain: Chain, cell: Keeps, threshold: float) -> tuple[Lock, bytes]:
    """Of the holder as on another day (variant 1), before a generated camera; variant 0 stands there now.

    Sealed under random numbers: nobody's, and never kept.
    """
    there = OnePerson(HOLDER, 60.0, variant=1, walk_up=False)
    camera = Pulled(FictionalSource((there,), width=_SIZE[0], height=_SIZE[1], fps=_FPS, seed=2))
    with _own(camera) as stream:
        Enrolment(chain, threshold, want=2).from_stream(stream, cell)
    header = Header(Custody.CARD, os.urandom(16), bytes.fromhex(chain.model), chain.dimension, 0, 2**32 - 1)
    lock = new_lock(header, secret=os.urandom(32), key=os.urandom(32), random_bytes=os.urandom)
    return lock, cell.seal(lock, opened=False, kept=True).ciphertext
