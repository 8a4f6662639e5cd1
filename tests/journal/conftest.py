"""A journal in a folder of its own, with a clock that moves on by a second an entry."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from edge.journal import Journal

KEY = bytes(range(32))


class Clock:
    def __init__(self) -> None:
        self.time = 1_790_000_000

    def __call__(self) -> int:
        self.time += 1
        return self.time


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "state"


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def start(folder: Path, clock: Clock) -> Iterator[Callable[..., Journal]]:
    """``start()``: the device starts, again and again."""
    opened: list[Journal] = []

    def start(key: bytes = KEY, **arguments: object) -> Journal:
        opened.append(Journal(folder, key, now=clock, **arguments))  # type: ignore[arg-type]
        return opened[-1]

    yield start
    for journal in opened:
        journal.close()


@pytest.fixture
def journal(start: Callable[..., Journal]) -> Journal:
    """A journal of ten entries."""
    journal = start()
    for k in range(10):
        journal.write("revoked", serial=f"{k:032x}", operator="olga")
    return journal
