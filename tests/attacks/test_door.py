"""At the door: codes that belong to nobody, a sticker in view, a photographed card, a new card to be rid of a wait."""

from __future__ import annotations

import io
from pathlib import Path

import pytest

from edge.cli import main
from edge.door import LogDoor
from edge.errors import LockedOut
from edge.service import Operator
from edge.service.refusals import Refusals
from edge.testing import site
from edge.types import Decision, Outcome, Reason
from edge.types.acts import RefusalsLeftOut
from edge.types.events import AlternativeChosen, ClaimRefused
from tests.claim.test_readers import A, B, Idle
from tests.cli.conftest import make_desk

STICKER = "EV1:STICKER"
NO = Decision(Outcome.REJECT, Reason.TOKEN_INVALID, 1e-4)


def test_codes_of_nobody_do_not_fill_the_journal():
    told, shown = [], []
    refusals = Refusals(told.append, shown.append)
    for number in range(5 * 86_400):
        refusals(ClaimRefused(at_ns=1 + number * 200_000_000, session="", decision=NO, reason=NO.reason, wait_s=0))
    refusals.close(86_400_000_000_000)
    counted = sum(event.count for event in told if isinstance(event, RefusalsLeftOut))
    written = sum(isinstance(event, ClaimRefused) for event in told)
    assert written + counted == 5 * 86_400, "none is lost"
    assert len(shown) == counted, "whoever follows the device is told each"
    assert len(told) * 400 < 3_000_000, "bytes of journal on that day, where there were 146 MB"


def test_a_card_without_a_template_that_is_held_up_for_a_day_does_not_fill_it_either():
    told, shown = [], []
    refusals = Refusals(told.append, shown.append)
    for number in range(5 * 86_400):
        refusals(AlternativeChosen(at_ns=1 + number * 200_000_000, decision=NO, alternative="the bell"))
    refusals.close(86_400_000_000_000)
    counted = sum(event.count for event in told if isinstance(event, RefusalsLeftOut))
    assert counted + sum(isinstance(event, AlternativeChosen) for event in told) == 5 * 86_400
    assert len(told) * 400 < 3_000_000


def test_on_a_device_opt_out_cards_are_counted_in_the_journal(tmp_path: Path):
    with site(tmp_path) as here:
        cards: list[str] = []

        def take(issued, consent):
            cards.append(issued.text)
            return cards.clear

        Operator(here.device, "kim").opt_out(issuer=here.issuer, hand_over=take)
        for _ in range(100):
            here.device.decide(cards[0], here.device.stream)
        here.device._refused.flush(0)
        entries = here.device._ledger.journal.last(300)
    assert 55 <= sum(entry.kind == "alternative" for entry in entries) <= 70
    assert sum(int(entry.fields["left_out"]) for entry in entries if entry.kind == "refusals") >= 30


def test_on_a_device_they_are_counted_in_the_journal(tmp_path: Path):
    with site(tmp_path) as here:
        for number in range(100):
            here.device.decide(f"EV1:{number}", here.device.stream)
        here.device._refused.flush(0)
        entries = here.device._ledger.journal.last(200)
    assert 55 <= sum(entry.kind == "decision" for entry in entries) <= 70
    assert sum(int(entry.fields["left_out"]) for entry in entries if entry.kind == "refusals") >= 30


def test_a_sticker_does_not_block_cards():
    idle = Idle()
    assert idle.show(1, STICKER) == [STICKER]
    assert idle.show(1, STICKER, A) == [A]
    assert idle.show(3, STICKER) == []
    assert idle.show(1, STICKER, B) == [B]


def test_one_that_came_together_with_a_card_does_not_either():
    idle = Idle()
    assert idle.show(1, STICKER, A) == []
    assert idle.show(1, STICKER) == [STICKER]
    assert idle.show(1, STICKER, A) == [A]


def test_a_photographed_card_costs_its_holder_a_day_at_one_door_and_no_more(tmp_path: Path):
    with site(tmp_path / "one") as here, site(tmp_path / "two") as other:
        serial = bytes(16)
        for _ in range(60):
            here.device._limits._before = {}
            here.device._limits.rejected(serial)
        with pytest.raises(LockedOut, match="at this door for a day") as refused:
            here.device._limits.check(serial)
        assert 0 < refused.value.wait_s <= 86_400
        other.device._limits.check(serial)
        here.device._limits.reset(serial, "kim")
        here.device._limits.reset_door("kim")
        here.device._limits.check(serial)


def test_a_new_card_for_the_same_person_inherits_the_wait(tmp_path: Path):
    with site(tmp_path) as here:
        card = here.enrol("ada")
        claim = here.device._admission.receive(card, 0)
        for _ in range(5):
            here.device._limits.rejected(claim.serial)
        here.device._limits.reset_door("kim")
        cards: list[str] = []

        def take(issued, consent):
            cards.append(issued.text)
            return cards.clear

        Operator(here.device, "kim").reissue(card, issuer=here.issuer, hand_over=take)
        again = here.enrol("ada")
        for text in (*cards, again):
            with pytest.raises(LockedOut):
                here.device._limits.check(here.device._admission.receive(text, 0).serial)


def test_no_line_of_the_log_door_names_a_card():
    lines: list[str] = []
    door = LogDoor(lines.append)
    door.open()
    door.act(Decision(Outcome.ACCEPT, Reason.MATCHING, 1e-4, serial="ab" * 16))
    door.act(Decision(Outcome.REJECT, Reason.NOT_MATCHING, 1e-4, serial="ab" * 16))
    door.close()
    assert any("released" in line for line in lines)
    assert not any("abab" in line for line in lines)


def test_a_name_need_not_stand_on_the_command_line(tmp_path: Path, capsys, monkeypatch: pytest.MonkeyPatch):
    desk = make_desk(tmp_path)
    desk.enrol("ada", capsys)
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(b"Ada Example\nmore\n")))
    assert main(["erase", "--subject", "-", "--operator", "kim", "--config", str(desk.config)]) == 0
    assert "Ada Example" not in capsys.readouterr().err
