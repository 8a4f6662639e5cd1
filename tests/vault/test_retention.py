"""Retention: the earliest of card, consent and the longest time allowed decides, and only confirmed time deletes."""

from __future__ import annotations

import pytest

from edge.errors import ConsentMissing, InputError, TokenRevoked, TokenUnknown
from edge.state import ClockGuard
from edge.types import Custody
from edge.vault import ConsentReceipt, Holder, RetentionRule, Status, What
from edge.vault.seal import Header
from tests.vault.test_vault import NOW, Time, rows

DAY = 86_400
BOTH = pytest.mark.parametrize("custody", [Custody.CARD, Custody.DEVICE])


def consent(until: int | None = None, subject: str = "Ada Example") -> ConsentReceipt:
    return ConsentReceipt(subject, "2026-11", "en", NOW - 100, "privacy@example.org", until)


@BOTH
@pytest.mark.parametrize(
    ("card", "ends", "keep", "last"),
    [
        (10 * DAY, None, None, 10 * DAY),
        (10 * DAY, NOW + 4 * DAY, None, 4 * DAY),
        (10 * DAY, NOW + 4 * DAY, 3, 3 * DAY),
        (2 * DAY, NOW + 4 * DAY, 3, 2 * DAY),
        (10 * DAY, None, 30, 10 * DAY),
    ],
    ids=["card", "consent", "the longest time", "card before the others", "card before the longest time"],
)
def test_a_card_expires_by_the_strictest_rule_and_so_does_what_is_kept(device, custody, card, ends, keep, last):
    device.vault.keep_days = keep
    issued = device.enrol(custody, expires=NOW + card, consent=consent(ends))
    assert issued.card.expires == device.claim(issued).expires == NOW + last
    assert [due.at for due in device.vault.due(NOW + card)] == [NOW + last]
    assert device.vault.expire(Time(NOW + last - 1)) == []
    assert len(device.vault.expire(Time(NOW + last))) == 1
    assert rows(device, "SELECT * FROM template") == rows(device, "SELECT * FROM holder") == []


def test_a_rule_that_is_tightened_later_reaches_what_was_kept_before(device):
    claim = device.claim(device.enrol(Custody.DEVICE, expires=NOW + 300 * DAY))
    device.vault.keep_days = 5
    (due,) = device.vault.due(NOW + 10 * DAY)
    assert (due.rule, due.what, due.at) == (RetentionRule.RETENTION, What.ROW, NOW + 5 * DAY)
    device.vault.expire(Time(NOW + 5 * DAY))
    with pytest.raises(TokenUnknown):
        device.opens(claim)
    assert rows(device, "SELECT * FROM template") == []


def test_a_revoked_card_loses_its_person_in_time_and_stays_refused(device):
    claim = device.claim(device.enrol(Custody.CARD, expires=NOW + 300 * DAY))
    device.vault.revoke(claim.serial, "olga", now_s=NOW + 10)
    device.vault.keep_days = 5
    (due,) = device.vault.expire(Time(NOW + 5 * DAY))
    assert due.what is What.PERSON
    holder = device.vault.store.holder(claim.serial)
    assert (holder.status, holder.receipt, holder.subject) == (Status.REVOKED, "", None)
    with pytest.raises(TokenRevoked):
        device.opens(claim)
    assert device.vault.expire(Time(NOW + 6 * DAY)) == []
    assert [d.what for d in device.vault.expire(Time(NOW + 300 * DAY))] == [What.ROW]
    device.vault.store.check()


def test_a_serial_of_which_nothing_else_is_known_stays_refused_for_ever(device):
    device.vault.revoke(bytes(16), "olga", now_s=NOW)
    device.vault.keep_days = 5
    assert device.vault.expire(Time(NOW + 3650 * DAY)) == []
    assert device.vault.store.holder(bytes(16)).status is Status.REVOKED


def test_a_renewal_begins_anew_and_a_new_card_for_the_same_template_does_not(device):
    device.vault.keep_days = 30
    claim = device.claim(device.enrol(Custody.CARD, expires=NOW + 300 * DAY))
    later = {"now_s": NOW + 20 * DAY}
    reissued = device.reissue(claim, **later, expires=NOW + 300 * DAY)
    assert reissued.card.expires == NOW + 30 * DAY
    assert Header.parse(device.claim(reissued).sealed.header).made == NOW
    renewed = device.renew(device.claim(reissued), device.vector(), **later, expires=NOW + 300 * DAY)
    assert renewed.card.expires == NOW + 50 * DAY


def test_nothing_is_made_for_which_the_time_has_passed(device):
    claim = device.claim(device.enrol(Custody.CARD, expires=NOW + 300 * DAY))
    device.vault.keep_days = 1
    with pytest.raises(InputError, match="longest time"):
        device.reissue(claim, now_s=NOW + 2 * DAY)
    with pytest.raises(ConsentMissing, match="until has passed"):
        device.enrol(Custody.CARD, consent=consent(NOW - 1))


def test_a_device_that_was_off_for_weeks_deletes_once_the_time_is_confirmed(device):
    """The clock of `edge.state`, not a stand-in: an unexplained jump deletes nothing until somebody answers for it."""
    device.enrol(Custody.DEVICE, expires=NOW + 10 * DAY)
    system, uptime, synchronised = NOW, 1000.0, False
    clock = ClockGuard(
        device.state, system_clock=lambda: system, uptime=lambda: uptime, synchronised=lambda: synchronised
    )
    clock.now()
    system, uptime = NOW + 40 * DAY, 20.0  # off for weeks; a clock of its own went on
    assert not clock.now().confirmed
    assert device.vault.expire(clock.now()) == []
    assert len(rows(device, "SELECT * FROM template")) == 1
    synchronised = True
    assert len(device.vault.expire(clock.now())) == 1
    assert rows(device, "SELECT * FROM template") == []


def test_a_clock_that_is_set_back_extends_nothing(device):
    device.enrol(Custody.DEVICE, expires=NOW + 10 * DAY)
    system, uptime = NOW, 1000.0
    clock = ClockGuard(device.state, system_clock=lambda: system, uptime=lambda: uptime, synchronised=lambda: False)
    for _ in range(20):  # ten days pass, half a day at a time
        clock.now()
        system, uptime = system + DAY // 2, uptime + DAY // 2
    system = NOW - 1000 * DAY
    assert clock.now().behind_s > 1000 * DAY
    assert len(device.vault.expire(clock.now())) == 1


@pytest.mark.parametrize(
    "fields",
    [
        {"subject": ""},
        {"text_version": " "},
        {"language": ""},
        {"withdrawal": ""},
        {"given": 0},
        {"until": NOW - 101},
        {"withdrawal": "x" * 201},
        {"language": "the language of the heart"},
    ],
)
def test_no_incomplete_receipt_can_exist(fields):
    values = {"subject": "Ada", "text_version": "1", "language": "en", "given": NOW - 100, "withdrawal": "desk"}
    with pytest.raises(ConsentMissing):
        ConsentReceipt(**values | fields)


@pytest.mark.parametrize("nothing", [None, {}, "yes", object()])
def test_the_enrol_api_itself_refuses_to_work_without_a_receipt(device, nothing):
    with pytest.raises(ConsentMissing):
        device.enrol(Custody.DEVICE, consent=nothing)
    assert rows(device, "SELECT * FROM template") == rows(device, "SELECT * FROM holder") == []


def test_no_way_below_the_enrol_api_leads_around_the_receipt(device):
    """Not even the store takes a card that counts without one."""
    holder = Holder(bytes(16), bytes(32), NOW, NOW, NOW + DAY, NOW)
    with pytest.raises(ConsentMissing), device.vault.store.change() as change:
        change.put(holder, b"record")
    assert rows(device, "SELECT * FROM template") == rows(device, "SELECT * FROM holder") == []
