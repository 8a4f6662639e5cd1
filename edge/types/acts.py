"""Events of whoever keeps a device: what operators did, by name, and what upkeep found. See `edge.types.events`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from edge.types.enums import Advice, Custody
from edge.types.events import Event


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
class OptedOut(Act):
    """A card without a template was handed out. ``issuer``: 8-byte key id. ``expires``: Unix seconds."""

    kind: ClassVar[str] = "operator.opted_out"
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
class ReferenceAdded(Act):
    """A template holds one reference more of its person.

    Attributes:
        replaces: serial of the old card, the same when the card stays. references: how many there are now.
    """

    kind: ClassVar[str] = "operator.reference_added"
    replaces: bytes
    expires: int
    references: int


@dataclass(frozen=True, slots=True, kw_only=True)
class PinSet(Act):
    """A PIN was set for a card at this door, in the place of an earlier one if there was one."""

    kind: ClassVar[str] = "operator.pin_set"


@dataclass(frozen=True, slots=True, kw_only=True)
class PinDrawn(Act):
    """A card lies under a PIN at this door from now on: weaker than the card, which it stands for."""

    kind: ClassVar[str] = "operator.pin_drawn"


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
        before, to: the time used until now, and from now on, Unix seconds; of a clock only.
    """

    kind: ClassVar[str] = "operator.confirmed"
    what: str
    before: int | None = None
    to: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Sitting(Act):
    """An operator works at the device's own pages.

    Attributes:
        change: ``opened``, ``closed``, ``idle`` (closed: nothing was done any more); ``camera``, ``camera_closed``:
            the camera is set up, so frames go to the detector without a claim; ``refused``: wrong tokens.
        failures: how many wrong tokens in a row; of ``refused``.
    """

    kind: ClassVar[str] = "operator.sitting"
    change: str
    failures: int = 0


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
class RefusalsLeftOut(Event):
    """So many claims were refused without looking, and are in no entry of their own: too many in a short time."""

    kind: ClassVar[str] = "upkeep.refusals"
    count: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Expired(Event):
    """Something was deleted because its retention has ended. ``what``: template, holder. ``rule``: which said so."""

    kind: ClassVar[str] = "upkeep.expired"
    serial: bytes
    what: str
    rule: str
