"""Every screen is drawn from events alone, and none says more than the person in front should be told."""

from __future__ import annotations

import json
from dataclasses import asdict

import pytest

from edge.kiosk import Screen, drawn
from edge.types import Advice, Decision, Outcome, Reason, acts
from edge.types import events as ev
from edge.types.enums import Custody, Direction

IDLE = Screen("idle", 1, "idle")
SERIAL = "0123456789abcdef" * 2


def after(*told: ev.Event, start: Screen = IDLE) -> Screen:
    screen = start
    for event in told:
        screen = drawn(screen, event)
    return screen


def answer(outcome: Outcome, reason: Reason, **more) -> Decision:
    return Decision(outcome, reason, 1e-4, serial=SERIAL, credential=77, session="s1", **more)


def decided(outcome: Outcome, reason: Reason, **more) -> ev.Decided:
    return ev.Decided(at_ns=9, session="s1", decision=answer(outcome, reason, **more), alternative="Ring.")


def refused(reason: Reason, wait_s: int = 0) -> ev.ClaimRefused:
    decision = answer(Outcome.REJECT, reason, wait_s=wait_s)
    return ev.ClaimRefused(at_ns=9, decision=decision, reason=reason, wait_s=wait_s, alternative="Ring.")


PRESENTED = ev.ClaimPresented(at_ns=2, reader="qr")
OPENED = ev.SessionOpened(at_ns=3, session="s1", deadline_s=8.0, looks=3)
CLOSER = ev.Guidance(at_ns=4, session="s1", advice=(Advice.STEP_CLOSER,), reason=Reason.QUALITY, elapsed_share=0.1)


def test_a_device_that_starts_then_waits_for_a_card():
    starting = ev.Starting(
        at_ns=1, version="1", profile="device", settings="", model="", door="log", camera="v4l2", signed=True
    )
    assert after(starting).name == "starting"
    assert after(starting, ev.Ready(at_ns=2)).name == "idle"


def test_a_claim_is_read_then_the_oval_is_shown_with_what_to_do_and_how_far_it_is():
    assert after(PRESENTED).name == "reading"
    asked = after(PRESENTED, ev.PinWanted(at_ns=3, within_s=20.0))
    assert (asked.name, asked.hold_s) == ("pin", 20.0), "typed on a keypad: the page takes nothing"
    look = after(PRESENTED, OPENED, CLOSER)
    assert (look.name, look.at_ns, look.deadline_s, look.advice) == ("look", 3, 8.0, ("step_closer",))
    compared = after(PRESENTED, OPENED, CLOSER, ev.LookCompared(at_ns=5, session="s1", look=1, looks=3))
    assert (compared.done, compared.of, compared.advice) == (1, 3, ())


@pytest.mark.parametrize(
    ("end", "name"),
    [
        (decided(Outcome.ACCEPT, Reason.MATCHING), "welcome"),
        (decided(Outcome.REJECT, Reason.NOT_MATCHING), "not_verified"),
        (decided(Outcome.NO_DECISION, Reason.QUALITY, advice=(Advice.MORE_LIGHT,)), "again"),
        (decided(Outcome.NO_DECISION, Reason.NO_FACE), "again"),
        (decided(Outcome.NO_DECISION, Reason.SEVERAL_FACES), "again"),
        (decided(Outcome.NO_DECISION, Reason.SOURCE_FAULT), "fault"),
        (decided(Outcome.NO_DECISION, Reason.INTERRUPTED), "fault"),
        (ev.AlternativeChosen(at_ns=9, decision=answer(Outcome.NO_DECISION, Reason.ALTERNATIVE)), "other"),
        (refused(Reason.TOKEN_EXPIRED), "refused"),
        (refused(Reason.WRONG_DOOR), "refused"),
        (refused(Reason.PIN_WRONG), "again"),
        (refused(Reason.PIN_MISSING), "again"),
        (refused(Reason.LOCKED_OUT), "refused"),  # until an operator resets it: no wait helps
        (refused(Reason.LOCKED_OUT, 30), "wait"),
        (refused(Reason.DOOR_PAUSED, 600), "wait"),
    ],
)
def test_each_ending_has_its_screen_and_passes_by_itself(end: ev.Event, name: str):
    screen = after(PRESENTED, OPENED, end)
    assert (screen.name, screen.rest) == (name, "idle")
    assert 0 < screen.hold_s <= 60


@pytest.mark.parametrize("outcome", Outcome)
@pytest.mark.parametrize("reason", Reason)
def test_every_decision_has_a_screen_that_names_nobody_and_no_score(outcome: Outcome, reason: Reason):
    screen = after(PRESENTED, OPENED, decided(outcome, reason, wait_s=30))
    assert screen.name in {"welcome", "not_verified", "again", "refused", "wait", "fault", "other"}
    told = screen.as_json()
    assert SERIAL not in told
    assert "77" not in told
    assert set(json.loads(told)["screen"]) == set(asdict(IDLE))


def test_a_pin_beside_a_card_is_taken_while_it_is_asked_for_and_one_alone_while_nobody_is_served():
    wanted = ev.PinWanted(at_ns=3, session="s1", within_s=20.0)
    looked, ended = after(PRESENTED, OPENED), after(PRESENTED, OPENED, decided(Outcome.ACCEPT, Reason.MATCHING))
    stopped, other = (
        after(ev.Stopped(at_ns=9, cause="signal")),
        after(acts.Sitting(at_ns=9, operator="kim", change="camera")),
    )
    screens = (
        IDLE,
        after(PRESENTED),
        after(PRESENTED, wanted),
        looked,
        ended,
        after(refused(Reason.PIN_WRONG)),
        stopped,
        other,
    )
    assert [one.asks_pin(alone=False) for one in screens] == [False, False, True, False, False, False, False, False]
    assert [one.asks_pin(alone=True) for one in screens] == [True, False, True, False, True, True, False, False]


def test_a_challenge_is_an_arrow_a_tick_and_ahead_again_counted_by_steps():
    def step(number: int, direction: Direction | None, *, done: bool = False) -> ev.ChallengeStep:
        return ev.ChallengeStep(
            at_ns=5, session="s1", step=number, steps=3, attempt=1, direction=direction, within_s=2.5, done=done
        )

    told = [step(1, None), step(1, Direction.LEFT), step(1, Direction.LEFT, done=True), step(2, None)]
    screens = [after(PRESENTED, OPENED, *told[: k + 1]) for k in range(4)]
    assert [(one.name, one.direction, one.done, one.of) for one in screens] == [
        ("challenge", "ahead", 0, 3),
        ("challenge", "left", 0, 3),
        ("challenge", "done", 1, 3),
        ("challenge", "ahead", 1, 3),
    ]
    assert screens[1].deadline_s == 2.5
    compared = ev.LookCompared(at_ns=6, session="s1", look=1, looks=3)
    assert after(PRESENTED, OPENED, *told, compared).direction == "ahead", "a look in between changes nothing"
    assert after(PRESENTED, OPENED, *told, decided(Outcome.ACCEPT, Reason.MATCHING)).rest == "idle"


def test_a_colour_is_shown_for_its_time_and_the_answer_after_it_rests_as_before():
    red = ev.FlashColour(at_ns=5, session="s1", colour=(255, 0, 0), lasts_s=0.4, step=1, steps=3)
    screen = after(PRESENTED, OPENED, red)
    assert (screen.name, screen.colour, screen.hold_s) == ("flash", (255, 0, 0), 0.4)
    assert after(PRESENTED, OPENED, red, decided(Outcome.ACCEPT, Reason.MATCHING)).rest == "idle"


def test_nobody_is_told_that_they_were_suspected():
    suspected = after(PRESENTED, OPENED, decided(Outcome.REJECT, Reason.PRESENTATION_ATTACK_SUSPECTED))
    plain = after(PRESENTED, OPENED, decided(Outcome.REJECT, Reason.NOT_MATCHING))
    assert suspected == plain


def test_a_camera_that_fails_is_a_fault_until_it_works_again():
    fault = ev.Faulted(at_ns=5, room="source", error="SourceTimeout", what="no frame")
    assert after(fault).name == "fault"
    assert after(fault, ev.Recovered(at_ns=6)).name == "idle"
    in_session = after(PRESENTED, OPENED, fault)
    assert (in_session.name, in_session.rest) == ("look", "fault"), "the session itself says how it ends"


def test_a_fault_of_something_else_is_nobody_s_business_in_front_of_the_door():
    other = ev.Faulted(at_ns=5, room="observer", error="TimeoutError", what="gone")
    assert after(other) is IDLE


def test_a_door_that_does_not_move_is_told_though_the_person_was_verified():
    moved = after(
        PRESENTED, OPENED, decided(Outcome.ACCEPT, Reason.MATCHING), ev.DoorFault(at_ns=9, driver="relay", what="x")
    )
    assert moved.name == "fault"
    assert moved.rest == "idle"


def test_an_enrolment_is_drawn_with_its_progress():
    first = acts.EnrolmentProgress(at_ns=5, have=1, want=5)
    second = acts.EnrolmentProgress(at_ns=6, have=2, want=5, advice=(Advice.HOLD_STILL,))
    screen = after(first, second)
    assert (screen.name, screen.at_ns, screen.done, screen.of, screen.advice) == ("enrol", 6, 2, 5, ("hold_still",))
    done = acts.Enrolled(at_ns=7, operator="kim", serial=bytes(16), custody=Custody.CARD, expires=1, issuer=bytes(8))
    assert after(first, done).name == "enrolled"
    assert "kim" not in after(first, done).as_json()


def test_a_device_that_stopped_serves_nobody():
    assert after(ev.Stopped(at_ns=9, cause="signal")).name == "fault"
