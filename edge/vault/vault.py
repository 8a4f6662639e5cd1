"""The vault: what a card stands for, from enrolment to erasure.

    vault = Vault(store, keyring)
    draft = vault.prepare_enrolment(cell, terms, consent, by)   # seals and signs; draft.issued is handed over
    vault.commit(draft)                                         # writes the holder's row, and the record
    lock, ciphertext = vault.lock(claim)                        # what opens its one template, in a session's process
    vault.revoke(serial, operator, now_s=...)               # by the serial printed on the card
    vault.erase(serial, operator, now_s=...)                # and a receipt that says what was done

A vault gives the key of one template, for one claim, and opens none itself: `edge.session.cell` does. No function here
takes or gives several. Nothing is committed whose card
could not be handed over, so enrolment, re-issue and renewal are prepared first.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

from edge.errors import ClaimError, InputError, SealBroken
from edge.state import Binding, Counters, Numbers, SqliteFile, TrustedTime
from edge.trust import Keyring
from edge.types import Claim, Custody, SealedTemplate, Token
from edge.vault import issuing, retention
from edge.vault.consent import ConsentReceipt, earlier_subject_hash, subject_hash
from edge.vault.holder import NEVER, Holder, Status, named, unknown
from edge.vault.issuing import Draft, Issuance, Issued, Keeper, Terms
from edge.vault.ledger import KEY_LABEL
from edge.vault.record import kept
from edge.vault.retention import Due, Erasure, erase
from edge.vault.seal import Header, Lock, lock_of, made_by_another, record_id
from edge.vault.store import Store


class Vault:
    """The vault of one device.

    Args:
        store: its database. keyring: the device's keys, and the issuers that it trusts.

    Attributes:
        keep_days: the longest time that a template is kept, whatever its card says; None: as long as its card is valid.
            It may be tightened while the device runs.

    Of a change, ``note`` says what the journal is told afterwards; see `edge.vault.ledger`.
    """

    def __init__(self, store: Store, keyring: Keyring, keep_days: int | None = None) -> None:
        self.store, self.keyring, self.keep_days = store, keyring, keep_days
        self._subject_key = keyring.derive("edge/vault/subject/v1")

    @classmethod
    def at(
        cls,
        folder: Path,
        keyring: Keyring,
        state: SqliteFile,
        binding: Binding | Numbers,
        *,
        keep_days: int | None = None,
        **told: Any,
    ) -> Vault:
        """The vault in a state directory; see `Store` for ``binding``, ``told`` and what is raised."""
        return cls(Store(folder, keyring.derive(KEY_LABEL), binding, Counters(state), **told), keyring, keep_days)

    def lock(self, claim: Claim) -> tuple[Lock, bytes]:
        """What opens the one template that a claim stands for, and its ciphertext: for a session's own process.

        Args:
            claim: checked at admission.

        Raises:
            TokenRevoked: the card was revoked, replaced or erased on this device.
            TokenUnknown: device custody, and nothing is kept here for this card.
            SealBroken: it is malformed, or another claim's.
            VaultError: the store cannot be read, or a row was altered.
        """
        sealed, key = self._sealed(claim)
        return lock_of(sealed, claim, key), sealed.ciphertext

    def check(self, claim: Claim) -> None:
        """Return when a card still counts here. Raises `TokenRevoked`: it was revoked, replaced or erased."""
        holder = self.store.holder(claim.serial)
        if holder is not None:
            holder.refuse()

    def made_by(self, claim: Claim) -> bytes:
        """Which embedder made the template that a claim stands for, as its header says. Nothing is opened.

        Raises:
            TokenRevoked, TokenUnknown, SealBroken, VaultError: as `lock`.
        """
        try:
            return Header.parse(self._sealed(claim)[0].header).model
        except ValueError:
            raise SealBroken(
                "the template on this card cannot be read", where="template", remedy="ask the operator for a new card"
            ) from None

    def prepare_enrolment(self, cell: Keeper, terms: Terms, consent: ConsentReceipt, by: Issuance) -> Draft:
        """Have a reference sealed under a new card.

        Args:
            cell: has the person's captures.
            terms: what the card says. It expires earlier when `keep_days` or the consent ends earlier.
            consent: complete; its subject is kept as a keyed hash. Without one there is no way to enrol.

        Raises:
            ConsentMissing: none, dated in the future, or ended. UsageError: no operator.
            InputError: the card cannot say this.
        """
        named(by.operator)
        if not isinstance(consent, ConsentReceipt):
            raise issuing.no_consent()
        consent.check(by.now_s)
        terms = replace(terms, expires=self._last(terms.expires, by.now_s, consent.until, by.now_s))
        draft = self._draft(terms.token(self.keyring.site_id, by.random_bytes), cell, by.now_s, by)
        return replace(draft, holder=self._with_consent(draft.holder, None, consent, by))

    def prepare_reissue(
        self,
        claim: Claim,
        cell: Keeper,
        by: Issuance,
        *,
        expires: int | None = None,
        groups: tuple[str, ...] | None = None,
        further: bool = False,
    ) -> Draft:
        """A new card, with a new serial and secret, for the person who presents the old one, which it replaces.

        The template is opened with the old card and sealed again under the new one, in other numbers: the two cannot be
        linked without a card. It stays as old as it was. For a lost card there is nothing to open: revoke and enrol.

        Args:
            cell: a fresh one; with ``further`` the one that has this claim's template open, and captures.
            further: the captures are one more reference of this person, just verified by the caller, sealed beside
                those that are there. In device custody the card then stays, and `Issued.text` is None.

        Raises:
            as `lock` and `prepare_enrolment`. ModelMismatch: made by another embedder.
            InputError: there are as many references as a template may hold.
        """
        named(by.operator)
        lock, ciphertext = self.lock(claim)
        header = Header.parse(lock.header)
        references, model = header.references(len(ciphertext)), header.model
        if model.hex() == by.earlier:
            by = replace(by, model=model)  # a template keeps the identity that made it
        last = self._last(expires or claim.expires, header.made, self._consented(claim.serial), by.now_s)
        try:
            if model != by.model:
                raise made_by_another()
            if not further:
                cell.open(lock, ciphertext, model=model, references=references, threshold=2.0, most=0)
        finally:
            lock.wipe()
        terms = Terms(claim.custody, groups or claim.groups, claim.credential, claim.not_before, last)
        token = terms.token(claim.site, by.random_bytes)
        if further and claim.custody is Custody.DEVICE:
            token = replace(token, serial=claim.serial, secret=claim.secret, expires=claim.expires)
        draft = self._draft(token, cell, header.made, by, opened=references, kept=further)
        finish = self._same_card if token.serial == claim.serial else self._replacing
        return finish(claim, draft, None, by)

    def prepare_renewal(
        self,
        claim: Claim,
        cell: Keeper,
        by: Issuance,
        *,
        consent: ConsentReceipt | None = None,
        expires: int | None = None,
    ) -> Draft:
        """Replace a person's template by a fresh capture (ageing, glasses, a new model).

        The caller has verified the person, or has an operator's override. In device custody, and with the old date, the
        card stays the same and `Issued.text` is None; otherwise there is a new card and the old one is replaced.

        Args:
            cell: has the person's fresh captures. consent: a new receipt; None keeps the one on file.

        Raises:
            TokenRevoked, TokenUnknown, UsageError, InputError: as `lock` and `prepare_enrolment`.
            ConsentMissing: none is on file here and none was given.
        """
        named(by.operator)
        old = self.store.holder(claim.serial)
        if old is not None:
            old.refuse()
        if claim.custody is Custody.DEVICE and old is None:
            raise unknown()
        if consent is not None:
            consent.check(by.now_s)
        ends = consent.until if consent is not None else self._consented(claim.serial)
        last = self._last(expires or claim.expires, by.now_s, ends, by.now_s)
        terms = Terms(claim.custody, claim.groups, claim.credential, claim.not_before, last)
        if claim.custody is Custody.DEVICE and last == claim.expires:
            same = replace(terms.token(claim.site, by.random_bytes), serial=claim.serial, secret=claim.secret)
            return self._same_card(claim, self._draft(same, cell, by.now_s, by), consent, by)
        draft = self._draft(terms.token(claim.site, by.random_bytes), cell, by.now_s, by)
        return self._replacing(claim, draft, consent, by)

    def commit(self, draft: Draft, note: str = "") -> Issued:
        """Write what was prepared; from now on it counts, and the card that it replaces does not.

        Raises:
            VaultError: the store cannot be written; then nothing has changed.
        """
        with self.store.change() as change:
            change.put(draft.holder, draft.record)
            if (old := draft.replaces) is not None:
                change.drop_record(old.record_id)
                change.put(retention.ended(old, Status.REPLACED, draft.at, keep_person=False))
            change.note(note)
        return draft.issued

    def revoke(self, serial: bytes, operator: str, *, now_s: int, note: str = "") -> Holder:
        """Refuse a card from now on, enrolled here or not; its template here is deleted. Returns the row.

        Raises:
            UsageError: no operator. VaultError: the store cannot be written.
        """
        named(operator)
        old = self.store.holder(serial)
        if old is not None and old.status is not Status.ACTIVE:
            return old
        holder = old or Holder(serial, None, now_s, now_s, NEVER, now_s)
        ended = retention.ended(holder, Status.REVOKED, now_s, keep_person=True)
        with self.store.change() as change:
            change.drop_record(holder.record_id)
            change.put(ended)
            change.note(note)
        return ended

    def erase(self, serial: bytes, operator: str, *, now_s: int, note: str = "") -> Erasure:
        """Delete everything about a card's person but the serial, which stays refused until the card expires.

        Raises:
            InputError: nothing is kept here about this card. UsageError: no operator. VaultError: not writable.
        """
        named(operator)
        holder = self.store.holder(serial)
        if holder is None or holder.status is Status.ERASED:
            raise InputError(
                "nothing is kept on this device about this card",
                where="vault",
                remedy="revoke it, so that it is refused here; erase it where it was enrolled",
            )
        return erase(self.store, holder, now_s, note)

    def due(self, until_s: int) -> list[Due]:
        """What `expire` will let go at a time, earliest first."""
        return retention.due(self.store, until_s, self._keep_s)

    def last_moment(self, holder: Holder) -> Due:
        """When a row goes, and by which rule."""
        return retention.last_moment(holder, self._keep_s)

    def expire(self, now: TrustedTime, note: Callable[[Due], str] = lambda _: "") -> list[Due]:
        """Let go what has reached its last moment; nothing while the time is unconfirmed. Returns what went."""
        return retention.expire(self.store, now, self._keep_s, note)

    def cards_of(self, subject: str) -> list[Holder]:
        """The cards of a person, by the name or number on their consent receipt, oldest first."""
        found = [
            self.store.of_subject(name(subject, self._subject_key)) for name in (earlier_subject_hash, subject_hash)
        ]
        return sorted(found[0] + found[1], key=lambda holder: holder.enrolled)

    def people(self) -> int:
        """How many cards count here."""
        return sum(holder.status is Status.ACTIVE for holder in self.store.expiring(NEVER))

    def close(self) -> None:
        """Close the store. Harmless when repeated."""
        self.store.close()

    def references(self, claim: Claim) -> int:
        """How many references the template of a claim holds, by its size. Raises as `made_by`."""
        self.made_by(claim)
        sealed = self._sealed(claim)[0]
        return Header.parse(sealed.header).references(len(sealed.ciphertext))

    def size(self, claim: Claim) -> tuple[Header, int] | None:
        """What is readable of the template that a claim stands for: header and size in bytes, never the content.

        What a card carries stays on it when the card no longer counts. None: no template is kept, on the card or here.
        """
        try:
            sealed = claim.sealed or self._sealed(claim)[0]
            return Header.parse(sealed.header), len(sealed.ciphertext)
        except (ClaimError, ValueError):
            return None

    @property
    def _keep_s(self) -> int | None:
        return None if self.keep_days is None else self.keep_days * retention.DAY_S

    def _last(self, expires: int, made: int, ends: int | None, now_s: int) -> int:
        """The last moment of a new card."""
        kept = None if self._keep_s is None else made + self._keep_s
        return retention.earliest(expires, kept, ends, now_s)

    def _consented(self, serial: bytes) -> int | None:
        """When the consent on file for a card ends by itself."""
        holder = self.store.holder(serial)
        return None if holder is None else holder.consented_until

    def _sealed(self, claim: Claim) -> tuple[SealedTemplate, bytes]:
        """The sealed template of a claim, and the key that goes with its secret. Raises as `lock`."""
        self.check(claim)
        if claim.custody is Custody.DEVICE:
            holder, data = self.store.holder(claim.serial), self.store.template(record_id(claim.secret))
            return kept(data, holder, claim, self.keyring.trust), self.keyring.device_key
        return _carried(claim), self.keyring.site_key

    def _draft(
        self, token: Token, cell: Keeper, made: int, by: Issuance, *, opened: int = 0, kept: bool = True
    ) -> Draft:
        key = self.keyring.site_key if token.custody is Custody.CARD else self.keyring.device_key
        return issuing.draft(token, cell, made, key, by, opened=opened, kept=kept)

    def _same_card(self, claim: Claim, draft: Draft, consent: ConsentReceipt | None, by: Issuance) -> Draft:
        issued, old = replace(draft.issued, text=None), self.store.holder(claim.serial)
        return replace(draft, issued=issued, holder=self._with_consent(draft.holder, old, consent, by))

    def _replacing(self, claim: Claim, draft: Draft, consent: ConsentReceipt | None, by: Issuance) -> Draft:
        old = self.store.holder(claim.serial)
        row = old or Holder(claim.serial, None, by.now_s, claim.not_before, claim.expires, by.now_s)
        holder = self._with_consent(draft.holder, old, consent, by)
        return replace(draft, holder=holder, replaces=row, at=by.now_s)

    def _with_consent(self, holder: Holder, old: Holder | None, consent: ConsentReceipt | None, by: Issuance) -> Holder:
        if consent is not None:
            subject = subject_hash(consent.subject, self._subject_key)
            return replace(holder, receipt=consent.stored(by.operator, by.now_s), subject=subject)
        if old is None or not old.receipt:
            raise issuing.no_consent()
        return replace(holder, receipt=old.receipt, subject=old.subject)


def _carried(claim: Claim) -> SealedTemplate:
    if claim.sealed is None:
        raise SealBroken("the card holds no template", where="token", remedy="ask the operator for a new card")
    return claim.sealed
