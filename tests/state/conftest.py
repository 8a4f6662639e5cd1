"""A device whose clocks stand still until a test moves them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from edge.settings.model import LimitSettings
from edge.state import ClockGuard, Limits, SqliteFile, state_database

NOW = 1_790_000_000.0
KEY = bytes(range(32))


@dataclass
class World:
    """The clocks around the device, and the device's state folder."""

    folder: Path
    system: float = NOW
    uptime: float = 1000.0
    synchronised: bool = False
    build_date: int = 1_790_000_000 - 3600

    def pass_time(self, seconds: float) -> None:
        self.system += seconds
        self.uptime += seconds

    def reboot(self, off_s: float = 0.0) -> None:
        self.system += off_s
        self.uptime = 5.0

    def clock(self, database: SqliteFile) -> ClockGuard:
        return ClockGuard(
            database,
            build_date=self.build_date,
            system_clock=lambda: self.system,
            uptime=lambda: self.uptime,
            synchronised=lambda: self.synchronised,
        )

    def limits(self, database: SqliteFile, **settings: float) -> Limits:
        return Limits(database, self.clock(database), LimitSettings.model_construct(**settings), KEY)


@pytest.fixture(scope="session")
def new_world() -> type[World]:
    """``new_world(folder)``: one more device."""
    return World


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path / "state")


@pytest.fixture
def database(world: World) -> Iterator[SqliteFile]:
    with state_database(world.folder) as database:
        yield database
