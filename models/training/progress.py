"""A progress line with ETA that is as readable in a log file as in a terminal."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterable, Iterator
from typing import TypeVar

T = TypeVar("T")


class Progress:
    """Counts work done and prints ``label  42 %  1234/5678  310.2/s  ETA 01:12``.

    In a terminal the line is rewritten in place; in a file a new line is written every ``every_s`` seconds.

    Args:
        total: units of work in all.
        label: what the units are, such as ``"crops labelled"``.
        every_s: seconds between two lines when the output is no terminal.
    """

    def __init__(self, total: int, label: str, every_s: float = 15.0) -> None:
        self.total, self.label = max(1, total), label
        self.terminal = sys.stderr.isatty()
        self.every_s = 0.2 if self.terminal else every_s
        self.done, self.started, self.printed = 0, time.monotonic(), 0.0

    def add(self, count: int = 1, note: str = "") -> None:
        """Record ``count`` finished units; ``note`` is appended to the line."""
        self.done += count
        now = time.monotonic()
        if now - self.printed < self.every_s and self.done < self.total:
            return
        self.printed = now
        rate = self.done / max(1e-9, now - self.started)
        left = int((self.total - self.done) / max(rate, 1e-9))
        line = f"{self.label}  {100 * self.done / self.total:5.1f} %  {self.done}/{self.total}  {rate:.1f}/s"
        line += f"  ETA {left // 3600:02d}:{left // 60 % 60:02d}:{left % 60:02d}  {note}"
        print("\r" + line if self.terminal else line, end="" if self.terminal else "\n", file=sys.stderr, flush=True)
        if self.terminal and self.done >= self.total:
            print(file=sys.stderr)


def track(items: Iterable[T], total: int, label: str) -> Iterator[T]:
    """Yield ``items`` and show how far it is."""
    progress = Progress(total, label)
    for item in items:
        yield item
        progress.add()
