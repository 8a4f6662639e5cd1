"""The door of one device: which one this build may drive, what it does, and the trace that a failure leaves.

doorway = Doorway(settings, build, tell, now_ns)
doorway.act(decision)        # an accept releases the lock; told as `DoorOpened`, a failure as `DoorFault`
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path

from edge.build.attest import verified
from edge.door import Sight, open_door
from edge.door.fake import chip_at
from edge.door.log import to
from edge.errors import DoorError, JournalBroken
from edge.profile import BuildInfo
from edge.settings.model import DoorSettings, Settings
from edge.types import Decision, Door, Outcome
from edge.types.events import DoorFault, DoorLocked, DoorOpened, Event
from edge.types.sight import ExitRequested


class Doorway:
    """The door of a device, opened when it is first needed.

    Args:
        settings: of the device. build: what is running.
        tell: told what the door does. now_ns: the clock of events.
        door: in the place of the one that the settings name; already allowed.
    """

    def __init__(
        self,
        settings: Settings,
        build: BuildInfo,
        tell: Callable[[Event], None],
        now_ns: Callable[[], int],
        *,
        door: Door | None = None,
    ) -> None:
        self._settings, self._build, self._tell, self._now_ns, self._door = settings, build, tell, now_ns, door
        self._own = door
        self._examined: BuildInfo | None = None
        self._opened = False
        self.sight = Sight(chip_at(settings.door.chip), settings.door, tell=tell, now_ns=now_ns)

    def act(self, decision: Decision) -> None:
        """Let the door act on a decision: the lock is released on an accept only.

        Raises:
            DoorError: the hardware failed; told, and the door is locked.
        """
        accepted = decision.outcome is Outcome.ACCEPT
        try:
            door = self.door
            if accepted:
                self.sight.released()  # before the lock: nobody is as quick as that, but a test is
            door.act(decision)
        except DoorError as error:
            self._door_failed(error, decision.session)
            raise
        if accepted:
            self._tell(DoorOpened(at_ns=self._now_ns(), session=decision.session, driver=self.door.name))

    def _door_failed(self, error: DoorError, session: str = "") -> None:
        """Lock what can still be locked, and leave a trace. The next use opens the same door anew, or fails again."""
        door, self._door, self._opened = self._door, self._own, False
        self.sight.locked()
        if door is not None:
            with contextlib.suppress(DoorError):
                door.close()
        driver = self._settings.door.driver if door is None else door.name
        self._tell(
            DoorFault(
                at_ns=self._now_ns(),
                session=session,
                driver=driver,
                what=error.what,
                where=error.where,
                remedy=error.remedy,
            )
        )

    @property
    def door(self) -> Door:
        """The door, opened when it is first needed."""
        if self._door is None:
            self._door = door_of(self._settings, self.examined, locked=self._locked_again, left=self._let_out)
        if not self._opened:
            try:
                self._door.open()
                self.sight.open()
            except DoorError as error:
                self._door_failed(error)
                raise
            self._opened = True
        return self._door

    def _locked_again(self) -> None:
        """A release has ended; told from a thread of the door."""
        self.sight.locked()
        with contextlib.suppress(JournalBroken):  # the next event that must be on the disk says so again
            self._tell(DoorLocked(at_ns=self._now_ns(), driver=self._settings.door.driver))

    def _let_out(self) -> None:
        """The guard has answered a request to exit; told from a thread of the door."""
        self.sight.released()
        with contextlib.suppress(JournalBroken):
            self._tell(ExitRequested(at_ns=self._now_ns(), driver=self._settings.door.driver))

    def examined(self) -> BuildInfo:
        """This build, and whether a trusted signature covers it. Reads every installed file, once.

        It is asked before a door other than log is opened, by the self-test and when the loop starts.
        """
        if self._examined is None:
            self._examined = examined(self._build, self._settings.device.trust_dir)
        return self._examined

    def standing(self) -> Mapping[str, bool]:
        """Whether each switch of the opened door is at rest. Raises `DoorError`, `OSError`."""
        _ = self.door
        return self.sight.standing

    def close(self) -> None:
        """Lock and give the hardware back. Harmless when repeated."""
        self.sight.close()
        if self._door is not None:
            self._opened = False
            self._door.close()


def examined(build: BuildInfo, trust_dir: Path) -> BuildInfo:
    """A build with what a look at every installed file says about its signature."""
    looked = build if build.signed else verified(trust_dir)
    # what was handed in by `Parts` stays what it is: only the signature is added
    return replace(
        build, signed=looked.signed, signer=looked.signer, signer_id=looked.signer_id, unsigned=looked.unsigned
    )


def standing(settings: DoorSettings) -> Mapping[str, bool]:
    """Whether each switch is at rest, of a door that no device has open; its lines are taken for a moment.

    Raises:
        DoorError: a line cannot be had. OSError: one cannot be read.
    """
    sight = Sight(chip_at(settings.chip), settings, tell=lambda _: None, now_ns=time.monotonic_ns)
    sight.open()
    try:
        return sight.standing
    finally:
        sight.close()


def door_of(
    settings: Settings,
    examined: Callable[[], BuildInfo],
    *,
    locked: Callable[[], None] | None = None,
    left: Callable[[], None] | None = None,
) -> Door:
    """The door that the settings name, not yet opened.

    Raises:
        DoorError: this build may not drive it.
    """
    allow, why = False, ""
    if settings.door.driver != "log":
        build = examined()
        allow, why = build.drives_doors, build.log_only
    return open_door(settings.door, allow_hardware=allow, why=why, write=to(2), locked=locked, left=left)
