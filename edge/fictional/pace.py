"""When the next frame of a file or of a generated sequence is due, and what time it carries.

Pace *real* sleeps until a frame is due and skips those that are overdue, as a camera does. Pace *fast* never sleeps:
time goes on by one period a frame, from a given start. The clock and the sleep come in from outside, so tests own the
time.
"""

from __future__ import annotations

from collections.abc import Callable

from edge.errors import SourceTimeout


class Pace:
    """Counts frames out at a rate.

    Args:
        rate: frames per second.
        real: sleep until due (True), or run as fast as asked (False).
        clock: monotonic nanoseconds; read only when ``real``.
        sleep: waits so many seconds.
        start_ns: the time before the first frame when not ``real``.
    """

    def __init__(
        self,
        rate: float,
        *,
        real: bool,
        clock: Callable[[], int],
        sleep: Callable[[float], None],
        start_ns: int = 0,
    ) -> None:
        self._period, self._real, self._clock, self._sleep = round(1e9 / rate), real, clock, sleep
        self._start = clock() if real else start_ns
        self._index = -1

    def next(self, timeout_s: float, where: str) -> tuple[int, int]:
        """The index (from 0) and the timestamp of the next frame.

        Raises:
            SourceTimeout: it is not due within ``timeout_s``; that time was slept, and no frame is lost.
        """
        index = self._index + 1
        if self._real:
            index = max(index, (self._clock() - self._start) // self._period - 1)
            wait = (self._start + (index + 1) * self._period - self._clock()) / 1e9
            if wait > timeout_s:
                self._sleep(timeout_s)
                raise SourceTimeout(f"no frame is due within {timeout_s:g} s", where=where, remedy="raise the rate")
            if wait > 0:
                self._sleep(wait)
        self._index = index
        return index, self._start + (index + 1) * self._period
