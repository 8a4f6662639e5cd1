"""The desk: captures of the person in front of an operator, verified first where they hold a card already.

desk = Desk(device, device.stream)
with device._cells._begin(session) as cell:       # where the reference will be, for the vault to have sealed
    desk._capture(desk.enrolment(), cell, ())
    desk._capture_of_holder(desk.enrolment(), cell, token, claim, (), act="--renew")
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass

from edge.errors import ClaimError
from edge.messages import text
from edge.service.declared import need_as_declared
from edge.service.device import Device
from edge.service.own import of_pictures
from edge.session import Enrolment
from edge.session.cell import Keeps
from edge.session.enrolment import Progress
from edge.settings.checks import need_alternative
from edge.types import Claim, Frame, Outcome, Stream, acts


def enrolment_on(device: Device) -> Enrolment:
    """The capture side of an enrolment on a device.

    Raises:
        PolicyStops: a rule stops new enrolments, or the settings are not what the build declares.
        StateError: the clock is not confirmed.
    """
    device._clock.now().need_confirmed()
    device.policy.need_enrolments()
    need_as_declared(device.settings, device.build.statement)
    return Enrolment(
        device._chain,
        device._verifier.threshold,
        source_timeout_s=device.settings.camera.timeout_s,
    )


@dataclass(frozen=True, slots=True)
class Desk:
    """Where people are captured.

    Args:
        device: opened. stream: gives a stream of its own. cancelled: asked during a capture; true ends it.
    """

    device: Device
    stream: Callable[[], AbstractContextManager[Stream]]
    cancelled: Callable[[], bool] = lambda: False

    def enrolment(self) -> Enrolment:
        """The capture side of an act. Raises as `enrolment_on`; Unfit: the settings name no other way in."""
        need_alternative(self.device.settings.alternative)  # consent without another way in is none
        return enrolment_on(self.device)

    def _capture(self, enrolment: Enrolment, cell: Keeps, pictures: Sequence[Frame]) -> None:
        """The reference of whoever stands there, or of pictures. Raises as `Enrolment.from_stream`."""
        if pictures:
            return of_pictures(enrolment, pictures, cell)
        with self.stream() as stream:
            enrolment.from_stream(stream, cell, tell=self._progress, cancelled=self.cancelled)

    def _capture_of_holder(
        self, enrolment: Enrolment, cell: Keeps, token: str, claim: Claim, pictures: Sequence[Frame], *, act: str
    ) -> None:
        """The reference of the very person whose template the card opens, verified in the same stream.

        Args:
            act: its name, for what is said when it fails.

        Raises:
            ClaimError: the card was refused, or its holder was not verified. As `_capture`.
        """
        with self.stream() as stream:
            self._verify(token, stream, act)
            holder = self.device._verifier.same_person(cell, claim)
            if pictures:
                return of_pictures(enrolment, pictures, cell, holder)
            enrolment.from_stream(stream, cell, tell=self._progress, cancelled=self.cancelled, same_as=holder)

    def _verify(self, token: str, stream: Stream, act: str) -> None:
        decision = self.device.decide(token, lambda: stream, reader="operator", cancelled=self.cancelled, attended=True)
        if decision.outcome is Outcome.ACCEPT:
            return
        again = "try again"
        if decision.reason.value == "model_mismatch":
            again = "name the embedder that made it in face.previous_embedder"
        raise ClaimError(
            f"the old card was not verified: {text(f'reason.{decision.reason.value}')}",
            where=act,
            remedy=f"{again}, or renew it on an operator's word: --renew with --override",
        )

    def _progress(self, progress: Progress) -> None:
        now, have, want, advice = self.device.now_ns(), progress.have, progress.want, progress.advice
        self.device.tell(acts.EnrolmentProgress(at_ns=now, have=have, want=want, advice=advice))
