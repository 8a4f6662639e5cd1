"""Every error a caller may catch.

Each says *what* is wrong, *where* (a file, a key path, a device, a record) and the *remedy*, in three separate fields.

    >>> error = TokenExpired(where="token", what="it expired on 2026-01-31", remedy="ask the operator for a new card")
    >>> str(error)
    'token: it expired on 2026-01-31; ask the operator for a new card'

No message holds a secret, a template, an embedding or a picture; paths, dates, names of settings and serials may be.

    EdgeError
        UsageError
            NotInThisBuild
        InputError
        SettingsError
        BuildRefused
        ModelError
            SpecInvalid
        ModelMismatch
        CameraError
            SourceUnavailable
                SourceHung
            SourceTimeout
            SourceEnded
        KeyringError
        SignatureError
        PackRefused
        PolicyStops
        ClaimError
            TokenInvalid
            TokenExpired
            TokenNotYetValid
            TokenRevoked
            TokenUnknown
            WrongDoor
            ClockUnconfirmed
            PinMissing
            PinWrong
            LockedOut
                DoorPaused
            SealBroken
        VaultError
        ConsentMissing
        NotHandedOver
        FolderBusy
        StateError
        SpentError
            SessionLost
        JournalBroken
        DoorError
        KioskError
        ReaderError
        Unfit
        Interrupted
"""

from __future__ import annotations

import os
import traceback


def place_of(error: BaseException, *, frames: int = 1) -> str:
    """An error's class and where it was raised, such as ``StateError at edge/state/clock.py:91``; never a value.

    ``frames``: so many of the innermost places in this product, outermost first, joined by `` > ``."""
    files = [(f.filename.replace(os.sep, "/"), f.lineno) for f in traceback.extract_tb(error.__traceback__)]
    ours = [f"edge/{name.rpartition('/edge/')[2]}:{line}" for name, line in files if "/edge/" in name]
    return f"{type(error).__name__} at {' > '.join(ours[-frames:]) or 'an unknown place'}"


class EdgeError(Exception):
    """Root of all errors of this product.

    Args:
        what: what is wrong, one sentence without a full stop.
        where: the place, such as ``device.yaml:3:5`` or ``/dev/video0``.
        remedy: what to do about it.
    """

    #: Exit code of the command line (design: 0 success, 1 reject, 2 no decision, 3 bad input, 4 internal or unfit).
    exit_code = 3

    def __init__(self, what: str, *, where: str = "", remedy: str = "") -> None:
        super().__init__(what)
        self.what, self.where, self.remedy = what, where, remedy

    def __str__(self) -> str:
        text = f"{self.where}: {self.what}" if self.where else self.what
        return f"{text}; {self.remedy}" if self.remedy else text

    def as_json(self) -> dict[str, str]:
        """The ``error`` object of every ``--json`` answer."""
        return {"kind": type(self).__name__, "what": self.what, "where": self.where, "remedy": self.remedy}


class UsageError(EdgeError):
    """The command was called in a way it does not support."""


class NotInThisBuild(UsageError):
    """The command exists in development and lab builds only; the message says why."""


class InputError(EdgeError):
    """A file that was handed in cannot be used: missing, a directory, truncated, not a picture, too large."""


class SettingsError(EdgeError):
    """Settings do not validate. ``problems`` holds every one of them as ``file:line:column: key.path: text``."""

    def __init__(self, problems: tuple[str, ...], *, where: str = "", remedy: str = "") -> None:
        one = len(problems) == 1
        what = problems[0] if one else f"{len(problems)} problems in the settings"
        super().__init__(what, where="" if one else where, remedy=remedy or "run `edge config check FILE`")
        self.problems = problems

    def as_json(self) -> dict[str, str]:
        """As `EdgeError.as_json`, with every problem in ``what``."""
        return {**super().as_json(), "what": "; ".join(self.problems)}


class BuildRefused(EdgeError):
    """The build hook refuses to build. ``findings`` lists every reason."""

    def __init__(self, findings: tuple[str, ...], *, where: str = "", remedy: str = "") -> None:
        super().__init__("the build is refused: " + "; ".join(findings), where=where, remedy=remedy)
        self.findings = self.problems = findings  # problems: one line each on a terminal


class ModelError(EdgeError):
    """A model or its card cannot be used: digest, shape, dtype, delegation, golden output."""


class SpecInvalid(ModelError):
    """The spec of a model that is brought along does not validate. ``problems`` as in `SettingsError`."""

    def __init__(self, problems: tuple[str, ...], *, where: str = "", remedy: str = "") -> None:
        super().__init__("; ".join(problems), where=where, remedy=remedy)
        self.problems = problems


class ModelMismatch(EdgeError):
    """A template was made by another embedder than the one loaded. Templates are never compared across models."""


class CameraError(EdgeError):
    """A source cannot deliver frames."""

    exit_code = 4


class SourceUnavailable(CameraError):
    """The source cannot be opened: missing device, missing package, wrong size."""


class SourceHung(SourceUnavailable):
    """The camera's driver does not come back to this very process; only a new process helps."""


class SourceTimeout(CameraError):
    """The source delivered no new frame in time."""


class SourceEnded(CameraError):
    """A replayed source has no more frames."""


class KeyringError(EdgeError):
    """A key is missing, unreadable, has wrong permissions, or its passphrase is wrong."""


class SignatureError(EdgeError):
    """A signature over a build, pack, model or review is invalid: altered, of another kind, or of an untrusted key."""


class PackRefused(EdgeError):
    """A policy pack cannot be used. ``problems`` holds every finding."""

    def __init__(self, problems: tuple[str, ...], *, where: str = "", remedy: str = "correct the pack") -> None:
        text = problems[0] if len(problems) == 1 else f"{len(problems)} problems in the pack: {'; '.join(problems)}"
        super().__init__(text, where=where, remedy=remedy)
        self.problems = problems


class PolicyStops(EdgeError):
    """The policy packs stop new enrolments, or every claim, on this day."""

    exit_code = 4


class ClaimError(EdgeError):
    """A claim is refused before any frame is looked at. ``reason`` is a member of ``types.Reason`` by value."""

    exit_code = 1
    reason = "token_invalid"


class TokenInvalid(ClaimError):
    """Not a token of this site: size, magic, signature, issuer, or site."""


class TokenExpired(ClaimError):
    """The token's last day has passed."""

    reason = "token_expired"


class TokenNotYetValid(ClaimError):
    """The token's first day has not come."""

    reason = "token_not_yet_valid"


class TokenRevoked(ClaimError):
    """The card was revoked by serial."""

    reason = "token_revoked"


class TokenUnknown(ClaimError):
    """Device custody: this device holds no template for the token."""

    reason = "token_unknown"


class WrongDoor(ClaimError):
    """The token is valid, but not for this door's group or not at this hour."""

    reason = "wrong_door"


class ClockUnconfirmed(ClaimError):
    """The clock jumped and has not been confirmed; a token that would be expired is refused."""

    reason = "clock_unconfirmed"


class PinMissing(ClaimError):
    """No PIN was typed, or none is set for this card at this door."""

    reason = "pin_missing"


class PinWrong(ClaimError):
    """The PIN is not the card's. Counted like a face that does not match."""

    reason = "pin_wrong"


class LockedOut(ClaimError):
    """Too many rejects in a row for this card or at this door. ``wait_s`` says how long (0: until an operator)."""

    reason = "locked_out"

    def __init__(self, what: str, *, where: str = "", remedy: str = "", wait_s: float = 0.0) -> None:
        super().__init__(what, where=where, remedy=remedy)
        self.wait_s = wait_s


class DoorPaused(LockedOut):
    """The fan-out guard: too many different cards failed at this door in a short time. ``wait_s`` as in `LockedOut`."""

    reason = "door_paused"


class VaultError(EdgeError):
    """The store cannot be used: another device's, damaged, rolled back, full."""


class SealBroken(ClaimError):
    """A sealed template does not open with this token and this device's key, or was altered."""


class ConsentMissing(EdgeError):
    """Enrolment without a complete consent record."""


class NotHandedOver(EdgeError):
    """A card was made and could not be handed over; nothing was committed, as if it had never been made."""


class FolderBusy(EdgeError):
    """Another process holds the state folder. ``holder`` names it: its command and process number."""

    exit_code = 4

    def __init__(self, what: str, *, where: str = "", remedy: str = "", holder: str = "") -> None:
        super().__init__(what, where=where, remedy=remedy)
        self.holder = holder


class StateError(EdgeError):
    """The state database cannot be used or was rolled back."""


class SpentError(EdgeError):
    """A probe or template is used twice, or outside the session it belongs to. A programming error, never a user's."""

    exit_code = 4


class SessionLost(SpentError):
    """The process that compares has ended before its session: killed, crashed, or too slow."""


class JournalBroken(EdgeError):
    """The journal's hash chain does not hold, or it cannot be written."""

    exit_code = 4


class DoorError(EdgeError):
    """The door's hardware cannot be driven. The door stays locked."""

    exit_code = 4


class KioskError(EdgeError):
    """The page cannot be served. Claims and door go on without it."""

    exit_code = 4


class ReaderError(EdgeError):
    """A reader of cards cannot be used. The others, and the door, go on without it."""

    exit_code = 4

    @classmethod
    def of(cls, error: OSError, where: str, group: str) -> ReaderError:
        """Why its device could not be opened, with what to do. ``group``: whose members may open such devices."""
        if isinstance(error, PermissionError):
            remedy = f"let the service's user open it: SupplementaryGroups={group} (deploy/edge-readers.conf)"
            return cls("this user may not open it", where=where, remedy=remedy)
        if isinstance(error, FileNotFoundError):
            return cls("it is not there", where=where, remedy="plug it in, or name another; `edge doctor` lists them")
        return cls(f"it cannot be opened ({error.strerror})", where=where, remedy="plug it in again")


class Unfit(EdgeError):
    """The self-test says that this device must not decide."""

    exit_code = 4


class Interrupted(EdgeError):
    """The work was stopped from outside (SIGTERM, Ctrl-C) and ended cleanly."""

    exit_code = 2
