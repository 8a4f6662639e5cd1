"""From a settings file to a device, and to the checks that say whether it is fit to decide.

`device_checks` works where `open_device` fails: a device without keys, with a broken vault or with wrong settings still
gets a diagnosis, check by check.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from edge.errors import EdgeError, JournalBroken, PolicyStops, SettingsError, Unfit
from edge.face import Card
from edge.selftest import Check, Report, checks
from edge.selftest.sealing import Bench
from edge.service.device import Device
from edge.service.models import model_finder
from edge.service.parts import Parts
from edge.service.policy import need_as_declared
from edge.settings import Settings, load_settings
from edge.types import acts, events


def open_device(config: Path | None, parts: Parts | None = None, *, hold: str = "") -> Device:
    """Load settings and open the device.

    Args:
        hold: see `Device.open`.
        config: the settings file; None for ``/etc/edge/device.yaml``, else the packaged example.

    Raises:
        SettingsError: with every problem. As `Device.open`.
    """
    return Device.open(load_settings(config), parts, hold=hold)


@contextmanager
def device_checks(
    config: Path | None, *, parts: Parts | None = None, device: Device | None = None
) -> Iterator[list[Check]]:
    """The checks of a device, with what could be opened of it.

    Args:
        config: the settings file. device: an opened one, else it is opened here and closed afterwards.
    """
    if device is not None:
        yield _all(device.settings, device, None)
        return
    try:
        settings = load_settings(config)
    except SettingsError as error:
        problems = error.problems
        yield [Check("settings", lambda: checks.settings(problems))]
        return
    try:
        opened = Device.open(settings, parts)
    except EdgeError as error:
        yield _all(settings, None, error)
        return
    with opened:
        yield _all(settings, opened, None)


def tell_selftest(device: Device, report: Report) -> None:
    """Have the device tell how its self-test ended: an event, and another one when it is unfit."""
    failed = report.first_failed
    failures = [result for result in report.results if not result.ok]
    needed = sum(result.needed for result in failures)
    warnings, check = len(failures) - needed, failed.name if failed else ""
    device.tell(acts.SelfTested(at_ns=device.now_ns(), fit=report.fit, failed=needed, warnings=warnings, check=check))
    if failed is not None:
        device.tell(events.Unfit(at_ns=device.now_ns(), check=failed.name, what=failed.what, remedy=failed.remedy))


def _all(settings: Settings, device: Device | None, error: EdgeError | None) -> list[Check]:
    face, find = settings.face, model_finder(settings)
    found = [
        Check("settings", lambda: checks.settings(())),
        Check("alternative", lambda: checks.alternative(settings.alternative)),
        Check("model detector", lambda: checks.model(face.detector, face.threads, find)),
        Check("model embedder", lambda: checks.model(face.embedder, face.threads, find)),
        Check("sealing", lambda: checks.sealing(Bench.make(os.urandom))),
    ]
    if device is None:
        return [*found, Check("device opens", lambda: _raise(error))]
    return [
        *found,
        Check("calibration", lambda: _threshold(device)),
        *([Check("previous embedder", lambda: _previous(device, find))] if face.previous_embedder else []),
        Check("keys", lambda: f"site {device.keyring.site_id.hex()[:8]}, {_issuers(device)} trusted"),
        Check("vault", lambda: _vault(device)),
        Check("journal", lambda: _journal(device)),
        Check("clock", lambda: checks.clock(device.clock), needed=False),
        Check("fan-out guard", lambda: checks.fan_out(device.limits.guard()), needed=False),
        Check("policy", lambda: _policy(device)),
        Check("policy ahead", lambda: _policy_ahead(device), needed=False),
        Check("build", lambda: _build(device), needed=device.settings.door.driver != "log"),
        Check("development keys", lambda: _no_passphrase(device), needed=False),
        Check("source", lambda: checks.source(device.stream)),
    ]


def _raise(error: EdgeError | None) -> str:
    assert error is not None
    raise error


def _issuers(device: Device) -> str:
    count = len(device.keyring.trust.issuers)
    return f"{count} issuer{'' if count == 1 else 's'}"


def _threshold(device: Device) -> str:
    decision = device.settings.decision
    return f"target FMR {decision.target_fmr:g} in {decision.looks} looks: threshold {device.verifier.threshold:.3f}"


def _previous(device: Device, find: Callable[[str], Card]) -> str:
    """The old embedder is what its card says, and its own calibration supports the target."""
    face, overlap = device.settings.face, device.overlap
    assert face.previous_embedder is not None
    assert overlap.chain is not None
    checks.model(face.previous_embedder, face.threads, find)
    threshold = device.verifier.threshold_of(overlap.chain)
    if device.verifier.previous() is None:
        return f"the overlap ended on {overlap.until}: its cards are refused; remove face.previous_embedder"
    return f"cards of {overlap.chain.model[:12]} are verified until {overlap.until}, threshold {threshold:.3f}"


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
        raise PolicyStops(
            f"{fault.name} does not count: {fault.why}", where="added packs", remedy="remove or replace it"
        )
    return "nothing within 30 days"


def _journal(device: Device) -> str:
    report = device.ledger.journal.verify()
    if not report.ok:
        raise JournalBroken(report.problem, where="journal", remedy="keep the file and find out who changed it")
    return f"{report.entries} entries, the chain holds"


def _vault(device: Device) -> str:
    device.vault.store.check()
    return f"the store is this device's and whole; custody of new cards: {device.settings.vault.custody}"


def _no_passphrase(device: Device) -> str:
    file = device.settings.device.state_dir / "issuer.passphrase"
    if file.exists():
        raise Unfit(
            "the issuer's passphrase lies beside its key: whoever reads this folder can make cards",
            where=str(file),
            remedy="make a door's keys without --development",
        )
    return "none here"


def _build(device: Device) -> str:
    """Whether a trusted signature covers every installed file. Needed where the settings name a door other than log."""
    build = device.examined()
    name = f"{build.profile} {build.version}"
    if build.drives_doors:
        return f"{name}, every file as {build.signer} signed it ({build.signer_id})"
    told = f"{name} drives the log door only: {build.log_only}"
    if build.fault or device.settings.door.driver != "log":
        raise Unfit(told, where="build", remedy="install a wheel signed by a builder whom this device trusts")
    return told
