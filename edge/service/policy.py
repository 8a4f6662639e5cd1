"""The device's daily look at its own rules: never while a claim is open, and nothing of it on the verification path.

    watch.review()            # at start and once a day; the standing is journalled when it changes
    watch.need_claims()       # PolicyStops when claims are stopped: the loop ends, and the self-test fails
    watch.need_enrolments()   # PolicyStops when new enrolments are stopped
    standing_of(settings)     # the same answer for `edge policy status`, which needs no keys and writes nothing

A development install that declares no deployment stands nowhere: nothing is evaluated for it.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from edge.errors import PolicyStops
from edge.profile import BuildInfo
from edge.service.declared import need_as_declared
from edge.settings import DeviceSettings, Settings
from edge.types.acts import PolicyChanged
from edge.types.events import Event

if TYPE_CHECKING:
    from edge.build.added import RefusedPack
    from edge.build.today import Basis, PolicyStanding
    from edge.policy.findings import Finding

DAY_S = 86_400


class PolicyWatch:
    """How one device stands.

    Args:
        device: its folders. build: what is running. card: of the embedder in use.
        tell: told a changed standing. utc_s: the time used, Unix seconds. now_ns: the clock of events.
        basis: what it is judged by, in the place of what came with the build (tests).
    """

    def __init__(
        self,
        device: DeviceSettings,
        build: BuildInfo,
        card: Mapping[str, Any],
        tell: Callable[[Event], None],
        utc_s: Callable[[], int],
        basis: Callable[[], tuple[Basis, tuple[RefusedPack, ...]]] | None = None,
        now_ns: Callable[[], int] = time.monotonic_ns,
    ) -> None:
        self._device, self._build, self._card, self._tell, self._utc_s = device, build, card, tell, utc_s
        self._now_ns = now_ns
        self._basis = basis or self._own
        self._today: PolicyStanding | None = None
        self._told = "passes"  # which needs no words
        self.faults: tuple[RefusedPack, ...] = ()

    @property
    def maxima(self) -> Mapping[str, float]:
        """Number -> least maximum, as last reviewed; empty before the first review."""
        return {} if self._today is None else self._today.maxima

    def review(self) -> PolicyStanding:
        """Evaluate every rule for today, and journal the standing when it changed.

        Raises:
            PackRefused: what came with the build cannot be read.
            JournalBroken: the journal cannot be written.
        """
        from edge.build.today import PolicyStanding, standing

        if self._basis == self._own and self._build.profile == "development" and not self._declares():
            self._today = PolicyStanding(self._day(), declared=False)
            return self._today
        basis, self.faults = self._basis()
        self._today = standing(basis, self._day())
        if self._today.word != self._told:
            self._told = self._today.word
            self._tell(_changed(self._today, self._now_ns()))
        return self._today

    def visit(self) -> None:
        """Review when the day has changed; cheap otherwise.

        Raises:
            PolicyStops: claims are stopped. PackRefused, JournalBroken: as `review`.
        """
        self.need_claims()

    def today(self) -> PolicyStanding:
        """The standing of today, reviewed if that has not happened yet."""
        if self._today is None or self._today.on != self._day():
            return self.review()
        return self._today

    def need_claims(self) -> None:
        """Return when claims may be decided.

        Raises:
            PolicyStops: they may not, and why.
        """
        _refuse(self.today().against_claims, "every claim")

    def need_enrolments(self) -> None:
        """Return when people may be enrolled.

        Raises:
            PolicyStops: they may not, and why.
        """
        _refuse(self.today().against_enrolments, "new enrolments")

    def _day(self) -> date:
        return datetime.fromtimestamp(self._utc_s(), UTC).date()

    def _declares(self) -> bool:
        from edge import _resources
        from edge.build.today import shipped_build

        return shipped_build(_resources.path("config", "build.yaml")).deployment is not None

    def _own(self) -> tuple[Basis, tuple[RefusedPack, ...]]:
        from edge.build.today import basis_of

        device = self._device
        return basis_of(self._build, device.state_dir, device.trust_dir, card=self._card)


def _changed(today: PolicyStanding, at_ns: int) -> PolicyChanged:
    """How the device stands now. The first rule that speaks is named."""
    findings = (*today.against_claims, *today.against_enrolments, *(coming.finding for coming in today.coming))
    return PolicyChanged(
        at_ns=at_ns,
        standing=today.word,
        findings=len({finding.id for finding in findings}),
        rule=findings[0].id if findings else "",
    )


def _refuse(findings: tuple[Finding, ...], what: str) -> None:
    if findings:
        more = f" (and {len(findings) - 1} more)" if len(findings) > 1 else ""
        raise PolicyStops(
            f"the policy packs stop {what}: {findings[0].id}: {findings[0].what}{more}",
            where="policy",
            remedy=f"{findings[0].satisfy} See `edge policy status`",
        )


def standing_of(settings: Settings) -> tuple[PolicyStanding, tuple[RefusedPack, ...]]:
    """How the device of these settings stands today, as its self-test says, and the added packs that are not used.

    Reads no key, needs no lock and writes nothing: a device may be asked before it has keys, and while its door runs.

    Raises:
        PackRefused: what came with the build cannot be read. ModelError: the embedder may not be used here.
        StateError: the state cannot be read.
    """
    from edge.policy.findings import Finding
    from edge.profile import current
    from edge.service.models import model_finder

    build, card = current(), model_finder(settings)(settings.face.embedder).raw
    watch = PolicyWatch(settings.device, build, card, lambda _: None, lambda: _used_s(settings.device.state_dir, build))
    today = watch.review()
    try:
        need_as_declared(settings, build.statement)
    except PolicyStops as error:
        wrong = Finding(error.where, "declaration", error.what, error.remedy)
        today = replace(
            today,
            against_enrolments=(wrong, *today.against_enrolments),
            against_claims=(wrong, *today.against_claims),
        )
    return today, watch.faults


def _used_s(state_dir: Path, build: BuildInfo) -> int:
    """The time that the device uses, Unix seconds; this machine's, where it has no state yet."""
    from edge.service.parts import BUILD_DATE
    from edge.state import ClockGuard, state_database
    from edge.state.schema import FILE

    earliest = max(BUILD_DATE, build.built_s)
    if not (state_dir / FILE).is_file():
        return max(int(time.time()), earliest)
    state = state_database(state_dir)
    try:
        return int(ClockGuard(state, build_date=earliest).moment().used)
    finally:
        state.close()
