"""An operator's act is whole or it is not: nothing is kept of a card that nobody has, and nobody steps in between."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from edge.errors import InputError, NotHandedOver, Unfit, UsageError, VaultError
from edge.fictional import OnePerson
from edge.service import Operator
from edge.types import Outcome
from edge.vault import ConsentReceipt, Issued
from tests.service.test_loop import Bench

OTHER_WAY = "Please ask at the reception."


def consent(bench: Bench, name: str = "Ada Example") -> ConsentReceipt:
    return ConsentReceipt(name, "2026-11", "en", bench.device._clock.now().utc_s, "privacy@example.org")


class Hand:
    """Takes what is handed over; can be full, as a stick is."""

    def __init__(self, error: BaseException | None = None) -> None:
        self.error, self.cards, self.taken_back = error, list[str](), 0

    def __call__(self, issued: Issued, consent: Mapping[str, Any]) -> Callable[[], None]:
        if self.error is not None:
            raise self.error
        assert issued.text
        self.cards.append(issued.text)
        return self._take_back

    def _take_back(self) -> None:
        self.taken_back += 1


def bench_of(folder: Path, *scenes: OnePerson, alternative: str | None = OTHER_WAY) -> Bench:
    return Bench(folder, scenes or (OnePerson("ada", 600.0),), alternative=alternative)


def kinds(bench: Bench) -> list[str]:
    return [entry.kind for entry in bench.device._ledger.journal.last(50)]


def enrolled(bench: Bench, operator: Operator) -> str:
    hand = Hand()
    operator.enrol(issuer=bench.issuer, consent=consent(bench), hand_over=hand)
    return hand.cards[0]


def test_an_enrolment_captures_hands_over_commits_and_tells(tmp_path: Path):
    bench = bench_of(tmp_path)
    with bench.device as device:
        hand = Hand()
        answer = Operator(device, "kim").enrol(issuer=bench.issuer, consent=consent(bench), hand_over=hand, days=7)
        assert answer["expires"] - answer["not_before"] == 7 * 86_400
        assert answer["groups"] == ["default"]
        assert "token" not in answer
        assert kinds(bench) == ["enrolled"]
        assert device.verify(hand.cards[0]).outcome is Outcome.ACCEPT
        assert hand.taken_back == 0


@pytest.mark.parametrize(
    "error", [OSError(28, "No space left on device"), UnicodeEncodeError("latin-1", "x", 0, 1, "")]
)
def test_nothing_is_kept_of_a_card_that_could_not_be_handed_over(tmp_path: Path, error: BaseException):
    bench = bench_of(tmp_path)
    with bench.device as device:
        with pytest.raises(NotHandedOver, match="nothing was kept"):
            Operator(device, "kim").enrol(issuer=bench.issuer, consent=consent(bench), hand_over=Hand(error))
        assert device._vault.cards_of("Ada Example") == []
        assert kinds(bench) == []


def test_a_card_whose_commit_fails_is_taken_back(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    bench = bench_of(tmp_path)
    with bench.device as device:
        hand = Hand()

        def full(draft: object, note: str) -> None:
            raise VaultError("the disk is full", where="vault")

        monkeypatch.setattr(device._vault, "commit", full)
        with pytest.raises(VaultError):
            Operator(device, "kim").enrol(issuer=bench.issuer, consent=consent(bench), hand_over=hand)
        assert hand.taken_back == 1
        assert kinds(bench) == []


def test_a_renewal_is_of_the_person_who_was_verified(tmp_path: Path):
    bench = bench_of(tmp_path)
    with bench.device as device:
        operator = Operator(device, "kim")
        old = enrolled(bench, operator)
        hand = Hand()
        operator.renew(old, issuer=bench.issuer, hand_over=hand, days=30)
        assert kinds(bench)[-1] == "renewed"
        assert device.verify(hand.cards[0]).outcome is Outcome.ACCEPT
        assert device.verify(old).outcome is Outcome.REJECT, "the old card is replaced"


def test_nobody_can_step_in_between_the_verification_and_the_captures_of_a_renewal(tmp_path: Path):
    bench = bench_of(tmp_path)
    with bench.device as device:
        operator = Operator(device, "kim")
        old = enrolled(bench, operator)
        bench.script = (OnePerson("ada", 1.0, walk_up=False), OnePerson("chen", 600.0, walk_up=False))
        hand = Hand()
        with pytest.raises(InputError, match="do not show the person who was verified"):
            operator.renew(old, issuer=bench.issuer, hand_over=hand)
        assert hand.cards == []
        assert "renewed" not in kinds(bench)


def test_an_override_takes_the_verification_away_and_is_journalled_as_one(tmp_path: Path):
    bench = bench_of(tmp_path)
    with bench.device as device:
        operator = Operator(device, "kim")
        old = enrolled(bench, operator)
        bench.script = (OnePerson("chen", 600.0),)
        operator.renew(old, issuer=bench.issuer, hand_over=Hand(), override=True)
        entry = device._ledger.journal.last(1)[0]
        assert (entry.kind, entry.fields["override"], entry.fields["operator"]) == ("renewed", True, "kim")


def test_a_reissue_replaces_the_card_and_keeps_the_template(tmp_path: Path):
    bench = bench_of(tmp_path)
    with bench.device as device:
        operator = Operator(device, "kim")
        old = enrolled(bench, operator)
        hand = Hand()
        answer = operator.reissue(old, issuer=bench.issuer, hand_over=hand, groups=["default", "lab"])
        assert answer["groups"] == ["default", "lab"]
        assert kinds(bench)[-1] == "reissued"
        assert device.verify(hand.cards[0]).outcome is Outcome.ACCEPT
        assert device.verify(old).outcome is Outcome.REJECT


def test_a_failed_hand_over_leaves_the_old_card_valid(tmp_path: Path):
    bench = bench_of(tmp_path)
    with bench.device as device:
        operator = Operator(device, "kim")
        old = enrolled(bench, operator)
        with pytest.raises(NotHandedOver):
            operator.reissue(old, issuer=bench.issuer, hand_over=Hand(OSError(5, "Input/output error")))
        assert device.verify(old).outcome is Outcome.ACCEPT


def test_revoke_erase_reset_and_confirm_are_journalled_by_name(tmp_path: Path):
    bench = bench_of(tmp_path)
    with bench.device as device:
        operator = Operator(device, "kim")
        token = enrolled(bench, operator)
        serial = device._admission.receive(token, 0).serial_text
        assert operator.reset(serial)["rejects"] == 0
        assert operator.reset_door()["cards"] == 0
        assert operator.confirm("clock")["what"] == "clock"
        assert operator.revoke(serial)["status"] == "revoked"
        erased = operator.erase(serial=serial)
        assert [receipt["serial"] for receipt in erased["erased"]] == [serial]
        assert kinds(bench)[1:] == ["reset", "fan_out_reset", "clock", "revoked", "erased"]
        entries = device._ledger.journal.last(6)
        assert {entry.fields["operator"] for entry in entries} == {"kim"}


def test_an_act_needs_a_name_and_another_way_in(tmp_path: Path):
    bench = bench_of(tmp_path, alternative=None)
    with bench.device as device:
        with pytest.raises(UsageError, match="operator"):
            Operator(device, " ")
        with pytest.raises(Unfit, match="no way in"):
            Operator(device, "kim").enrol(issuer=bench.issuer, consent=consent(bench), hand_over=Hand())
        with pytest.raises(UsageError, match="no act"):
            Operator(device, "kim").do("open")
