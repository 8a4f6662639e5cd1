"""Shared fixtures: where the data beside the checkout is, and the fictional people."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
import pytest
from hypothesis import settings

from edge.trust.locked import Cost
from tests.cells import kept_waiting
from tests.installed import office, office_wheel

__all__ = ["office", "office_wheel"]

ROOT = Path(__file__).resolve().parent.parent
PEOPLE = ROOT / "edge" / "fictional" / "people"

# CI decides about a change, so it draws the same examples every time; everybody else's runs go on searching. No test
# is timed: a deadline would fail when the machine is busy.
settings.register_profile("edge", deadline=None)
settings.register_profile("ci", deadline=None, derandomize=True)
settings.load_profile("ci" if os.environ.get("CI") else "edge")

#: Locking a key or hashing an operator's token costs a third of a second: tests lock theirs at the least that a file
#: may ask for, unless they are about it (`full_cost`). Each file tells its cost, so other processes read it there.
FULL_COST = Cost.__init__.__defaults__
Cost.__init__.__defaults__ = (1, 1, 8)


@pytest.fixture
def full_cost(monkeypatch: pytest.MonkeyPatch) -> None:
    """Keys are locked as the product locks them."""
    monkeypatch.setattr(Cost.__init__, "__defaults__", FULL_COST)


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder of training and benchmark data beside the checkout; skips where it is absent."""
    folder = ROOT.parent / "shared"
    if not (folder / "data" / "README.md").is_file():
        pytest.skip("needs the data folder ../shared, which is not part of the project")
    return folder


@pytest.fixture(scope="session", autouse=True)
def _cells() -> Iterator[None]:
    with kept_waiting():
        yield


@pytest.fixture(scope="session")
def picture():
    """``picture("fara", 0)`` -> BGR uint8 (384, 384, 3) of a person who does not exist."""

    def load(name: str, variant: int = 0) -> np.ndarray:
        image = cv2.imread(str(PEOPLE / f"{name}-{variant}.jpg"))
        assert image is not None
        return image

    return load


#: Tests that may skip: with the data folder beside the checkout (as in CI) and without it.
ALLOWED_SKIPS = {True: 5, False: 40}


def pytest_sessionfinish(session: pytest.Session, exitstatus: int) -> None:
    """Too many skipped tests are a failure: a suite that skips everything passes everything."""
    reporter = session.config.pluginmanager.get_plugin("terminalreporter")
    if reporter is None or hasattr(session.config, "workerinput"):
        return
    skipped = len(reporter.stats.get("skipped", []))
    allowed = ALLOWED_SKIPS[(ROOT.parent / "shared" / "data" / "README.md").is_file()]
    reporter.ensure_newline()
    if skipped > allowed:
        reporter.write_line(f"{skipped} tests were skipped, at most {allowed} may be", red=True)
        session.exitstatus = 1
    elif skipped:
        reporter.write_line(f"{skipped} tests were skipped (at most {allowed} may be)")
