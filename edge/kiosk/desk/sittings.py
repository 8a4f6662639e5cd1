"""Who sits at the operator's pages: one person at a time, bound to one browser, and how long wrong tokens wait.

lockout.need_no_wait()        # seconds are told instead
lockout.failing()             # written before the token is compared: pulling the plug counts as failing
lockout.not_compared()        # it could not be: that is no wrong token
lockout.clear()
sitting = sittings.open("kim")
sittings.of(cookie)           # the sitting of this browser, or None
"""

from __future__ import annotations

import hmac
from collections.abc import Callable
from dataclasses import dataclass, field

#: Nobody did anything for so long: the sitting ends. It ends in any case after so long.
IDLE_S, LONGEST_S = 300.0, 3600.0
#: Wrong tokens in a row that cost nothing; then the first wait, twice as long each time, and the longest.
FREE, WAIT_S, MOST_S = 3, 30.0, 3600.0


class Lockout:
    """How often a wrong token was typed in a row at this device, whoever did it.

    Args:
        failures: as they were kept. keep: writes them where they survive a restart. clock: seconds, monotonic; a wait
            that a restart interrupts begins anew.
    """

    def __init__(self, failures: int, keep: Callable[[int], None], clock: Callable[[], float]) -> None:
        self.failures, self._keep, self._clock = failures, keep, clock
        self._since = self._before = clock()

    @property
    def wait_s(self) -> float:
        """Until the next token is compared, seconds."""
        if self.failures < FREE:
            return 0.0
        whole = min(WAIT_S * 2.0 ** min(self.failures - FREE, 20), MOST_S)
        return max(0.0, self._since + whole - self._clock())

    def failing(self) -> None:
        """Count a token before it is compared."""
        self._keep(self.failures + 1)
        self.failures, self._before, self._since = self.failures + 1, self._since, self._clock()

    def not_compared(self) -> None:
        """The token that was counted last was compared with nothing: the device could not."""
        self._keep(self.failures - 1)
        self.failures, self._since = self.failures - 1, self._before

    def clear(self) -> None:
        """It was the right one."""
        self._keep(0)
        self.failures = 0


@dataclass(slots=True)
class Sitting:
    """One operator at one browser.

    Attributes:
        operator: by name. cookie: what the browser alone has. page: what its page sends with each request, and another
            page cannot know. opened, touched: on the clock of `Sittings`.
    """

    operator: str
    cookie: str = field(repr=False)
    page: str = field(repr=False)
    opened: float
    touched: float


class Sittings:
    """The one sitting that there may be.

    Args:
        random: fresh secrets, such as `secrets.token_urlsafe`. clock: seconds, monotonic.
        ended: told the operator and why (``closed``, ``idle``) when a sitting is over.
    """

    def __init__(
        self, random: Callable[[], str], clock: Callable[[], float], ended: Callable[[str, str], None]
    ) -> None:
        self._random, self._clock, self._ended = random, clock, ended
        self._now: Sitting | None = None

    @property
    def taken(self) -> str:
        """Who sits there; empty: nobody."""
        self.sweep()
        return self._now.operator if self._now is not None else ""

    def open(self, operator: str) -> Sitting:
        """A new sitting in the place of one that the same person has left open elsewhere.

        Args:
            operator: whose token was right, while nobody else sits there (`taken`).
        """
        if self._now is not None:
            self._end("closed")
        now = self._clock()
        self._now = Sitting(operator, self._random(), self._random(), now, now)
        return self._now

    def of(self, cookie: str) -> Sitting | None:
        """The sitting of a browser; None: it has none, or not any more."""
        self.sweep()
        given = cookie.encode("utf-8", "surrogatepass")
        mine = self._now is not None and bool(cookie) and hmac.compare_digest(self._now.cookie.encode(), given)
        return self._now if mine else None

    def touch(self, sitting: Sitting) -> None:
        """Somebody is there."""
        sitting.touched = self._clock()

    def left_s(self, sitting: Sitting) -> float:
        """Until the sitting ends when nobody does anything, seconds."""
        return max(0.0, min(sitting.touched + IDLE_S, sitting.opened + LONGEST_S) - self._clock())

    def close(self) -> None:
        """End the sitting."""
        if self._now is not None:
            self._end("closed")

    def sweep(self) -> None:
        """End a sitting whose time is over; asked with each request and every few seconds."""
        if self._now is not None and self.left_s(self._now) <= 0:
            self._end("idle")

    def _end(self, why: str) -> None:
        assert self._now is not None
        operator, self._now = self._now.operator, None
        self._ended(operator, why)
