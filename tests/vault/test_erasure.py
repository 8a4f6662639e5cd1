"""Erasure: what was deleted is not in the bytes of the database, and the receipt says only what was looked up."""

from __future__ import annotations

import sqlite3
from dataclasses import replace

import pytest

from edge.types import Custody
from edge.vault import Holder, record_id
from tests.vault.conftest import CONSENT, NOW
from tests.vault.test_vault import Time

BOTH = pytest.mark.parametrize("custody", [Custody.CARD, Custody.DEVICE])


def content(device) -> bytes:
    """Every byte of the stopped device's vault."""
    device.stop()
    found = b"".join(path.read_bytes() for path in sorted(device.folder.glob("vault.sqlite3*")))
    device.start()
    return found


@BOTH
def test_nothing_of_an_erased_person_is_in_the_bytes_of_the_database(device, custody):
    claim = device.claim(device.enrol(custody))
    record = device.vault.store.template(record_id(claim.secret)) or b""
    holder = device.vault.store.holder(claim.serial)
    pieces = [record[k : k + 32] for k in range(0, len(record) - 31, 32)]
    needles = [holder.receipt.encode(), holder.subject, *pieces, *([holder.record_id] if holder.record_id else [])]
    device.vault.store.checkpoint()
    before = content(device)
    assert all(needle in before for needle in needles), "the search finds what is there"
    device.vault.erase(claim.serial, "olga", now_s=NOW + 1)
    after = content(device)
    assert not [needle for needle in needles if needle in after]
    assert claim.serial in after, "the serial stays, so that the card stays refused"


def crowd(device, count: int) -> list[tuple[Holder, bytes]]:
    """Many rows, written a few at a time as people come: pages fill, split, and rows move between them."""
    dice, people = device.dice, []
    for _ in range(count // 4):
        with device.vault.store.change() as change:
            for _ in range(4):
                receipt = f'{{"given": {dice.randrange(2**40)}, "language": "en"}}'
                row = Holder(dice.randbytes(16), dice.randbytes(32), NOW, NOW, NOW + 9, NOW)
                people.append((replace(row, receipt=receipt, subject=dice.randbytes(32)), dice.randbytes(330)))
                change.put(*people[-1])
    return people


def test_it_is_gone_among_many_others_too(device, monkeypatch):
    """SQLite overwrites what it deletes, but not the copies that rows leave behind where they moved from."""
    people = crowd(device, 200)
    values = [value for row, _ in people for value in device.vault.store.distinctive(row)]
    with monkeypatch.context() as without:
        without.setattr(device.vault.store._file, "rebuild", lambda: None)
        left = [device.vault.erase(row.serial, "olga", now_s=NOW + 1).traces for row, _ in reversed(people)]
    assert sum(left) > 0, "why the database is written anew when the search finds something"
    assert device.vault.store.scrub(values) == (True, 0)
    device.vault.store.check()
    after = content(device)
    assert not [value for value in values if value in after]


def test_what_expires_is_gone_from_the_bytes_too(device):
    people = crowd(device, 100)
    kept = device.claim(device.enrol(Custody.DEVICE))
    assert len(device.vault.expire(Time(NOW + 10))) == 100
    after = content(device)
    assert not [row for row, record in people if row.receipt.encode() in after or record[-32:] in after]
    assert len(device.opens(kept)) == 128


def test_an_honest_receipt_says_when_the_log_could_not_be_emptied_or_a_trace_remains(device):
    claim = device.claim(device.enrol(Custody.DEVICE))
    other = sqlite3.connect(device.vault.store.path)
    other.execute("BEGIN")
    other.execute("SELECT count(*) FROM holder").fetchall()  # somebody reads meanwhile
    device.vault.store._file._db.execute("PRAGMA busy_timeout=50")
    receipt = device.vault.erase(claim.serial, "olga", now_s=NOW + 1)
    assert not receipt.log_emptied
    other.close()
    assert device.vault.store.checkpoint()


def test_a_search_that_finds_something_says_so(device, monkeypatch):
    claim = device.claim(device.enrol(Custody.DEVICE))
    holder = device.vault.store.holder(claim.serial)
    assert device.vault.store.traces([holder.record_id]) >= 1
    device.vault.store._file._db.execute("PRAGMA secure_delete=OFF")
    monkeypatch.setattr(device.vault.store._file, "rebuild", lambda: None)
    receipt = device.vault.erase(claim.serial, "olga", now_s=NOW + 1)
    assert not receipt.overwritten
    assert receipt.traces > 0


def test_the_other_card_of_the_same_person_does_not_count_as_a_trace(device):
    first, second = (device.claim(device.enrol(Custody.CARD)) for _ in range(2))
    receipt = device.vault.erase(first.serial, "olga", now_s=NOW + 1)
    assert not receipt.traces
    assert [holder.serial for holder in device.vault.cards_of(CONSENT.subject)] == [second.serial]
