"""Enrolment from pictures in place of a camera: on a developer's desk. In no wheel.

    from_pictures(enrolment_on(device), frames, cell)

A device enrols the people in front of its camera; there is no file in it that makes a template of a picture.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from edge.errors import InputError
from edge.face import Look
from edge.session.cell import Keeps
from edge.session.enrolment import Enrolment, _somebody_else
from edge.types import Frame


def from_pictures(
    enrolment: Enrolment, frames: Sequence[Frame], cell: Keeps, *, same_as: Callable[[Frame, Look], bool] | None = None
) -> None:
    """The reference of one person, in the cell then: every picture must be good, and show that person.

    Args:
        same_as: as for `Enrolment.from_stream`.

    Raises:
        InputError: names the picture and why it is not good enough.
    """
    for frame in frames:
        look = enrolment.chain.look(frame)
        if look.reason is not None:
            raise InputError(
                f"not good enough to enrol from: {look.reason.value.replace('_', ' ')}",
                where=str(frame.meta.get("name", "picture")),
                remedy=", ".join(item.value.replace("_", " ") for item in look.advice) or "use another picture",
            )
        if not enrolment._is_same(cell, frame, look, same_as):
            raise _somebody_else(same_as)
    if not cell.settle(enrolment.threshold):
        raise enrolment._apart()
