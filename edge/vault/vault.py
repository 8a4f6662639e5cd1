"""The vault: what a card stands for, from enrolment to erasure.

    vault = Vault(store, keyring)
    issued = vault.enrol(vector, ...)                       # seals, signs, writes the holder's row; hands out the token
    with vault.open(claim, model_digest=m, session=s) as template: ...
    vault.revoke(serial, operator, now_s=...)               # by the serial printed on the card
    vault.erase(serial, operator, now_s=...)                # and a receipt that says what was done

A vault opens one template, for one claim. No function here takes or gives several. Enrolment, re-issue and renewal are
in `edge.vault.issuing`.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from edge.errors import ClaimError, InputError, SealBroken
from edge.state import Counters, SqliteFile
from edge.trust import IssuerKey, Keyring
from edge.types import I8, Claim, Custody, SealedTemplate, Template
from edge.vault import issuing, retention
from edge.vault.consent import ConsentReceipt, subject_hash
from edge.vault.erasure import Erasure, erase
from edge.vault.holder import NEVER, Holder, Status, named, unknown
from edge.vault.issuing import Card, Issued
from edge.vault.record import Record
from edge.vault.retention import Due, Time
from edge.vault.seal import Header, open_sealed, record_id
from edge.vault.store import Store


class Vault:
    """The vault of one device.

    Args:
        store: its database. keyring: the device's keys, and whom it trusts.

    Attributes:
        keep_days: the longest time that a template is kept, whatever its card says; None: as long as its card is valid.
            It may be tightened while the device runs.
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
        *,
        acknowledged_by: str = "",
        keep_days: int | None = None,
        read_only: bool = False,
    ) -> Vault:
        """The vault in a state directory; see `Store` for ``acknowledged_by``, ``read_only`` and what is raised."""
        key = keyring.derive("edge/vault/ledger/v1")
        store = Store(folder, key, Counters(state), acknowledged_by=acknowledged_by, read_only=read_only)
        return cls(store, keyring, keep_days)

    def open(self, claim: Claim, *, model_digest: bytes, session: str) -> Template:
        """Open the one template that a claim stands for.

        Args:
            claim: checked by the desk. model_digest: SHA-256 of the loaded embedder's file, 32 bytes.
            session: the template answers to this session only.

        Raises:
            TokenRevoked: the card was revoked, replaced or erased on this device.
            TokenUnknown: device custody, and nothing is kept here for this card.
            SealBroken: it does not open, or was altered. ModelMismatch: made by another embedder.
            VaultError: the store cannot be read, or a row was altered.
        """
        sealed, key = self._sealed(claim)
        return open_sealed(sealed, claim, key, model_digest=model_digest, session=session)

    def enrol(
        self,
        vector: I8,
        *,
        model_digest: bytes,
        consent: ConsentReceipt,
        operator: str,
        groups: tuple[str, ...],
        credential: int,
        issuer: IssuerKey,
        not_before: int,
        expires: int,
        custody: Custody,
        random_bytes: Callable[[int], bytes],
        now_s: int,
    ) -> Issued:
        """Seal a reference under a new card.

        Args:
            vector: int8 (D,), the person's reference. model_digest: of the embedder that made it, 32 bytes.
            consent: complete; its subject is kept as a keyed hash. Without one there is no way to enrol.
            operator: who enrols.
            groups, credential, not_before, expires: what the card says (`edge.claim.TokenBody`). It expires earlier
                when `keep_days` or the consent ends earlier.
            issuer: signs it. custody: where the sealed template goes.
            random_bytes: `os.urandom` outside tests. now_s: the trusted time, Unix seconds.

        Raises:
            ConsentMissing: none, dated in the future, or ended. UsageError: no operator.
            InputError: the card cannot say this.
            VaultError: the store cannot be written; then no card exists either.
        """
        named(operator)
        if not isinstance(consent, ConsentReceipt):
            raise issuing.no_consent()
        consent.check(now_s)
        expires = self._last(expires, now_s, consent.until, now_s)
        card = Card.new(self.keyring.site_id, groups, credential, not_before, expires, custody, random_bytes)
        receipt, subject = consent.stored(operator, now_s), subject_hash(consent.subject, self._subject_key)
        draft = self._draft(card, vector, model_digest, issuer, random_bytes, now_s)
        with self.store.change() as change:
            change.put(replace(draft.holder, receipt=receipt, subject=subject), draft.record)
        return draft.issued

    def reissue(
        self,
        claim: Claim,
        *,
        model_digest: bytes,
        operator: str,
        issuer: IssuerKey,
        random_bytes: Callable[[int], bytes],
        now_s: int,
        expires: int | None = None,
        groups: tuple[str, ...] | None = None,
    ) -> Issued:
        """A new card, with a new serial and secret, for the person who presents the old one; the old one is replaced.

        The template is opened with the old card and sealed again under the new one; it stays the same template, as old
        as it was. For a lost card there is nothing to open: revoke it and enrol again.

        Raises:
            as `open` and `enrol`.
        """
        named(operator)
        made = Header.parse(self._sealed(claim)[0].header).made
        last = self._last(expires or claim.expires, made, self._consented(claim.serial), now_s)
        with self.open(claim, model_digest=model_digest, session="reissue") as template:
            card = Card.like(claim, random_bytes, expires=last, groups=groups)
            draft = self._draft(card, template.read("reissue"), model_digest, issuer, random_bytes, made)
        return self._replace(claim, draft, None, operator, now_s)

    def renew(
        self,
        claim: Claim,
        vector: I8,
        *,
        model_digest: bytes,
        operator: str,
        issuer: IssuerKey,
        random_bytes: Callable[[int], bytes],
        now_s: int,
        consent: ConsentReceipt | None = None,
        expires: int | None = None,
    ) -> Issued:
        """Replace a person's template by a fresh capture (ageing, glasses, a new model).

        The caller has verified the person, or has an operator's override. In device custody, and with the old date, the
        card stays the same and `Issued.token` is None; otherwise there is a new card and the old one is replaced.

        Args:
            consent: a new receipt; None keeps the one on file.

        Raises:
            TokenRevoked, TokenUnknown, UsageError, InputError, VaultError: as `open` and `enrol`.
            ConsentMissing: none is on file here and none was given.
        """
        named(operator)
        old = self.store.holder(claim.serial)
        if old is not None:
            old.refuse()
        if claim.custody is Custody.DEVICE and old is None:
            raise unknown()
        if consent is not None:
            consent.check(now_s)
        ends = consent.until if consent is not None else self._consented(claim.serial)
        last = self._last(expires or claim.expires, now_s, ends, now_s)
        same = claim.custody is Custody.DEVICE and last == claim.expires
        card = Card.of(claim) if same else Card.like(claim, random_bytes, expires=last)
        draft = self._draft(card, vector, model_digest, issuer, random_bytes, now_s)
        if not same:
            return self._replace(claim, draft, consent, operator, now_s)
        holder = self._with_consent(draft.holder, old, consent, operator, now_s)
        with self.store.change() as change:
            change.put(holder, draft.record)
        return replace(draft.issued, token=None)

    def revoke(self, serial: bytes, operator: str, *, now_s: int) -> Holder:
        """Refuse a card from now on, whether or not it was enrolled here; its template here is deleted.

        Returns:
            The row as it is now.

        Raises:
            UsageError: no operator. VaultError: the store cannot be written.
        """
        named(operator)
        old = self.store.holder(serial)
        if old is not None and old.status is not Status.ACTIVE:
            return old
        holder = old or Holder(serial, None, now_s, now_s, NEVER, now_s)
        return self._end(holder, Status.REVOKED, now_s, keep_person=True)

    def erase(self, serial: bytes, operator: str, *, now_s: int) -> Erasure:
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
        return erase(self.store, holder, now_s)

    def due(self, until_s: int) -> list[Due]:
        """What `expire` will let go at a time, earliest first."""
        return retention.due(self.store, until_s, self._keep_s)

    def last_moment(self, holder: Holder) -> Due:
        """When a row goes, and by which rule."""
        return retention.last_moment(holder, self._keep_s)

    def expire(self, now: Time) -> list[Due]:
        """Let go what has reached its last moment; nothing while the time is unconfirmed. Returns what went."""
        return retention.expire(self.store, now, self._keep_s)

    def cards_of(self, subject: str) -> list[Holder]:
        """The cards of a person, by the name or number on their consent receipt."""
        return self.store.of_subject(subject_hash(subject, self._subject_key))

    def close(self) -> None:
        """Close the store. Harmless when repeated."""
        self.store.close()

    def size(self, claim: Claim) -> tuple[Header, int] | None:
        """What is readable of the template that a claim stands for: header and size in bytes, never the content.

        None when no template is kept: neither on the card nor here.
        """
        try:
            sealed, _ = self._sealed(claim)
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
        """The sealed template of a claim, and the key that goes with its secret. Raises as `open`."""
        holder = self.store.holder(claim.serial)
        if holder is not None:
            holder.refuse()
        if claim.custody is Custody.DEVICE:
            return self._stored(claim, holder), self.keyring.device_key
        return _carried(claim), self.keyring.site_key

    def _stored(self, claim: Claim, holder: Holder | None) -> SealedTemplate:
        """The sealed template of device custody, after its digest and the issuer's signature were checked."""
        name = record_id(claim.secret)
        data = self.store.template(name) if holder is not None else None
        if holder is None or data is None:
            raise unknown()
        if holder.record_id != name or not hmac.compare_digest(
            hashlib.sha256(data).digest(), holder.record_digest or b""
        ):
            raise SealBroken(
                "the record on this device is not the one that was enrolled last for this card",
                where="template",
                remedy="ask the operator to enrol the person again",
            )
        record = Record.unpack(data)
        record.verify(claim.serial, self.keyring.trust)
        return record.sealed

    def _draft(
        self,
        card: Card,
        vector: I8,
        model_digest: bytes,
        issuer: IssuerKey,
        random_bytes: Callable[[int], bytes],
        made: int,
    ) -> issuing.Draft:
        key = self.keyring.site_key if card.custody is Custody.CARD else self.keyring.device_key
        return issuing.draft(card, vector, model_digest, key, issuer, random_bytes, made)

    def _replace(
        self, claim: Claim, draft: issuing.Draft, consent: ConsentReceipt | None, operator: str, now_s: int
    ) -> Issued:
        old = self.store.holder(claim.serial)
        holder = self._with_consent(draft.holder, old, consent, operator, now_s)
        tombstone = old or Holder(claim.serial, None, now_s, claim.not_before, claim.expires, now_s)
        with self.store.change() as change:
            change.put(holder, draft.record)
            change.drop_record(tombstone.record_id)
            change.put(retention.ended(tombstone, Status.REPLACED, now_s, keep_person=False))
        return draft.issued

    def _with_consent(
        self, holder: Holder, old: Holder | None, consent: ConsentReceipt | None, operator: str, now_s: int
    ) -> Holder:
        if consent is not None:
            subject = subject_hash(consent.subject, self._subject_key)
            return replace(holder, receipt=consent.stored(operator, now_s), subject=subject)
        if old is None or not old.receipt:
            raise issuing.no_consent()
        return replace(holder, receipt=old.receipt, subject=old.subject)

    def _end(self, holder: Holder, status: Status, now_s: int, *, keep_person: bool) -> Holder:
        ended = retention.ended(holder, status, now_s, keep_person=keep_person)
        with self.store.change() as change:
            change.drop_record(holder.record_id)
            change.put(ended)
        return ended


def _carried(claim: Claim) -> SealedTemplate:
    if claim.sealed is None:
        raise SealBroken("the card holds no template", where="token", remedy="ask the operator for a new card")
    return claim.sealed
