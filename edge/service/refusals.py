"""What is written of claims that are answered without looking: enough to show them, and not what fills a medium.

A sticker, a screen or a script that shows codes of nobody is refused five times a second; each refusal as an entry of
its own was 146 MB of journal a day. A card without a template, which is answered with the other way in, counts alike.
So many are written at once, then one every half a minute, and the rest is counted.
A session, and everything that follows a look, is always written.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable

from edge.errors import JournalBroken
from edge.types.acts import RefusalsLeftOut
from edge.types.events import AlternativeChosen, ClaimRefused, Event

#: So many refusals are written one by one, and afterwards one in so many seconds: 2,940 entries on the first day.
BURST, EVERY_S = 60.0, 30.0


class Refusals:
    """Decides which refusals the journal is told of.

    Args:
        tell: tells the journal and every observer. show: tells the observers only.
    """

    def __init__(self, tell: Callable[[Event], None], show: Callable[[Event], None]) -> None:
        self._tell, self._show = tell, show
        self._left, self._since_ns, self._unwritten = BURST, 0, 0

    def __call__(self, event: ClaimRefused | AlternativeChosen) -> None:
        """Tell an answer. Raises `JournalBroken`."""
        grown = (event.at_ns - self._since_ns) / 1e9 / EVERY_S if self._since_ns else 0.0
        self._left, self._since_ns = min(BURST, self._left + grown), event.at_ns
        if self._left < 1.0:
            self._unwritten += 1
            self._show(event)
            return
        self._left -= 1.0
        self.flush(event.at_ns)
        self._tell(event)

    def flush(self, at_ns: int) -> None:
        """Tell how many were left out. Raises `JournalBroken`."""
        if self._unwritten:
            count, self._unwritten = self._unwritten, 0
            self._tell(RefusalsLeftOut(at_ns=at_ns, count=count))

    def close(self, at_ns: int) -> None:
        """As `flush`, at the end of a device whose journal may be what has failed."""
        with contextlib.suppress(JournalBroken):
            self.flush(at_ns)
