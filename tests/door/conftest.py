"""A bench that leaves no process behind."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.door.bench import Bench


@pytest.fixture
def benches(tmp_path: Path) -> Iterator[Callable[..., Bench]]:
    """``benches(active_high=False, freed=0)`` -> a `Bench`."""
    made: list[Bench] = []

    def make(**options: object) -> Bench:
        made.append(Bench(tmp_path / f"chip{len(made)}", **options))  # type: ignore[arg-type]
        return made[-1]

    yield make
    for bench in made:
        bench.end()


@pytest.fixture
def bench(benches: Callable[..., Bench]) -> Bench:
    """An active-high relay."""
    return benches()
