"""A reader that may fail: reported once, opened again after a pause, and never an end of the loop or of the others.

reader = Attended("serial", lambda: SerialReader(path, baud), tell=device.tell, now_ns=time.monotonic_ns)
reader.poll(frame)              # None while it has failed; never raises what the reader raises
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable

from edge.errors import EdgeError, JournalBroken
from edge.types import Frame, Reader
from edge.types.events import Event, Faulted, Recovered

#: Pause before a failed reader is opened again; twice as long each time it fails again.
AGAIN_S, AGAIN_MAX_S = 1.0, 30.0


class Attended:
    """A `Reader` around one that may fail.

    Args:
        name: of the reader. make: opens it anew; raises what it likes.
        tell: told `Faulted` when it fails, and `Recovered` once it has worked for as long as the next pause would be:
            for one that opens and is gone again the pauses go on growing.
        now_ns: the clock of events. clock: seconds, monotonic.
    """

    def __init__(
        self,
        name: str,
        make: Callable[[], Reader],
        *,
        tell: Callable[[Event], None],
        now_ns: Callable[[], int] = time.monotonic_ns,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.name, self._make, self._tell, self._now_ns, self._clock = name, make, tell, now_ns, clock
        self._reader: Reader | None = None
        self._failures, self._pause, self._again = 0, AGAIN_S, float("-inf")
        self._proven = 0.0  # when one that was opened again has worked for long enough

    @property
    def ended(self) -> bool:
        """Whether it will never deliver anything more; one that has failed may."""
        return bool(getattr(self._reader, "ended", False))

    def poll(self, frame: Frame | None) -> str | None:
        """As of the reader. Raises only `JournalBroken`: a fault could not be written."""
        try:
            if self._reader is None:
                if self._clock() < self._again:
                    return None
                self._reader = self._make()
                self._proven = self._clock() + self._pause
            text = self._reader.poll(frame)
        except JournalBroken:
            raise
        except Exception as error:  # whatever a driver or a damaged device does, the door goes on
            self._failed(error)
            return None
        if self._failures and self._clock() >= self._proven:
            count, self._failures, self._pause = self._failures, 0, AGAIN_S
            self._tell(Recovered(at_ns=self._now_ns(), room="reader", count=count))
        return text

    def close(self) -> None:
        """Give the hardware back."""
        reader, self._reader = self._reader, None
        if reader is not None:
            reader.close()

    def _failed(self, error: Exception) -> None:
        self._failures += 1
        self._again, self._pause = self._clock() + self._pause, min(2 * self._pause, AGAIN_MAX_S)
        with contextlib.suppress(Exception):  # a device that is gone cannot be closed, and need not be
            self.close()
        if self._failures > 1:
            return
        known = error if isinstance(error, EdgeError) else None
        what = known.what if known else getattr(error, "strerror", None) or type(error).__name__
        self._tell(
            Faulted(
                at_ns=self._now_ns(),
                room="reader",
                error=type(error).__name__,
                what=f"the reader {self.name} does not work: {what}",
                where=known.where if known else self.name,
                remedy=(known.remedy if known else "") or "plug it in; it is tried again by itself",
            )
        )
