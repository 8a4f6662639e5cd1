"""From a settings file to a device, and to the checks that say whether it is fit to decide.

    with device_checks(config) as checks:
        report = run(checks, Level.FULL)

Every check runs, also where `open_device` fails: a device without keys, with a broken vault or without a trusted issuer
gets a diagnosis of everything else. A failure that keeps several checks from looking is told by the first in full.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, closing, contextmanager, nullcontext, suppress
from functools import cache, partial
from pathlib import Path
from typing import TypeVar

from edge._isolated import isolated
from edge.build.files import SAID
from edge.camera import Capture, Pulled
from edge.camera.checks import checks as of_camera
from edge.claim.checks import checks as of_readers
from edge.door.checks import checks as of_door
from edge.errors import EdgeError, PolicyStops, SettingsError, Unfit
from edge.face import Chain
from edge.face.checks import checks as of_models
from edge.journal import ChainReport
from edge.journal.verify import checks as of_journal
from edge.profile import BuildInfo
from edge.selftest import Check, FitnessReport, Level, run
from edge.service.declared import need_as_declared
from edge.service.device import Device
from edge.service.doorway import door_of, examined, standing
from edge.service.known_answers import checks as of_people
from edge.service.machine import checks as of_machine
from edge.service.models import model_finder
from edge.service.parts import Parts, stream_of
from edge.service.reading import Reading
from edge.service.renewals import Renewals
from edge.service.sheet import without_faces
from edge.service.speed import checks as of_speed
from edge.session.checks import checks as of_sessions
from edge.settings import Problem, Settings, load_settings, warnings
from edge.settings.checks import checks as of_settings
from edge.state.checks import checks as of_state
from edge.trust import TrustStore
from edge.trust.checks import checks as of_keys
from edge.trust.folder import strictness
from edge.types import Door, Frame, acts, events
from edge.vault.checks import checks as of_vault

T = TypeVar("T")


def open_device(config: Path | None, parts: Parts | None = None, *, hold: str = "") -> Device:
    """Load settings and open the device; for ``hold`` see `Device.open`.

    Args:
        config: the settings file; None for ``/etc/edge/device.yaml``, else the packaged example.

    Raises:
        SettingsError: with every problem. As `Device.open`.
    """
    return Device.open(load_settings(config), parts, hold=hold)


@contextmanager
def device_checks(
    config: Path | None,
    *,
    parts: Parts | None = None,
    device: Device | None = None,
    stream: Capture | Pulled | None = None,
    view: Callable[[Frame], object] | None = None,
) -> Iterator[list[Check]]:
    """The checks of a device, with what could be opened of it.

    Args:
        config: the settings file. device: an opened one, else it is opened here and closed afterwards.
        stream: to look through; it is started when it was not, and goes on. None: one that ends with the check.
        view: given the last frame that the checks of the camera saw, reduced, without the faces that are found in it.
    """
    if device is not None:
        yield _Subject(device.settings, device, stream=stream, view=view).checks()
        return
    try:
        settings = load_settings(config)
    except SettingsError as error:
        yield of_settings(error.problems)
        return
    advice = warnings(config)
    try:
        opened = Device.open(settings, parts)
    except EdgeError as error:
        with Reading(settings, parts) as reading:
            yield _Subject(settings, reading, parts or Parts(), error, view=view).checks(advice)
        return
    with opened:
        yield _Subject(settings, opened, view=view).checks(advice)


def examine(device: Device, level: Level, *, stream: Capture | Pulled | None = None) -> None:
    """Test an opened device at a level, and have it tell the result.

    Args:
        stream: see `device_checks`.

    Raises:
        Unfit: it must not decide.
    """
    with device_checks(None, device=device, stream=stream) as checks:
        report = run(checks, level)
    tell_selftest(device, report)
    if (failed := report.first_failed) is not None:
        raise Unfit(f"{failed.name}: {failed.what}", where="self-test", remedy=failed.remedy)


def tell_selftest(device: Device, report: FitnessReport) -> None:
    """Have the device tell how its self-test ended: an event, and another one when it is unfit."""
    failed = report.first_failed
    failures = [result for result in report.results if not result.ok]
    needed = sum(result.needed for result in failures)
    warnings, check = len(failures) - needed, failed.name if failed else ""
    device.tell(acts.SelfTested(at_ns=device.now_ns(), fit=report.fit, failed=needed, warnings=warnings, check=check))
    if failed is not None:
        device.tell(events.Unfit(at_ns=device.now_ns(), check=failed.name, what=failed.what, remedy=failed.remedy))


class _Subject:
    """What the checks look at: an opened device, or what can be read of one that did not open, and why it did not."""

    def __init__(
        self,
        settings: Settings,
        seen: Device | Reading,
        parts: Parts | None = None,
        error: EdgeError | None = None,
        stream: Capture | Pulled | None = None,
        view: Callable[[Frame], object] | None = None,
    ) -> None:
        self.settings, self.seen, self._parts, self._error = settings, seen, parts or Parts(), error
        self._given, self._view = stream, view

    def checks(self, advice: Sequence[Problem] = ()) -> list[Check]:
        """Every check of this device, in the order in which an installer repairs things."""
        settings, seen, chain = self.settings, self.seen, cache(self._chain)
        at_rest = seen._doorway.standing if isinstance(seen, Device) else lambda: standing(settings.door)
        folder, trust_dir, custody = settings.device.state_dir, settings.device.trust_dir, settings.vault.custody
        device, warning = self._device, partial(Check, needed=False)
        return [
            *of_settings((), advice, settings.alternative),
            Check(
                "build",
                "every installed file is as a trusted builder signed it, or no hardware is driven",
                lambda: _build(self._build(), settings.door.driver, trust_dir),
                limit="a trusted signature" if settings.door.driver != "log" else "none, or one that holds",
                needed=settings.door.driver != "log",
            ),
            warning(
                "isolated",
                "nothing but what was installed runs: not what lies in a caller's folder or environment",
                lambda: _isolated(self._build()),
                limit="python -I",
            ),
            *self._models(chain),
            *of_people(chain, settings.decision, lambda: seen._cells),
            *of_sessions(lambda: seen._cells),
            *of_speed(chain),
            *of_keys(lambda: self.seen._keyring, self._trust, folder, trust_dir),
            *of_state(folder, lambda: self.seen._clock.now(), lambda: self.seen._limits.guard()),
            *of_vault(lambda: self.seen._vault, custody),
            *of_journal(self._journal),
            warning(
                "settings kept",
                "the settings are those that the journal has seen at the last start",
                self._settings_kept,
                limit="the digest of the last start",
            ),
            Check(
                "device",
                "keys, state, store, journal and models open together",
                lambda: f"all parts of {settings.device.name} open together{_overlap(device())}",
                limit="all of them",
            ),
            Check("policy", "no rule stops claims today", lambda: _policy(device()), limit="no rule"),
            warning(
                "policy ahead",
                "no rule stops enrolments today, or anything within 30 days",
                lambda: _policy_ahead(device()),
                limit="no rule, and no added pack that does not count",
            ),
            warning(
                "retention",
                "nothing is kept longer than settings, declaration and rules allow",
                self._retention,
                limit="no card is due",
            ),
            warning(
                "renewals",
                "no card is refused because of the embedder that made its template, or soon will be",
                self._renewals,
                limit="none within 30 days",
            ),
            *of_readers(settings.claim),
            *of_door(settings.door, self._door, at_rest),
            *of_camera(self._stream, settings.camera, self._show),
            *of_machine(),
        ]

    def _device(self) -> Device:
        if isinstance(self.seen, Device):
            return self.seen
        assert self._error is not None
        raise self._error

    def _models(self, chain: Callable[[], Chain]) -> list[Check]:
        settings, liveness = self.settings, self.settings.liveness
        return of_models(
            settings.face,
            settings.decision,
            model_finder(settings),
            passive=lambda: liveness.passive == "on" and chain().passive is not None,
            active=settings.challenge,
            flash=liveness.flash == "on",
        )

    def _build(self) -> BuildInfo:
        if isinstance(self.seen, Device):
            return self.seen.examined()
        return examined(self._parts.build, self.settings.device.trust_dir)

    def _trust(self) -> TrustStore:
        if isinstance(self.seen, Device):
            return self.seen._keyring.trust
        return TrustStore.load(self.settings.device.trust_dir, strict=strictness(self.settings.door.driver))

    def _journal(self) -> ChainReport:
        return self.seen._ledger.journal.verify() if isinstance(self.seen, Device) else self.seen.journal()

    def _door(self) -> AbstractContextManager[Door]:
        if isinstance(self.seen, Device):
            return nullcontext(self.seen._door)
        door = door_of(self.settings, self._build)
        door.open()
        return closing(door)

    def _chain(self) -> Chain:
        if isinstance(self.seen, Device):
            return self.seen._chain
        return Chain.load(self.settings.face, model_finder(self.settings))

    def _show(self, frame: Frame) -> None:
        with suppress(EdgeError):  # without a detector nothing is shown
            if self._view is not None:
                self._view(without_faces(frame, self._chain().look(frame, gate=False).faces))

    def _settings_kept(self) -> str:
        last = self._device()._ledger.last_settings()
        if last not in ("", self.settings.digest):
            raise Unfit(
                "the settings have changed since the last start, which the next one tells the journal",
                where="settings",
                remedy="if this was not intended, find out who changed the file; else start the device again",
            )
        return f"digest {self.settings.digest}" + ("" if last else ", not started before")

    def _retention(self) -> str:
        device = self._device()
        due = len(device._vault.due(device._clock.now().utc_s))
        if due:
            raise Unfit(
                f"{due} card{'' if due == 1 else 's'} should have gone by now",
                where="vault",
                remedy="a running device deletes daily, once its time is confirmed: see the check `clock-budget`",
            )
        kept = device.retention
        return f"nothing is due; journal {kept.journal_days} days, by {kept.by['journal']}"

    def _renewals(self) -> str:
        device = self._device()
        now_s, overlap, card = device._clock.now().utc_s, device._overlap, device._chain.embedder.card
        before = None if overlap.chain is None else overlap.chain.embedder.card
        until = None if before is None else overlap.until
        return Renewals.of(device._vault, card, before, until, now_s).check()

    def _stream(self) -> AbstractContextManager[Capture | Pulled]:
        if self._given is not None:
            return nullcontext(self._given.start())
        return self.seen.stream() if isinstance(self.seen, Device) else stream_of(self.settings.camera, self._parts)


def _overlap(device: Device) -> str:
    """The previous embedder's own calibration supports the target, while its cards are verified."""
    overlap = device._overlap
    if overlap.chain is None:
        return ""
    threshold = device._verifier.threshold_of(overlap.chain)
    if device._verifier.previous() is None:
        return f"; the overlap ended on {overlap.until}: its cards are refused; remove face.previous_embedder"
    return f"; cards of {overlap.chain.model[:12]} are verified until {overlap.until}, threshold {threshold:.3f}"


def _policy(device: Device) -> str:
    """What stops claims today makes a device unfit, and so do settings that contradict the declaration."""
    device.policy.need_claims()
    need_as_declared(device.settings, device.build.statement)
    today = device.policy.today()
    rules = sum(said.applies for said in today.verdict.explained) if today.verdict else 0
    return f"{rules} rules apply on {today.on}" if today.declared else "no deployment is declared"


def _policy_ahead(device: Device) -> str:
    """What stops enrolments today, what will stop anything within 30 days, and added packs that do not count."""
    device.policy.need_enrolments()
    for coming in device.policy.today().coming:
        raise PolicyStops(str(coming), where="policy", remedy=coming.finding.satisfy)
    for fault in device.policy.faults:
        raise PolicyStops(f"{fault.name} is not valid: {fault.why}", where="added packs", remedy="remove or replace it")
    return "nothing within 30 days"


def _isolated(build: BuildInfo) -> str:
    if not build.is_device:
        return "a development install runs as it was started"
    if not isolated():
        what = "this Python was not started isolated, so modules of its folder and environment may run in it"
        raise Unfit(what, where="python", remedy="start it by the installed command `edge`, or with `python -I`")
    return "Python was started isolated"


def _build(build: BuildInfo, driver: str, trust_dir: Path) -> str:
    """What vouches for the files. On a log door a build may be nobody's; one whose signature does not hold is told."""
    name = f"{build.profile} {build.version}"
    if build.drives_doors:
        return f"{name}, every file as {build.signer} signed it ({build.signer_id})"
    told = f"{name} drives the log door only: {build.log_only}"
    whole = {
        "": "install a device build of a declared deployment: deploy/BUILDS.md",
        SAID[
            "unsigned"
        ]: "sign it (`edge build sign`), or install a wheel that was signed: deploy/install --wheel FILE",
        SAID["untrusted"]: f"if you believe its builder, put NAME.pem into {trust_dir / 'builders'} as root",
    }
    if driver == "log" and not build.fault and (build.unsigned in whole or not build.is_device):
        return told
    again = whole[""] if not build.is_device else whole.get(build.unsigned, "")
    again = again or "find out who changed it, and install it again: deploy/install --wheel FILE"
    raise Unfit(told, where="build", remedy=again)
