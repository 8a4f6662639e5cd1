"""The state machine of a session: looks, spacing, deadline, limits, and what never happens.

The chain here is scripted: each frame says what is seen in it. Vault and limits are recorders.
The whole of it with real models and pictures is `tests/service/test_demo.py`.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass, field, replace
from functools import lru_cache

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edge.camera.health import Health
from edge.errors import (
    EdgeError,
    LockedOut,
    ModelError,
    ModelMismatch,
    SessionLost,
    SourceTimeout,
    SpentError,
    TokenRevoked,
)
from edge.face import Look
from edge.face.flash import SHOWN, STEPS
from edge.face.match import COMPARED
from edge.face.rule import Rule
from edge.face.suspicion import PassiveLimits
from edge.session import Verifier
from edge.session.cell import Cell, Compared
from edge.session.run import Run
from edge.session.tally import Tally
from edge.session.verifier import SESSION, Liveness
from edge.settings.model import CameraSettings, DecisionSettings
from edge.types import Advice, Claim, Crop, Custody, Face, Frame, Outcome, Reason, Species
from edge.types.events import AttackSuspected, Event, Faulted, FlashColour
from edge.vault.seal import Header, Lock, new_lock
from tests.cells import cells

MODEL = "ab" * 32
MINE = np.full(128, 100, np.int8)
OTHER = np.resize(np.array([100, -100], np.int8), 128)
STEP = 66_000_000
CLAIM = Claim(Custody.CARD, b"t" * 16, b"s" * 16, 7, ("default",), 0, 2**32, b"x" * 32, received_ns=1000)


@lru_cache(maxsize=4)
def _noise(seed: int) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 255, (480, 640, 3), dtype=np.uint8)


@dataclass
class Frames:
    """A stream whose frame k carries what is seen in ``script[k]``; the last entry goes on for ever."""

    script: str
    still: bool = False
    pictures: int = 400
    fps_step: int = STEP
    count: int = 0
    now: int = 0
    ended: bool = False

    def now_ns(self) -> int:
        return self.now

    def next(self, after_ns: int, timeout_s: float) -> Frame:
        if self.ended:
            raise SourceTimeout("no frame", where="script")
        self.now = max(self.now, after_ns) + self.fps_step
        letter = self.script[min(self.count, len(self.script) - 1)]
        image = _noise(0 if self.still else self.count % self.pictures)
        self.count += 1
        return Frame(image, self.now, self.count, "script", meta={"seen": letter})


PASSIVE = PassiveLimits(doubt=0.4, attack=0.8, judgements=2)


@dataclass
class Passive:
    """The passive network's limits; `Chain.judge` says what it answers."""

    limits: PassiveLimits = PASSIVE


@dataclass
class Chain:
    """m: the right person, o: another, n: nobody, s: several, q: bad quality.

    With a passive network: d is the right person, doubtful; p a print of the right person.
    """

    model: str = MODEL
    embedded: list[str] = field(default_factory=list)
    passive: Passive | None = None

    def threshold(self, fmr: float, looks: int = 1) -> float:
        return 0.5

    def before(self) -> None:
        """No arithmetic before this one."""

    def look(self, frame: Frame) -> Look:
        seen = frame.meta["seen"]
        if seen == "n":
            return Look(reason=Reason.NO_FACE, advice=(Advice.NOBODY_SEEN,))
        if seen == "s":
            return Look(reason=Reason.SEVERAL_FACES, advice=(Advice.ONE_PERSON,))
        if seen == "q":
            return Look(reason=Reason.QUALITY, advice=(Advice.MORE_LIGHT,))
        face = Face((220, 120, 150, 200), np.zeros((5, 2), np.float32), 0.9)
        return Look(crop=Crop(frame.image[:1], seen), face=face, timings_ms={"detect": 1.0})

    def judge(self, frame: Frame, look: Look) -> float:
        return {"d": 0.6, "p": 0.95}.get(frame.meta["seen"], 0.1)

    def pixels(self, look: Look) -> np.ndarray:
        assert look.crop is not None
        return np.array([[[ord(look.crop.card)] * 3]], np.uint8)

    def embed(self, pixels: np.ndarray) -> np.ndarray:
        self.embedded.append(chr(pixels[0, 0, 0]))
        return (OTHER if self.embedded[-1] == "o" else MINE).copy()


@lru_cache(maxsize=1)
def _sealed() -> tuple[bytes, bytes, bytes, bytes]:
    """Header, salt, key and ciphertext of the right person's template."""
    header = Header(Custody.CARD, CLAIM.serial, bytes.fromhex(MODEL), 128, 0, 2**31)
    lock = new_lock(header, secret=CLAIM.secret, key=bytes(32), random_bytes=bytes)
    return lock.header, lock.salt, lock.key, lock.seal(MINE).ciphertext


@dataclass
class Vault:
    error: Exception | None = None
    locked: int = 0
    model: str = MODEL

    def made_by(self, claim: Claim) -> bytes:
        if self.error:
            raise self.error
        return bytes.fromhex(self.model)

    def lock(self, claim: Claim) -> tuple[Lock, bytes]:
        if self.error:
            raise self.error
        self.locked += 1
        header, salt, key, ciphertext = _sealed()
        return Lock(header, salt, bytes(bytearray(key))), ciphertext  # a key of its own, since it is overwritten


@dataclass
class Limits:
    calls: list[str] = field(default_factory=list)
    locked: bool = False

    def check(self, serial: bytes) -> None:
        if self.locked:
            raise LockedOut("wait", wait_s=30)

    def before_comparison(self, serial: bytes) -> None:
        self.calls.append("before")

    def accepted(self, serial: bytes) -> None:
        self.calls.append("accepted")

    def rejected(self, serial: bytes) -> None:
        self.calls.append("rejected")

    def no_decision(self, serial: bytes) -> None:
        self.calls.append("no_decision")


#: Those that were begun, in their order.
CELLS: list[Cell] = []


def verifier(**changes) -> Verifier:
    decision = DecisionSettings(deadline_s=4.0)
    parts = {
        "chain": Chain(),
        "vault": Vault(),
        "limits": Limits(),
        "settings": decision,
        "health": lambda: Health(CameraSettings()),
        "new_session": iter("abcdefgh").__next__,
        "reveal_scores": True,
    }
    parts |= changes
    embed = parts["chain"].embed
    begin = cells(MODEL, embed)

    def begun(session: str) -> Cell:
        CELLS.append(begin(session))
        return CELLS[-1]

    return Verifier(**{"cells": begun, **parts})


def nothing_left() -> bool:
    """Whether the newest cell holds no template any more."""
    return CELLS[-1]._template is None or CELLS[-1]._template.spent


def test_the_right_person_is_accepted_at_the_first_look_that_passes():
    machine = verifier()
    decision = machine.verify(CLAIM, Frames("nnm"))
    assert (decision.outcome, decision.reason) == (Outcome.ACCEPT, Reason.MATCHING)
    assert decision.score == pytest.approx(1.0, abs=1e-4)
    assert machine.chain.embedded == ["m"]
    assert machine.limits.calls == ["before", "accepted"]


def test_another_person_is_rejected_after_k_looks_at_least_the_spacing_apart():
    machine = verifier()
    decision = machine.verify(CLAIM, Frames("o"))
    assert (decision.outcome, decision.reason) == (Outcome.REJECT, Reason.NOT_MATCHING)
    assert decision.looks == 3
    assert machine.chain.embedded == ["o", "o", "o"]
    # 66 ms a frame, 150 ms apart: looks at every third frame, after the one that shows whether the source moves
    assert decision.frames_looked_at == 2 + 3 + 3
    assert machine.limits.calls == ["before", "rejected"]


@pytest.mark.parametrize(
    ("script", "reason", "advice"),
    [
        ("n", Reason.NO_FACE, Advice.NOBODY_SEEN),
        ("s", Reason.SEVERAL_FACES, Advice.ONE_PERSON),
        ("q", Reason.QUALITY, Advice.MORE_LIGHT),
        ("nqqqqqqqqqqq", Reason.QUALITY, Advice.MORE_LIGHT),
    ],
)
def test_without_a_usable_face_there_is_no_decision_but_advice(script, reason, advice):
    machine = verifier()
    decision = machine.verify(CLAIM, Frames(script))
    assert (decision.outcome, decision.reason) == (Outcome.NO_DECISION, reason)
    assert decision.advice == (advice,)
    assert machine.chain.embedded == []
    assert machine.limits.calls == ["no_decision"]


def test_leaving_after_a_failed_look_keeps_the_failure_written():
    machine = verifier()
    decision = machine.verify(CLAIM, Frames("nnoooon"))
    assert decision.outcome is Outcome.NO_DECISION
    assert decision.looks == 2
    assert machine.limits.calls == ["before"]


def test_a_frozen_picture_of_the_right_person_is_never_accepted():
    machine = verifier()
    decision = machine.verify(CLAIM, Frames("m", still=True))
    assert (decision.outcome, decision.reason) == (Outcome.NO_DECISION, Reason.SOURCE_FAULT)
    assert machine.chain.embedded == []


def test_only_frames_younger_than_the_claim_are_used():
    asked = []

    class Recorder(Frames):
        def next(self, after_ns: int, timeout_s: float) -> Frame:
            asked.append(after_ns)
            return super().next(after_ns, timeout_s)

    late = replace(CLAIM, received_ns=5_000_000_000)
    decision = verifier().verify(late, Recorder("m"))
    assert decision.outcome is Outcome.ACCEPT
    assert min(asked) >= late.received_ns


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"vault": Vault(TokenRevoked("revoked"))}, Reason.TOKEN_REVOKED),
        ({"limits": Limits(locked=True)}, Reason.LOCKED_OUT),
    ],
)
def test_a_refused_claim_looks_at_no_frame_and_counts_nothing(change, reason):
    machine, stream = verifier(**change), Frames("m")
    decision = machine.verify(CLAIM, stream)
    assert (decision.outcome, decision.reason) == (Outcome.REJECT, reason)
    assert decision.frames_looked_at == 0
    assert stream.count == 0
    assert machine.limits.calls == []


def test_a_source_that_stops_is_a_fault_and_not_a_hang():
    machine = verifier(source_timeout_s=0.5)
    decision = machine.verify(CLAIM, Frames("n", ended=True))
    assert (decision.outcome, decision.reason) == (Outcome.NO_DECISION, Reason.SOURCE_FAULT)


def test_a_template_is_opened_when_somebody_who_can_be_compared_is_seen_and_not_before():
    machine = verifier()
    decision = machine.verify(CLAIM, Frames("n"))
    assert (decision.outcome, decision.reason, machine.vault.locked) == (Outcome.NO_DECISION, Reason.NO_FACE, 0)


def test_a_cancelled_session_ends_as_interrupted_and_no_template_is_left():
    machine, stream = verifier(), Frames("n")
    decision = machine.verify(CLAIM, stream, cancelled=lambda: stream.count > 5)
    assert (decision.outcome, decision.reason) == (Outcome.NO_DECISION, Reason.INTERRUPTED)
    assert nothing_left()


def test_a_device_build_gives_out_no_score():
    decision = verifier(reveal_scores=False).verify(CLAIM, Frames("m"))
    assert decision.score is None
    assert decision.threshold is None


def test_a_failure_of_the_limits_to_write_stops_before_the_comparison():
    class Broken(Limits):
        def before_comparison(self, serial: bytes) -> None:
            raise OSError("disk full")

    machine = verifier(limits=Broken())
    with pytest.raises(OSError, match="disk full"):
        machine.verify(CLAIM, Frames("m"))
    assert machine.chain.embedded == []
    assert nothing_left()


@pytest.mark.parametrize("error", [SessionLost("the process that compares has ended"), ModelError("no embedding")])
def test_a_session_whose_process_fails_decides_nothing_says_so_and_stays_counted(error: EdgeError):
    class Dying(Cell):
        def compare(self, pixels: np.ndarray) -> Compared:
            raise error

    told: list[Event] = []
    machine = verifier(cells=lambda session: Dying({}, b"", session))
    machine = replace(machine, cells=lambda session: Dying({bytes.fromhex(MODEL): machine.chain.embed}, b"", session))
    decision = machine.verify(CLAIM, Frames("m"), tell=told.append)
    assert (decision.outcome, decision.reason) == (Outcome.NO_DECISION, Reason.ERROR)
    assert machine.limits.calls == ["before"], "pulling the process down is no way to guess for free"
    (fault,) = [event for event in told if isinstance(event, Faulted)]
    assert (fault.room, fault.error) == ("session", type(error).__name__)


def test_a_genuine_card_whose_template_no_embedder_made_ends_its_session_and_not_the_loop():
    class Narrow(Cell):
        def compare(self, pixels: np.ndarray) -> Compared:
            raise ModelMismatch("a template of 64 numbers", where="template")

    machine = verifier()
    machine = replace(machine, cells=lambda session: Narrow({bytes.fromhex(MODEL): machine.chain.embed}, b"", session))
    decision = machine.verify(CLAIM, Frames("m"))
    assert (decision.outcome, decision.reason) == (Outcome.REJECT, Reason.MODEL_MISMATCH)


@settings(max_examples=60, deadline=None)
@given(st.text(alphabet="monsq", min_size=1, max_size=40))
def test_whatever_is_seen_the_rules_hold(script):
    machine = verifier()
    decision = machine.verify(CLAIM, Frames(script))
    looks = machine.chain.embedded
    assert len(looks) == decision.looks <= 3
    assert (decision.outcome is Outcome.ACCEPT) == ("m" in looks)
    assert looks[:-1].count("m") == 0, "nothing is compared after a match"
    assert (decision.outcome is Outcome.REJECT) == (looks == ["o"] * 3)
    assert machine.limits.calls.count("before") == (1 if looks else 0)
    assert nothing_left()
    assert (decision.outcome is Outcome.NO_DECISION) <= bool(decision.advice)


AUDITED: list[tuple[str, str]] = []


@pytest.fixture(scope="module")
def audited() -> list[tuple[str, str]]:
    """What an examiner's audit hook sees of sessions and comparisons. A hook cannot be taken away again."""

    def hook(event: str, arguments: tuple) -> None:
        if event in (SESSION, COMPARED):
            AUDITED.append((event, arguments[0]))

    sys.addaudithook(hook)
    return AUDITED


@pytest.mark.parametrize(("script", "looks"), [("o", 3), ("m", 1), ("oom", 3), ("n", 0), ("o", 1), ("qqo", 10)])
def test_an_examiner_counts_the_comparisons_of_each_claim_and_they_are_at_most_k(audited, script, looks):
    limit = DecisionSettings(deadline_s=20.0, looks=max(looks, 1))
    del audited[:]
    decision = verifier(settings=limit).verify(CLAIM, Frames("nn" + script))
    assert audited.count((SESSION, decision.session)) == 1
    assert audited.count((COMPARED, decision.session)) == decision.looks <= limit.looks
    assert len(audited) == 1 + decision.looks


def test_a_session_refuses_a_comparison_too_many():
    tally = Tally(looks=3)
    run = object.__new__(Run)  # in the middle of a session that has had its three looks
    run.verifier, run.tally, run.rule = verifier(), tally, Rule(DecisionSettings())
    with pytest.raises(SpentError, match="comparison limit reached"):
        run.compare(Look())
    assert tally.looks == 3


def guarded(**changes) -> Verifier:
    return verifier(chain=Chain(passive=Passive()), **changes)


def test_a_print_of_the_right_person_is_rejected_counted_and_told_before_anything_is_compared():
    machine, told = guarded(), []
    decision = machine.verify(CLAIM, Frames("p"), tell=told.append)
    assert (decision.outcome, decision.reason) == (Outcome.REJECT, Reason.PRESENTATION_ATTACK_SUSPECTED)
    assert machine.chain.embedded == []
    assert machine.limits.calls == ["rejected"]
    assert [event.species for event in told if isinstance(event, AttackSuspected)] == [Species.INSTRUMENT]


def test_a_living_person_is_accepted_as_fast_with_the_passive_gate_as_without():
    decision = guarded().verify(CLAIM, Frames("m"))
    assert decision.outcome is Outcome.ACCEPT
    assert decision.frames_looked_at == verifier().verify(CLAIM, Frames("m")).frames_looked_at


def test_doubt_is_not_taken_back_by_later_frames_and_the_failure_stays_written():
    machine = guarded()
    decision = machine.verify(CLAIM, Frames("dddmmmmmmmmm"))
    assert (decision.outcome, decision.reason) == (Outcome.NO_DECISION, Reason.LIVENESS_UNCLEAR)
    assert decision.advice == (Advice.LOOK_HERE,)
    assert machine.limits.calls == ["before"]


def test_nobody_is_compared_before_the_gate_could_judge():
    limits = PassiveLimits(doubt=0.4, attack=0.8, judgements=3)
    machine = verifier(chain=Chain(passive=Passive(limits)))
    decision = machine.verify(CLAIM, Frames("nnmmn"))
    assert decision.outcome is Outcome.NO_DECISION
    assert machine.chain.embedded == []


@settings(max_examples=60, deadline=None)
@given(st.text(alphabet="monsqdp", min_size=1, max_size=40))
def test_the_frame_that_is_accepted_is_never_one_that_is_doubted(script):
    machine = guarded()
    decision = machine.verify(CLAIM, Frames(script))
    assert decision.looks <= 3
    assert (decision.outcome is Outcome.ACCEPT) <= (machine.chain.embedded[-1:] == ["m"])
    assert (decision.reason is Reason.MATCHING) == (decision.outcome is Outcome.ACCEPT)


def test_a_flash_tells_each_colour_once_and_a_face_that_reflects_none_is_not_accepted():
    """The frames are noise: whatever the screen shows, they have the same colour."""
    told = []
    machine = verifier(liveness=Liveness(flash=True))
    decision = machine.verify(CLAIM, Frames("m"), tell=told.append)
    assert (decision.outcome, decision.reason) == (Outcome.NO_DECISION, Reason.LIVENESS_UNCLEAR)
    colours = [event for event in told if isinstance(event, FlashColour)]
    assert [event.step for event in colours] == list(range(1, STEPS + 1))
    assert {event.colour for event in colours} <= set(SHOWN.values())
    assert len({event.session for event in colours}) == 1
    assert machine.limits.calls[0] == "before"


def test_pictures_that_come_again_after_others_are_an_injected_stream():
    """A recording in the camera's place, in a loop of one second; a camera that stalls repeats only its last frame."""
    told = []
    machine = verifier()
    decision = machine.verify(CLAIM, Frames("q" * 16 + "m", pictures=15), tell=told.append)
    assert (decision.outcome, decision.reason) == (Outcome.REJECT, Reason.PRESENTATION_ATTACK_SUSPECTED)
    assert [event.species for event in told if isinstance(event, AttackSuspected)] == [Species.INJECTED]
    assert not machine.chain.embedded
