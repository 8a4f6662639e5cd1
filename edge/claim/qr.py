"""Tokens as QR codes shown to the camera, while the device is idle.

    reader = QrReader(tries_per_s=5, clock=time.monotonic)
    text = reader.poll(frame)           # the newest frame of the idle stream

Only QR codes are searched for, only text that begins like a token comes out, and nothing of a frame is kept. A code
that stays in view is delivered once: again only after it was looked for and not seen for `ABSENT_S`, or after another
code. Time during which nobody asked (a session was running) does not count as absence. Two different cards that come
into view together are no claim: nobody could say whose turn it is; one is delivered once the others are gone, or when
it comes again. A code that was there before and stays where it is, such as a sticker's, is not counted then.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable
from typing import Any

import cv2
import numpy as np
import zxingcpp

from edge.claim.finding import PREFIX, find_token, tidy
from edge.types import U8, Frame

#: A code that was not seen for so long, while it was looked for, counts as new when it comes back; seconds.
ABSENT_S = 2.0
#: So many codes are remembered beside those in view; a screen that shows one after the other fills no memory.
_MOST = 32
#: When nobody asked for longer, nobody was looking; of a slow search or camera no more counts from try to try; seconds.
_GAP_S = 1.0
#: In pictures of at most so many pixels every second try is made at twice the size: there a module of a card is seldom
#: two pixels wide, and the search is still quick (a fifth of a 1920 x 1080 picture's).
_SMALL = 800 * 600
_QR: Any = zxingcpp.BarcodeFormat.QRCode  # Any: the binding's type for a set of formats differs between versions


class QrReader:
    """Finds a token's code in frames.

    Args:
        tries_per_s: at most so many frames a second are searched.
        clock: seconds, monotonic (`time.monotonic`).
    """

    name = "qr"

    def __init__(self, *, tries_per_s: float, clock: Callable[[], float]) -> None:
        self._period, self._clock = 1.0 / tries_per_s, clock
        self._tried_at = self._next_at = self._asked_at = float("-inf")
        self._away = False  # whether nobody asked for a while since the last try
        self._sequence: int | None = None
        self._last: bytes | None = None  # SHA-256 of the last text: the token itself is not kept
        self._known: dict[bytes, float] = {}  # digest of a code -> how long it has not been seen, seconds
        self._together: set[bytes] = set()  # of these, what came together with others and was not delivered
        self._enlarge = True

    def poll(self, frame: Frame | None) -> str | None:
        """The text of a code that newly came into view, or None.

        Args:
            frame: the idle stream's newest frame; its luma plane is searched, or one made from its image.
        """
        try:
            return self._poll(frame, self._clock())
        finally:
            self._asked_at = self._clock()

    def _poll(self, frame: Frame | None, now: float) -> str | None:
        self._away = self._away or now - self._asked_at > _GAP_S
        if frame is None or frame.sequence == self._sequence or now < self._next_at:
            return None
        # From when it was due, not from now: frames come in steps, and each late try would delay all after it.
        self._next_at = max(self._next_at, now - self._period / 2) + self._period
        since = 0.0 if self._away else min(now - self._tried_at, _GAP_S)
        self._tried_at, self._sequence, self._away = now, frame.sequence, False
        luma = frame.luma if frame.luma is not None else _luma(frame.image)
        self._enlarge = luma.size <= _SMALL and not self._enlarge
        found = {
            hashlib.sha256(text.encode("utf-8")).digest(): text for text in find_codes(luma, enlarge=self._enlarge)
        }
        # a sticker, or a card that was answered and is still held up, does not stand in the way of another one
        standing = {digest for digest, absent_s in self._known.items() if not absent_s}
        self._forget_absent(found, since)
        new = [digest for digest in found if digest not in standing]
        self._known.update(dict.fromkeys(new, 0.0))
        if not new and len(left := self._together & found.keys()) == 1:
            new = list(left)  # the others were taken away
        if len(new) > 1:
            self._together.update(digest for digest in new if digest != self._last)
        if len(new) != 1 or new[0] == self._last:
            return None
        self._last = new[0]
        self._together.discard(new[0])
        return found[new[0]]

    def close(self) -> None:
        """Forget what was seen."""
        self._last, self._sequence = None, None
        self._known.clear()
        self._together.clear()

    def _forget_absent(self, found: Iterable[bytes], since: float) -> None:
        """Codes are known as long as they stay in view, or left it a moment ago."""
        there = set(found)
        for digest, absent_s in list(self._known.items()):
            self._known[digest] = 0.0 if digest in there else absent_s + since
            if self._known[digest] >= ABSENT_S or (digest not in there and len(self._known) > _MOST):
                del self._known[digest]
        self._together &= self._known.keys()
        if self._last not in self._known:
            self._last = None


def find_codes(luma: U8, *, enlarge: bool = False) -> list[str]:
    """The texts of all tokens' QR codes in a picture, each once.

    Args:
        luma: uint8 (h, w).
        enlarge: search the picture at twice its size, which finds modules of 1.5 pixels instead of 1.8.
    """
    if enlarge:
        luma = np.asarray(cv2.resize(luma, None, fx=2, fy=2, interpolation=cv2.INTER_CUBIC), np.uint8)
    found = zxingcpp.read_barcodes(np.ascontiguousarray(luma), formats=_QR)
    texts = (code.text for code in found if code.valid and tidy(code.text).startswith(PREFIX))
    return sorted({token for text in texts if (token := find_token(text))})


def _luma(image: U8) -> U8:
    grey: U8 = cv2.cvtColor(image, cv2.COLOR_BGR2GRAY)  # type: ignore[assignment]
    return grey
