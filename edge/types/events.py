"""What a device tells while it works: frozen events, for the journal first and for every other observer after it.

    device.observe(lambda event: print(event.kind, event))

    starting -> ready -> claim.presented -> claim.refused
                                        \\-> session.opened -> session.guidance* -> session.look* -> session.decided
                                            session.challenge* or session.flash* between looks; session.attack before
    session.decided (accept) -> door.opened -> door.locked

Session, loop and door tell; they know no observer. Screens are drawn from events alone, so refusals and decisions carry
the wait and the other way in. No event holds an image, an embedding, a secret or a score: `Decided` refuses its score.

Operators' acts and upkeep (`edge.types.acts`) and what the door's switches say (`edge.types.sight`) are events, too.
`kind` is an event's name for machines (``edge run --json``); within a version names and fields are only ever added.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from enum import Enum
from typing import Any, ClassVar

from edge.types.claims import Decision
from edge.types.enums import Advice, Direction, Fault, Reason
from edge.types.gates import Species

#: Schema of `Event.as_json`.
SCHEMA = "edge/event/v1"


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """What all events have.

    Attributes:
        at_ns: when, on the device's monotonic clock, nanoseconds.
        session: identifier of the session it belongs to; empty outside of one.
        kind: name for machines. progress: whether it may be dropped for an observer that is too slow: a later one of
            its kind says more.
    """

    at_ns: int
    session: str = ""
    kind: ClassVar[str] = ""
    progress: ClassVar[bool] = False

    def as_json(self) -> dict[str, Any]:
        """The event as an object that JSON can hold: enumerations by value, serials and keys in hex."""
        values = {field.name: _plain(getattr(self, field.name)) for field in fields(self)}
        return {"schema": SCHEMA, "event": self.kind, **values}


def _plain(value: Any) -> Any:
    match value:
        case Decision():
            return decision_json(value)
        case Enum():
            return value.value
        case bytes():
            return value.hex()
        case tuple():
            return [_plain(item) for item in value]
    return value


def decision_json(decision: Decision) -> dict[str, Any]:
    """A decision as an object that JSON can hold; score and threshold only where the decision has them."""
    answer: dict[str, Any] = {
        "outcome": decision.outcome.value,
        "reason": decision.reason.value,
        "target_fmr": decision.target_fmr,
        "serial": decision.serial,
        "credential": decision.credential,
        "session": decision.session,
        "frames_looked_at": decision.frames_looked_at,
        "looks": decision.looks,
        "advice": [item.value for item in decision.advice],
        "wait_s": decision.wait_s,
        "timings_ms": dict(decision.timings_ms),
    }
    if decision.score is not None:
        answer["score"] = round(decision.score, 4)
    if decision.threshold is not None:
        answer["threshold"] = round(decision.threshold, 4)
    return answer


# -- the device ------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Starting(Event):
    """The loop begins. ``log_only``: why this build drives no door but the log, in words; empty when it may."""

    kind: ClassVar[str] = "device.starting"
    version: str
    profile: str
    settings: str
    model: str
    door: str
    camera: str
    signed: bool
    signer: str = ""
    log_only: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ready(Event):
    """Claims are served from now on."""

    kind: ClassVar[str] = "device.ready"


@dataclass(frozen=True, slots=True, kw_only=True)
class Unfit(Event):
    """The self-test failed: nothing is served. ``check``: the first check that failed."""

    kind: ClassVar[str] = "device.unfit"
    check: str
    what: str
    remedy: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Faulted(Event):
    """Something of the device failed, told on its edge.

    Attributes:
        room: where it failed: ``source``, ``reader``, ``observer``, ``door`` (its contacts),
            ``session`` (its process).
        error: class of the error. what, where, remedy: its words.
        faults: what is wrong with the frames; empty when there are none.
        count: how often it had failed since it was last told, this time included.
    """

    kind: ClassVar[str] = "device.fault"
    room: str
    error: str
    what: str
    where: str = ""
    remedy: str = ""
    faults: tuple[Fault, ...] = ()
    count: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Recovered(Event):
    """What had failed works again. ``room``: as `Faulted.room`. ``count``: how often it had failed."""

    kind: ClassVar[str] = "device.recovered"
    room: str = "source"
    count: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Stopped(Event):
    """The loop has ended. ``cause``: ``signal``, ``end-of-input``, or the class of the error that ended it."""

    kind: ClassVar[str] = "device.stopped"
    cause: str


# -- a claim and its session -----------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class ClaimPresented(Event):
    """A reader has delivered a text; nothing about it is known yet. ``reader``: its name."""

    kind: ClassVar[str] = "claim.presented"
    reader: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ClaimUnderPin(Event):
    """The claim is that of a card which lies under a PIN at this door: weaker than any card. ``serial``: the card's."""

    kind: ClassVar[str] = "claim.pin_alone"
    serial: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ClaimRefused(Event):
    """A claim was refused without looking.

    Attributes:
        decision: the refusal. reason, wait_s: its own, once more for whoever draws a screen; ``wait_s`` is 0 when
            waiting does not help. alternative: the way in without one's face, as the settings word it.
    """

    kind: ClassVar[str] = "claim.refused"
    decision: Decision
    reason: Reason
    wait_s: int = 0
    alternative: str = ""

    def __post_init__(self) -> None:
        _without_score(self.decision)


@dataclass(frozen=True, slots=True, kw_only=True)
class AlternativeChosen(Event):
    """A genuine card without a template (opt-out): no session opens, and the other way in is shown. Not a failure."""

    kind: ClassVar[str] = "claim.alternative"
    decision: Decision
    alternative: str = ""

    def __post_init__(self) -> None:
        _without_score(self.decision)


@dataclass(frozen=True, slots=True, kw_only=True)
class PinWanted(Event):
    """The card is good; its PIN is waited for, for so long."""

    kind: ClassVar[str] = "claim.pin"
    within_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionOpened(Event):
    """The claim holds; the device looks. ``deadline_s``: for so long at most. ``looks``: comparisons at most."""

    kind: ClassVar[str] = "session.opened"
    deadline_s: float
    looks: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Guidance(Event):
    """What the person can do; told when it changes. ``advice``: empty while the face is seen well.

    Attributes:
        reason: why the newest frame was not usable; None when it was. elapsed_share: of the time there is, 0..1.
    """

    kind: ClassVar[str] = "session.guidance"
    progress: ClassVar[bool] = True
    advice: tuple[Advice, ...]
    reason: Reason | None
    elapsed_share: float


@dataclass(frozen=True, slots=True, kw_only=True)
class LookCompared(Event):
    """One look was compared: number ``look`` of ``looks``."""

    kind: ClassVar[str] = "session.look"
    look: int
    looks: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ChallengeStep(Event):
    """What the person shall do with the head now; told when it changes, and once more when a step is done.

    Attributes:
        step, steps: number ``step`` of ``steps``. attempt: 1, or 2 after a challenge that was not done.
        direction: which way to turn, as the person's own left and right; None: look straight at the camera again.
        within_s: so much time is left for it, from ``at_ns`` on. done: the step is done; the next event says what is
            next.
    """

    kind: ClassVar[str] = "session.challenge"
    step: int
    steps: int
    attempt: int
    direction: Direction | None
    within_s: float
    done: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class FlashColour(Event):
    """The screen shows one colour, as large and as bright as it can, for ``lasts_s`` from ``at_ns`` on.

    Attributes:
        colour: red, green, blue, 0..255. step, steps: colour ``step`` of ``steps``; after the last the screen is itself
            again.
    """

    kind: ClassVar[str] = "session.flash"
    colour: tuple[int, int, int]
    lasts_s: float
    step: int
    steps: int


@dataclass(frozen=True, slots=True, kw_only=True)
class AttackSuspected(Event):
    """A gate suspects a presentation attack; the decision that rejects it follows."""

    kind: ClassVar[str] = "session.attack"
    species: Species


@dataclass(frozen=True, slots=True, kw_only=True)
class Decided(Event):
    """A session has ended. ``alternative``: the way in without one's face; empty on an accept."""

    kind: ClassVar[str] = "session.decided"
    decision: Decision
    alternative: str = ""

    def __post_init__(self) -> None:
        _without_score(self.decision)


def _without_score(decision: Decision) -> None:
    if decision.score is not None or decision.threshold is not None:
        raise ValueError("no event holds a score or a threshold: take them off first, with Decision.public()")


# -- the door --------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class DoorOpened(Event):
    """The lock was released. ``driver``: of the door."""

    kind: ClassVar[str] = "door.opened"
    driver: str


@dataclass(frozen=True, slots=True, kw_only=True)
class DoorLocked(Event):
    """The lock holds again."""

    kind: ClassVar[str] = "door.locked"
    driver: str


@dataclass(frozen=True, slots=True, kw_only=True)
class DoorFault(Event):
    """The door's hardware failed; the door was told to lock."""

    kind: ClassVar[str] = "door.fault"
    driver: str
    what: str
    where: str = ""
    remedy: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Gap(Event):
    """For one observer: ``dropped`` events of progress did not fit into its queue before this one."""

    kind: ClassVar[str] = "observer.gap"
    dropped: int
