"""A door that asks for a PIN beside the card: the whole device, from readers to journal."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from dataclasses import replace

import pytest

from edge.claim import find_token
from edge.errors import ClaimError, InputError, UsageError
from edge.fictional import OnePerson
from edge.kiosk import Kiosk, page_of
from edge.service import Device, Loop, Operator
from edge.service.rights import about, claim_of, erase
from edge.settings.model import ClaimSettings
from edge.types import Outcome, Reason
from edge.types import events as ev
from tests.kiosk.conftest import serving, settings
from tests.kiosk.test_pin_pad import post
from tests.service.test_loop import Bench

PIN = "402916"


class Lines:
    """A reader that delivers one line after the other, each a moment after the one before was taken."""

    name, ended = "lines", False

    def __init__(self, *lines: str) -> None:
        self._lines, self._next = list(lines), 0.0

    def poll(self, _frame: object) -> str | None:
        now = time.monotonic()
        if not self._lines:
            self.ended = now > self._next
            return None
        if now < self._next:
            return None
        self._next = now + 0.05
        return self._lines.pop(0)

    def close(self) -> None:
        """Nothing to close."""


class OneByOne:
    """A reader of somebody who presents a card again once the door has answered."""

    name = "one by one"

    def __init__(self, card: str, times: int, answers: Callable[[], int]) -> None:
        self._card, self._times, self._answers, self._shown = card, times, answers, 0

    @property
    def ended(self) -> bool:
        return self._answers() == self._times

    def poll(self, _frame: object) -> str | None:
        if self._shown == self._times or self._answers() < self._shown:
            return None
        self._shown += 1
        return self._card

    def close(self) -> None:
        """Nothing to close."""


class PinBench(Bench):
    """ada stands in front of a door that asks for a PIN; hers is set."""

    def __init__(self, folder, pin_s: float = 5.0) -> None:
        super().__init__(folder, (OnePerson("ada", 3600.0, walk_up=False),), alternative="Ring the bell.")
        self.device.close()
        self.settings = self.settings.model_copy(update={"claim": ClaimSettings(pin="with_card", pin_s=pin_s)})
        self.device = Device.open(self.settings, self.device._parts)
        self.device._clock.confirm("kim")
        self.card = self.token("ada")
        self.operator = Operator(self.device, "kim")

    def serve(self, *lines: str) -> list[tuple[Outcome, Reason]]:
        with self.device:
            self.device.observe(self.events.append)
            Loop(self.device, [Lines(*lines)]).run(self.stop)
        return self.decisions()


@pytest.fixture
def bench(tmp_path) -> PinBench:
    made = PinBench(tmp_path)
    made.operator.set_pin(made.card, PIN)
    return made


ACCEPTED, WRONG = (Outcome.ACCEPT, Reason.MATCHING), (Outcome.REJECT, Reason.PIN_WRONG)


def test_card_pin_and_face_together_are_an_accept_and_each_alone_is_none(bench):
    chen = bench.token("chen")
    bench.operator.set_pin(chen, "550182")
    answers = bench.serve(bench.card, PIN, bench.card, "402917", chen, "550182", PIN)
    assert answers == [ACCEPTED, WRONG, (Outcome.REJECT, Reason.NOT_MATCHING)], "and a PIN alone is not even a claim"
    kinds = [event.kind for event in bench.events if event.kind.startswith(("claim", "session.opened", "door"))]
    assert kinds[:4] == ["claim.presented", "claim.pin", "session.opened", "door.opened"]
    assert kinds[4:8] == ["claim.presented", "claim.pin", "claim.refused", "claim.presented"]


def test_a_wrong_pin_opens_no_session_and_looks_at_nobody(bench):
    bench.serve(bench.card, "402917")
    (refused,) = [event for event in bench.events if isinstance(event, ev.ClaimRefused)]
    assert (refused.decision.frames_looked_at, refused.decision.looks) == (0, 0)
    assert refused.decision.serial == find_serial(bench)


def find_serial(bench: PinBench) -> str:
    with Device.open(bench.settings, bench.device._parts) as again:
        return claim_of(again, bench.card).serial.hex()


def test_another_card_while_a_pin_is_waited_for_is_served_in_its_turn(bench):
    answers = bench.serve(bench.card, bench.card, PIN)
    assert answers == [(Outcome.REJECT, Reason.PIN_MISSING), ACCEPTED]


def test_nobody_who_types_is_a_refusal_after_the_time_and_costs_the_card_nothing(tmp_path):
    bench = PinBench(tmp_path, pin_s=5.0)
    bench.operator.set_pin(bench.card, PIN)
    bench.device._verifier = replace(bench.device._verifier, pin=replace(bench.device._verifier.pin, within_s=0.2))
    assert bench.serve(bench.card) == [(Outcome.REJECT, Reason.PIN_MISSING)]
    with Device.open(bench.settings, bench.device._parts) as again:
        assert again._limits.standing(claim_of(again, bench.card).serial).nothing


def test_a_card_whose_pin_was_never_set_here_is_refused_at_once(tmp_path):
    bench = PinBench(tmp_path)
    assert bench.serve(bench.card, PIN) == [(Outcome.REJECT, Reason.PIN_MISSING)]
    assert not [event for event in bench.events if isinstance(event, ev.PinWanted)]


def test_who_calls_past_the_loop_gets_no_further_than_the_pin(bench):
    """`edge verify`, a script: nothing that does not type is asked."""
    decision = bench.device.verify(bench.card)
    assert (decision.outcome, decision.reason) == (Outcome.REJECT, Reason.PIN_MISSING)


def test_who_says_that_an_operator_stands_beside_opens_no_door(bench):
    with bench.device as device, device.stream() as stream:
        decision = device.decide(bench.card, lambda: stream, attended=True)
        assert decision.outcome is Outcome.ACCEPT, "for the operator's act"
        with pytest.raises(UsageError, match="has not just accepted that"):
            device.act(decision)


def test_no_pin_is_in_an_event_an_entry_or_the_log(bench, caplog):
    caplog.set_level("DEBUG")
    bench.serve(bench.card, PIN, bench.card, "881204")
    told = json.dumps([event.as_json() for event in bench.events])
    with Device.open(bench.settings, bench.device._parts) as again:
        entries = again._ledger.journal.last(100)
    assert [entry.fields["operator"] for entry in entries if entry.kind == "pin_set"] == ["kim"]
    kept = repr(entries) + (bench.settings.device.state_dir / "state.sqlite3").read_bytes().decode("latin-1")
    for pin in (PIN, "881204"):
        assert pin not in told
        assert pin not in kept
        assert pin not in caplog.text


def test_a_pin_typed_on_the_page_counts_like_any_and_is_no_way_past_the_limits(bench):
    """The page's own process, and a browser that answers every question; here it guesses."""
    page = settings(pin_pad=True)
    guesses = iter([PIN, *(f"5501{number}2" for number in range(9))])
    answered: list[int] = []

    def answer(event: ev.Event) -> None:
        if isinstance(event, ev.PinWanted):
            guess = next(guesses)
            until = time.monotonic() + 60
            while (status := post(kiosk, {"pin": guess})) == 409 and time.monotonic() < until:
                time.sleep(0.02)  # the page's process has not been told yet
            answered.append(status)

    cards = OneByOne(bench.card, 8, lambda: len(bench.decisions()))
    with Kiosk(page.kiosk, page_of(page)) as kiosk, bench.device:
        serving(kiosk)
        for observer in (kiosk, answer, bench.events.append):
            bench.device.observe(observer)
        Loop(bench.device, [cards, kiosk.pin_pad]).run(bench.stop)
    locked = (Outcome.REJECT, Reason.LOCKED_OUT)
    assert bench.decisions() == [ACCEPTED, *[WRONG] * 5, locked, locked]
    assert answered == [204] * 6, "a card that must wait is not even asked"


def test_an_operator_sets_a_pin_for_a_card_that_counts_and_not_one_that_anybody_tries(bench):
    with pytest.raises(InputError, match="first that anybody tries"):
        bench.operator.set_pin(bench.card, "1234")
    with pytest.raises(ClaimError):
        bench.operator.set_pin(bench.card[:-4], PIN)
    bench.operator.set_pin(bench.card, "773015")
    assert bench.serve(bench.card, PIN, bench.card, "773015") == [WRONG, ACCEPTED]


def test_a_pin_is_shown_to_its_person_and_goes_with_the_card(bench):
    device, claim = bench.device, claim_of(bench.device, bench.card)
    assert about(device, claim).as_json()["counters"]["pin"] is True
    (receipt,) = erase(device, [claim.serial], "kim", custody=claim.custody)
    assert receipt.counters, "the receipt says that what was counted, and the PIN, are deleted"
    assert not device._pins.known(claim.serial)
    other = bench.token("chen")
    bench.operator.set_pin(other, PIN)
    bench.operator.revoke(claim_of(device, other).serial.hex())
    assert not device._pins.known(claim_of(device, other).serial)
    assert find_token(other) == other
