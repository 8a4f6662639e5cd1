"""The running device in trouble: a camera that hangs or falls silent, a self-test that fails hours after the start."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from edge.errors import CameraError, SourceEnded, SourceHung, SourceTimeout, Unfit
from edge.fictional import FictionalSource, Nobody
from edge.service import Device, Loop, Parts, loop
from edge.settings.model import DeviceSettings, Settings
from edge.trust import Keyring
from edge.types import Frame
from edge.types.events import Event
from tests.door.bench import relay


class Bad:
    """A camera of an empty hall: some frames, then what a test wants; later opens are the test's, too."""

    name = "bad"

    def __init__(self, frames: int, then: Callable[[], object], again: Callable[[], object]) -> None:
        self.left, self.then, self.again, self.opened = frames, then, again, 0
        self.hall = FictionalSource((Nobody(600.0),))

    def open(self) -> None:
        self.opened += 1
        if self.opened > 1:
            self.again()
        self.hall.open()

    def read(self, timeout_s: float) -> Frame:
        if not self.left:
            self.then()
        self.left = max(0, self.left - 1)
        return self.hall.read(timeout_s)

    def close(self) -> None:
        self.hall.close()


class Reader:
    """Nobody claims, and somebody still could."""

    name, ended = "nobody", False

    def poll(self, frame: Frame | None) -> None:
        return None

    def close(self) -> None:
        return None


class Flood(Reader):
    """Delivers something whenever it is asked."""

    def __init__(self, name: str, asked: list[str]) -> None:
        self.name, self._asked = name, asked

    def poll(self, frame: Frame | None) -> str:  # type: ignore[override]
        self._asked.append(self.name)
        return "no card"


class Acts:
    """An operator, asked for again and again."""

    def __init__(self) -> None:
        self.turns = 0

    def serve(self, *_: object) -> bool:
        self.turns += 1
        return False


def refuse(error: Exception) -> Callable[[], object]:
    def raising() -> None:
        raise error

    return raising


@pytest.fixture(autouse=True)
def _no_pause(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(loop, "_RETRY_S", 0.01)


def device(folder: Path, camera: Bad, **parts: object) -> tuple[Device, list[Event]]:
    settings = Settings(
        device=DeviceSettings(state_dir=folder / "state", trust_dir=folder / "trust"), alternative="Ring the bell."
    )
    keyring = Keyring.ephemeral(os.urandom)[0]
    made = Device.open(settings, Parts(source=lambda: camera, keyring=keyring, fast=True, **parts))  # type: ignore[arg-type]
    events: list[Event] = []
    made.observe(events.append)
    return made, events


HUNG = SourceHung("the camera was told to stop and has not", where="bad", remedy="start this program again")


def test_a_camera_that_hangs_for_good_ends_the_process_and_the_door_is_locked(tmp_path):
    """What cannot help itself exits: a driver that holds on to this process lets go when it ends."""
    gone = CameraError("it was unplugged", where="bad", remedy="plug it in")
    camera = Bad(3, refuse(gone), refuse(HUNG))
    with relay(tmp_path / "chip", pulse_s=30.0) as (wire, door):
        made, events = device(tmp_path, camera, door=door)
        with made, pytest.raises(SourceHung):
            Loop(made, [Reader()]).run(threading.Event())
        assert camera.opened == 1 + 3, "three tries, and not for ever"
        assert not wire.energised
    kinds = [event.kind for event in events]
    assert kinds[:2] == ["device.starting", "device.ready"]
    assert kinds[-1] == "device.stopped"
    assert events[-1].cause == "SourceHung"  # type: ignore[attr-defined]


def test_one_that_hangs_now_and_then_is_opened_again(tmp_path):
    tries = iter([HUNG, HUNG, None, HUNG, HUNG, None])

    def again() -> None:
        if (error := next(tries)) is not None:
            raise error
        camera.left = 3

    def then() -> None:
        raise (SourceEnded if camera.opened > 6 else CameraError)("no more", where="bad", remedy="")

    camera = Bad(3, then, again)
    made, events = device(tmp_path, camera)
    with made:
        Loop(made, [Reader()]).run(threading.Event())
    assert camera.opened == 7
    assert events[-1].cause == "end-of-input"  # type: ignore[attr-defined]


def test_the_watchdog_is_fed_by_frames_and_not_by_a_silent_camera(tmp_path):
    silences, fed = [], []

    def silent() -> None:
        silences.append(1)
        raise (SourceTimeout if len(silences) < 200 else SourceEnded)("nothing", where="bad", remedy="")

    camera = Bad(7, silent, lambda: None)
    made, events = device(tmp_path, camera)
    with made:
        Loop(made, [Reader()], alive=lambda: fed.append(1)).run(threading.Event())
    assert len(fed) == 7, "one each; in 20 s of silence none"
    assert [event.kind for event in events].count("device.fault") == 1, "and the silence is told once"


def test_a_device_that_fails_its_hourly_test_stops_serving(tmp_path):
    now = [0.0]

    def examine() -> None:
        tested.append(now[0])
        if len(tested) == 2:
            raise Unfit("the models are not those of this build", where="self-test", remedy="reinstall")

    def clock() -> float:
        now[0] += 600.0
        return now[0]

    tested: list[float] = []
    made, events = device(tmp_path, Bad(10_000, refuse(SourceEnded("over")), lambda: None))
    with made, pytest.raises(Unfit):
        Loop(made, [Reader()], examine=examine, clock=clock).run(threading.Event())
    assert 3600 <= tested[1] - tested[0] < 2 * 3600
    assert events[-1].cause == "Unfit"  # type: ignore[attr-defined]


def test_a_reader_that_floods_keeps_neither_another_reader_nor_an_operator_waiting(tmp_path):
    made, events = device(tmp_path, Bad(40, refuse(SourceEnded("over")), lambda: None))
    asked, acts = [], Acts()
    with made:
        Loop(made, [Flood("one", asked), Flood("other", asked)], acts=acts).run(threading.Event())  # type: ignore[arg-type]
    refused = [event.kind for event in events].count("claim.refused")
    assert refused >= 30
    assert asked[:6] == ["one", "other", "one", "other", "one", "other"], "each in turn"
    assert acts.turns >= refused, "and an operator after each"
