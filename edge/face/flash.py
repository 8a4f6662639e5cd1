"""The flash: the screen shines in colours that nobody could know before, and the face must follow. Pure: no clock.

    flash = Flash(drawn(random), at_ns, face)
    for each frame:
        flash.see(at_ns, look, tint(frame.image, look.face))      # flash.colour is what the screen shall show
        flash.verdict                                             # None: it goes on

A face is near the screen and takes its colour; what is behind it is farther away and takes less. So what counts is the
face's colour *less its background's*: the camera's white balance moves both. The differences of the steps must follow
the colours that were shown (correlation) and be large enough to be seen (amplitude). A recording follows other colours,
an injected video none. In bright light a screen is not seen at all, which says nothing: then a door asks for the head
turns, and where it has none nobody is accepted. A print takes the screen's colour as a face does: that is left to the
other lines.

Colours change 2.5 times a second: fewer than three flashes a second (WCAG 2.2, 2.3.1).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from edge.face.chain import Look
from edge.face.challenge import GAP_S, OVERLAP
from edge.face.second_pass import overlap
from edge.types import U8, Advice, Attack, Face, Pass, Reason, Retry, Species, Verdict

Colour = Literal["red", "green", "blue"]
#: What the screen shows, red, green, blue, 0..255.
SHOWN: dict[Colour, tuple[int, int, int]] = {"red": (255, 0, 0), "green": (0, 255, 0), "blue": (0, 0, 255)}
#: Colours of one flash: 3 x 2^7 sequences; one in 380 is like enough to another to pass for it (`CORRELATION`).
STEPS = 8
#: Seconds that a colour lasts, and after which it is looked at: event, page, display and exposure take their time.
STEP_S, SETTLE_S = 0.4, 0.16
#: Frames that a step needs.
FEWEST = 2
#: What a step must add to a face's log ratio of two channels to be told from drift and noise, and how well the steps
#: must follow the colours. Rendered faces and replays: `python -m tests.benchmarks.flash`.
AMPLITUDE, CORRELATION = 0.012, 0.9
#: Changes of colour so large, and so unlike what was shown, are a recording's.
OTHER_AMPLITUDE, OTHER_CORRELATION = 0.03, 0.2
#: Where a step's colour moves (log red/green, log blue/green).
_TOWARDS: dict[Colour, tuple[float, float]] = {
    "red": (1.0, 0.0),
    "green": (-math.sqrt(0.5), -math.sqrt(0.5)),
    "blue": (0.0, 1.0),
}
UNCLEAR = Retry(Reason.LIVENESS_UNCLEAR, (Advice.LOOK_HERE,))
#: Share of a channel's range above which it is overexposed, below which it is dark: neither has a ratio.
_BRIGHT, _DARK = 0.92, 0.004
#: sRGB's exponent, about (IEC 61966-2-1): light is proportional to value ** 2.2.
_GAMMA = 2.2


def drawn(random: Callable[[], float]) -> tuple[Colour, ...]:
    """`STEPS` colours, none twice in a row.

    Args:
        random: uniform in 0..1, unpredictable.
    """
    colours: list[Colour] = []
    for _ in range(STEPS):
        left = [colour for colour in SHOWN if colours[-1:] != [colour]]
        colours.append(left[int(random() * len(left))])
    return tuple(colours)


class Flash:
    """One flash.

    Args:
        colours: as `drawn`. at_ns, face: the frame from which on it must be one face.

    Attributes:
        colours: as they were given.
        verdict: None while it goes on; `Pass`; `UNCLEAR`; an `Attack`, if the face followed other colours.
    """

    def __init__(self, colours: Sequence[Colour], at_ns: int, face: Face) -> None:
        self.colours, self._began_ns = tuple(colours), at_ns
        self._face, self._seen_ns, self._at_ns = face, at_ns, at_ns
        self._tints: list[list[tuple[float, float]]] = [[] for _ in self.colours]
        self.verdict: Verdict | None = None

    @property
    def step(self) -> int:
        """Which colour is on, from 1."""
        return min(len(self.colours), int((self._at_ns - self._began_ns) / (STEP_S * 1e9)) + 1)

    @property
    def colour(self) -> Colour:
        """What the screen shall show."""
        return self.colours[self.step - 1]

    @property
    def until_ns(self) -> int:
        """When the last colour ends."""
        return self._began_ns + int(len(self.colours) * STEP_S * 1e9)

    def see(self, at_ns: int, look: Look, tinted: tuple[float, float] | None) -> None:
        """One frame.

        Args:
            at_ns: when it was captured. look: what it showed. tinted: `tint` of it.
        """
        if self.verdict is not None:
            return
        self._at_ns, gone = at_ns, at_ns - self._seen_ns > GAP_S * 1e9
        if look.face is None:
            self.verdict = UNCLEAR if gone else None
        elif gone or overlap(self._face, look.face) < OVERLAP:
            self.verdict = UNCLEAR
        else:
            self._face, self._seen_ns = look.face, at_ns
            into = (at_ns - self._began_ns) / 1e9 - (self.step - 1) * STEP_S
            if tinted is not None and SETTLE_S <= into <= STEP_S:
                self._tints[self.step - 1].append(tinted)
        if self.verdict is None and at_ns >= self.until_ns:
            self.verdict = judged(self.colours, self._tints)


def judged(colours: Sequence[Colour], tints: Sequence[Sequence[tuple[float, float]]]) -> Verdict:
    """What the steps' colours say: did the face follow them?

    Args:
        colours: shown. tints: of each step's frames, `tint`.
    """
    if any(len(step) < FEWEST for step in tints):
        return UNCLEAR
    amplitude, correlation, size = followed(colours, tints)
    if amplitude >= AMPLITUDE and correlation >= CORRELATION:
        return Pass()
    if size >= OTHER_AMPLITUDE and correlation <= OTHER_CORRELATION:
        return Attack(Species.REPLAYED)
    return UNCLEAR


def followed(colours: Sequence[Colour], tints: Sequence[Sequence[tuple[float, float]]]) -> tuple[float, float, float]:
    """(amplitude, correlation -1..1, root mean square) of the steps' tints against the colours shown.

    Both without their means; the amplitude is the least-squares factor between them, in log ratios.
    """
    seen = _centred([np.median(np.asarray(step, np.float64), axis=0) for step in tints])
    asked = _centred([np.array(_TOWARDS[colour]) for colour in colours])
    both, mine, theirs = float((seen * asked).sum()), float((seen**2).sum()), float((asked**2).sum())
    return both / max(theirs, 1e-9), both / max(math.sqrt(mine * theirs), 1e-9), math.sqrt(mine / len(seen))


def _centred(rows: list[NDArray[np.float64]]) -> NDArray[np.float64]:
    values = np.stack(rows)
    return np.asarray(values - values.mean(0))


def tint(image: U8, face: Face) -> tuple[float, float] | None:
    """A face's colour less its background's: (log red/green, log blue/green), natural logarithms of light.

    Args:
        image: BGR uint8 (H, W, 3). face: found in it.

    Returns:
        None where there is no background beside the face, or one of the two is overexposed or dark.
    """
    rows, columns = image.shape[:2]
    x, y, w, h = face.box
    inner = image[_span(y + 0.25 * h, y + 0.9 * h, rows), _span(x + 0.2 * w, x + 0.8 * w, columns)]
    top, bottom = 0.0, y + 0.6 * h
    sides = [
        image[_span(top, bottom, rows), _span(0, x - 0.6 * w, columns)],
        image[_span(top, bottom, rows), _span(x + 1.6 * w, columns, columns)],
    ]
    beside = [side.reshape(-1, 3) for side in sides if min(side.shape[:2]) >= 4]
    if not beside or min(inner.shape[:2]) < 8:
        return None
    mine, theirs = _ratios(inner.reshape(-1, 3)), _ratios(np.concatenate(beside))
    return None if mine is None or theirs is None else (mine[0] - theirs[0], mine[1] - theirs[1])


def _span(first: float, last: float, size: int) -> slice:
    return slice(int(min(max(first, 0), size)), int(min(max(last, 0), size)))


def _ratios(pixels: U8) -> tuple[float, float] | None:
    """(log red/green, log blue/green) of the mean light of BGR pixels (N, 3)."""
    light = ((pixels / 255.0) ** _GAMMA).mean(0)
    if light.max() > _BRIGHT or light.min() < _DARK:
        return None
    blue, green, red = (math.log(value) for value in light)
    return red - green, blue - green
