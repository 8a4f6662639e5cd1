"""The PIN that a person types on the page, as a reader gives it; there where the settings say `kiosk.pin_pad`.

    pad = PinPad(lambda: screen.asks_pin(alone), alone)
    pad.poll(None)          # "402916" once it was typed, while the page asks for it; else None

The page's process is the one that whoever stands there can reach, so it is believed nothing: what comes through its
pipe is a PIN or is dropped, it is dropped as well when none is asked for, and no card can be presented this way. How
often a PIN may be wrong is counted where it is compared (`edge.session.pin`, `edge.state.pin_alone`), for every reader
alike.
"""

from __future__ import annotations

import contextlib
import os
import re
from collections.abc import Callable

from edge.types import Frame

#: As `edge.state.pins.SHAPE`, which a test holds against it.
_PIN = re.compile(rb"[0-9]{4,12}", re.ASCII)
#: A line that is longer is no PIN; and all that a pipe holds, taken in one look, so that rubbish delays no PIN.
_LONGEST, _ALL = 64, 65_536


class PinPad:
    """Reads what is typed. A `Reader` that makes no claim, unless a PIN stands for a card.

    Args:
        asked: whether the page asks for a PIN just now. alone: whether a PIN stands for a card.

    Attributes:
        far_end: of the pipe, for the page's process.
        ended: nobody can present a claim here, so a loop does not wait for this reader.
    """

    name = "page"

    def __init__(self, asked: Callable[[], bool], alone: bool = False) -> None:
        self._asked, self.ended, self._pending = asked, not alone, b""
        self._near_end, self.far_end = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)

    def poll(self, frame: Frame | None) -> str | None:
        """The PIN that was typed, or None. Never blocks.

        Args:
            frame: not used.
        """
        try:
            self._pending += os.read(self._near_end, _ALL)
        except BlockingIOError:
            return None
        *lines, self._pending = self._pending.split(b"\n")
        if not self._asked() or len(self._pending) > _LONGEST:
            self._pending = b""
            return None
        return next((line.decode("ascii") for line in lines if _PIN.fullmatch(line)), None)

    def forget(self) -> None:
        """Drop what was typed up to now: somebody else's turn has come meanwhile."""
        self._pending = b""
        with contextlib.suppress(OSError):  # nothing was, or it is closed
            os.read(self._near_end, _ALL)

    def close(self) -> None:
        """Close both ends. Harmless when repeated."""
        for end in (self._near_end, self.far_end):
            if end >= 0:
                os.close(end)
        self._near_end = self.far_end = -1
