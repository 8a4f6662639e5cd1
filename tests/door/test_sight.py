"""The door in sight: opened, forced, held open, closed, and the housing of the device."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from edge.door import FakeChip, Sight
from edge.door.gpio import Busy
from edge.door.sight import GRACE_S, JUDGE_S, Leaf
from edge.settings.model import ContactSettings, DoorSettings, InputSettings
from edge.types.events import Event, Faulted, Recovered
from edge.types.sight import DoorForced, DoorHeld, DoorMoved, Tampered
from tests.door.bench import until

CONTACT, TAMPER = 27, 23


def happened(leaf: Leaf, *steps: tuple[float, str]) -> list[tuple[float, str]]:
    """What a leaf says, and when; time goes on in steps of a tenth of a second until ten seconds after the last."""
    told, steps_left = [], sorted(steps)
    for tenth in range(round(10 * steps[-1][0]) + 100):
        now = tenth / 10
        while steps_left and steps_left[0][0] <= now:
            match steps_left.pop(0)[1]:
                case "opens":
                    told += [(now, change) for change in leaf.moved(True, now)]
                case "closes":
                    told += [(now, change) for change in leaf.moved(False, now)]
                case "released":
                    leaf.released()
                case "locked":
                    leaf.locked(now)
        told += [(now, change) for change in leaf.tick(now)]
    return told


def test_somebody_who_goes_through_is_opened_and_closed_and_no_alarm():
    steps = (1, "released"), (2, "opens"), (4, "locked"), (5, "closes")
    assert happened(Leaf(30), *steps) == [(2.0, "open"), (5.0, "closed")]


def test_a_door_that_opens_while_its_lock_holds_is_forced_once():
    assert happened(Leaf(30), (1, "opens"), (6, "closes")) == [(1.0, "open"), (1.5, "forced"), (6.0, "closed")]


def test_one_that_is_closed_again_before_it_was_judged_was_forced_all_the_same():
    assert happened(Leaf(30), (1, "opens"), (1.2, "closes")) == [(1.0, "open"), (1.2, "forced"), (1.2, "closed")]


def test_a_request_to_exit_that_is_told_late_makes_it_no_alarm():
    steps = (1, "opens"), (1 + JUDGE_S - 0.2, "released"), (4, "locked"), (4.5, "closes")
    assert [change for _, change in happened(Leaf(30), *steps)] == ["open", "closed"]


def test_a_hand_that_is_on_the_door_when_the_lock_holds_again_is_no_force():
    steps = (1, "released"), (2, "locked"), (2 + GRACE_S - 0.2, "opens"), (4, "closes")
    assert [change for _, change in happened(Leaf(30), *steps)] == ["open", "closed"]
    late = (1, "released"), (2, "locked"), (2 + GRACE_S + 0.3, "opens"), (6, "closes")
    assert [change for _, change in happened(Leaf(30), *late)] == ["open", "forced", "closed"]


def test_a_door_that_stands_open_is_held_once_counted_from_when_the_lock_holds_again():
    steps = (1, "released"), (2, "opens"), (9, "locked"), (20, "closes")
    assert happened(Leaf(5), *steps) == [(2.0, "open"), (14.0, "held"), (20.0, "closed")]
    again = (1, "released"), (2, "opens"), (3, "locked"), (7, "released"), (8, "locked"), (20, "closes")
    assert happened(Leaf(5), *again) == [(2.0, "open"), (13.0, "held"), (20.0, "closed")]


def test_where_people_leave_by_the_handle_nothing_is_forced():
    assert happened(Leaf(30, alarm=False), (1, "opens"), (3, "closes")) == [(1.0, "open"), (3.0, "closed")]


class Watched:
    """A sight on a fake chip, and what it tells."""

    def __init__(self, folder: Path, **contact: object) -> None:
        self.chip = FakeChip.make(folder)
        self.settings = DoorSettings(
            chip=str(folder),
            contact=ContactSettings(pin=CONTACT, **contact),  # type: ignore[arg-type]
            tamper=InputSettings(pin=TAMPER),
        )
        self.told: list[Event] = []
        self.sight = Sight(self.chip, self.settings, tell=self.told.append, now_ns=lambda: 7)

    def wait(self, *kinds: type[Event]) -> None:
        until(lambda: [type(event) for event in self.told] == [*kinds], 5, f"{self.told}")


@pytest.fixture
def watched(tmp_path):
    made: list[Watched] = []

    def make(**contact: object) -> Watched:
        made.append(Watched(tmp_path / "chip", **contact))
        return made[-1]

    yield make
    for one in made:
        one.sight.close()


def test_the_switches_are_told_on_their_edges(watched):
    here = watched(held_s=2.0)
    here.sight.open()
    assert here.sight.standing == {"contact": True, "tamper": True}
    assert here.told == [], "all is at rest"
    here.chip.put(TAMPER, True)
    here.wait(Tampered)
    here.chip.put(CONTACT, True)
    here.wait(Tampered, DoorMoved, DoorForced, DoorHeld)
    assert here.sight.standing == {"contact": False, "tamper": False}
    here.chip.put(CONTACT, False)
    here.chip.put(TAMPER, False)
    here.wait(Tampered, DoorMoved, DoorForced, DoorHeld, DoorMoved, Tampered)
    assert [event.open for event in here.told if isinstance(event, DoorMoved | Tampered)] == [True, True, False, False]


def test_a_bouncing_contact_that_is_back_at_rest_is_told_as_what_it_did(watched):
    here = watched()
    here.sight.open()
    here.sight.released()
    for _ in range(3):
        here.chip.put(CONTACT, True)
        here.chip.put(CONTACT, False)
    here.wait(*[DoorMoved] * 6)
    assert [event.open for event in here.told] == [True, False] * 3
    assert here.sight.standing["contact"], "back at rest"


def test_what_is_not_at_rest_at_the_start_is_told_and_is_no_force(watched):
    here = watched()
    here.chip.put(CONTACT, True)
    here.chip.put(TAMPER, True)
    here.sight.released()
    here.sight.open()
    here.wait(DoorMoved, Tampered)
    assert not any(isinstance(event, DoorForced) for event in here.told)
    assert here.sight.standing == {"contact": False, "tamper": False}


def test_a_line_that_somebody_else_has_is_an_error_and_nothing_is_held(watched):
    here = watched()
    other = here.chip.input(TAMPER, active_high=True)
    with pytest.raises(Busy, match="in use"):
        here.sight.open()
    os.close(other)
    here.sight.open()


def test_lines_that_cannot_be_read_any_more_are_told_once_and_taken_again(watched, monkeypatch):
    monkeypatch.setattr("edge.door.sight._AGAIN_S", 0.05)
    here = watched()
    here.sight.open()
    unreadable = os.open(Path(here.chip.name, "other"), os.O_WRONLY | os.O_CREAT)
    os.dup2(unreadable, here.sight._lines["contact"])
    until(lambda: any(isinstance(event, Recovered) for event in here.told), 10, f"{here.told}")
    faulted, recovered = here.told
    assert isinstance(faulted, Faulted)
    assert (faulted.room, recovered.room) == ("door", "door")  # type: ignore[union-attr]
    os.close(unreadable)
    here.chip.put(TAMPER, True)
    until(lambda: isinstance(here.told[-1], Tampered), 5, "it watches again")


def test_closing_lets_the_lines_go(watched):
    here = watched()
    here.sight.open()
    here.sight.close()
    here.sight.close()
    os.close(here.chip.input(CONTACT, active_high=True))
    here.chip.put(CONTACT, True)
    time.sleep(0.05)
    assert here.told == []
