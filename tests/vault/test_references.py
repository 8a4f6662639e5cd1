"""A template may hold up to three references of its one person, sealed together; what was sealed before still opens."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from edge.errors import InputError, ModelMismatch, SealBroken, TokenRevoked
from edge.types import Custody
from edge.vault import Header, Record
from edge.vault.issuing import need_room
from edge.vault.seal import MOST_REFERENCES, SEVERAL, VERSION
from tests.cells import opened
from tests.vault.conftest import MODEL, NOW, same

WIDTH = 64  # so that two fit a card


def all_of(device, claim) -> np.ndarray:
    with opened(device.vault, claim, MODEL) as template:
        assert template.references == len(template.read("s"))
        return template.unrotated("s")


def version(device, claim) -> int:
    header, size = device.vault.size(claim)
    assert header.references(size)
    return header.version


@pytest.mark.parametrize("custody", [Custody.CARD, Custody.DEVICE])
def test_further_references_stand_beside_the_first_and_are_as_old(device, custody):
    vectors = [device.vector(WIDTH) for _ in range(2)]
    first = device.claim(device.enrol(custody, vectors[0]))
    assert version(device, first) == VERSION
    issued = device.reissue(first, now_s=NOW + 500, further=vectors[1])
    claim = first if issued.text is None else device.claim(issued)
    assert all(same(a, b) for a, b in zip(all_of(device, claim), vectors, strict=True))
    assert version(device, claim) == SEVERAL
    assert device.vault.size(claim)[0].made == NOW
    assert device.vault.store.holder(claim.serial).consent


def test_in_device_custody_the_card_stays_and_in_card_custody_it_is_replaced(device):
    at_home = device.claim(device.enrol(Custody.DEVICE, device.vector(WIDTH)))
    assert device.reissue(at_home, further=device.vector(WIDTH)).text is None
    carried = device.claim(device.enrol(Custody.CARD, device.vector(WIDTH)))
    assert device.reissue(carried, further=device.vector(WIDTH)).text is not None
    with pytest.raises(TokenRevoked, match="replaced"):
        all_of(device, carried)


def test_there_is_no_fourth(device):
    claim = device.claim(device.enrol(Custody.DEVICE))
    for _ in range(MOST_REFERENCES - 1):
        device.reissue(claim, further=device.vector())
    assert len(all_of(device, claim)) == MOST_REFERENCES
    with pytest.raises(InputError, match="holds 3 references already"):
        device.reissue(claim, further=device.vector())


def test_a_card_that_cannot_hold_more_says_so_before_anybody_is_captured(device):
    wide = device.claim(device.enrol(Custody.CARD, device.vector(128)))
    need_room(wide, 128, 1)
    with pytest.raises(InputError, match="2 references do not fit this card") as refused:
        need_room(wide, 128, 2)
    assert "vault.custody: device" in refused.value.remedy
    with pytest.raises(InputError, match="too long for a code of version 16"):
        device.reissue(wide, further=device.vector(128))
    need_room(device.claim(device.enrol(Custody.DEVICE)), 128, 3)
    need_room(device.claim(device.enrol(Custody.CARD, device.vector(WIDTH))), WIDTH, 2)


def test_all_go_along_to_a_new_card_and_a_renewal_begins_anew(device):
    claim = device.claim(device.enrol(Custody.DEVICE))
    device.reissue(claim, further=device.vector())
    moved = device.claim(device.reissue(claim))
    assert len(all_of(device, moved)) == 2
    device.renew(moved, device.vector())
    assert len(all_of(device, moved)) == 1


def test_none_is_added_to_another_embedder_s_template(device):
    claim = device.claim(device.enrol(Custody.DEVICE))
    with pytest.raises(ModelMismatch):
        device.vault.prepare_reissue(
            claim, device.seen_again(claim, device.vector()), device.by(model=bytes(32)), further=True
        )


@pytest.mark.parametrize(
    "change",
    [
        lambda data: data[:128] + data[-16:],  # one of the two taken out
        lambda data: data[128:256] + data[:128] + data[-16:],  # the other way round
        lambda data: data + bytes(128),
        lambda data: data[:-1],
    ],
)
def test_references_are_neither_taken_out_nor_exchanged_nor_added(device, change):
    claim = device.claim(device.enrol(Custody.DEVICE))
    device.reissue(claim, further=device.vector())
    holder = device.vault.store.holder(claim.serial)
    record = Record.unpack(device.vault.store.template(holder.record_id))
    sealed = replace(record.sealed, ciphertext=change(record.sealed.ciphertext))
    altered = Record.sign(sealed, claim.serial, device.issuer).pack()  # by the issuer itself, as the worst case
    with device.vault.store.change() as write:
        write.put(holder, altered)
    with pytest.raises(SealBroken):
        all_of(device, claim)


def test_the_length_and_the_version_say_the_same():
    one, several = (Header(Custody.CARD, bytes(16), MODEL, 128, 0, 1, v) for v in (VERSION, SEVERAL))
    assert [one.references(16 + 128 * n) for n in range(5)] == [0, 1, 0, 0, 0]
    assert [several.references(16 + 128 * n) for n in range(5)] == [0, 0, 2, 3, 0]
    assert several.references(16 + 128 * 2 + 1) == 0
