"""The checks of a device: settings, models, clock, keys, sealing, journal, source.

Each is a small function that returns what it found or raises a typed error; `edge.service` lists those that apply to a
device, `edge.selftest.run` runs them. Nothing here opens the door.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import replace

import numpy as np

from edge.camera import changing
from edge.errors import CameraError, SealBroken, StateError, Unfit
from edge.face import Card, Runner, check_delegation, check_golden, load_card
from edge.selftest.sealing import Bench
from edge.state import ClockGuard, Guard
from edge.types import Frame, Stream

#: How long the source is watched for real change.
WATCH_S = 2.0


def model(name: str, threads: int, find: Callable[[str], Card] = load_card) -> str:
    """Digest against the card, every node in the delegate (or as many as the card says), the golden output.

    Args:
        name: of the card. threads: of the runtime. find: from a name to a card.

    Raises:
        ModelError: see `edge.face`.
    """
    card = find(name)
    runner = Runner(card, threads)
    outside = check_delegation(runner)
    check_golden(runner)
    beside = "" if not outside else f"; {outside} nodes run outside XNNPACK, as the card says"
    return f"digest, golden output and delegation of {card.sha256[:12]} are right{beside}"


def source(open_stream: Callable[[], AbstractContextManager[Stream]], *, watch_s: float = WATCH_S) -> str:
    """The source opens and delivers frames that really change: a still with added noise fails.

    Raises:
        CameraError: it does not open, stops, or shows a still.
    """
    frames: list[Frame] = []
    with open_stream() as stream:
        frame = stream.next(stream.now_ns(), 3.0)
        until = frame.monotonic_ns + int(watch_s * 1e9)
        while frame.monotonic_ns < until:
            # A quarter of the size is enough to see change in, and keeps two seconds of frames small.
            frames.append(replace(frame, image=np.ascontiguousarray(frame.image[::2, ::2])))
            frame = stream.next(frame.monotonic_ns, 3.0)
    if not changing(frames):
        raise CameraError(
            f"{len(frames)} frames in {watch_s:.0f} s, and nothing in them really changes",
            where=frames[0].source if frames else "source",
            remedy="move in front of the camera while it is tested; a still picture is no camera",
        )
    return f"{len(frames)} frames in {watch_s:.0f} s, really changing"


def clock(guard: ClockGuard) -> str:
    """Raises StateError when the time is not confirmed."""
    time = guard.now()
    if not time.confirmed:
        raise StateError(
            "the clock jumped forward and nobody has confirmed it",
            where="clock",
            remedy="wait for time synchronisation, or confirm the time as an operator",
        )
    return "confirmed" if not time.behind_s else f"the system clock is {time.behind_s} s behind the time used"


def sealing(bench: Bench) -> str:
    """A template opens with its token and this device's key, and with nothing else.

    Raises:
        Unfit: sealing does not protect, or does not open.
    """
    if not np.array_equal(bench.open(bench.right), bench.vector):
        raise Unfit("a sealed template opened to something else", where="vault", remedy="do not use this device")
    for what, attempt in bench.wrong.items():
        try:
            bench.open(attempt)
        except SealBroken:
            continue
        raise Unfit(f"a sealed template opened with {what}", where="vault", remedy="do not use this device")
    return "opens with its token and key; not with " + ", ".join(bench.wrong)


_NO_WAY_IN = frozenset({"none", "n/a", "nil", "null", "todo", "tbd", "tba", "xxx", "no alternative", "not available"})


def alternative(text: str | None) -> str:
    """There is a way in without one's face: without one nobody's consent is free.

    Raises:
        Unfit: the settings name none.
    """
    words = " ".join((text or "").strip(" .!-_?").split()).casefold()
    if len(words) < 3 or words in _NO_WAY_IN:
        raise Unfit(
            "the settings name no way in for people who cannot or do not want to use their face",
            where="alternative",
            remedy="set `alternative:` to what people can do here: the reception, a badge, a phone number",
        )
    return f"the other way in: {' '.join((text or '').split())}"


def fan_out(guard: Guard) -> str:
    """Raises StateError when the fan-out guard has tripped lately; the door works, and somebody should look."""
    if guard.level:
        pause = f"; claims are refused for {int(guard.wait_s) + 1} s more" if guard.wait_s else ""
        raise StateError(
            f"it has tripped (level {guard.level}): {guard.cards} different cards failed lately{pause}",
            where="door",
            remedy="see the journal for the cards, ask who was there, then: edge reset --door --operator NAME",
        )
    return f"{guard.cards} different cards failed lately"


def settings(problems: Sequence[str]) -> str:
    """Raises Unfit when the settings have problems."""
    if problems:
        raise Unfit(problems[0], where="settings", remedy="run `edge config check`")
    return "valid"
