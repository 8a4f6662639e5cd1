"""Faults are told on their edges: few words whatever a camera does, none missed, and recovery only after frames."""

from __future__ import annotations

import random
import sys

import numpy as np
import pytest

from edge.camera import Capture, FaultEdges, Health, Told
from edge.camera.fault_edges import CLEAR_MOST_S, CLEAR_S
from edge.camera.pi import PiSource
from edge.errors import CameraError, SourceTimeout, SourceUnavailable
from edge.settings.model import CameraSettings
from edge.types import Fault, Frame
from tests.camera.picamera2_stand_in import Habits, stand_in
from tests.camera.pictures import silence_of

IMAGE = np.zeros((4, 4, 3), np.uint8)
RATE = 15


class Watched:
    """A `FaultEdges` on a camera of 15 frames a second; time goes on with the frames."""

    def __init__(self) -> None:
        self.edges, self.now_s, self.told = FaultEdges(), 100.0, []

    def frames(self, seconds: float, *faults: Fault, every: int = 1) -> list[Told]:
        """Frames with these faults in every so-manieth."""
        said = []
        for number in range(round(seconds * RATE)):
            self.now_s += 1 / RATE
            frame = Frame(IMAGE, round(self.now_s * 1e9), number, "v4l2")
            said += self.edges.frame(frame, faults if number % every == 0 else ())
        self.told += said
        return said

    def fails(self, error: CameraError, *, after_s: float = 2.0) -> list[Told]:
        self.now_s += after_s
        said = list(self.edges.failed(error, round(self.now_s * 1e9)))
        self.told += said
        return said


@pytest.fixture
def watched() -> Watched:
    return Watched()


def test_good_frames_say_nothing(watched):
    assert watched.frames(60) == []


def test_a_fault_is_told_once_when_it_begins_and_once_when_it_is_over(watched):
    (begun,) = watched.frames(30, Fault.BLACK)
    assert (begun.over, begun.faults) == (False, {Fault.BLACK})
    assert begun.error.what == "the pictures are black (16 of 16 frames in 1 s)"
    assert begun.error.where == "v4l2"
    assert "cap" in begun.error.remedy
    assert watched.edges.standing == {Fault.BLACK}
    (over,) = watched.frames(30)
    assert (over.over, over.count) == (True, 450)
    assert over.error.what == "the pictures are no longer black: 450 frames in 30 s were"
    assert watched.edges.standing == frozenset()


def test_two_faults_have_edges_of_their_own(watched):
    watched.frames(5, Fault.BLACK)
    watched.frames(5, Fault.BLACK, Fault.FROZEN)
    watched.frames(10, Fault.FROZEN)
    assert [(sorted(told.faults)[0], told.over) for told in watched.told] == [
        (Fault.BLACK, False),
        (Fault.FROZEN, False),
        (Fault.BLACK, True),
    ]


def test_an_infrared_light_in_every_other_frame_is_two_entries_an_hour_not_54_000(watched):
    (begun,) = watched.frames(3600, Fault.OVER_EXPOSED, every=2)
    assert begun.error.what == "the pictures are over-exposed (9 of 17 frames in 1 s)"
    (over,) = watched.frames(10)
    assert over.count == 1800 * RATE


def test_a_blink_and_the_first_frames_after_a_start_are_no_fault(watched):
    watched.frames(0.6, Fault.BLACK)
    watched.frames(20)
    watched.frames(2 / RATE, Fault.OVER_EXPOSED)
    assert watched.frames(20) == []
    assert watched.told == []


def test_what_comes_and_goes_is_told_ever_less_often_and_never_lost(watched):
    for _ in range(24 * 360):  # a day in which five seconds of every ten are black
        watched.frames(5, Fault.BLACK)
        watched.frames(5)
    assert 3 <= len(watched.told) <= 20
    assert watched.edges.standing == {Fault.BLACK}
    watched.frames(CLEAR_MOST_S + 10)
    assert watched.told[-1].over


def test_a_day_of_random_trouble_writes_some_hundred_entries(watched):
    rng = random.Random(3)
    for _ in range(600):
        watched.frames(rng.uniform(0.1, 60), rng.choice(list(Fault)[:4]), every=rng.randint(1, 4))
        watched.frames(rng.uniform(0.1, 120))
    assert 10 <= len(watched.told) <= 600, "four kinds of fault in fifteen hours"
    begun = [sum(told.over is over for told in watched.told) for over in (False, True)]
    assert 0 <= begun[0] - begun[1] <= 4, "what began either ended or stands"


def test_a_fault_that_returns_after_hours_is_over_as_fast_as_the_first_one(watched):
    for _ in range(3):
        watched.frames(5, Fault.BLURRED)
        watched.frames(60)
    watched.frames(2 * 3600)
    watched.frames(5, Fault.BLURRED)
    assert watched.frames(CLEAR_S + 1)[-1].over


GONE = CameraError("the camera is gone", where="HD Webcam", remedy="check its cable")
NONE = SourceUnavailable("there is no such device", where="/dev/cam", remedy="plug in a camera")


def test_an_outage_is_told_by_kind_and_not_by_every_retry(watched):
    watched.frames(5)
    assert [told.error for told in watched.fails(GONE)] == [GONE]
    (missing,) = watched.fails(NONE)
    assert missing.error.what == "there is no such device (failure 2 in 2 s)"
    assert isinstance(missing.error, SourceUnavailable)
    day = [told for _ in range(43_200) for told in watched.fails(NONE)]
    assert len(day) <= 40
    assert day[-1].count > 40_000
    assert watched.edges.standing == {Fault.STOPPED}


def test_silences_of_different_lengths_are_one_kind(watched):
    for seconds in (3.0, 3.1, 3.2):
        watched.fails(SourceTimeout(f"no new frame for {seconds} s: the camera is silent", where="HD Webcam"))
    assert len(watched.told) == 1


def test_recovered_is_told_after_frames_and_not_before(watched):
    watched.fails(GONE)
    watched.fails(GONE)
    assert not any(told.over for told in watched.told)
    assert watched.frames(1) == []
    assert watched.edges.standing == {Fault.STOPPED}
    (over,) = watched.frames(5)
    assert over.over
    assert over.error.what.startswith("frames come again, after 2 failures in ")


def test_a_loose_cable_is_one_outage(watched):
    for _ in range(100):
        watched.fails(GONE)
        watched.frames(1)
    watched.frames(10)
    assert [told.over for told in watched.told[-2:]] == [False, True]
    assert sum(told.over for told in watched.told) == 1
    assert len(watched.told) <= 5


def test_a_camera_s_dark_start_is_not_told_and_its_stall_is(monkeypatch):
    """With the real chain of parts: stand-in camera, capture, health, edges."""
    habits = Habits(startup=5)
    monkeypatch.setitem(sys.modules, "picamera2", stand_in(habits))
    settings = CameraSettings(driver="picamera2")
    edges, health, newest = FaultEdges(), Health(settings), 0
    with Capture(PiSource(settings)) as stream:
        for _ in range(12):
            frame = stream.next(newest, 2.0)
            newest = frame.monotonic_ns
            assert edges.frame(frame, health.check(frame)) == ()
        habits.stall = True
        silence = silence_of(stream)
    (told,) = edges.failed(silence, newest)
    assert told.faults == {Fault.STOPPED}
    assert "imx219" in told.error.where
