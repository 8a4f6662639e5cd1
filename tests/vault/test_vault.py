"""The vault: one template for one claim, from enrolment to erasure, in both custodies."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from edge.errors import (
    ConsentMissing,
    InputError,
    ModelMismatch,
    SealBroken,
    TokenRevoked,
    TokenUnknown,
    UsageError,
    VaultError,
)
from edge.session.cell import Cell
from edge.trust import IssuerKey
from edge.types import Custody
from edge.vault import ConsentReceipt, Record, Status, record_id
from edge.vault.seal import Header
from tests.vault.conftest import same

NOW = 1_790_000_000
BOTH = pytest.mark.parametrize("custody", [Custody.CARD, Custody.DEVICE])


@dataclass
class Time:
    utc_s: int
    confirmed: bool = True


def rows(device, sql: str, *values: object) -> list[tuple]:
    """What somebody sees who opens the file with another program."""
    with sqlite3.connect(device.vault.store.path) as db:
        found = db.execute(sql, values).fetchall()
    db.close()
    return found


@BOTH
def test_the_card_of_an_enrolled_person_opens_their_template(device, custody):
    vector = device.vector()
    issued = device.enrol(custody, vector)
    assert same(device.opens(device.claim(issued)), vector)
    assert issued.card.serial_text.count("-") == 7
    assert "EV1" not in repr(issued)


@BOTH
def test_one_card_opens_one_template_and_no_other(device, custody):
    vectors = [device.vector() for _ in range(5)]
    cards = [device.enrol(custody, vector) for vector in vectors]
    for card, vector in zip(cards, vectors, strict=True):
        assert same(device.opens(device.claim(card)), vector)
    mixed = replace(device.claim(cards[0]), secret=device.claim(cards[1]).secret)
    with pytest.raises(SealBroken):
        device.opens(mixed)


def test_card_custody_keeps_no_template_on_any_door_and_opens_at_every_door_of_the_site(device, other_device):
    vector = device.vector()
    issued = device.enrol(Custody.CARD, vector)
    assert rows(device, "SELECT * FROM template") == []
    assert same(other_device.opens(other_device.claim(issued)), vector)


def test_device_custody_opens_on_the_device_of_the_enrolment_only(device, other_device):
    issued = device.enrol(Custody.DEVICE)
    with pytest.raises(TokenUnknown):
        other_device.opens(other_device.claim(issued))


def test_a_record_carried_to_another_device_does_not_open_there(device, other_device):
    issued = device.enrol(Custody.DEVICE)
    claim = device.claim(issued)
    holder, record = device.vault.store.holder(claim.serial), device.vault.store.template(record_id(claim.secret))
    with other_device.vault.store.change() as change:
        change.put(holder, record)
    with pytest.raises(SealBroken):
        other_device.opens(claim)


def test_a_record_with_a_single_altered_byte_does_not_open(device, flips):
    claim = device.claim(device.enrol(Custody.DEVICE))
    store, name = device.vault.store, record_id(claim.secret)
    holder, record = store.holder(claim.serial), store.template(name)
    for altered in flips(record):
        with store.change() as change:  # a consistent ledger: only seal and signature are left to notice
            change.put(holder, altered)
        with pytest.raises(SealBroken):
            device.opens(claim)
    with store.change() as change:
        change.put(holder, record)
    assert len(device.opens(claim)) == 128


def test_card_and_device_key_together_cannot_put_another_face_under_the_card(device):
    """Somebody with a card and root on its device seals their own face correctly, but cannot sign the record."""
    claim = device.claim(device.enrol(Custody.DEVICE))
    store, name = device.vault.store, record_id(claim.secret)
    holder, genuine = store.holder(claim.serial), Record.unpack(store.template(name))
    stranger = IssuerKey.generate(device.dice.randbytes)
    forged = Record.sign(genuine.sealed, claim.serial, stranger)
    for record in (forged, replace(forged, issuer=genuine.issuer)):
        with store.change() as change:
            change.put(holder, record.pack())
        with pytest.raises(SealBroken, match="not signed"):
            device.opens(claim)


def test_an_older_record_put_back_is_noticed(device):
    issued = device.enrol(Custody.DEVICE)
    claim, store = device.claim(issued), device.vault.store
    old = store.template(record_id(claim.secret))
    device.renew(claim, device.vector())
    device.stop()
    with sqlite3.connect(store.path) as db:
        db.execute("UPDATE template SET sealed = ? WHERE record_id = ?", (old, record_id(claim.secret)))
    db.close()
    device.start()
    with pytest.raises(SealBroken, match="enrolled last"):
        device.opens(claim)


@BOTH
def test_a_template_of_another_embedder_is_refused_with_the_remedy(device, custody):
    claim = device.claim(device.enrol(custody))
    with pytest.raises(ModelMismatch):
        device.opens(claim, model=bytes(32))


@BOTH
def test_a_revoked_card_is_refused(device, custody):
    claim = device.claim(device.enrol(custody))
    with pytest.raises(UsageError):
        device.vault.revoke(claim.serial, " ", now_s=NOW)
    assert device.vault.revoke(claim.serial, "olga", now_s=NOW + 1).status is Status.REVOKED
    with pytest.raises(TokenRevoked):
        device.opens(claim)
    assert rows(device, "SELECT * FROM template") == []


def test_a_card_enrolled_at_another_door_is_revoked_by_its_serial(device, other_device):
    claim = device.claim(device.enrol(Custody.CARD))
    other_device.vault.revoke(claim.serial, "olga", now_s=NOW)
    with pytest.raises(TokenRevoked):
        other_device.opens(claim)
    device.opens(claim)


@BOTH
def test_a_reissued_card_replaces_the_presented_one_and_keeps_the_template(device, custody):
    vector = device.vector()
    old = device.claim(device.enrol(custody, vector))
    issued = device.reissue(old, expires=NOW + 999_999, groups=("lab",))
    new = device.claim(issued)
    assert same(device.opens(new), vector)
    assert (new.groups, new.expires, new.credential) == (("lab",), NOW + 999_999, old.credential)
    assert new.serial != old.serial
    assert new.secret != old.secret
    with pytest.raises(TokenRevoked, match="newer"):
        device.opens(old)
    assert len(device.vault.cards_of("ada example, 1042")) == 1
    assert len(rows(device, "SELECT * FROM template")) == (custody is Custody.DEVICE)


def test_a_revoked_card_is_not_reissued_or_renewed(device):
    claim = device.claim(device.enrol(Custody.CARD))
    device.vault.revoke(claim.serial, "olga", now_s=NOW)
    with pytest.raises(TokenRevoked):
        device.reissue(claim)
    with pytest.raises(TokenRevoked):
        device.renew(claim, device.vector())


def test_renewal_in_device_custody_keeps_the_card(device):
    claim = device.claim(device.enrol(Custody.DEVICE))
    before, fresh = device.vault.store.template(record_id(claim.secret)), device.vector()
    issued = device.renew(claim, fresh)
    assert issued.text is None
    assert same(device.opens(claim), fresh)
    assert device.vault.store.template(record_id(claim.secret))[76:108] != before[76:108], "a new salt"


def test_renewal_in_card_custody_gives_out_a_new_card(device):
    claim, fresh = device.claim(device.enrol(Custody.CARD)), device.vector()
    issued = device.renew(claim, fresh)
    assert same(device.opens(device.claim(issued)), fresh)
    with pytest.raises(TokenRevoked):
        device.opens(claim)


@BOTH
def test_renewal_is_the_way_to_a_new_embedder(device, custody):
    claim = device.claim(device.enrol(custody))
    issued = device.renew(claim, device.vector(), model=bytes(32))
    new = device.claim(issued) if issued.text else claim
    assert len(device.opens(new, model=bytes(32))) == 128


def test_renewal_away_from_the_enrolling_door_asks_for_consent_again(device, other_device):
    claim = device.claim(device.enrol(Custody.CARD))
    with pytest.raises(ConsentMissing):
        other_device.renew(claim, device.vector())
    consent = ConsentReceipt("Ada", "2", "en", NOW, "desk")
    issued = other_device.renew(claim, device.vector(), consent=consent)
    assert len(other_device.opens(other_device.claim(issued))) == 128


@BOTH
def test_erasure_deletes_the_person_and_says_what_was_done(device, custody):
    issued = device.enrol(custody)
    claim = device.claim(issued)
    sealed = device.vault.store.template(record_id(claim.secret)) or b"-"
    receipt = device.vault.erase(claim.serial, "olga", now_s=NOW + 1)
    assert (receipt.known, receipt.custody, receipt.language) == (True, custody, "en")
    assert receipt.template is (custody is Custody.DEVICE)
    assert receipt.overwritten
    assert receipt.log_emptied
    assert receipt.traces == 0
    assert receipt.refused_until == NOW + 86_400
    with pytest.raises((TokenRevoked, TokenUnknown)):
        device.opens(claim)
    holder = device.vault.store.holder(claim.serial)
    assert (holder.status, holder.receipt, holder.subject) == (Status.ERASED, "", None)
    device.stop()
    content = b"".join(path.read_bytes() for path in device.folder.glob("vault.sqlite3*"))
    assert sealed[76:] not in content or custody is Custody.CARD
    assert b"privacy@example.org" not in content
    device.start()
    with pytest.raises(InputError):
        device.vault.erase(claim.serial, "olga", now_s=NOW + 2)
    with pytest.raises(InputError):
        device.vault.erase(bytes(16), "olga", now_s=NOW + 2)


def test_a_log_that_was_read_by_another_process_is_emptied_too(device):
    claim = device.claim(device.enrol(Custody.DEVICE))
    device.vault.erase(claim.serial, "olga", now_s=NOW)
    assert device.vault.store.path.with_name("vault.sqlite3-wal").stat().st_size == 0


@BOTH
def test_expired_rows_go_when_the_time_is_confirmed_and_only_then(device, custody):
    early = device.claim(device.enrol(custody, expires=NOW + 100))
    late = device.claim(device.enrol(custody, expires=NOW + 900))
    assert [due.holder.serial for due in device.vault.due(NOW + 1000)] == [early.serial, late.serial]
    assert device.vault.expire(Time(NOW + 500, confirmed=False)) == []
    assert device.vault.expire(Time(NOW + 99)) == []
    assert [due.holder.serial for due in device.vault.expire(Time(NOW + 100))] == [early.serial]
    assert device.vault.store.holder(early.serial) is None
    assert len(device.opens(late)) == 128
    assert len(rows(device, "SELECT * FROM template")) == (custody is Custody.DEVICE)


def test_the_store_names_nobody_and_finds_a_person_s_cards_by_the_name_they_gave(device):
    device.enrol(Custody.DEVICE)
    device.enrol(Custody.CARD, consent=ConsentReceipt("Bela Other", "1", "en", NOW, "desk"))
    assert len(device.vault.cards_of("  ADA   example, 1042")) == 1
    assert device.vault.cards_of("nobody") == []
    device.vault.store.checkpoint()
    content = device.vault.store.path.read_bytes()
    assert b"Ada" not in content
    assert b"Bela" not in content
    assert b"privacy@example.org" in content


def test_the_store_keeps_no_token_and_no_secret(device):
    claim = device.claim(device.enrol(Custody.DEVICE))
    device.vault.store.checkpoint()
    content = device.vault.store.path.read_bytes()
    assert claim.secret not in content
    assert record_id(claim.secret) in content


def test_a_template_without_its_holder_s_row_does_not_open(device):
    """Deleting the row of a revoked card does not bring the card back."""
    claim = device.claim(device.enrol(Custody.DEVICE))
    device.stop()
    with sqlite3.connect(device.vault.store.path) as db:
        db.execute("DELETE FROM holder")
    db.close()
    device.start()
    with pytest.raises(TokenUnknown):
        device.opens(claim)
    with pytest.raises(VaultError, match="removed"):
        device.vault.store.check()


@pytest.mark.parametrize(
    "fields",
    [
        {"operator": ""},
        {"groups": ("Not A Group",)},
        {"groups": ()},
        {"expires": NOW - 1},
        {"credential": -1},
        {"model": b"short"},
        {"consent": ConsentReceipt("Ada", "1", "en", NOW + 10 * 86_400, "desk")},
    ],
)
def test_an_enrolment_that_cannot_be_is_refused_and_leaves_nothing(device, fields):
    with pytest.raises((UsageError, InputError, ConsentMissing)):
        device.enrol(Custody.DEVICE, **fields)
    assert rows(device, "SELECT * FROM template") == []
    assert rows(device, "SELECT * FROM holder") == []


def test_a_full_or_closed_store_gives_out_no_card(device, tmp_path: Path):
    device.vault.close()
    with pytest.raises(VaultError):
        device.enrol(Custody.CARD)


def test_a_template_made_with_the_arithmetic_before_is_reissued_under_the_name_that_made_it(device):
    vector, before = device.vector(), b"\1" * 32
    old = device.claim(device.enrol(Custody.CARD, vector, model=before))
    with pytest.raises(ModelMismatch):
        device.reissue(old)
    by = replace(device.by(now_s=NOW + 5), earlier=before.hex())
    new = device.claim(
        device.vault.commit(device.vault.prepare_reissue(old, Cell({before: lambda pixels: pixels}, before), by))
    )
    assert Header.parse(new.sealed.header).model == before
