"""How events reach those who listen: the journal in line, everybody else through a queue and a thread of their own.

    observers = Observers(lost=lambda name, error: ...)
    observers.add(JsonLines(1), name="json")
    observers.tell(Ready(at_ns=...))          # never blocks, never raises
    observers.close()                         # waits DRAIN_S at most for what is still queued

When a queue is full, events of progress are dropped first, oldest first, and the observer is told of the gap. One that
raises, or takes no event for STALL_S while its queue is full, is detached: it hears nothing more, and `lost` is called
once. Its thread is a daemon, so that even one that hangs for ever does not delay the end of the process.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable

from edge.types.events import Event, Gap

#: Events that wait for one observer: some 20 s of a session's guidance at 15 frames a second.
QUEUE = 256
#: An observer with a full queue that has not come back for so long has stalled.
STALL_S = 5.0
#: How long a stop waits for queues to empty; design.md gives the whole stop 2 s.
DRAIN_S = 0.5

Observer = Callable[[Event], None]


class Observers:
    """The observers of one device.

    Args:
        lost: told the name of an observer that was detached and why; called from the thread that noticed.
        queue: events that may wait for one observer. clock: seconds, monotonic.
    """

    def __init__(
        self,
        lost: Callable[[str, BaseException], None],
        *,
        queue: int = QUEUE,
        stall_s: float = STALL_S,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._lost, self._size, self._stall_s, self._clock = lost, queue, stall_s, clock
        self._attached: tuple[_Attached, ...] = ()

    def add(self, observer: Observer, *, name: str) -> Callable[[], None]:
        """Attach an observer.

        Args:
            observer: called with one event at a time, always from the same thread.
            name: for the journal, should it be lost.

        Returns:
            A function that detaches it; harmless when repeated.
        """
        attached = _Attached(observer, name, self)
        self._attached = (*self._attached, attached)
        attached.thread.start()
        return lambda: self._remove(attached)

    def tell(self, event: Event) -> None:
        """Queue an event for every observer. Never blocks on one, never raises."""
        for attached in self._attached:
            attached.put(event)

    def close(self) -> None:
        """Let queues empty for `DRAIN_S`, then let go of whoever is not done. Harmless when repeated."""
        attached, self._attached = self._attached, ()
        for one in attached:
            one.end()
        until = self._clock() + DRAIN_S
        for one in attached:
            if one.thread is not threading.current_thread():
                one.thread.join(max(0.0, until - self._clock()))

    def _remove(self, attached: _Attached) -> None:
        self._attached = tuple(one for one in self._attached if one is not attached)
        attached.end()

    def _detach(self, attached: _Attached, error: BaseException) -> None:
        if attached in self._attached:
            self._remove(attached)
            self._lost(attached.name, error)


class _Attached:
    """One observer with its queue and its thread."""

    def __init__(self, observer: Observer, name: str, home: Observers) -> None:
        self._observer, self.name, self._home = observer, name, home
        self._queue: deque[Event] = deque()
        self._dropped = 0
        self._busy_since: float | None = None
        self._ended = False
        self._change = threading.Condition()
        self.thread = threading.Thread(target=self._run, name=f"observer {name}", daemon=True)

    def put(self, event: Event) -> None:
        stalled = False
        with self._change:
            if len(self._queue) >= self._home._size:
                self._drop()
                since = self._busy_since
                stalled = since is not None and self._home._clock() - since >= self._home._stall_s
            self._queue.append(event)
            self._change.notify()
        if stalled:
            self._home._detach(self, TimeoutError("it has taken no event for a while"))

    def end(self) -> None:
        with self._change:
            self._ended = True
            self._change.notify()

    def _drop(self) -> None:
        """Make room: the oldest event of progress goes, else the oldest."""
        index = next((k for k, event in enumerate(self._queue) if event.progress), 0)
        del self._queue[index]
        self._dropped += 1

    def _run(self) -> None:
        while (event := self._take()) is not None:
            try:
                self._observer(event)
            except Exception as error:  # whatever an observer does wrong, the device goes on
                self._home._detach(self, error)
                return

    def _take(self) -> Event | None:
        """The next event, a gap before it where some were dropped; None when there is no more to come."""
        with self._change:
            self._busy_since = None
            while not self._queue:
                if self._ended:
                    return None
                self._change.wait()
            self._busy_since = self._home._clock()
            if self._dropped:
                dropped, self._dropped = self._dropped, 0
                return Gap(at_ns=self._queue[0].at_ns, dropped=dropped)
            return self._queue.popleft()
