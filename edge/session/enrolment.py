"""Enrolment's capture: good frames of one person that differ, averaged into one reference.

    frames -> one face? good enough? -> turned as asked? -> a cell: same person as so far? -> hold together?

Each frame is asked for with a small turn of the head (`edge.session.turning`); after a while any good frame will do.
What does not resemble the others is left out, and another frame is taken in its place. In the end each frame must match
the mean of the others as a look must match a template at this door; else there is no reference. It is the mean of the
unit-length embeddings, scaled to int8 again. Embeddings exist in the cell alone (`edge.session.cell`): here is known
whether a capture was kept, and the vault gets the reference sealed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from edge.camera.owned import need_own
from edge.errors import InputError, Interrupted, SourceTimeout
from edge.face import Chain, Look
from edge.session.cell import Keeps
from edge.session.turning import ASKED, Turning
from edge.types import Advice, Frame, Reason, Stream

#: Shortest time between two frames of a reference: neighbouring frames add nothing to each other.
SPACING_NS = 300_000_000
#: A capture that does not match those before at this false match rate is left out; so many in a row are two people.
SAME_PERSON_FMR, STRANGERS = 1e-2, 2
#: Nobody in view for so long: the person has gone.
GONE_NS = 1_000_000_000
#: Captures that may be left out for not resembling the others: whoever chooses among many finds some that agree.
MOST_LEFT_OUT = 3
#: After so long any good frame is taken, whether or not the head was turned: not everybody can turn it.
ASK_NS = 2_000_000_000
_SLICE_S = 0.25


@dataclass(frozen=True, slots=True)
class Progress:
    """How far the captures are: ``have`` of ``want`` good frames, and what the person can do."""

    have: int
    want: int
    advice: tuple[Advice, ...]


@dataclass(frozen=True, slots=True)
class Enrolment:
    """Collects one person's reference.

    Args:
        chain: the chain that will verify the person later.
        threshold: the score at which the captures must hold together: that of a look at this door.
        want: good frames to collect.
        deadline_s: give up after this.
    """

    chain: Chain
    threshold: float
    want: int = 5
    deadline_s: float = 60.0
    source_timeout_s: float = 3.0

    def from_stream(
        self,
        stream: Stream,
        cell: Keeps,
        *,
        tell: Callable[[Progress], None] | None = None,
        cancelled: Callable[[], bool] = lambda: False,
        same_as: Callable[[Frame, Look], bool] | None = None,
    ) -> None:
        """Collect from a camera, with hints. The reference is in the cell then.

        Args:
            cell: a fresh one, but for the template that ``same_as`` compares with.
            tell: told when a frame was kept or the advice changed. cancelled: true ends it.
            same_as: whether a look shows the person who was verified before; asked of each one that would be kept.

        Raises:
            InputError: not enough good frames before the deadline, ones that do not hold together, or two people.
            Interrupted: cancelled.
            CameraError: the source failed.
            NotInThisBuild: a device build, and the stream is not of its own camera.
        """
        need_own(stream)
        kept = taken = strangers = 0
        align = self.chain.embedder.card.align
        assert align is not None  # `Chain` refuses a card without it
        turning, there_ns = Turning(align), stream.now_ns()
        last_ns = there_ns - SPACING_NS
        advice: tuple[Advice, ...] = (Advice.NOBODY_SEEN,)
        told: Progress | None = None
        for frame in self._frames(stream, cancelled):
            look, now_ns = self.chain.look(frame), frame.monotonic_ns
            turning.see(look)
            asked = ASKED[taken] if taken < len(ASKED) else None
            if look.reason is not Reason.NO_FACE:
                there_ns = now_ns
            elif kept and now_ns - there_ns >= GONE_NS:  # whoever leaves begins again, and so does whoever comes
                cell.start_over()
                kept = taken = strangers = 0
            if not kept and look.reason is not None:
                last_ns = max(last_ns, now_ns - SPACING_NS)  # nobody is asked for a turn before they are there
            due = now_ns - last_ns >= (SPACING_NS if turning.reached(asked) else ASK_NS)
            if look.reason is None and due:
                last_ns = now_ns
                if self._is_same(cell, frame, look, same_as):
                    strangers, taken, kept = 0, taken + 1, kept + 1
                else:
                    strangers += 1
                    if strangers >= STRANGERS:
                        raise _somebody_else(same_as)
            advice = look.advice or advice
            asking = () if look.reason is not None or asked is None else (asked,)
            told = self._tell(tell, Progress(kept, self.want, look.advice or asking), told)
            if kept >= self.want:
                if cell.settle(self.threshold):
                    return
                kept -= 1
                if taken >= self.want + MOST_LEFT_OUT:
                    raise self._apart()
        if taken >= self.want:
            raise self._apart()
        raise InputError(
            f"only {kept} of {self.want} good frames in {self.deadline_s:.0f} s",
            where="enrolment",
            remedy="last advice: " + ", ".join(item.value.replace("_", " ") for item in advice),
        )

    @staticmethod
    def _tell(tell: Callable[[Progress], None] | None, now: Progress, before: Progress | None) -> Progress:
        if tell is not None and now != before:
            tell(now)
        return now

    def _frames(self, stream: Stream, cancelled: Callable[[], bool]) -> Iterator[Frame]:
        newest, silent = stream.now_ns(), 0.0
        deadline = newest + int(self.deadline_s * 1e9)
        while newest < deadline:
            if cancelled():
                raise Interrupted("the enrolment was stopped; nothing was kept", where="enrolment")
            try:
                frame = stream.next(newest, _SLICE_S)
            except SourceTimeout:
                silent += _SLICE_S
                if silent >= self.source_timeout_s:
                    raise
                continue
            silent, newest = 0.0, frame.monotonic_ns
            yield frame

    def _is_same(self, cell: Keeps, frame: Frame, look: Look, same_as: Callable[[Frame, Look], bool] | None) -> bool:
        """Keep a capture that shows the verified person, and the person of those before: two cannot share a card."""
        if same_as is not None and not same_as(frame, look):
            return False
        return cell.keep(self.chain.pixels(look), alike=self.chain.threshold(SAME_PERSON_FMR))

    @staticmethod
    def _apart() -> InputError:
        return InputError(
            "the captures do not hold together as this door's target asks: the person would be refused too often",
            where="enrolment",
            remedy="more even light, no backlight, a face that is uncovered and holds still; then start again",
        )


def _somebody_else(same_as: Callable[[Frame, Look], bool] | None) -> InputError:
    if same_as is not None:
        return InputError(
            "the captures do not show the person who was verified",
            where="enrolment",
            remedy="the holder of the card stays in front of the camera until the end; start again",
        )
    return InputError(
        "the captures do not show the same person", where="enrolment", remedy="one person at a time; start again"
    )
