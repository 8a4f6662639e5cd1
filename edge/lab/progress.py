"""Where a measurement is: a bar with the time left, or silence.

with Steps() as steps:
    tell = steps.step("pictures")         # tell(done, total)
"""

from __future__ import annotations

from collections.abc import Callable
from types import TracebackType
from typing import Protocol

#: Told how much is done: (done, total).
Tell = Callable[[int, int], None]


def quiet(done: int, total: int) -> None:
    """Tells nothing."""


class Tells(Protocol):
    """Opens one bar after another."""

    def step(self, title: str) -> Tell:
        """A function that takes (done, total)."""


class Silent:
    """Tells nothing, and does not end what it stands for."""

    def __enter__(self) -> Silent:
        return self

    def __exit__(self, *_: object) -> None:
        return None

    def step(self, title: str) -> Tell:
        """See `Tells.step`."""
        return quiet


class Steps:
    """Bars on standard error, with the time that is left."""

    def __init__(self) -> None:
        from rich.console import Console
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
        from rich.progress import TimeRemainingColumn as TimeLeft

        text = TextColumn("{task.description}")
        columns = (text, BarColumn(), MofNCompleteColumn(), TextColumn("left"), TimeLeft(), TimeElapsedColumn())
        self._bars = Progress(*columns, console=Console(stderr=True))

    def __enter__(self) -> Steps:
        self._bars.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._bars.stop()

    def step(self, title: str) -> Tell:
        """See `Tells.step`."""
        bar = self._bars.add_task(title, total=None)
        return lambda done, total: self._bars.update(bar, completed=done, total=total)
