"""Enrolment's capture: good frames of one person, told apart from a change of person, averaged into one reference.

    frames -> one face? good enough? -> hint -> embed -> same person as so far? -> ... -> int8 (D,) reference

The reference is the mean of the unit-length embeddings, scaled to int8 again. Only the mean leaves this module.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from edge.errors import InputError, Interrupted, SourceTimeout
from edge.face import Chain, Look
from edge.face.match import average, cosine
from edge.types import I8, Advice, Frame, Stream

#: Shortest time between two frames of a reference: neighbouring frames add nothing to each other.
SPACING_NS = 300_000_000
#: Two captures of one enrolment must agree at this false match rate.
SAME_PERSON_FMR = 1e-2
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
        new_session: makes a fresh session identifier.
        want: good frames to collect.
        deadline_s: give up after this.
        own: returns when a stream is one of the device's own camera, else raises NotInThisBuild.
    """

    chain: Chain
    new_session: Callable[[], str]
    want: int = 5
    deadline_s: float = 60.0
    source_timeout_s: float = 3.0
    own: Callable[[Stream], None] = lambda _: None

    def from_stream(
        self,
        stream: Stream,
        *,
        tell: Callable[[Progress], None] | None = None,
        cancelled: Callable[[], bool] = lambda: False,
        same_as: Callable[[Frame, Look], bool] | None = None,
    ) -> I8:
        """Collect from a camera, with hints.

        Args:
            tell: told when a frame was kept or the advice changed. cancelled: true ends it.
            same_as: whether a look shows the person who was verified before; asked of each one that would be kept.

        Raises:
            InputError: not enough good frames before the deadline, or two people took turns.
            Interrupted: cancelled.
            CameraError: the source failed.
        """
        self.own(stream)
        session, kept = self.new_session(), list[I8]()
        last_ns = stream.now_ns() - SPACING_NS
        advice: tuple[Advice, ...] = (Advice.NOBODY_SEEN,)
        told: Progress | None = None
        for frame in self._frames(stream, cancelled):
            look = self.chain.look(frame)
            if look.reason is None and frame.monotonic_ns - last_ns >= SPACING_NS:
                of_holder(frame, look, same_as)
                kept.append(self._embed(look, session))
                self._same_person(kept)
                last_ns = frame.monotonic_ns
            advice = look.advice or advice
            told = self._tell(tell, Progress(len(kept), self.want, look.advice), told)
            if len(kept) >= self.want:
                return average(kept)
        raise InputError(
            f"only {len(kept)} of {self.want} good frames in {self.deadline_s:.0f} s",
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

    def _embed(self, look: Look, session: str) -> I8:
        with self.chain._in_session():
            return self.chain.embed(look, session).consume(session)

    def _same_person(self, kept: Sequence[I8]) -> None:
        """The newest capture must match the reference so far, so that two people cannot share one card."""
        if len(kept) < 2:
            return
        if cosine(average(kept[:-1]), kept[-1]) < self.chain.threshold(SAME_PERSON_FMR):
            raise InputError(
                "the captures do not show the same person",
                where="enrolment",
                remedy="one person at a time; start again",
            )


def of_holder(frame: Frame, look: Look, same_as: Callable[[Frame, Look], bool] | None) -> None:
    """Raises InputError when somebody else than the verified person is in view."""
    if same_as is not None and not same_as(frame, look):
        raise InputError(
            "the captures do not show the person who was verified",
            where="enrolment",
            remedy="the holder of the card stays in front of the camera until the end; start again",
        )
