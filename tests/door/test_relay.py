"""A relay: an accept releases for one pulse; everything else is locked, and nobody lets go of the line."""

from __future__ import annotations

import threading
import time

import pytest

from edge.door import RelayDoor
from edge.door import asking as asking_module
from edge.errors import DoorError
from tests.door.bench import ACCEPT, NO_DECISION, PIN, REJECT, Bench


def door_of(bench: Bench, pulse_s: float = 0.3, **options: object) -> RelayDoor:
    return RelayDoor(bench.chip, pin=PIN, active_high=bench.active_high, pulse_s=pulse_s, **options)  # type: ignore[arg-type]


@pytest.mark.parametrize("active_high", [True, False])
def test_an_accept_releases_for_one_pulse(benches, active_high):
    bench = benches(active_high=active_high)
    with door_of(bench) as door:
        assert not bench.energised
        door.act(ACCEPT)
        assert bench.energised
        assert door.released
        assert 0.2 < bench.wait_locked(3) < 2
        assert not door.released


@pytest.mark.parametrize("freed", [0, 1, "keep"])
@pytest.mark.parametrize("active_high", [True, False])
def test_opening_and_closing_never_energise_it_and_closing_leaves_it_held(benches, active_high, freed):
    bench = benches(active_high=active_high, freed=freed)
    door = door_of(bench)
    for _ in range(2):
        door.open()
        door.act(REJECT)
        door.close()
        assert bench.held
        assert not bench.energised
    assert not any(energised for _, energised in bench.chip.history(PIN))


@pytest.mark.parametrize("decision", [REJECT, NO_DECISION])
def test_anything_else_leaves_it_locked(bench, decision):
    with door_of(bench) as door:
        door.act(decision)
        assert not bench.energised


def test_a_second_accept_extends_the_pulse_and_does_not_add_to_it(bench):
    told: list[float] = []
    with door_of(bench, pulse_s=0.5, locked=lambda: told.append(time.monotonic())) as door:
        started = time.monotonic()
        for _ in range(5):
            door.act(ACCEPT)
        time.sleep(0.25)
        door.act(ACCEPT)
        bench.wait_locked(3)
        assert 0.7 < time.monotonic() - started < 2.4
    assert len(told) == 1


def test_a_rejection_during_a_pulse_does_not_prolong_it(bench):
    with door_of(bench, pulse_s=1.0) as door:
        door.act(ACCEPT)
        time.sleep(0.8)
        door.act(REJECT)
        assert bench.wait_locked(3) < 0.8


def test_who_asked_is_told_when_the_lock_holds_again(bench):
    told = threading.Event()
    energised = []

    def locked() -> None:
        energised.append(bench.energised)
        told.set()
        raise ZeroDivisionError  # whatever the caller does in it

    with door_of(bench, pulse_s=0.2, locked=locked) as door:
        for _ in range(2):
            door.act(ACCEPT)
            assert told.wait(5)
            told.clear()
        door.act(REJECT)
        assert not told.wait(0.3), "nothing was released, nothing is told"
    assert energised == [False, False]


def test_closing_in_a_pulse_locks_at_once_and_tells(bench):
    told: list[str] = []
    door = door_of(bench, pulse_s=30, locked=lambda: told.append("locked"))
    door.open()
    door.act(ACCEPT)
    assert bench.energised
    door.close()
    assert not bench.energised
    assert told == ["locked"]


def test_it_can_be_opened_and_closed_again(bench):
    door = door_of(bench)
    door.open()
    door.open()
    door.act(ACCEPT)
    door.close()
    door.close()
    assert not bench.energised
    door.open()
    door.act(ACCEPT)
    assert bench.energised
    bench.wait_locked(2)
    door.close()
    assert len(bench.guards) == 1, "the one that holds the line"


def test_leaving_the_block_by_an_exception_locks(bench):
    def session() -> None:
        with door_of(bench, pulse_s=30) as door:
            door.act(ACCEPT)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        session()
    assert not bench.energised


def test_a_line_in_use_is_a_typed_error_that_names_the_process(bench):
    with door_of(bench), bench_error("driven by process") as refused:
        door_of(bench).open()
    assert "kill" in refused.value.remedy


def test_threads_may_act_at_once(bench):
    with door_of(bench) as door:
        threads = [threading.Thread(target=door.act, args=(ACCEPT,)) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert bench.wait_locked(2) < 2


def test_a_guard_that_cannot_be_started_is_a_typed_error_and_lets_go_of_the_line(bench, monkeypatch):
    monkeypatch.setattr(asking_module.sys, "executable", "/nowhere/python")
    with bench_error("cannot be started"):
        door_of(bench).open()
    assert not bench.held


def test_a_guard_that_dies_while_it_starts_is_a_typed_error(bench, monkeypatch):
    monkeypatch.setattr(asking_module.sys, "executable", "/bin/false")
    with bench_error("has ended"):
        door_of(bench).open()
    assert not bench.energised


def bench_error(words: str):
    return pytest.raises(DoorError, match=words)
