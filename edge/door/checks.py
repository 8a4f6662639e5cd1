"""The self-test's check of the door."""

from __future__ import annotations

from collections.abc import Callable

from edge.selftest import Check
from edge.selftest.report import NOT_RUNNING
from edge.types import Door


def checks(driver: str, open_door: Callable[[], Door]) -> list[Check]:
    """What is checked of the door that the settings name.

    Args:
        driver: ``door.driver``. open_door: gives the opened door, locked, or raises `DoorError`.
    """
    return [
        Check(
            "door",
            "this build may drive the door that the settings name, and its driver opens, locked",
            lambda: "log only: nothing is driven" if driver == "log" else f"{open_door().name} opened, locked",
            levels=NOT_RUNNING,
        )
    ]
