"""When and where a genuine token counts: its dates, this door's group, this door's weekly hours.

    check_time(claim, now_s)                         # the device's trusted time, not the raw system clock
    check_door(claim, "lab", schedule, now_s)

A token is valid while ``not_before <= now < expires``. Hours are local to the schedule's time zone, begin inclusive,
end exclusive, and do not cross midnight: a night shift is ``22:00-24:00`` on one day and ``00:00-06:00`` on the next.
On the two days a year when clocks change, the wall clock decides.
"""

from __future__ import annotations

from datetime import UTC, datetime, time
from zoneinfo import ZoneInfo

from edge.errors import TokenExpired, TokenNotYetValid, WrongDoor
from edge.settings.model import Schedule
from edge.types import Claim

_DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


def check_time(claim: Claim, now_s: float, *, believed_s: float | None = None, skew_s: float = 0.0) -> None:
    """Return when the claim's token is valid now (Unix seconds of the device's trusted time).

    Args:
        now_s: what its last moment is measured by. believed_s: what its first moment is measured by; None: the same.
        skew_s: by how much the clock of the place that made the token may be ahead of this one.

    Raises:
        TokenNotYetValid: before its first moment.
        TokenExpired: from its last moment on.
    """
    if (now_s if believed_s is None else believed_s) + skew_s < claim.not_before:
        raise TokenNotYetValid(
            f"it is valid from {_date(claim.not_before)}", where="token", remedy="come back then, or ask the operator"
        )
    if now_s >= claim.expires:
        raise TokenExpired(
            f"it expired on {_date(claim.expires)}", where="token", remedy="ask the operator for a new card"
        )


def check_door(claim: Claim, group: str, schedule: Schedule | None, now_s: float) -> None:
    """Return when the claim's token opens doors of ``group`` and the door's hours include ``now_s``.

    Args:
        claim: a checked claim.
        group: this door's group.
        schedule: this door's weekly hours (their types refuse unknown zones and hours over midnight); None: always.
        now_s: Unix seconds of the device's trusted time.

    Raises:
        WrongDoor: another group, or outside the hours.
    """
    if group not in claim.groups:
        raise WrongDoor("the card is not for this door", where="token", remedy="ask the operator")
    if schedule is None:
        return
    local = datetime.fromtimestamp(now_s, UTC).astimezone(ZoneInfo(schedule.timezone))
    if not any(begin <= local.time() and (end is None or local.time() < end) for begin, end in _hours(schedule, local)):
        raise WrongDoor(
            "the card is not for this door at this hour", where="token", remedy="come back in the door's hours"
        )


def _hours(schedule: Schedule, local: datetime) -> list[tuple[time, time | None]]:
    """Begin and end (None: midnight) of the hours of a moment's weekday."""
    texts: tuple[str, ...] = getattr(schedule, _DAYS[local.weekday()])
    hours: list[tuple[time, time | None]] = []
    for text in texts:
        begin, end = text.split("-")
        hours.append((time.fromisoformat(begin), None if end == "24:00" else time.fromisoformat(end)))
    return hours


def _date(seconds: int) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d %H:%M UTC")
