"""The active challenge: turn the head as told, in an order that nobody could know before. A pure state machine.

    challenge = Challenge(Plan((LEFT, UP, RIGHT), (0.3, 0.5, 0.2)), align, at_ns, face)
    for each frame:
        challenge.see(at_ns, look)             # challenge.prompt says what the person is told
        if challenge.wants_comparison: challenge.compared(matched)
        challenge.done, challenge.failed

    each step:   look ahead, and match  ->  hold still for a moment  ->  told a direction  ->  turned far enough

Every step starts from a face that looks at the camera and matches the claim's template, so that nobody performs it and
then holds up a picture. From the frame in which the claim matched to the last one it is one face: no gap, no jump of
the box. A swing is measured from the step's own start. To a side the landmarks' yaw must have changed by `SWING`, and
the nose must have moved over the face (`edge.face.parallax`); up and down the nose alone tells. The landmarks' yaw of
1,852 windows of hand-held, turned and bent prints changed by 14.8 degrees at most.

A turn into another direction than the one asked for fails the attempt at once: a recording that runs its course does
that. What fails may be tried once more, with another plan; that is the rule's business (`edge.face.rule`).
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

from edge.face.card import Align
from edge.face.chain import Look
from edge.face.parallax import Parallax
from edge.face.quality import pose
from edge.face.second_pass import overlap
from edge.types import Direction, Face

#: Degrees that a head must turn from its own start, to a side and up or down, and for how many frames in a row.
#: Parallax tells less of a nod than there is: rendered heads that nodded by 24 to 32 degrees measured 18 to 26.
SWING, NOD, FRAMES = 20.0, 17.0, 2
#: Degrees of parallax that must go with a turn to the side.
SOLID = 8.0
#: Degrees of a turn into another direction that fail the attempt.
WRONG = 15.0
#: Degrees from straight ahead within which a step may start: landmarks' yaw, and after a nod parallax since its start.
#: To a side the landmarks know better: on a rendered head that had turned by 45 degrees and looked ahead again to
#: within one, parallax stayed at 10, on another at 29: what it had lost on the way.
AHEAD, BACK = 12.0, 8.0
#: Seconds: to look ahead and match; to turn once told; to look ahead after an attempt that failed, before another one
#: takes its measure of the head: parallax knows no pose but by what was before.
AHEAD_S, TURN_S, SETTLE_S = 3.0, 2.5, 1.2
#: Seconds without the face that still are one face, and how much of two boxes must overlap from frame to frame.
GAP_S, OVERLAP = 0.35, 0.4
#: A step's pause lies between these, seconds, drawn anew for each: a recording cannot know when it is told.
PAUSES_S = (0.0, 0.2)
STEPS = 3


class Failing(StrEnum):
    """Why an attempt failed."""

    LATE = "late"
    WRONG_WAY = "wrong_way"
    LOST = "lost"
    OTHER_PERSON = "other_person"


@dataclass(frozen=True, slots=True)
class Plan:
    """One attempt: directions in order, and how long each is withheld from a face that already looks ahead."""

    directions: tuple[Direction, ...]
    pauses_s: tuple[float, ...]

    @classmethod
    def drawn(cls, random: Callable[[], float]) -> Plan:
        """Three of the four directions, none twice.

        Args:
            random: uniform in 0..1, unpredictable; six or more numbers are drawn.
        """
        left = list(Direction)
        directions = tuple(left.pop(int(random() * len(left))) for _ in range(STEPS))
        low, high = PAUSES_S
        return cls(directions, tuple(low + (high - low) * random() for _ in range(STEPS)))


@dataclass(frozen=True, slots=True)
class Prompt:
    """What the person shall do: turn into ``direction``, or look ahead (None), until ``until_ns``."""

    step: int
    direction: Direction | None
    until_ns: int


class Challenge:
    """One attempt.

    Args:
        plan: what is asked, and when.
        align: of the embedder's card.
        at_ns, face: the frame from which on it must be one face. matched: whether that face has just matched; else
            somebody may still be turned as they were told before.
        tries: comparisons at most for each step's start.
    """

    def __init__(
        self, plan: Plan, align: Align, at_ns: int, face: Face, *, matched: bool = False, tries: int = 3
    ) -> None:
        self._plan, self._align, self._tries = plan, align, tries
        self._face, self._seen_ns = face, at_ns
        self._step = 0
        self._turn: Parallax | None = None
        self._yaw = 0.0
        self._settled_ns = at_ns
        self.done = False
        self.failed: Failing | None = None
        self._begin(at_ns, matched=matched)
        if not matched:
            self._settled_ns = at_ns + int(SETTLE_S * 1e9)

    def _begin(self, at_ns: int, *, matched: bool = False) -> None:
        """The next step: look ahead."""
        self.prompt = Prompt(self._step + 1, None, at_ns + int(AHEAD_S * 1e9))
        self._left, self._matched, self._ahead_ns, self._far = self._tries, matched, at_ns, 0
        self.wants_comparison = False

    def see(self, at_ns: int, look: Look) -> None:
        """One frame: follow the face, and go on when it did what it was asked."""
        if self.done or self.failed:
            return
        self.wants_comparison = False
        if look.face is None or look.crop is None:
            if at_ns - self._seen_ns > GAP_S * 1e9:
                self.failed = Failing.LOST
        elif at_ns - self._seen_ns > GAP_S * 1e9 or overlap(self._face, look.face) < OVERLAP:
            self.failed = Failing.LOST
        else:
            self._face, self._seen_ns = look.face, at_ns
            self._follow(at_ns, look)
        if not self.failed and not self.done and at_ns >= self.prompt.until_ns:
            self.failed = Failing.LATE
        if self.failed:  # whoever still looks down, because the screen says so, is never seen again
            self.prompt = Prompt(self.prompt.step, None, at_ns + int(AHEAD_S * 1e9))

    def compared(self, matched: bool) -> None:
        """What came of the comparison that was wanted of the newest frame."""
        self.wants_comparison, self._matched, self._left = False, matched, self._left - 1
        if not matched and self._left <= 0:
            self.failed = Failing.OTHER_PERSON

    def _follow(self, at_ns: int, look: Look) -> None:
        assert look.face is not None
        assert look.crop is not None
        yaw = pose(look.face.landmarks)[0]
        turned = None if self._turn is None else self._turn.follow(look.crop)
        if self.prompt.direction is not None:
            self._swing(at_ns, yaw, turned)
            return
        nodded = self._plan.directions[self._step - 1] in (Direction.UP, Direction.DOWN)
        back = turned is None or not nodded or abs(turned[1]) <= BACK
        if abs(yaw) > AHEAD or not back or at_ns < self._settled_ns:
            self._ahead_ns = at_ns
            return
        if not self._matched:
            self.wants_comparison = look.reason is None
        elif at_ns - self._ahead_ns >= self._plan.pauses_s[self._step] * 1e9:
            self._turn, self._yaw = Parallax(self._align, look.crop), yaw
            self.prompt = Prompt(self._step + 1, self._plan.directions[self._step], at_ns + int(TURN_S * 1e9))

    def _swing(self, at_ns: int, yaw: float, turned: tuple[float, float] | None) -> None:
        """Has the head turned far enough, or the wrong way?"""
        if turned is None:
            return
        side = yaw - self._yaw
        solid = turned[0] * math.copysign(1.0, side)
        # The person's own left is on the right of an image that is not mirrored.
        ways = {
            Direction.LEFT: side if solid >= SOLID else 0.0,
            Direction.RIGHT: -side if solid >= SOLID else 0.0,
            Direction.UP: -turned[1],
            Direction.DOWN: turned[1],
        }
        asked = ways.pop(self._plan.directions[self._step])
        other = max(ways.values())
        if other >= WRONG and other > asked:
            self.failed = Failing.WRONG_WAY
            return
        enough = SWING if self._plan.directions[self._step] in (Direction.LEFT, Direction.RIGHT) else NOD
        self._far = self._far + 1 if asked >= enough and asked > other else 0
        if self._far >= FRAMES:
            self._step += 1
            self.done = self._step == len(self._plan.directions)
            if not self.done:
                self._begin(at_ns)
