"""Observers: everybody hears everything in order, and nobody who listens can delay a claim, a door or a stop."""

from __future__ import annotations

import os
import threading
import time
from pathlib import Path

import pytest

from edge.errors import DoorError
from edge.fictional import Nobody, OnePerson, TwoPeople
from edge.notify import JsonLines
from edge.service.observers import Observers
from edge.types import Decision, Outcome, Reason
from edge.types import events as ev
from tests.service.test_loop import Bench


def guidance(number: int) -> ev.Guidance:
    return ev.Guidance(at_ns=number, advice=(), reason=None, elapsed_share=0.0)


def nobody_lost(name: str, error: BaseException) -> None:
    raise AssertionError(f"{name} was lost: {error}")


def test_every_observer_hears_every_event_in_order():
    heard: list[list[int]] = [[], []]
    observers = Observers(nobody_lost)
    for each in heard:
        observers.add(lambda event, each=each: each.append(event.at_ns), name="ears")
    for number in range(100):
        observers.tell(ev.Ready(at_ns=number))
    observers.close()
    assert heard == [list(range(100))] * 2


def test_whoever_detaches_hears_nothing_more():
    heard: list[ev.Event] = []
    observers = Observers(nobody_lost)
    leave = observers.add(heard.append, name="ears")
    leave()
    leave()
    observers.tell(ev.Ready(at_ns=1))
    observers.close()
    assert heard == []


def test_a_full_queue_drops_progress_first_oldest_first_and_tells_the_gap():
    heard: list[ev.Event] = []
    busy, go = threading.Event(), threading.Event()

    def slow(event: ev.Event) -> None:
        heard.append(event)
        busy.set()
        go.wait(10)

    observers = Observers(nobody_lost, queue=4, stall_s=60)
    observers.add(slow, name="slow")
    observers.tell(ev.Ready(at_ns=0))
    assert busy.wait(10), "it is at its first event now"
    for event in (
        ev.Recovered(at_ns=1),
        guidance(2),
        guidance(3),
        guidance(4),
        guidance(5),
        ev.Stopped(at_ns=6, cause=""),
    ):
        observers.tell(event)
    go.set()
    observers.close()
    assert [event.at_ns for event in heard if not isinstance(event, ev.Gap)] == [0, 1, 4, 5, 6]
    gaps = [event for event in heard if isinstance(event, ev.Gap)]
    assert [gap.dropped for gap in gaps] == [2]
    assert heard.index(gaps[0]) == 1, "the gap is told where it is"


def test_one_that_raises_is_detached_and_told_of_once():
    lost: list[tuple[str, str]] = []
    told = threading.Event()

    def note(name: str, error: BaseException) -> None:
        lost.append((name, type(error).__name__))
        told.set()

    observers = Observers(note)
    observers.add(lambda event: 1 / 0, name="broken")
    for number in range(3):
        observers.tell(ev.Ready(at_ns=number))
    assert told.wait(10)
    observers.tell(ev.Ready(at_ns=9))
    observers.close()
    assert lost == [("broken", "ZeroDivisionError")]


def test_one_that_hangs_is_detached_and_neither_telling_nor_stopping_waits_for_it():
    lost: list[str] = []
    seconds = [0.0]
    observers = Observers(lambda name, error: lost.append(name), queue=2, stall_s=5.0, clock=lambda: seconds[0])
    forever, busy = threading.Event(), threading.Event()

    def hang(event: ev.Event) -> None:
        busy.set()
        forever.wait(60)

    observers.add(hang, name="hung")
    observers.tell(ev.Ready(at_ns=0))
    assert busy.wait(10)
    for number in range(4):
        observers.tell(guidance(number))
    assert lost == [], "being slow for a moment is no stall"
    seconds[0] = 6.0
    observers.tell(guidance(9))
    assert lost == ["hung"]
    observers.close()
    forever.set()


# -- what a whole device tells ---------------------------------------------------------------------------------------


def session_of(events: list[ev.Event]) -> list[str]:
    """The kinds of one claim's events, each run of guidance as one, without what the device says of itself."""
    kinds = [event.kind for event in events if not event.kind.startswith("device.")]
    return [kind for k, kind in enumerate(kinds) if kind != "session.guidance" or kinds[k - 1] != kind]


ACCEPTED = ["claim.presented", "session.opened", "session.guidance", "session.look", "session.decided"]
ACCEPTED += ["door.opened", "door.locked"]
REJECTED = ["claim.presented", "session.opened", "session.guidance", *["session.look"] * 3, "session.decided"]
UNSEEN = ["claim.presented", "session.opened", "session.guidance", "session.decided"]


@pytest.mark.parametrize(
    ("script", "name", "kinds", "reason"),
    [
        ((OnePerson("ada", 60.0),), "ada", ACCEPTED, Reason.MATCHING),
        ((OnePerson("ada", 60.0),), "chen", REJECTED, Reason.NOT_MATCHING),
        ((Nobody(60.0),), "ada", UNSEEN, Reason.NO_FACE),
        ((TwoPeople("ada", "chen", 60.0),), "ada", UNSEEN, Reason.SEVERAL_FACES),
    ],
)
def test_every_ending_of_a_session_can_be_drawn_from_its_events(tmp_path: Path, script, name, kinds, reason):
    bench = Bench(tmp_path, script)
    bench.run((bench.token(name) + "\n").encode())
    assert session_of(bench.events) == kinds
    ends = [event for event in bench.events if isinstance(event, ev.Decided)]
    assert [end.decision.reason for end in ends] == [reason]
    assert len({event.session for event in bench.events if event.kind.startswith("session.")}) == 1
    if reason is Reason.NO_FACE:
        (guide,) = [event for event in bench.events if isinstance(event, ev.Guidance)]
        assert guide.advice
        assert guide.reason is reason


def test_a_refused_claim_says_how_long_to_wait_and_which_other_way_there_is(tmp_path: Path):
    bench = Bench(tmp_path, (OnePerson("ada", 600.0),), alternative="Please ask at the reception.")
    token = bench.token("chen")
    bench.run(f"{token}\n{token}\n{token}\n{token}\n{token}\n{token}\n".encode())
    refused = [event for event in bench.events if isinstance(event, ev.ClaimRefused)]
    assert refused, "five rejects in a row lock a card out"
    assert refused[0].reason is Reason.LOCKED_OUT
    assert refused[0].wait_s > 0
    assert refused[0].alternative == "Please ask at the reception."
    decided = [event for event in bench.events if isinstance(event, ev.Decided)]
    assert decided[-1].decision.wait_s > 0, "the reject that locks it out says so already"


def test_no_event_holds_a_score():
    scored = Decision(Outcome.REJECT, Reason.NOT_MATCHING, 1e-4, score=0.3, threshold=0.5)
    with pytest.raises(ValueError, match="score"):
        ev.Decided(at_ns=0, decision=scored)
    assert "score" not in ev.Decided(at_ns=0, decision=scored.public()).as_json()["decision"]


class BrokenDoor:
    """A door whose hardware fails when it should open."""

    name = "relay"

    def __init__(self) -> None:
        self.closed = 0

    def open(self) -> None:
        pass

    def act(self, decision: Decision) -> None:
        if decision.outcome is Outcome.ACCEPT:
            raise DoorError("the relay cannot be driven", where="relay on GPIO 17", remedy="check the wiring")

    def close(self) -> None:
        self.closed += 1


def test_a_door_that_fails_leaves_a_trace_and_stays_locked(tmp_path: Path):
    door = BrokenDoor()
    bench = Bench(tmp_path, (OnePerson("ada", 60.0),), door=door)
    token = bench.token("ada")
    with pytest.raises(DoorError):
        bench.run((token + "\n").encode())
    assert [event.kind for event in bench.events][-3:] == ["session.decided", "door.fault", "device.stopped"]
    assert bench.events[-1].cause == "DoorError"
    assert door.closed, "what could still be locked was locked"
    text = (tmp_path / "journal.jsonl").read_text()
    assert '"change":"fault"' in text
    assert '"cause":"DoorError"' in text


@pytest.mark.parametrize("reader", ["dead", "stalled"])
def test_a_reader_of_the_json_stream_that_dies_or_stalls_changes_nothing_at_the_door(tmp_path: Path, reader: str):
    bench = Bench(tmp_path, (OnePerson("ada", 600.0),))
    token = bench.token("ada")
    read, write = os.pipe()
    if reader == "dead":
        os.close(read)
    bench.device.observe(JsonLines(write, stall_s=0.2), name="json")
    claims = 40  # some 20 kB: several times what a pipe of one page holds
    bench.run(f"{token}\n".encode() * claims)
    accepts = [event for event in bench.events if isinstance(event, ev.Decided)]
    assert len(accepts) == claims
    assert {event.decision.outcome for event in accepts} == {Outcome.ACCEPT}
    if reader == "dead":
        lost = [event for event in bench.events if isinstance(event, ev.Faulted)]
        assert [(event.room, event.where) for event in lost] == [("observer", "json")]
        assert '"room":"observer"' in (tmp_path / "journal.jsonl").read_text()
        os.close(write)


def test_a_stop_does_not_wait_for_a_hung_observer(tmp_path: Path):
    bench = Bench(tmp_path, (Nobody(0.5),))
    forever = threading.Event()
    bench.device.observe(lambda event: forever.wait(60) and None, name="hung")
    started = time.monotonic()
    bench.run(b"")
    forever.set()
    assert time.monotonic() - started < 30, "sixty seconds would mean that it was waited for"
