"""Small turns of the head, asked for so that the frames of a reference differ from each other.

    turning = Turning(card.align)
    for each frame:
        turning.see(look)
        turning.reached(Advice.TURN_LEFT)     # the head has turned a little that way since it looked ahead

To a side the landmarks tell, up and down the nose's way over the face (`edge.face.parallax`). Nothing here protects
from anything: whoever cannot turn the head is enrolled without (`edge.session.enrolment`).
"""

from __future__ import annotations

from edge.face import Look
from edge.face.card import Align
from edge.face.challenge import AHEAD
from edge.face.parallax import Parallax
from edge.face.quality import pose
from edge.types import Advice

#: What is asked for, one frame after the other; None: look at the camera.
ASKED: tuple[Advice | None, ...] = (None, Advice.TURN_LEFT, Advice.TURN_RIGHT, Advice.CHIN_UP, Advice.CHIN_DOWN)
#: Degrees that count as a small turn: twice the sway of somebody who stands still, and far from `face.max_yaw`.
SIDE, NOD = 8.0, 6.0


class Turning:
    """Follows one face from a frame in which it looks ahead.

    Args:
        align: of the embedder's card.
    """

    def __init__(self, align: Align) -> None:
        self._align = align
        self._parallax: Parallax | None = None
        self._start = self._yaw = self._nod = 0.0

    def see(self, look: Look) -> None:
        """One frame. Without a face, or when it is lost, a new start is waited for."""
        if look.face is None or look.crop is None:
            self._parallax = None
            return
        self._yaw = pose(look.face.landmarks)[0]
        turned = None if self._parallax is None else self._parallax.follow(look.crop)
        if turned is not None:
            self._nod = turned[1]
        elif abs(self._yaw) <= AHEAD:
            self._parallax, self._start, self._nod = Parallax(self._align, look.crop), self._yaw, 0.0
        else:
            self._parallax = None

    def reached(self, asked: Advice | None) -> bool:
        """Whether the head is where it was asked to be; left and right are the person's own."""
        if asked is None:
            return abs(self._yaw) <= AHEAD
        side = self._yaw - self._start
        turned = {
            Advice.TURN_LEFT: side >= SIDE,
            Advice.TURN_RIGHT: side <= -SIDE,
            Advice.CHIN_UP: self._nod <= -NOD,
            Advice.CHIN_DOWN: self._nod >= NOD,
        }
        return self._parallax is not None and turned[asked]
