"""The self-test's check of the process in which a session compares."""

from __future__ import annotations

import os
import time
from collections.abc import Callable

from edge.errors import Unfit
from edge.selftest import Check
from edge.session.cells import Cells

#: Hundredths of a second until a process that was killed is gone.
_MOMENTS = 100


def checks(cells: Callable[[], Cells]) -> list[Check]:
    """What is checked. ``cells``: those of this device, or raises."""
    return [
        Check(
            "session process",
            "what compares runs in a process of its own, which reaches nothing and ends with the session",
            lambda: _ends(cells),
            limit=f"gone {_MOMENTS / 100:g} s after its session",
        ),
        Check(
            "session walls",
            "the kernel closes that process: no file, no network, no other process, no new program",
            lambda: _walls(cells),
            limit="seccomp; Landlock where the kernel has it",
            needed=False,
        ),
    ]


def _ends(cells: Callable[[], Cells]) -> str:
    with cells()._begin("self-test") as cell:
        _ = cell.walls  # it has begun
        cell.close()
        for _ in range(_MOMENTS):
            try:
                os.kill(cell.process, 0)
            except ProcessLookupError:
                return "it begins, and has gone when its session ends"
            time.sleep(0.01)
        raise Unfit(
            f"process {cell.process} is still there after its session",
            where="session",
            remedy="restart the service; if it goes on, this kernel cannot be relied on",
        )


def _walls(cells: Callable[[], Cells]) -> str:
    with cells()._begin("self-test") as cell:
        walls = cell.walls
    if not walls.seccomp:
        raise Unfit(
            f"{walls}: a fault in the runtime or a hostile picture could reach beyond its session",
            where="session",
            remedy="use a kernel with CONFIG_SECCOMP_FILTER, as Debian's and Raspberry Pi OS's, on x86-64 or arm64",
        )
    return str(walls)
