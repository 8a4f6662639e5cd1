"""Every act of a named person on one device: enrol, renew, re-issue, revoke, erase, reset, confirm.

    operator = Operator(device, "kim")
    answer = operator.enrol(issuer=key, consent=receipt, hand_over=write_the_card)

Each act goes the same way: check rights and policy, prepare, hand over, commit, tell. Nothing is committed whose card
could not be handed over; what was prepared leaves no trace then. An act answers with the object that its command
prints with ``--json``, so a command, a page of a kiosk and a script work alike, on a device of their own or through the
socket of a running one (`edge.service.remote`).
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from typing import Any

from edge.claim import Issuer
from edge.errors import ClaimError, UsageError
from edge.service.declared import need_as_declared
from edge.service.desk import Desk
from edge.service.device import Device
from edge.service.handing import HandOver, commit_handed_over, handed_over
from edge.service.keeping import Keeping
from edge.service.sitting import LOOKED_AT, Sitting
from edge.service.unfinished import noted
from edge.session.cells import ClosedCell
from edge.settings.checks import need_alternative
from edge.types import Custody, Frame, Reader, Stream, Token, acts
from edge.vault import ConsentReceipt, Draft, Issuance, Terms, issued_json
from edge.vault.holder import named
from edge.vault.issuing import need_room, without_template

DAY_S = 86_400
#: The acts that can be asked for by name; see `Operator.do`.
ACTS = (
    *("enrol", "opt_out", "renew", "add_reference", "reissue", "set_pin", "draw_pin"),
    *("revoke", "erase", "reset", "reset_door", "confirm"),
    *LOOKED_AT,
)


class Operator(Sitting, Keeping):
    """The acts of one named person.

    Args:
        device: opened. name: of the operator; journalled with every act.
        stream: gives a stream of the device's own that is open already; None: a new one, for as long as it takes.
        readers: of the device, for `Sitting.card`.
        cancelled: asked during a capture; true ends it, and nothing is kept.

    Raises:
        UsageError: no name.
    """

    def __init__(
        self,
        device: Device,
        name: str,
        *,
        stream: Callable[[], AbstractContextManager[Stream]] | None = None,
        readers: Sequence[Reader] = (),
        cancelled: Callable[[], bool] = lambda: False,
    ) -> None:
        named(name)
        self.device, self.name = device, name
        self._desk = Desk(device, stream or device.stream, cancelled)
        self._stream, self._readers, self._cancelled = stream or device.stream, readers, cancelled

    def do(self, act: str, **arguments: Any) -> dict[str, Any]:
        """Carry out an act by its name, as a command does that does not know whether the door runs elsewhere.

        Args:
            act: one of `ACTS`. arguments: of the method of that name.

        Raises:
            UsageError: no such act, or not with these arguments.
        """
        if act not in ACTS:
            raise UsageError(f"there is no act {act!r}", where="operator", remedy=f"one of: {', '.join(ACTS)}")
        perform: Callable[..., dict[str, Any]] = getattr(self, act)
        return perform(**arguments)

    def enrol(
        self,
        *,
        issuer: Issuer,
        consent: ConsentReceipt,
        hand_over: HandOver,
        groups: Sequence[str] = (),
        credential: int = 0,
        days: int | None = None,
        pictures: Sequence[Frame] = (),
    ) -> dict[str, Any]:
        """Capture a person who consents, seal the template, hand out the card.

        Args:
            issuer: signs the card. consent: the person's, complete. hand_over: see `HandOver`.
            groups: door groups that the card opens; none: this door's. credential: for an access panel.
            days: validity; None: as the settings say.
            pictures: to enrol from in the place of the camera (development builds).

        Raises:
            PolicyStops: a rule stops enrolments. Unfit: the settings name no other way in.
            ConsentMissing, InputError: no consent that holds, or no usable captures.
            NotHandedOver: the card could not be handed over; nobody was enrolled.
        """
        device, settings = self.device, self.device.settings
        enrolment = self._desk.enrolment()
        need_as_declared(settings, device.build.statement, people=device._vault.people() + 1, consent=consent)
        consent.check(device._clock.now().utc_s)
        with self._cell() as cell:
            self._desk._capture(enrolment, cell, pictures)
            by = self._issuance(issuer)
            custody, expires = Custody(settings.vault.custody), by.now_s + (days or settings.vault.days) * DAY_S
            terms = Terms(custody, tuple(groups) or (settings.claim.group,), credential, by.now_s, expires)
            draft = device._vault.prepare_enrolment(cell, terms, consent, by)
        return self._hand_out(draft, hand_over, acts.Enrolled, custody=custody, issuer=issuer.key_id)

    def opt_out(
        self,
        *,
        issuer: Issuer,
        hand_over: HandOver,
        groups: Sequence[str] = (),
        credential: int = 0,
        days: int | None = None,
    ) -> dict[str, Any]:
        """Hand out a card without a template: its holder is shown the other way in, with no camera and no consent.

        Nothing of it is kept here; it is revoked by its serial like any other. Arguments as of `enrol`.

        Raises:
            Unfit: the settings name no other way in. InputError: the card cannot say this.
            NotHandedOver: the card could not be handed over.
        """
        device, settings = self.device, self.device.settings
        need_alternative(settings.alternative)
        device._clock.now().need_confirmed()
        by = self._issuance(issuer)
        expires = by.now_s + (days or settings.vault.days) * DAY_S
        terms = Terms(Custody.NONE, tuple(groups) or (settings.claim.group,), credential, by.now_s, expires)
        issued = without_template(terms, device._keyring.site_id, by)
        take_back = handed_over(hand_over, issued, {})
        try:
            self._tell(acts.OptedOut, issued.card.serial, expires=expires, issuer=issuer.key_id)
        except BaseException:
            take_back()
            raise
        return issued_json(issued.card, None)

    def renew(
        self,
        token: str,
        *,
        issuer: Issuer,
        hand_over: HandOver,
        override: bool = False,
        consent: ConsentReceipt | None = None,
        days: int | None = None,
        pictures: Sequence[Frame] = (),
    ) -> dict[str, Any]:
        """Replace the template of a card's holder by a fresh capture.

        The holder is verified first, and every capture must match the template that was just opened, in the same
        stream. ``override`` takes both away on the operator's word, and is journalled.

        Args:
            token: of the card. consent: a new receipt; None keeps the one on file. The rest: as `enrol`.

        Raises:
            ClaimError: the card was refused, or its holder was not verified. The rest: as `enrol`.
        """
        device = self.device
        enrolment = self._desk.enrolment()
        need_as_declared(device.settings, device.build.statement, consent=consent)
        claim = device._admission.receive(token, 0)
        if claim.custody is Custody.NONE:
            raise ClaimError("this card has no template", where="--renew", remedy="enrol the person, if they want to")
        with self._cell() as cell:
            if override:
                self._desk._capture(enrolment, cell, pictures)
            else:
                self._desk._capture_of_holder(enrolment, cell, token, claim, pictures, act="--renew")
            by = self._issuance(issuer)
            expires = by.now_s + days * DAY_S if days else None
            draft = device._vault.prepare_renewal(claim, cell, by, consent=consent, expires=expires)
        return self._hand_out(draft, hand_over, acts.Renewed, replaces=claim.serial, override=override)

    def add_reference(
        self, token: str, *, issuer: Issuer, hand_over: HandOver, pictures: Sequence[Frame] = ()
    ) -> dict[str, Any]:
        """One more reference of a card's holder, beside those in the template: another day, with other spectacles.

        The holder is verified as for `renew`, but nobody can vouch for it. In device custody the card stays.

        Raises:
            ClaimError: the card was refused, or its holder was not verified. ModelMismatch: made by another embedder.
            ModelError: the calibration does not support the target with so many references.
            InputError: no more references fit the template or the card. The rest: as `enrol`.
        """
        device = self.device
        enrolment = self._desk.enrolment()
        claim = device._admission.receive(token, 0)
        if claim.custody is Custody.NONE:
            raise ClaimError("this card has no template", where="--add-reference", remedy="enrol the person first")
        by = self._issuance(issuer)
        references = device._vault.references(claim) + 1
        need_room(claim, device._chain.dimension, references)
        device._verifier.threshold_of(device._chain, references)
        with self._cell() as cell:
            self._desk._capture_of_holder(enrolment, cell, token, claim, pictures, act="--add-reference")
            draft = device._vault.prepare_reissue(claim, cell, by, further=True)
        return self._hand_out(draft, hand_over, acts.ReferenceAdded, replaces=claim.serial, references=references)

    def reissue(
        self,
        token: str,
        *,
        issuer: Issuer,
        hand_over: HandOver,
        groups: Sequence[str] = (),
        days: int | None = None,
    ) -> dict[str, Any]:
        """A new card, with a new serial and secret, for the holder of an old one; the template stays the same.

        Args:
            token: of the old card. groups: door groups of the new one; none: the old ones. The rest: as `enrol`.

        Raises:
            ClaimError: the card was refused. ModelMismatch: its template was made by another embedder: renew it.
            NotHandedOver: the card could not be handed over; the old one still counts.
        """
        device = self.device
        device.policy.need_enrolments()
        claim = device._admission.receive(token, 0)
        by = self._issuance(issuer)
        expires = by.now_s + days * DAY_S if days else None
        with self._cell() as cell:
            draft = device._vault.prepare_reissue(claim, cell, by, expires=expires, groups=tuple(groups) or None)
        return self._hand_out(draft, hand_over, acts.Reissued, replaces=claim.serial)

    def _hand_out(self, draft: Draft, hand_over: HandOver, act: type[acts.Act], **more: Any) -> dict[str, Any]:
        """Hand a card over, commit, tell the act; its answer."""
        device, card = self.device, draft.issued.card
        done = self._act(act, card.serial, expires=card.expires, **more)
        commit_handed_over(device._vault, device._limits, draft, hand_over, noted(done))
        if (old := more.get("replaces", card.serial)) != card.serial:
            device._pins.forget(old)
        device.tell(done)
        return self._answer(card)

    def _issuance(self, issuer: Issuer) -> Issuance:
        device = self.device
        chain, now_s = device._chain, device._clock.now().utc_s
        model, earlier = bytes.fromhex(chain.model), chain.embedder.card.earlier or ""
        return Issuance(issuer, self.name, model, chain.dimension, now_s, os.urandom, earlier)

    def _cell(self) -> ClosedCell:
        return self.device._cells._begin(self.device._new_session())

    def _answer(self, card: Token) -> dict[str, Any]:
        holder = self.device._vault.store.holder(card.serial)
        return issued_json(card, holder.consent if holder is not None else None)
