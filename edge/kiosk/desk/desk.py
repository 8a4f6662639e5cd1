"""What an operator is doing just now, as a value that a page can be drawn from, and what carries it out.

    desk.begin("kim", "enrol", {"subject": ..., "language": "fr", "agreed": True})
    desk.state()        # {"act": "enrol", "stage": "capture", "have": 2, "want": 5, "advice": ["step_closer"]}
    desk.answer(True)   # the card was handed over: now it is kept

One act at a time, in a thread; the page may be loaded anew at any moment and shows the same. Stages: ``running``,
``capture``, ``view``, ``hand_over``, then ``done`` or ``failed`` until it is put away.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from typing import Any, Protocol

from edge.errors import EdgeError

#: A card waits so long to be handed over; the door waits a little longer (`edge.service.wire.HAND_OVER_S`).
HAND_OVER_S = 110.0
#: A cancelled act ends within so long: at the next frame, or when the door has answered.
_END_S = 5.0


class Acts(Protocol):
    """Carries acts out; for one act at a time."""

    def do(self, operator: str, act: str, said: Mapping[str, Any], desk: Desk) -> Mapping[str, Any]:
        """Carry an act out, and tell the desk how it goes. Returns what the page may show. Raises `EdgeError`."""

    def cancel(self) -> None:
        """End the act that is under way; from another thread. Nothing of it is kept."""

    def close(self) -> None:
        """Forget what belongs to a sitting: the issuer's key, the card in hand."""

    def about(self) -> Mapping[str, Any]:
        """What the page is told during a sitting beside the act: whether the issuer's key is open, the card in hand."""


class Busy(Exception):
    """Another act is under way, or its end was not put away yet."""


class Desk:
    """The act under way.

    Args:
        acts: carries it out. clock: seconds, monotonic. changed: told that `state` is another one, from any thread.

    Attributes:
        picture: the newest JPEG of a view; empty: none. code: of the card that is handed over, SVG; empty: none.
    """

    def __init__(
        self,
        acts: Acts,
        *,
        clock: Callable[[], float] = time.monotonic,
        changed: Callable[[], None] = lambda: None,
    ) -> None:
        self._acts, self._clock, self._changed = acts, clock, changed
        self._change = threading.Condition()
        self._now: dict[str, Any] = {}
        self._handed: bool | None = None
        self._until, self._seen, self._cancelled = 0.0, False, False
        self.picture, self.code = b"", ""

    def state(self) -> dict[str, Any]:
        """The act under way, or the last one; empty: none."""
        with self._change:
            now = dict(self._now)
            if now.get("stage") == "hand_over":
                now["left_s"] = max(0, int(self._until - self._clock()))
            return now

    def about(self) -> Mapping[str, Any]:
        """See `Acts.about`."""
        return self._acts.about()

    def begin(self, operator: str, act: str, said: Mapping[str, Any]) -> None:
        """Carry an act out in a thread. Raises `Busy`."""
        with self._change:
            if not self._over():
                raise Busy
            self._now, self._cancelled = {"act": act, "stage": "running"}, False
        self._changed()
        threading.Thread(target=self._run, args=(operator, act, said), name="act", daemon=True).start()

    def cancel(self) -> None:
        """End the act under way, and wait until it has ended; or put the end of one away."""
        with self._change:
            if self._over():
                self._now = {}
            else:
                self._cancelled, self._handed = True, False
                self._change.notify_all()
        self._acts.cancel()
        with self._change:
            self._change.wait_for(self._over, timeout=_END_S)
        self._changed()

    def answer(self, handed: bool) -> None:
        """Whether the card that is shown was handed over. A card that no page has shown is not."""
        with self._change:
            if self._now.get("stage") == "hand_over" and (self._seen or not handed):
                self._handed = handed
                self._change.notify_all()

    def end(self) -> None:
        """The sitting is over."""
        self.cancel()
        self._acts.close()
        with self._change:
            self._now = {} if self._over() else self._now
            self.picture, self.code = b"", ""

    # -- told by whoever carries acts out

    def progress(self, have: int, want: int, advice: tuple[str, ...]) -> None:
        """Captures."""
        self._say(stage="capture", have=have, want=want, advice=list(advice))

    def show(self, seen: Mapping[str, Any], jpeg: bytes) -> None:
        """The camera's view."""
        self.picture = jpeg
        self._say(stage="view", **seen)

    def hand_over(self, card: Mapping[str, Any], code: str) -> bool:
        """Show a card, and wait until the operator says that it was handed over, or not.

        Args:
            card: what stands on it. code: its QR code, SVG; it is the card.
        """
        with self._change:
            self.code, self._handed, self._seen = code, None, False
            self._until = self._clock() + HAND_OVER_S
        self._say(stage="hand_over", card=dict(card))
        with self._change:
            self._change.wait_for(lambda: self._handed is not None or self._cancelled, timeout=HAND_OVER_S)
            self.code = ""
            handed = bool(self._handed) and not self._cancelled
        self._say(stage="running", card=dict(card) if handed else {})
        return handed

    def shown(self) -> str:
        """The code of the card, for the page; from now on it can be handed over."""
        with self._change:
            self._seen = bool(self.code)
            return self.code

    def _over(self) -> bool:
        return self._now.get("stage") in (None, "done", "failed")

    def _say(self, **now: Any) -> None:
        with self._change:
            self._now = {**self._now, **now}
            self._change.notify_all()
        self._changed()

    def _run(self, operator: str, act: str, said: Mapping[str, Any]) -> None:
        try:
            answer = self._acts.do(operator, act, said, self)
            end: dict[str, Any] = {"stage": "done", "answer": dict(answer)}
        except EdgeError as error:
            cancelled = self._cancelled
            end = {"stage": "failed", "cancelled": cancelled, "what": error.what, "remedy": error.remedy, "card": {}}
        except Exception:  # a thread of its own: nobody else would hear of it
            end = {"stage": "failed", "cancelled": False, "what": "an internal error", "remedy": "see the log"}
            self._say(**end)
            raise
        finally:
            self.picture, self.code = b"", ""
        if end["stage"] == "failed" and end["cancelled"]:
            with self._change:
                self._now = {}
                self._change.notify_all()
            self._changed()
        else:
            self._say(**end)
