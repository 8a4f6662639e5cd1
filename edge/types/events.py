"""What a device tells while it works: frozen events, for the journal first and for every other observer after it.

    device.observe(lambda event: print(event.kind, event))

    starting -> ready -> claim.presented -> claim.refused
                                        \\-> session.opened -> session.guidance* -> session.look* -> session.decided
    session.decided (accept) -> door.opened -> door.locked

Session, loop and door tell; they know no observer. Every screen of a kiosk can be drawn from events alone, so a claim's
refusal and a session's decision carry the wait and the other way in. No event holds an image, an embedding, a secret or
a score: a preview is a protocol of its own, and `Decided` refuses a decision that still has its score.

`kind` is the event's name for machines: ``edge run --json`` prints it, and within a version names and fields are only
ever added.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from enum import Enum
from typing import Any, ClassVar

from edge.types.claims import Decision
from edge.types.enums import Advice, Custody, Fault, Reason

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
        room: where it failed: ``source``, ``reader``, ``observer``.
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
    """What had failed works again. ``room``: as `Faulted.room`."""

    kind: ClassVar[str] = "device.recovered"
    room: str = "source"


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


# -- operators -------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class EnrolmentProgress(Event):
    """The captures of an enrolment: ``have`` of ``want`` good ones, and what the person can do."""

    kind: ClassVar[str] = "operator.progress"
    progress: ClassVar[bool] = True
    have: int
    want: int
    advice: tuple[Advice, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Act(Event):
    """An operator's act that is done. ``operator``: by name. ``serial``: 16 bytes, of the card it is about."""

    operator: str
    serial: bytes = b""


@dataclass(frozen=True, slots=True, kw_only=True)
class Enrolled(Act):
    """A card was handed out. ``issuer``: 8-byte key id. ``expires``: Unix seconds."""

    kind: ClassVar[str] = "operator.enrolled"
    custody: Custody
    expires: int
    issuer: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Renewed(Act):
    """A template was replaced.

    Attributes:
        replaces: serial of the old card, the same when the card stays. override: without a verification before it.
    """

    kind: ClassVar[str] = "operator.renewed"
    replaces: bytes
    expires: int
    override: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Reissued(Act):
    """A new card for the same template. ``replaces``: serial of the old one."""

    kind: ClassVar[str] = "operator.reissued"
    replaces: bytes
    expires: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Revoked(Act):
    """A card is refused from now on."""

    kind: ClassVar[str] = "operator.revoked"


@dataclass(frozen=True, slots=True, kw_only=True)
class Erased(Act):
    """Everything kept here about the holder of a card is deleted."""

    kind: ClassVar[str] = "operator.erased"


@dataclass(frozen=True, slots=True, kw_only=True)
class Reset(Act):
    """The lockout of a card is cleared. ``rejects``: how many in a row it had."""

    kind: ClassVar[str] = "operator.reset"
    rejects: int


@dataclass(frozen=True, slots=True, kw_only=True)
class DoorReset(Act):
    """The fan-out guard of the door is cleared. ``level``, ``cards``: how it stood."""

    kind: ClassVar[str] = "operator.door_reset"
    level: int
    cards: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Reported(Event):
    """A person was shown everything that is kept about them. ``serial``: of their card."""

    kind: ClassVar[str] = "operator.reported"
    serial: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class PackAdded(Act):
    """A signed policy pack was put beside the build. ``digest``: 16 hexadecimal digits of the file's SHA-256."""

    kind: ClassVar[str] = "operator.pack_added"
    pack: str
    signer: str
    digest: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Confirmed(Act):
    """An operator confirmed what the device must not decide alone. ``what``: clock, vault or state.

    Attributes:
        to: the time used from now on, Unix seconds; of a clock only.
    """

    kind: ClassVar[str] = "operator.confirmed"
    what: str
    to: int | None = None


# -- upkeep ----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class SelfTested(Event):
    """A self-test ran. ``failed``: needed checks that failed, ``check``: the first. ``warnings``: the others."""

    kind: ClassVar[str] = "upkeep.selftest"
    fit: bool
    failed: int
    warnings: int
    check: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class SettingsChanged(Event):
    """The settings are others than at the last start. ``digest``: 16 hexadecimal digits of theirs."""

    kind: ClassVar[str] = "upkeep.settings"
    digest: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ClockChanged(Event):
    """The time used became unconfirmed, or confirmed again. ``to``: Unix seconds."""

    kind: ClassVar[str] = "upkeep.clock"
    confirmed: bool
    to: int


@dataclass(frozen=True, slots=True, kw_only=True)
class KeysChanged(Event):
    """A key was made, rotated, restored or trusted. ``key``: which. ``id``: its key id, 16 hexadecimal digits."""

    kind: ClassVar[str] = "upkeep.keys"
    key: str
    change: str
    operator: str = ""
    id: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class PolicyChanged(Event):
    """The packs say something else than before. ``rule``: the first that speaks; ``findings``: how many do."""

    kind: ClassVar[str] = "upkeep.policy"
    standing: str
    findings: int
    rule: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class GuardTripped(Event):
    """Many different cards failed at this door lately, so it answers slowly. ``wait_s``: until the next claim."""

    kind: ClassVar[str] = "upkeep.guard"
    level: int
    cards: int
    wait_s: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Expired(Event):
    """Something was deleted because its retention has ended. ``what``: template, holder. ``rule``: which said so."""

    kind: ClassVar[str] = "upkeep.expired"
    serial: bytes
    what: str
    rule: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Gap(Event):
    """For one observer: ``dropped`` events of progress did not fit into its queue before this one."""

    kind: ClassVar[str] = "observer.gap"
    dropped: int
