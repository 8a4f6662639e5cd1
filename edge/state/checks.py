"""The self-test's checks of what must survive a restart: the clock, the state folder, the fan-out guard."""

from __future__ import annotations

import os
import shlex
from collections.abc import Callable
from pathlib import Path

from edge.errors import StateError
from edge.selftest import Check
from edge.state.clock import DAY_S, TrustedTime
from edge.state.fanout import FanOutStanding

#: A thousand decisions a day are about 32 MB of journal in the 90 days for which it is kept (350 bytes each).
MIN_FREE_BYTES = 32 * 2**20


def checks(folder: Path, now: Callable[[], TrustedTime], guard: Callable[[], FanOutStanding]) -> list[Check]:
    """What is checked of the state in a folder. ``now``, ``guard``: ask the clock and the fan-out guard, or raise."""
    return [
        Check(
            "state folder",
            "the state belongs to this user alone, and there is room for it",
            lambda: _folder(folder),
            limit=f"mode 0700, one owner, {MIN_FREE_BYTES >> 20} MiB free",
        ),
        Check(
            "clock",
            "the time used is not far from the time",
            lambda: _clock(now()),
            limit="within a day of a synchronised system clock",
        ),
        Check(
            "clock budget",
            "time is confirmed, and what has expired is deleted",
            lambda: _budget(now()),
            limit="24 hours of movement that running does not explain",
            needed=False,
        ),
        Check(
            "fan-out guard",
            "this door was not tried with many different cards lately",
            lambda: _fan_out(guard()),
            limit="level 0",
            needed=False,
        ),
    ]


def _clock(time: TrustedTime) -> str:
    if time.synchronised and time.behind_s > DAY_S:
        raise StateError(
            f"the time used is {time.behind_s // DAY_S} days ahead of the system clock, which is synchronised",
            where="clock",
            remedy="compare the clock (`date`), then: edge confirm clock --operator NAME",
        )
    source = "synchronised" if time.synchronised else "not synchronised"
    return f"{source}, {time.behind_s} s behind the time used" if time.behind_s else source


def _budget(time: TrustedTime) -> str:
    time.need_confirmed()
    if time.waiting_s:
        raise StateError(
            f"the clock has moved by more than a day: nothing is deleted for {time.waiting_s / 3600:.1f} hours more",
            where="clock",
            remedy="nothing needs to be done if the time is right; else set it, and `edge confirm clock`",
        )
    return f"{time.spent_s / 3600:.1f} of 24 hours spent"


def _folder(folder: Path) -> str:
    try:
        owner = folder.stat()
        if owner.st_mode & 0o077:
            raise StateError(
                "other users can look into it", where=str(folder), remedy=f"chmod go= {shlex.quote(str(folder))}"
            )
        for path in folder.iterdir():
            if path.stat().st_uid != owner.st_uid:  # a command that root ran: the service can no longer write it
                raise StateError(
                    "it belongs to another user than its folder",
                    where=str(path),
                    remedy=f"as root: chown --reference={shlex.quote(str(folder))} {shlex.quote(str(path))}",
                )
        disk = os.statvfs(folder)
    except OSError as error:
        raise StateError(
            f"cannot be looked at: {(error.strerror or type(error).__name__).lower()}",
            where=str(error.filename or folder),
            remedy="`edge keys init` makes it; check device.state_dir and who may enter it",
        ) from None
    free = disk.f_bavail * disk.f_frsize
    if free < MIN_FREE_BYTES:
        raise StateError(f"{free >> 20} MiB are free", where=str(folder), remedy="make room on this disk")
    return f"{free >> 20} MiB free"


def _fan_out(guard: FanOutStanding) -> str:
    if guard.level:
        pause = f"; claims are refused for {int(guard.wait_s) + 1} s more" if guard.wait_s else ""
        raise StateError(
            f"it has tripped (level {guard.level}): {guard.cards} different cards failed lately{pause}",
            where="door",
            remedy="see the journal for the cards, ask who was there, then: edge reset --door --operator NAME",
        )
    return f"{guard.cards} different cards failed lately"
