"""The first observer of a device: its journal. The one place where an event becomes an entry.

    ledger(Decided(...))          # returns when the entry is on the disk

It is called in line: what must be on the disk is there before the door moves. Events that nothing has to be shown of
afterwards (guidance, progress, readiness) leave no entry.
"""

from __future__ import annotations

import time
from collections.abc import Iterable
from dataclasses import dataclass

from edge.journal import FILE, Entry, Journal
from edge.journal.kinds import Value
from edge.service.records import Records
from edge.settings.model import Settings
from edge.state import ClockGuard
from edge.trust import KeyChange, Keyring
from edge.trust.keyfile import comment_line
from edge.types import acts, sight
from edge.types import events as ev

#: So many entries back at most, the last start is looked for, to see whether the settings are others now.
_BACK = 512
#: Kind and fields of an entry.
Told = tuple[str, dict[str, Value]]


@dataclass(frozen=True, slots=True)
class Ledger:
    """The journal of one device.

    Args:
        journal: opened.
    """

    journal: Journal

    def __call__(self, event: ev.Event) -> None:
        """Write what an event says into the journal.

        Raises:
            JournalBroken: it cannot be written; the device must not go on.
        """
        match event:
            case ev.Decided() | ev.ClaimRefused():
                self.journal.decided(event.decision)
            case ev.AlternativeChosen(decision=decision):
                self.journal.write("alternative", serial=decision.serial, credential=decision.credential or 0)
            case ev.Faulted() if event.faults:
                for fault in sorted(event.faults):
                    self.journal.write("fault", error=event.error, room=event.room, fault=fault.value)
            case _:
                if (entry := entry_of(event)) is not None:
                    kind, fields = entry
                    self.journal.write(kind, **fields)

    def about(self, serial: bytes) -> list[Entry]:
        """The entries that name a card, oldest first. Raises `JournalBroken`."""
        return self.journal.about(serial)

    def last_settings(self) -> str:
        """Digest of the settings at the last start; empty when none is near the end. Raises `JournalBroken`."""
        starts = (entry.fields for entry in reversed(self.journal.last(_BACK)) if entry.kind == "started")
        return str(next(starts, {}).get("settings", ""))


def entry_of(event: ev.Event) -> Told | None:
    """Kind and fields of the entry of an event that makes one at most; None when it leaves none."""
    return _act(event) if isinstance(event, acts.Act) else _entry(event)


def _act(event: acts.Act) -> Told | None:
    """An operator's act, by name."""
    by: dict[str, Value] = {"serial": event.serial.hex(), "operator": event.operator}
    match event:
        case acts.Enrolled(custody=custody, expires=expires, issuer=issuer):
            return "enrolled", {**by, "custody": custody.value, "expires": expires, "issuer": issuer.hex()}
        case acts.OptedOut(expires=expires, issuer=issuer):
            return "opted_out", {**by, "expires": expires, "issuer": issuer.hex()}
        case acts.Renewed(replaces=replaces, expires=expires, override=override):
            return "renewed", {**by, "replaces": replaces.hex(), "expires": expires, "override": override}
        case acts.Reissued(replaces=replaces, expires=expires):
            return "reissued", {**by, "replaces": replaces.hex(), "expires": expires}
        case acts.ReferenceAdded(replaces=replaces, expires=expires, references=references):
            told: dict[str, Value] = {"replaces": replaces.hex(), "expires": expires, "references": references}
            return "reference_added", {**by, **told}
        case acts.PinSet():
            return "pin_set", by
        case acts.PinDrawn():
            return "pin_drawn", by
        case acts.Revoked():
            return "revoked", by
        case acts.Erased():
            return "erased", by
        case acts.Reset(rejects=rejects):
            return "reset", {**by, "rejects": rejects}
        case acts.DoorReset(operator=operator, level=level, cards=cards):
            return "fan_out_reset", {"operator": operator, "level": level, "cards": cards}
        case acts.Confirmed(what="clock", operator=operator, to=int(to), before=int(before)):
            return "clock", {"confirmed": True, "operator": operator, "to": to, "from": before}
        case acts.Confirmed(what=what, operator=operator):
            return "acknowledged", {"what": what, "operator": operator}
        case acts.Sitting(operator=operator, change=change, failures=failures):
            counted: dict[str, Value] = {"failures": failures} if failures else {}
            return "sitting", {"operator": operator, "change": change, **counted}
        case acts.PackAdded(operator=operator, pack=pack, digest=digest, signer=signer):
            return "pack", {"pack": pack[:32], "digest": digest, "signer": signer[:32], "operator": operator}
    return None


def _entry(event: ev.Event) -> Told | None:
    """Kind and fields of the entry of an event that is nobody's act; None when it leaves none."""
    match event:
        case ev.Starting():
            fields: dict[str, Value] = {
                name: getattr(event, name)
                for name in ("version", "profile", "settings", "model", "door", "camera", "signed")
            }
            signer: dict[str, Value] = {"signer": event.signer} if event.signer else {}
            return "started", {**fields, **signer, "may_drive": "log-only" if event.log_only else "any"}
        case acts.SettingsChanged(digest=digest):
            return "settings", {"digest": digest}
        case ev.ClaimUnderPin(serial=serial):
            return "pin_alone", {"serial": serial}
        case ev.Stopped(cause=cause):
            return "stopped", {"cause": cause}
        case ev.Faulted(error=error, room=room):
            return "fault", {"error": error, "room": room}
        case ev.AttackSuspected(species=species, session=session):
            return "attack", {"species": species.value, **({"session": session} if session else {})}
        case ev.DoorOpened(driver=driver, session=session) | ev.DoorLocked(driver=driver, session=session):
            change = "opened" if isinstance(event, ev.DoorOpened) else "locked"
            return "door", {"change": change, "driver": driver, **({"session": session} if session else {})}
        case sight.ExitRequested(driver=driver):
            return "door", {"change": "exit", "driver": driver}
        case sight.DoorMoved(open=is_open):
            return "door", {"change": "open" if is_open else "closed", "driver": "contact"}
        case sight.DoorForced() | sight.DoorHeld():
            return "door", {"change": "forced" if isinstance(event, sight.DoorForced) else "held", "driver": "contact"}
        case sight.Tampered(open=is_open):
            return "tamper", {"open": is_open}
        case ev.DoorFault(driver=driver, session=session):
            return "door", {"change": "fault", "driver": driver, **({"session": session} if session else {})}
        case acts.SelfTested(fit=fit, failed=failed, check=check):
            named: dict[str, Value] = {"check": check.replace(" ", "-")[:32]} if check else {}
            return "selftest", {"passed": fit, "failed": failed, **named}
        case acts.KeysChanged(key=key, change=change, operator=operator, id=id):
            extra: dict[str, Value] = {**({"operator": operator} if operator else {}), **({"id": id} if id else {})}
            return "keys", {"key": key, "change": change, **extra}
        case acts.PolicyChanged(standing=standing, findings=findings, rule=rule):
            return "policy", {"standing": standing, "findings": findings, **({"rule": rule[:32]} if rule else {})}
        case acts.GuardTripped(level=level, cards=cards, wait_s=wait_s):
            return "fan_out", {"level": level, "cards": cards, "wait": wait_s}
        case acts.RefusalsLeftOut(count=count):
            return "refusals", {"left_out": count}
        case acts.ClockChanged(confirmed=confirmed, to=to):
            return "clock", {"confirmed": confirmed, "to": to}
        case acts.Expired(serial=serial, what=what, rule=rule):
            return "expired", {"serial": serial.hex(), "what": what, "rule": rule}
        case acts.Reported(serial=serial):
            return "reported", {"serial": serial.hex()}
    return None


def journal_keys(settings: Settings, changes: Iterable[KeyChange], operator: str) -> None:
    """Write changes of a device's keys into its journal, where it has one: a device begins it with its first start.

    Raises:
        KeyringError, StateError, JournalBroken: the journal cannot be written.
    """
    folder = settings.device.state_dir
    if not (folder / FILE).exists():
        return
    keyring = Keyring.load(folder, settings.device.trust_dir)
    by = comment_line(operator)[:32] or "unknown"
    records = Records.open(folder, keyring, clock=ClockGuard, with_vault=False)
    try:
        ledger = Ledger(records.journal)
        for change in changes:
            now = time.monotonic_ns()
            ledger(acts.KeysChanged(at_ns=now, key=change.key, change=change.change, operator=by, id=change.id))
    finally:
        records.close()
