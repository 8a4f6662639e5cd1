"""`kill -9` at random, 200 times: nothing acknowledged is lost, no record is half, the door is locked (`-m slow`).

A worker enrols, verifies and erases through the public acts, says what it begins and what has ended, and is killed at a
random moment. Then the device is opened as a restart opens it. About four minutes on a quiet machine; prints a table.
EDGE_DRILL_ROUNDS sets another number.
"""

from __future__ import annotations

import json
import multiprocessing
import os
import random
import signal
import time
import traceback
from collections import Counter
from collections.abc import Callable
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import pytest

from edge.door import RelayDoor
from tests.door.bench import PIN
from tests.door.bench import Bench as Line
from tests.faults.world import World, figures

pytestmark = [pytest.mark.slow, pytest.mark.timeout(3600)]

ROUNDS = int(os.environ.get("EDGE_DRILL_ROUNDS", "200"))
#: A guard notices the end of its owner at once, and locks; a busy machine takes a moment to run it.
LOCKED_WITHIN_S = 3.0
# This process opens no device itself: whoever forks must have no thread of a model's or a camera's.
_FORK = multiprocessing.get_context("fork")


def work(world: World, seed: int, out: int) -> None:
    """Acts without end; what is begun and what has ended goes to a pipe, a line each, before anything else happens."""
    random_ = random.Random(seed)

    def tell(what: str, *of: str) -> None:
        os.write(out, json.dumps([what, *of]).encode() + b"\n")

    with world.device() as device:
        _ = device._door  # as the loop does
        tell("open")
        while True:
            kind = random_.choice(["enrol", "enrol", "verify", "erase"])
            if kind == "enrol":
                tell("begin", "enrol")
                tell("enrolled", world.enrol(device, "ada", tell))
            elif world.cards:
                serial = random_.choice(sorted(world.cards))
                tell("begin", kind, serial)
                if kind == "erase":
                    world.erase(device, serial)
                    tell("erased", serial)
                else:
                    tell("decided", world.verify(device, world.cards[serial]).outcome.value)


def in_a_child(act: Callable[[], Any]) -> Any:
    """What an act answers, run in a process of its own; its error is raised here."""
    here, there = _FORK.Pipe(duplex=False)

    def run(answer: Connection) -> None:
        try:
            answer.send((True, act()))
        except BaseException as error:
            answer.send((False, "".join(traceback.format_exception(error))))

    child = _FORK.Process(target=run, args=(there,))
    child.start()
    there.close()
    ok, answer = here.recv()
    child.join()
    assert ok, answer
    return answer


def killed(world: World, seed: int, lines: int, more_s: float) -> list[list[str]]:
    """Run the worker, kill it so long after it has said so many lines, and give what it had said."""
    reading, writing = os.pipe()
    worker = _FORK.Process(target=work, args=(world, seed, writing))
    worker.start()
    os.close(writing)
    with os.fdopen(reading, "rb", buffering=0) as said:
        text = b""
        while text.count(b"\n") < lines:
            data = said.read(4096)
            assert data, "the worker ended by itself"
            text += data
        time.sleep(more_s)
        assert worker.pid is not None
        os.kill(worker.pid, signal.SIGKILL)
        worker.join()
        while data := said.read(4096):
            text += data
    return [json.loads(line) for line in text.splitlines()]


def learn(world: World, told: list[list[str]]) -> tuple[str, str]:
    """Take over what was acknowledged; the act that was not, and the card it is about."""
    kind = about = ""
    for what, *of in told:
        if what == "begin":
            kind, about = of[0], (of[1] if len(of) > 1 else "")
        elif what == "card":
            about, world.cards[of[0]] = of[0], of[1]
        elif what in ("enrolled", "erased", "decided"):
            if what == "erased":
                world.gone[of[0]] = world.cards.pop(of[0])
            world.acknowledged["decision" if what == "decided" else what] += 1
            kind = about = ""
    return kind, about


def settle(world: World, about: str, ending: str) -> None:
    """An act that was not acknowledged has ended in one way or the other: from now on that must hold."""
    if about in world.cards and not ending.startswith("counts"):
        world.gone[about] = world.cards.pop(about)


def test_a_device_that_is_killed_at_random_loses_nothing_it_has_acknowledged(tmp_path: Path):
    line = Line(tmp_path / "chip")
    world = World(tmp_path / "state", door=lambda: RelayDoor(line.chip, pin=PIN, pulse_s=1.0))
    table: Counter[tuple[str, str]] = Counter()
    random_, slowest, acts = random.Random(1), 0.0, 0
    try:
        for number in range(ROUNDS):
            told = killed(world, number, random_.randint(1, 9), random_.uniform(0.0, 0.03))
            slowest = max(slowest, line.wait_locked(LOCKED_WITHIN_S))
            acts += sum(what in ("enrolled", "erased", "decided") for what, *_ in told)
            kind, about = learn(world, told)
            maybe = about if kind in ("enrol", "erase") else ""
            ending = in_a_child(lambda maybe=maybe: world.inspect(maybe))
            table[kind or "between acts", ending] += 1
            if kind == "erase" or ending.startswith("counts"):
                assert "not in the journal" not in ending, f"{kind}: {ending}"
            settle(world, maybe, ending)
            if len(world.cards) + len(world.gone) > 40:  # opening them all again each round would take the whole time
                world.cards, world.gone = dict(list(world.cards.items())[-10:]), dict(list(world.gone.items())[-10:])
    finally:
        line.end()
    endings = {f"{kind}: {ending or 'nothing in hand'}": count for (kind, ending), count in sorted(table.items())}
    figures("kill -9", kills=ROUNDS, acknowledged=acts, lost=0, locked_within_ms=round(1000 * slowest), endings=endings)
    assert acts > ROUNDS / 4, "the drill must interrupt work, not starts"
