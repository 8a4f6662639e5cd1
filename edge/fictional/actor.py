"""A person who turns the head when told to, or at times of their own: closed movements between moments in time.

    actor = Actor.living(rng)                    # reacts to what it is told, at a person's speed
    actor.told(Direction.LEFT, at_s=1.0)
    actor.pose(1.6)                              # on the way

    recording = Actor.recorded(rng, (Direction.UP, Direction.LEFT), pause_s=0.8)     # hears nothing

Angles are those of the rendered head; a small tremor all the time. Nobody was measured for it: speeds and delays are
ranges around what others report. A turn of 34 to 44 degrees in 0.3 to 0.6 s peaks at 85 to 220 degrees a second (people
asked to turn the head slowly to fast: 76 to 257 on average, Neuroscience Letters 687, 2018, 253-258). It begins 0.25 to
0.55 s after its direction is shown (one of four arrows: some 0.38 s, W. E. Hick, Quarterly Journal of Experimental
Psychology 4, 1952, and later tests), the way back, which is no choice, 0.2 to 0.4 s after (one signal, one answer:
0.19 to 0.25 s). People over 60 move their necks more slowly (Sarig Bahat et al. 2016).
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field

import numpy as np

from edge.fictional.mesh import Pose
from edge.types import Direction

#: Degrees of a turn to a side, and up or down: smallest and largest.
SIDE, NOD = (34.0, 44.0), (24.0, 32.0)
_REACTION_S, _BACK_S, _MOVE_S = (0.25, 0.55), (0.2, 0.4), (0.3, 0.6)


@dataclass(slots=True)
class Actor:
    """One head's movements.

    Attributes:
        rng: everything random follows from it. deaf: does not hear what it is told. left_right: mistakes left for right
            in such a share of turns. reach: share of a full turn that it makes.
    """

    rng: np.random.Generator
    deaf: bool = False
    left_right: float = 0.0
    reach: float = 1.0
    _moves: list[tuple[float, float, float]] = field(default_factory=lambda: [(0.0, 0.0, 0.0)])
    _phases: list[float] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._phases = [float(value) for value in self.rng.uniform(0, 2 * math.pi, 4)]

    @classmethod
    def living(cls, rng: np.random.Generator, *, left_right: float = 0.01) -> Actor:
        """A cooperative person, who now and then mistakes left for right."""
        return cls(rng, left_right=left_right)

    @classmethod
    def recorded(cls, rng: np.random.Generator, order: tuple[Direction, ...], pause_s: float, until_s: float) -> Actor:
        """A recording of a person doing another challenge, played again and again."""
        actor, now = cls(rng, deaf=True), float(rng.uniform(0.0, 1.5))
        while now < until_s:
            for direction in order:
                now = actor._go(now, actor._target(direction)) + float(rng.uniform(0.1, 0.3))
                now = actor._go(now, (0.0, 0.0)) + pause_s * float(rng.uniform(0.7, 1.3))
        return actor

    def told(self, direction: Direction | None, at_s: float) -> None:
        """What the device asks for at this moment: a turn, or to look ahead (None)."""
        if self.deaf:
            return
        turned = direction
        if direction in (Direction.LEFT, Direction.RIGHT) and self.rng.random() < self.left_right:
            turned = Direction.RIGHT if direction is Direction.LEFT else Direction.LEFT
        reaction = float(self.rng.uniform(*(_BACK_S if turned is None else _REACTION_S)))
        self._go(at_s + reaction, (0.0, 0.0) if turned is None else self._target(turned))

    def pose(self, at_s: float) -> Pose:
        """The head at a time, degrees."""
        yaw, pitch = self._place(at_s)
        a, b, c, d = self._phases
        return Pose(
            yaw + 0.8 * math.sin(4.4 * at_s + a) + 0.5 * math.sin(11.0 * at_s + b),
            pitch + 0.7 * math.sin(3.7 * at_s + c),
            1.2 * math.sin(2.3 * at_s + d),
        )

    def _target(self, direction: Direction) -> tuple[float, float]:
        side, nod = (self.reach * float(self.rng.uniform(*span)) for span in (SIDE, NOD))
        stray = float(self.rng.normal(0, 3.0))  # no head turns exactly along one axis
        return {
            Direction.LEFT: (side, stray),
            Direction.RIGHT: (-side, stray),
            Direction.UP: (stray, -nod),
            Direction.DOWN: (stray, nod),
        }[direction]

    def _go(self, start_s: float, target: tuple[float, float]) -> float:
        """Move from wherever the head is at ``start_s``; the time of arrival."""
        here = self._place(start_s)
        arrival = start_s + float(self.rng.uniform(*_MOVE_S))
        before = [move for move in self._moves if move[0] < start_s]
        self._moves = [*before, (start_s, *here), (arrival, *target)]  # at once: a camera's thread may be looking
        return arrival

    def _place(self, at_s: float) -> tuple[float, float]:
        """Yaw and pitch between two moments, with a level beginning and end (3 v^2 - 2 v^3)."""
        before = self._moves[0]
        for move in self._moves:
            if move[0] > at_s:
                share = (at_s - before[0]) / (move[0] - before[0])
                share = share * share * (3 - 2 * share)
                return (
                    before[1] + (move[1] - before[1]) * share,
                    before[2] + (move[2] - before[2]) * share,
                )
            before = move
        return before[1], before[2]
