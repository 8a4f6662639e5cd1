"""The closed set of entries: which kinds there are, which fields each has, what a field may hold.

No type of field is long enough for a secret (32 bytes are 43 characters of base64), and there is none for a number
with a fraction, so neither a key, a token, an embedding, a picture nor a score can be written, by mistake or otherwise.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from edge.errors import JournalBroken
from edge.types import Custody, Fault, Outcome, Profile, Reason

Value = str | int | bool
"""What a field holds."""

MAX_TEXT = 32
_PRINTABLE = re.compile(r"[^\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]{1,32}")
_SERIAL = re.compile(r"[0-9a-f]{32}|", re.ASCII)
_DIGEST = re.compile(r"[0-9a-f]{16}", re.ASCII)
_WORD = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.+-]{0,31}", re.ASCII)


@dataclass(frozen=True, slots=True)
class FieldKind:
    """What a field may hold: a name for messages, and the check."""

    name: str
    fits: Callable[[Value], bool]


def _text(name: str, pattern: re.Pattern[str]) -> FieldKind:
    return FieldKind(name, lambda value: isinstance(value, str) and pattern.fullmatch(value) is not None)


def _one_of(name: str, values: type[Outcome] | type[Reason] | type[Fault] | type[Custody] | type[Profile]) -> FieldKind:
    allowed = {member.value for member in values}
    return FieldKind(name, lambda value: isinstance(value, str) and value in allowed)


NAME = _text("a name of 1 to 32 characters", _PRINTABLE)
WORD = _text("a word of 1 to 32 letters, digits and _ . + -", _WORD)
SERIAL = _text("a card's serial, 32 hexadecimal digits, or nothing", _SERIAL)
DIGEST = _text("the first 16 hexadecimal digits of a digest", _DIGEST)
NUMBER = FieldKind("a whole number below 2^64", lambda value: type(value) is int and 0 <= value < 2**64)
FLAG = FieldKind("true or false", lambda value: type(value) is bool)
OUTCOME, REASON, FAULT = _one_of("outcome", Outcome), _one_of("reason", Reason), _one_of("fault", Fault)
CUSTODY, PROFILE = _one_of("custody", Custody), _one_of("profile", Profile)

_BY_OPERATOR = {"serial": SERIAL, "operator": NAME}

_KINDS: dict[str, dict[str, FieldKind]] = {
    # the device
    "started": {
        "version": WORD,
        "profile": PROFILE,
        "settings": DIGEST,
        "model": DIGEST,
        "door": WORD,
        "camera": WORD,
        "signed": FLAG,  # whether a trusted signature covers the build
        "signer": DIGEST,
        "may_drive": WORD,  # any, or log-only
    },
    "stopped": {"cause": WORD},
    "selftest": {"passed": FLAG, "failed": NUMBER, "check": WORD},
    "fault": {"error": WORD, "fault": FAULT, "room": WORD},
    "settings": {"digest": DIGEST},
    "keys": {"key": WORD, "change": WORD, "operator": NAME, "id": DIGEST},
    "clock": {"confirmed": FLAG, "operator": NAME, "from": NUMBER, "to": NUMBER},
    "acknowledged": {"what": WORD, "operator": NAME},
    "refusals": {"left_out": NUMBER},  # refused without looking, too many in a short time for an entry each
    # one claim
    "decision": {
        "outcome": OUTCOME,
        "reason": REASON,
        "serial": SERIAL,
        "credential": NUMBER,
        "session": WORD,
        "frames": NUMBER,
        "looks": NUMBER,
        "session_ms": NUMBER,
    },
    "pin_alone": {"serial": SERIAL},  # the next decision about this card rests on a PIN
    "attack": {"species": WORD, "session": WORD},
    "alternative": {"serial": SERIAL, "credential": NUMBER},
    "door": {"change": WORD, "driver": WORD, "session": WORD},
    "tamper": {"open": FLAG},  # the device's housing
    # people
    "enrolled": {**_BY_OPERATOR, "custody": CUSTODY, "expires": NUMBER, "issuer": DIGEST},
    "opted_out": {**_BY_OPERATOR, "expires": NUMBER, "issuer": DIGEST},
    "renewed": {**_BY_OPERATOR, "replaces": SERIAL, "expires": NUMBER, "override": FLAG},
    "reissued": {**_BY_OPERATOR, "replaces": SERIAL, "expires": NUMBER},
    "reference_added": {**_BY_OPERATOR, "replaces": SERIAL, "expires": NUMBER, "references": NUMBER},
    "pin_set": _BY_OPERATOR,
    "pin_drawn": _BY_OPERATOR,
    "revoked": _BY_OPERATOR,
    "erased": _BY_OPERATOR,
    "reset": {**_BY_OPERATOR, "rejects": NUMBER},
    "expired": {"serial": SERIAL, "what": WORD, "rule": WORD},
    "reported": {"serial": SERIAL},
    "sitting": {"operator": NAME, "change": WORD, "failures": NUMBER},  # at the device's own pages
    # the fan-out guard of the door
    "fan_out": {"level": NUMBER, "cards": NUMBER, "wait": NUMBER},
    "fan_out_reset": {"operator": NAME, "level": NUMBER, "cards": NUMBER},
    # the journal itself
    "recovered": {"bytes": NUMBER, "digest": DIGEST},
    "pruned": {"through": NUMBER, "entries": NUMBER},
    "checkpoint": {"entries": NUMBER},
    "bound": {},  # a version before is bound by counters from here on
    "began": {"operator": NAME, "after": NUMBER},
    # the rules it is judged by
    "policy": {"standing": WORD, "rule": NAME, "findings": NUMBER},
    "pack": {"pack": WORD, "digest": DIGEST, "signer": NAME, "operator": NAME},
}

KINDS: Mapping[str, Mapping[str, FieldKind]] = MappingProxyType(
    {kind: MappingProxyType(f) for kind, f in _KINDS.items()}
)
"""FieldKind of entry -> name of a field -> what it may hold. A field may be left out."""


def check(kind: str, fields: Mapping[str, Value]) -> None:
    """Return when an entry may be written.

    Raises:
        JournalBroken: no such kind or field, or the field may not hold this; the message shows no value.
    """
    if kind not in KINDS:
        raise JournalBroken(f"there is no entry of the kind {kind!r}", where="journal", remedy="see edge.journal.kinds")
    for name, value in fields.items():
        held = KINDS[kind].get(name)
        if held is None:
            raise JournalBroken(f"an entry of the kind {kind!r} has no field {name!r}", where="journal")
        if not held.fits(value):
            raise JournalBroken(f"the field {name!r} of {kind!r} holds {held.name}, and nothing else", where="journal")
