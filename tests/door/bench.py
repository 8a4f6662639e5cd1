"""A door on a fake chip, watched from outside, in this process and in others."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Literal

from edge.door import FakeChip, RelayDoor
from edge.door.holders import Holder, holders
from edge.types import Decision, Outcome, Reason

ROOT = Path(__file__).resolve().parents[2]
ACCEPT = Decision(Outcome.ACCEPT, Reason.MATCHING, 1e-4, serial="0" * 32)
REJECT = Decision(Outcome.REJECT, Reason.NOT_MATCHING, 1e-4)
NO_DECISION = Decision(Outcome.NO_DECISION, Reason.NO_FACE, 1e-4)
PIN = 17


class Bench:
    """A fake chip, and what its line does."""

    def __init__(self, folder: Path, *, active_high: bool = True, freed: Literal[0, 1, "keep"] = "keep") -> None:
        self.chip, self.active_high = FakeChip.make(folder, freed=freed), active_high

    @property
    def energised(self) -> bool:
        return self.chip.energised(PIN, active_high=self.active_high)

    @property
    def held(self) -> bool:
        return self.chip.held(PIN)

    @property
    def guards(self) -> list[Holder]:
        return list(holders(self.chip, PIN))

    def wait_locked(self, at_most_s: float) -> float:
        """Seconds until it is locked."""
        return until(lambda: not self.energised, at_most_s, "still energised")

    @contextmanager
    def process(
        self, *, pulse_s: float = 30.0, acts: str = "door.act(ACCEPT)", more: str = ""
    ) -> Iterator[subprocess.Popen[str]]:
        """Another process that has opened a door (with ``more`` arguments) and acted; it then sleeps."""
        program = f"""
            import sys, time
            from pathlib import Path
            from edge.door import FakeChip, RelayDoor
            from tests.door.bench import ACCEPT
            door = RelayDoor(
                FakeChip(Path(sys.argv[1])), pin={PIN}, active_high={self.active_high}, pulse_s={pulse_s},
                {more}
            )
            door.open()
            {acts}
            print("acted", flush=True)
            sys.stdin.readline()
            door.act(ACCEPT)
            print("acted", flush=True)
            sys.stdin.readline()
        """
        process = subprocess.Popen(
            [sys.executable, "-c", textwrap.dedent(program), self.chip.name],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        assert process.stdout is not None
        try:
            assert process.stdout.readline() == "acted\n", process.stderr and process.stderr.read()
            yield process
        finally:
            process.kill()
            process.wait()

    def end(self) -> None:
        """No test leaves a guard behind."""

        def gone() -> bool:
            for found in self.guards:
                os.kill(found.pid, signal.SIGKILL)
            return not Path(self.chip.name, str(PIN)).exists() or not self.held

        until(gone, 10, "some process still holds the line")


@contextmanager
def relay(folder: Path, pulse_s: float) -> Iterator[tuple[Bench, RelayDoor]]:
    """A bench and an open door on it, for tests of other rooms."""
    bench = Bench(folder)
    try:
        with RelayDoor(bench.chip, pin=PIN, pulse_s=pulse_s) as door:
            yield bench, door
    finally:
        bench.end()


def until(true: Callable[[], bool], at_most_s: float, what: str) -> float:
    """Seconds until something is true."""
    started = time.monotonic()
    while not true():
        assert time.monotonic() - started < at_most_s, what
        time.sleep(0.002)
    return time.monotonic() - started
