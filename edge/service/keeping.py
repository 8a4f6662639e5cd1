"""Acts of a named person about cards that are there, and about the door: no camera, nothing is handed out."""

from __future__ import annotations

from typing import Any

from edge.errors import ClaimError, UsageError
from edge.service import rights
from edge.service.device import Device
from edge.service.under_pin import opened
from edge.service.unfinished import noted
from edge.types import Custody, acts
from edge.types.wipe import wipe
from edge.vault import parse_serial, serial_text


class Keeping:
    """A part of `edge.service.Operator`, which makes it.

    Attributes:
        device: opened. name: of the operator; journalled with every act.
    """

    device: Device
    name: str

    def set_pin(self, token: str, pin: str) -> dict[str, Any]:
        """Set the PIN of a card at this door, in the place of an earlier one; see `edge.state.pins`.

        Raises:
            ClaimError: the card was refused, or has no template. InputError: no PIN, or one that anybody tries first.
        """
        claim = self.device._admission.receive(token, 0)
        wipe(claim.secret)
        if claim.custody is Custody.NONE:
            raise ClaimError("this card opens nothing", where="PIN", remedy="it needs no PIN")
        self.device._pins.set(claim.serial, pin, expires=claim.expires)
        self._tell(acts.PinSet, claim.serial)
        return {"schema": "edge/pin/v1", "serial": serial_text(claim.serial), "error": None}

    def draw_pin(self, token: str) -> dict[str, Any]:
        """Put a card under a PIN that is drawn here, where a PIN may stand for a card; see `edge.state.pin_alone`.

        Returns:
            The PIN, which is shown once and kept nowhere; a second one takes the place of the first.

        Raises:
            ClaimError: the card was refused, or has no template. UsageError: no PIN stands for a card here.
            NotInThisBuild: nor could it. InputError: as many cards lie here as fit.
        """
        alone = opened(self.device)
        if alone is None:
            remedy = "give the person the card; `claim.pin` and deploy/THREATS.md say what a PIN alone is worth"
            raise UsageError("at this door no PIN stands for a card", where="claim.pin", remedy=remedy)
        claim = self.device._admission.receive(token, 0)
        wipe(claim.secret)
        if claim.custody is not Custody.DEVICE:
            raise ClaimError("its template is not kept at this door", where="PIN", remedy="enrol the person here")
        pin = alone.draw(claim.serial, token, expires=claim.expires)
        self._tell(acts.PinDrawn, claim.serial)
        return {"schema": "edge/pin/v1", "serial": serial_text(claim.serial), "pin": pin, "error": None}

    def revoke(self, serial: str) -> dict[str, Any]:
        """Refuse a card from now on, whether or not it was enrolled here; its template on this device is deleted.

        Args:
            serial: as printed on the card.

        Raises:
            InputError: no serial. VaultError: the store cannot be written.
        """
        device, number = self.device, parse_serial(serial)
        act = self._act(acts.Revoked, number)
        holder = device._vault.revoke(number, self.name, now_s=device._clock.now().utc_s, note=noted(act))
        device._pins.forget(number)
        device.tell(act)
        said = {"serial": serial_text(number), "status": holder.status.value}
        return {"schema": "edge/revocation/v1", **said, "error": None}

    def erase(
        self, *, token: str | None = None, serial: str | None = None, subject: str | None = None
    ) -> dict[str, Any]:
        """Delete everything kept here about a person, named in one way.

        Args:
            token: of their card. serial: as printed on it. subject: the name or number on the consent record.

        Returns:
            ``erased``: one object a card; `edge.papers.report` makes a paper of each.

        Raises:
            InputError: nobody of this name has a card here. VaultError, StateError: it could not be done.
        """
        device = self.device
        if token is not None:
            claim = rights.claim_of(device, token)
            done = rights.erase(device, [claim.serial], self.name, custody=claim.custody)
        else:
            numbers = [parse_serial(serial)] if serial is not None else rights.serials_of(device, subject or "")
            done = rights.erase(device, numbers, self.name)
        return {"schema": "edge/erasures/v1", "erased": [receipt.as_json() for receipt in done], "error": None}

    def reset(self, serial: str) -> dict[str, Any]:
        """Clear the lockout of a card.

        Raises:
            InputError: no serial. StateError: it could not be written.
        """
        device, number = self.device, parse_serial(serial)
        before = device._limits.reset(number, self.name)
        self._tell(acts.Reset, number, rejects=before.rejects)
        return {"schema": "edge/reset/v1", "serial": serial_text(number), "rejects": before.rejects, "error": None}

    def reset_door(self) -> dict[str, Any]:
        """Clear the delays of this door, the fan-out guard's included. Raises `StateError`."""
        device = self.device
        guard = device._limits.reset_door(self.name)
        self._tell(acts.DoorReset, level=guard.level, cards=guard.cards)
        return {"schema": "edge/reset/v1", "level": guard.level, "cards": guard.cards, "error": None}

    def confirm(self, what: str) -> dict[str, Any]:
        """Take the responsibility for what the device must not decide alone.

        Args:
            what: ``clock``: the system clock is right though it jumped. ``vault`` and ``state``: that the two do not
                fit together any more was meant; the device has to be opened with `Parts.acknowledged_by` for it.

        Raises:
            StateError: it could not be written.
        """
        device = self.device
        before = to = None
        if what == "clock":
            before, to = device._clock.now().believed_s, device._clock.confirm(self.name).utc_s
        self._tell(acts.Confirmed, what=what, before=before, to=to)
        return {"schema": "edge/confirmation/v1", "what": what, "from": before, "to": to, "error": None}

    def _tell(self, act: type[acts.Act], serial: bytes = b"", **more: Any) -> None:
        self.device.tell(self._act(act, serial, **more))

    def _act(self, act: type[acts.Act], serial: bytes, **more: Any) -> acts.Act:
        return act(at_ns=self.device.now_ns(), operator=self.name, serial=serial, **more)
